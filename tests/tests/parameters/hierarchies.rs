//! Populations whose latents have no closed form, beside their marginal likelihood by numerical integration.

use ppl_core::prelude::*;
use ppl_tests::models::{EightSchools, eight_schools};

model! {
    /// A logistic regression on groups, whose mean and scale are points.
    pub LogisticRegression(y: [bool; N], g: [in C; N]) {
        param mu: real = 0;
        param tau: positive = 1;
        a[C] ~ Normal(0, 1);
        for n in N {
            y[n] ~ Bernoulli(logit = mu + tau * a[g[n]]);
        }
    }
}

/// With each `a` integrated out by the trapezoidal rule, the fit is where a step of Newton's method on the marginal likelihood leads nowhere.
#[test]
fn a_logistic_population_is_at_the_maximum_of_the_marginal_likelihood() {
    let g: Vec<usize> = (0..200).map(|i| i % 10).collect();
    let y: Vec<bool> = (0..200).map(|i| (i * 7919 % 101) < 20 + 7 * (i % 10)).collect();
    let fit = fit_bbvi(&LogisticRegression { y: y.clone(), g: g.clone().into() }, Bbvi::default()).unwrap();
    let marginal = |mu: f64, ln_tau: f64| -> f64 {
        let group = |c: usize| {
            let yes = y.iter().zip(&g).filter(|(y, own)| **own == c && **y).count() as f64;
            let at = |a: f64| {
                let logit = ln_tau.exp().mul_add(a, mu);
                (yes * logit - 20.0 * logit.exp().ln_1p() - 0.5 * a * a).exp()
            };
            (0.01 * (-800..=800).map(|i| at(0.01 * f64::from(i))).sum::<f64>() / std::f64::consts::TAU.sqrt()).ln()
        };
        (0..10).map(group).sum()
    };
    let (mu, ln_tau, h) = (fit.param("mu").unwrap(), fit.param("tau").unwrap().ln(), 1e-3);
    let here = marginal(mu, ln_tau);
    let step = |above: f64, below: f64| (above - below) * h / 2.0 / (2.0 * here - above - below);
    let of_mu = step(marginal(mu + h, ln_tau), marginal(mu - h, ln_tau));
    let of_tau = step(marginal(mu, ln_tau + h), marginal(mu, ln_tau - h));
    assert!(of_mu.abs() < 0.005 && of_tau.abs() < 0.01, "{of_mu} {of_tau}");
    assert!((fit.elbo().0 - here).abs() < 0.05, "{:?} {here}", fit.elbo());
}

model! {
    /// A regression in single precision with a point in the place of its noise, and a population within a population.
    pub Nested(y: [f32; N], g: [in C; N]) {
        param sigma: positive = 1;
        m ~ Normal(0, 10);
        t ~ HalfNormal(2);
        for c in C {
            a[c] ~ Normal(m, t);
        }
        for n in N {
            y[n] ~ Normal(a[g[n]], sigma);
        }
    }
}

#[test]
fn parameters_go_with_degrees_of_centring_and_single_precision() {
    let y: Vec<f32> = (0..60).map(|i| (i % 6) as f32 + 0.5 * (i as f32 * 1.7).sin()).collect();
    let model = Nested { g: (0..60).map(|i| i % 6).collect(), y };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let mean = |c: usize| model.y.iter().skip(c).step_by(6).map(|&y| f64::from(y)).sum::<f64>() / 10.0;
    let squares: f64 = model.y.iter().enumerate().map(|(i, &y)| (f64::from(y) - mean(i % 6)).powi(2)).sum();
    // With means that are integrated out the degrees of freedom are 60 - 6, but for what the population says of these.
    let (sigma, expected) = (fit.param("sigma").unwrap(), (squares / 54.0).sqrt());
    assert!((sigma / expected - 1.0).abs() < 0.02, "{sigma} {expected}");
    assert!((fit.scalar("a[4]").unwrap().mean - mean(4)).abs() < 0.05);
}

model! {
    /// A population whose location is a point and whose scale is not: guided through residuals that hold the point.
    pub Centred(y: [f64; J], sigma: [f64; J]) {
        param mu: real = 0;
        tau ~ HalfNormal(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

/// With theta integrated out `y[j] ~ Normal(mu, sqrt(tau^2 + sigma[j]^2))`; tau is integrated out by a sum.
#[test]
fn residuals_of_a_location_that_is_a_point_are_at_the_maximum_of_the_marginal_likelihood() {
    let EightSchools { y, sigma } = eight_schools();
    let model = Centred { y: y.clone(), sigma: sigma.clone() };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    assert!(fit.summary().to_string().contains("of residuals"), "{}", fit.summary());
    let normal = |x: f64, sd: f64| (-0.5 * (x / sd).powi(2)).exp() / (sd * std::f64::consts::TAU.sqrt());
    let marginal = |mu: f64| -> f64 {
        let at = |tau: f64| -> f64 {
            2.0 * normal(tau, 5.0) * y.iter().zip(&sigma).map(|(y, s)| normal(y - mu, tau.hypot(*s))).product::<f64>()
        };
        (0.01 * (0..4000).map(|i| at(0.01 * (f64::from(i) + 0.5))).sum::<f64>()).ln()
    };
    let (mu, h) = (fit.param("mu").unwrap(), 1e-2);
    let here = marginal(mu);
    // A step of Newton's method; the standard deviation of mu is about four.
    let step = (marginal(mu + h) - marginal(mu - h)) * h / 2.0 / (2.0 * here - marginal(mu + h) - marginal(mu - h));
    assert!(step.abs() < 0.1, "{mu} {step}");
    assert!(fit.elbo().0 < here + 4.0 * fit.elbo().1 && fit.elbo().0 > here - 0.25, "{:?} {here}", fit.elbo());
}
