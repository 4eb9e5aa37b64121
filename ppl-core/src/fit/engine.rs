//! The loop: from a starting point to averaged parameters, over an object-safe model.

use std::time::{Duration, Instant};

use super::config::Checked;
use super::error::{Culprit, FitError, LastState};
use super::observer::{Observer, StepInfo};
use super::stopping::{Verdict, Windows};
use crate::diagnostics::StopReason;
use crate::estimators::{GradientEstimator, Reparameterization, StickingTheLanding};
use crate::guides::{FittedGuide, FullRank, MeanField};
use crate::kernel::Real;
use crate::model::{LogJoint, Statement, Visitor};
use crate::optimizers::{Adam, Curvature, find_mode, variational_newton};
use crate::random::{antithetic_normals, step_key};

/// What the loop leaves.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) guide: FittedGuide,
    pub(crate) steps: usize,
    pub(crate) elapsed: Duration,
    pub(crate) stop_reason: StopReason,
    pub(crate) notes: Vec<String>,
}

/// Bad steps in a row after which the fit gives up.
const PATIENCE: usize = 12;
/// Samples of the noise that stays the same while Newton's method runs.
const FIXED: usize = 32;
/// Random starting points that are tried.
const TRIES: usize = 100;

/// A model with where its fits start.
pub(crate) struct Engine<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    config: &'a Checked,
    began: Instant,
    curvature: Curvature,
    notes: Vec<String>,
}

impl<'a, E: Real> Engine<'a, E> {
    /// Finds the mode and the curvature there.
    pub(crate) fn new(model: &'a dyn LogJoint<E>, config: &'a Checked, start: &[f64]) -> Result<Self, FitError> {
        let began = Instant::now();
        let mut notes = Vec::new();
        let mut points = Points::new(model);
        let start = finite_start(model, &mut points, start, config.seed)?;
        let curvature = begin(&mut points, &start, &mut notes);
        Ok(Engine { model, config, began, curvature, notes })
    }

    /// Whether the dimensions are few enough for a full-rank guide.
    pub(crate) fn is_dense(&self) -> bool {
        self.curvature.is_dense()
    }

    /// Fits a mean-field guide, in steps of the curvature.
    pub(crate) fn mean_field(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let log_scale: Vec<f64> = self.curvature.diagonal.iter().map(|a| -0.5 * a.ln()).collect();
        let guide = FittedGuide::MeanField(MeanField::new(&self.curvature.center, &log_scale));
        let estimator = Reparameterization::new(self.model, self.config.samples, self.curvature.matrix.as_deref());
        let n = self.curvature.center.len();
        self.climb(guide, estimator, observers, |curvature, adam, rate, gradient| {
            curvature.whiten(&mut gradient[..n]);
            // The Fisher information of the logarithm of a scale is two.
            gradient[n..].iter_mut().for_each(|g| *g *= 0.5);
            adam.step(rate, gradient);
            curvature.unwhiten(&mut gradient[..n]);
        })
    }

    /// Fits a full-rank guide, whose parameters are in units of the curvature.
    pub(crate) fn full_rank(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let laplace = self.curvature.laplace();
        let n = laplace.mean.len();
        let mut noise = vec![0.0_f64; n * FIXED];
        antithetic_normals(step_key(self.config.seed, u64::MAX - 4), FIXED, &mut noise);
        let relative_step = if size_of::<E>() == 4 { 5e-3 } else { 6e-6 };
        let newton = variational_newton(&laplace, &noise, relative_step, &mut Rows::new(self.model, FIXED));
        let guide = FittedGuide::FullRank(FullRank::new(newton.unwrap_or(laplace)));
        let estimator = StickingTheLanding::new(self.model, self.config.samples);
        self.climb(guide, estimator, observers, |_, adam, rate, gradient| adam.step(rate, gradient))
    }

    /// The loop: `step` replaces a gradient by a step.
    fn climb(
        &self,
        mut guide: FittedGuide,
        mut estimator: impl GradientEstimator<E>,
        observers: &mut [Box<dyn Observer>],
        step_of: impl Fn(&Curvature, &mut Adam, f64, &mut [f64]),
    ) -> Result<Outcome, FitError> {
        let (model, config, began) = (self.model, self.config, self.began);
        let name = model.layout().model;
        observers.iter_mut().for_each(|observer| observer.on_start(name, config.max_steps));
        let parameters = guide.guide::<E>().parameters().len();
        let mut adam = Adam::new(parameters);
        let mut windows = Windows::new(parameters, config.tolerance);
        let mut gradient = vec![0.0; parameters];
        let mut last = LastState { step: 0, guide: guide.clone(), elbo: f64::NAN };
        let (mut rate, mut bad, mut undone) = (config.step, 0, 0_usize);
        let mut stop_reason = StopReason::MaxSteps;
        let mut steps = config.max_steps;
        for step in 0..config.max_steps {
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
                adam.reset();
                windows.restart();
                continue;
            }
            bad = 0;
            (last.step, last.elbo) = (step, estimate.elbo);
            last.guide.guide_mut::<E>().parameters_mut().copy_from_slice(guide.guide::<E>().parameters());
            step_of(&self.curvature, &mut adam, rate, &mut gradient);
            guide.guide_mut::<E>().parameters_mut().iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
            let now = guide.guide::<E>();
            if !observers.is_empty() {
                let (parameters, elapsed) = (now.parameters(), began.elapsed());
                let info = StepInfo { step, max_steps: config.max_steps, elbo: estimate.elbo, rate, elapsed, parameters };
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
        Ok(Outcome { guide, steps, elapsed: began.elapsed(), stop_reason, notes })
    }
}

/// The log density and its gradient at rows of points.
struct Rows<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    work: crate::model::Workspace<E>,
    weights: crate::model::Weights<E>,
}

impl<'a, E: Real> Rows<'a, E> {
    fn new(model: &'a dyn LogJoint<E>, samples: usize) -> Self {
        Rows { model, work: model.workspace(samples), weights: model.unit_weights(samples) }
    }
}

impl<E: Real> crate::optimizers::Points for Rows<'_, E> {
    fn evaluate(&mut self, points: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        self.work.u_mut().iter_mut().zip(points).for_each(|(u, point)| *u = E::from_f64(*point));
        self.model.log_density(&mut self.work, &self.weights, log_density);
        gradient.iter_mut().zip(self.work.gradient()).for_each(|(to, from)| *to = from.to_f64());
    }
}

/// The log density and its gradient at single points, several at a time.
struct Points<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    dimensions: usize,
    work: crate::model::Workspace<E>,
    weights: crate::model::Weights<E>,
    log_density: Vec<f64>,
}

impl<'a, E: Real> Points<'a, E> {
    fn new(model: &'a dyn LogJoint<E>) -> Self {
        let (lanes, dimensions) = (E::LANE_MULTIPLE, model.layout().unconstrained());
        Points {
            model,
            dimensions,
            work: model.workspace(lanes),
            weights: model.unit_weights(lanes),
            log_density: vec![0.0; lanes],
        }
    }

    /// The log densities and gradients of some points.
    fn evaluate(&mut self, points: &[Vec<f64>]) -> Vec<(f64, Vec<f64>)> {
        let lanes = E::LANE_MULTIPLE;
        let mut out = Vec::with_capacity(points.len());
        for group in points.chunks(lanes) {
            for lane in 0..lanes {
                let point = group.get(lane).unwrap_or(&group[0]);
                for (i, x) in point.iter().enumerate() {
                    self.work.u_mut()[i * lanes + lane] = E::from_f64(*x);
                }
            }
            self.model.log_density(&mut self.work, &self.weights, &mut self.log_density);
            for lane in 0..group.len() {
                let gradient = (0..self.dimensions).map(|i| self.work.gradient()[i * lanes + lane].to_f64()).collect();
                out.push((self.log_density[lane], gradient));
            }
        }
        out
    }
}

/// A starting point with a finite log density and gradient: the given one, or one of some random ones.
fn finite_start<E: Real>(
    model: &dyn LogJoint<E>,
    points: &mut Points<'_, E>,
    start: &[f64],
    seed: u64,
) -> Result<Vec<f64>, FitError> {
    let n = start.len();
    let mut tried = vec![start.to_vec()];
    let mut noise = vec![0.0_f64; n * TRIES];
    crate::random::antithetic_normals(step_key(seed, u64::MAX), TRIES, &mut noise);
    tried.extend((1..TRIES).map(|k| (0..n).map(|i| start[i] + noise[i * TRIES + k]).collect::<Vec<f64>>()));
    for point in &tried {
        let found = points.evaluate(std::slice::from_ref(point));
        if found.iter().all(|(value, gradient)| value.is_finite() && gradient.iter().all(|g| g.is_finite())) {
            return Ok(point.clone());
        }
    }
    let u: Vec<E> = start.iter().flat_map(|&x| vec![E::from_f64(x); E::LANE_MULTIPLE]).collect();
    let culprit = blame(model, &u, &vec![f64::NAN; E::LANE_MULTIPLE]);
    Err(FitError::Start { tries: TRIES, culprit })
}

/// The mode and its curvature; without a usable mode, the starting point and unit steps.
fn begin<E: Real>(points: &mut Points<'_, E>, start: &[f64], notes: &mut Vec<String>) -> Curvature {
    let n = start.len();
    let mode = find_mode(start, 200 + 10 * n.min(200), |u, gradient| {
        let mut found = points.evaluate(std::slice::from_ref(&u.to_vec()));
        let (value, own) = found.pop().unwrap_or((f64::NAN, vec![f64::NAN; n]));
        gradient.copy_from_slice(&own);
        value
    });
    let relative_step = if size_of::<E>() == 4 { 5e-3 } else { 6e-6 };
    let usable = mode.converged && mode.u.iter().all(|x| x.is_finite());
    if usable {
        let curvature = Curvature::at(&mode.u, relative_step, |p| points.evaluate(p).into_iter().map(|(_, g)| g).collect());
        // A peak narrower than any posterior is a place where the density grows without bound.
        if curvature.diagonal.iter().all(|a| a.is_finite() && *a < 1e14) {
            return curvature;
        }
    }
    notes.push("the log density has no usable mode; the fit started from the initial values with unit scales".to_owned());
    let curvature = Curvature::at(start, relative_step, |p| points.evaluate(p).into_iter().map(|(_, g)| g).collect());
    let mut unit = Curvature::unit(start, 1.0);
    // Where the density is steep, the scales are its own.
    for (own, known) in unit.diagonal.iter_mut().zip(&curvature.diagonal) {
        *own = known.clamp(1.0, 1e14);
    }
    unit
}

/// The statement that is not finite at the first bad sample.
pub(crate) fn blame<E: Real>(model: &dyn LogJoint<E>, u: &[E], log_densities: &[f64]) -> Culprit {
    let samples = log_densities.len();
    let sample = log_densities.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let mut work = model.workspace(samples);
    work.u_mut().copy_from_slice(u);
    model.constrain(&mut work, &mut vec![0.0; samples]);
    let rows = model.layout().rows();
    let mut values: Vec<f64> = (0..rows).map(|row| work.values[row * samples + sample].to_f64()).collect();
    let mut observed = model.observed();
    let mut search = Search { graph: model.graph(), found: None };
    model.walk(&mut values, &mut observed, &mut search);
    search.found.unwrap_or_default()
}

struct Search {
    graph: &'static crate::model::Graph,
    found: Option<Culprit>,
}

impl Visitor for Search {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        if self.found.is_some() {
            return;
        }
        let log_prob = statement.distribution.log_prob(value, statement.params);
        if log_prob.is_finite() && value.iter().all(|x| x.is_finite()) {
            return;
        }
        let names = statement.distribution.parameters();
        let operands = statement
            .params
            .iter()
            .enumerate()
            .map(|(i, &x)| (names.get(i).map_or_else(|| format!("parameter {}", i + 1), |p| p.name.to_owned()), x));
        self.found = Some(Culprit {
            statement: self.graph.factors[statement.factor].text,
            row: statement.row,
            value: value.to_vec(),
            operands: operands.collect(),
            log_prob,
        });
    }

    fn factor(&mut self, factor: usize, row: usize, value: f64) {
        if self.found.is_none() && !value.is_finite() {
            let statement = self.graph.factors[factor].text;
            self.found = Some(Culprit { statement, row, log_prob: value, ..Culprit::default() });
        }
    }
}
