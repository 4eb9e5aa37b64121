//! Guides: variational families on the unconstrained space, each two differentiable maps.

mod mean_field;
pub mod mean_field_reference;

pub use mean_field::MeanField;

use crate::kernel::Real;

/// A variational family `q(u)`, as two maps with their pullbacks: from noise to draws, and from draws to log densities.
///
/// Draws and noise are rows of lanes, `[dimension][sample]`. Reparameterization pulls the adjoint of the draws back; sticking
/// the landing adds the draws' adjoint of log q; the score function uses the parameters' adjoint of log q alone.
pub trait Guide<E: Real>: Send {
    /// The parameters that are optimized.
    fn parameters(&self) -> &[f64];
    /// The parameters, to be changed.
    fn parameters_mut(&mut self) -> &mut [f64];
    /// The number of unconstrained dimensions.
    fn dimensions(&self) -> usize;
    /// Turns standard normal noise into draws.
    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]);
    /// Adds to `gradient` the pullback of the adjoint of the draws, summed over samples.
    fn pull_sample(&self, noise: &[E], samples: usize, u_adjoint: &[E], gradient: &mut [f64]);
    /// Writes the log density of each draw (`[sample]`), in nats.
    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]);
    /// Adds the pullback of weights on [`Guide::log_prob`] to the adjoint of the draws and to the gradient of the parameters.
    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>);
    /// The entropy in nats, if it is known in closed form; its gradient is added to `gradient`.
    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64>;
    /// The mean of the draws, if it is known in closed form.
    fn mean(&self) -> Option<&[f64]> {
        None
    }
    /// Adds the exact expectation of the pullback of the adjoint `A (u - E u)` (`A` row by row), and says whether it is known:
    /// what a control variate made of a linear model of the gradient needs.
    fn pull_linear(&self, _matrix: &[f64], _gradient: &mut [f64]) -> bool {
        false
    }
}
