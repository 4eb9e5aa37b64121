//! The beta prime distribution: the odds of a probability that has a beta distribution.

use rand::Rng;

use super::{Beta, Cumulative, Gamma, Partials, Probability, Tails, Univariate, special::ln_beta};
use crate::kernel::Lanes;

/// The beta prime distribution: the odds of a probability that has a beta distribution.
///
/// `log p(x) = (alpha - 1) ln x - (alpha + beta) ln(1 + x) + lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)`, in nats.
///
/// Drawn by composition, the ratio of two gamma numbers.
///
/// # Source
/// scipy `betaprime(a = alpha, b = beta)`, R `extraDistr::dbetapr`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, BetaPrime};
/// assert!((log_prob::<BetaPrime, 2>(1.0, [1.0, 1.0]) + 1.3862944).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BetaPrime;

impl Univariate<2> for BetaPrime {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [alpha, beta]: [V; 2]) -> Partials<V, 2> {
        let (ln, ln_total) = (x.ln(), x.ln_1p());
        let d_value = alpha * (V::constant(1.0) / x) - (alpha + beta) / (V::constant(1.0) + x);
        Partials { log_prob: alpha * (ln - ln_total) - beta * ln_total, d_value, d_params: [ln - ln_total, -ln_total] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>(params: [V; 2]) -> (V, [V; 2]) {
        Beta::normalizer(params)
    }

    fn sample([alpha, beta]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        Gamma::sample([alpha, 1.0], rng) / Gamma::sample([beta, 1.0], rng)
    }

    fn mean([alpha, beta]: [f64; 2]) -> Option<f64> {
        (beta > 1.0).then(|| alpha / (beta - 1.0))
    }

    fn variance([alpha, beta]: [f64; 2]) -> Option<f64> {
        (beta > 2.0).then(|| alpha * (alpha + beta - 1.0) / ((beta - 2.0) * (beta - 1.0).powi(2)))
    }

    fn mode([alpha, beta]: [f64; 2]) -> Option<f64> {
        (alpha >= 1.0).then(|| (alpha - 1.0) / (beta + 1.0))
    }

    fn entropy([alpha, beta]: [f64; 2]) -> Option<f64> {
        let [a, b, sum] = [alpha, beta, alpha + beta].map(f64::digamma);
        Some(ln_beta(alpha, beta) - (alpha - 1.0) * (a - b) + (alpha + beta) * (sum - b))
    }

    fn divergence(params: [f64; 2], other: [f64; 2]) -> Option<f64> {
        Beta::divergence(params, other)
    }
}

impl Cumulative<2> for BetaPrime {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [alpha, beta]: [V; 2]) -> Tails<V, 2> {
        let total = V::constant(1.0) + x;
        let [ln_below, ln_above, d_alpha, d_beta] = V::beta_tails(alpha, beta, x / total, V::constant(1.0) / total);
        Tails { ln_below, ln_above, velocity: [x * d_alpha, x * d_beta] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [alpha, beta]: [V; 2]) -> V {
        probability.ln_gamma_ratio(alpha, beta)
    }
}
