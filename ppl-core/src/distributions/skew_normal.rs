//! The skew normal distribution.

use std::f64::consts::PI;

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The skew normal distribution.
///
/// `log p(x) = ln 2 - z^2 / 2 - ln(2 pi) / 2 - ln scale + ln Phi(shape z)` with `z = (x - loc) / scale`, in nats.
///
/// Drawn by composition, `loc + scale (d |n| + sqrt(1 - d^2) m)` of standard normal `n` and `m`, with `d = shape / sqrt(1 + shape^2)`.
///
/// # Source
/// Stan `skew_normal`, R `sn::dsn`, scipy `skewnorm(a = shape)`; Azzalini 1985, A class of distributions which includes the normal ones.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, SkewNormal};
/// assert!((log_prob::<SkewNormal, 3>(0.0, [0.0, 1.0, 3.0]) + 0.91893853).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SkewNormal;

impl Univariate<3> for SkewNormal {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale, shape]: [V; 3]) -> Partials<V, 3> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let skewed = shape * z;
        let (ln_cdf, hazard) = skewed.ln_normal_cdf_and_slope();
        let slope = (shape * hazard - z) * inverse;
        let log_prob = (V::constant(-0.5) * z).mul_add(z, ln_cdf);
        Partials { log_prob, d_value: slope, d_params: [-slope, -(z * slope), z * hazard] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale, _shape]: [V; 3]) -> (V, [V; 3]) {
        (scale.ln() + V::constant(0.225_791_352_644_727_43), [V::zero(), V::constant(1.0) / scale, V::zero()])
    }

    fn sample([loc, scale, shape]: [f64; 3], rng: &mut dyn Rng) -> f64 {
        let [n, m]: [f64; 2] = std::array::from_fn(|_| rand_distr::StandardNormal.sample(rng));
        // Half as dear as `hypot`; the square of a larger shape may overflow.
        let length = if shape.abs() < 1e100 { (1.0 + shape * shape).sqrt() } else { shape.abs() };
        loc + scale * (shape * n.abs() + m) / length
    }

    fn mean([loc, scale, shape]: [f64; 3]) -> Option<f64> {
        Some(loc + scale * shape / shape.hypot(1.0) * (2.0 / PI).sqrt())
    }

    fn variance([_, scale, shape]: [f64; 3]) -> Option<f64> {
        Some(scale.powi(2) * (1.0 - 2.0 / PI * (shape / shape.hypot(1.0)).powi(2)))
    }
}

impl Cumulative<3> for SkewNormal {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale, shape]: [V; 3]) -> Tails<V, 3> {
        let z = (x - loc) / scale;
        let [ln_below, ln_above, d_shape] = V::skew_normal_tails(shape, z);
        Tails { ln_below, ln_above, velocity: [V::constant(1.0), z, scale * d_shape] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale, _shape]: [V; 3]) -> V {
        probability.noise.mul_add(scale, loc)
    }
}
