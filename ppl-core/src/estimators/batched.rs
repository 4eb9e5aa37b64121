//! The gradient over a batch of a plate at a time.

use super::{Estimate, Estimator, GradientEstimator, Mixed, RaoBlackwell, of_blocks};
use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::{Batch, DataError, LogJoint};
use crate::objective::KlWeight;
use crate::random::{shuffle, step_key};

/// The gradient of the ELBO over `B` of the `N` elements of a plate: their factors, the Jacobians of their latents and log q of these count `N / B` times, so
/// that the expectation over batches is the whole gradient. The elements are shuffled anew in each epoch; those that do not fill a batch at its end
/// are left out of it.
///
/// # Source
/// Hoffman, Blei, Wang & Paisley 2013, Stochastic variational inference; for black boxes: Kucukelbir et al. 2017, section 2.6.
#[derive(Debug)]
pub struct Batched<E> {
    plate: usize,
    rows: usize,
    seed: u64,
    /// The elements in the order of this epoch, and how many of them are used up.
    order: Vec<usize>,
    used: usize,
    epoch: u64,
    samples: usize,
    /// By dimension of the whole model.
    estimators: Vec<Estimator>,
    kl_weight: KlWeight,
    /// Its buffers are those of any batch.
    mixed: Option<Mixed<E>>,
    /// Of a batch whose estimate is not finite: its draws among all dimensions, zero elsewhere.
    bad: Vec<E>,
}

impl<E: Real> Batched<E> {
    /// Batches of so many elements of a plate that the model does not refuse; `estimators` are those of the model's dimensions. Rao-Blackwellized ones are
    /// not: blankets would have to be found for each batch.
    ///
    /// # Panics
    /// If the plate has not as many elements, or none are asked for.
    #[must_use]
    pub fn new(size: usize, (plate, rows): (usize, usize), samples: usize, estimators: &[Estimator], seed: u64) -> Self {
        assert!(rows > 0 && rows <= size, "a batch has elements, and not more than the plate");
        Batched {
            plate,
            rows,
            seed,
            order: (0..size).collect(),
            used: size,
            epoch: 0,
            samples,
            estimators: estimators.to_vec(),
            kl_weight: KlWeight::One,
            mixed: None,
            bad: Vec::new(),
        }
    }

    /// As [`Mixed::tempered`].
    #[must_use]
    pub fn tempered(mut self, kl_weight: KlWeight) -> Self {
        self.kl_weight = kl_weight;
        self
    }

    /// Goes on to the next batch, by an order of its own in each epoch.
    fn next(&mut self) {
        if self.used + self.rows > self.order.len() {
            shuffle(step_key(self.seed, self.epoch), &mut self.order);
            self.used = 0;
            self.epoch += 1;
        }
        self.used += self.rows;
    }

    fn over_batch(
        &mut self,
        model: &dyn LogJoint<E>,
        guide: &dyn Guide<E>,
        key: u64,
        gradient: &mut [f64],
    ) -> Result<Estimate, DataError> {
        self.next();
        let rows = &self.order[self.used - self.rows..self.used];
        let batch = Batch { plate: self.plate, size: self.order.len(), rows };
        let (of_batch, layout) = (model.batch(&batch)?, model.layout());
        let (samples, kl_weight, estimators) = (self.samples, self.kl_weight, &self.estimators);
        if of_batch.layout().unconstrained() == layout.unconstrained() {
            let mixed = self.mixed.get_or_insert_with(|| {
                let estimators = whole(of_blocks(guide, |i| estimators[i]));
                Mixed::new(&*of_batch, guide, samples, &estimators).tempered(kl_weight)
            });
            return Ok(mixed.estimate(&*of_batch, guide, key, gradient));
        }
        // Some latents are over the plate: the guide of those in the batch, and of all that are not over it.
        let dimensions = batch.unconstrained(layout);
        let Some((part, parameters)) = guide.part(&dimensions) else { return Ok(Estimate { elbo: f64::NAN }) };
        let mixed = self.mixed.get_or_insert_with(|| {
            let estimators = whole(of_blocks(&*part, |i| estimators[dimensions[i]]));
            let is_local = |i: usize| {
                let variable = layout.guided().find(|v| v.unconstrained.contains(&dimensions[i]));
                variable.is_some_and(|variable| variable.dims.contains(&batch.plate))
            };
            let scale = |block: &Vec<usize>| if block.iter().any(|&i| is_local(i)) { batch.scale() } else { 1.0 };
            let scales = part.blocks().iter().map(scale).collect();
            Mixed::new(&*of_batch, &*part, samples, &estimators).scaled(scales).tempered(kl_weight)
        });
        let mut own = vec![0.0; parameters.len()];
        let estimate = mixed.estimate(&*of_batch, &*part, key, &mut own);
        if !estimate.elbo.is_finite() {
            self.bad = vec![E::default(); layout.unconstrained() * samples];
            for (&i, row) in dimensions.iter().zip(mixed.draws().chunks_exact(samples)) {
                self.bad[i * samples..(i + 1) * samples].copy_from_slice(row);
            }
        }
        gradient.fill(0.0);
        parameters.iter().zip(own).for_each(|(&i, g)| gradient[i] = g);
        Ok(estimate)
    }
}

/// Without Markov blankets, which are others in each batch.
fn whole(mut estimators: Vec<Estimator>) -> Vec<Estimator> {
    for estimator in &mut estimators {
        if let Estimator::ScoreFunction { rao_blackwell, .. } = estimator {
            *rao_blackwell = RaoBlackwell::Off;
        }
    }
    estimators
}

impl<E: Real> GradientEstimator<E> for Batched<E> {
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate {
        self.over_batch(model, guide, key, gradient).unwrap_or(Estimate { elbo: f64::NAN })
    }

    fn draws(&self) -> &[E] {
        if self.bad.is_empty() { self.mixed.as_ref().map_or(&[], |mixed| mixed.draws()) } else { &self.bad }
    }

    fn log_densities(&self) -> &[f64] {
        self.mixed.as_ref().map_or(&[], |mixed| mixed.log_densities())
    }
}
