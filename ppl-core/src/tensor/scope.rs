//! A scope records operations from its leaves on and plays them back as derivatives.

use std::marker::PhantomData;

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, Tensor};

use super::element::Recorded;
use super::recorder::{Operation, Recorder};
use super::strides::Strides;
use super::{Scalar, TensorError};

/// Records the operations on its leaves, and all that follows from them, until it is dropped.
///
/// One scope serves any number of passes: [`Scope::gradient`] and [`Scope::backward`] consume what was recorded, and the next pass
/// starts from nothing. Scopes nest: operations are recorded by the innermost open scope of the thread alone, so to an outer scope
/// what was computed inside is a constant. A scope stays on its thread.
///
/// # Examples
/// The derivative of `x² y` at (3, 2) is (12, 9):
/// ```
/// use ppl_core::tensor::{Scope, TensorError, dfdx::prelude::*};
///
/// let device = Cpu::default();
/// let mut scope = Scope::<f64>::new();
/// let x = scope.leaf(&device.tensor(3.0));
/// let y = scope.leaf(&device.tensor(2.0));
/// let mut gradients = scope.gradient(&(x.clone().square() * y.clone()))?;
/// assert_eq!(gradients.of(&x)?.array(), 12.0);
/// assert_eq!(gradients.of(&y)?.array(), 9.0);
/// # Ok::<(), TensorError>(())
/// ```
#[derive(Debug)]
pub struct Scope<E: Recorded> {
    name: u64,
    /// The recordings are the thread's, so the scope must not leave it.
    thread_bound: PhantomData<*const E>,
}

impl<E: Recorded> Scope<E> {
    /// Starts to record on this thread.
    #[must_use]
    pub fn new() -> Self {
        // Scope 0 is never opened: while the thread is being torn down there is nothing to record into.
        let name = E::with_recordings(super::recorder::Recordings::open).unwrap_or(0);
        Self { name, thread_bound: PhantomData }
    }

    /// A tensor whose gradient is wanted. It shares its values with `tensor`, and its gradient may be asked for by either.
    pub fn leaf<S: Shape>(&self, tensor: &Tensor<S, E, Cpu>) -> Tensor<S, E, Cpu, Recorder> {
        tensor.retaped::<Recorder>()
    }

    /// The gradients of one number.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`].
    pub fn gradient(&mut self, objective: &Scalar<E, Recorder>) -> Result<Gradients<E>, TensorError> {
        self.backward(objective, &[E::ONE])
    }

    /// The pullback of a cotangent: the gradients of `Σ cotangent[i] output[i]`.
    ///
    /// # Shapes
    /// `cotangent` has an entry for each element of `output`, the last axis fastest.
    ///
    /// # Errors
    /// [`TensorError::Length`] if it has not, [`TensorError::Empty`] if there are no elements, [`TensorError::OutOfMemory`]. What was
    /// recorded is consumed in every case.
    pub fn backward<S: Shape>(
        &mut self,
        output: &Tensor<S, E, Cpu, Recorder>,
        cotangent: &[E],
    ) -> Result<Gradients<E>, TensorError> {
        self.play(|gradients| seed(output, cotangent, gradients))
    }

    /// As [`Scope::backward`], of two outputs at once: the gradients of the sum of both.
    ///
    /// # Errors
    /// As [`Scope::backward`].
    pub fn backward_both<S: Shape, T: Shape>(
        &mut self,
        first: (&Tensor<S, E, Cpu, Recorder>, &[E]),
        second: (&Tensor<T, E, Cpu, Recorder>, &[E]),
    ) -> Result<Gradients<E>, TensorError> {
        self.play(|gradients| {
            seed(first.0, first.1, gradients)?;
            seed(second.0, second.1, gradients)
        })
    }

    /// Plays the recording back, from gradients that `seed` gives the outputs.
    fn play(
        &mut self,
        seed: impl FnOnce(&mut dfdx::tensor::Gradients<E, Cpu>) -> Result<(), TensorError>,
    ) -> Result<Gradients<E>, TensorError> {
        let mut operations = self.exchange(Vec::new());
        let mut gradients = dfdx::tensor::Gradients::leaky();
        seed(&mut gradients)?;
        while let Some(operation) = operations.pop() {
            operation(&mut gradients)?;
        }
        self.exchange(operations);
        Ok(Gradients { gradients })
    }

    fn exchange(&mut self, empty: Vec<Operation<E>>) -> Vec<Operation<E>> {
        E::with_recordings(|recordings| recordings.exchange(self.name, empty)).unwrap_or_default()
    }
}

impl<E: Recorded> Default for Scope<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Recorded> Drop for Scope<E> {
    fn drop(&mut self) {
        // The operations are dropped after the thread's list is released: they own tensors of any kind.
        let operations = E::with_recordings(|recordings| recordings.close(self.name));
        drop(operations);
    }
}

/// Adds a cotangent to the gradient of an output.
fn seed<S: Shape, E: Recorded>(
    output: &Tensor<S, E, Cpu, Recorder>,
    cotangent: &[E],
    gradients: &mut dfdx::tensor::Gradients<E, Cpu>,
) -> Result<(), TensorError> {
    let strides = Strides::of(output, "backward")?;
    strides.check_length("backward", cotangent.len())?;
    strides.accumulate(cotangent, gradients.get_or_alloc_mut(output)?);
    Ok(())
}

/// The derivatives that a pass has made, by tensor.
#[derive(Debug)]
pub struct Gradients<E: Recorded> {
    gradients: dfdx::tensor::Gradients<E, Cpu>,
}

impl<E: Recorded> Gradients<E> {
    /// The gradient with respect to a tensor; zero if the output does not depend on it.
    ///
    /// A view of a leaf (reshaped, permuted, broadcast) shares the gradient of the leaf.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`].
    pub fn of<S: Shape, T>(&mut self, tensor: &Tensor<S, E, Cpu, T>) -> Result<Tensor<S, E, Cpu>, TensorError> {
        self.gradients.try_alloc_for(tensor)?;
        Ok(self.gradients.get(tensor))
    }

    /// Writes the gradient with respect to a tensor to a slice, the last axis fastest, without allocating.
    ///
    /// # Errors
    /// [`TensorError::Length`] if the slice is not as long as the tensor, [`TensorError::Empty`], [`TensorError::OutOfMemory`].
    pub fn copy_to<S: Shape, T>(&mut self, tensor: &Tensor<S, E, Cpu, T>, to: &mut [E]) -> Result<(), TensorError> {
        let strides = Strides::of(tensor, "gradient")?;
        strides.check_length("gradient", to.len())?;
        strides.copy(self.gradients.get_or_alloc_mut(tensor)?, to);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dfdx::shapes::{Axes2, Axis, Rank0};
    use dfdx::tensor::{AsArray, TensorFrom, TensorFromVec};
    use dfdx::tensor_ops::{BroadcastTo, PermuteTo, SumTo};

    use super::*;
    use crate::tensor::{Matrix, Vector};

    fn recorded() -> usize {
        f64::with_recordings(|recordings| recordings.operations()).unwrap_or_default()
    }

    #[test]
    fn a_tensor_used_several_times_gathers_all_its_derivatives() -> Result<(), TensorError> {
        let mut scope = Scope::<f64>::new();
        let a = scope.leaf(&Cpu::default().tensor([0.1, 0.2, 0.3]));
        let e = a.clone().exp();
        let output = e.clone() * e.clone().ln() + e;
        let mut gradients = scope.backward(&output, &[1.0, 10.0, 100.0])?;
        for (i, weight) in [1.0, 10.0, 100.0].into_iter().enumerate() {
            let x = a[[i]];
            assert!((gradients.of(&a)?[[i]] - weight * x.exp() * (2.0 + x)).abs() < 1e-12 * weight);
        }
        Ok(())
    }

    #[test]
    fn single_precision_is_recorded_apart() -> Result<(), TensorError> {
        let device = Cpu::default();
        let mut single = Scope::<f32>::new();
        let mut double = Scope::<f64>::new();
        let (x, y) = (single.leaf(&device.tensor(3.0_f32)), double.leaf(&device.tensor(5.0_f64)));
        let (x2, y2) = (x.clone().square(), y.clone().square());
        assert_eq!(single.gradient(&x2)?.of(&x)?.array(), 6.0_f32);
        assert_eq!(double.gradient(&y2)?.of(&y)?.array(), 10.0_f64);
        Ok(())
    }

    #[test]
    fn an_inner_scope_is_a_constant_to_the_outer() -> Result<(), TensorError> {
        let device = Cpu::default();
        let mut outer = Scope::<f64>::new();
        let x = outer.leaf(&device.tensor(2.0));
        let square = x.clone().square();
        let inside = {
            let mut inner = Scope::<f64>::new();
            let y = inner.leaf(&device.tensor(3.0));
            let product = x.clone() * y.clone();
            let mut gradients = inner.gradient(&product)?;
            assert_eq!(gradients.of(&y)?.array(), 2.0);
            assert_eq!(gradients.of(&x)?.array(), 3.0);
            product
        };
        let output = square * inside;
        assert_eq!(outer.gradient(&output)?.of(&x)?.array(), 4.0 * 6.0);
        Ok(())
    }

    #[test]
    fn scopes_may_be_closed_in_any_order() -> Result<(), TensorError> {
        let first = Scope::<f64>::new();
        let mut second = Scope::<f64>::new();
        drop(first);
        let x = second.leaf(&Cpu::default().tensor(2.0));
        let square = x.clone().square();
        assert_eq!(second.gradient(&square)?.of(&x)?.array(), 4.0);
        Ok(())
    }

    #[test]
    fn a_panic_closes_the_scope_and_the_outer_one_goes_on() -> Result<(), TensorError> {
        let mut outer = Scope::<f64>::new();
        let x = outer.leaf(&Cpu::default().tensor(2.0));
        let square = x.clone().square();
        let before = recorded();
        let unwound = std::panic::catch_unwind(|| {
            let inner = Scope::<f64>::new();
            let y = inner.leaf(&Cpu::default().tensor(2.0)).exp();
            std::panic::resume_unwind(Box::new(y.array()));
        });
        assert!(unwound.is_err());
        assert_eq!(recorded(), before);
        assert_eq!(outer.gradient(&square)?.of(&x)?.array(), 4.0);
        Ok(())
    }

    #[test]
    fn nothing_is_recorded_without_a_scope() {
        let stray = {
            let scope = Scope::<f64>::new();
            scope.leaf(&Cpu::default().tensor(2.0))
        };
        let _ = stray.exp().ln();
        assert_eq!(recorded(), 0);
    }

    #[test]
    fn one_scope_serves_many_passes() -> Result<(), TensorError> {
        let mut scope = Scope::<f64>::new();
        for i in 0..5 {
            let x = scope.leaf(&Cpu::default().tensor(f64::from(i)));
            let square = x.clone().square();
            assert_eq!(scope.gradient(&square)?.of(&x)?.array(), 2.0 * f64::from(i));
            assert_eq!(recorded(), 0);
        }
        Ok(())
    }

    #[test]
    fn views_share_the_gradient_of_their_leaf() -> Result<(), TensorError> {
        let device = Cpu::default();
        let matrix: Matrix<f64> = device.tensor_from_vec(vec![1., 2., 3., 4., 5., 6.], (2, 3));
        let mut scope = Scope::<f64>::new();
        let leaf = scope.leaf(&matrix);
        let permuted = leaf.clone().permute::<(usize, usize), Axes2<1, 0>>();
        // permuted[i][j] = matrix[j][i]: the cotangent of the transpose is the transpose of the cotangent.
        let mut gradients = scope.backward(&permuted, &[1., 2., 3., 4., 5., 6.])?;
        assert_eq!(gradients.of(&matrix)?.as_vec(), [1., 3., 5., 2., 4., 6.]);
        let mut read = [0.0; 6];
        gradients.copy_to(&permuted, &mut read)?;
        assert_eq!(read, [1., 2., 3., 4., 5., 6.]);

        let vector: Vector<f64> = device.tensor_from_vec(vec![1., 2.], (2,));
        let spread = scope.leaf(&vector).broadcast_like::<_, Axis<1>>(&(2, 3));
        let mut gradients = scope.backward(&spread, &[1., 2., 3., 4., 5., 6.])?;
        assert_eq!(gradients.of(&vector)?.as_vec(), [6., 15.]);
        Ok(())
    }

    #[test]
    fn a_tensor_that_the_output_does_not_read_has_gradient_zero() -> Result<(), TensorError> {
        let mut scope = Scope::<f64>::new();
        let x = scope.leaf(&Cpu::default().tensor([1.0, 2.0]));
        let y = scope.leaf(&Cpu::default().tensor([1.0, 2.0]));
        let total = x.sum::<Rank0, _>();
        assert_eq!(scope.gradient(&total)?.of(&y)?.array(), [0.0, 0.0]);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let device = Cpu::default();
        let mut scope = Scope::<f64>::new();
        let x = scope.leaf(&device.tensor([1.0, 2.0]));
        let short = scope.backward(&x, &[1.0]).err();
        assert_eq!(short, Some(TensorError::Length { operation: "backward", expected: 2, got: 1 }));
        let nothing: Vector<f64> = device.tensor_from_vec(vec![], (0,));
        let empty = scope.backward(&scope.leaf(&nothing), &[]).err();
        assert_eq!(empty, Some(TensorError::Empty { operation: "backward", shape: vec![0] }));
    }
}
