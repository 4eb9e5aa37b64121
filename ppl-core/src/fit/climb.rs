//! The two ways up: over fixed noise to the top, or by stochastic steps until the averages of the iterates no longer move.

use std::time::Instant;

use super::blame::blame;
use super::deterministic::{End, Limits};
use super::engine::{Engine, Outcome};
use super::error::{ConfigError, FitError, LastState};
use super::observer::{Observer, StepInfo, tell};
use super::stopping::{Verdict, Windows};
use crate::diagnostics::StopReason;
use crate::estimators::GradientEstimator;
use crate::guides::{FittedGuide, Guide};
use crate::kernel::Real;
use crate::optimizers::{Curvature, Optimizer, StepRule, robbins_monro};
use crate::random::step_key;

/// Bad steps in a row after which the fit gives up.
pub(super) const PATIENCE: usize = 12;
/// The Monte Carlo error, in standard deviations of the guide, from which on it is worth a note.
const NOISY: f64 = 0.1;

impl<E: Real> Engine<'_, E> {
    /// The top over fixed noise, or where there is none as far as stochastic steps lead.
    pub(crate) fn settle_or_climb(&self, guide: FittedGuide, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let guide = match self.settle(guide, observers) {
            Ok(outcome) => return Ok(outcome),
            Err(guide) => guide,
        };
        let start = guide.clone();
        let estimator = || self.estimator(start.guide(), self.config.samples);
        let parameters = guide.guide::<E>().parameters();
        let mut units = vec![1.0; parameters.len()];
        guide.guide::<E>().units(parameters, &mut units);
        self.climb(guide, &estimator, observers, self.config.max_steps, |_, rule, rate, gradient| {
            gradient.iter_mut().zip(&units).for_each(|(g, unit)| *g *= unit);
            rule.step(rate, gradient);
            gradient.iter_mut().zip(&units).for_each(|(g, unit)| *g *= unit);
        })
    }

    /// The top of the ELBO over fixed noise; the guide as it was given where there is none.
    pub(super) fn settle(&self, guide: FittedGuide, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FittedGuide> {
        if !self.is_plain(guide.guide()) || self.config.optimizer != Optimizer::Auto {
            return Err(guide);
        }
        let (config, began, stepped) = (self.config, self.began, Instant::now());
        observers.iter_mut().for_each(|observer| observer.on_start(self.model.layout().model, config.max_steps));
        let mut moved = guide.clone();
        let climbed = super::deterministic::climb(
            self.model,
            moved.guide_mut(),
            &mut Limits {
                steps: config.max_steps,
                until: began.checked_add(config.max_time),
                tolerance: config.tolerance,
                seed: config.seed,
                objective: config.objective,
                tell: &mut |step, elbo, parameters| {
                    let elapsed = stepped.elapsed();
                    let info = StepInfo { step, max_steps: config.max_steps, elbo, rate: 1.0, elapsed, parameters, batch: None };
                    tell(observers, &info)
                },
            },
        );
        let stop_reason = match climbed.end {
            End::Lost => return Err(guide),
            End::Settled | End::Noisy => StopReason::Converged,
            End::Steps => StopReason::MaxSteps,
            End::Time => StopReason::MaxTime,
            End::Asked => StopReason::Asked,
        };
        let mut notes = self.notes.clone();
        if climbed.end == End::Noisy && climbed.error > NOISY {
            notes.push(format!(
                "the Monte Carlo error of the guide over {} samples is {:.2} of its standard deviations, and more samples would need too much memory",
                climbed.samples, climbed.error
            ));
        }
        observers.iter_mut().for_each(|observer| observer.on_stop(&stop_reason));
        Ok(Outcome { settled: climbed.end == End::Settled, ..self.outcome(moved, climbed.steps, stop_reason, notes) })
    }

    /// Stochastic steps until the averages of windows of iterates no longer move, so many at most: `step_of` replaces a gradient by a step.
    pub(super) fn climb<'e>(
        &self,
        mut guide: FittedGuide,
        estimator: &dyn Fn() -> Box<dyn GradientEstimator<E> + 'e>,
        observers: &mut [Box<dyn Observer>],
        max_steps: usize,
        step_of: impl Fn(&Curvature, &mut dyn StepRule, f64, &mut [f64]),
    ) -> Result<Outcome, FitError> {
        let parameters = guide.guide::<E>().parameters().len();
        let optimizer = self.config.optimizer;
        let schedule = match optimizer {
            Optimizer::NaturalGradient { delay, forgetting } => Some((delay, forgetting)),
            _ => None,
        };
        if schedule.is_some() && !guide.guide::<E>().natural_step(1.0, &mut vec![0.0; parameters]) {
            return Err(ConfigError::NaturalFamily { family: guide.name() }.into());
        }
        let rule = || optimizer.rule(parameters);
        let rate = self.config.step.unwrap_or_else(|| self.first_length(optimizer.lengths(), &guide, estimator, &rule, &step_of));
        let mut pace = Averaged {
            curvature: &self.curvature,
            schedule,
            rule: rule(),
            windows: Windows::new(parameters, self.config.tolerance),
            step_of,
        };
        let ascent = self.ascend(&mut guide, estimator(), &mut pace, rate, max_steps, observers)?;
        let mut averaged = guide.clone();
        let average = pace.windows.average(guide.guide::<E>().parameters());
        averaged.guide_mut::<E>().parameters_mut().copy_from_slice(&average);
        // Iterates that are not stationary may be far from their average in what they say: columns that change their sign cancel.
        let guide = match ascent.stop_reason {
            StopReason::Converged => averaged,
            _ => self.highest([averaged, guide]).unwrap_or(ascent.last.guide),
        };
        observers.iter_mut().for_each(|observer| observer.on_stop(&ascent.stop_reason));
        Ok(self.last_steps(self.outcome(guide, ascent.steps, ascent.stop_reason, ascent.notes)))
    }

    /// The loop: a gradient, a step, a word on whether to go on; steps that meet a log density which is not finite are undone.
    pub(super) fn ascend(
        &self,
        guide: &mut FittedGuide,
        mut estimator: Box<dyn GradientEstimator<E> + '_>,
        pace: &mut dyn Pace<E>,
        mut rate: f64,
        max_steps: usize,
        observers: &mut [Box<dyn Observer>],
    ) -> Result<Ascent, FitError> {
        let (model, config, began) = (self.model, self.config, self.began);
        observers.iter_mut().for_each(|observer| observer.on_start(model.layout().model, max_steps));
        let (batch, stepped) = (self.by_name.batch(model.layout()), Instant::now());
        let mut gradient = vec![0.0; guide.guide::<E>().parameters().len()];
        let mut last = LastState { step: 0, guide: guide.clone(), elbo: f64::NAN };
        let (mut bad, mut undone) = (0, 0_usize);
        let (mut stop_reason, mut steps) = (StopReason::MaxSteps, max_steps);
        for step in 0..max_steps {
            let estimate = estimator.estimate(model, guide.guide(), step_key(config.seed, step as u64), &mut gradient);
            if !(estimate.elbo.is_finite() && gradient.iter().all(|g| g.is_finite())) {
                bad += 1;
                undone += 1;
                if bad >= PATIENCE {
                    let culprit = blame(model, estimator.draws(), estimator.log_densities());
                    return Err(FitError::NonFinite { step, culprit, last: Box::new(last) });
                }
                // Back to the last good state, with narrower scales and shorter steps.
                guide.guide_mut::<E>().parameters_mut().copy_from_slice(last.guide.guide::<E>().parameters());
                guide.guide_mut::<E>().narrow((-0.5 * bad as f64).exp());
                rate *= 0.5;
                pace.reset();
                continue;
            }
            bad = 0;
            (last.step, last.elbo) = (step, estimate.elbo);
            last.guide.guide_mut::<E>().parameters_mut().copy_from_slice(guide.guide::<E>().parameters());
            pace.step(step, rate, guide.guide(), &mut gradient);
            guide.guide_mut::<E>().parameters_mut().iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
            let now = guide.guide::<E>();
            if !observers.is_empty() {
                let (parameters, elapsed) = (now.parameters(), stepped.elapsed());
                let info = StepInfo { step, max_steps, elbo: estimate.elbo, rate, elapsed, parameters, batch };
                if tell(observers, &info) {
                    (stop_reason, steps) = (StopReason::Asked, step + 1);
                    break;
                }
            }
            // What is maximised still changes: nothing that is averaged now says when it is done.
            if step < config.kl_weight.steps() {
                pace.restart();
            }
            match pace.judge(estimate.elbo, now) {
                Verdict::GoOn => {}
                Verdict::Halve => rate *= 0.5,
                Verdict::Converged => {
                    (stop_reason, steps) = (StopReason::Converged, step + 1);
                    break;
                }
            }
            if step.is_multiple_of(32) && began.elapsed() > config.max_time {
                (stop_reason, steps) = (StopReason::MaxTime, step + 1);
                break;
            }
        }
        let mut notes = self.notes.clone();
        if undone > 0 {
            notes.push(format!("{undone} steps met a log density that was not finite; they were undone and taken shorter"));
        }
        Ok(Ascent { last, steps, stop_reason, notes })
    }
}

/// How a gradient becomes a step, and when it is enough.
pub(super) trait Pace<E: Real> {
    /// Replaces the gradient by a step.
    fn step(&mut self, step: usize, rate: f64, guide: &dyn Guide<E>, gradient: &mut [f64]);
    /// Takes the new iterate into account.
    fn judge(&mut self, elbo: f64, guide: &dyn Guide<E>) -> Verdict;
    /// Forgets the iterates.
    fn restart(&mut self);
    /// Forgets the iterates and the gradients, after a step that was undone.
    fn reset(&mut self);
}

/// What the loop leaves, beside the guide as it is.
pub(super) struct Ascent {
    /// The last state whose log density was finite.
    pub(super) last: LastState,
    pub(super) steps: usize,
    pub(super) stop_reason: StopReason,
    pub(super) notes: Vec<String>,
}

/// Steps of a rule, until the averages of windows agree.
struct Averaged<'c, F> {
    curvature: &'c Curvature,
    /// Of natural-gradient steps the delay and the forgetting.
    schedule: Option<(f64, f64)>,
    rule: Box<dyn StepRule>,
    windows: Windows,
    step_of: F,
}

impl<E: Real, F: Fn(&Curvature, &mut dyn StepRule, f64, &mut [f64])> Pace<E> for Averaged<'_, F> {
    fn step(&mut self, step: usize, rate: f64, guide: &dyn Guide<E>, gradient: &mut [f64]) {
        match self.schedule {
            Some((delay, forgetting)) => {
                guide.natural_step((rate * robbins_monro(step, delay, forgetting)).min(1.0), gradient);
            }
            None => (self.step_of)(self.curvature, &mut *self.rule, rate, gradient),
        }
    }

    fn judge(&mut self, _elbo: f64, guide: &dyn Guide<E>) -> Verdict {
        self.windows.add(guide.parameters(), |parameters, units| guide.units(parameters, units))
    }

    fn restart(&mut self) {
        self.windows.restart();
    }

    fn reset(&mut self) {
        self.rule.reset();
        self.windows.restart();
    }
}
