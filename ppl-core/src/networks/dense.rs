//! A fully connected layer: matrix product, bias and activation.

use super::elementwise::{activate, deactivate};
use super::sizes::check_sizes;
use super::sums::add_column_sums;
use super::{Activation, Layer, NetworkError, ParameterTensor, Pass, Work, initialization};
use crate::kernel::Real;
use crate::kernel::matrix::{View, multiply_shared};

/// `y = activation(x W^T + b)`
///
/// # Shapes
/// `weight: [outputs][inputs]`, `bias: [outputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

impl Dense {
    /// A layer of these sizes.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn new(inputs: usize, outputs: usize, activation: Activation) -> Result<Self, NetworkError> {
        check_sizes("dense", &[("the number of inputs", inputs), ("the number of outputs", outputs)])?;
        Ok(Dense { inputs, outputs, activation })
    }

    /// What is kept of an output to know the derivative of the activation.
    fn kept(self, rows: usize) -> usize {
        if self.activation.needs_argument() { rows * self.outputs } else { 0 }
    }
}

/// A matrix whose rows follow each other.
pub(super) fn matrix<E>(data: &[E], rows: usize, columns: usize) -> View<'_, E> {
    View { data, rows, columns, row_stride: columns, column_stride: 1 }
}

/// The transpose of a matrix whose rows follow each other.
pub(super) fn transposed<E>(data: &[E], rows: usize, columns: usize) -> View<'_, E> {
    View { data, rows: columns, columns: rows, row_stride: 1, column_stride: columns }
}

impl<E: Real> Layer<E> for Dense {
    fn kind(&self) -> &'static str {
        "dense"
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        ParameterTensor::consecutive(&[("weight", &[self.outputs, self.inputs]), ("bias", &[self.outputs])])
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        let (weight, bias) = parameters.split_at_mut(self.inputs * self.outputs);
        initialization::weights(self.activation, key, self.inputs, self.outputs, weight);
        bias.fill(E::default());
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let (weight, bias) = parameters.split_at(self.inputs * self.outputs);
        let [arguments] = work.buffers([self.kept(rows)]);
        let weight = transposed(weight, self.outputs, self.inputs);
        multiply_shared(matrix(x, rows, self.inputs), weight, y, self.outputs, false);
        activate(self.activation, bias, y, arguments);
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let Pass { rows, x, y, y_adjoint } = pass;
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (d_weight, d_bias) = gradient.split_at_mut(inputs * outputs);
        let own = if self.activation == Activation::Identity { 0 } else { rows * outputs };
        let [arguments, delta] = work.buffers([self.kept(rows), own]);
        let delta = if self.activation == Activation::Identity {
            y_adjoint
        } else {
            deactivate(self.activation, if arguments.is_empty() { y } else { arguments }, y_adjoint, delta);
            delta
        };
        multiply_shared(transposed(delta, rows, outputs), matrix(x, rows, inputs), d_weight, inputs, true);
        add_column_sums(delta, &[], d_bias);
        if let Some(x_adjoint) = x_adjoint {
            let weight = matrix(&parameters[..inputs * outputs], outputs, inputs);
            multiply_shared(matrix(delta, rows, outputs), weight, x_adjoint, inputs, true);
        }
    }
}
