//! The same features at every position of a sequence.

use super::{Layer, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::Real;

/// Puts a row of features one after the other, `steps` times: a latent that every position of a sequence reads.
///
/// # Shapes
/// `x: [rows][features]`, `y: [rows][steps * features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    features: usize,
    steps: usize,
}

impl Repeat {
    /// Of so many features, so many times.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`].
    pub fn new(features: usize, steps: usize) -> Result<Self, NetworkError> {
        for (size, value) in [("the number of features", features), ("the number of steps", steps)] {
            if value == 0 {
                return Err(NetworkError::ZeroSize { layer: "repeat", size });
            }
        }
        Ok(Repeat { features, steps })
    }
}

impl<E: Real> Layer<E> for Repeat {
    fn kind(&self) -> &'static str {
        "repeat"
    }

    fn inputs(&self) -> usize {
        self.features
    }

    fn outputs(&self) -> usize {
        self.steps * self.features
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        Vec::new()
    }

    fn initialize(&self, _key: u64, _parameters: &mut [E]) {}

    fn forward(&self, _parameters: &[E], x: &[E], _rows: usize, _work: &mut Work<E>, y: &mut [E]) {
        for (x, y) in x.chunks_exact(self.features).zip(y.chunks_exact_mut(self.steps * self.features)) {
            y.chunks_exact_mut(self.features).for_each(|y| y.copy_from_slice(x));
        }
    }

    fn pull(&self, _parameters: &[E], pass: Pass<'_, E>, _work: &mut Work<E>, x_adjoint: Option<&mut [E]>, _gradient: &mut [E]) {
        let Some(x_adjoint) = x_adjoint else { return };
        let rows = x_adjoint.chunks_exact_mut(self.features).zip(pass.y_adjoint.chunks_exact(self.steps * self.features));
        for (to, adjoint) in rows {
            for adjoint in adjoint.chunks_exact(self.features) {
                to.iter_mut().zip(adjoint).for_each(|(to, &a)| *to = *to + a);
            }
        }
    }
}
