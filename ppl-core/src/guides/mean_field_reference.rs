//! The mean-field Gaussian guide in plain tensor operations: the reference to read, and to copy for a guide of one's own.

use dfdx::shapes::{HasShape, Rank0};
use dfdx::tensor::Cpu;
use dfdx::tensor_ops::{Device, MeanTo, SumTo, TryAdd};

use crate::kernel::Real;
use crate::tensor::dfdx;
use crate::tensor::{Element, LogJointOperation, Matrix, Recorder, Scalar, TensorError, Vector, location_scale};

/// An estimate of the evidence lower bound of a mean-field Gaussian, to be maximised over `loc` and `log_scale`.
///
/// `elbo = mean over samples of log p(data, u) + Σ log_scale + D/2 (1 + ln 2π)`, in nats, with `u = loc + exp(log_scale) noise`: the
/// reparameterization estimator with the entropy in closed form. With standard normal noise it is unbiased, and so is its gradient.
///
/// # Shapes
/// `loc`, `log_scale`: `[D]`, one entry for each unconstrained dimension; `noise: [D, S]`.
///
/// # Errors
/// [`TensorError`] if the shapes differ from these, or the noise is empty.
///
/// # Source
/// Kucukelbir, Tran, Ranganath, Gelman & Blei (2017), Automatic differentiation variational inference, equations 7 and 8.
///
/// # Examples
/// A step of a fit. The body of this function is what to copy and change; a whole fit with noise and an optimizer, beside that of `fit_bbvi`, is the program
/// `own_guide` of `ppl-examples`.
/// ```no_run
/// use ppl_core::guides::mean_field_reference::elbo;
/// use ppl_core::model::LogJoint;
/// use ppl_core::tensor::dfdx::prelude::*;
/// use ppl_core::tensor::{LogJointOperation, Matrix, Scope, TensorError, Vector};
///
/// /// One step of gradient ascent on the evidence lower bound.
/// fn step(
///     model: &dyn LogJoint<f64>,
///     loc: &mut Vector<f64>,
///     log_scale: &mut Vector<f64>,
///     noise: &Matrix<f64>,
/// ) -> Result<f64, TensorError> {
///     let log_joint = LogJointOperation::new(model);
///     let mut scope = Scope::new();
///     let objective = elbo(&log_joint, scope.leaf(loc), scope.leaf(log_scale), noise)?;
///     let mut gradients = scope.gradient(&objective)?;
///     *loc = loc.clone() + gradients.of(loc)? * 0.1;
///     *log_scale = log_scale.clone() + gradients.of(log_scale)? * 0.1;
///     Ok(objective.array())
/// }
/// ```
pub fn elbo<E: Element>(
    log_joint: &LogJointOperation<'_, E>,
    loc: Vector<E, Recorder>,
    log_scale: Vector<E, Recorder>,
    noise: &Matrix<E>,
) -> Result<Scalar<E, Recorder>, TensorError>
where
    Cpu: Device<E>,
{
    let shape = *noise.shape();
    let u = location_scale(loc, log_scale.clone(), noise)?;
    let expected_log_joint = log_joint.apply(u)?.try_mean::<Rank0, _>()?;

    let unit_entropy = 0.5 * shape.0 as f64 * (1.0 + std::f64::consts::TAU.ln());
    let entropy = log_scale.try_sum::<Rank0, _>()?.try_add(<E as Real>::from_f64(unit_entropy))?;
    Ok(expected_log_joint.try_add(entropy)?)
}

#[cfg(test)]
mod tests {
    use dfdx::tensor::{AsArray, TensorFromVec};

    use super::*;
    use crate::tensor::Scope;
    use crate::tensor::correlated_gaussian::CorrelatedGaussian;

    /// Rows of standardized, antithetic noise: mean 0 and mean square 1 in each, so that a Gaussian model has no Monte Carlo error
    /// in the gradient with respect to `loc`, and none with respect to `log_scale` either once the rows are uncorrelated.
    fn noise() -> Matrix<f64> {
        let hadamard =
            [[1., -1., 1., -1., 1., -1., 1., -1.], [1., 1., -1., -1., 1., 1., -1., -1.], [1., 1., 1., 1., -1., -1., -1., -1.]];
        Cpu::default().tensor_from_vec(hadamard.concat(), (3, 8))
    }

    fn leaves() -> (Vector<f64>, Vector<f64>) {
        let device = Cpu::default();
        (device.tensor_from_vec(vec![0.2, -0.4, 0.9], (3,)), device.tensor_from_vec(vec![-0.3, 0.1, 0.4], (3,)))
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let operation = LogJointOperation::new(&model);
        let (loc, log_scale) = leaves();
        let value = |loc: &Vector<f64>, log_scale: &Vector<f64>| {
            let scope = Scope::new();
            elbo(&operation, scope.leaf(loc), scope.leaf(log_scale), &noise()).map(|elbo| elbo.array())
        };
        let mut scope = Scope::new();
        let objective = elbo(&operation, scope.leaf(&loc), scope.leaf(&log_scale), &noise())?;
        let mut gradients = scope.gradient(&objective)?;
        let (d_loc, d_log_scale) = (gradients.of(&loc)?, gradients.of(&log_scale)?);
        let h = 1e-5;
        for row in 0..3 {
            let moved = |of: &Vector<f64>, by: f64| {
                let mut moved = of.clone();
                moved[[row]] += by;
                moved
            };
            let by_loc = (value(&moved(&loc, h), &log_scale)? - value(&moved(&loc, -h), &log_scale)?) / (2.0 * h);
            let by_scale = (value(&loc, &moved(&log_scale, h))? - value(&loc, &moved(&log_scale, -h))?) / (2.0 * h);
            assert!((by_loc - d_loc[[row]]).abs() < 1e-8, "loc {row}: {by_loc} {}", d_loc[[row]]);
            assert!((by_scale - d_log_scale[[row]]).abs() < 1e-8, "log_scale {row}: {by_scale} {}", d_log_scale[[row]]);
        }
        Ok(())
    }

    #[test]
    fn gradient_ascent_ends_at_the_mean_field_optimum_of_a_gaussian() -> Result<(), TensorError> {
        let model = CorrelatedGaussian::<f64>::new();
        let operation = LogJointOperation::new(&model);
        let (mut loc, mut log_scale) = leaves();
        let mut scope = Scope::new();
        for _ in 0..600 {
            let objective = elbo(&operation, scope.leaf(&loc), scope.leaf(&log_scale), &noise())?;
            let mut gradients = scope.gradient(&objective)?;
            loc = loc.clone() + gradients.of(&loc)? * 0.1;
            log_scale = log_scale.clone() + gradients.of(&log_scale)? * 0.1;
        }
        // The optimum of a mean-field Gaussian on a Gaussian: its mean, and one over the root of the precision's diagonal.
        for row in 0..3 {
            let scale = 1.0 / CorrelatedGaussian::<f64>::PRECISION[row][row].sqrt();
            assert!((loc[[row]] - CorrelatedGaussian::<f64>::MEAN[row]).abs() < 1e-10);
            assert!((log_scale[[row]].exp() - scale).abs() < 1e-10);
        }
        // There the bound misses the evidence (0, the density is normalized) by KL = ½ (Σ ln precision[i][i] - ln det precision).
        let objective = elbo(&operation, scope.leaf(&loc), scope.leaf(&log_scale), &noise())?.array();
        let expected = -0.5 * ((2.0_f64 * 1.5 * 1.0).ln() - CorrelatedGaussian::<f64>::DETERMINANT.ln());
        assert!((objective - expected).abs() < 1e-10, "{objective} {expected}");
        Ok(())
    }

    #[test]
    fn a_parameter_of_another_size_is_refused() {
        let model = CorrelatedGaussian::<f64>::new();
        let operation = LogJointOperation::new(&model);
        let scope = Scope::new();
        let (loc, _) = leaves();
        let short = Cpu::default().tensor_from_vec(vec![0.0, 0.0], (2,));
        let refused = elbo(&operation, scope.leaf(&loc), scope.leaf(&short), &noise());
        assert_eq!(
            refused.err().map(|error| error.to_string()),
            Some("`location_scale` expected a tensor of shape [3], but `log_scale` has shape [2]".to_owned())
        );
    }

    #[test]
    fn the_closed_pullbacks_of_the_guide_give_the_same_gradient() -> Result<(), TensorError> {
        use crate::guides::{Guide, MeanField, Path};
        use crate::model::LogJoint;

        let model = CorrelatedGaussian::<f64>::new();
        let operation = LogJointOperation::new(&model);
        let (loc, log_scale, noise) = {
            let (loc, log_scale) = leaves();
            (loc, log_scale, noise())
        };
        let mut scope = Scope::new();
        let objective = elbo(&operation, scope.leaf(&loc), scope.leaf(&log_scale), &noise)?;
        let mut gradients = scope.gradient(&objective)?;
        let by_tape = [gradients.of(&loc)?.as_vec(), gradients.of(&log_scale)?.as_vec()].concat();

        let guide = MeanField::new(&loc.as_vec(), &log_scale.as_vec());
        let noise = noise.as_vec();
        let (mut log_density, mut gradient) = ([0.0; 8], vec![0.0; 6]);
        let mut work = model.workspace(8);
        guide.sample(&noise, 8, work.u_mut());
        model.log_density(&mut work, &model.unit_weights(8), &mut log_density);
        let (u, adjoint) = work.u_and_gradient_mut();
        guide.pull_sample(Path { noise: &noise, u, samples: 8 }, adjoint, &mut gradient);
        gradient.iter_mut().for_each(|g| *g /= 8.0);
        let entropy = <MeanField as Guide<f64>>::entropy(&guide, Some(&mut gradient)).unwrap_or(f64::NAN);
        let value = log_density.iter().sum::<f64>() / 8.0 + entropy;
        assert!((value - objective.array()).abs() < 1e-12);
        for (closed, tape) in gradient.iter().zip(&by_tape) {
            assert!((closed - tape).abs() < 1e-12, "{closed} {tape}");
        }
        Ok(())
    }
}
