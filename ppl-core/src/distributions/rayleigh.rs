//! The Rayleigh distribution: the length of a vector of two normal numbers.

use std::f64::consts::{PI, SQRT_2};

use rand::Rng;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{EULER, open01},
};
use crate::kernel::Lanes;

/// The Rayleigh distribution: the length of a vector of two normal numbers.
///
/// `log p(x) = ln x - 2 ln scale - (x / scale)^2 / 2`, in nats.
///
/// Drawn by its inverse cdf, `scale sqrt(-2 ln u)`.
///
/// # Source
/// Stan `rayleigh`, scipy `rayleigh`; R `VGAM::drayleigh`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Rayleigh};
/// assert!((log_prob::<Rayleigh, 1>(1.0, [1.0]) + 0.5).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rayleigh;

impl Univariate<1> for Rayleigh {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (x.ln(), V::constant(1.0) / x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [scale]: [V; 1]) -> Partials<V, 1> {
        let inverse = V::constant(1.0) / scale;
        let z = x * inverse;
        let slope = z * inverse;
        Partials { log_prob: V::constant(-0.5) * z * z, d_value: -slope, d_params: [z * slope] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([scale]: [V; 1]) -> (V, [V; 1]) {
        (V::constant(2.0) * scale.ln(), [V::constant(2.0) / scale])
    }

    fn sample([scale]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        scale * (-2.0 * open01(rng).ln()).sqrt()
    }

    fn mean([scale]: [f64; 1]) -> Option<f64> {
        Some(scale * (0.5 * PI).sqrt())
    }

    fn variance([scale]: [f64; 1]) -> Option<f64> {
        Some((2.0 - 0.5 * PI) * scale.powi(2))
    }

    fn mode([scale]: [f64; 1]) -> Option<f64> {
        Some(scale)
    }

    fn entropy([scale]: [f64; 1]) -> Option<f64> {
        Some(1.0 + (scale / SQRT_2).ln() + 0.5 * EULER)
    }

    fn divergence([scale]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        let ratio = (scale / other).powi(2);
        Some(ratio - 1.0 - ratio.ln())
    }
}

impl Cumulative<1> for Rayleigh {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [scale]: [V; 1]) -> Tails<V, 1> {
        let z = x / scale;
        Tails::from_above(V::constant(-0.5) * z * z, [z])
    }

    fn quantile(probability: f64, [scale]: [f64; 1]) -> f64 {
        scale * (-2.0 * (-probability).ln_1p()).sqrt()
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [scale]: [V; 1]) -> V {
        V::constant(0.5) * (V::constant(-2.0) * probability.ln_above).ln() + scale.ln()
    }
}
