//! The gamma distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The gamma distribution.
///
/// `log p(x) = shape ln rate - lgamma(shape) + (shape - 1) ln x - rate x`, in nats.
///
/// # Source
/// Stan `gamma`, R `dgamma`, scipy `gamma(a = shape, scale = 1 / rate)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Gamma};
/// assert!((log_prob::<Gamma, 2>(1.0, [2.0, 1.0]) + 1.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gamma;

impl Univariate<2> for Gamma {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [shape, rate]: [V; 2]) -> Partials<V, 2> {
        let ln = x.ln();
        Partials { log_prob: shape * ln - rate * x, d_value: shape * (V::constant(1.0) / x) - rate, d_params: [ln, -x] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([shape, rate]: [V; 2]) -> (V, [V; 2]) {
        let (lgamma, digamma) = shape.lgamma_and_digamma();
        let ln = rate.ln();
        (lgamma - shape * ln, [digamma - ln, -(shape * (V::constant(1.0) / rate))])
    }

    fn sample([shape, rate]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        rand_distr::Gamma::new(shape, 1.0 / rate).map_or(f64::NAN, |d| d.sample(rng))
    }

    fn mean([shape, rate]: [f64; 2]) -> Option<f64> {
        Some(shape / rate)
    }

    fn variance([shape, rate]: [f64; 2]) -> Option<f64> {
        Some(shape / rate.powi(2))
    }

    fn mode([shape, rate]: [f64; 2]) -> Option<f64> {
        (shape >= 1.0).then(|| (shape - 1.0) / rate)
    }

    fn entropy([shape, rate]: [f64; 2]) -> Option<f64> {
        Some(shape - rate.ln() + shape.lgamma() + (1.0 - shape) * shape.digamma())
    }

    fn divergence([shape, rate]: [f64; 2], [other_shape, other_rate]: [f64; 2]) -> Option<f64> {
        let ln = other_shape.lgamma() - shape.lgamma() - other_shape * (other_rate / rate).ln();
        Some((shape - other_shape) * shape.digamma() + ln + shape * (other_rate / rate - 1.0))
    }
}

impl Cumulative<2> for Gamma {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [shape, rate]: [V; 2]) -> Tails<V, 2> {
        let [ln_below, ln_above, d_shape] = V::gamma_tails(shape, rate * x);
        Tails { ln_below, ln_above, velocity: [x * d_shape, -(x / rate)] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [shape, rate]: [V; 2]) -> V {
        probability.ln_gamma(shape) - rate.ln()
    }
}
