//! Bayesian linear regression.

use ppl_core::prelude::*;

use super::{Fitted, Run, elements, number};
use crate::database::{Data, Failure};

model! {
    /// Linear regression on a matrix of predictors.
    pub(crate) Blr(y: [f64; N], x: [f64; N, D]) {
        beta[D] ~ Normal(0, 10);
        sigma   ~ HalfNormal(10);
        for n in N {
            y[n] ~ Normal(dot(x[n], beta), sigma);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = Blr { y: data.reals("y")?, x: data.matrix("X")? };
    let names: Vec<_> = elements("beta", "beta", data.count("D")?).chain([number("sigma", "sigma")]).collect();
    run.fitted(&model, &names)
}
