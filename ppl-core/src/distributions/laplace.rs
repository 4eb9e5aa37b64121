//! The Laplace (double exponential) distribution.

use std::f64::consts::LN_2;

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::ln_one_minus_exp};
use crate::kernel::Lanes;

/// The Laplace (double exponential) distribution.
///
/// `log p(x) = -|x - loc| / scale - ln(2 scale)`, in nats.
///
/// # Source
/// Stan `double_exponential`, scipy `laplace`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Laplace};
/// assert!((log_prob::<Laplace, 2>(0.0, [0.0, 1.0]) + 0.6931472).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Laplace;

impl Univariate<2> for Laplace {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let magnitude = z.abs();
        let below = V::select(z.lt(V::zero()), -inverse, V::zero());
        let d = V::select(V::zero().lt(z), inverse, below);
        Partials { log_prob: -magnitude, d_value: -d, d_params: [d, magnitude * inverse] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        (scale.ln() + V::constant(std::f64::consts::LN_2), [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        let e: f64 = rand_distr::Exp1.sample(rng);
        let sign: f64 = if rng.next_u32() & 1 == 0 { 1.0 } else { -1.0 };
        loc + scale * sign * e
    }

    fn mean([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn variance([_, scale]: [f64; 2]) -> Option<f64> {
        Some(2.0 * scale.powi(2))
    }

    fn mode([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([_, scale]: [f64; 2]) -> Option<f64> {
        Some(1.0 + (2.0 * scale).ln())
    }

    fn divergence([loc, scale]: [f64; 2], [other_loc, other_scale]: [f64; 2]) -> Option<f64> {
        let away = (loc - other_loc).abs();
        Some((other_scale / scale).ln() + (scale * (-away / scale).exp() + away) / other_scale - 1.0)
    }
}

impl Cumulative<2> for Laplace {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Tails<V, 2> {
        let z = (x - loc) / scale;
        let near = -z.abs() - V::constant(LN_2);
        let far = ln_one_minus_exp(near);
        let below = z.lt(V::zero());
        Tails { ln_below: V::select(below, near, far), ln_above: V::select(below, far, near), velocity: [V::constant(1.0), z] }
    }

    fn quantile(probability: f64, [loc, scale]: [f64; 2]) -> f64 {
        let z = if probability < 0.5 { (2.0 * probability).ln() } else { -(2.0 * (1.0 - probability)).ln() };
        loc + scale * z
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        scale.mul_add(probability.ln_below - probability.ln_above, loc)
    }
}
