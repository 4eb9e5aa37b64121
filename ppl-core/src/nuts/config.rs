//! The configuration of the sampler, checked before the first step.

use crate::fit::{ConfigError, place};
use crate::model::Layout;

/// How to sample; every field has a default that needs no tuning.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
/// let config = Nuts { seed: 7, target_accept: 0.95, ..Nuts::default() };
/// assert_eq!((config.chains, config.warmup, config.draws), (4, 1000, 1000));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Nuts {
    /// Chains, which run in parallel. Default 4; range 1 to 1000.
    pub chains: usize,
    /// Steps in which step size and metric adapt, left out of the draws. Default 1000; range 1 to 1 000 000 000.
    pub warmup: usize,
    /// Draws a chain. Default 1000; range 4 to 1 000 000 000.
    pub draws: usize,
    /// The mean acceptance probability that the step size is adapted to: nearer one for shorter steps, where trajectories
    /// diverge. Default 0.8; range 0.5 to 0.999.
    pub target_accept: f64,
    /// The most doublings of a trajectory, which has fewer steps than two to that power. Default 10; range 1 to 20.
    pub max_depth: usize,
    /// The seed of all randomness: the same seed gives the same bits, on any number of threads. Default 0.
    pub seed: u64,
    /// Initial values of latents, by name, on the constrained scale, elements in row-major order, the same for all chains.
    /// Default none: uniform from -2 to 2 on the unconstrained space, another point a chain.
    pub initial: Vec<(String, Vec<f64>)>,
}

impl Default for Nuts {
    fn default() -> Self {
        Nuts { chains: 4, warmup: 1000, draws: 1000, target_accept: 0.8, max_depth: 10, seed: 0, initial: Vec::new() }
    }
}

impl Nuts {
    /// Checks the numbers, and that the initial values are of the model.
    pub(super) fn check(&self, layout: &Layout) -> Result<(), ConfigError> {
        let range = |field, value: f64, low: f64, high: f64, expected| {
            if value >= low && value <= high { Ok(()) } else { Err(ConfigError::OutOfRange { field, value, expected }) }
        };
        range("chains", self.chains as f64, 1.0, 1000.0, "between 1 and 1000")?;
        range("warmup", self.warmup as f64, 1.0, 1e9, "between 1 and 1 000 000 000")?;
        range("draws", self.draws as f64, 4.0, 1e9, "between 4 and 1 000 000 000")?;
        range("target_accept", self.target_accept, 0.5, 0.999, "between 0.5 and 0.999")?;
        range("max_depth", self.max_depth as f64, 1.0, 20.0, "between 1 and 20")?;
        place(&self.initial, layout, &mut vec![0.0; layout.unconstrained()])
    }
}
