//! Eight schools with their data: what the steps and the log joints are timed on.

use ppl_core::prelude::*;

model! {
    /// Eight schools, non-centred.
    pub(crate) EightSchools(y: [f64; J], sigma: [f64; J]) {
        mu  ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            eta[j] ~ Normal(0, 1);
            let theta[j] = mu + tau * eta[j];
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

/// Rubin 1981, as in Gelman et al. 2013, table 5.2.
pub(crate) fn eight_schools() -> EightSchools {
    EightSchools {
        y: vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        sigma: vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
}
