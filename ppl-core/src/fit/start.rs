//! Where a fit starts: a point with a finite log density, the mode, and the curvature there.

use std::time::Instant;

use super::blame::blame;
use super::error::FitError;
use crate::kernel::Real;
use crate::model::LogJoint;
use crate::optimizers::{Curvature, find_mode};
use crate::random::step_key;

/// Random starting points that are tried.
const TRIES: usize = 100;
/// Times that a search for the mode may end at a saddle; the last one is taken as it is.
const SADDLES: usize = 4;

/// The log density and its gradient at rows of points.
pub(super) struct Rows<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    until: Option<Instant>,
    work: crate::model::Workspace<E>,
    weights: crate::model::Weights<E>,
}

impl<'a, E: Real> Rows<'a, E> {
    pub(super) fn new(model: &'a dyn LogJoint<E>, samples: usize, until: Option<Instant>) -> Self {
        Rows { model, until, work: model.workspace(samples), weights: model.unit_weights(samples) }
    }
}

impl<E: Real> crate::optimizers::Points for Rows<'_, E> {
    fn evaluate(&mut self, points: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        self.work.u_mut().iter_mut().zip(points).for_each(|(u, point)| *u = E::from_f64(*point));
        self.model.log_density(&mut self.work, &self.weights, log_density);
        gradient.iter_mut().zip(self.work.gradient()).for_each(|(to, from)| *to = from.to_f64());
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() > until)
    }
}

/// The log density and its gradient at single points, several at a time.
pub(super) struct Points<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    dimensions: usize,
    work: crate::model::Workspace<E>,
    weights: crate::model::Weights<E>,
    log_density: Vec<f64>,
}

impl<'a, E: Real> Points<'a, E> {
    pub(super) fn new(model: &'a dyn LogJoint<E>) -> Self {
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
    pub(super) fn evaluate(&mut self, points: &[Vec<f64>]) -> Vec<(f64, Vec<f64>)> {
        let lanes = E::LANE_MULTIPLE;
        let mut out = Vec::with_capacity(points.len());
        for group in points.chunks(lanes) {
            for lane in 0..lanes {
                let point = group.get(lane).unwrap_or(&group[0]);
                for (i, x) in point.iter().enumerate() {
                    self.work.u_mut()[i * lanes + lane] = E::from_f64(*x);
                }
            }
            self.model.log_density_of_points(&mut self.work, &self.weights, &mut self.log_density);
            for lane in 0..group.len() {
                let gradient = (0..self.dimensions).map(|i| self.work.gradient()[i * lanes + lane].to_f64()).collect();
                out.push((self.log_density[lane], gradient));
            }
        }
        out
    }
}

/// A starting point with a finite log density and gradient: the given one, or one of some random ones.
pub(super) fn finite_start<E: Real>(
    model: &dyn LogJoint<E>,
    points: &mut Points<'_, E>,
    start: &[f64],
    seed: u64,
) -> Result<Vec<f64>, FitError> {
    let (n, moved) = (start.len(), start.len() - model.layout().points());
    let mut tried = vec![start.to_vec()];
    let mut noise = vec![0.0_f64; n * TRIES];
    crate::random::antithetic_normals(step_key(seed, u64::MAX), TRIES, &mut noise);
    let at = |i: usize, k: usize| if i < moved { start[i] + noise[i * TRIES + k] } else { start[i] };
    tried.extend((1..TRIES).map(|k| (0..n).map(|i| at(i, k)).collect::<Vec<f64>>()));
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

/// The mode, points held where they start, and its curvature; without a usable mode, the starting point and unit steps.
pub(super) fn begin<E: Real>(points: &mut Points<'_, E>, start: &[f64], seed: u64, notes: &mut Vec<String>) -> Curvature {
    let n = start.len();
    let apart = points.model.layout().points();
    let relative_step = if size_of::<E>() == 4 { 5e-3 } else { 6e-6 };
    let mut from = start.to_vec();
    let mut unbounded = None;
    let mut noise = vec![0.0_f64; (n - apart) * SADDLES];
    crate::random::antithetic_normals(step_key(seed, u64::MAX - 12), SADDLES, &mut noise);
    for attempt in 0..SADDLES {
        let mode = find_mode(&from, 200 + 10 * n.min(200), 1e-12, |u, gradient| {
            let mut found = points.evaluate(std::slice::from_ref(&u.to_vec()));
            let (value, own) = found.pop().unwrap_or((f64::NAN, vec![f64::NAN; n]));
            gradient.copy_from_slice(&own);
            gradient[n - apart..].fill(0.0);
            value
        });
        if !mode.converged || !mode.u.iter().all(|x| x.is_finite()) {
            let moved = |i: usize| (mode.u[i] - from[i]).abs();
            let farthest = (0..n).max_by(|&a, &b| moved(a).total_cmp(&moved(b))).unwrap_or(0);
            unbounded = Some(points.model.layout().unconstrained_name(farthest));
            break;
        }
        let curvature =
            Curvature::at(&mode.u, apart, relative_step, |p| points.evaluate(p).into_iter().map(|(_, g)| g).collect());
        // A peak narrower than any posterior is a place where the density grows without bound.
        let usable = curvature.diagonal.iter().all(|a| a.is_finite() && *a < 1e14);
        if usable && (curvature.is_mode || attempt + 1 == SADDLES) {
            return curvature;
        }
        if !usable {
            let steepest = (0..n).max_by(|&a, &b| curvature.diagonal[a].total_cmp(&curvature.diagonal[b])).unwrap_or(0);
            unbounded = Some(points.model.layout().unconstrained_name(steepest));
            break;
        }
        // Off the saddle, by a random step.
        from.clone_from(&mode.u);
        from.iter_mut().enumerate().take(n - apart).for_each(|(i, x)| *x += 0.5 * noise[i * SADDLES + attempt]);
    }
    let culprit = unbounded.map_or_else(String::new, |name| format!(": it rises without end in `{name}`"));
    notes.push(format!("the log density has no usable mode{culprit}; the fit started from the initial values with unit scales"));
    let curvature = Curvature::at(start, apart, relative_step, |p| points.evaluate(p).into_iter().map(|(_, g)| g).collect());
    let mut unit = Curvature::unit(start, 1.0);
    // Where the density is steep, the scales are its own.
    for (own, known) in unit.diagonal.iter_mut().zip(&curvature.diagonal) {
        *own = known.clamp(1.0, 1e14);
    }
    unit
}
