//! Operations with derivatives of one's own: several steps in one, where a step of the tape each would cost more than the work.

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Cpu, CpuError, PutTape, Tape, Tensor, TensorFromVec};

use super::strides::Strides;
use super::{Element, Recorder, TensorError};

/// Adds the adjoint of one operand to its gradient.
type Accumulate<E> = Box<dyn FnOnce(&[E], &mut dfdx::tensor::Gradients<E, Cpu>) -> Result<(), CpuError>>;

/// An operation in the making: read the operands, compute, and give the output with its pullback.
///
/// # Examples
/// `x²` by hand, of derivative `2 x`:
/// ```
/// use ppl_core::tensor::{Fused, Scope, TensorError, dfdx::prelude::*};
///
/// let mut scope = Scope::<f64>::new();
/// let x = scope.leaf(&Cpu::default().tensor_from_vec(vec![3.0, -1.0], (2,)));
/// let mut operation = Fused::new("square");
/// let values = operation.input(&x)?;
/// let squares = values.iter().map(|x| x * x).collect();
/// let y = operation.output(*x.shape(), squares, move |cotangent| {
///     vec![cotangent.iter().zip(&values).map(|(c, x)| 2.0 * c * x).collect()]
/// })?;
/// assert_eq!(y.as_vec(), [9.0, 1.0]);
/// assert_eq!(scope.backward(&y, &[1.0, 10.0])?.of(&x)?.as_vec(), [6.0, -20.0]);
/// # Ok::<(), TensorError>(())
/// ```
pub struct Fused<E: Element> {
    name: &'static str,
    operands: Vec<Accumulate<E>>,
}

impl<E: Element> std::fmt::Debug for Fused<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fused").field("name", &self.name).field("operands", &self.operands.len()).finish()
    }
}

impl<E: Element> Fused<E> {
    /// An operation of this name, for errors.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Fused { name, operands: Vec::new() }
    }

    /// The values of the next operand, the last axis fastest; views are read in their order.
    ///
    /// # Errors
    /// [`TensorError::Empty`] if it has no elements.
    pub fn input<S: Shape>(&mut self, tensor: &Tensor<S, E, Cpu, Recorder>) -> Result<Vec<E>, TensorError> {
        let strides = Strides::of(tensor, self.name)?;
        let mut values = vec![E::default(); tensor.shape().num_elements()];
        strides.read(tensor, &mut values);
        let ghost = tensor.ghost();
        self.operands.push(Box::new(move |adjoint, gradients| {
            if strides.check_length("adjoint", adjoint.len()).is_err() {
                return Err(CpuError::WrongNumElements);
            }
            strides.accumulate(adjoint, gradients.get_or_alloc_mut(&ghost)?);
            Ok(())
        }));
        Ok(values)
    }

    /// The result, of these values (the last axis fastest). `pull` makes of its cotangent the adjoints of the operands, in their order.
    ///
    /// # Errors
    /// [`TensorError::WrongNumberOfElements`] if the values are not as many as the shape has; [`TensorError::OutOfMemory`].
    pub fn output<S: Shape>(
        self,
        shape: S,
        values: Vec<E>,
        pull: impl FnOnce(&[E]) -> Vec<Vec<E>> + 'static,
    ) -> Result<Tensor<S, E, Cpu, Recorder>, TensorError> {
        let output = Cpu::default().try_tensor_from_vec(values, shape)?;
        let (ghost, operands) = (output.ghost(), self.operands);
        Recorder.add_backward_op(move |gradients| {
            // The buffer leaves the map for a moment, so that others can be held at once.
            let cotangent = std::mem::take(&mut **gradients.get_or_alloc_mut(&ghost)?);
            let adjoints = pull(&cotangent);
            **gradients.get_or_alloc_mut(&ghost)? = cotangent;
            operands.into_iter().zip(adjoints).try_for_each(|(accumulate, adjoint)| accumulate(&adjoint, gradients))
        });
        Ok(output.put_tape(Recorder))
    }

    /// As [`Fused::output`], of two results.
    ///
    /// # Errors
    /// As [`Fused::output`].
    #[allow(clippy::type_complexity, reason = "two tensors")]
    pub fn outputs<S: Shape, T: Shape>(
        self,
        first: (S, Vec<E>),
        second: (T, Vec<E>),
        pull: impl FnOnce(&[E], &[E]) -> Vec<Vec<E>> + 'static,
    ) -> Result<(Tensor<S, E, Cpu, Recorder>, Tensor<T, E, Cpu, Recorder>), TensorError> {
        let first = Cpu::default().try_tensor_from_vec(first.1, first.0)?;
        let second = Cpu::default().try_tensor_from_vec(second.1, second.0)?;
        let (ghosts, operands) = ((first.ghost(), second.ghost()), self.operands);
        Recorder.add_backward_op(move |gradients| {
            let cotangents = (
                std::mem::take(&mut **gradients.get_or_alloc_mut(&ghosts.0)?),
                std::mem::take(&mut **gradients.get_or_alloc_mut(&ghosts.1)?),
            );
            let adjoints = pull(&cotangents.0, &cotangents.1);
            **gradients.get_or_alloc_mut(&ghosts.0)? = cotangents.0;
            **gradients.get_or_alloc_mut(&ghosts.1)? = cotangents.1;
            operands.into_iter().zip(adjoints).try_for_each(|(accumulate, adjoint)| accumulate(&adjoint, gradients))
        });
        Ok((first.put_tape(Recorder), second.put_tape(Recorder)))
    }
}

#[cfg(test)]
mod tests {
    use dfdx::shapes::{Axes2, Axis};
    use dfdx::tensor_ops::{BroadcastTo, PermuteTo};

    use super::*;
    use crate::tensor::{Matrix, Scope, Vector};

    #[test]
    fn views_are_read_and_differentiated_in_their_order() -> Result<(), TensorError> {
        let device = Cpu::default();
        let matrix: Matrix<f64> = device.tensor_from_vec(vec![1., 2., 3., 4., 5., 6.], (2, 3));
        let vector: Vector<f64> = device.tensor_from_vec(vec![10., 20., 30.], (3,));
        let mut scope = Scope::new();
        let mut operation = Fused::new("product");
        let left = operation.input(&scope.leaf(&matrix).permute::<_, Axes2<1, 0>>())?;
        let right = operation.input(&scope.leaf(&vector).broadcast_like::<_, Axis<1>>(&(3, 2)))?;
        let values = left.iter().zip(&right).map(|(a, b)| a * b).collect::<Vec<_>>();
        assert_eq!(values, [10., 40., 40., 100., 90., 180.]);
        let output = operation.output((6,), values, move |c| {
            vec![c.iter().zip(&right).map(|(c, b)| c * b).collect(), c.iter().zip(&left).map(|(c, a)| c * a).collect()]
        })?;
        let mut gradients = scope.backward(&output, &[1., 2., 3., 4., 5., 6.])?;
        assert_eq!(gradients.of(&matrix)?.as_vec(), [10., 60., 150., 20., 80., 180.]);
        assert_eq!(gradients.of(&vector)?.as_vec(), [9., 26., 51.]);
        Ok(())
    }

    #[test]
    fn both_outputs_give_derivatives() -> Result<(), TensorError> {
        let x: Vector<f64> = Cpu::default().tensor_from_vec(vec![3.0], (1,));
        let both = |scope: &Scope<f64>| {
            let mut operation = Fused::new("square and cube");
            let x = operation.input(&scope.leaf(&x))?[0];
            operation.outputs(((1,), vec![x * x]), ((1,), vec![x * x * x]), move |a, b| {
                vec![vec![2.0 * x * a[0] + 3.0 * x * x * b[0]]]
            })
        };
        let mut scope = Scope::new();
        let (square, cube) = both(&scope)?;
        assert_eq!(scope.backward_both((&square, &[1.0]), (&cube, &[10.0]))?.of(&x)?.as_vec(), [276.0]);
        let (_, cube) = both(&scope)?;
        assert_eq!(scope.backward(&cube, &[1.0])?.of(&x)?.as_vec(), [27.0]);
        Ok(())
    }

    #[test]
    fn numbers_of_elements_are_checked() -> Result<(), TensorError> {
        let x: Vector<f64> = Cpu::default().tensor_from_vec(vec![3.0], (1,));
        let mut scope = Scope::new();
        let mut operation = Fused::new("wrong");
        operation.input(&scope.leaf(&x))?;
        let refused = operation.output((2,), vec![0.0], |_| vec![]).err();
        assert_eq!(refused, Some(TensorError::WrongNumberOfElements));
        let mut operation = Fused::new("wrong");
        operation.input(&scope.leaf(&x))?;
        let output = operation.output((1,), vec![0.0], |_| vec![vec![0.0, 1.0]])?;
        assert_eq!(scope.backward(&output, &[1.0]).err(), Some(TensorError::WrongNumberOfElements));
        Ok(())
    }
}
