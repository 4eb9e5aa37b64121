//! The binomial distribution of a probability.

use rand::Rng;
use rand_distr::Distribution as _;

use super::special::within;
use super::{BernoulliProb, Cumulative, Partials, Tails, Univariate, of_probability};
use crate::kernel::Lanes;

/// The binomial distribution of a probability.
///
/// `log p(x) = ln(trials choose x) + x ln prob + (trials - x) ln(1 - prob)`, in nats.
///
/// # Source
/// Stan `binomial`, R `dbinom`, scipy `binom`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, BinomialProb};
/// assert!((log_prob::<BinomialProb, 2>(1.0, [2.0, 0.5]) + 0.6931472).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BinomialProb;

impl Univariate<2> for BinomialProb {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [trials, prob]: [V; 2]) -> Partials<V, 2> {
        let rest = trials - x;
        let choose = -rest.ln_factorial();
        let one = V::constant(1.0);
        // No success, or no failure, says nothing of the logarithm that would be infinite.
        let zero = V::zero();
        let successes = V::select(x.eq(zero), zero, x * prob.ln());
        let failures = V::select(rest.eq(zero), zero, rest * (-prob).ln_1p());
        let d_prob = V::select(x.eq(zero), zero, x / prob) - V::select(rest.eq(zero), zero, rest / (one - prob));
        let log_prob = within(zero, x, trials, choose + of_probability(prob, successes + failures));
        Partials { log_prob, d_value: zero, d_params: [zero, d_prob] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([trials, _prob]: [V; 2]) -> (V, [V; 2]) {
        (-trials.ln_factorial(), [V::zero(); 2])
    }

    fn sample([trials, prob]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a checked count")]
        let n = trials as u64;
        rand_distr::Binomial::new(n, prob).map_or(f64::NAN, |d| d.sample(rng) as f64)
    }

    fn mean([trials, prob]: [f64; 2]) -> Option<f64> {
        Some(trials * prob)
    }

    fn variance([trials, prob]: [f64; 2]) -> Option<f64> {
        Some(trials * prob * (1.0 - prob))
    }

    fn mode([trials, prob]: [f64; 2]) -> Option<f64> {
        Some(((trials + 1.0) * prob).floor().min(trials))
    }

    fn divergence([trials, prob]: [f64; 2], [other_trials, other]: [f64; 2]) -> Option<f64> {
        let one = BernoulliProb::divergence([prob], [other]);
        one.filter(|_| trials == other_trials).map(|one| trials * one)
    }
}

impl Cumulative<2> for BinomialProb {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [trials, prob]: [V; 2]) -> Tails<V, 2> {
        let (ln_below, ln_above) = binomial_tails(x, trials, prob, V::constant(1.0) - prob);
        let left = (trials - x).max(V::zero());
        Tails { ln_below, ln_above, velocity: [V::zero(), left / (V::constant(1.0) - prob)] }
    }
}

/// `ln P(X <= x)` and `ln P(X > x)` of a binomial number; `rest` is `1 - prob`.
#[inline(always)]
pub(super) fn binomial_tails<V: Lanes>(x: V, trials: V, prob: V, rest: V) -> (V, V) {
    let (one, left) = (V::constant(1.0), trials - x);
    let whole = left.le(V::zero());
    let [ln_below, ln_above, ..] = V::beta_tails(left.max(one), x + one, rest, prob);
    (V::select(whole, V::zero(), ln_below), V::select(whole, V::constant(f64::NEG_INFINITY), ln_above))
}
