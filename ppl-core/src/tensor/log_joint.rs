//! The log joint density of a model as one differentiable operation on tensors.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape, TensorFromVec};

use super::strides::Strides;
use super::{Element, Matrix, TensorError, Vector};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};

/// The log density of a model on its unconstrained space, one number per sample: `log p(data, z(u)) + log |dz / du|`, in nats.
///
/// One call of [`LogJointOperation::apply`]; to evaluate many times, keep the operation, which keeps its buffers.
///
/// # Shapes
/// `u: [dimension, sample]`; returns `[sample]`.
///
/// # Errors
/// As [`LogJointOperation::apply`].
pub fn log_joint<E: Element, T: Tape<E, Cpu>>(model: &dyn LogJoint<E>, u: Matrix<E, T>) -> Result<Vector<E, T>, TensorError> {
    LogJointOperation::new(model).apply(u)
}

/// The log joint density of one model as an operation that is applied again and again.
pub struct LogJointOperation<'a, E: Element> {
    model: &'a dyn LogJoint<E>,
    dimension: usize,
    buffers: Cell<Option<Buffers<E>>>,
    /// A gradient that a backward pass has used up, for the next forward pass.
    spare: Rc<Cell<Vec<E>>>,
}

/// What an evaluation needs, for one number of samples.
struct Buffers<E> {
    work: Workspace<E>,
    weights: Weights<E>,
    log_density: Vec<f64>,
}

impl<'a, E: Element> LogJointOperation<'a, E> {
    /// The operation of a model that is bound to its data.
    #[must_use]
    pub fn new(model: &'a dyn LogJoint<E>) -> Self {
        let dimension = model.layout().unconstrained();
        Self { model, dimension, buffers: Cell::new(None), spare: Rc::default() }
    }

    /// The number of unconstrained dimensions: the rows that [`LogJointOperation::apply`] expects.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The log density on the unconstrained space, one number per sample: `log p(data, z(u)) + log |dz / du|`, in nats.
    ///
    /// Any number of samples may be given, but multiples of [`Real::LANE_MULTIPLE`] are the fastest: others are filled up with copies of the
    /// first. A sample whose cotangent is zero gives no derivatives, even where its own are not finite, so an objective may leave
    /// bad samples out.
    ///
    /// # Shapes
    /// `u: [dimension, sample]`; returns `[sample]`.
    ///
    /// # Errors
    /// [`TensorError::Dimension`] if `u` has not a row for each unconstrained dimension; [`TensorError::Empty`] if it has no samples or
    /// the model no latents; [`TensorError::OutOfMemory`].
    pub fn apply<T: Tape<E, Cpu>>(&self, u: Matrix<E, T>) -> Result<Vector<E, T>, TensorError> {
        let &(dimension, samples) = u.shape();
        if dimension != self.dimension {
            let model = self.model.graph().name;
            return Err(TensorError::Dimension { model, expected: self.dimension, got: dimension });
        }
        let strides = Strides::of(&u, "log_joint")?;
        let mut buffers = self.buffers(samples.next_multiple_of(E::LANE_MULTIPLE));
        let lanes = buffers.work.samples;
        let mut gradient = self.spare.take();

        let (u, mut tape) = u.split_tape();
        let Buffers { work, weights, log_density } = &mut buffers;
        strides.read(&u, &mut work.u_mut()[..dimension * samples]);
        fill_lanes(work.u_mut(), dimension, samples, lanes);
        self.model.log_density(work, weights, log_density);
        gradient.clear();
        gradient.extend_from_slice(work.gradient());
        drop_lanes(&mut gradient, dimension, samples, lanes);

        let per_sample = log_density[..samples].iter().map(|&nats| <E as Real>::from_f64(nats)).collect();
        self.buffers.set(Some(buffers));
        let output = u.device().try_tensor_from_vec(per_sample, (samples,))?;
        if T::OWNS_TAPE {
            let (u, output, spare) = (u.ghost(), output.ghost(), Rc::clone(&self.spare));
            tape.add_backward_op(move |gradients| {
                // The buffer leaves the map for a moment, so that two can be held at once.
                let cotangent = std::mem::take(&mut **gradients.get_or_alloc_mut(&output)?);
                scale_samples(&mut gradient, &cotangent);
                strides.accumulate(&gradient, gradients.get_or_alloc_mut(&u)?);
                **gradients.get_or_alloc_mut(&output)? = cotangent;
                spare.set(gradient);
                Ok(())
            });
        } else {
            self.spare.set(gradient);
        }
        Ok(output.put_tape(tape))
    }

    fn buffers(&self, lanes: usize) -> Buffers<E> {
        match self.buffers.take() {
            Some(buffers) if buffers.work.samples == lanes => buffers,
            _ => Buffers {
                work: self.model.workspace(lanes),
                weights: self.model.unit_weights(lanes),
                log_density: vec![0.0; lanes],
            },
        }
    }
}

impl<E: Element> fmt::Debug for LogJointOperation<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LogJointOperation")
            .field("model", &self.model.graph().name)
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}

/// Spreads rows of `samples` to rows of `lanes`, in place, the further lanes being copies of the first sample.
fn fill_lanes<E: Copy>(rows: &mut [E], dimension: usize, samples: usize, lanes: usize) {
    if samples == lanes {
        return;
    }
    for row in (0..dimension).rev() {
        rows.copy_within(row * samples..(row + 1) * samples, row * lanes);
        let first = rows[row * lanes];
        rows[row * lanes + samples..(row + 1) * lanes].fill(first);
    }
}

/// Gathers rows of `lanes` to rows of `samples`, in place.
fn drop_lanes<E: Copy>(rows: &mut Vec<E>, dimension: usize, samples: usize, lanes: usize) {
    if samples == lanes {
        return;
    }
    for row in 0..dimension {
        rows.copy_within(row * lanes..row * lanes + samples, row * samples);
    }
    rows.truncate(dimension * samples);
}

/// Multiplies each sample's derivatives by its cotangent; by zero gives zero whatever the derivative is.
fn scale_samples<E: Element>(gradient: &mut [E], cotangent: &[E]) {
    for row in gradient.chunks_exact_mut(cotangent.len()) {
        for (derivative, &weight) in row.iter_mut().zip(cotangent) {
            *derivative = if weight == E::default() { weight } else { weight * *derivative };
        }
    }
}

#[cfg(test)]
mod tests {
    use dfdx::shapes::{Axes2, Axis, Rank0};
    use dfdx::tensor::{AsArray, TensorFromVec};
    use dfdx::tensor_ops::{BroadcastTo, PermuteTo, SumTo};

    use super::*;
    use crate::tensor::correlated_gaussian::CorrelatedGaussian;
    use crate::tensor::{Scope, multiply};

    /// Unconstrained values, `[dimension][sample]`, of no particular pattern.
    fn values(samples: usize) -> Vec<f64> {
        (0..3 * samples).map(|i| (1.0 + 0.7 * i as f64).sin()).collect()
    }

    fn matrix(values: Vec<f64>, samples: usize) -> Matrix<f64> {
        Cpu::default().tensor_from_vec(values, (3, samples))
    }

    #[test]
    fn values_and_derivatives_are_the_models_for_any_number_of_samples() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let operation = LogJointOperation::new(&model);
        // From many to few and back, so that buffers are seen to be made anew.
        for samples in [16, 8, 1, 3, 7, 9, 8] {
            let u = matrix(values(samples), samples);
            let mut scope = Scope::new();
            let output = operation.apply(scope.leaf(&u))?;
            let cotangent: Vec<f64> = (0..samples).map(|sample| sample as f64 - 1.5).collect();
            let gradient = scope.backward(&output, &cotangent)?.of(&u)?;
            for sample in 0..samples {
                let (value, derivatives) = CorrelatedGaussian::<f64>::at([0, 1, 2].map(|row| u[[row, sample]]));
                assert!((output[[sample]] - value).abs() < 1e-14);
                for row in 0..3 {
                    let expected = cotangent[sample] * derivatives[row];
                    assert!((gradient[[row, sample]] - expected).abs() < 1e-13);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let samples = 5;
        // A function of the operation that weighs every sample by itself: Σ exp(log p / 10).
        let value = |values: Vec<f64>| {
            log_joint(&model, matrix(values, samples)).map(|output| (output * 0.1).exp().sum::<Rank0, _>().array())
        };
        let u = matrix(values(samples), samples);
        let mut scope = Scope::new();
        let objective = (log_joint(&model, scope.leaf(&u))? * 0.1).exp().sum::<Rank0, _>();
        let gradient = scope.gradient(&objective)?.of(&u)?.as_vec();
        let h = 1e-5;
        for (element, derivative) in gradient.into_iter().enumerate() {
            let moved = |by: f64| {
                let mut moved = values(samples);
                moved[element] += by;
                value(moved)
            };
            let difference = (moved(h)? - moved(-h)?) / (2.0 * h);
            assert!((difference - derivative).abs() < 1e-9, "element {element}: {difference} {derivative}");
        }
        Ok(())
    }

    #[test]
    fn a_tensor_that_is_used_before_and_after_gathers_both() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let u = matrix(values(8), 8);
        let mut scope = Scope::new();
        let leaf = scope.leaf(&u);
        let squares = multiply(&leaf, &leaf)?.sum::<Rank0, _>();
        let objective = log_joint(&model, leaf.clone())?.sum::<Rank0, _>() + squares;
        let twice = log_joint(&model, leaf)?.sum::<Rank0, _>();
        let gradient = scope.gradient(&(objective + twice))?.of(&u)?;
        for sample in 0..8 {
            let point = [0, 1, 2].map(|row| u[[row, sample]]);
            let (_, derivatives) = CorrelatedGaussian::<f64>::at(point);
            for row in 0..3 {
                assert!((gradient[[row, sample]] - 2.0 * derivatives[row] - 2.0 * point[row]).abs() < 1e-13);
            }
        }
        Ok(())
    }

    #[test]
    fn permuted_and_broadcast_tensors_are_read_and_differentiated_in_their_order() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let operation = LogJointOperation::new(&model);
        let samples = 8;
        let by_sample: Matrix<f64> = Cpu::default().tensor_from_vec(values(samples), (samples, 3));
        let mut scope = Scope::new();
        let output = operation.apply(scope.leaf(&by_sample).permute::<_, Axes2<1, 0>>())?;
        let gradient = scope.backward(&output, &[2.0; 8])?.of(&by_sample)?;
        for sample in 0..samples {
            let (value, derivatives) = CorrelatedGaussian::<f64>::at([0, 1, 2].map(|row| by_sample[[sample, row]]));
            assert!((output[[sample]] - value).abs() < 1e-14);
            for row in 0..3 {
                assert!((gradient[[sample, row]] - 2.0 * derivatives[row]).abs() < 1e-13);
            }
        }

        let point: Vector<f64> = Cpu::default().tensor_from_vec(vec![0.3, 0.2, 0.1], (3,));
        let spread = scope.leaf(&point).broadcast_like::<_, Axis<1>>(&(3, samples));
        let total = operation.apply(spread)?.sum::<Rank0, _>();
        let gradient = scope.gradient(&total)?.of(&point)?;
        let (_, derivatives) = CorrelatedGaussian::<f64>::at([0.3, 0.2, 0.1]);
        for row in 0..3 {
            assert!((gradient[[row]] - 8.0 * derivatives[row]).abs() < 1e-12);
        }
        Ok(())
    }

    #[test]
    fn single_precision_agrees_with_double() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f32>::new();
        let samples = 5;
        #[expect(clippy::cast_possible_truncation, reason = "the test is of single precision")]
        let single: Vec<f32> = values(samples).into_iter().map(|x| x as f32).collect();
        let u: Matrix<f32> = Cpu::default().tensor_from_vec(single, (3, samples));
        let mut scope = Scope::new();
        let output = log_joint(&model, scope.leaf(&u))?;
        let gradient = scope.backward(&output, &[1.0; 5])?.of(&u)?;
        let double = matrix(values(samples), samples);
        for sample in 0..samples {
            let (value, derivatives) = CorrelatedGaussian::<f64>::at([0, 1, 2].map(|row| double[[row, sample]]));
            assert!((f64::from(output[[sample]]) - value).abs() < 1e-5);
            for row in 0..3 {
                assert!((f64::from(gradient[[row, sample]]) - derivatives[row]).abs() < 1e-5);
            }
        }
        Ok(())
    }

    #[test]
    fn a_sample_with_cotangent_zero_gives_no_derivatives_though_it_is_not_finite() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let mut bad = values(8);
        bad[3] = f64::INFINITY;
        let u = matrix(bad, 8);
        let mut scope = Scope::new();
        let output = log_joint(&model, scope.leaf(&u))?;
        assert!(!output[[3]].is_finite());
        let gradient = scope.backward(&output, &[1., 1., 1., 0., 1., 1., 1., 1.])?.of(&u)?;
        assert!(gradient.as_vec().iter().all(|derivative| derivative.is_finite()));
        assert_eq!([0, 1, 2].map(|row| gradient[[row, 3]]), [0.0; 3]);
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let model = CorrelatedGaussian::<f64>::new();
        let device = Cpu::default();
        let rows: Matrix<f64> = device.tensor_from_vec(vec![0.0; 16], (2, 8));
        let refused = log_joint(&model, rows).err();
        assert_eq!(refused, Some(TensorError::Dimension { model: "CorrelatedGaussian", expected: 3, got: 2 }));
        let nothing: Matrix<f64> = device.tensor_from_vec(vec![], (3, 0));
        let refused = log_joint(&model, nothing).err();
        assert_eq!(refused, Some(TensorError::Empty { operation: "log_joint", shape: vec![3, 0] }));
    }
}
