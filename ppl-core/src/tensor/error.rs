//! What can go wrong with a tensor, found before dfdx would panic on it.

use dfdx::tensor::CpuError;

/// Why an operation on tensors was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The shape of an operand is not the one that the operation needs.
    #[error("`{operation}` expected a tensor of shape {expected:?}, but `{operand}` has shape {got:?}")]
    Shape {
        /// The operation.
        operation: &'static str,
        /// The operand that does not fit.
        operand: &'static str,
        /// The shape it must have.
        expected: Vec<usize>,
        /// The shape it has.
        got: Vec<usize>,
    },
    /// The unconstrained values do not have as many rows as the model has dimensions.
    #[error(
        "the log joint density of `{model}` is over {expected} unconstrained dimensions, but the tensor has {got} rows; \
         its shape is (dimension, sample)"
    )]
    Dimension {
        /// The model.
        model: &'static str,
        /// The number of unconstrained dimensions.
        expected: usize,
        /// The number of rows of the tensor.
        got: usize,
    },
    /// A slice is not as long as the tensor it belongs to.
    #[error("`{operation}` expected {expected} elements, one for each of the tensor's, but got {got}")]
    Length {
        /// The operation.
        operation: &'static str,
        /// The number of elements of the tensor.
        expected: usize,
        /// The length of the slice.
        got: usize,
    },
    /// A tensor without elements, which dfdx cannot differentiate.
    #[error(
        "`{operation}` cannot be applied to a tensor without elements (shape {shape:?}); leave the operation out where there is nothing to compute"
    )]
    Empty {
        /// The operation.
        operation: &'static str,
        /// The shape of the tensor.
        shape: Vec<usize>,
    },
    /// There is not enough memory for a tensor.
    #[error("there is not enough memory for a tensor; use fewer samples, or a smaller batch")]
    OutOfMemory,
    /// A tensor was made from the wrong number of elements: a bug of the operation that made it.
    #[error("a tensor was made from a number of elements that is not the size of its shape")]
    WrongNumberOfElements,
}

impl From<CpuError> for TensorError {
    fn from(error: CpuError) -> Self {
        match error {
            CpuError::OutOfMemory => Self::OutOfMemory,
            CpuError::WrongNumElements => Self::WrongNumberOfElements,
        }
    }
}
