//! The negative binomial distribution of a number of successes and their probability.

use rand::Rng;

use super::{Cumulative, Geometric, NegativeBinomial, Partials, Tails, Univariate, of_probability};
use crate::kernel::Lanes;

/// The negative binomial distribution of a number of successes and their probability: the failures before that many successes.
///
/// `log p(x) = lgamma(x + n) - lgamma(n) - lgamma(x + 1) + n ln prob + x ln(1 - prob)` with `n` successes, which need not be whole, in nats.
///
/// # Source
/// scipy `nbinom(n = successes, p = prob)`, R `dnbinom(size = successes, prob)`, Stan `neg_binomial(alpha = successes, beta = prob / (1 - prob))`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, NegativeBinomialProb};
/// // One failure before the second success, in two ways: 2 / 2^3
/// assert!((log_prob::<NegativeBinomialProb, 2>(1.0, [2.0, 0.5]) + 1.3862944).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NegativeBinomialProb;

impl Univariate<2> for NegativeBinomialProb {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        NegativeBinomial::base(x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [successes, prob]: [V; 2]) -> Partials<V, 2> {
        // No failure says nothing of the logarithm that would be infinite.
        let (zero, one) = (V::zero(), V::constant(1.0));
        let none = x.eq(zero);
        let (lgamma, digamma) = (x + successes).lgamma_and_digamma();
        let failures = V::select(none, zero, x * (-prob).ln_1p());
        let d_prob = V::select(none, zero, -(x / (one - prob)));
        Partials { log_prob: of_probability(prob, lgamma + failures), d_value: zero, d_params: [digamma, d_prob] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([successes, prob]: [V; 2]) -> (V, [V; 2]) {
        let (lgamma, digamma) = successes.lgamma_and_digamma();
        let ln = prob.ln();
        (lgamma - successes * ln, [digamma - ln, -(successes / prob)])
    }

    fn sample([successes, prob]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        if prob == 1.0 { 0.0 } else { NegativeBinomial::sample([successes * (1.0 - prob) / prob, successes], rng) }
    }

    fn mean([successes, prob]: [f64; 2]) -> Option<f64> {
        Some(successes * (1.0 - prob) / prob)
    }

    fn variance([successes, prob]: [f64; 2]) -> Option<f64> {
        Some(successes * (1.0 - prob) / prob.powi(2))
    }

    fn mode([successes, prob]: [f64; 2]) -> Option<f64> {
        Some(((successes - 1.0).max(0.0) * (1.0 - prob) / prob).floor())
    }

    fn divergence([successes, prob]: [f64; 2], [other_successes, other]: [f64; 2]) -> Option<f64> {
        let one = Geometric::divergence([prob], [other]);
        one.filter(|_| successes == other_successes).map(|one| successes * one)
    }
}

impl Cumulative<2> for NegativeBinomialProb {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [successes, prob]: [V; 2]) -> Tails<V, 2> {
        let one = V::constant(1.0);
        let rest = one - prob;
        let [ln_below, ln_above, d_alpha, _] = V::beta_tails(successes, x + one, prob, rest);
        let total = successes + x;
        Tails { ln_below, ln_above, velocity: [total * rest * d_alpha, -(total / prob)] }
    }
}
