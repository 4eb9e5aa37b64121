//! Guides: variational families on the unconstrained space, each two differentiable maps.

mod family;
mod full_rank;
mod mean_field;
pub mod mean_field_reference;
#[cfg(test)]
mod tests;

pub use family::{Family, FittedGuide};
pub use full_rank::FullRank;
pub use mean_field::MeanField;

use crate::kernel::{Lanes, Real, Sum};

/// A variational family `q(u)`, as two maps with their pullbacks: from noise to draws, and from draws to log densities.
///
/// Draws and noise are rows of lanes, `[dimension][sample]`. Reparameterization pulls the adjoint of the draws back; sticking
/// the landing leaves out the parameters' adjoint of log q; the score function uses it alone.
pub trait Guide<E: Real>: Send {
    /// The parameters that are optimized.
    fn parameters(&self) -> &[f64];
    /// The parameters, to be changed.
    fn parameters_mut(&mut self) -> &mut [f64];
    /// The number of unconstrained dimensions.
    fn dimensions(&self) -> usize;
    /// Turns standard normal noise into draws.
    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]);
    /// Adds to `gradient` the pullback of the adjoint of the draws, summed over samples. The adjoint is used up.
    fn pull_sample(&self, noise: &[E], samples: usize, u_adjoint: &mut [E], gradient: &mut [f64]);
    /// As [`Guide::pull_sample`], of the adjoint less the derivative of log q at the draws, which have just been made of this noise;
    /// writes their log q (`[sample]`). Nothing is left of the noise where q is the target.
    fn stick(
        &self,
        noise: &[E],
        samples: usize,
        u_adjoint: &mut [E],
        scratch: &mut Vec<E>,
        log_q: &mut [f64],
        gradient: &mut [f64],
    );
    /// Writes the log density of each draw (`[sample]`), in nats.
    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]);
    /// Adds the pullback of weights on [`Guide::log_prob`] to the adjoint of the draws and to the gradient of the parameters.
    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>);
    /// The entropy in nats, if it is known in closed form; its gradient is added to `gradient`.
    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64>;
    /// Writes for each of some parameters the change that matters as much as one standard deviation of the guide.
    fn units(&self, parameters: &[f64], units: &mut [f64]);
    /// Multiplies all scales by a factor.
    fn narrow(&mut self, factor: f64);
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

/// The sum of a sum over its lanes.
#[inline(always)]
fn lane_sum<V: Lanes>(sum: V::Sum) -> f64 {
    let mut lanes = [0.0; 16];
    sum.add_to(&mut lanes[..V::WIDTH.max(1)]);
    let mut total = 0.0;
    let mut i = 0;
    while i < V::WIDTH {
        total += lanes[i];
        i += 1;
    }
    total
}
