//! Embeddings: a learned vector for each index.

use super::sizes::check_sizes;
use super::{Layer, NetworkError, ParameterTensor, Pass, Work, initialization};
use crate::kernel::Real;

/// Looks a vector up for each index of a row and puts these one after the other. An index has no derivative.
///
/// # Shapes
/// `x: [rows][positions]`, whole numbers below `size`; `y: [rows][positions * features]`; `weight: [size][features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedding {
    size: usize,
    features: usize,
    positions: usize,
}

impl Embedding {
    /// Of `size` vectors of `features` numbers, for rows of so many positions.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn new(size: usize, features: usize, positions: usize) -> Result<Self, NetworkError> {
        let sizes =
            [("the number of vectors", size), ("the number of features", features), ("the number of positions", positions)];
        check_sizes("embedding", &sizes)?;
        Ok(Embedding { size, features, positions })
    }

    /// The place of the vector of an index that was checked.
    fn range<E: Real>(self, index: E) -> std::ops::Range<usize> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below the size")]
        let start = (index.to_f64() as usize).min(self.size - 1) * self.features;
        start..start + self.features
    }
}

impl<E: Real> Layer<E> for Embedding {
    fn kind(&self) -> &'static str {
        "embedding"
    }

    fn inputs(&self) -> usize {
        self.positions
    }

    fn outputs(&self) -> usize {
        self.positions * self.features
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        ParameterTensor::consecutive(&[("weight", &[self.size, self.features])])
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        initialization::normal(1.0, key, parameters);
    }

    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        let index_of = |value: &E| {
            let value = value.to_f64();
            value >= 0.0 && value < self.size as f64 && value.fract() == 0.0
        };
        match x[..rows * self.positions].iter().position(|value| !index_of(value)) {
            None => Ok(()),
            Some(at) => Err(NetworkError::Index {
                row: at / self.positions,
                position: at % self.positions,
                value: x[at].to_f64().to_string(),
                size: self.size,
            }),
        }
    }

    fn forward(&self, parameters: &[E], x: &[E], _rows: usize, _work: &mut Work<E>, y: &mut [E]) {
        for (&index, y) in x.iter().zip(y.chunks_exact_mut(self.features)) {
            y.copy_from_slice(&parameters[self.range(index)]);
        }
    }

    fn pull(&self, _parameters: &[E], pass: Pass<'_, E>, _work: &mut Work<E>, _x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        for (&index, adjoint) in pass.x.iter().zip(pass.y_adjoint.chunks_exact(self.features)) {
            gradient[self.range(index)].iter_mut().zip(adjoint).for_each(|(g, &a)| *g = *g + a);
        }
    }
}
