//! Networks: what models and guides drive.

use super::parallel::in_pool;
use super::{Layer, NetworkError, ParameterTensor, Pass, Sequential, Work};
use crate::kernel::Real;

/// A differentiable map of rows of features that owns its parameters.
pub trait Network<E: Real>: Send + Sync {
    /// The number of features of a row of the input.
    fn inputs(&self) -> usize;
    /// The number of features of a row of the output.
    fn outputs(&self) -> usize;
    /// All parameters, flat.
    fn parameters(&self) -> &[E];
    /// All parameters, to be changed.
    fn parameters_mut(&mut self) -> &mut [E];
    /// Names, shapes and places of the tensors in the parameters.
    fn tensors(&self) -> Vec<ParameterTensor>;
    /// Writes `y`, and keeps in `work` what the pullback needs.
    ///
    /// # Shapes
    /// `x: [rows][inputs]`, `y: [rows][outputs]`.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if a slice does not fit; [`NetworkError::Index`] of an embedding.
    fn forward(&self, x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) -> Result<(), NetworkError> {
        self.forward_with(&self.parameters, x, rows, work, y)
    }

    fn pull(
        &self,
        pass: Pass<'_, E>,
        work: &mut Work<E>,
        x_adjoint: Option<&mut [E]>,
        gradient: &mut [E],
    ) -> Result<(), NetworkError> {
        self.pull_with(&self.parameters, pass, work, x_adjoint, gradient)
    }
}
