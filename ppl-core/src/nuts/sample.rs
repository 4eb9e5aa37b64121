//! The chains: each a sampler of its own on one lane of the log density.

use nuts_rs::{Chain as _, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, Settings as _};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};
use rayon::prelude::*;

use super::Nuts;
use crate::fit::{ConfigError, FitError, blame};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};
use crate::random::step_key;

/// What a chain leaves: its draws on the unconstrained space, draw after draw.
pub(super) struct Chain {
    pub(super) draws: Vec<f64>,
    pub(super) divergences: usize,
}

/// Starting points that are tried.
const TRIES: usize = 100;

/// Runs all chains.
pub(super) fn chains<E: Real>(model: &dyn LogJoint<E>, config: &Nuts) -> Result<Vec<Chain>, FitError> {
    let range = |field, value: usize, low: usize, high: usize, expected| {
        if (low..=high).contains(&value) { Ok(()) } else { Err(ConfigError::OutOfRange { field, value: value as f64, expected }) }
    };
    range("chains", config.chains, 1, 1000, "between 1 and 1000")?;
    range("warmup", config.warmup, 1, usize::MAX, "at least 1")?;
    range("draws", config.draws, 4, usize::MAX, "at least 4")?;
    range("max_depth", config.max_depth, 1, 20, "between 1 and 20")?;
    (0..config.chains as u64).into_par_iter().map(|chain| run(model, config, chain)).collect()
}

fn run<E: Real>(model: &dyn LogJoint<E>, config: &Nuts, chain: u64) -> Result<Chain, FitError> {
    let failed = |reason: &dyn std::fmt::Display| FitError::Sampler { chain, reason: reason.to_string() };
    let n = model.layout().unconstrained();
    if n == 0 {
        return Ok(Chain { draws: Vec::new(), divergences: 0 });
    }
    let mut rng = StdRng::seed_from_u64(step_key(config.seed, chain));
    let mut density = Density::new(model);
    let start = density.finite_start(&mut rng)?;
    let settings = DiagNutsSettings {
        num_tune: config.warmup as u64,
        num_draws: config.draws as u64,
        maxdepth: config.max_depth as u64,
        seed: config.seed,
        ..DiagNutsSettings::default()
    };
    let mut sampler = settings.new_chain(chain, CpuMath::new(density), &mut rng).map_err(|error| failed(&error))?;
    sampler.set_position(&start).map_err(|error| failed(&error))?;
    let mut out = Chain { draws: Vec::with_capacity(config.draws * n), divergences: 0 };
    for step in 0..config.warmup + config.draws {
        let (draw, progress) = sampler.draw().map_err(|error| failed(&error))?;
        if step >= config.warmup {
            out.draws.extend_from_slice(&draw);
            out.divergences += usize::from(progress.diverging);
        }
    }
    Ok(out)
}

/// The log density of a model at one point at a time: one sample is a padded group of lanes.
struct Density<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    work: Workspace<E>,
    weights: Weights<E>,
    values: Vec<f64>,
}

impl<'a, E: Real> Density<'a, E> {
    fn new(model: &'a dyn LogJoint<E>) -> Self {
        let lanes = E::LANE_MULTIPLE;
        Density { model, work: model.workspace(lanes), weights: model.unit_weights(lanes), values: vec![0.0; lanes] }
    }

    fn at(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let lanes = E::LANE_MULTIPLE;
        for (row, x) in self.work.u_mut().chunks_exact_mut(lanes).zip(position) {
            row.fill(E::from_f64(*x));
        }
        self.model.log_density(&mut self.work, &self.weights, &mut self.values);
        for (to, row) in gradient.iter_mut().zip(self.work.gradient().chunks_exact(lanes)) {
            *to = row[0].to_f64();
        }
        self.values[0]
    }

    /// A point between -2 and 2 in each dimension, as in Stan, where density and gradient are finite.
    fn finite_start(&mut self, rng: &mut StdRng) -> Result<Vec<f64>, FitError> {
        let n = self.model.layout().unconstrained();
        let mut gradient = vec![0.0; n];
        let mut start = vec![0.0; n];
        for _ in 0..TRIES {
            start.iter_mut().for_each(|x| *x = 4.0 * ((rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0) - 2.0);
            if self.at(&start, &mut gradient).is_finite() && gradient.iter().all(|g| g.is_finite()) {
                return Ok(start);
            }
        }
        let culprit = blame(self.model, self.work.u(), &self.values);
        Err(FitError::Start { tries: TRIES, culprit })
    }
}

/// A point where the log density is not finite: the trajectory ends before it.
#[derive(Debug, thiserror::Error)]
#[error("the log density is not finite")]
struct NotFinite;

impl LogpError for NotFinite {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl<E: Real> HasDims for Density<'_, E> {
    fn dim_sizes(&self) -> std::collections::HashMap<String, u64> {
        std::collections::HashMap::from([("unconstrained_parameter".to_owned(), self.dim() as u64)])
    }
}

impl<E: Real> CpuLogpFunc for Density<'_, E> {
    type LogpError = NotFinite;
    type ExpandedVector = Vec<f64>;
    type FlowParameters = ();

    fn dim(&self) -> usize {
        self.model.layout().unconstrained()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, NotFinite> {
        let value = self.at(position, gradient);
        if value.is_finite() && gradient.iter().all(|g| g.is_finite()) { Ok(value) } else { Err(NotFinite) }
    }

    fn expand_vector<R: nuts_rs::rand::Rng + ?Sized>(&mut self, _: &mut R, position: &[f64]) -> Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}
