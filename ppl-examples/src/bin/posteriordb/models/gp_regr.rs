//! Gaussian-process regression: `gp_pois_regr-gp_regr`.

use ppl_core::prelude::*;

use super::{Fitted, Run, number};
use crate::database::{Data, Failure};

model! {
    /// Gaussian-process regression with a squared-exponential covariance.
    pub(crate) GpRegr(x: [f64; N], y: [f64; N]) {
        rho ~ Gamma(25, 4);
        alpha ~ HalfNormal(2);
        sigma ~ HalfNormal(1);
        let covariance[N, N] = squared_exponential(x, alpha, rho, jitter = sigma);
        y[N] ~ MultivariateNormal(0, covariance);
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = GpRegr { x: data.reals("x")?, y: data.reals("y")? };
    let names = ["rho", "alpha", "sigma"].map(|name| number(name, name));
    run.fitted(&model, &names)
}
