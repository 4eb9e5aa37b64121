//! What a fit does with its parameters: reports, files, linear response, chains; and what is refused.

use ppl_core::prelude::*;

use crate::{Likelihood, Population, PopulationInputs, marginal, population};

#[test]
fn a_fit_reports_its_parameters_apart_from_its_draws() {
    let model = population();
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let (mu, tau, _) = marginal(&model);
    let names: Vec<&str> = fit.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["mu", "tau"]);
    assert!(fit.scalar("mu").is_none() && fit.param("theta[0]").is_none());
    assert!(
        fit.summary().to_string().contains("\n  param  maximised\n  mu         3.800\n  tau        1.985\n"),
        "{}",
        fit.summary()
    );
    // What depends on parameters alone is a constant.
    let draws = fit.draws(&model, 50).unwrap();
    assert!(draws.spread.iter().all(|x| (x - tau / 1.2).abs() < 1e-3));
    let shrunk = |y: f64| (y * tau * tau + mu * 1.44) / (tau * tau + 1.44);
    assert!((fit.scalar("theta[3]").unwrap().mean - shrunk(7.2)).abs() < 0.01);
    assert!(fit.summary_of(&model, "mu").unwrap_err().to_string().contains("`theta`, `spread`"));
    assert_eq!(fit.posterior_predictive(&model, 10).unwrap().y.shape(), [10, 8]);
    // The rows that a parameter was found from are not left out of it.
    let told = "2 parameters are held where all the rows put them: the estimate is too high, by about 1 nat for each\n";
    let (loo, waic) = (fit.loo(&model).unwrap(), fit.waic(&model).unwrap());
    assert!(loo.to_string().ends_with(told) && waic.to_string().ends_with(told), "{loo}{waic}");
}

#[test]
fn saved_fits_keep_their_parameters() {
    let path = std::env::temp_dir().join(format!("ppl-params-{}.json", std::process::id()));
    let fit = fit_bbvi(&population(), Bbvi::default()).unwrap();
    fit.save(&path).unwrap();
    let loaded = Fit::<Population>::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(loaded.params(), fit.params());
    assert_eq!(loaded.draws(&population(), 5).unwrap().theta, fit.draws(&population(), 5).unwrap().theta);
}

#[test]
fn linear_response_is_that_of_the_latents_given_the_parameters() {
    let model = population();
    let (_, tau, _) = marginal(&model);
    let fit = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() }).unwrap();
    let response = fit.linear_response(&model).unwrap();
    // Tilted means move the parameters along, as they are found again: more than `1 / (1 / tau^2 + 1 / s^2)`, what they are held at.
    let held = (tau.powi(-2) + model.s.powi(-2)).recip().sqrt();
    let sd = response.sd("theta[0]").unwrap();
    assert!(sd > held && sd < model.s, "{sd} {held}");
    assert!(response.sd("mu").is_none());
}

#[test]
fn chains_hold_the_parameters_where_the_fit_left_them() {
    let model = population();
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let check = fit.check_with_nuts(&model, &Nuts { draws: 2000, ..Nuts::default() }).unwrap();
    assert_eq!(check.scalars.len(), 8, "theta alone");
    assert!(check.scalars.iter().all(|own| own.error.abs() < 0.1 && (own.sd_ratio - 1.0).abs() < 0.1), "{check}");
    let alone = Likelihood { y: vec![1.0, 2.0] };
    assert!(fit_bbvi(&alone, Bbvi::default()).unwrap().check_with_nuts(&alone, &Nuts::default()).is_ok());
}

#[test]
fn what_cannot_be_done_with_parameters_is_refused() {
    let message = |config: Bbvi| fit_bbvi(&population(), config).unwrap_err().to_string();
    assert!(message(Bbvi { family: Family::Laplace, ..Bbvi::default() }).contains("`mu`"));
    assert!(message(Bbvi { initial: vec![("tau".into(), vec![-1.0])], ..Bbvi::default() }).contains("-1 of `tau`"));
    assert!(message(Bbvi { initial: vec![("nu".into(), vec![1.0])], ..Bbvi::default() }).contains("`theta`, `mu`, `tau`"));
    let error = sample_nuts(&population(), &Nuts::default()).unwrap_err().to_string();
    assert!(error.contains("`mu` is a parameter"), "{error}");
    let error = prior_predictive::<Population>(&PopulationInputs { s: 1.0, N: 3 }, 5, 0).unwrap_err().to_string();
    assert!(error.contains("`mu` starts from observed data"), "{error}");
}
