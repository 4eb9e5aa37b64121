//! The buffers of an evaluation: made once for each size of batch.

use super::calls::{CallBuffers, Samples};
use super::engine::Engine;
use super::global_latents::{GlobalDraws, GlobalSide};
use super::objective::weigh;
use super::plan::{Plan, Source};
use super::tiles::{Tile, Tiles};
use super::transpose::LaneShape;
use super::{AmortizedObjective, RowInput};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};
use crate::networks::Mode;
use crate::random::step_key;

/// The buffers of a model or of a guide, of one tile.
#[derive(Debug)]
pub(super) struct Half<E> {
    pub(super) work: Workspace<E>,
    pub(super) weights: Weights<E>,
    /// The log density of each lane, in nats.
    pub(super) log: Vec<f64>,
    pub(super) log_det: Vec<f64>,
}

impl<E: Real> Half<E> {
    pub(super) fn new(density: &dyn LogJoint<E>, shape: LaneShape) -> Self {
        Half {
            work: density.workspace(shape.lanes),
            weights: density.unit_weights(shape.lanes),
            log: vec![0.0; shape.lanes],
            log_det: vec![0.0; shape.lanes],
        }
    }
}

/// The model, or the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Model,
    Guide,
}

impl Side {
    /// Its half of a tile.
    pub(super) fn of<E>(self, tile: &mut Tile<E>) -> &mut Half<E> {
        match self {
            Side::Model => &mut tile.model,
            Side::Guide => &mut tile.guide,
        }
    }
}

/// All buffers of an evaluation over batches of one size.
#[derive(Debug)]
pub(super) struct Buffers<E> {
    /// Rows of data.
    pub(super) batch: usize,
    /// Samples of each.
    pub(super) of: Samples,
    pub(super) tiles: Tiles<E>,
    /// Draws of the latents outside the loop over the rows.
    pub(super) globals: Option<GlobalDraws<E>>,
    /// The inputs of the batch, `[row][column]` each, and the numbers of the rows; of those that all rows share, `[column]` if a network reads them.
    pub(super) inputs: Vec<Vec<E>>,
    /// Of the calls of the model.
    pub(super) model_calls: Vec<CallBuffers<E>>,
    /// Of the calls of the guide.
    pub(super) guide_calls: Vec<CallBuffers<E>>,
    /// Of the closed form, whether the divergence counts: for each latent row, as the noise.
    pub(super) above: Vec<bool>,
    /// Gradients of networks that are not wanted.
    pub(super) unwanted: Vec<E>,
}

impl<E: Real> Buffers<E> {
    /// Writes the bound of each row; the mean over the batch.
    pub(super) fn weigh(&mut self, objective: AmortizedObjective) -> f64 {
        let batch = self.batch;
        let Tiles { all, .. } = &mut self.tiles;
        for tile in all.iter_mut() {
            weigh(
                objective,
                (tile.shape, batch),
                (&tile.ratios, &tile.chances),
                &mut tile.bounds,
                &mut tile.weights,
                &mut tile.shares,
            );
        }
        all.iter().flat_map(|tile| &tile.bounds).sum::<f64>() / batch as f64
    }

    /// Of the last gradient, what stands outside the loop over the rows: its part of the bound of all rows, and of the divergence.
    pub(super) fn of_globals(&self) -> (f64, f64) {
        self.globals.as_ref().map_or((0.0, 0.0), |globals| (globals.bound, globals.divergence))
    }

    /// The divergence of the guide from the prior, on average over the lanes that count, in nats a row.
    pub(super) fn mean_divergence(&self) -> f64 {
        let each = 1.0 / self.of.count as f64;
        let of = |tile: &Tile<E>| {
            let lanes = tile.divergence[..tile.shape.real()].iter().enumerate();
            lanes.map(|(lane, x)| x * tile.chances.get(lane).unwrap_or(&each)).sum::<f64>()
        };
        self.tiles.all.iter().map(of).sum::<f64>() / self.batch as f64
    }

    /// Sets the mode of all networks.
    pub(super) fn set_mode(&mut self, mode: Mode) {
        for calls in [&mut self.model_calls, &mut self.guide_calls] {
            for (index, call) in calls.iter_mut().enumerate() {
                call.work.set_mode(match mode {
                    Mode::Evaluate => Mode::Evaluate,
                    Mode::Train { key } => Mode::Train { key: step_key(key, index as u64) },
                });
            }
        }
    }
}

impl<E: Real> Engine<'_, E> {
    /// Buffers for batches of so many rows.
    pub(super) fn buffers(&self, batch: usize, of: Samples) -> Buffers<E> {
        self.buffers_of(Tiles::new(self, batch, of.count), batch, of)
    }

    /// As [`Engine::buffers`], in one tile, whose lanes are the rows.
    pub(super) fn buffers_of_one(&self, batch: usize) -> Buffers<E> {
        self.buffers_of(Tiles::one(self, batch, 1), batch, Samples::of(1))
    }

    fn buffers_of(&self, tiles: Tiles<E>, batch: usize, of: Samples) -> Buffers<E> {
        let calls = |plan: &Plan| plan.calls.iter().map(|call| CallBuffers::new(call, self.data, (batch, of))).collect();
        let all = || self.model_plan.calls.iter().chain(&self.guide_plan.calls);
        let reads =
            |source: &Source, index: usize| matches!(source, Source::Input(own) | Source::OneHot(own, _) if *own == index);
        let called = |index: usize| all().flat_map(|call| &call.operands).any(|operand| reads(&operand.source, index));
        let input = |(index, input): (usize, &RowInput<'_, E>)| match input.shared {
            true if called(index) => input.data.to_vec(),
            true => Vec::new(),
            false => vec![E::default(); batch * input.columns],
        };
        Buffers {
            batch,
            of,
            tiles,
            globals: self.globals.as_ref().map(GlobalSide::draws),
            inputs: self.data.iter().enumerate().map(input).chain([vec![E::default(); batch]]).collect(),
            model_calls: calls(&self.model_plan),
            guide_calls: calls(&self.guide_plan),
            above: vec![true; self.noise_rows() + self.discrete_elements()],
            unwanted: Vec::new(),
        }
    }
}
