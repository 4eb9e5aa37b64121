//! The log-uniform (reciprocal) distribution: a number whose logarithm is uniform.

use rand::Rng;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{open01, within},
};
use crate::kernel::Lanes;

/// The log-uniform (reciprocal) distribution: a number whose logarithm is uniform.
///
/// `log p(x) = -ln x - ln(ln(upper / lower))`, in nats.
///
/// Drawn by its inverse cdf, `lower (upper / lower)^u`.
///
/// # Source
/// scipy `loguniform(a = lower, b = upper)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, LogUniform};
/// assert!((log_prob::<LogUniform, 2>(1.0, [1.0, 2.718281828459045]) - 5.3182377e-17).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LogUniform;

impl Univariate<2> for LogUniform {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [lower, upper]: [V; 2]) -> Partials<V, 2> {
        Partials { log_prob: within(lower, x, upper, V::zero()), d_value: V::zero(), d_params: [V::zero(); 2] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([lower, upper]: [V; 2]) -> (V, [V; 2]) {
        let width = upper.ln() - lower.ln();
        let inverse = V::constant(1.0) / width;
        (width.ln(), [-(inverse / lower), inverse * (V::constant(1.0) / upper)])
    }

    fn sample([lower, upper]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        lower * (open01(rng) * (upper / lower).ln()).exp()
    }

    fn mean([lower, upper]: [f64; 2]) -> Option<f64> {
        Some((upper - lower) / (upper / lower).ln())
    }

    fn variance([lower, upper]: [f64; 2]) -> Option<f64> {
        let width = (upper / lower).ln();
        Some((upper.powi(2) - lower.powi(2)) / (2.0 * width) - ((upper - lower) / width).powi(2))
    }

    fn mode([lower, _]: [f64; 2]) -> Option<f64> {
        Some(lower)
    }

    fn entropy([lower, upper]: [f64; 2]) -> Option<f64> {
        Some((upper / lower).ln().ln() + 0.5 * (lower.ln() + upper.ln()))
    }
}

impl Cumulative<2> for LogUniform {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [lower, upper]: [V; 2]) -> Tails<V, 2> {
        let width = (upper / lower).ln();
        let below = ((x / lower).ln() / width).max(V::zero()).min(V::constant(1.0));
        let above = ((upper / x).ln() / width).max(V::zero()).min(V::constant(1.0));
        Tails { ln_below: below.ln(), ln_above: above.ln(), velocity: [x * above / lower, x * below / upper] }
    }

    #[inline(always)]
    fn ends<V: Lanes>(params: [V; 2]) -> Option<[V; 2]> {
        Some(params)
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [lower, upper]: [V; 2]) -> V {
        let width = (upper / lower).ln();
        let (below, above) = (width * probability.ln_below.exp(), width * probability.ln_above.exp());
        (lower * below.exp_m1()).ln() - (-upper * (-above).exp_m1()).ln()
    }

    fn quantile(probability: f64, [lower, upper]: [f64; 2]) -> f64 {
        lower * (probability * (upper / lower).ln()).exp()
    }
}
