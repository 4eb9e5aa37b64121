//! A model of one row and a guide of it, bound and resolved: what every evaluation is over.

use super::buffers::{Buffers, Side};
use super::data::copy_rows;
use super::divergence::ClosedForm;
use super::plan::Plan;
use super::tiles::Tile;
use super::transpose::Columns;
use super::{AmortizedEstimator, RowInput};
use crate::kernel::Real;
use crate::model::{LogJoint, SiteKind};

/// A model of one row and a guide of it, bound and resolved.
pub(super) struct Engine<'a, E: Real> {
    pub(super) model: &'a dyn LogJoint<E>,
    pub(super) guide: &'a dyn LogJoint<E>,
    pub(super) model_plan: &'a Plan,
    pub(super) guide_plan: &'a Plan,
    pub(super) data: &'a [RowInput<'a, E>],
    /// The factors of the model that are densities of latents.
    pub(super) prior: Vec<usize>,
}

impl<E: Real> std::fmt::Debug for Engine<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("model_plan", &self.model_plan)
            .field("guide_plan", &self.guide_plan)
            .finish_non_exhaustive()
    }
}

impl<'a, E: Real> Engine<'a, E> {
    pub(super) fn new(
        model: (&'a dyn LogJoint<E>, &'a Plan),
        guide: (&'a dyn LogJoint<E>, &'a Plan),
        data: &'a [RowInput<'a, E>],
    ) -> Self {
        let graph = model.0.graph();
        let is_prior = |site: usize| graph.sites[site].kind == SiteKind::Latent;
        let prior = (0..graph.factors.len()).filter(|&factor| graph.factors[factor].site.is_some_and(is_prior)).collect();
        Engine { model: model.0, guide: guide.0, model_plan: model.1, guide_plan: guide.1, data, prior }
    }

    /// The rows of noise that the latents of the guide take.
    pub(super) fn noise_rows(&self) -> usize {
        self.guide_plan.located.iter().map(|located| located.rows.len()).sum()
    }

    /// Puts rows of data in their places; with a key, Bernoulli draws of them.
    pub(super) fn fill(&self, rows: &[usize], draws: Option<u64>, buffers: &mut Buffers<E>) {
        for (index, input) in self.data.iter().enumerate() {
            buffers.tiles.write(&mut buffers.inputs[index], input.columns, |tile, to| {
                copy_rows(input, &rows[tile.first..tile.first + tile.shape.batch], draws, to);
                self.spread(index, tile, to);
            });
        }
    }

    /// Puts the inputs of the batch, which were changed, in their places.
    pub(super) fn refill(&self, buffers: &mut Buffers<E>) {
        for (index, input) in self.data.iter().enumerate() {
            buffers.tiles.read(&buffers.inputs[index], input.columns, |tile, from| self.spread(index, tile, from));
        }
    }

    /// Puts an input in the rows of a tile that statements read it from; networks take it as it is.
    fn spread(&self, index: usize, tile: &mut Tile<E>, from: &[E]) {
        for (plan, side) in [(self.model_plan, Side::Model), (self.guide_plan, Side::Guide)] {
            for (_, rows) in plan.inputs.iter().filter(|(input, _)| *input == index) {
                let columns = Columns { of: rows.len(), first: 0, known: tile.shape.batch };
                tile.shape.to_lanes(from, columns, rows.clone(), &mut side.of(tile).work.values);
            }
        }
    }
}

/// How the gradient of a step is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steering<'a> {
    pub(super) estimator: AmortizedEstimator,
    /// The weight of the prior and of `log q`.
    pub(super) kl_weight: f64,
    /// The closed form that stands for the prior and for `log q`.
    pub(super) closed: Option<&'a ClosedForm>,
}

impl Steering<'_> {
    /// The bound as it is, from draws.
    pub(super) const PLAIN: Self = Steering { estimator: AmortizedEstimator::Standard, kl_weight: 1.0, closed: None };
}
