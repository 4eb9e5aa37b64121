//! Gaussian draws as one differentiable operation of their location and scale.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Merge, PutTape, SplitTape, Tape, TensorFromVec};

use super::strides::Strides;
use super::{Element, Matrix, TensorError, Vector};

/// `u = loc + exp(log_scale) noise`, in one operation: in stock operations these are five, each with a buffer of its own.
///
/// # Shapes
/// `loc`, `log_scale`: `[D]`; `noise: [D, S]`; returns `[D, S]`. The noise has no derivative.
///
/// # Errors
/// [`TensorError::Shape`] if the vectors have not an entry for each row of the noise; [`TensorError::Empty`] if there is no noise.
///
/// # Source
/// Kingma & Welling 2014, Auto-encoding variational Bayes, section 2.4.
pub fn location_scale<E: Element, T: Tape<E, Cpu> + Merge<T>>(
    loc: Vector<E, T>,
    log_scale: Vector<E, T>,
    noise: &Matrix<E>,
) -> Result<Matrix<E, T>, TensorError> {
    let operation = "location_scale";
    let &(rows, samples) = noise.shape();
    for (operand, &(got,)) in [("loc", loc.shape()), ("log_scale", log_scale.shape())] {
        if got != rows {
            return Err(TensorError::Shape { operation, operand, expected: vec![rows], got: vec![got] });
        }
    }
    Strides::of(noise, operation)?;
    let (loc_strides, scale_strides) = (Strides::of(&loc, operation)?, Strides::of(&log_scale, operation)?);
    let (loc, tape) = loc.split_tape();
    let (log_scale, other) = log_scale.split_tape();
    let mut tape = tape.merge(other);

    let scale: Vec<E> = log_scale.as_vec().into_iter().map(|x| crate::kernel::Lanes::exp(x)).collect();
    let noise = noise.as_vec();
    let mut values = noise.clone();
    for ((row, loc), &scale) in values.chunks_exact_mut(samples).zip(loc.as_vec()).zip(&scale) {
        row.iter_mut().for_each(|u| *u = loc + scale * *u);
    }
    let output = loc.device().try_tensor_from_vec(values, (rows, samples))?;
    if T::OWNS_TAPE {
        let (loc, log_scale, output) = (loc.ghost(), log_scale.ghost(), output.ghost());
        tape.add_backward_op(move |gradients| {
            // The buffer leaves the map for a moment, so that others can be held at once.
            let cotangent = std::mem::take(&mut **gradients.get_or_alloc_mut(&output)?);
            let sum = |row: &[E]| row.iter().fold(E::default(), |sum, &x| sum + x);
            let d_loc: Vec<E> = cotangent.chunks_exact(samples).map(sum).collect();
            let each = cotangent.chunks_exact(samples).zip(noise.chunks_exact(samples)).zip(&scale);
            let d_scale: Vec<E> = each
                .map(|((row, noise), &scale)| scale * row.iter().zip(noise).fold(E::default(), |sum, (&d, &z)| sum + d * z))
                .collect();
            **gradients.get_or_alloc_mut(&output)? = cotangent;
            loc_strides.accumulate(&d_loc, gradients.get_or_alloc_mut(&loc)?);
            scale_strides.accumulate(&d_scale, gradients.get_or_alloc_mut(&log_scale)?);
            Ok(())
        });
    }
    Ok(output.put_tape(tape))
}

#[cfg(test)]
mod tests {
    use dfdx::shapes::Axis;
    use dfdx::tensor_ops::{BroadcastTo, TryAdd, TryMul};

    use super::*;
    use crate::tensor::{Recorder, Scope};

    fn operands() -> (Vector<f64>, Vector<f64>, Matrix<f64>) {
        let device = Cpu::default();
        let noise = (0..12).map(|i| (1.0 + 0.7 * f64::from(i)).sin()).collect::<Vec<f64>>();
        (
            device.tensor_from_vec(vec![0.2, -0.4, 0.9], (3,)),
            device.tensor_from_vec(vec![-0.3, 0.1, 0.4], (3,)),
            device.tensor_from_vec(noise, (3, 4)),
        )
    }

    fn stock(loc: Vector<f64, Recorder>, log_scale: Vector<f64, Recorder>, noise: &Matrix<f64>) -> Matrix<f64, Recorder> {
        let shape = *noise.shape();
        let scale = log_scale.exp().broadcast_like::<_, Axis<1>>(&shape);
        let loc = loc.broadcast_like::<_, Axis<1>>(&shape);
        loc.try_add(scale.try_mul(noise.clone()).expect("shapes fit")).expect("shapes fit")
    }

    #[test]
    fn values_and_derivatives_are_those_of_the_stock_operations() -> Result<(), TensorError> {
        let (loc, log_scale, noise) = operands();
        let cotangent: Vec<f64> = (0..12).map(|i| f64::from(i) - 4.5).collect();
        let mut scope = Scope::new();
        let fused = location_scale(scope.leaf(&loc), scope.leaf(&log_scale), &noise)?;
        let mut found = scope.backward(&fused, &cotangent)?;
        let found = (fused.as_vec(), found.of(&loc)?.as_vec(), found.of(&log_scale)?.as_vec());
        let mut scope = Scope::new();
        let composed = stock(scope.leaf(&loc), scope.leaf(&log_scale), &noise);
        let mut expected = scope.backward(&composed, &cotangent)?;
        let expected = (composed.as_vec(), expected.of(&loc)?.as_vec(), expected.of(&log_scale)?.as_vec());
        for (found, expected) in [(found.0, expected.0), (found.1, expected.1), (found.2, expected.2)] {
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-13), "{found:?} {expected:?}");
        }
        Ok(())
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() -> Result<(), TensorError> {
        let (loc, log_scale, noise) = operands();
        let cotangent: Vec<f64> = (0..12).map(|i| f64::from(i) - 4.5).collect();
        let value = |loc: &[f64], log_scale: &[f64]| -> f64 {
            (0..12).map(|i| cotangent[i] * (loc[i / 4] + log_scale[i / 4].exp() * noise.as_vec()[i])).sum()
        };
        let mut scope = Scope::new();
        let u = location_scale(scope.leaf(&loc), scope.leaf(&log_scale), &noise)?;
        let mut gradients = scope.backward(&u, &cotangent)?;
        let (d_loc, d_scale) = (gradients.of(&loc)?.as_vec(), gradients.of(&log_scale)?.as_vec());
        let (loc, log_scale) = (loc.as_vec(), log_scale.as_vec());
        for i in 0..3 {
            let shifted = |values: &[f64], h: f64| {
                values.iter().enumerate().map(|(k, x)| if k == i { x + h } else { *x }).collect::<Vec<_>>()
            };
            let by_loc = (value(&shifted(&loc, 1e-5), &log_scale) - value(&shifted(&loc, -1e-5), &log_scale)) / 2e-5;
            let by_scale = (value(&loc, &shifted(&log_scale, 1e-5)) - value(&loc, &shifted(&log_scale, -1e-5))) / 2e-5;
            assert!((by_loc - d_loc[i]).abs() < 1e-7 && (by_scale - d_scale[i]).abs() < 1e-7);
        }
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let (loc, _, noise) = operands();
        let short = Cpu::default().tensor_from_vec(vec![0.0; 2], (2,));
        let error = location_scale(loc, short, &noise).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("`location_scale` expected a tensor of shape [3], but `log_scale` has shape [2]"));
    }
}
