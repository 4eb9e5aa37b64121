//! The Bernoulli distribution of a probability.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Partials, Univariate, of_probability, special::times_ln};
use crate::kernel::Lanes;

/// The Bernoulli distribution of a probability.
///
/// `log p(x) = x ln prob + (1 - x) ln(1 - prob)`, in nats.
///
/// # Source
/// Stan `bernoulli`, scipy `bernoulli`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, BernoulliProb};
/// assert!((log_prob::<BernoulliProb, 1>(1.0, [0.5]) + 0.6931472).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BernoulliProb;

impl Univariate<1> for BernoulliProb {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [prob]: [V; 1]) -> Partials<V, 1> {
        let one = V::constant(1.0);
        let success = V::constant(0.5).lt(x);
        let log_prob = V::select(success, prob.ln(), (-prob).ln_1p());
        let d = V::select(success, one / prob, V::constant(-1.0) / (one - prob));
        let log_prob = of_probability(prob, log_prob);
        Partials { log_prob, d_value: V::zero(), d_params: [d] }
    }

    fn sample([prob]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        let u: f64 = rand_distr::StandardUniform.sample(rng);
        f64::from(u8::from(u < prob))
    }

    fn cdf(x: f64, [prob]: [f64; 1]) -> Option<f64> {
        Some(if x < 0.0 {
            0.0
        } else if x < 1.0 {
            1.0 - prob
        } else {
            1.0
        })
    }

    fn mean([prob]: [f64; 1]) -> Option<f64> {
        Some(prob)
    }

    fn variance([prob]: [f64; 1]) -> Option<f64> {
        Some(prob * (1.0 - prob))
    }

    fn mode([prob]: [f64; 1]) -> Option<f64> {
        Some(f64::from(prob > 0.5))
    }

    fn entropy([prob]: [f64; 1]) -> Option<f64> {
        Some(-(times_ln(prob, prob) + times_ln(1.0 - prob, 1.0 - prob)))
    }

    fn divergence([prob]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Some(times_ln(prob, prob / other) + times_ln(1.0 - prob, (1.0 - prob) / (1.0 - other)))
    }
}
