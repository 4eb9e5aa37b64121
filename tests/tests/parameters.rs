//! Parameters: maximised rather than integrated over, as the M-step of EM does.
#![forbid(unsafe_code)]

use ppl_core::model::SiteKind;
use ppl_core::prelude::*;
use ppl_tests::check_model;

model! {
    /// Normal means with a population that is a point: the marginal likelihood is known.
    pub Population(y: [f64; N], s: f64) {
        param mu: real = 0;
        param tau: positive = 1;
        for n in N {
            theta[n] ~ Normal(mu, tau);
            y[n] ~ Normal(theta[n], s);
        }
    }
}

fn population() -> Population {
    Population { y: vec![2.1, 4.9, 1.0, 7.2, 3.3, 5.5, 0.4, 6.0], s: 1.2 }
}

#[test]
fn the_optimum_is_that_of_the_marginal_likelihood() {
    let model = population();
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    println!("{}", fit.summary());
    // y[n] ~ Normal(mu, sqrt(tau^2 + s^2)) with theta integrated out.
    let n = model.y.len() as f64;
    let mean = model.y.iter().sum::<f64>() / n;
    let variance = model.y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
    let tau = (variance - model.s * model.s).sqrt();
    assert!((fit.param("mu").unwrap() - mean).abs() < 1e-3, "{:?}", fit.params());
    assert!((fit.param("tau").unwrap() - tau).abs() < 1e-3, "{tau} {:?}", fit.params());
    // The ELBO is the marginal likelihood there.
    let evidence = -0.5 * n * ((std::f64::consts::TAU * variance).ln() + 1.0);
    assert!((fit.elbo().0 - evidence).abs() < 1e-3, "{:?} {evidence}", fit.elbo());
}
