//! The buffers of an evaluation: made once for each size of batch.

use super::calls::CallBuffers;
use super::engine::Engine;
use super::global_latents::{GlobalDraws, GlobalSide};
use super::objective::weigh;
use super::plan::{Plan, Source};
use super::transpose::LaneShape;
use super::{AmortizedObjective, RowInput};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};
use crate::networks::Mode;
use crate::random::step_key;

/// The buffers of a model or of a guide.
#[derive(Debug)]
pub(super) struct Half<E> {
    pub(super) work: Workspace<E>,
    pub(super) weights: Weights<E>,
    /// The log density of each lane, in nats.
    pub(super) log: Vec<f64>,
    pub(super) log_det: Vec<f64>,
    pub(super) calls: Vec<CallBuffers<E>>,
}

impl<E: Real> Half<E> {
    pub(super) fn new(density: &dyn LogJoint<E>, plan: &Plan, shape: LaneShape) -> Self {
        Half {
            work: density.workspace(shape.lanes),
            weights: density.unit_weights(shape.lanes),
            log: vec![0.0; shape.lanes],
            log_det: vec![0.0; shape.lanes],
            calls: plan.calls.iter().map(|call| CallBuffers::new(call, shape)).collect(),
        }
    }

    pub(super) fn set_mode(&mut self, mode: Mode) {
        for (index, call) in self.calls.iter_mut().enumerate() {
            call.work.set_mode(match mode {
                Mode::Evaluate => Mode::Evaluate,
                Mode::Train { key } => Mode::Train { key: step_key(key, index as u64) },
            });
        }
    }
}

/// All buffers of an evaluation over batches of one size.
#[derive(Debug)]
pub(super) struct Buffers<E> {
    pub(super) shape: LaneShape,
    pub(super) model: Half<E>,
    pub(super) guide: Half<E>,
    /// Draws of the latents outside the loop over the rows.
    pub(super) globals: Option<GlobalDraws<E>>,
    /// The inputs of the batch, `[row][column]` each, and the numbers of the rows; of those that all rows share, `[column]` if a network reads them.
    pub(super) inputs: Vec<Vec<E>>,
    /// Standard normal noise, `[latent row][lane]`.
    pub(super) noise: Vec<E>,
    /// The direct derivative of `log q` by the unconstrained numbers of the guide, `[row][lane]`.
    pub(super) direct: Vec<E>,
    /// `log p - log q` of each lane.
    pub(super) ratios: Vec<f64>,
    /// The divergence of each lane: `log q - log prior`, or the closed form.
    pub(super) divergence: Vec<f64>,
    /// Of the closed form, whether the divergence counts: for each latent row, as the noise.
    pub(super) above: Vec<bool>,
    /// The bound of each row of the batch.
    pub(super) bounds: Vec<f64>,
    pub(super) weights: Vec<E>,
    /// The derivative of what is maximised by the divergence of each lane.
    pub(super) of_divergence: Vec<E>,
    pub(super) shares: Vec<E>,
    /// The log densities of the rows of one factor.
    pub(super) factor: Vec<E>,
    /// Gradients of networks that are not wanted.
    pub(super) unwanted: Vec<E>,
}

impl<E: Real> Buffers<E> {
    /// Writes the bound of each row; the mean over the batch.
    pub(super) fn weigh(&mut self, objective: AmortizedObjective) -> f64 {
        weigh(objective, self.shape, &self.ratios, &mut self.bounds, &mut self.weights, &mut self.shares);
        self.bounds.iter().sum::<f64>() / self.shape.batch as f64
    }

    /// Of the last gradient, what stands outside the loop over the rows: its part of the bound of all rows, and of the divergence.
    pub(super) fn of_globals(&self) -> (f64, f64) {
        self.globals.as_ref().map_or((0.0, 0.0), |globals| (globals.bound, globals.divergence))
    }

    /// The first lane that counts whose log ratio is not finite.
    pub(super) fn first_bad_lane(&self) -> Option<usize> {
        (0..self.shape.real()).find(|&lane| !self.ratios[lane].is_finite())
    }
}

impl<E: Real> Engine<'_, E> {
    /// Buffers for batches of so many rows.
    pub(super) fn buffers(&self, batch: usize, samples: usize) -> Buffers<E> {
        let shape = LaneShape::new::<E>(batch, samples);
        let zeros = |rows: usize| vec![E::default(); rows * shape.lanes];
        let noise: usize = self.guide_plan.located.iter().map(|located| located.rows.len()).sum();
        let factor_rows = self.prior.iter().map(|&factor| self.model.factor_rows(factor)).max().unwrap_or(0);
        let calls = || self.model_plan.calls.iter().chain(&self.guide_plan.calls);
        let called = |index: usize| calls().flat_map(|call| &call.operands).any(|operand| operand.source == Source::Input(index));
        let input = |(index, input): (usize, &RowInput<'_, E>)| match input.shared {
            true if called(index) => input.data.to_vec(),
            true => Vec::new(),
            false => vec![E::default(); batch * input.columns],
        };
        Buffers {
            shape,
            model: Half::new(self.model, self.model_plan, shape),
            guide: Half::new(self.guide, self.guide_plan, shape),
            globals: self.globals.as_ref().map(GlobalSide::draws),
            inputs: self.data.iter().enumerate().map(input).chain([vec![E::default(); batch]]).collect(),
            noise: zeros(noise),
            direct: zeros(self.guide.layout().unconstrained()),
            ratios: vec![0.0; shape.lanes],
            divergence: vec![0.0; shape.lanes],
            above: vec![true; noise],
            bounds: vec![0.0; batch],
            weights: zeros(1),
            of_divergence: zeros(1),
            shares: zeros(1),
            factor: zeros(factor_rows),
            unwanted: Vec::new(),
        }
    }
}
