//! Networks: what models and guides drive.

use std::sync::Arc;

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
    fn forward(&self, x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) -> Result<(), NetworkError>;
    /// Adds the adjoints of the input and of the parameters, after a forward pass with the same `work`.
    ///
    /// # Shapes
    /// `x_adjoint: [rows][inputs]`, `gradient: [parameters]`.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if a slice does not fit.
    fn pull(
        &self,
        pass: Pass<'_, E>,
        work: &mut Work<E>,
        x_adjoint: Option<&mut [E]>,
        gradient: &mut [E],
    ) -> Result<(), NetworkError>;
}

/// An architecture and its parameters. Clones share the architecture.
#[derive(Clone, Debug)]
pub struct Parameterized<E: Real> {
    architecture: Arc<Sequential<E>>,
    parameters: Vec<E>,
}

impl<E: Real> Parameterized<E> {
    /// With parameters drawn from a seed: the same seed gives the same bits.
    #[must_use]
    pub fn initialize(architecture: Sequential<E>, seed: u64) -> Self {
        let mut parameters = vec![E::default(); architecture.parameter_count()];
        architecture.initialize(seed, &mut parameters);
        Parameterized { architecture: Arc::new(architecture), parameters }
    }

    /// With these parameters.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if they are not as many as the architecture has.
    pub fn new(architecture: Sequential<E>, parameters: Vec<E>) -> Result<Self, NetworkError> {
        check("parameters", parameters.len(), architecture.parameter_count())?;
        Ok(Parameterized { architecture: Arc::new(architecture), parameters })
    }

    /// The layers, for parameters of one's own, such as draws of a Bayesian network.
    #[must_use]
    pub fn architecture(&self) -> &Sequential<E> {
        &self.architecture
    }

    /// [`Network::forward`] with other parameters than its own: `[parameters]`.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn forward_with(
        &self,
        parameters: &[E],
        x: &[E],
        rows: usize,
        work: &mut Work<E>,
        y: &mut [E],
    ) -> Result<(), NetworkError> {
        check("parameters", parameters.len(), self.parameters.len())?;
        check("x", x.len(), rows.saturating_mul(self.inputs()))?;
        check("y", y.len(), rows.saturating_mul(self.outputs()))?;
        self.architecture.check_input(x, rows)?;
        in_pool(rows * parameters.len(), || self.architecture.forward(parameters, x, rows, work, y));
        Ok(())
    }

    /// [`Network::pull`] with other parameters than its own, those of the forward pass: `[parameters]`.
    ///
    /// # Errors
    /// As [`Network::pull`].
    pub fn pull_with(
        &self,
        parameters: &[E],
        pass: Pass<'_, E>,
        work: &mut Work<E>,
        x_adjoint: Option<&mut [E]>,
        gradient: &mut [E],
    ) -> Result<(), NetworkError> {
        check("parameters", parameters.len(), self.parameters.len())?;
        check("x", pass.x.len(), pass.rows.saturating_mul(self.inputs()))?;
        check("y", pass.y.len(), pass.rows.saturating_mul(self.outputs()))?;
        check("y_adjoint", pass.y_adjoint.len(), pass.rows.saturating_mul(self.outputs()))?;
        check("gradient", gradient.len(), parameters.len())?;
        if let Some(x_adjoint) = &x_adjoint {
            check("x_adjoint", x_adjoint.len(), pass.rows.saturating_mul(self.inputs()))?;
        }
        in_pool(pass.rows * parameters.len(), || self.architecture.pull(parameters, pass, work, x_adjoint, gradient));
        Ok(())
    }
}

/// That a slice has the length it must have.
pub(super) fn check(operand: &'static str, got: usize, expected: usize) -> Result<(), NetworkError> {
    if got == expected { Ok(()) } else { Err(NetworkError::Length { operand, expected, got }) }
}

impl<E: Real> Network<E> for Parameterized<E> {
    fn inputs(&self) -> usize {
        self.architecture.inputs()
    }

    fn outputs(&self) -> usize {
        self.architecture.outputs()
    }

    fn parameters(&self) -> &[E] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [E] {
        &mut self.parameters
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        self.architecture.tensors()
    }

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
