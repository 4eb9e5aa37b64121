//! Linear response: covariances that independent Gaussians miss, from how their means move when the posterior is tilted.

use super::deterministic::same_for_all;
use super::{Fit, FitError};
use crate::centring::View;
use crate::estimators::{GradientEstimator, Pathwise};
use crate::guides::{FittedGuide, Guide};
use crate::kernel::Real;
use crate::model::{LogJoint, Model, SiteKind};
use crate::objective::Objective;
use crate::optimizers::{cholesky, solve};
use crate::random::step_key;

/// Samples of the noise that stays the same.
const SAMPLES: usize = 2048;

/// Standard deviations by linear response.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearResponse {
    /// The covariance of the unconstrained dimensions, row by row.
    pub covariance: Vec<f64>,
    /// Every element of every latent with its standard deviation, by the delta method at the mean of the guide.
    pub sds: Vec<(String, f64)>,
}

impl LinearResponse {
    /// The standard deviation of one element by name.
    #[must_use]
    pub fn sd(&self, name: &str) -> Option<f64> {
        self.sds.iter().find(|(own, _)| own == name).map(|(_, sd)| *sd)
    }
}

impl<M: Model> Fit<M> {
    /// The covariance of the posterior by linear response: exact on a Gaussian posterior, where the scales of independent Gaussians are too small.
    ///
    /// The means of a fit answer a tilt of the log density as those of the posterior do, if the fit is near; the inverse Hessian of the ELBO over fixed noise
    /// says how. It takes four gradients of 2048 samples for each dimension.
    ///
    /// # Errors
    /// As [`Fit::draws`]; [`FitError::LinearResponse`] if the guide is not mean-field, or the ELBO is not at its top.
    ///
    /// # Source
    /// Giordano, Broderick & Jordan 2018, Covariances, robustness, and variational Bayes; Giordano, Ingram & Broderick 2024.
    pub fn linear_response(&self, model: &M) -> Result<LinearResponse, FitError> {
        let bound = self.bind(model)?;
        respond(&*bound, self.guide(), self.state.seed)
    }
}

fn respond<E: Real>(written: &dyn LogJoint<E>, guide: &FittedGuide, seed: u64) -> Result<LinearResponse, FitError> {
    let refused = |reason| Err(FitError::LinearResponse { reason });
    let FittedGuide::MeanField(guide) = guide else {
        return refused("the guide is not mean-field: fit with `family: Family::MeanField`");
    };
    let (fitted, own) = (Guide::<E>::dimensions(guide), written.layout().unconstrained());
    let view = View::of_dimensions(written, fitted).ok_or(FitError::OtherSizes { fitted, model: own })?;
    let model = view.model();
    let mut moved = guide.clone();
    let parameters = Guide::<E>::parameters(guide).to_vec();
    let count = parameters.len();
    let mut units = vec![1.0; count];
    Guide::<E>::units(guide, &parameters, &mut units);
    let rows = Guide::<E>::noise(guide);
    let noise = same_for_all(1, rows, SAMPLES, step_key(seed, u64::MAX - 16));
    let mut estimator = Pathwise::new(model, &moved as &dyn Guide<E>, SAMPLES, Objective::Elbo).over(noise);
    let mut gradient_at = |i: usize, h: f64, gradient: &mut [f64]| {
        let at = Guide::<E>::parameters_mut(&mut moved);
        at.copy_from_slice(&parameters);
        at[i] += h;
        estimator.estimate(model, &moved, 0, gradient);
    };
    let relative_step = if size_of::<E>() == 4 { 1e-2 } else { 1e-4 };
    // Minus the Hessian, in the units of the guide.
    let mut hessian = vec![0.0; count * count];
    let (mut above, mut below) = (vec![0.0; count], vec![0.0; count]);
    for i in 0..count {
        let h = relative_step * units[i];
        gradient_at(i, h, &mut above);
        gradient_at(i, -h, &mut below);
        for j in 0..count {
            let entry = -0.5 * (above[j] - below[j]) / (2.0 * h) * units[i] * units[j];
            hessian[i * count + j] += entry;
            hessian[j * count + i] += entry;
        }
    }
    let Some(factor) = cholesky(&hessian, count) else {
        return refused("the ELBO falls off in no direction or rises: the fit is not at its top");
    };
    let spread = rows;
    let mut covariance = vec![0.0; spread * spread];
    for i in 0..spread {
        let mut column = vec![0.0; count];
        column[i] = 1.0;
        solve(&factor, &mut column);
        for j in 0..spread {
            covariance[i * spread + j] = column[j] * units[i] * units[j];
        }
    }
    let sds = by_delta(model, &parameters, spread, &covariance);
    Ok(LinearResponse { covariance, sds })
}

/// The standard deviations of the latents: the map from the unconstrained space, linear around its mean.
fn by_delta<E: Real>(model: &dyn LogJoint<E>, mean: &[f64], spread: usize, covariance: &[f64]) -> Vec<(String, f64)> {
    let layout = model.layout();
    let (n, lanes) = (layout.unconstrained(), E::LANE_MULTIPLE);
    let mut work = model.workspace(lanes);
    let mut values_at = |moved: usize, h: f64| -> Vec<f64> {
        for (i, row) in work.u_mut().chunks_exact_mut(lanes).enumerate() {
            row.fill(E::from_f64(mean[i] + if i == moved { h } else { 0.0 }));
        }
        model.constrain(&mut work, &mut vec![0.0; lanes]);
        work.values.iter().step_by(lanes).map(|x| x.to_f64()).collect()
    };
    let slopes: Vec<Vec<f64>> = (0..spread)
        .map(|i| {
            let h = 1e-3 * covariance[i * (spread + 1)].sqrt();
            let (above, below) = (values_at(i, h), values_at(i, -h));
            above.iter().zip(&below).map(|(a, b)| (a - b) / (2.0 * h)).collect()
        })
        .collect();
    debug_assert!(n >= spread, "points come last");
    let variance = |row: usize| -> f64 {
        (0..spread).map(|i| (0..spread).map(|j| slopes[i][row] * covariance[i * spread + j] * slopes[j][row]).sum::<f64>()).sum()
    };
    let latents = layout.variables.iter().filter(|v| v.kind == SiteKind::Latent);
    latents
        .flat_map(|variable| {
            let elements = variable.elements().into_iter();
            elements.map(move |element| (layout.element_name(variable, element), variable.rows.start + element))
        })
        .map(|(name, row)| (name, variance(row).max(0.0).sqrt()))
        .collect()
}
