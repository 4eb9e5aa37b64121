//! A model without the probabilities of its discrete latents: at any latents these are the best ones, which are known in closed form.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use crate::guides::{FittedGuide, WithPoints};
use crate::kernel::Real;
use crate::model::{Batch, Choices, DataError, Graph, Layout, LogJoint, Variable, Visitor, Weights, Workspace};
use crate::random::{standardized_normals, step_key};

/// The least probability.
const LEAST: f64 = 1e-30;
/// Sweeps over discrete latents that depend on each other, and what of each is taken.
const SWEEPS: usize = 30;
const DAMPING: f64 = 0.7;
/// Samples over which the probabilities of a fit are the best.
const SAMPLES: usize = 1024;

/// A model as a function of its other latents and parameters.
///
/// The log joint is linear in the probabilities `q` of the values of an element but for their entropy, so that its derivative is `t - ln q - 1`, where `t` is what a
/// value contributes, and the best are `q = softmax(E[t])`. With these the derivative of the log joint by all else is the one at fixed `q`.
///
/// # Source
/// Coordinate ascent: Blei, Kucukelbir & `McAuliffe` 2017, equation 18.
#[derive(Debug)]
pub(crate) struct Profile<'a, E: Real> {
    model: &'a Wrapped<'a, E>,
    layout: Layout,
    discretes: Vec<Variable>,
    coupled: bool,
    /// Probabilities that are kept, for the rows of the discrete latents one after the other.
    held: RwLock<Option<Vec<E>>>,
}

/// A model, as far as it can be printed.
pub(crate) struct Wrapped<'a, E: Real>(pub(crate) &'a dyn LogJoint<E>);

impl<E: Real> std::fmt::Debug for Wrapped<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wrapped")
    }
}

/// Over what the best probabilities are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// All samples together.
    Samples,
    /// Each sample by itself, as a point of its own.
    Points,
}

impl<'a, E: Real> Profile<'a, E> {
    /// The model without these probabilities; none if it has no discrete latents.
    pub(crate) fn new(model: &'a Wrapped<'a, E>) -> Option<Self> {
        let (graph, mut layout) = (model.0.graph(), model.0.layout().clone());
        let is_discrete = |variable: &Variable| graph.discretes.iter().any(|discrete| discrete.name == variable.name);
        let discretes: Vec<Variable> = layout.parameters().filter(|variable| is_discrete(variable)).cloned().collect();
        if discretes.is_empty() {
            return None;
        }
        // They are the last of the unconstrained numbers, so that the others begin as before.
        layout.variables.retain(|variable| !discretes.iter().any(|discrete| discrete.name == variable.name));
        layout.centred.clear();
        let coupled = graph.discretes.iter().any(|discrete| discrete.coupled);
        Some(Profile { model, layout, discretes, coupled, held: RwLock::new(None) })
    }

    /// The rows of the probabilities.
    fn rows(&self) -> impl Iterator<Item = usize> {
        self.discretes.iter().flat_map(|variable| variable.rows.clone())
    }

    /// Puts the best probabilities in the place of those in the workspace, whose latents are constrained.
    fn settle(&self, over: Over, work: &mut Workspace<E>, weights: &Weights<E>) {
        if let Some(held) = self.held.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            for (row, probability) in self.rows().zip(held) {
                work.values[row * work.samples..(row + 1) * work.samples].fill(*probability);
            }
            return;
        }
        let (samples, mut unused) = (work.samples, vec![0.0; work.samples]);
        let (sweeps, share) = if self.coupled { (SWEEPS, DAMPING) } else { (1, 1.0) };
        for _ in 0..sweeps {
            self.model.0.accumulate(work, weights, &mut unused);
            for variable in &self.discretes {
                let values = variable.shape.last().copied().unwrap_or(1);
                for first in variable.rows.clone().step_by(values) {
                    let rows = first..first + values;
                    match over {
                        Over::Samples => {
                            let mean = |row: usize| {
                                let slopes = &work.adjoints[row * samples..(row + 1) * samples];
                                slopes.iter().map(|slope| slope.to_f64()).sum::<f64>() / samples as f64
                            };
                            let best = best(rows.clone(), share, |row| work.values[row * samples].to_f64(), mean);
                            for (row, probability) in rows.zip(best) {
                                work.values[row * samples..(row + 1) * samples].fill(E::from_f64(probability));
                            }
                        }
                        Over::Points => {
                            for sample in 0..samples {
                                let at = |row: usize| row * samples + sample;
                                let value = |row: usize| work.values[at(row)].to_f64();
                                let best = best(rows.clone(), share, value, |row| work.adjoints[at(row)].to_f64());
                                for (row, probability) in rows.clone().zip(best) {
                                    work.values[at(row)] = E::from_f64(probability);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn log_density_over(&self, over: Over, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        let mut kept = std::mem::take(&mut work.kept);
        let all = self.model.0.layout().unconstrained() * work.samples;
        kept.clear();
        kept.extend_from_slice(&work.values[..all]);
        let mut log_det = vec![0.0; work.samples];
        self.model.0.constrain(work, &mut log_det);
        self.settle(over, work, weights);
        self.model.0.accumulate(work, weights, log_density);
        for ((total, log_det), weight) in log_density.iter_mut().zip(&log_det).zip(&weights.log_det) {
            *total += weight.to_f64() * log_det;
        }
        self.pull_constrain(work, weights);
        work.values[..all].copy_from_slice(&kept);
        work.kept = kept;
    }

    /// A guide of this model as one of the whole model: with the best probabilities over its draws.
    pub(crate) fn whole(&self, guide: FittedGuide, seed: u64) -> FittedGuide {
        let inner = guide.guide::<E>();
        let samples = (SAMPLES / inner.groups()).next_multiple_of(E::LANE_MULTIPLE) * inner.groups();
        let mut noise = vec![E::default(); inner.noise() * samples];
        standardized_normals(step_key(seed, u64::MAX - 16), samples, &mut noise);
        let (mut work, weights) = (self.workspace(samples), self.unit_weights(samples));
        inner.draw(&noise, samples, work.u_mut());
        self.model.0.constrain(&mut work, &mut vec![0.0; samples]);
        self.settle(Over::Samples, &mut work, &weights);
        let z: Vec<f64> = work.values.iter().step_by(samples).map(|x| x.to_f64()).collect();
        let u = self.model.0.unconstrain(&z).unwrap_or_else(|_| self.model.0.layout().start());
        let points = u[self.layout.unconstrained()..].to_vec();
        FittedGuide::WithPoints(Box::new(WithPoints::new(guide, points)))
    }
}

/// `softmax((1 - share) ln q + share (ln q + slope))`, where the slope is that of the log joint by a probability.
fn best(rows: Range<usize>, share: f64, value: impl Fn(usize) -> f64, slope: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut all: Vec<f64> = rows.map(|row| value(row).max(LEAST).ln() + share * slope(row)).collect();
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    all.iter_mut().for_each(|x| *x = (*x - most).exp());
    let total: f64 = all.iter().sum();
    all.iter_mut().for_each(|x| *x = (*x / total).max(LEAST));
    all
}

impl<E: Real> LogJoint<E> for Profile<'_, E> {
    fn graph(&self) -> &'static Graph {
        self.model.0.graph()
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn workspace(&self, samples: usize) -> Workspace<E> {
        let mut work = self.model.0.workspace(samples);
        work.unconstrained = self.layout.unconstrained();
        work
    }

    fn unit_weights(&self, samples: usize) -> Weights<E> {
        self.model.0.unit_weights(samples)
    }

    fn constrain(&self, work: &mut Workspace<E>, log_det: &mut [f64]) {
        self.model.0.constrain(work, log_det);
        let weights = self.model.0.unit_weights(work.samples);
        self.settle(Over::Samples, work, &weights);
    }

    fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)> {
        let mut u = self.model.0.unconstrain(z)?;
        u.truncate(self.layout.unconstrained());
        Ok(u)
    }

    fn accumulate(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_joint: &mut [f64]) {
        self.model.0.accumulate(work, weights, log_joint);
    }

    fn complete(&self, work: &mut Workspace<E>) {
        self.model.0.complete(work);
    }

    fn factor_rows(&self, factor: usize) -> usize {
        self.model.0.factor_rows(factor)
    }

    fn log_prob_rows(&self, factor: usize, rows: Range<usize>, work: &mut Workspace<E>, out: &mut [E]) {
        self.model.0.log_prob_rows(factor, rows, work, out);
    }

    fn choices(&self, sum: usize) -> Vec<usize> {
        self.model.0.choices(sum)
    }

    fn log_choices(&self, sum: (usize, Choices), rows: Range<usize>, work: &mut Workspace<E>, out: &mut [E]) {
        self.model.0.log_choices(sum, rows, work, out);
    }

    fn walk(&self, values: &mut [f64], observed: &mut [f64], visitor: &mut dyn Visitor) {
        self.model.0.walk(values, observed, visitor);
    }

    fn observed(&self) -> Vec<f64> {
        self.model.0.observed()
    }

    fn reads(&self, visitor: &mut dyn Visitor) {
        self.model.0.reads(visitor);
    }

    fn batch(&self, batch: &Batch<'_>) -> Result<Box<dyn LogJoint<E> + '_>, DataError> {
        self.model.0.batch(batch)
    }

    fn locate(&self, centred: usize, work: &mut Workspace<E>) {
        self.model.0.locate(centred, work);
    }

    fn pull_locate(&self, centred: usize, work: &mut Workspace<E>, weights: &Weights<E>) {
        self.model.0.pull_locate(centred, work, weights);
    }

    fn pull_constrain(&self, work: &mut Workspace<E>, weights: &Weights<E>) {
        for rows in self.discretes.iter().map(|variable| variable.rows.clone()) {
            work.adjoints[rows.start * work.samples..rows.end * work.samples].fill(E::default());
        }
        self.model.0.pull_constrain(work, weights);
    }

    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        self.log_density_over(Over::Samples, work, weights, log_density);
    }

    fn repeated(&self) -> usize {
        self.rows().count()
    }

    fn hold(&self, samples: Option<(&[E], usize)>) -> bool {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        drop(held);
        let best = samples.map(|(u, samples)| {
            let mut work = self.workspace(samples);
            work.u_mut().copy_from_slice(u);
            self.constrain(&mut work, &mut vec![0.0; samples]);
            self.rows().map(|row| work.values[row * samples]).collect()
        });
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = best;
        true
    }

    fn log_density_of_points(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        self.log_density_over(Over::Points, work, weights, log_density);
    }
}
