//! Lynxes and hares of the Hudson's Bay Company: `hudson_lynx_hare-lotka_volterra`.

use ppl_core::prelude::*;

use super::{Fitted, Run, elements};
use crate::database::{Data, Failure};

model! {
    /// Prey and predator (Lotka 1925, Volterra 1926): rates of growth, predation, death and conversion.
    pub(crate) LotkaVolterra(times: [f64; T], y: [f64; T, S], y_init: [f64; S], R: usize) {
        for r in R {
            theta[r] ~ Truncated(Normal(if r == 0 || r == 2 { 1 } else { 0.05 }, if r == 0 || r == 2 { 0.5 } else { 0.05 }), lower = 0);
        }
        sigma[S] ~ LogNormal(-1, 1);
        z_init[S] ~ LogNormal(ln(10), 1);
        ode s in 0..times[t] for t in T {
            start(prey) = z_init[0];
            start(predator) = z_init[1];
            d(prey) = (theta[0] - theta[1] * predator) * prey;
            d(predator) = (theta[3] * prey - theta[2]) * predator;
        }
        for k in S {
            y_init[k] ~ LogNormal(ln(z_init[k]), sigma[k]);
        }
        for t in T {
            y[t, 0] ~ LogNormal(ln(prey[t]), sigma[0]);
            y[t, 1] ~ LogNormal(ln(predator[t]), sigma[1]);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = LotkaVolterra { times: data.reals("ts")?, y: data.matrix("y")?, y_init: data.reals("y_init")?, R: 4 };
    let names: Vec<(String, String)> =
        elements("theta", "theta", 4).chain(elements("sigma", "sigma", 2)).chain(elements("z_init", "z_init", 2)).collect();
    run.fitted(&model, &names)
}
