//! The distribution of the inverse of a gamma variable.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Gamma, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The distribution of the inverse of a gamma variable.
///
/// `log p(x) = shape ln scale - lgamma(shape) - (shape + 1) ln x - scale / x`, in nats.
///
/// # Source
/// Stan `inv_gamma`, scipy `invgamma(a = shape, scale = scale)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, InverseGamma};
/// assert!((log_prob::<InverseGamma, 2>(1.0, [2.0, 1.0]) + 1.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InverseGamma;

impl Univariate<2> for InverseGamma {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [shape, scale]: [V; 2]) -> Partials<V, 2> {
        let ln = x.ln();
        let inverse = V::constant(1.0) / x;
        let ratio = scale * inverse;
        Partials { log_prob: -(shape * ln) - ratio, d_value: (ratio - shape) * inverse, d_params: [-ln, -inverse] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([shape, scale]: [V; 2]) -> (V, [V; 2]) {
        let (lgamma, digamma) = shape.lgamma_and_digamma();
        let ln = scale.ln();
        (lgamma - shape * ln, [digamma - ln, -(shape * (V::constant(1.0) / scale))])
    }

    fn sample([shape, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        rand_distr::Gamma::new(shape, 1.0 / scale).map_or(f64::NAN, |d| 1.0 / d.sample(rng))
    }

    fn mean([shape, scale]: [f64; 2]) -> Option<f64> {
        (shape > 1.0).then(|| scale / (shape - 1.0))
    }

    fn variance([shape, scale]: [f64; 2]) -> Option<f64> {
        (shape > 2.0).then(|| scale.powi(2) / ((shape - 1.0).powi(2) * (shape - 2.0)))
    }

    fn mode([shape, scale]: [f64; 2]) -> Option<f64> {
        Some(scale / (shape + 1.0))
    }

    fn entropy([shape, scale]: [f64; 2]) -> Option<f64> {
        Some(shape + scale.ln() + shape.lgamma() - (1.0 + shape) * shape.digamma())
    }

    fn divergence(params: [f64; 2], other: [f64; 2]) -> Option<f64> {
        Gamma::divergence(params, other)
    }
}

impl Cumulative<2> for InverseGamma {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [shape, scale]: [V; 2]) -> Tails<V, 2> {
        let [ln_above, ln_below, d_shape] = V::gamma_tails(shape, scale / x);
        Tails { ln_below, ln_above, velocity: [-(x * d_shape), x / scale] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [shape, scale]: [V; 2]) -> V {
        scale.ln() - probability.mirrored().ln_gamma(shape)
    }
}
