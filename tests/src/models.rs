//! Models that other crates use.

use ppl_core::kernel::Lanes;
use ppl_core::prelude::*;

/// A saturating response.
#[ppl_core::function]
pub fn saturating<V: Lanes>(x: V, half: V) -> V {
    x / (x + half)
}

model! {
    /// A model that calls a function by a path which begins at the root of its crate.
    pub Dose(dose: [f64; N], y: [f64; N]) {
        half ~ LogNormal(0, 1);
        for n in N {
            y[n] ~ Normal(crate::models::saturating(dose[n], half), 1);
        }
    }
}

model! {
    /// Radon in homes: partially pooled county intercepts.
    pub Radon(log_radon: [f64; N], floor: [f64; N], county: [in C; N], uranium: [f64; C]) {
        mu ~ Normal(0, 10);
        gamma ~ Normal(0, 10);
        beta ~ Normal(0, 10);
        tau ~ HalfNormal(1);
        sigma ~ HalfNormal(1);
        for c in C {
            alpha[c] ~ Normal(mu + gamma * uranium[c], tau);
        }
        for n in N {
            let at_home = alpha[county[n]] + beta * floor[n];
            log_radon[n] ~ Normal(at_home, sigma);
        }
    }
}

model! {
    /// Eight schools, non-centred.
    pub EightSchools(y: [f64; J], sigma: [f64; J]) {
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
#[must_use]
pub fn eight_schools() -> EightSchools {
    EightSchools {
        y: vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        sigma: vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
}
