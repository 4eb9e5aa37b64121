//! The same layers at every position of a sequence.

use super::{Layer, NetworkError, ParameterTensor, Pass, Sequential, Work};
use crate::kernel::Real;

/// Applies layers to each position of a sequence by itself, with the same parameters at all of them: `TimeDistributed` of Keras.
///
/// # Shapes
/// `x: [rows][steps * inputs]`, `y: [rows][steps * outputs]`, of the inputs and outputs of the layers within.
#[derive(Debug)]
pub struct EachStep<E: Real> {
    inner: Sequential<E>,
    steps: usize,
}

impl<E: Real> EachStep<E> {
    /// At so many positions.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`].
    pub fn new(steps: usize, inner: Sequential<E>) -> Result<Self, NetworkError> {
        if steps == 0 {
            return Err(NetworkError::ZeroSize { layer: "each_step", size: "the number of steps" });
        }
        Ok(EachStep { inner, steps })
    }
}

impl<E: Real> Layer<E> for EachStep<E> {
    fn kind(&self) -> &'static str {
        "each_step"
    }

    fn inputs(&self) -> usize {
        self.steps * self.inner.inputs()
    }

    fn outputs(&self) -> usize {
        self.steps * self.inner.outputs()
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        self.inner.tensors().into_iter().map(|tensor| tensor.within("inner", 0)).collect()
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        self.inner.initialize(key, parameters);
    }

    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        let mut of_rows = x.chunks_exact(self.inputs().max(1)).take(rows).enumerate();
        of_rows.try_for_each(|(row, x)| self.inner.check_input(x, self.steps).map_err(|error| error.of_row(row)))
    }

    // Positions follow each other in a row as rows do in a matrix.
    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        self.inner.forward(parameters, x, rows * self.steps, work, y);
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        self.inner.pull(parameters, Pass { rows: pass.rows * self.steps, ..pass }, work, x_adjoint, gradient);
    }
}
