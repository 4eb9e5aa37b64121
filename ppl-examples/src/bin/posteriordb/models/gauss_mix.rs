//! A mixture of two normals, summed out.

use ppl_core::prelude::*;

use super::{Fitted, Run, elements, number};
use crate::database::{Data, Failure};

model! {
    /// Two components with ordered means.
    pub(crate) GaussMix(y: [f64; N], K: usize) {
        mu[K]    ~ Ordered(Normal(0, 2));
        sigma[K] ~ HalfNormal(2);
        theta    ~ Beta(5, 5);
        for n in N {
            sum k in K ~ Bernoulli(1 - theta) {
                y[n] ~ Normal(mu[k], sigma[k]);
            }
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = GaussMix { y: data.reals("y")?, K: 2 };
    let names: Vec<_> = elements("mu", "mu", 2).chain(elements("sigma", "sigma", 2)).chain([number("theta", "theta")]).collect();
    run.fitted(&model, &names)
}
