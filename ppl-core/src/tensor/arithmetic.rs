//! Binary operations that check shapes and allow the same tensor on both sides.

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Cpu, Tensor};
use dfdx::tensor_ops::{Device, TryAdd, TryDiv, TryMul, TrySub};

use super::element::Recorded;
use super::strides::Strides;
use super::{Recorder, TensorError};

/// A tensor with the values of `tensor` that dfdx takes for another one, with the same derivatives.
///
/// dfdx panics where one tensor is two operands of one operation (`x * x`, `x.matmul(x)`, `stack([x, x])`), views of one tensor
/// included; an alias for one of the two is the way out.
///
/// # Errors
/// [`TensorError::Empty`], [`TensorError::OutOfMemory`].
///
/// # Examples
/// ```
/// use ppl_core::tensor::{Scope, TensorError, alias, dfdx::prelude::*};
///
/// let mut scope = Scope::<f64>::new();
/// let x = scope.leaf(&Cpu::default().tensor(3.0));
/// let cube = x.clone().square() * x.clone();
/// let sixth = cube.clone() * alias(&cube)?;
/// assert_eq!(sixth.array(), 729.0);
/// assert_eq!(scope.gradient(&sixth)?.of(&x)?.array(), 6.0 * 243.0);
/// # Ok::<(), TensorError>(())
/// ```
pub fn alias<S: Shape, E: Recorded>(tensor: &Tensor<S, E, Cpu, Recorder>) -> Result<Tensor<S, E, Cpu, Recorder>, TensorError>
where
    Cpu: Device<E>,
{
    Strides::of(tensor, "alias")?;
    // A product with one keeps every value, -0.0 too, and is differentiated without keeping the operand alive.
    Ok(tensor.clone().try_mul(E::ONE)?)
}

macro_rules! binary {
    ($(#[$doc:meta])* $name:ident, $method:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`TensorError::Shape`] if the shapes differ, [`TensorError::Empty`], [`TensorError::OutOfMemory`].
        pub fn $name<S: Shape, E: Recorded>(
            left: &Tensor<S, E, Cpu, Recorder>,
            right: &Tensor<S, E, Cpu, Recorder>,
        ) -> Result<Tensor<S, E, Cpu, Recorder>, TensorError>
        where
            Cpu: Device<E>,
        {
            let right = distinct(left, right, stringify!($name))?;
            Ok(left.clone().$method(right)?)
        }
    };
}

binary!(
    /// `left + right`, element by element; the two may be one tensor.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::tensor::{Scope, TensorError, add, dfdx::prelude::*};
    ///
    /// let mut scope = Scope::<f64>::new();
    /// let x = scope.leaf(&Cpu::default().tensor(3.0));
    /// let twice = add(&x, &x)?;
    /// assert_eq!(scope.gradient(&twice)?.of(&x)?.array(), 2.0);
    /// # Ok::<(), TensorError>(())
    /// ```
    add, try_add
);
binary!(
    /// `left - right`, element by element; the two may be one tensor.
    subtract, try_sub
);
binary!(
    /// `left * right`, element by element; the two may be one tensor.
    multiply, try_mul
);
binary!(
    /// `left / right`, element by element; the two may be one tensor.
    divide, try_div
);

/// The right operand, as an alias if it may be the left one: views of one tensor share its buffer.
fn distinct<S: Shape, E: Recorded>(
    left: &Tensor<S, E, Cpu, Recorder>,
    right: &Tensor<S, E, Cpu, Recorder>,
    operation: &'static str,
) -> Result<Tensor<S, E, Cpu, Recorder>, TensorError>
where
    Cpu: Device<E>,
{
    if left.shape() != right.shape() {
        return Err(TensorError::Shape {
            operation,
            operand: "right",
            expected: left.shape().concrete().into(),
            got: right.shape().concrete().into(),
        });
    }
    Strides::of(left, operation)?;
    let first = S::Concrete::default();
    if std::ptr::eq(&raw const left[first], &raw const right[first]) { alias(right) } else { Ok(right.clone()) }
}

#[cfg(test)]
mod tests {
    use dfdx::shapes::Axes2;
    use dfdx::tensor::TensorFromVec;
    use dfdx::tensor_ops::PermuteTo;

    use super::*;
    use crate::tensor::{Matrix, Scope, Vector};

    fn leaf(scope: &Scope<f64>) -> Vector<f64, Recorder> {
        scope.leaf(&Cpu::default().tensor_from_vec(vec![1.5, -2.0], (2,)))
    }

    #[test]
    fn a_tensor_may_be_both_operands() -> Result<(), TensorError> {
        type Binary = fn(&Vector<f64, Recorder>, &Vector<f64, Recorder>) -> Result<Vector<f64, Recorder>, TensorError>;
        let cases: [(Binary, [f64; 2], [f64; 2]); 4] = [
            (add, [3.0, -4.0], [2.0, 2.0]),
            (subtract, [0.0, 0.0], [0.0, 0.0]),
            (multiply, [2.25, 4.0], [3.0, -4.0]),
            (divide, [1.0, 1.0], [0.0, 0.0]),
        ];
        for (operation, value, derivative) in cases {
            let mut scope = Scope::new();
            let x = leaf(&scope);
            let output = operation(&x, &x)?;
            assert_eq!(output.as_vec(), value);
            assert_eq!(scope.backward(&output, &[1.0, 1.0])?.of(&x)?.as_vec(), derivative);
        }
        Ok(())
    }

    #[test]
    fn two_views_of_one_tensor_may_be_the_operands() -> Result<(), TensorError> {
        let mut scope = Scope::new();
        let matrix: Matrix<f64> = Cpu::default().tensor_from_vec(vec![1., 2., 3., 4.], (2, 2));
        let x = scope.leaf(&matrix);
        let product = multiply(&x, &x.clone().permute::<_, Axes2<1, 0>>())?;
        assert_eq!(product.as_vec(), [1., 6., 6., 16.]);
        // Σ c_ij x_ij x_ji has the derivative (c_ij + c_ji) x_ji.
        let mut gradients = scope.backward(&product, &[1., 10., 100., 1000.])?;
        assert_eq!(gradients.of(&matrix)?.as_vec(), [2., 330., 220., 8000.]);
        Ok(())
    }

    #[test]
    fn unequal_shapes_are_refused() {
        let scope = Scope::new();
        let short = scope.leaf(&Cpu::default().tensor_from_vec(vec![1.0], (1,)));
        let refused = add(&leaf(&scope), &short).err();
        let expected = TensorError::Shape { operation: "add", operand: "right", expected: vec![2], got: vec![1] };
        assert_eq!(refused, Some(expected));
    }
}
