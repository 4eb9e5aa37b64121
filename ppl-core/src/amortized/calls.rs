//! A network applied to the rows of a batch, and pulled.

use super::AmortizedError;
use super::networks::Learned;
use super::plan::{Source, Wired};
use super::transpose::{Columns, LaneShape};
use crate::kernel::Real;
use crate::networks::{Pass, Work};

/// What a call keeps.
#[derive(Debug)]
pub(super) struct CallBuffers<E> {
    /// `[row][inputs]`
    x: Vec<E>,
    /// `[row][outputs]`
    y: Vec<E>,
    y_adjoint: Vec<E>,
    x_adjoint: Vec<E>,
    pub(super) work: Work<E>,
}

impl<E: Real> CallBuffers<E> {
    pub(super) fn new(call: &Wired, shape: LaneShape) -> Self {
        let rows = known(call, shape);
        let zeros = |columns: usize| vec![E::default(); rows * columns];
        CallBuffers {
            x: zeros(call.inputs),
            y: zeros(call.outputs),
            y_adjoint: zeros(call.outputs),
            x_adjoint: zeros(if call.passes_on() { call.inputs } else { 0 }),
            work: Work::new(),
        }
    }
}

/// How many rows a call is of: those of the batch, or all lanes that count.
fn known(call: &Wired, shape: LaneShape) -> usize {
    if call.of_row { shape.batch } else { shape.real() }
}

/// Applies a network.
pub(super) fn forward<E: Real>(
    call: &Wired,
    network: &Learned<'_, E>,
    shape: LaneShape,
    inputs: &[Vec<E>],
    buffers: &mut CallBuffers<E>,
    values: &mut [E],
) -> Result<(), AmortizedError> {
    let rows = known(call, shape);
    let CallBuffers { x, y, work, .. } = buffers;
    for operand in &call.operands {
        let columns = operand.columns;
        match &operand.source {
            Source::Input(index) => {
                let from = &inputs[*index];
                // What all rows share is there once.
                let shared = from.len() == columns;
                for (lane, x) in x.chunks_exact_mut(call.inputs).enumerate() {
                    let row = if shared { 0 } else { lane % shape.batch };
                    x[operand.first..operand.first + columns].copy_from_slice(&from[row * columns..(row + 1) * columns]);
                }
            }
            Source::Latent(from) | Source::Result(from) => {
                shape.to_features(values, from.clone(), false, x, Columns { of: call.inputs, first: operand.first, known: rows });
            }
        }
    }
    network.forward(x, rows, work, y)?;
    for result in &call.results {
        let columns = Columns { of: call.outputs, first: result.first, known: rows };
        shape.to_lanes(y, columns, result.rows.clone(), values);
    }
    Ok(())
}

/// Pulls the adjoints of the results of a call back, to its network and to the buffer of its operands.
pub(super) fn pull_call<E: Real>(
    call: &Wired,
    network: &mut Learned<'_, E>,
    shape: LaneShape,
    buffers: &mut CallBuffers<E>,
    adjoints: &[E],
    unwanted: Option<&mut Vec<E>>,
) -> Result<(), AmortizedError> {
    let rows = known(call, shape);
    if network.held && !call.passes_on() {
        return Ok(());
    }
    let CallBuffers { x, y, y_adjoint, x_adjoint, work } = buffers;
    for result in &call.results {
        let columns = Columns { of: call.outputs, first: result.first, known: rows };
        shape.to_features(adjoints, result.rows.clone(), call.of_row, y_adjoint, columns);
    }
    x_adjoint.fill(E::default());
    let of_x = call.passes_on().then_some(x_adjoint.as_mut_slice());
    network.pull(Pass { rows, x, y, y_adjoint }, work, of_x, unwanted)
}

/// Adds the adjoints of some operands of a call to theirs.
pub(super) fn add_operands<E: Real>(
    call: &Wired,
    shape: LaneShape,
    buffers: &CallBuffers<E>,
    adjoints: &mut [E],
    wanted: impl Fn(&Source) -> bool,
) {
    for operand in call.operands.iter().filter(|operand| wanted(&operand.source)) {
        if let Source::Latent(rows) | Source::Result(rows) = &operand.source {
            let columns = Columns { of: call.inputs, first: operand.first, known: known(call, shape) };
            shape.add_to_lanes(&buffers.x_adjoint, columns, rows.clone(), adjoints);
        }
    }
}
