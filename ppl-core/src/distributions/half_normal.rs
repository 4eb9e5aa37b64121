//! The normal distribution of location zero, folded to the positive numbers.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use rand::Rng;
use rand_distr::Distribution as _;

use super::{
    Cumulative, Normal, Partials, Probability, Tails, Univariate,
    special::{LN_SQRT_2PI, normal_quantile},
};
use crate::kernel::Lanes;

/// The normal distribution of location zero, folded to the positive numbers.
///
/// `log p(x) = -(x / scale)^2 / 2 - ln scale - ln(pi / 2) / 2`, in nats.
///
/// # Source
/// Stan `normal(0, scale)` with `lower = 0`, scipy `halfnorm`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, HalfNormal};
/// assert!((log_prob::<HalfNormal, 1>(1.0, [1.0]) + 0.7257914).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HalfNormal;

impl Univariate<1> for HalfNormal {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [scale]: [V; 1]) -> Partials<V, 1> {
        let inverse = V::constant(1.0) / scale;
        let z = x * inverse;
        let d = z * inverse;
        Partials { log_prob: V::constant(-0.5) * z * z, d_value: -d, d_params: [z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([scale]: [V; 1]) -> (V, [V; 1]) {
        (scale.ln() + V::constant(0.225_791_352_644_727_43), [V::constant(1.0) / scale])
    }

    fn sample([scale]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        let z: f64 = rand_distr::StandardNormal.sample(rng);
        (scale * z).abs()
    }

    fn mean([scale]: [f64; 1]) -> Option<f64> {
        Some(scale * (2.0 / PI).sqrt())
    }

    fn variance([scale]: [f64; 1]) -> Option<f64> {
        Some(scale.powi(2) * (1.0 - 2.0 / PI))
    }

    fn mode(_: [f64; 1]) -> Option<f64> {
        Some(0.0)
    }

    fn entropy([scale]: [f64; 1]) -> Option<f64> {
        Some(0.5 + LN_SQRT_2PI - LN_2 + scale.ln())
    }

    fn divergence([scale]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Normal::divergence([0.0, scale], [0.0, other])
    }
}

impl Cumulative<1> for HalfNormal {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [scale]: [V; 1]) -> Tails<V, 1> {
        let z = x / scale;
        let ln_below = (V::constant(FRAC_1_SQRT_2) * z).erf().ln();
        Tails { ln_below, ln_above: V::constant(LN_2) + (-z).ln_normal_cdf(), velocity: [z] }
    }

    fn quantile(probability: f64, [scale]: [f64; 1]) -> f64 {
        -scale * normal_quantile(0.5 * (1.0 - probability))
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [scale]: [V; 1]) -> V {
        probability.ln_half_normal() + scale.ln()
    }
}
