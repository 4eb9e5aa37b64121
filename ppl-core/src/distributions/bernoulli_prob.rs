//! The Bernoulli distribution of a probability.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Tails, Univariate, of_probability, special::times_ln};
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
        let (zero, one) = (V::zero(), V::constant(1.0));
        let success = V::constant(0.5).lt(x);
        // One logarithm for both: of the probability, or of the rounded rest, with what the rounding took away.
        let rest = one - prob;
        let share = V::select(success, prob, rest);
        let inverse = one / share;
        let rounded = V::select(success, zero, (one - rest) - prob);
        let log_prob = share.ln() + V::select(zero.lt(share), rounded * inverse, zero);
        let d = V::select(success, inverse, -inverse);
        let log_prob = of_probability(prob, log_prob);
        Partials { log_prob, d_value: zero, d_params: [d] }
    }

    #[inline]
    fn sample([prob]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        let u: f64 = rand_distr::StandardUniform.sample(rng);
        f64::from(u8::from(u < prob))
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

impl Cumulative<1> for BernoulliProb {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [prob]: [V; 1]) -> Tails<V, 1> {
        let one = V::constant(1.0);
        let none = x.lt(one);
        let nothing = V::constant(f64::NEG_INFINITY);
        Tails {
            ln_below: V::select(none, (-prob).ln_1p(), V::zero()),
            ln_above: V::select(none, prob.ln(), nothing),
            velocity: [V::select(none, one / (one - prob), V::zero())],
        }
    }
}
