//! The logit-normal distribution: a number whose logit is normal.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Normal, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The logit-normal distribution: a number whose logit is normal.
///
/// `log p(x) = -z^2 / 2 - ln scale - ln(2 pi) / 2 - ln x - ln(1 - x)` with `z = (logit x - loc) / scale`, in nats.
///
/// Drawn by composition, `sigmoid(loc + scale n)` of a standard normal `n`.
///
/// # Source
/// R `logitnorm::dlogitnorm`; Atchison & Shen 1980, Logistic-normal distributions.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, LogitNormal};
/// assert!((log_prob::<LogitNormal, 2>(0.5, [0.0, 1.0]) - 0.46735583).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LogitNormal;

impl Univariate<2> for LogitNormal {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        let rest = V::constant(1.0) - x;
        (-(x.ln() + (-x).ln_1p()), V::constant(1.0) / rest - V::constant(1.0) / x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x.ln() - (-x).ln_1p() - loc) * inverse;
        let slope = z * inverse;
        let one = V::constant(1.0);
        let d_value = -(slope * (one / x + one / (one - x)));
        Partials { log_prob: V::constant(-0.5) * z * z, d_value, d_params: [slope, z * slope] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        (scale.ln() + V::constant(0.918_938_533_204_672_8), [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        let n: f64 = rand_distr::StandardNormal.sample(rng);
        (loc + scale * n).sigmoid()
    }

    fn divergence(params: [f64; 2], other: [f64; 2]) -> Option<f64> {
        Normal::divergence(params, other)
    }
}

impl Cumulative<2> for LogitNormal {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, params: [V; 2]) -> Tails<V, 2> {
        let tails = Normal::tails(x.logit(), params);
        let ([d_loc, d_scale], slope) = (tails.velocity, x * (V::constant(1.0) - x));
        Tails { velocity: [slope * d_loc, slope * d_scale], ..tails }
    }

    fn quantile(probability: f64, params: [f64; 2]) -> f64 {
        Normal::quantile(probability, params).sigmoid()
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        probability.noise.mul_add(scale, loc)
    }
}
