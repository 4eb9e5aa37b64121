//! Estimators of the gradient of the objective: each a choice of weights on the two maps of a guide.
//!
//! Their variance, summed over the parameters of a mean-field guide, with 16 samples, in multiples of that of the reparameterization gradient; at the start
//! of a fit (location 0, standard deviation 1) and at its end, where the guide is as near the posterior as it comes
//! (`cargo run --release -p ppl-examples --bin gradient_variance`):
//!
//! | estimator | conjugate normal, start | end | logistic, start | end | Poisson-gamma, start | end | 100 groups, start | end |
//! |---|---:|---:|---:|---:|---:|---:|---:|---:|
//! | reparameterization | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |
//! | sticking the landing | 0.98 | 0 | 0.95 | 0.072 | 0.97 | 0.096 | 1.00 | 0.085 |
//! | reparameterization, antithetic, linear control variate | 0 | 0 | 0.034 | 0.023 | 0.76 | 0.080 | 0.73 | 0.026 |
//! | score function | 20 | 4744 | 81 | 6963 | 68 | 19690 | 10 | 569581 |
//! | score function, optimal baseline | 8.00 | 0 | 12 | 0.37 | 9.05 | 0.83 | 8.83 | 0.68 |
//! | score function, leave-one-out | 9.46 | 0 | 14 | 0.38 | 9.96 | 0.86 | 9.30 | 0.71 |
//! | score function, Rao-Blackwell | 20 | 4744 | 80 | 5853 | 6.97 | 135 | 2.67 | 4812 |
//! | score function, Rao-Blackwell, optimal baseline | 8.00 | 0 | 12 | 2.18 | 5.15 | 0.75 | 2.56 | 4.95 |
//! | score function, Rao-Blackwell, leave-one-out | 9.46 | 0 | 14 | 2.31 | 5.85 | 0.77 | 2.67 | 5.21 |
//! | score function, Rao-Blackwell where measured to pay, leave-one-out | 9.46 | 0 | 14 | 0.38 | 5.85 | 0.39 | 2.67 | 0.34 |
//!
//! The score function needs no derivative of the model, and on its own thousands of times the samples. A baseline takes most of that away: near the posterior
//! `log p - log q` hardly varies, and its gradient is then as quiet as one along the path. Rao-Blackwellization pays where the latents are many and the guide is far
//! from the posterior; near it, it leaves out the very terms that cancel. So it is taken where it is measured to pay.

mod baseline;
mod batched;
mod blanket;
mod choice;
mod landing;
mod mixed;
mod pathwise;
mod reparameterization;

pub use batched::{Batched, Part};
pub(crate) use blanket::Blankets;
pub(crate) use choice::of_blocks;
pub use choice::{Baseline, Estimator, RaoBlackwell};
pub use mixed::Mixed;
pub use pathwise::Pathwise;
pub use reparameterization::Reparameterization;

use crate::archive::Archive;
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
    /// Writes all that earlier steps leave to later ones, or reads it.
    fn archive(&mut self, archive: &mut Archive);
}
