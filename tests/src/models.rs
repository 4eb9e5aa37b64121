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
