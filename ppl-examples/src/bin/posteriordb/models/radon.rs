//! Radon in homes of Minnesota: county intercepts, non-centred (Gelman & Hill 2007, chapter 12).

use ppl_core::prelude::*;

use super::{Fitted, Run, elements, number};
use crate::database::{Data, Failure};

model! {
    /// Partially pooled county intercepts, with the county's uranium as a predictor.
    pub(crate) Radon(log_radon: [f64; N], floor_measure: [f64; N], log_uppm: [f64; N], county: [in J; N], J: usize) {
        sigma_y     ~ HalfNormal(1);
        sigma_alpha ~ HalfNormal(1);
        mu_alpha    ~ Normal(0, 10);
        beta_1      ~ Normal(0, 10);
        beta_2      ~ Normal(0, 10);
        for j in J {
            alpha_raw[j] ~ Normal(0, 1);
            let alpha[j] = mu_alpha + sigma_alpha * alpha_raw[j];
        }
        for n in N {
            let mu = alpha[county[n]] + log_uppm[n] * beta_1 + floor_measure[n] * beta_2;
            log_radon[n] ~ Normal(mu, sigma_y);
        }
    }
}

model! {
    /// The same posterior, with the intercepts as they are thought of: around their mean.
    pub(crate) Centered(log_radon: [f64; N], floor_measure: [f64; N], log_uppm: [f64; N], county: [in J; N], J: usize) {
        sigma_y     ~ HalfNormal(1);
        sigma_alpha ~ HalfNormal(1);
        mu_alpha    ~ Normal(0, 10);
        beta_1      ~ Normal(0, 10);
        beta_2      ~ Normal(0, 10);
        for j in J {
            alpha[j] ~ Normal(mu_alpha, sigma_alpha);
        }
        for n in N {
            let mu = alpha[county[n]] + log_uppm[n] * beta_1 + floor_measure[n] * beta_2;
            log_radon[n] ~ Normal(mu, sigma_y);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = Radon {
        log_radon: data.reals("log_radon")?,
        floor_measure: data.reals("floor_measure")?,
        log_uppm: data.reals("log_uppm")?,
        county: data.indices("county_idx")?.into(),
        J: data.count("J")?,
    };
    run.fitted(&model, &names(model.J))
}

pub(crate) fn fit_centered(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = Centered {
        log_radon: data.reals("log_radon")?,
        floor_measure: data.reals("floor_measure")?,
        log_uppm: data.reals("log_uppm")?,
        county: data.indices("county_idx")?.into(),
        J: data.count("J")?,
    };
    run.fitted(&model, &names(model.J))
}

fn names(counties: usize) -> Vec<(String, String)> {
    elements("alpha", "alpha", counties)
        .chain([
            number("beta_1", "beta[1]"),
            number("beta_2", "beta[2]"),
            number("mu_alpha", "mu_alpha"),
            number("sigma_alpha", "sigma_alpha"),
            number("sigma_y", "sigma_y"),
        ])
        .collect()
}
