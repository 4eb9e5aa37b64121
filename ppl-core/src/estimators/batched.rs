//! The gradient over a batch of a plate at a time.

use super::{Estimate, Estimator, GradientEstimator, Mixed, RaoBlackwell, of_blocks};
use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::{Batch, Batches, Layout, LogJoint};
use crate::objective::KlWeight;

/// The gradient of the ELBO over `B` of the `N` elements of a plate: their factors, the Jacobians of their latents and log q of these count `N / B` times, so
/// that the expectation over batches is the whole gradient.
///
/// # Source
/// Hoffman, Blei, Wang & Paisley 2013, Stochastic variational inference; for black boxes: Kucukelbir et al. 2017, section 2.6.
#[derive(Debug)]
pub struct Batched<'a, E: Real> {
    batches: Box<dyn Batches<E> + 'a>,
    own: OfBatch<E>,
}

/// What estimates the gradient over one batch after the other.
#[derive(Debug)]
struct OfBatch<E> {
    samples: usize,
    /// By dimension of the whole model.
    estimators: Vec<Estimator>,
    kl_weight: KlWeight,
    /// Its buffers are those of any batch.
    mixed: Option<Mixed<E>>,
    /// Of a batch whose estimate is not finite: its draws among all dimensions, zero elsewhere.
    bad: Vec<E>,
}

impl<'a, E: Real> Batched<'a, E> {
    /// Over these batches; `estimators` are those of the model's dimensions. Rao-Blackwellized ones are not: blankets would have to be found for each batch.
    #[must_use]
    pub fn new(batches: Box<dyn Batches<E> + 'a>, samples: usize, estimators: &[Estimator]) -> Self {
        let (estimators, kl_weight) = (estimators.to_vec(), KlWeight::One);
        Batched { batches, own: OfBatch { samples, estimators, kl_weight, mixed: None, bad: Vec::new() } }
    }

    /// As [`Mixed::tempered`].
    #[must_use]
    pub fn tempered(mut self, kl_weight: KlWeight) -> Self {
        self.own.kl_weight = kl_weight;
        self
    }
}

impl<E: Real> OfBatch<E> {
    fn estimate(
        &mut self,
        (of_batch, batch): (&dyn LogJoint<E>, &Batch<'_>),
        layout: &Layout,
        guide: &dyn Guide<E>,
        key: u64,
        gradient: &mut [f64],
    ) -> Estimate {
        let (samples, kl_weight, estimators) = (self.samples, self.kl_weight, &self.estimators);
        if of_batch.layout().unconstrained() == layout.unconstrained() {
            let mixed = self.mixed.get_or_insert_with(|| {
                let estimators = whole(of_blocks(guide, |i| estimators[i]));
                Mixed::new(of_batch, guide, samples, &estimators).tempered(kl_weight)
            });
            return mixed.estimate(of_batch, guide, key, gradient);
        }
        // Some latents are over the plate: the guide of those in the batch, and of all that are not over it.
        let dimensions = batch.unconstrained(layout);
        let Some((part, parameters)) = guide.part(&dimensions) else { return Estimate { elbo: f64::NAN } };
        let mixed = self.mixed.get_or_insert_with(|| {
            let estimators = whole(of_blocks(&*part, |i| estimators[dimensions[i]]));
            let is_local = |i: usize| {
                let variable = layout.guided().find(|v| v.unconstrained.contains(&dimensions[i]));
                variable.is_some_and(|variable| variable.dims.contains(&batch.plate))
            };
            let scale = |block: &Vec<usize>| if block.iter().any(|&i| is_local(i)) { batch.scale() } else { 1.0 };
            let scales = part.blocks().iter().map(scale).collect();
            Mixed::new(of_batch, &*part, samples, &estimators).scaled(scales).tempered(kl_weight)
        });
        let mut own = vec![0.0; parameters.len()];
        let estimate = mixed.estimate(of_batch, &*part, key, &mut own);
        if !estimate.elbo.is_finite() {
            self.bad = vec![E::default(); layout.unconstrained() * samples];
            for (&i, row) in dimensions.iter().zip(mixed.draws().chunks_exact(samples)) {
                self.bad[i * samples..(i + 1) * samples].copy_from_slice(row);
            }
        }
        gradient.fill(0.0);
        parameters.iter().zip(own).for_each(|(&i, g)| gradient[i] = g);
        estimate
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

impl<E: Real> GradientEstimator<E> for Batched<'_, E> {
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate {
        let (own, layout) = (&mut self.own, model.layout());
        // Of a batch that could not be made there is no estimate.
        let mut estimate = Estimate { elbo: f64::NAN };
        let visited = self.batches.next(model, &mut |of_batch, batch| {
            estimate = own.estimate((of_batch, batch), layout, guide, key, gradient);
        });
        if visited.is_ok() { estimate } else { Estimate { elbo: f64::NAN } }
    }

    fn draws(&self) -> &[E] {
        if self.own.bad.is_empty() { self.own.mixed.as_ref().map_or(&[], |mixed| mixed.draws()) } else { &self.own.bad }
    }

    fn log_densities(&self) -> &[f64] {
        self.own.mixed.as_ref().map_or(&[], |mixed| mixed.log_densities())
    }
}
