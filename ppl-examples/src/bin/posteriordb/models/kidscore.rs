//! Children's test scores by the mother's education and intelligence (Gelman & Hill 2007, chapter 3).

use ppl_core::prelude::*;

use super::{Fitted, Run, number};
use crate::database::{Data, Failure};

model! {
    /// Regression in raw units, with flat priors on the coefficients.
    pub(crate) Kidscore(kid_score: [f64; N], mom_hs: [f64; N], mom_iq: [f64; N]) {
        beta_1 ~ Flat;
        beta_2 ~ Flat;
        beta_3 ~ Flat;
        sigma  ~ HalfCauchy(2.5);
        for n in N {
            kid_score[n] ~ Normal(beta_1 + beta_2 * mom_hs[n] + beta_3 * mom_iq[n], sigma);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = Kidscore { kid_score: data.reals("kid_score")?, mom_hs: data.reals("mom_hs")?, mom_iq: data.reals("mom_iq")? };
    let names = [number("beta_1", "beta[1]"), number("beta_2", "beta[2]"), number("beta_3", "beta[3]"), number("sigma", "sigma")];
    run.fitted(&model, &names)
}
