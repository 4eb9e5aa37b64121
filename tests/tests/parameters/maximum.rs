//! The maximum of a marginal likelihood that is known is found, by every family, from anywhere and with every estimator.

use ppl_core::guides::FlowKind;
use ppl_core::prelude::*;

use crate::{Likelihood, Population, marginal, population};

#[test]
fn every_family_that_holds_the_posterior_is_at_the_maximum_of_the_marginal_likelihood() {
    let model = population();
    let (mu, tau, evidence) = marginal(&model);
    // Given mu and tau, the theta are independent normals: each of these families is exact.
    let families = [
        Family::Auto,
        Family::FullRank,
        Family::MeanField,
        Family::Blocks,
        Family::LowRank { rank: 2 },
        Family::Mixture { components: 2, full_rank: true },
    ];
    for family in families {
        let fit = fit_bbvi(&model, Bbvi { family, initial: vec![("mu".into(), vec![0.0])], ..Bbvi::default() }).unwrap();
        let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
        assert!((found_mu - mu).abs() < 0.005, "{family:?}: {found_mu} {mu}");
        assert!((found_tau - tau).abs() < 0.005, "{family:?}: {found_tau} {tau}");
        let (elbo, standard_error) = fit.elbo();
        assert!((elbo - evidence).abs() < 0.005 + 4.0 * standard_error, "{family:?}: {elbo} {evidence}");
        assert!(fit.pareto_k() < 0.5, "{family:?}");
    }
}

model! {
    /// The same, from a start that is given.
    pub Begun(y: [f64; N], s: f64, m: f64, t: f64) {
        param mu: real = m;
        param tau: positive = t;
        for n in N {
            theta[n] ~ Normal(mu, tau);
            y[n] ~ Normal(theta[n], s);
        }
    }
}

#[test]
fn the_maximum_is_found_from_far_away() {
    let Population { y, s } = population();
    let (mu, tau, evidence) = marginal(&population());
    // Small scales hold the latents where they are: turns of EM hardly move from there.
    for (m, t) in [(0.0, 1.0), (100.0, 1.0), (-50.0, 3.0), (0.0, 100.0), (0.0, 0.1), (0.0, 0.01), (0.0, 0.003)] {
        for family in [Family::Auto, Family::MeanField] {
            let fit = fit_bbvi(&Begun { y: y.clone(), s, m, t }, Bbvi { family, ..Bbvi::default() }).unwrap();
            let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
            assert!((found_mu - mu).abs() < 1e-3 && (found_tau - tau).abs() < 1e-3, "{family:?} {m} {t}: {found_mu} {found_tau}");
            assert!((fit.elbo().0 - evidence).abs() < 1e-3, "{family:?} {m} {t}: {}", fit.elbo().0);
        }
    }
}

#[test]
fn restarts_and_stochastic_steps_end_at_the_same_maximum() {
    let model = population();
    let (mu, tau, _) = marginal(&model);
    let stochastic = Bbvi { family: Family::MeanField, optimizer: Optimizer::Dowg, ..Bbvi::default() };
    for config in [Bbvi { restarts: 3, ..Bbvi::default() }, stochastic] {
        let fit = fit_bbvi(&model, config).unwrap();
        let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
        assert!((found_mu - mu).abs() < 0.005 && (found_tau - tau).abs() < 0.005, "{found_mu} {found_tau}");
    }
}

/// Of the parameters the derivative along the path is all that there is; the latents have the score function.
#[test]
fn parameters_are_climbed_beside_the_score_function() {
    let model = population();
    let (mu, tau, _) = marginal(&model);
    let whole = Bbvi { estimator: Estimator::SCORE_FUNCTION, family: Family::MeanField, ..Bbvi::default() };
    let some =
        Bbvi { estimators: vec![("theta".into(), Estimator::SCORE_FUNCTION)], family: Family::FullRank, ..Bbvi::default() };
    for config in [whole, some] {
        let fit = fit_bbvi(&model, config).unwrap();
        let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
        assert!((found_mu - mu).abs() < 0.05 && (found_tau - tau).abs() < 0.05, "{found_mu} {found_tau}");
    }
    let alone = Likelihood { y: vec![1.0, 2.0, 6.0] };
    for family in [Family::FullRank, Family::MeanField] {
        let config = Bbvi { estimator: Estimator::SCORE_FUNCTION, family, ..Bbvi::default() };
        assert!((fit_bbvi(&alone, config).unwrap().param("mu").unwrap() - 3.0).abs() < 1e-2, "{family:?}");
    }
    let named = Bbvi { estimators: vec![("mu".into(), Estimator::SCORE_FUNCTION)], ..Bbvi::default() };
    let error = fit_bbvi(&model, named).unwrap_err().to_string();
    assert!(error.contains("`mu`, which is not a latent"), "{error}");
}

#[test]
fn a_flow_moves_the_parameters_too() {
    let model = population();
    let (mu, tau, _) = marginal(&model);
    let family = Family::Flow(FlowKind::Planar { layers: 1 });
    let fit = fit_bbvi(&model, Bbvi { family, max_steps: 3000, ..Bbvi::default() }).unwrap();
    assert!((fit.param("mu").unwrap() - mu).abs() < 0.1 && (fit.param("tau").unwrap() - tau).abs() < 0.1, "{:?}", fit.params());
}

#[test]
fn the_mode_given_parameters_is_that_of_the_joint_density() {
    // A population of fixed scale: the mode of theta and mu together.
    let model = Fixed { y: vec![2.0, 5.0, -1.0] };
    let fit = fit_bbvi(&model, Bbvi { family: Family::Map, ..Bbvi::default() }).unwrap();
    assert!((fit.param("mu").unwrap() - 2.0).abs() < 1e-4, "{:?}", fit.params());
    assert!((fit.scalar("theta[1]").unwrap().mean - 3.5).abs() < 1e-4);
}

model! {
    /// A population of scale one.
    pub Fixed(y: [f64; N]) {
        param mu: real = 0;
        for n in N {
            theta[n] ~ Normal(mu, 1);
            y[n] ~ Normal(theta[n], 1);
        }
    }
}

#[test]
fn a_model_without_latents_is_maximum_likelihood() {
    let y = vec![1.0, 2.5, 4.0, 3.5, 2.0, 5.0];
    let mean = y.iter().sum::<f64>() / 6.0;
    let sd = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 6.0).sqrt();
    let families = [
        Family::Auto,
        Family::MeanField,
        Family::FullRank,
        Family::Blocks,
        Family::LowRank { rank: 2 },
        Family::Mixture { components: 2, full_rank: true },
        Family::Flow(FlowKind::Planar { layers: 1 }),
        Family::Map,
    ];
    for family in families {
        let fit = fit_bbvi(&Likelihood { y: y.clone() }, Bbvi { family, ..Bbvi::default() }).unwrap();
        assert!((fit.param("mu").unwrap() - mean).abs() < 1e-3 * sd, "{family:?}: {:?}", fit.params());
        assert!((fit.param("sigma").unwrap() / sd - 1.0).abs() < 1e-3, "{family:?}: {:?}", fit.params());
        let top = -3.0 * (std::f64::consts::TAU.ln() + 1.0) - 6.0 * sd.ln();
        assert!((fit.elbo().0 - top).abs() < 1e-4, "{family:?}: {:?} {top}", fit.elbo());
        let text = fit.summary().to_string();
        assert!(text.starts_with("Likelihood\n\n  param  maximised\n") && !text.contains("Pareto"), "{text}");
    }
}
