//! The Cauchy distribution.

use std::f64::consts::{FRAC_1_PI, PI};

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The Cauchy distribution.
///
/// `log p(x) = -ln(1 + ((x - loc) / scale)^2) - ln(pi scale)`, in nats.
///
/// # Source
/// Stan `cauchy`, R `dcauchy`, scipy `cauchy`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Cauchy};
/// assert!((log_prob::<Cauchy, 2>(0.0, [0.0, 1.0]) + 1.1447299).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cauchy;

impl Univariate<2> for Cauchy {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let square = z * z;
        let d = (z + z) / (V::constant(1.0) + square) * inverse;
        Partials { log_prob: -square.ln_1p(), d_value: -d, d_params: [d, z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        (scale.ln() + V::constant(1.144_729_885_849_400_2), [V::zero(), V::constant(1.0) / scale])
    }

    #[inline]
    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        rand_distr::Cauchy::new(loc, scale).map_or(f64::NAN, |d| d.sample(rng))
    }

    fn mode([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([_, scale]: [f64; 2]) -> Option<f64> {
        Some((4.0 * PI * scale).ln())
    }

    fn divergence([loc, scale]: [f64; 2], [other_loc, other_scale]: [f64; 2]) -> Option<f64> {
        let square = (scale + other_scale).powi(2) + (loc - other_loc).powi(2);
        Some((square / (4.0 * scale * other_scale)).ln())
    }
}

impl Cumulative<2> for Cauchy {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Tails<V, 2> {
        let z = (x - loc) / scale;
        // Far from the center the arc tangent of the inverse has the digits.
        let (half, share) = (V::constant(0.5), V::constant(FRAC_1_PI));
        let size = z.abs();
        let far = V::constant(1.0).lt(size);
        let beyond = share * (V::constant(1.0) / size).atan();
        let near = V::select(far, beyond, half - share * size.atan()).ln();
        let rest = V::select(far, V::constant(1.0) - beyond, half + share * size.atan()).ln();
        let below = z.lt(V::zero());
        Tails { ln_below: V::select(below, near, rest), ln_above: V::select(below, rest, near), velocity: [V::constant(1.0), z] }
    }

    fn quantile(probability: f64, [loc, scale]: [f64; 2]) -> f64 {
        let z = if probability < 0.5 { -(PI * probability).tan().recip() } else { (PI * (probability - 0.5)).tan() };
        loc + scale * z
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        scale.mul_add(V::constant(0.5) * (probability.ln_below - probability.ln_above), loc)
    }
}
