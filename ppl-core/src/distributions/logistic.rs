//! The logistic distribution.

use std::f64::consts::PI;

use rand::Rng;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::open01};
use crate::kernel::{Lanes, softplus_and_sigmoid};

/// The logistic distribution.
///
/// `log p(x) = -z - 2 ln(1 + e^-z) - ln scale` with `z = (x - loc) / scale`, in nats.
///
/// Drawn by its inverse cdf, `loc + scale logit(u)`.
///
/// # Source
/// Stan `logistic`, R `dlogis(location, scale)`, scipy `logistic`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Logistic};
/// assert!((log_prob::<Logistic, 2>(0.0, [0.0, 1.0]) + 1.3862944).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Logistic;

impl Univariate<2> for Logistic {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        // The density is symmetric: on the side where the exponential is small. `tanh(z / 2) = (1 - e) / (1 + e)` shares it and the division.
        let magnitude = z.abs();
        let (softplus, sigmoid) = softplus_and_sigmoid(-magnitude);
        let log_prob = -magnitude - (softplus + softplus);
        let size = -(-magnitude).exp_m1() * (V::constant(1.0) - sigmoid);
        let slope = V::select(z.lt(V::zero()), -size, size) * inverse;
        Partials { log_prob, d_value: -slope, d_params: [slope, z * slope] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        (scale.ln(), [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        loc + scale * f64::logit(open01(rng))
    }

    fn mean([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn variance([_, scale]: [f64; 2]) -> Option<f64> {
        Some((PI * scale).powi(2) / 3.0)
    }

    fn mode([loc, _]: [f64; 2]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([_, scale]: [f64; 2]) -> Option<f64> {
        Some(scale.ln() + 2.0)
    }
}

impl Cumulative<2> for Logistic {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Tails<V, 2> {
        let z = (x - loc) / scale;
        Tails { ln_below: -(-z).softplus(), ln_above: -z.softplus(), velocity: [V::constant(1.0), z] }
    }

    fn quantile(probability: f64, [loc, scale]: [f64; 2]) -> f64 {
        loc + scale * f64::logit(probability)
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale]: [V; 2]) -> V {
        scale.mul_add(probability.ln_below - probability.ln_above, loc)
    }
}
