//! A model without its discrete latents, over some draws of these: its log density is the mean over the draws.

use std::ops::Range;

use crate::kernel::Real;
use crate::model::{Layout, LogJoint, Weights, Workspace, forward};

/// A model as a function of all but the discrete latents that are drawn, which are the last of its dimensions.
///
/// What a fit of the others climbs is then the expected log joint, as in the M-step of the EM algorithm, and no peak where one value explains all.
pub(crate) struct OverDraws<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    layout: Layout,
    /// The rows of the discrete latents.
    rows: Range<usize>,
    /// One draw of all of them after the other.
    draws: Vec<f64>,
}

impl<'a, E: Real> OverDraws<'a, E> {
    /// The model over draws, each a number for every discrete latent.
    pub(crate) fn new(model: &'a dyn LogJoint<E>, draws: Vec<f64>) -> Self {
        let (mut layout, rows) = (model.layout().clone(), model.layout().discrete());
        layout.variables.retain(|variable| variable.values.is_none());
        layout.centred.clear();
        OverDraws { model, layout, rows, draws }
    }

    /// Puts a draw for each sample in the rows.
    fn put(&self, draw: impl Fn(usize) -> usize, work: &mut Workspace<E>) {
        let (samples, width) = (work.samples, self.rows.len());
        for (at, row) in self.rows.clone().enumerate() {
            for (sample, value) in work.values[row * samples..(row + 1) * samples].iter_mut().enumerate() {
                *value = E::from_f64(self.draws[draw(sample) * width + at]);
            }
        }
    }

    /// How many draws there are.
    fn count(&self) -> usize {
        self.draws.len() / self.rows.len().max(1)
    }

    /// The mean of so many evaluations, each of other draws.
    fn mean_of(
        &self,
        passes: usize,
        draw: impl Fn(usize, usize) -> usize,
        (work, weights): (&mut Workspace<E>, &Weights<E>),
        log_density: &mut [f64],
    ) {
        let share = 1.0 / passes as f64;
        let (u, mut own) = (work.u().to_vec(), vec![0.0; log_density.len()]);
        let mut gradient = vec![0.0; u.len()];
        log_density.fill(0.0);
        for pass in 0..passes {
            work.u_mut().copy_from_slice(&u);
            self.put(|sample| draw(pass, sample), work);
            self.model.log_density(work, weights, &mut own);
            log_density.iter_mut().zip(&own).for_each(|(total, own)| *total += share * own);
            gradient.iter_mut().zip(work.gradient()).for_each(|(total, own)| *total += share * own.to_f64());
        }
        work.u_mut().copy_from_slice(&u);
        work.gradient_mut().iter_mut().zip(&gradient).for_each(|(to, own)| *to = E::from_f64(*own));
    }
}

impl<E: Real> LogJoint<E> for OverDraws<'_, E> {
    forward! {
        |view| view.model;
        graph, unit_weights, constrain, accumulate, complete, log_prob_rows, walk, reads, batch, locate, pull_constrain
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn workspace(&self, samples: usize) -> Workspace<E> {
        let mut work = self.model.workspace(samples);
        work.unconstrained = self.layout.unconstrained();
        self.put(|_| 0, &mut work);
        work
    }

    fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)> {
        let mut u = self.model.unconstrain(z)?;
        u.truncate(self.layout.unconstrained());
        Ok(u)
    }

    /// Samples and draws in pairs, so that all draws are taken equally often; the two samples of an antithetic pair have the same.
    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        let (half, count) = ((work.samples / 2).max(1), self.count());
        let draw = |pass: usize, sample: usize| (pass * half + sample % half) % count;
        self.mean_of(count.div_ceil(half), draw, (work, weights), log_density);
    }

    /// Each point over all draws.
    fn log_density_of_points(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        self.mean_of(self.count(), |pass, _| pass, (work, weights), log_density);
    }
}
