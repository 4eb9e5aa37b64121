//! The ELBO over fixed noise: a function of the parameters alone, climbed by L-BFGS, with as many samples as its own error asks for.

use std::time::Instant;

use crate::estimators::{GradientEstimator, Pathwise};
use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::LogJoint;
use crate::objective::Objective;
use crate::optimizers::find_mode;
use crate::random::{standardized_normals, step_key};

/// The first number of samples.
const FIRST: usize = 1024;
/// The first number of samples of each stratum, where there are several.
const FIRST_OF_GROUP: usize = 256;
/// Nats by which the top may be the noise's own.
const OPTIMISM: f64 = 0.02;
/// The most numbers of noise.
const MOST: usize = 1 << 18;
/// The same where there are strata, whose fits are polished by noise that changes.
const MOST_OF_GROUPS: usize = 1 << 16;

/// Limits of the search, and who is told of its steps.
pub(super) struct Limits<'a> {
    pub(super) steps: usize,
    pub(super) until: Option<Instant>,
    /// The Monte Carlo error of the parameters, in standard deviations of the guide, that is small enough.
    pub(super) tolerance: f64,
    pub(super) seed: u64,
    pub(super) objective: Objective,
    /// Told the step, the estimate and the parameters; whether to stop there.
    pub(super) tell: &'a mut dyn FnMut(usize, f64, &[f64]) -> bool,
}

/// How the search ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Climbed {
    pub(super) steps: usize,
    /// The samples of the last noise.
    pub(super) samples: usize,
    /// The largest Monte Carlo error of a parameter, in standard deviations of the guide.
    pub(super) error: f64,
    /// By how much the bound over its own noise is above that over other noise, in nats.
    pub(super) optimism: f64,
    pub(super) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the top, with an error within the tolerance.
    Settled,
    /// At the top, but more samples would take too much memory.
    Noisy,
    Steps,
    Time,
    Asked,
    /// The ELBO was not finite, or has no top over this noise.
    Lost,
}

/// Moves a guide to the top of its ELBO over fixed noise; four times as many samples until the Monte Carlo error of the top is within the tolerance.
///
/// # Source
/// Giordano, Ingram & Broderick 2024, Black box variational inference with a deterministic objective. The noise is antithetic and has the moments of the normal,
/// so that there is no error on a Gaussian target; the error is that of a Newton step over other noise, in the units of the guide.
pub(super) fn climb<E: Real>(model: &dyn LogJoint<E>, guide: &mut dyn Guide<E>, limits: &mut Limits<'_>) -> Climbed {
    let (rows, parameters) = (guide.noise(), guide.parameters().len());
    // Nats that a step must promise: fewer where there are parameters, whose way is long where little is known of the latents apart from them.
    let enough = match (size_of::<E>(), model.layout().parameters().count()) {
        (4, _) => 1e-3,
        (_, 0) => 1e-6,
        _ => 1e-10,
    };
    let mut units = vec![1.0; parameters];
    guide.units(guide.parameters(), &mut units);
    let groups = guide.groups();
    let most = if groups == 1 { MOST } else { MOST_OF_GROUPS };
    let most = (most / rows.max(model.repeated() / 4).max(1)).next_multiple_of(64);
    let first = if groups == 1 { FIRST } else { FIRST_OF_GROUP };
    let samples = groups * first.max((4 * rows).next_multiple_of(64)).min(most);
    let mut climbed = Climbed { steps: 0, samples, error: f64::NAN, optimism: f64::NAN, end: End::Lost };
    loop {
        let noise = same_for_all(groups, rows, climbed.samples, step_key(limits.seed, u64::MAX - 8));
        let mut estimator = Pathwise::new(model, guide, climbed.samples, limits.objective).over(noise);
        // Parameters in their units: then one is as steep as another.
        let start: Vec<f64> = guide.parameters().iter().zip(&units).map(|(x, unit)| x / unit).collect();
        let mut at = start.clone();
        let (mut end, mut taken) = (End::Settled, climbed.steps);
        let top = find_mode(&start, usize::MAX, enough, |scaled, gradient| {
            if limits.until.is_some_and(|until| Instant::now() > until) {
                end = End::Time;
            } else if taken >= limits.steps {
                end = End::Steps;
            }
            if end != End::Settled {
                // No step leads anywhere from here: the search ends where it is.
                gradient.fill(0.0);
                return f64::NEG_INFINITY;
            }
            at.iter_mut().zip(scaled).zip(&units).for_each(|((x, scaled), unit)| *x = scaled * unit);
            guide.parameters_mut().copy_from_slice(&at);
            let estimate = estimator.estimate(model, guide, 0, gradient);
            gradient.iter_mut().zip(&units).for_each(|(g, unit)| *g *= unit);
            if (limits.tell)(taken, estimate.elbo, &at) {
                end = End::Asked;
            }
            taken += 1;
            estimate.elbo
        });
        climbed.steps = taken;
        at.iter_mut().zip(&top.u).zip(&units).for_each(|((x, scaled), unit)| *x = scaled * unit);
        guide.parameters_mut().copy_from_slice(&at);
        if end != End::Settled {
            return Climbed { end, ..climbed };
        }
        let mut gradient = vec![0.0; parameters];
        let there = estimator.estimate(model, guide, 0, &mut gradient);
        if !top.converged || !there.elbo.is_finite() {
            return Climbed { end: End::Lost, ..climbed };
        }
        guide.units(&at, &mut units);
        // Other noise has another top: how far, a step of Newton's method says, and both are as far from the true one.
        let fresh = same_for_all(groups, rows, climbed.samples, step_key(limits.seed, u64::MAX - 14));
        let mut judge = Pathwise::new(model, guide, climbed.samples, limits.objective).over(fresh);
        climbed.optimism = there.elbo - judge.estimate(model, guide, 0, &mut gradient).elbo;
        let steps = gradient.iter().zip(&units).map(|(g, unit)| (g * unit).abs());
        climbed.error = steps.fold(0.0, f64::max) / std::f64::consts::SQRT_2;
        if climbed.error <= 2.0 * limits.tolerance && climbed.optimism < OPTIMISM {
            return Climbed { end: End::Settled, ..climbed };
        }
        if 2 * climbed.samples > groups * most.div_ceil(groups) || climbed.error.is_nan() {
            return Climbed { end: End::Noisy, ..climbed };
        }
        climbed.samples = groups * (4 * climbed.samples / groups).min(most.div_ceil(groups)).next_multiple_of(64);
    }
}

/// Noise whose strata are all alike, and in each of which the moments are those of the normal.
pub(super) fn same_for_all<E: Real>(groups: usize, rows: usize, samples: usize, key: u64) -> Vec<E> {
    let own = samples / groups;
    let mut noise = vec![E::default(); rows * own];
    standardized_normals(key, own, &mut noise);
    if groups == 1 {
        return noise;
    }
    let halves = noise.chunks_exact(own).flat_map(|row| row.chunks_exact(own / 2));
    halves.flat_map(|half| std::iter::repeat_n(half, groups).flatten().copied()).collect()
}
