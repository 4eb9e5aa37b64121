//! The Gumbel distribution of maxima.

use std::f64::consts::PI;

use rand::Rng;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{EULER, open01},
};
use crate::kernel::Lanes;

/// The Gumbel distribution of maxima.
///
/// `log p(x) = -z - e^-z - ln scale` with `z = (x - loc) / scale`, in nats.
///
/// Drawn by its inverse cdf, `loc - scale ln(-ln u)`.
///
/// # Source
/// Stan `gumbel`, R `evd::dgumbel`, scipy `gumbel_r`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Gumbel};
/// assert!((log_prob::<Gumbel, 2>(0.0, [0.0, 1.0]) + 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gumbel;

impl Univariate<2> for Gumbel {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let tail = (-z).exp();
        let slope = (tail - V::constant(1.0)) * inverse;
        Partials { log_prob: -z - tail, d_value: slope, d_params: [-slope, -(z * slope)] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        (scale.ln(), [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        loc - scale * (-open01(rng).ln()).ln()
    }

    fn mean([loc, scale]: [f64; 2]) -> Option<f64> {
        Some(loc + EULER * scale)
    }

    fn variance([_, scale]: [f64; 2]) -> Option<f64> {
        Some((PI * scale).powi(2) / 6.0)
    }

    fn mode([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([_, scale]: [f64; 2]) -> Option<f64> {
        Some(scale.ln() + EULER + 1.0)
    }

    fn divergence([loc, scale]: [f64; 2], [other_loc, other_scale]: [f64; 2]) -> Option<f64> {
        let (ratio, shift) = (scale / other_scale, (loc - other_loc) / other_scale);
        Some(EULER * (ratio - 1.0) - ratio.ln() - 1.0 + shift + (f64::lgamma(1.0 + ratio) - shift).exp())
    }
}

impl Cumulative<2> for Gumbel {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Tails<V, 2> {
        let z = (x - loc) / scale;
        Tails::from_below(-(-z).exp(), [V::constant(1.0), z])
    }

    fn quantile(probability: f64, [loc, scale]: [f64; 2]) -> f64 {
        loc - scale * (-probability.ln()).ln()
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        loc - scale * (-probability.ln_below).ln()
    }
}
