//! Estimators of the gradient of the objective: each a choice of weights on the two maps of a guide.

mod pathwise;
mod reparameterization;

pub use pathwise::Pathwise;
pub use reparameterization::Reparameterization;

use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::LogJoint;

/// What one step says of the objective.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// An unbiased estimate of the ELBO, or of the bound that is maximised in its place, in nats; not finite if any sample was not.
    pub elbo: f64,
}

/// An estimate of the gradient of the objective in the parameters of a guide.
pub trait GradientEstimator<E: Real> {
    /// Sets `gradient` to the estimate of this key: the same key gives the same bits.
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate;
    /// The draws of the last step, `[dimension][sample]`.
    fn draws(&self) -> &[E];
    /// The log densities of the last step, `[sample]`.
    fn log_densities(&self) -> &[f64];
}
