//! The distribution of the exponential of a normal variable.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Normal, Partials, Probability, Tails, Univariate, special::LN_SQRT_2PI};
use crate::kernel::Lanes;

/// The distribution of the exponential of a normal variable.
///
/// `log p(x) = -((ln x - loc) / scale)^2 / 2 - ln x - ln scale - ln(2 pi) / 2`, in nats.
///
/// # Source
/// Stan `lognormal`, R `dlnorm`, scipy `lognorm(s = scale, scale = e^loc)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, LogNormal};
/// assert!((log_prob::<LogNormal, 2>(1.0, [0.0, 1.0]) + 0.9189385).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LogNormal;

impl Univariate<2> for LogNormal {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x.ln() - loc) * inverse;
        let d = z * inverse;
        Partials { log_prob: V::constant(-0.5) * z * z, d_value: -d * (V::constant(1.0) / x), d_params: [d, z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        let value = scale.ln() + V::constant(0.918_938_533_204_672_8);
        (value, [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        let z: f64 = rand_distr::StandardNormal.sample(rng);
        (loc + scale * z).exp()
    }

    fn mean([loc, scale]: [f64; 2]) -> Option<f64> {
        Some((loc + 0.5 * scale.powi(2)).exp())
    }

    fn variance([loc, scale]: [f64; 2]) -> Option<f64> {
        Some(scale.powi(2).exp_m1() * (2.0 * loc + scale.powi(2)).exp())
    }

    fn mode([loc, scale]: [f64; 2]) -> Option<f64> {
        Some((loc - scale.powi(2)).exp())
    }

    fn entropy([loc, scale]: [f64; 2]) -> Option<f64> {
        Some(loc + 0.5 + LN_SQRT_2PI + scale.ln())
    }

    fn divergence(params: [f64; 2], other: [f64; 2]) -> Option<f64> {
        Normal::divergence(params, other)
    }
}

impl Cumulative<2> for LogNormal {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, params: [V; 2]) -> Tails<V, 2> {
        let tails = Normal::tails(x.ln(), params);
        let [d_loc, d_scale] = tails.velocity;
        Tails { velocity: [x * d_loc, x * d_scale], ..tails }
    }

    fn quantile(probability: f64, params: [f64; 2]) -> f64 {
        Normal::quantile(probability, params).exp()
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        probability.noise.mul_add(scale, loc)
    }
}
