//! The families of guides that a fit has tried.

use serde::{Deserialize, Serialize};

/// A family of guides that a fit has tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Its name.
    pub family: String,
    /// The ELBO that it reached, in nats.
    pub elbo: f64,
    /// The Pareto shape of its importance weights.
    #[serde(with = "super::extended")]
    pub pareto_k: f64,
    /// The steps that it took.
    pub steps: usize,
}
