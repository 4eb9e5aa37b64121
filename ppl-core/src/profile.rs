//! A model without the probabilities of its discrete latents: at any latents these are the best ones, which are known in closed form.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use crate::guides::{FittedGuide, WithPoints};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, Variable, Weights, Workspace, forward};
use crate::random::{standardized_normals, step_key};

/// The least probability.
const LEAST: f64 = 1e-30;
/// Sweeps over discrete latents that depend on each other, and what of each is taken.
const SWEEPS: usize = 30;
const DAMPING: f64 = 0.7;
/// Samples over which the probabilities of a fit are the best, and how many of them are evaluated at once.
const SAMPLES: usize = 1024;
const AT_ONCE: usize = 64;

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
            self.put(held, work);
            return;
        }
        let (samples, mut unused) = (work.samples, vec![0.0; work.samples]);
        for variable in &self.discretes {
            work.values[variable.rows.start * samples..variable.rows.end * samples].fill(uniform(variable));
        }
        for _ in 0..self.sweeps() {
            self.model.0.accumulate(work, weights, &mut unused);
            for (first, values) in self.elements() {
                let rows = first..first + values;
                match over {
                    Over::Samples => {
                        let value = |row: usize| work.values[row * samples].to_f64();
                        let best = self.best(rows.clone(), value, |row| sum_of(work, row) / samples as f64);
                        for (row, probability) in rows.zip(best) {
                            work.values[row * samples..(row + 1) * samples].fill(E::from_f64(probability));
                        }
                    }
                    Over::Points => {
                        for sample in 0..samples {
                            let at = |row: usize| row * samples + sample;
                            let value = |row: usize| work.values[at(row)].to_f64();
                            let best = self.best(rows.clone(), value, |row| work.adjoints[at(row)].to_f64());
                            for (row, probability) in rows.clone().zip(best) {
                                work.values[at(row)] = E::from_f64(probability);
                            }
                        }
                    }
                }
            }
        }
    }

    /// The best probabilities over many samples of the unconstrained numbers (`[dimension][sample]`), some of which are evaluated at once.
    fn best_over(&self, u: &[E], samples: usize) -> Vec<E> {
        let at_once = if samples.is_multiple_of(AT_ONCE) { AT_ONCE } else { samples };
        let (mut work, weights) = (self.model.0.workspace(at_once), self.model.0.unit_weights(at_once));
        work.unconstrained = self.layout.unconstrained();
        let mut found: Vec<E> = self.discretes.iter().flat_map(|variable| vec![uniform(variable); variable.rows.len()]).collect();
        let (mut slopes, mut unused) = (vec![0.0; found.len()], vec![0.0; at_once]);
        for _ in 0..self.sweeps() {
            slopes.fill(0.0);
            for part in (0..samples).step_by(at_once) {
                for (to, from) in work.u_mut().chunks_exact_mut(at_once).zip(u.chunks_exact(samples)) {
                    to.copy_from_slice(&from[part..part + at_once]);
                }
                self.model.0.constrain(&mut work, &mut unused);
                self.put(&found, &mut work);
                self.model.0.accumulate(&mut work, &weights, &mut unused);
                for (slope, row) in slopes.iter_mut().zip(self.rows()) {
                    *slope += sum_of(&work, row) / samples as f64;
                }
            }
            let mut first = 0;
            for (_, values) in self.elements() {
                let rows = first..first + values;
                first = rows.end;
                let best = self.best(rows.clone(), |row| found[row].to_f64(), |row| slopes[row]);
                found[rows].iter_mut().zip(best).for_each(|(to, probability)| *to = E::from_f64(probability));
            }
        }
        found
    }

    /// Puts probabilities in their rows, the same for all samples.
    fn put(&self, probabilities: &[E], work: &mut Workspace<E>) {
        for (row, probability) in self.rows().zip(probabilities) {
            work.values[row * work.samples..(row + 1) * work.samples].fill(*probability);
        }
    }

    /// The first row of each element of the discrete latents, and how many values it has.
    fn elements(&self) -> impl Iterator<Item = (usize, usize)> {
        self.discretes.iter().flat_map(|variable| {
            let values = values_of(variable);
            variable.rows.clone().step_by(values).map(move |first| (first, values))
        })
    }

    /// Sweeps over discrete latents until they agree.
    fn sweeps(&self) -> usize {
        if self.coupled { SWEEPS } else { 1 }
    }

    fn log_density_over(&self, over: Over, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        let mut kept = std::mem::take(&mut work.kept);
        let all = self.layout.unconstrained() * work.samples;
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
        let (u, samples) = draws_of::<E>(&guide, seed);
        let best = self.best_over(&u, samples);
        let mut work = self.workspace(E::LANE_MULTIPLE);
        for (to, from) in work.u_mut().chunks_exact_mut(E::LANE_MULTIPLE).zip(u.chunks_exact(samples)) {
            to.fill(from[0]);
        }
        self.model.0.constrain(&mut work, &mut [0.0; 16][..E::LANE_MULTIPLE]);
        self.put(&best, &mut work);
        let z: Vec<f64> = work.values.iter().step_by(E::LANE_MULTIPLE).map(|x| x.to_f64()).collect();
        let u = self.model.0.unconstrain(&z).unwrap_or_else(|_| self.model.0.layout().start());
        let points = u[self.layout.unconstrained()..].to_vec();
        FittedGuide::WithPoints(Box::new(WithPoints::new(guide, points)))
    }

    /// `softmax((1 - share) ln q + share (ln q + slope))`, where the slope is that of the log joint by a probability.
    fn best(&self, rows: Range<usize>, value: impl Fn(usize) -> f64, slope: impl Fn(usize) -> f64) -> Vec<f64> {
        let share = if self.coupled { DAMPING } else { 1.0 };
        let mut all: Vec<f64> = rows.map(|row| value(row).max(LEAST).ln() + share * slope(row)).collect();
        let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        all.iter_mut().for_each(|x| *x = (*x - most).exp());
        let total: f64 = all.iter().sum();
        all.iter_mut().for_each(|x| *x = (*x / total).max(LEAST));
        all
    }
}

/// The draws of a guide over which its probabilities are the best: `[dimension][sample]`, and how many.
pub(crate) fn draws_of<E: Real>(guide: &FittedGuide, seed: u64) -> (Vec<E>, usize) {
    let guide = guide.guide::<E>();
    let samples = (SAMPLES / guide.groups()).next_multiple_of(E::LANE_MULTIPLE) * guide.groups();
    let mut noise = vec![E::default(); guide.noise() * samples];
    standardized_normals(step_key(seed, u64::MAX - 16), samples, &mut noise);
    let mut u = vec![E::default(); guide.dimensions() * samples];
    guide.draw(&noise, samples, &mut u);
    (u, samples)
}

/// How many values a discrete latent has.
fn values_of(variable: &Variable) -> usize {
    variable.shape.last().copied().unwrap_or(1).max(1)
}

fn uniform<E: Real>(variable: &Variable) -> E {
    E::from_f64(1.0 / values_of(variable) as f64)
}

/// The sum of the adjoints of a row.
fn sum_of<E: Real>(work: &Workspace<E>, row: usize) -> f64 {
    work.adjoints[row * work.samples..(row + 1) * work.samples].iter().map(|slope| slope.to_f64()).sum()
}

impl<E: Real> LogJoint<E> for Profile<'_, E> {
    forward! {
        |view| view.model.0;
        graph, unit_weights, accumulate, complete, log_prob_rows, log_choices, walk, reads, batch, following, locate, pull_constrain
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn reported(&self) -> &Layout {
        self.model.0.layout()
    }

    fn workspace(&self, samples: usize) -> Workspace<E> {
        let mut work = self.model.0.workspace(samples);
        work.unconstrained = self.layout.unconstrained();
        work
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
        let best = samples.map(|(u, samples)| self.best_over(u, samples));
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = best;
        true
    }

    fn log_density_of_points(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        self.log_density_over(Over::Points, work, weights, log_density);
    }
}
