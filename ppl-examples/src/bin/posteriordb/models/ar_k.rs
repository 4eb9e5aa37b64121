//! An autoregression of order K.

use ppl_core::prelude::*;

use super::{Fitted, Run, elements, number};
use crate::database::{Data, Failure};

model! {
    /// Each value on the K values before it; the first K are given.
    pub(crate) ArK(y: [f64; T], K: usize) {
        alpha   ~ Normal(0, 10);
        beta[K] ~ Normal(0, 10);
        sigma   ~ HalfCauchy(2.5);
        for t in K..T {
            y[t] ~ Normal(alpha + sum(k in K => beta[k] * y[t - 1 - k]), sigma);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let order = data.count("K")?;
    let model = ArK { y: data.reals("y")?, K: order };
    let names: Vec<_> =
        [number("alpha", "alpha")].into_iter().chain(elements("beta", "beta", order)).chain([number("sigma", "sigma")]).collect();
    run.fitted(&model, &names)
}
