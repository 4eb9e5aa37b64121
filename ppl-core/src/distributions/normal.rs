//! The normal distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{LN_SQRT_2PI, normal_quantile},
};
use crate::kernel::Lanes;

/// The normal distribution.
///
/// `log p(x) = -((x - loc) / scale)^2 / 2 - ln scale - ln(2 pi) / 2`, in nats.
///
/// # Source
/// Stan `normal`, R `dnorm`, scipy `norm`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Normal};
/// assert!((log_prob::<Normal, 2>(1.0, [0.0, 1.0]) + 1.4189385).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Normal;

impl Univariate<2> for Normal {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let d = z * inverse;
        Partials { log_prob: V::constant(-0.5) * z * z, d_value: -d, d_params: [d, z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        let value = scale.ln() + V::constant(0.918_938_533_204_672_8);
        (value, [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        let z: f64 = rand_distr::StandardNormal.sample(rng);
        loc + scale * z
    }

    fn mean([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn variance([_, scale]: [f64; 2]) -> Option<f64> {
        Some(scale.powi(2))
    }

    fn mode([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([_, scale]: [f64; 2]) -> Option<f64> {
        Some(0.5 + LN_SQRT_2PI + scale.ln())
    }

    fn divergence([loc, scale]: [f64; 2], [other_loc, other_scale]: [f64; 2]) -> Option<f64> {
        let (ratio, shift) = (scale / other_scale, (loc - other_loc) / other_scale);
        Some(0.5 * (ratio.powi(2) + shift.powi(2) - 1.0) - ratio.ln())
    }
}

impl Cumulative<2> for Normal {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Tails<V, 2> {
        let z = (x - loc) / scale;
        let (ln_below, ln_above) = z.ln_normal_tails();
        Tails { ln_below, ln_above, velocity: [V::constant(1.0), z] }
    }

    /// Johnson, Kotz & Balakrishnan 1994, equations 13.134 and 13.135.
    fn between([loc, scale]: [f64; 2], bounds: [f64; 2]) -> Option<[f64; 3]> {
        let [a, b] = bounds.map(|bound| (bound - loc) / scale);
        let ln = super::truncated::Interval::of::<Normal>(bounds[0], bounds[1], [loc, scale]).ln;
        // The densities of the bounds beside the probability between them, by logarithms for their digits in a tail.
        let hazard = |z: f64| (-0.5 * z * z - LN_SQRT_2PI - ln).exp();
        let times = |z: f64| if z.is_finite() { z * hazard(z) } else { 0.0 };
        let (shift, spread) = (hazard(a) - hazard(b), times(a) - times(b));
        let moments = [
            loc + scale * shift,
            scale * scale * (1.0 + spread - shift * shift),
            0.5 + LN_SQRT_2PI + scale.ln() + ln + 0.5 * spread,
        ];
        moments.iter().all(|x| x.is_finite()).then_some(moments)
    }

    fn quantile(probability: f64, [loc, scale]: [f64; 2]) -> f64 {
        loc + scale * normal_quantile(probability)
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        probability.noise.mul_add(scale, loc)
    }
}
