//! A network applied to the rows of a batch, and pulled.

use super::buffers::{Buffers, Side};
use super::networks::Learned;
use super::plan::{Outcome, Source, Wired};
use super::tiles::Tile;
use super::transpose::{Columns, LaneShape};
use super::{AmortizedError, RowInput};
use crate::kernel::Real;
use crate::networks::{Pass, Work};

/// What a call keeps: matrices whose rows are those of the batch or, tile after tile, all lanes that count.
#[derive(Debug)]
pub(super) struct CallBuffers<E> {
    /// The input of the batch that it is applied to as it is.
    alone: Option<usize>,
    /// `[row][inputs]`; empty if it is an input of the batch as it is.
    x: Vec<E>,
    /// `[row][outputs]`
    y: Vec<E>,
    y_adjoint: Vec<E>,
    x_adjoint: Vec<E>,
    /// Where one pass serves all rows, results or their adjoints, `[output][sample]`.
    of_samples: Vec<E>,
    pub(super) work: Work<E>,
}

impl<E: Real> CallBuffers<E> {
    pub(super) fn new(call: &Wired, data: &[RowInput<'_, E>], (batch, of): (usize, Samples)) -> Self {
        let alone = alone(call).filter(|&input| data.get(input).is_none_or(|input| !input.shared));
        let rows = of.rows(call, batch);
        let zeros = |columns: usize| vec![E::default(); rows * columns];
        CallBuffers {
            alone,
            x: zeros(if alone.is_some() { 0 } else { call.inputs }),
            y: zeros(call.outputs),
            y_adjoint: zeros(call.outputs),
            x_adjoint: zeros(if call.passes_on() && !of.serves_all_rows(call) { call.inputs } else { 0 }),
            of_samples: zeros(if of.serves_all_rows(call) { call.outputs } else { 0 }),
            work: Work::new(),
        }
    }
}

/// The samples of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Samples {
    pub(super) count: usize,
    /// Whether they are all values that discrete latents have, the same for all rows.
    pub(super) are_all: bool,
}

impl Samples {
    /// So many draws.
    pub(super) fn of(count: usize) -> Self {
        Samples { count, are_all: false }
    }

    /// Whether one pass of a call serves all rows, a row of it for each sample.
    fn serves_all_rows(self, call: &Wired) -> bool {
        self.are_all && call.of_sample
    }

    /// How many rows a call has for each of the batch.
    fn each(self, call: &Wired) -> usize {
        if call.of_row { 1 } else { self.count }
    }

    /// How many rows a call has.
    fn rows(self, call: &Wired, batch: usize) -> usize {
        if self.serves_all_rows(call) { self.count } else { batch * self.each(call) }
    }
}

/// The input that is the only operand.
fn alone(call: &Wired) -> Option<usize> {
    match call.operands[..] {
        [super::plan::Operand { source: Source::Input(index), .. }] => Some(index),
        _ => None,
    }
}

/// How many rows of a call are of a tile.
fn known(call: &Wired, shape: LaneShape) -> usize {
    if call.of_row { shape.batch } else { shape.real() }
}

impl<E: Real> Buffers<E> {
    /// Applies a network.
    pub(super) fn apply(
        &mut self,
        side: Side,
        (index, call): (usize, &Wired),
        network: &Learned<'_, E>,
    ) -> Result<(), AmortizedError> {
        let (each, rows, for_all) = (self.of.each(call), self.of.rows(call, self.batch), self.of.serves_all_rows(call));
        let Buffers { tiles, inputs, model_calls, guide_calls, .. } = self;
        let calls = if side == Side::Model { model_calls } else { guide_calls };
        let CallBuffers { alone, x, y, work, of_samples, .. } = &mut calls[index];
        let x: &[E] = if let Some(input) = *alone {
            &inputs[input]
        } else if for_all {
            // The first row of any tile has the samples of all.
            gather(call, inputs, side, (&tiles.all[0], true), x);
            x
        } else {
            tiles.write(x, each * call.inputs, |tile, x| gather(call, inputs, side, (tile, false), x));
            x
        };
        network.forward(x, rows, work, y)?;
        if for_all {
            turn(y, call.outputs, of_samples);
            tiles.each(|tile| {
                let shape = tile.shape;
                let values = &mut side.of(tile).work.values;
                for (row, column) in call.results.iter().flat_map(columns_of) {
                    let from = &of_samples[column * shape.samples..][..shape.samples];
                    shape.copy_to_rows(from, &mut values[row * shape.lanes..][..shape.lanes]);
                }
            });
            return Ok(());
        }
        tiles.read(y, each * call.outputs, |tile, y| {
            let shape = tile.shape;
            for result in &call.results {
                let columns = Columns { of: call.outputs, first: result.first, known: known(call, shape) };
                shape.to_lanes(y, columns, result.rows.clone(), &mut side.of(tile).work.values);
            }
        });
        Ok(())
    }

    /// Pulls the adjoints of the results of a call back to its network and to the buffer of its operands; `direct` is of the direct derivatives of `log q`, of
    /// which the gradient of the network is not wanted.
    pub(super) fn pull_call(
        &mut self,
        side: Side,
        (index, call): (usize, &Wired),
        network: &mut Learned<'_, E>,
        direct: bool,
    ) -> Result<(), AmortizedError> {
        if network.held && (!call.passes_on() || self.of.serves_all_rows(call)) {
            return Ok(());
        }
        let (each, rows, for_all) = (self.of.each(call), self.of.rows(call, self.batch), self.of.serves_all_rows(call));
        let Buffers { tiles, inputs, model_calls, guide_calls, unwanted, .. } = self;
        let calls = if side == Side::Model { model_calls } else { guide_calls };
        let CallBuffers { alone, x, y, y_adjoint, x_adjoint, work, of_samples } = &mut calls[index];
        if for_all {
            of_samples.fill(E::default());
            for tile in &mut tiles.all {
                let shape = tile.shape;
                let adjoints = if direct { &tile.direct[..] } else { &side.of(tile).work.adjoints[..] };
                for (row, column) in call.results.iter().flat_map(columns_of) {
                    let to = &mut of_samples[column * shape.samples..][..shape.samples];
                    shape.add_over_rows(&adjoints[row * shape.lanes..][..shape.real()], to);
                }
            }
            turn(of_samples, rows, y_adjoint);
            return network.pull(Pass { rows, x, y, y_adjoint }, work, None, direct.then_some(unwanted));
        }
        tiles.write(y_adjoint, each * call.outputs, |tile, y_adjoint| {
            let shape = tile.shape;
            let adjoints = if direct { &tile.direct[..] } else { &side.of(tile).work.adjoints[..] };
            for result in &call.results {
                let columns = Columns { of: call.outputs, first: result.first, known: known(call, shape) };
                shape.to_features(adjoints, result.rows.clone(), call.of_row, y_adjoint, columns);
            }
        });
        x_adjoint.fill(E::default());
        let of_x = call.passes_on().then_some(x_adjoint.as_mut_slice());
        let x = alone.map_or(&x[..], |input| &inputs[input]);
        network.pull(Pass { rows, x, y, y_adjoint }, work, of_x, direct.then_some(unwanted))
    }

    /// Adds the adjoints of some operands of a call to theirs, in adjoints of a tile.
    pub(super) fn add_operands(
        &mut self,
        side: Side,
        (index, call): (usize, &Wired),
        adjoints: impl Fn(&mut Tile<E>) -> &mut [E] + Sync + Send,
        wanted: impl Fn(&Source) -> bool + Sync + Send,
    ) {
        let of_row = self.of.each(call) * call.inputs;
        let Buffers { tiles, model_calls, guide_calls, .. } = self;
        let calls = if side == Side::Model { model_calls } else { guide_calls };
        let of_source = |source: &Source| matches!(source, Source::Latent(_) | Source::Result(_)) && wanted(source);
        if !call.operands.iter().any(|operand| of_source(&operand.source)) {
            return;
        }
        tiles.read(&calls[index].x_adjoint, of_row, |tile, x_adjoint| {
            let shape = tile.shape;
            let adjoints = adjoints(tile);
            for operand in call.operands.iter().filter(|operand| of_source(&operand.source)) {
                if let Source::Latent(rows) | Source::Result(rows) = &operand.source {
                    let columns = Columns { of: call.inputs, first: operand.first, known: known(call, shape) };
                    shape.add_to_lanes(x_adjoint, columns, rows.clone(), adjoints);
                }
            }
        });
    }

    /// As [`Buffers::add_operands`], of discrete latents.
    pub(super) fn add_hot(&mut self, side: Side, (index, call): (usize, &Wired)) {
        // Values that are all there are have no adjoints.
        if self.of.are_all || !call.operands.iter().any(|operand| matches!(operand.source, Source::Hot(_))) {
            return;
        }
        let of_row = self.of.each(call) * call.inputs;
        let Buffers { tiles, model_calls, guide_calls, .. } = self;
        let calls = if side == Side::Model { model_calls } else { guide_calls };
        tiles.read(&calls[index].x_adjoint, of_row, |tile, x_adjoint| {
            for operand in &call.operands {
                if let Source::Hot(rows) = &operand.source {
                    let columns = Columns { of: call.inputs, first: operand.first, known: known(call, tile.shape) };
                    tile.shape.add_to_lanes(x_adjoint, columns, rows.clone(), &mut tile.hot_adjoints);
                }
            }
        });
    }
}

/// The rows of a result in a workspace, each with its column of the output.
fn columns_of(result: &Outcome) -> impl Iterator<Item = (usize, usize)> + '_ {
    result.rows.clone().enumerate().map(|(column, row)| (row, result.first + column))
}

/// A matrix of so many columns with its axes changed.
fn turn<E: Real>(from: &[E], columns: usize, to: &mut [E]) {
    let rows = from.len() / columns.max(1);
    for (column, to) in to.chunks_exact_mut(rows.max(1)).enumerate() {
        to.iter_mut().zip(from[column..].iter().step_by(columns)).for_each(|(to, &own)| *to = own);
    }
}

/// Puts the operands of a call in the rows of a tile, or in a row for each sample.
fn gather<E: Real>(call: &Wired, inputs: &[Vec<E>], side: Side, (tile, of_samples): (&Tile<E>, bool), x: &mut [E]) {
    let (first, shape) = (tile.first, tile.shape);
    let Tile { model, guide, hot, .. } = tile;
    let values = if side == Side::Model { &model.work.values } else { &guide.work.values };
    for operand in &call.operands {
        let columns = operand.columns;
        match &operand.source {
            Source::Input(index) => {
                let input = &inputs[*index];
                // What all rows share is there once.
                let shared = input.len() == columns;
                for (lane, x) in x.chunks_exact_mut(call.inputs).enumerate() {
                    let row = if shared { 0 } else { first + lane % shape.batch };
                    let from = &input[row * columns..(row + 1) * columns];
                    x[operand.first..operand.first + columns].copy_from_slice(from);
                }
            }
            Source::OneHot(index, categories) => {
                let input = &inputs[*index];
                let count = columns / categories;
                let shared = input.len() == count;
                for (lane, x) in x.chunks_exact_mut(call.inputs).enumerate() {
                    let row = if shared { 0 } else { first + lane % shape.batch };
                    let to = x[operand.first..operand.first + columns].chunks_exact_mut(*categories);
                    for (to, index) in to.zip(&input[row * count..(row + 1) * count]) {
                        for (category, to) in to.iter_mut().enumerate() {
                            *to = E::from_f64(f64::from(index.to_f64() == category as f64));
                        }
                    }
                }
            }
            Source::Latent(from) | Source::Result(from) | Source::Drawn(from) | Source::Hot(from) => {
                let values: &[E] = if matches!(operand.source, Source::Hot(_)) { hot } else { values };
                if of_samples {
                    shape.samples_to_features(values, from.clone(), x, (call.inputs, operand.first));
                    continue;
                }
                let to = Columns { of: call.inputs, first: operand.first, known: known(call, shape) };
                shape.to_features(values, from.clone(), false, x, to);
            }
        }
    }
}
