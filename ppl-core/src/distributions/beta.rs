//! The beta distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::ln_beta};
use crate::kernel::Lanes;

/// The beta distribution.
///
/// `log p(x) = (alpha - 1) ln x + (beta - 1) ln(1 - x) + lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)`, in nats.
///
/// # Source
/// Stan `beta`, R `dbeta`, scipy `beta`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Beta};
/// assert!((log_prob::<Beta, 2>(0.5, [2.0, 2.0]) - 0.4054651).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Beta;

impl Univariate<2> for Beta {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        let rest = V::constant(1.0) - x;
        (-(x.ln() + (-x).ln_1p()), V::constant(1.0) / rest - V::constant(1.0) / x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [alpha, beta]: [V; 2]) -> Partials<V, 2> {
        let (ln, ln_rest) = (x.ln(), (-x).ln_1p());
        let one = V::constant(1.0);
        let d_value = alpha * (one / x) - beta * (one / (one - x));
        Partials { log_prob: alpha.mul_add(ln, beta * ln_rest), d_value, d_params: [ln, ln_rest] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([alpha, beta]: [V; 2]) -> (V, [V; 2]) {
        let (a, d_a) = alpha.lgamma_and_digamma();
        let (b, d_b) = beta.lgamma_and_digamma();
        let (sum, d_sum) = (alpha + beta).lgamma_and_digamma();
        (a + b - sum, [d_a - d_sum, d_b - d_sum])
    }

    fn sample([alpha, beta]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        rand_distr::Beta::new(alpha, beta).map_or(f64::NAN, |d| d.sample(rng))
    }

    fn mean([alpha, beta]: [f64; 2]) -> Option<f64> {
        Some(alpha / (alpha + beta))
    }

    fn variance([alpha, beta]: [f64; 2]) -> Option<f64> {
        let sum = alpha + beta;
        Some(alpha * beta / (sum.powi(2) * (sum + 1.0)))
    }

    fn mode([alpha, beta]: [f64; 2]) -> Option<f64> {
        (alpha >= 1.0 && beta >= 1.0 && alpha + beta > 2.0).then(|| (alpha - 1.0) / (alpha + beta - 2.0))
    }

    fn entropy([alpha, beta]: [f64; 2]) -> Option<f64> {
        let [a, b, sum] = [alpha, beta, alpha + beta].map(f64::digamma);
        Some(ln_beta(alpha, beta) - (alpha - 1.0) * a - (beta - 1.0) * b + (alpha + beta - 2.0) * sum)
    }

    fn divergence([alpha, beta]: [f64; 2], [other_alpha, other_beta]: [f64; 2]) -> Option<f64> {
        let [a, b, sum] = [alpha, beta, alpha + beta].map(f64::digamma);
        let ln = ln_beta(other_alpha, other_beta) - ln_beta(alpha, beta);
        Some(ln + (alpha - other_alpha) * (a - sum) + (beta - other_beta) * (b - sum))
    }
}

impl Cumulative<2> for Beta {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [alpha, beta]: [V; 2]) -> Tails<V, 2> {
        let rest = V::constant(1.0) - x;
        let [ln_below, ln_above, d_alpha, d_beta] = V::beta_tails(alpha, beta, x, rest);
        let slope = x * rest;
        Tails { ln_below, ln_above, velocity: [slope * d_alpha, slope * d_beta] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [alpha, beta]: [V; 2]) -> V {
        probability.ln_gamma_ratio(alpha, beta)
    }
}
