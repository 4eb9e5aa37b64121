//! Estimators of the gradient of the ELBO: each a choice of weights on the two maps of a guide.

mod reparameterization;
mod sticking_the_landing;

pub use reparameterization::Reparameterization;
pub use sticking_the_landing::StickingTheLanding;

use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::LogJoint;

/// What one step says of the objective.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// An unbiased estimate of the ELBO, in nats; not finite if any sample was not.
    pub elbo: f64,
}

/// An unbiased estimate of the gradient of the ELBO in the parameters of a guide.
pub trait GradientEstimator<E: Real> {
    /// Sets `gradient` to the estimate of this key: the same key gives the same bits.
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate;
    /// The draws of the last step, `[dimension][sample]`.
    fn draws(&self) -> &[E];
    /// The log densities of the last step, `[sample]`.
    fn log_densities(&self) -> &[f64];
}
