//! The loop: from a starting point to averaged parameters, over an object-safe model.

use std::time::{Duration, Instant};

use super::blame::blame;
use super::config::{ByName, Checked};
use super::deterministic::{End, Limits, climb};
use super::error::{FitError, LastState};
use super::observer::{Observer, StepInfo};
use super::start::{Points, Rows, begin, finite_start};
use super::stopping::{Verdict, Windows};
use crate::diagnostics::StopReason;
use crate::estimators::{Estimator, GradientEstimator, Mixed, Pathwise, Reparameterization};
use crate::guides::{Blocks, FittedGuide, FullRank, Guide, LowRank, MeanField, Mixture, Whitened, Whitening};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, SiteKind};
use crate::optimizers::{Curvature, Gaussian, Optimizer, StepRule, variational_newton};
use crate::random::{antithetic_normals, step_key};

/// What the loop leaves.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) guide: FittedGuide,
    /// The name of the family, and of the coordinates if they are not those of the model.
    pub(crate) family: String,
    pub(crate) steps: usize,
    pub(crate) elapsed: Duration,
    pub(crate) stop_reason: StopReason,
    /// Whether it is the top of the bound, but for a Monte Carlo error within the tolerance.
    pub(crate) settled: bool,
    pub(crate) notes: Vec<String>,
}

/// Bad steps in a row after which the fit gives up.
pub(super) const PATIENCE: usize = 12;
/// A mixture is polished by one in so many of the most steps.
const POLISHING: usize = 10;
/// The Monte Carlo error, in standard deviations of the guide, from which on it is worth a note.
const NOISY: f64 = 0.1;
/// Samples of the noise that stays the same while Newton's method runs.
const FIXED: usize = 32;

/// A model with where its fits start.
pub(crate) struct Engine<'a, E: Real> {
    pub(super) model: &'a dyn LogJoint<E>,
    pub(super) config: &'a Checked,
    by_name: &'a ByName,
    pub(super) began: Instant,
    pub(super) curvature: Curvature,
    pub(super) notes: Vec<String>,
}

impl<'a, E: Real> Engine<'a, E> {
    /// Finds the mode and the curvature there.
    pub(crate) fn new(
        model: &'a dyn LogJoint<E>,
        config: &'a Checked,
        by_name: &'a ByName,
        start: &[f64],
    ) -> Result<Self, FitError> {
        let began = Instant::now();
        let mut notes = Vec::new();
        let mut points = Points::new(model);
        let start = finite_start(model, &mut points, start, config.seed)?;
        let curvature = begin(&mut points, &start, config.seed, &mut notes);
        if let Some(direction) = curvature.loose_direction() {
            notes.push(loose(model.layout(), &direction));
        }
        Ok(Engine { model, config, by_name, began, curvature, notes })
    }

    /// Of units one around a point: for a guide that brings its own start.
    pub(crate) fn around(model: &'a dyn LogJoint<E>, config: &'a Checked, by_name: &'a ByName, center: &[f64]) -> Self {
        Engine { model, config, by_name, began: Instant::now(), curvature: Curvature::unit(center, 1.0), notes: Vec::new() }
    }

    /// Whether the dimensions are few enough for a full-rank guide.
    pub(crate) fn is_dense(&self) -> bool {
        self.curvature.is_dense()
    }

    /// Fits a mean-field guide, in steps of the curvature.
    pub(crate) fn mean_field(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let scales: Vec<f64> = self.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect();
        let (spread, points) = scales.split_at(scales.len() - self.model.layout().points());
        let log_scale: Vec<f64> = spread.iter().map(|scale| scale.ln()).collect();
        let guide = FittedGuide::MeanField(MeanField::with_points(&self.curvature.center, &log_scale, points));
        let guide = match self.settle(guide, observers) {
            Ok(outcome) => return Ok(outcome),
            Err(guide) => guide,
        };
        let n = self.curvature.center.len();
        let step = |curvature: &Curvature, rule: &mut dyn StepRule, rate: f64, gradient: &mut [f64]| {
            curvature.whiten(&mut gradient[..n]);
            // The Fisher information of the logarithm of a scale is two.
            gradient[n..].iter_mut().for_each(|g| *g *= 0.5);
            rule.step(rate, gradient);
            curvature.unwhiten(&mut gradient[..n]);
        };
        let closed = |e: &Estimator| matches!(e, Estimator::Auto | Estimator::Reparameterization);
        let estimator = if self.config.objective.group() == 1 && self.by_name.estimators.iter().all(closed) {
            Box::new(Reparameterization::new(self.model, self.config.samples, self.curvature.matrix.as_deref()))
        } else {
            self.estimator(guide.guide(), self.config.samples)
        };
        self.climb(guide, estimator, observers, self.config.max_steps, step)
    }

    /// Fits a full-rank guide, whose parameters are in units of the curvature.
    pub(crate) fn full_rank(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        self.settle_or_climb(self.sketch(), observers)
    }

    /// The best full-rank guide over a few samples, with its ELBO, for a comparison.
    pub(crate) fn sketched(&self) -> (Outcome, f64) {
        let guide = self.sketch();
        let elbo = self.bound(&guide);
        (self.outcome(guide, 0, StopReason::Converged, self.notes.clone()), elbo)
    }

    fn sketch(&self) -> FittedGuide {
        FittedGuide::FullRank(FullRank::with_points(self.gaussian(), self.model.layout().points()))
    }

    /// The mode alone.
    pub(crate) fn mode(&self) -> Outcome {
        let units: Vec<f64> = self.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect();
        let guide = FittedGuide::MeanField(MeanField::with_points(&self.curvature.center, &[], &units));
        self.outcome(guide, 0, StopReason::Converged, self.notes.clone())
    }

    /// Laplace's approximation.
    pub(crate) fn laplace(&self) -> Outcome {
        let guide = FittedGuide::FullRank(FullRank::with_points(self.curvature.laplace(), self.model.layout().points()));
        self.outcome(guide, 0, StopReason::Converged, self.notes.clone())
    }

    /// Fits independent blocks of dimensions.
    pub(crate) fn blocks(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let guide = FittedGuide::Blocks(Blocks::new(&self.by_name.blocks, &self.gaussian(), self.model.layout().points()));
        self.settle_or_climb(guide, observers)
    }

    /// Fits a Gaussian of low rank plus diagonal, in units of the diagonal of the curvature.
    pub(crate) fn low_rank(&self, rank: usize, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let n = self.curvature.center.len();
        let (points, units) = (self.model.layout().points(), self.curvature.diagonal.iter().map(|a| a.sqrt().recip()));
        let spread = n - points;
        // Columns without a direction would stay without one.
        let mut columns = vec![0.0_f64; spread * rank.min(spread).next_multiple_of(2)];
        antithetic_normals(step_key(self.config.seed, u64::MAX - 15), rank.min(spread).next_multiple_of(2), &mut columns);
        let width = rank.min(spread).next_multiple_of(2);
        let columns: Vec<f64> =
            columns.chunks_exact(width).flat_map(|row| row[..rank.min(spread)].iter().map(|x| 0.1 * x)).collect();
        let whitening = Whitening::diagonal(self.curvature.center.clone(), &units.collect::<Vec<_>>(), points);
        let guide = LowRank::new(&vec![0.0; spread], &vec![0.0; spread], &columns, &vec![0.0; points]);
        self.settle_or_climb(FittedGuide::LowRank(Whitened::new(whitening, guide)), observers)
    }

    /// The top over fixed noise, or where there is none as far as stochastic steps lead.
    pub(crate) fn settle_or_climb(&self, guide: FittedGuide, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let guide = match self.settle(guide, observers) {
            Ok(outcome) => return Ok(outcome),
            Err(guide) => guide,
        };
        let estimator = self.estimator(guide.guide(), self.config.samples);
        let parameters = guide.guide::<E>().parameters();
        let mut units = vec![1.0; parameters.len()];
        guide.guide::<E>().units(parameters, &mut units);
        self.climb(guide, estimator, observers, self.config.max_steps, |_, rule, rate, gradient| {
            gradient.iter_mut().zip(&units).for_each(|(g, unit)| *g *= unit);
            rule.step(rate, gradient);
            gradient.iter_mut().zip(&units).for_each(|(g, unit)| *g *= unit);
        })
    }

    /// Fits a mixture, in the units of the best single Gaussian, from the components that draws around the modes fall into.
    pub(crate) fn mixture(
        &self,
        components: usize,
        full_rank: bool,
        observers: &mut [Box<dyn Observer>],
    ) -> Result<Outcome, FitError> {
        let (gaussian, points) = (self.gaussian(), self.model.layout().points());
        let whitening = Whitening::with_points(gaussian.clone(), points);
        let start = super::components::components(self.model, &whitening, &gaussian, components, self.config.seed);
        let mixture = Mixture::new(&start, full_rank, &vec![0.0; points]);
        let guide = FittedGuide::Mixture(Whitened::new(whitening, mixture));
        let (guide, settled) = match self.settle(guide, observers) {
            Ok(outcome) if outcome.settled => return Ok(outcome),
            Ok(outcome) if outcome.stop_reason != StopReason::Converged => return Ok(outcome),
            Ok(outcome) => (outcome.guide.clone(), Some(outcome)),
            Err(guide) => (guide, None),
        };
        // With so many parameters the top over fixed noise is too much the noise's own: the rest of the way by steps with noise that changes.
        let natural = natural_units(guide.guide::<E>(), components);
        let estimator = self.estimator(guide.guide(), self.config.samples.max(16 * components));
        let most = self.config.max_steps.div_ceil(POLISHING);
        let polished = self.climb(guide, estimator, observers, most, |_, rule, rate, gradient| {
            gradient.iter_mut().zip(&natural).for_each(|(g, unit)| *g *= unit);
            rule.step(0.25 * rate, gradient);
            gradient.iter_mut().zip(&natural).for_each(|(g, unit)| *g *= unit);
        });
        match (settled, polished) {
            (Some(settled), Ok(polished)) => {
                let better = self.bound(&polished.guide) > self.bound(&settled.guide);
                Ok(if better { Outcome { steps: polished.steps + settled.steps, ..polished } } else { settled })
            }
            (Some(settled), Err(_)) => Ok(settled),
            (None, polished) => polished,
        }
    }

    /// How the gradient of each block of a guide is to be estimated.
    pub(super) fn estimators(&self, guide: &dyn Guide<E>) -> Vec<Estimator> {
        let of = |dimension: usize| self.by_name.estimators.get(dimension).copied().unwrap_or_default();
        let first = |members: &Vec<usize>| members.iter().map(|&i| of(i)).find(|e| *e != Estimator::Auto).unwrap_or_default();
        let pathless = |(block, chosen): (usize, Estimator)| match chosen {
            Estimator::ScoreFunction { .. } => chosen,
            _ if guide.has_path(block) => chosen,
            _ => Estimator::SCORE_FUNCTION,
        };
        guide.blocks().iter().map(first).enumerate().map(pathless).collect()
    }

    /// The estimator of stochastic steps.
    pub(super) fn estimator(&self, guide: &dyn Guide<E>, samples: usize) -> Box<dyn GradientEstimator<E>> {
        let estimators = self.estimators(guide);
        let pathwise = || Pathwise::new(self.model, guide, samples, self.config.objective);
        match estimators.first().copied().unwrap_or_default() {
            first if !estimators.iter().all(|e| *e == first) => Box::new(Mixed::new(self.model, guide, samples, &estimators)),
            Estimator::Auto => Box::new(pathwise()),
            Estimator::Reparameterization => Box::new(pathwise().sticking(false)),
            Estimator::StickingTheLanding => Box::new(pathwise().sticking(true)),
            Estimator::ScoreFunction { .. } => Box::new(Mixed::new(self.model, guide, samples, &estimators)),
        }
    }

    /// The bound that is maximised, over a few thousand samples, for a comparison.
    pub(super) fn bound(&self, guide: &FittedGuide) -> f64 {
        let guide = guide.guide::<E>();
        let samples = (256 * guide.groups()).max(4096);
        let mut unused = vec![0.0; guide.parameters().len()];
        let key = step_key(self.config.seed, u64::MAX - 13);
        Pathwise::new(self.model, guide, samples, self.config.objective)
            .sticking(false)
            .estimate(self.model, guide, key, &mut unused)
            .elbo
    }

    /// The best Gaussian over a few samples that stay the same, or Laplace's approximation.
    pub(super) fn gaussian(&self) -> Gaussian {
        let laplace = self.curvature.laplace();
        let (n, points) = (laplace.mean.len(), self.model.layout().points());
        let mut noise = vec![0.0_f64; n * FIXED];
        antithetic_normals(step_key(self.config.seed, u64::MAX - 4), FIXED, &mut noise[..(n - points) * FIXED]);
        let relative_step = if size_of::<E>() == 4 { 5e-3 } else { 6e-6 };
        // Half of the time that is left is for polishing.
        let until = self.began.checked_add(self.config.max_time / 2);
        let newton = variational_newton(&laplace, points, &noise, relative_step, &mut Rows::new(self.model, FIXED, until));
        newton.unwrap_or(laplace)
    }

    /// The top of the ELBO over fixed noise; the guide as it was given where there is none.
    fn settle(&self, guide: FittedGuide, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FittedGuide> {
        let by_choice = self.estimators(guide.guide()).iter().any(|e| *e != Estimator::Auto);
        if by_choice || self.config.optimizer != Optimizer::Auto {
            return Err(guide);
        }
        let (config, began) = (self.config, self.began);
        observers.iter_mut().for_each(|observer| observer.on_start(self.model.layout().model, config.max_steps));
        let mut moved = guide.clone();
        let climbed = climb(
            self.model,
            moved.guide_mut(),
            &mut Limits {
                steps: config.max_steps,
                until: began.checked_add(config.max_time),
                tolerance: config.tolerance,
                seed: config.seed,
                objective: config.objective,
                tell: &mut |step, elbo, parameters| {
                    let elapsed = began.elapsed();
                    let info = StepInfo { step, max_steps: config.max_steps, elbo, rate: 1.0, elapsed, parameters };
                    observers.iter_mut().for_each(|observer| observer.on_step(&info));
                },
            },
        );
        let stop_reason = match climbed.end {
            End::Lost => return Err(guide),
            End::Settled | End::Noisy => StopReason::Converged,
            End::Steps => StopReason::MaxSteps,
            End::Time => StopReason::MaxTime,
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

    pub(super) fn outcome(&self, guide: FittedGuide, steps: usize, stop_reason: StopReason, mut notes: Vec<String>) -> Outcome {
        let degrees = self.degrees(&guide);
        let family = if degrees.is_empty() { guide.name() } else { format!("{} of residuals", guide.name()) };
        notes.extend(degrees);
        Outcome { guide, family, steps, elapsed: self.began.elapsed(), stop_reason, settled: false, notes }
    }

    /// How far each location-scale latent is guided as written.
    fn degrees(&self, guide: &FittedGuide) -> Vec<String> {
        let (layout, guide) = (self.model.layout(), guide.guide::<E>());
        // Points are where they are without noise as well.
        let lanes = E::LANE_MULTIPLE;
        let mut u = vec![E::default(); guide.dimensions() * lanes];
        guide.sample(&vec![E::default(); guide.noise() * lanes], lanes, &mut u);
        let degrees = layout.variables.iter().filter(|variable| variable.kind == SiteKind::Degree);
        degrees
            .map(|degree| {
                let (name, c) = (degree.name, u[degree.unconstrained.start * lanes].to_f64());
                format!("`{name}` is guided through its residual, of degree of centring {c:.2} (1: as written, 0: standardized)")
            })
            .collect()
    }

    /// The loop, of so many steps at most: `step_of` replaces a gradient by a step.
    fn climb(
        &self,
        mut guide: FittedGuide,
        mut estimator: Box<dyn GradientEstimator<E>>,
        observers: &mut [Box<dyn Observer>],
        max_steps: usize,
        step_of: impl Fn(&Curvature, &mut dyn StepRule, f64, &mut [f64]),
    ) -> Result<Outcome, FitError> {
        let (model, config, began) = (self.model, self.config, self.began);
        let name = model.layout().model;
        observers.iter_mut().for_each(|observer| observer.on_start(name, max_steps));
        let parameters = guide.guide::<E>().parameters().len();
        let mut rule = config.optimizer.rule(parameters);
        let mut windows = Windows::new(parameters, config.tolerance);
        let mut gradient = vec![0.0; parameters];
        let mut last = LastState { step: 0, guide: guide.clone(), elbo: f64::NAN };
        let (mut rate, mut bad, mut undone) = (config.step, 0, 0_usize);
        let mut stop_reason = StopReason::MaxSteps;
        let mut steps = max_steps;
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
                rule.reset();
                windows.restart();
                continue;
            }
            bad = 0;
            (last.step, last.elbo) = (step, estimate.elbo);
            last.guide.guide_mut::<E>().parameters_mut().copy_from_slice(guide.guide::<E>().parameters());
            step_of(&self.curvature, &mut *rule, rate, &mut gradient);
            guide.guide_mut::<E>().parameters_mut().iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
            let now = guide.guide::<E>();
            if !observers.is_empty() {
                let (parameters, elapsed) = (now.parameters(), began.elapsed());
                let info = StepInfo { step, max_steps, elbo: estimate.elbo, rate, elapsed, parameters };
                observers.iter_mut().for_each(|observer| observer.on_step(&info));
            }
            match windows.add(now.parameters(), |parameters, units| now.units(parameters, units)) {
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
        let average = windows.average(guide.guide::<E>().parameters());
        guide.guide_mut::<E>().parameters_mut().copy_from_slice(&average);
        observers.iter_mut().for_each(|observer| observer.on_stop(&stop_reason));
        Ok(self.outcome(guide, steps, stop_reason, notes))
    }
}

/// What each parameter of a mixture is to be multiplied by so that its Fisher information is about one: its unit over the root of the probability of its
/// component.
fn natural_units<E: Real>(guide: &dyn Guide<E>, components: usize) -> Vec<f64> {
    let parameters = guide.parameters();
    let mut units = vec![1.0; parameters.len()];
    guide.units(parameters, &mut units);
    let samples = 2 * components * E::LANE_MULTIPLE;
    let mut weights = vec![1.0; samples];
    guide.strata(samples, &mut weights);
    // Samples of the strata follow each other; each has its probability times the number of components as its weight.
    let root = |k: usize| (weights[k * E::LANE_MULTIPLE] / components as f64).max(1e-3).sqrt();
    let own = (parameters.len() - components) / components;
    for (i, unit) in units.iter_mut().enumerate() {
        let component = if i < components { i } else { ((i - components) / own).min(components - 1) };
        *unit /= root(component);
    }
    units
}

/// That the data and the priors leave a direction open: the latents that make it up.
fn loose(layout: &Layout, direction: &[f64]) -> String {
    let mut order: Vec<usize> = (0..direction.len()).filter(|&i| direction[i].abs() > 0.05).collect();
    order.sort_by(|&a, &b| direction[b].abs().total_cmp(&direction[a].abs()));
    let sign = |i: usize| if (direction[i] < 0.0) == (direction[order[0]] < 0.0) { "+" } else { "-" };
    let terms: Vec<String> = order.iter().take(6).map(|&i| format!("{} `{}`", sign(i), layout.unconstrained_name(i))).collect();
    let more = if order.len() > 6 { format!(" and {} more", order.len() - 6) } else { String::new() };
    format!(
        "not identified: neither data nor priors tell {}{more} apart from itself shifted; give one of them a proper prior, or leave it out",
        terms.join(" ").trim_start_matches("+ ")
    )
}
