//! A layer of a neural network as one differentiable operation.

use dfdx::shapes::HasShape;

use super::{Element, Fused, Matrix, Recorder, TensorError, Vector};
use crate::kernel::matrix::{View, multiply};
use crate::kernel::{Kernel, Lanes, dispatch};

/// What a layer does to each number last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
}

/// `activation(w x + b)`: matrix product, bias and activation in one operation.
///
/// # Shapes
/// `x: [I, S]`, a column for each sample; `w: [O, I]`; `b: [O]`; returns `[O, S]`.
///
/// # Errors
/// [`TensorError::Shape`] if the weights or biases do not fit; [`TensorError::Empty`] if a size is zero.
pub fn dense<E: Element>(
    x: &Matrix<E, Recorder>,
    w: &Matrix<E, Recorder>,
    b: &Vector<E, Recorder>,
    activation: Activation,
) -> Result<Matrix<E, Recorder>, TensorError> {
    let name = "dense";
    let (&(inputs, samples), &(outputs, columns), &(biases,)) = (x.shape(), w.shape(), b.shape());
    if columns != inputs {
        let (expected, got) = (vec![outputs, inputs], vec![outputs, columns]);
        return Err(TensorError::Shape { operation: name, operand: "w", expected, got });
    }
    if biases != outputs {
        return Err(TensorError::Shape { operation: name, operand: "b", expected: vec![outputs], got: vec![biases] });
    }
    let mut operation = Fused::new(name);
    let (x, w, b) = (operation.input(x)?, operation.input(w)?, operation.input(b)?);
    let mut values = Vec::with_capacity(outputs * samples);
    b.iter().enumerate().for_each(|(row, &b)| values.resize((row + 1) * samples, b));
    multiply(rows(&w, outputs, inputs), rows(&x, inputs, samples), &mut values, samples, true);
    dispatch(Activate { activation, values: &mut values });
    let saved = if activation == Activation::Identity { Vec::new() } else { values.clone() };
    operation.output((outputs, samples), values, move |cotangent| {
        let mut own = cotangent.to_vec();
        dispatch(Deactivate { activation, values: &saved, adjoint: &mut own });
        let mut d_x = vec![E::default(); inputs * samples];
        let mut d_w = vec![E::default(); outputs * inputs];
        multiply(transposed(&w, outputs, inputs), rows(&own, outputs, samples), &mut d_x, samples, false);
        multiply(rows(&own, outputs, samples), transposed(&x, inputs, samples), &mut d_w, inputs, false);
        let d_b = own.chunks_exact(samples).map(|row| row.iter().fold(E::default(), |sum, &x| sum + x)).collect();
        vec![d_x, d_w, d_b]
    })
}

/// A matrix whose rows follow each other.
fn rows<E>(data: &[E], rows: usize, columns: usize) -> View<'_, E> {
    View { data, rows, columns, row_stride: columns, column_stride: 1 }
}

/// The transpose of a matrix whose rows follow each other.
fn transposed<E>(data: &[E], rows: usize, columns: usize) -> View<'_, E> {
    View { data, rows: columns, columns: rows, row_stride: 1, column_stride: columns }
}

struct Activate<'a, E> {
    activation: Activation,
    values: &'a mut [E],
}

impl<E: Element> Kernel<E> for Activate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        if self.activation == Activation::Identity {
            return;
        }
        let tanh = self.activation == Activation::Tanh;
        let whole = self.values.len() / V::WIDTH * V::WIDTH;
        let (lanes, rest) = self.values.split_at_mut(whole);
        for chunk in V::chunks_mut(lanes) {
            let x = V::from_chunk(chunk);
            (if tanh { x.tanh() } else { x.max(V::zero()) }).to_chunk(chunk);
        }
        for x in rest {
            *x = if tanh { x.tanh() } else { x.max(E::zero()) };
        }
    }
}

/// Multiplies an adjoint by the derivative of the activation, which is known from its values.
struct Deactivate<'a, E> {
    activation: Activation,
    values: &'a [E],
    adjoint: &'a mut [E],
}

impl<E: Element> Kernel<E> for Deactivate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (zero, one) = (E::zero(), E::constant(1.0));
        for (a, &y) in self.adjoint.iter_mut().zip(self.values) {
            *a = match self.activation {
                Activation::Identity => *a,
                Activation::Tanh => *a * (one - y * y),
                Activation::Relu => <E as Lanes>::select(zero.lt(y), *a, zero),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use dfdx::tensor::{Cpu, TensorFromVec};

    use super::*;
    use crate::tensor::Scope;

    fn pattern(n: usize, phase: f64) -> Vec<f64> {
        (0..n).map(|i| (phase + 0.7 * i as f64).sin()).collect()
    }

    /// Three inputs, two outputs, five samples.
    fn value(x: &[f64], w: &[f64], b: &[f64], activation: Activation) -> Vec<f64> {
        let at = |o: usize, s: usize| {
            let sum = b[o] + (0..3).map(|i| w[3 * o + i] * x[5 * i + s]).sum::<f64>();
            match activation {
                Activation::Identity => sum,
                Activation::Tanh => sum.tanh(),
                Activation::Relu => sum.max(0.0),
            }
        };
        (0..2).flat_map(|o| (0..5).map(move |s| at(o, s))).collect()
    }

    #[test]
    fn values_and_derivatives_are_those_of_the_formula() -> Result<(), TensorError> {
        let device = Cpu::default();
        let cotangent = pattern(10, 0.3);
        for activation in [Activation::Identity, Activation::Tanh, Activation::Relu] {
            let operands = [pattern(15, 0.1), pattern(6, 2.0), pattern(2, 4.0)];
            let x = device.tensor_from_vec(operands[0].clone(), (3, 5));
            let w = device.tensor_from_vec(operands[1].clone(), (2, 3));
            let b = device.tensor_from_vec(operands[2].clone(), (2,));
            let mut scope = Scope::new();
            let output = dense(&scope.leaf(&x), &scope.leaf(&w), &scope.leaf(&b), activation)?;
            let expected = value(&operands[0], &operands[1], &operands[2], activation);
            assert!(output.as_vec().iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14));
            let mut gradients = scope.backward(&output, &cotangent)?;
            let found = [gradients.of(&x)?.as_vec(), gradients.of(&w)?.as_vec(), gradients.of(&b)?.as_vec()];
            for operand in 0..3 {
                for i in 0..operands[operand].len() {
                    let at = |h: f64| {
                        let mut moved = operands.clone();
                        moved[operand][i] += h;
                        let output = value(&moved[0], &moved[1], &moved[2], activation);
                        output.iter().zip(&cotangent).map(|(y, c)| y * c).sum::<f64>()
                    };
                    let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
                    assert!((numeric - found[operand][i]).abs() < 1e-9, "{activation:?}: {numeric} {}", found[operand][i]);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn single_precision_agrees_with_double() -> Result<(), TensorError> {
        #[expect(clippy::cast_possible_truncation, reason = "the test is of single precision")]
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        let (x, w, b) = (pattern(15, 0.1), pattern(6, 2.0), pattern(2, 4.0));
        let expected = value(&x, &w, &b, Activation::Tanh);
        let (device, scope) = (Cpu::default(), Scope::new());
        let x = scope.leaf(&device.tensor_from_vec(single(x), (3, 5)));
        let w = scope.leaf(&device.tensor_from_vec(single(w), (2, 3)));
        let b = scope.leaf(&device.tensor_from_vec(single(b), (2,)));
        let output = dense(&x, &w, &b, Activation::Tanh)?.as_vec();
        assert!(output.iter().zip(&expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6));
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let (device, scope) = (Cpu::default(), Scope::<f64>::new());
        let x = scope.leaf(&device.tensor_from_vec(vec![0.0; 15], (3, 5)));
        let w = scope.leaf(&device.tensor_from_vec(vec![0.0; 8], (2, 4)));
        let b = scope.leaf(&device.tensor_from_vec(vec![0.0; 2], (2,)));
        let message = dense(&x, &w, &b, Activation::Tanh).err().map(|e| e.to_string());
        assert_eq!(message.as_deref(), Some("`dense` expected a tensor of shape [2, 3], but `w` has shape [2, 4]"));
    }
}
