//! A model of one row and a guide of it, bound and resolved: what every evaluation is over.

use super::buffers::Buffers;
use super::divergence::ClosedForm;
use super::global_latents::GlobalSide;
use super::plan::Plan;
use super::transform::Drawn;
use super::transpose::{Columns, LaneShape};
use super::{AmortizedError, AmortizedEstimator, RowInput};
use crate::kernel::Real;
use crate::model::{LogJoint, SiteKind};

/// A model of one row and a guide of it, bound and resolved.
pub(super) struct Engine<'a, E: Real> {
    pub(super) model: &'a dyn LogJoint<E>,
    pub(super) guide: &'a dyn LogJoint<E>,
    pub(super) model_plan: &'a Plan,
    pub(super) guide_plan: &'a Plan,
    pub(super) data: &'a [RowInput<'a, E>],
    /// What stands outside the loop over the rows, if there is anything with a density.
    pub(super) globals: Option<GlobalSide<'a, E>>,
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
        globals: Option<GlobalSide<'a, E>>,
    ) -> Self {
        let graph = model.0.graph();
        let is_prior = |site: usize| graph.sites[site].kind == SiteKind::Latent;
        let prior = (0..graph.factors.len()).filter(|&factor| graph.factors[factor].site.is_some_and(is_prior)).collect();
        Engine { model: model.0, guide: guide.0, model_plan: model.1, guide_plan: guide.1, data, globals, prior }
    }

    /// Puts rows of data in their places, as they are drawn.
    pub(super) fn fill(&self, rows: &[usize], drawn: Drawn<'_>, buffers: &mut Buffers<E>) -> Result<(), AmortizedError> {
        let mut inputs = buffers.inputs.iter_mut();
        for (input, to) in self.data.iter().zip(&mut inputs).filter(|(input, _)| !input.shared) {
            drawn.copy_rows(input, rows, to)?;
        }
        // The last input is the number of the row, for tables.
        if let Some(numbers) = inputs.next() {
            numbers.iter_mut().zip(rows).for_each(|(to, &row)| *to = E::from_f64(row as f64));
        }
        let shape = buffers.shape;
        for (plan, half) in [(self.model_plan, &mut buffers.model), (self.guide_plan, &mut buffers.guide)] {
            fill_inputs(plan, &buffers.inputs, shape, &mut half.work.values);
        }
        Ok(())
    }
}

/// Puts the inputs of the batch in their rows.
pub(super) fn fill_inputs<E: Real>(plan: &Plan, inputs: &[Vec<E>], shape: LaneShape, values: &mut [E]) {
    for (input, rows) in &plan.inputs {
        let columns = Columns { of: rows.len(), first: 0, known: shape.batch };
        shape.to_lanes(&inputs[*input], columns, rows.clone(), values);
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
    /// How much each row bears of what stands outside the loop over the rows.
    pub(super) share: f64,
}

impl Steering<'_> {
    /// The bound as it is, from draws.
    pub(super) const PLAIN: Self = Steering { estimator: AmortizedEstimator::Standard, kl_weight: 1.0, closed: None, share: 0.0 };
}
