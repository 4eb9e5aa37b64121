//! The gradient over a batch of a plate at a time.

use std::ops::ControlFlow;

use super::{Estimate, Estimator, GradientEstimator, Mixed, RaoBlackwell, of_blocks};
use crate::archive::Archive;
use crate::guides::{self, Guide};
use crate::kernel::Real;
use crate::model::{Batch, Batches, Layout, LogJoint};
use crate::objective::KlWeight;
use crate::random::step_key;

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
    /// The rows of the workspace of the batch that they are of.
    rows: usize,
    /// What earlier steps left to it, where it is not made yet.
    earlier: Option<Vec<u64>>,
    /// Where some latents are over the plate.
    part: Part,
    /// Of a batch whose estimate is not finite: its draws among all dimensions, zero elsewhere.
    bad: Vec<E>,
}

/// The gradient over one batch, where some latents are over the plate: of the parameters of its own latents and of those that are not over it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The elements of the plate that the batch has.
    pub rows: Vec<usize>,
    /// The dimensions of the model, those that the batch has.
    pub dimensions: Vec<usize>,
    /// To which element of the plate each of these belongs, if it is over it.
    pub owners: Vec<Option<usize>>,
    /// The parameters of the guide that the batch has: of a mean-field Gaussian the locations of all dimensions, then the scales of those that are distributed.
    pub parameters: Vec<usize>,
    /// The gradient by each of these; that of what is over the plate counts [`scale`](Part::scale) times.
    pub gradient: Vec<f64>,
    /// How many elements of the plate each of the batch stands for.
    pub scale: f64,
}

impl Part {
    /// How many of the dimensions, the first ones, are distributed.
    #[must_use]
    pub fn spread(&self) -> usize {
        self.parameters.len() - self.dimensions.len()
    }
}

impl<'a, E: Real> Batched<'a, E> {
    /// Over these batches; `estimators` are those of the model's dimensions. Rao-Blackwellized are those of single elements alone, of which nothing else goes with
    /// the plate: other blankets would have to be found for each batch.
    #[must_use]
    pub fn new(batches: Box<dyn Batches<E> + 'a>, samples: usize, estimators: &[Estimator]) -> Self {
        let (estimators, kl_weight) = (estimators.to_vec(), KlWeight::One);
        Batched {
            batches,
            own: OfBatch {
                samples,
                estimators,
                kl_weight,
                mixed: None,
                rows: 0,
                earlier: None,
                part: Part::default(),
                bad: Vec::new(),
            },
        }
    }

    /// The gradient over the next batch, where some latents are over the plate: what it costs depends on the batch alone. `act` is told of it and changes the guide, and asks
    /// with [`ControlFlow::Continue`] for another gradient over the same batch.
    pub fn over_next(
        &mut self,
        model: &dyn LogJoint<E>,
        guide: &mut dyn Guide<E>,
        key: u64,
        act: &mut dyn FnMut(&mut [f64], Estimate, &Part) -> ControlFlow<()>,
    ) {
        let (own, layout) = (&mut self.own, model.layout());
        let visited = self.batches.next(model, &mut |of_batch, batch| {
            for again in 0.. {
                let estimate = own.of_part((of_batch, batch), layout, guide, step_key(key, again));
                if act(guide.parameters_mut(), estimate, &own.part).is_break() {
                    break;
                }
            }
        });
        if visited.is_err() {
            // Of a batch that could not be made there is no estimate.
            let _ = act(guide.parameters_mut(), Estimate { elbo: f64::NAN }, &Part::default());
        }
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
            let earlier = self.earlier.take();
            let mixed = self.mixed.get_or_insert_with(|| {
                let mut estimators = of_blocks(guide, |i| estimators[i]);
                estimators.iter_mut().for_each(whole);
                Mixed::new(of_batch, guide, samples, &estimators).tempered(kl_weight)
            });
            mixed.go_on(earlier);
            return mixed.estimate(of_batch, guide, key, gradient);
        }
        let estimate = self.of_part((of_batch, batch), layout, guide, key);
        gradient.fill(0.0);
        self.part.parameters.iter().zip(&self.part.gradient).for_each(|(&i, g)| gradient[i] = *g);
        estimate
    }

    /// Where some latents are over the plate: the guide of those in the batch, and of all that are not over it.
    fn of_part(
        &mut self,
        (of_batch, batch): (&dyn LogJoint<E>, &Batch<'_>),
        layout: &Layout,
        guide: &dyn Guide<E>,
        key: u64,
    ) -> Estimate {
        let (samples, kl_weight, part) = (self.samples, self.kl_weight, &mut self.part);
        part.dimensions.clear();
        part.owners.clear();
        batch.each_dimension(layout, |dimension, owner| {
            part.dimensions.push(dimension);
            part.owners.push(owner.map(|position| batch.rows[position]));
        });
        let of =
            guides::OfBatch { batch, whole: layout, part: of_batch.layout(), dimensions: &part.dimensions, owners: &part.owners };
        let Some((own, parameters)) = guide.part(&of) else { return Estimate { elbo: f64::NAN } };
        part.parameters = parameters;
        part.rows.clear();
        part.rows.extend_from_slice(batch.rows);
        part.scale = batch.scale();
        // Batches have as many elements of the plate, but not of what goes with it.
        let rows = of_batch.layout().rows();
        if self.rows != rows {
            (self.rows, self.mixed, self.earlier) = (rows, None, None);
        }
        let earlier = self.earlier.take();
        let mixed = self.mixed.get_or_insert_with(|| {
            let blocks = own.blocks();
            let mut estimators = of_blocks(&*own, |i| self.estimators[part.dimensions[i]]);
            // What depends on an element stands at the same place in every batch, if nothing goes with it; what depends on others does not.
            let is_apart = |block: &Vec<usize>| batch.following.is_empty() && block.iter().all(|&i| part.owners[i].is_some());
            estimators.iter_mut().zip(&blocks).filter(|(_, block)| !is_apart(block)).for_each(|(estimator, _)| whole(estimator));
            let scale = |block: &Vec<usize>| if block.iter().any(|&i| part.owners[i].is_some()) { part.scale } else { 1.0 };
            let scales = blocks.iter().map(scale).collect();
            Mixed::new(of_batch, &*own, samples, &estimators).scaled(scales).tempered(kl_weight)
        });
        mixed.go_on(earlier);
        part.gradient.resize(part.parameters.len(), 0.0);
        let estimate = mixed.estimate(of_batch, &*own, key, &mut part.gradient);
        if !estimate.elbo.is_finite() {
            self.bad = vec![E::default(); layout.unconstrained() * samples];
            for (&i, row) in part.dimensions.iter().zip(mixed.draws().chunks_exact(samples)) {
                self.bad[i * samples..(i + 1) * samples].copy_from_slice(row);
            }
        }
        estimate
    }
}

/// Without Markov blankets, which are others in each batch.
fn whole(estimator: &mut Estimator) {
    if let Estimator::ScoreFunction { rao_blackwell, .. } = estimator {
        *rao_blackwell = RaoBlackwell::Off;
    }
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

    fn archive(&mut self, archive: &mut Archive) {
        self.batches.archive(archive);
        archive.count(&mut self.own.rows);
        // It is made of the first batch, and is then as it was.
        let mut words = self.own.earlier.take().unwrap_or_default();
        if let Some(mixed) = &mut self.own.mixed {
            let mut own = Archive::writing();
            mixed.archive(&mut own);
            words = own.into_words();
        }
        archive.part(&mut words);
        self.own.earlier = (self.own.mixed.is_none() && !words.is_empty()).then_some(words);
    }

    fn draws(&self) -> &[E] {
        if self.own.bad.is_empty() { self.own.mixed.as_ref().map_or(&[], |mixed| mixed.draws()) } else { &self.own.bad }
    }

    fn log_densities(&self) -> &[f64] {
        self.own.mixed.as_ref().map_or(&[], |mixed| mixed.log_densities())
    }
}
