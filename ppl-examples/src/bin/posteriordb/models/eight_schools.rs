//! Eight schools, non-centred and centred.

use ppl_core::prelude::*;

use super::{Fitted, Run, elements, number};
use crate::database::{Data, Failure};

model! {
    /// The effects of coaching in eight schools.
    pub(crate) EightSchools(y: [f64; J], sigma: [f64; J]) {
        mu  ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            theta_trans[j] ~ Normal(0, 1);
            let theta[j] = theta_trans[j] * tau + mu;
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = EightSchools { y: data.reals("y")?, sigma: data.reals("sigma")? };
    let names: Vec<_> = elements("theta", "theta", 8).chain([number("mu", "mu"), number("tau", "tau")]).collect();
    run.fitted(&model, &names)
}

model! {
    /// The same, as one would write it.
    pub(crate) EightSchoolsCentered(y: [f64; J], sigma: [f64; J]) {
        mu  ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

pub(crate) fn fit_centered(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = EightSchoolsCentered { y: data.reals("y")?, sigma: data.reals("sigma")? };
    let names: Vec<_> = elements("theta", "theta", 8).chain([number("mu", "mu"), number("tau", "tau")]).collect();
    run.fitted(&model, &names)
}
