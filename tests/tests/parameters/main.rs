//! Parameters: maximised rather than integrated over, as the M-step of EM does.
#![forbid(unsafe_code)]

mod expectation_maximization;
mod fits;
mod hierarchies;
mod maximum;
mod starts;
mod supports;

use ppl_core::prelude::*;

model! {
    /// Normal means of a population that is a point: the marginal likelihood is known.
    pub Population(y: [f64; N], s: f64) {
        param mu: real = sum(n in N => y[n]) / N;
        param tau: positive = 1;
        for n in N {
            theta[n] ~ Normal(mu, tau);
            y[n] ~ Normal(theta[n], s);
        }
        let spread = tau / s;
    }
}

fn population() -> Population {
    Population { y: vec![2.1, 4.9, 1.0, 7.2, 3.3, 5.5, 0.4, 6.0], s: 1.2 }
}

/// With `theta` integrated out `y[n] ~ Normal(mu, sqrt(tau^2 + s^2))`: mu, tau and the log likelihood at its top.
fn marginal(model: &Population) -> (f64, f64, f64) {
    let n = model.y.len() as f64;
    let mean = model.y.iter().sum::<f64>() / n;
    let variance = model.y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance - model.s * model.s).sqrt(), -0.5 * n * ((std::f64::consts::TAU * variance).ln() + 1.0))
}

model! {
    /// Maximum likelihood: nothing is integrated over.
    pub Likelihood(y: [f64; N]) {
        param mu: real = 0;
        param sigma: positive = 1;
        y[N] ~ Normal(mu, sigma);
    }
}
