//! A connection around other layers.

use super::sums::add;
use super::{Layer, NetworkError, ParameterTensor, Pass, Sequential, Work};
use crate::kernel::Real;

/// `y = x + inner(x)` (He, Zhang, Ren & Sun 2016).
#[derive(Debug)]
pub struct Residual<E: Real> {
    inner: Sequential<E>,
}

impl<E: Real> Residual<E> {
    /// Around these layers.
    ///
    /// # Errors
    /// [`NetworkError::NotResidual`] if they do not give as many features as they take.
    pub fn new(inner: Sequential<E>) -> Result<Self, NetworkError> {
        let (inputs, outputs) = (inner.inputs(), inner.outputs());
        if inputs == outputs { Ok(Residual { inner }) } else { Err(NetworkError::NotResidual { inputs, outputs }) }
    }
}

impl<E: Real> Layer<E> for Residual<E> {
    fn kind(&self) -> &'static str {
        "residual"
    }

    fn inputs(&self) -> usize {
        self.inner.inputs()
    }

    fn outputs(&self) -> usize {
        self.inner.outputs()
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        self.inner.tensors().into_iter().map(|tensor| tensor.within("inner", 0)).collect()
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        self.inner.initialize(key, parameters);
    }

    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        self.inner.check_input(x, rows)
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        // The output within is kept: activations are differentiated from their values.
        let (buffers, inner) = work.open(std::iter::once(y.len()), 1);
        self.inner.forward(parameters, x, rows, &mut inner[0], &mut buffers[0]);
        y.copy_from_slice(x);
        add(&buffers[0], &[], y);
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let (buffers, inner) = work.open(std::iter::once(pass.y.len()), 1);
        let within = Pass { y: &buffers[0], ..pass };
        let mut x_adjoint = x_adjoint;
        self.inner.pull(parameters, within, &mut inner[0], x_adjoint.as_deref_mut(), gradient);
        if let Some(x_adjoint) = x_adjoint {
            add(pass.y_adjoint, &[], x_adjoint);
        }
    }
}
