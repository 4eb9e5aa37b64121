//! The Pareto distribution.

use rand::Rng;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::open01};
use crate::kernel::Lanes;

/// The Pareto distribution.
///
/// `log p(x) = ln shape + shape ln lower - (shape + 1) ln x` from `lower` on, in nats.
///
/// Drawn by its inverse cdf, `lower u^(-1 / shape)`.
///
/// # Source
/// Stan `pareto(y_min = lower, alpha = shape)`, R `actuar::dpareto1(shape, min = lower)`, scipy `pareto(b = shape, scale = lower)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Pareto};
/// // 2 / 2^3 = 1 / 4
/// assert!((log_prob::<Pareto, 2>(2.0, [1.0, 2.0]) + 1.3862944).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pareto;

impl Univariate<2> for Pareto {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), V::constant(-1.0) / x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [lower, shape]: [V; 2]) -> Partials<V, 2> {
        let ln = lower.ln() - x.ln();
        let below = V::select(x.lt(lower), V::constant(f64::NEG_INFINITY), V::zero());
        Partials { log_prob: shape * ln + below, d_value: -(shape / x), d_params: [shape / lower, ln] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_lower, shape]: [V; 2]) -> (V, [V; 2]) {
        (-shape.ln(), [V::zero(), V::constant(-1.0) / shape])
    }

    fn sample([lower, shape]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        lower * (-open01(rng).ln() / shape).exp()
    }

    fn mean([lower, shape]: [f64; 2]) -> Option<f64> {
        (shape > 1.0).then(|| shape * lower / (shape - 1.0))
    }

    fn variance([lower, shape]: [f64; 2]) -> Option<f64> {
        (shape > 2.0).then(|| lower.powi(2) * shape / ((shape - 1.0).powi(2) * (shape - 2.0)))
    }

    fn mode([lower, _]: [f64; 2]) -> Option<f64> {
        Some(lower)
    }

    fn entropy([lower, shape]: [f64; 2]) -> Option<f64> {
        Some((lower / shape).ln() + shape.recip() + 1.0)
    }

    fn divergence([lower, shape]: [f64; 2], [other_lower, other_shape]: [f64; 2]) -> Option<f64> {
        let ratio = other_shape / shape;
        let within = || other_shape * (lower / other_lower).ln() - ratio.ln() + ratio - 1.0;
        Some(if other_lower <= lower { within() } else { f64::INFINITY })
    }
}

impl Cumulative<2> for Pareto {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [lower, shape]: [V; 2]) -> Tails<V, 2> {
        // The logarithm of the ratio, with the digits that it has just above the bound.
        let ln = ((x - lower) / lower).ln_1p();
        Tails::from_above(-(shape * ln), [x / lower, -(x * ln / shape)])
    }

    #[inline(always)]
    fn ends<V: Lanes>([lower, _shape]: [V; 2]) -> Option<[V; 2]> {
        Some([lower, V::constant(f64::INFINITY)])
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [lower, shape]: [V; 2]) -> V {
        let ln = -probability.ln_above / shape;
        // Far up the one is no matter.
        lower.ln() + V::select(ln.lt(V::constant(30.0)), ln.exp_m1().ln(), ln)
    }

    fn quantile(probability: f64, [lower, shape]: [f64; 2]) -> f64 {
        lower * (-(-probability).ln_1p() / shape).exp()
    }
}
