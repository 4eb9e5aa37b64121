//! Sticking the landing: the reparameterization gradient without the part of it that is zero on average.

use super::{Estimate, GradientEstimator};
use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};
use crate::random::antithetic_normals;

/// `E_q[(du / dtheta)^T (grad log p(u) - grad log q(u))]`: as `q` comes near the posterior, its noise goes to zero.
///
/// # Source
/// Roeder, Wu & Duvenaud 2017, Sticking the landing, equation 7.
#[derive(Debug)]
pub struct StickingTheLanding<E> {
    samples: usize,
    noise: Vec<E>,
    scratch: Vec<E>,
    log_density: Vec<f64>,
    log_q: Vec<f64>,
    work: Workspace<E>,
    weights: Weights<E>,
}

impl<E: Real> StickingTheLanding<E> {
    /// Buffers for a model.
    #[must_use]
    pub fn new(model: &dyn LogJoint<E>, samples: usize) -> Self {
        let dimensions = model.layout().unconstrained();
        StickingTheLanding {
            samples,
            noise: vec![E::default(); dimensions * samples],
            scratch: vec![E::default(); dimensions * samples],
            log_density: vec![0.0; samples],
            log_q: vec![0.0; samples],
            work: model.workspace(samples),
            weights: model.unit_weights(samples),
        }
    }
}

impl<E: Real> GradientEstimator<E> for StickingTheLanding<E> {
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate {
        let samples = self.samples;
        antithetic_normals(key, samples, &mut self.noise);
        guide.sample(&self.noise, samples, self.work.u_mut());
        model.log_density(&mut self.work, &self.weights, &mut self.log_density);
        gradient.fill(0.0);
        guide.stick(&self.noise, samples, self.work.gradient_mut(), &mut self.scratch, &mut self.log_q, gradient);
        let share = 1.0 / samples as f64;
        gradient.iter_mut().for_each(|g| *g *= share);
        let elbo = self.log_density.iter().zip(&self.log_q).map(|(p, q)| p - q).sum::<f64>() * share;
        Estimate { elbo }
    }

    fn draws(&self) -> &[E] {
        self.work.u()
    }

    fn log_densities(&self) -> &[f64] {
        &self.log_density
    }
}
