//! An activation as a layer of its own, for layers that have none within.

use super::elementwise::{apply, deactivate};
use super::sizes::check_sizes;
use super::sums::add;
use super::{Activation, Layer, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::Real;

/// `y = activation(x)`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activate {
    size: usize,
    activation: Activation,
}

impl Activate {
    /// Over so many features.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn new(size: usize, activation: Activation) -> Result<Self, NetworkError> {
        check_sizes("activate", &[("the number of features", size)])?;
        Ok(Activate { size, activation })
    }
}

impl<E: Real> Layer<E> for Activate {
    fn kind(&self) -> &'static str {
        "activate"
    }

    fn inputs(&self) -> usize {
        self.size
    }

    fn outputs(&self) -> usize {
        self.size
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        Vec::new()
    }

    fn initialize(&self, _key: u64, _parameters: &mut [E]) {}

    fn forward(&self, _parameters: &[E], x: &[E], _rows: usize, _work: &mut Work<E>, y: &mut [E]) {
        apply(self.activation, x, y);
    }

    fn pull(&self, _parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, _gradient: &mut [E]) {
        let Some(x_adjoint) = x_adjoint else { return };
        let [delta] = work.buffers([pass.y.len()]);
        deactivate(self.activation, if self.activation.needs_argument() { pass.x } else { pass.y }, pass.y_adjoint, delta);
        add(delta, &[], x_adjoint);
    }
}
