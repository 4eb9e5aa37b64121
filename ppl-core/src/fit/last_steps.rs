//! The last steps of a fit in batches: over all elements, from where stochastic steps over batches came to within their noise.

use std::time::Instant;

use super::deterministic::same_for_all;
use super::engine::{Engine, Outcome};
use crate::diagnostics::StopReason;
use crate::estimators::{GradientEstimator, Pathwise};
use crate::guides::Guide;
use crate::kernel::Real;
use crate::optimizers::find_mode;
use crate::random::step_key;

/// The fewest and the most samples of the noise, which stays the same.
const SAMPLES: (usize, usize) = (128, 1024);
/// Samples by which locations alone go the first part of the way.
const FEW: usize = 32;
/// The most evaluations over all elements, of locations alone, and of all parameters after these or without them.
const EVALUATIONS: (usize, usize, usize) = (8, 4, 12);
/// Nats that a step must promise: within a hundredth of a standard deviation.
const ENOUGH: f64 = 1e-4;

impl<E: Real> Engine<'_, E> {
    /// The rest of the way: iterates over batches of `B` of `N` elements have the noise of `N / (B T)` posterior variances after `T` steps, however few standard
    /// deviations are left, and few steps over all elements have none. As it was where the guide has latents of the elements, or the gradient was asked to be another one.
    pub(super) fn last_steps(&self, mut outcome: Outcome) -> Outcome {
        let model = self.model;
        let whole = self.by_name.minibatch.is_some() && !self.by_name.is_local(model);
        if !whole || !self.is_unasked(outcome.guide.guide()) || outcome.stop_reason != StopReason::MaxSteps {
            return outcome;
        }
        let mut moved = outcome.guide.clone();
        let guide = moved.guide_mut::<E>();
        let samples = (4 * guide.noise()).next_multiple_of(64).clamp(SAMPLES.0, SAMPLES.1);
        let (locations, all) = (guide.locations(), guide.parameters().len());
        let mut taken = 0;
        if locations > 0 {
            let Some((evaluations, _)) = self.over_all(guide, locations, FEW, EVALUATIONS.0) else { return outcome };
            taken += evaluations;
        }
        let most = if locations > 0 { EVALUATIONS.1 } else { EVALUATIONS.2 };
        let Some((evaluations, converged)) = self.over_all(guide, all, samples, most) else { return outcome };
        taken += evaluations;
        outcome.guide = moved;
        outcome.notes.push(format!("after the steps over batches, {taken} evaluations were over all elements"));
        if converged {
            outcome.stop_reason = StopReason::Converged;
        }
        outcome
    }

    /// Moves the first of the parameters to the top of the ELBO over fixed noise, by evaluations over all elements, so many at most. Returns how many there were, and whether
    /// it is the top; none if it came to no better place.
    fn over_all(&self, guide: &mut dyn Guide<E>, first: usize, samples: usize, most: usize) -> Option<(usize, bool)> {
        let (model, config) = (self.model, self.config);
        let mut units = vec![1.0; guide.parameters().len()];
        guide.units(guide.parameters(), &mut units);
        let noise = same_for_all(1, guide.noise(), samples, step_key(config.seed, u64::MAX - 17));
        let mut estimator = Pathwise::new(model, guide, samples, config.objective).over(noise);
        let mut whole = vec![0.0; units.len()];
        units.truncate(first);
        let start: Vec<f64> = guide.parameters().iter().zip(&units).map(|(x, unit)| x / unit).collect();
        let until = self.began.checked_add(config.max_time);
        let (mut taken, mut at_start) = (0, f64::NEG_INFINITY);
        let top = find_mode(&start, usize::MAX, ENOUGH, |scaled, gradient| {
            if taken == most || until.is_some_and(|until| Instant::now() > until) {
                // No step leads anywhere from here: the search ends where it is.
                gradient.fill(0.0);
                return f64::NEG_INFINITY;
            }
            let at = guide.parameters_mut().iter_mut().zip(scaled).zip(&units);
            at.for_each(|((x, scaled), unit)| *x = scaled * unit);
            let estimate = estimator.estimate(model, guide, 0, &mut whole);
            gradient.iter_mut().zip(&whole).zip(&units).for_each(|((g, own), unit)| *g = own * unit);
            if taken == 0 {
                at_start = estimate.elbo;
            }
            taken += 1;
            estimate.elbo
        });
        if !(top.log_density.is_finite() && top.log_density >= at_start) {
            return None;
        }
        guide.parameters_mut().iter_mut().zip(&top.u).zip(&units).for_each(|((x, scaled), unit)| *x = scaled * unit);
        Some((taken, top.converged))
    }
}
