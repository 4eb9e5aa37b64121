//! The two ways up: over fixed noise to the top, or by stochastic steps until the averages of the iterates no longer move.

use std::time::Instant;

use super::blame::blame;
use super::deterministic::{End, Limits};
use super::engine::{Engine, Outcome};
use super::error::{ConfigError, FitError, LastState};
use super::journal::Progress;
use super::observer::{Observer, StepInfo, tell};
use super::stopping::{Verdict, Windows};
use crate::archive::Archive;
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
        estimator: Box<dyn GradientEstimator<E> + '_>,
        pace: &mut dyn Pace<E>,
        rate: f64,
        max_steps: usize,
        observers: &mut [Box<dyn Observer>],
    ) -> Result<Ascent, FitError> {
        let (model, config) = (self.model, self.config);
        observers.iter_mut().for_each(|observer| observer.on_start(model.layout().model, max_steps));
        let batch = self.by_name.batch(model.layout());
        let mut gradient = vec![0.0; guide.guide::<E>().parameters().len()];
        let last = LastState { step: 0, guide: guide.clone(), elbo: f64::NAN };
        let mut entry = self.entry(guide, rate);
        let mut s = Steps { at: Progress::new(rate), guide, last, estimator, pace };
        entry.go_on(&mut |archive| s.archive(archive))?;
        let mut stop_reason = StopReason::MaxSteps;
        while s.at.steps < max_steps && !s.at.converged {
            let step = s.at.steps;
            s.at.steps += 1;
            let estimate = s.estimator.estimate(model, s.guide.guide(), step_key(config.seed, step as u64), &mut gradient);
            if !(estimate.elbo.is_finite() && gradient.iter().all(|g| g.is_finite())) {
                s.at.bad += 1;
                s.at.undone += 1;
                if s.at.bad >= PATIENCE {
                    let culprit = blame(model, s.estimator.draws(), s.estimator.log_densities());
                    return Err(FitError::NonFinite { step, culprit, last: Box::new(s.last) });
                }
                // Back to the last good state, with narrower scales and shorter steps.
                s.guide.guide_mut::<E>().parameters_mut().copy_from_slice(s.last.guide.guide::<E>().parameters());
                s.guide.guide_mut::<E>().narrow((-0.5 * s.at.bad as f64).exp());
                s.at.rate *= 0.5;
                s.pace.reset();
                continue;
            }
            s.at.bad = 0;
            (s.last.step, s.last.elbo) = (step, estimate.elbo);
            s.last.guide.guide_mut::<E>().parameters_mut().copy_from_slice(s.guide.guide::<E>().parameters());
            s.pace.step(step, s.at.rate, s.guide.guide(), &mut gradient);
            s.guide.guide_mut::<E>().parameters_mut().iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
            let now = s.guide.guide::<E>();
            if !observers.is_empty() {
                let (parameters, elapsed, rate) = (now.parameters(), s.at.elapsed(), s.at.rate);
                let info = StepInfo { step, max_steps, elbo: estimate.elbo, rate, elapsed, parameters, batch };
                if tell(observers, &info) {
                    stop_reason = StopReason::Asked;
                    break;
                }
            }
            // What is maximised still changes: nothing that is averaged now says when it is done.
            if step < config.kl_weight.steps() {
                s.pace.restart();
            }
            match s.pace.judge(estimate.elbo, now) {
                Verdict::GoOn => {}
                Verdict::Halve => s.at.rate *= 0.5,
                Verdict::Converged => s.at.converged = true,
            }
            if !s.at.converged && step.is_multiple_of(32) && self.began.elapsed() + s.at.earlier > config.max_time {
                stop_reason = StopReason::MaxTime;
                break;
            }
            entry.save(&mut |archive| s.archive(archive))?;
        }
        entry.save_last(&mut |archive| s.archive(archive))?;
        if s.at.converged {
            stop_reason = StopReason::Converged;
        }
        let mut notes = self.notes.clone();
        let undone = s.at.undone;
        if undone > 0 {
            notes.push(format!("{undone} steps met a log density that was not finite; they were undone and taken shorter"));
        }
        Ok(Ascent { last: s.last, steps: s.at.steps, stop_reason, notes })
    }
}

/// All that the loop goes on from.
struct Steps<'s, 'e, E: Real> {
    at: Progress,
    guide: &'s mut FittedGuide,
    last: LastState,
    estimator: Box<dyn GradientEstimator<E> + 'e>,
    pace: &'s mut dyn Pace<E>,
}

impl<E: Real> Steps<'_, '_, E> {
    fn archive(&mut self, archive: &mut Archive) {
        self.at.archive(archive);
        archive.numbers(self.guide.guide_mut::<E>().parameters_mut());
        archive.count(&mut self.last.step);
        archive.number(&mut self.last.elbo);
        archive.numbers(self.last.guide.guide_mut::<E>().parameters_mut());
        self.estimator.archive(archive);
        self.pace.archive(archive);
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
    /// Writes all that it has seen, or reads it.
    fn archive(&mut self, archive: &mut Archive);
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
        self.windows.add(guide.parameters(), |parameters, units| guide.tolerances(parameters, units))
    }

    fn archive(&mut self, archive: &mut Archive) {
        self.rule.archive(archive);
        self.windows.archive(archive);
    }

    fn restart(&mut self) {
        self.windows.restart();
    }

    fn reset(&mut self) {
        self.rule.reset();
        self.windows.restart();
    }
}
