//! The chains: each a sampler of its own on its own buffers, all in parallel.

use nuts_rs::{Chain as _, CpuMath, DiagNutsSettings, Settings as _};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;

use super::Nuts;
use super::density::Density;
use crate::fit::FitError;
use crate::kernel::Real;
use crate::model::LogJoint;
use crate::random::step_key;

/// What a chain leaves.
#[derive(Default)]
pub(super) struct Chain {
    /// On the unconstrained space, draw after draw.
    pub(super) draws: Vec<f64>,
    /// Trajectories whose energy was not conserved.
    pub(super) divergences: usize,
    /// Trajectories that ended at the most doublings, before they turned.
    pub(super) cut_short: usize,
    /// The step size after the warmup, in units of the adapted metric.
    pub(super) step_size: f64,
    /// Gradients, those of the warmup included.
    pub(super) evaluations: u64,
}

/// Runs all chains, the last dimensions being held.
pub(super) fn chains<E: Real>(model: &dyn LogJoint<E>, config: &Nuts, held: &[f64]) -> Result<Vec<Chain>, FitError> {
    config.check(model.layout())?;
    let chains: Vec<_> = (0..config.chains as u64).into_par_iter().map(|chain| run(model, config, held, chain)).collect();
    // One after the other, so that of several errors the same is told each time.
    chains.into_iter().collect()
}

fn run<E: Real>(model: &dyn LogJoint<E>, config: &Nuts, held: &[f64], chain: u64) -> Result<Chain, FitError> {
    let failed = |reason: &dyn std::fmt::Display| FitError::Sampler { chain, reason: reason.to_string() };
    let n = model.layout().unconstrained();
    if n == held.len() {
        return Ok(Chain { draws: held.repeat(config.draws), ..Chain::default() });
    }
    let mut rng = StdRng::seed_from_u64(step_key(config.seed, chain));
    let mut density = Density::new(model, held);
    let start = density.finite_start(config, &mut rng)?;
    let mut settings = DiagNutsSettings {
        num_tune: config.warmup as u64,
        num_draws: config.draws as u64,
        maxdepth: config.max_depth as u64,
        ..DiagNutsSettings::default()
    };
    settings.adapt_options.step_size_settings.target_accept = config.target_accept;
    let mut sampler = settings.new_chain(chain, CpuMath::new(density), &mut rng).map_err(|error| failed(&error))?;
    sampler.set_position(&start).map_err(|error| failed(&error))?;
    let mut out = Chain { draws: Vec::with_capacity(config.draws * n), ..Chain::default() };
    for step in 0..config.warmup + config.draws {
        let (draw, _, statistics, progress) = sampler.expanded_draw().map_err(|error| failed(&error))?;
        out.evaluations += progress.num_gradients;
        if step == config.warmup {
            out.step_size = progress.step_size;
        }
        if step >= config.warmup {
            out.draws.extend(draw.iter().chain(held));
            out.divergences += usize::from(progress.diverging);
            out.cut_short += usize::from(statistics.maxdepth_reached);
        }
    }
    Ok(out)
}
