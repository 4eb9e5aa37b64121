//! The reparameterization gradient with the closed entropy, its noise lessened by a linear model of the gradient.

use super::{Estimate, GradientEstimator};
use crate::archive::Archive;
use crate::guides::{Guide, Path};
use crate::kernel::{Kernel, Lanes, Real, dispatch};
use crate::model::{LogJoint, Weights, Workspace};
use crate::random::antithetic_normals;

/// `grad E_q[log p(u)] + grad H(q)` by `u = u(noise)`, over antithetic samples.
///
/// A linear model `-A (u - E u)` of the gradient of the log joint is subtracted sample by sample and its exact expectation
/// added back, times a coefficient learned from earlier steps: on a Gaussian target nothing of the noise is left.
///
/// # Source
/// Kingma & Welling 2014; the control variate: Miller, Foti, D'Amour & Adams 2017, Reducing reparameterization gradient variance.
#[derive(Debug)]
pub struct Reparameterization<E> {
    samples: usize,
    noise: Vec<E>,
    log_density: Vec<f64>,
    work: Workspace<E>,
    weights: Weights<E>,
    /// `A`, row by row, and the buffers of the control variate.
    linear: Option<Linear<E>>,
}

#[derive(Debug)]
struct Linear<E> {
    matrix: Vec<f64>,
    elements: Vec<E>,
    rows: Vec<E>,
    /// What the linear model says of this step, less its expectation.
    excess: Vec<f64>,
    mean: Vec<f64>,
    covariance: f64,
    variance: f64,
}

/// How fast the statistics of the control variate forget.
const MEMORY: f64 = 0.98;

impl<E: Real> Reparameterization<E> {
    /// Buffers for a model; `matrix` is the negative Hessian of the log density somewhere in the middle, row by row.
    #[must_use]
    pub fn new(model: &dyn LogJoint<E>, samples: usize, matrix: Option<&[f64]>) -> Self {
        let dimensions = model.layout().unconstrained();
        let zero = E::default();
        let linear = matrix.map(|matrix| Linear {
            matrix: matrix.to_vec(),
            elements: matrix.iter().map(|&a| E::from_f64(a)).collect(),
            rows: vec![zero; dimensions * samples],
            excess: vec![0.0; 2 * dimensions],
            mean: vec![0.0; 2 * dimensions],
            covariance: 1.0,
            variance: 1.0,
        });
        Reparameterization {
            samples,
            noise: vec![zero; (dimensions - model.layout().points()) * samples],
            log_density: vec![0.0; samples],
            work: model.workspace(samples),
            weights: model.unit_weights(samples),
            linear,
        }
    }

    fn subtract_linear(&mut self, guide: &dyn Guide<E>, gradient: &mut [f64]) {
        let (Some(linear), Some(mean)) = (&mut self.linear, guide.mean()) else { return };
        let samples = self.samples;
        dispatch(LinearRows { matrix: &linear.elements, mean, u: self.work.u(), samples, rows: &mut linear.rows });
        linear.excess.fill(0.0);
        if !guide.pull_linear(&linear.matrix, &mut linear.excess) {
            return;
        }
        // The gradient of the model is -A (u - E u) and more; the excess is what this step's noise makes of the first part.
        linear.excess.iter_mut().for_each(|x| *x *= -(samples as f64));
        let path = Path { noise: &self.noise, u: self.work.u(), samples };
        guide.pull_sample(path, &mut linear.rows, &mut linear.excess);
        let coefficient = (linear.covariance / linear.variance).clamp(0.0, 1.0);
        let (mut covariance, mut variance) = (0.0, 0.0);
        for ((g, excess), mean) in gradient.iter_mut().zip(&linear.excess).zip(&mut linear.mean) {
            let excess = -excess / samples as f64;
            covariance += (*g - *mean) * excess;
            variance += excess * excess;
            *g -= coefficient * excess;
            *mean = MEMORY.mul_add(*mean, (1.0 - MEMORY) * *g);
        }
        if covariance.is_finite() && variance.is_finite() {
            linear.covariance = MEMORY.mul_add(linear.covariance, (1.0 - MEMORY) * covariance);
            linear.variance = MEMORY.mul_add(linear.variance, (1.0 - MEMORY) * variance).max(1e-300);
        }
    }
}

impl<E: Real> GradientEstimator<E> for Reparameterization<E> {
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate {
        let samples = self.samples;
        antithetic_normals(key, samples, &mut self.noise);
        guide.sample(&self.noise, samples, self.work.u_mut());
        model.log_density(&mut self.work, &self.weights, &mut self.log_density);
        gradient.fill(0.0);
        let (u, adjoint) = self.work.u_and_gradient_mut();
        guide.pull_sample(Path { noise: &self.noise, u, samples }, adjoint, gradient);
        let share = 1.0 / samples as f64;
        gradient.iter_mut().for_each(|g| *g *= share);
        self.subtract_linear(guide, gradient);
        let entropy = guide.entropy(Some(gradient)).unwrap_or(f64::NAN);
        let elbo = self.log_density.iter().sum::<f64>() * share + entropy;
        Estimate { elbo }
    }

    fn archive(&mut self, archive: &mut Archive) {
        if let Some(linear) = &mut self.linear {
            archive.numbers(&mut linear.mean);
            archive.number(&mut linear.covariance);
            archive.number(&mut linear.variance);
        }
    }

    fn draws(&self) -> &[E] {
        self.work.u()
    }

    fn log_densities(&self) -> &[f64] {
        &self.log_density
    }
}

/// `A (u - mean)`, sample by sample.
struct LinearRows<'a, E> {
    matrix: &'a [E],
    mean: &'a [f64],
    u: &'a [E],
    samples: usize,
    rows: &'a mut [E],
}

impl<E: Real> Kernel<E> for LinearRows<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let n = self.mean.len();
        let mut offset = 0;
        while offset < self.samples {
            for i in 0..n {
                let row = &self.matrix[i * n..(i + 1) * n];
                let mut sum = V::zero();
                for k in 0..n {
                    let x = V::load(&self.u[k * self.samples + offset..]) - V::constant(self.mean[k]);
                    sum = V::splat(row[k]).mul_add(x, sum);
                }
                sum.store(&mut self.rows[i * self.samples + offset..]);
            }
            offset += V::WIDTH;
        }
    }
}
