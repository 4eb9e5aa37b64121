//! The exponential distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The exponential distribution.
///
/// `log p(x) = ln rate - rate x`, in nats.
///
/// # Source
/// Stan `exponential`, R `dexp`, scipy `expon(scale = 1 / rate)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Exponential};
/// assert!((log_prob::<Exponential, 1>(1.0, [2.0]) + 1.3068528).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Exponential;

impl Univariate<1> for Exponential {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [rate]: [V; 1]) -> Partials<V, 1> {
        let product = rate * x;
        Partials { log_prob: -product, d_value: -rate, d_params: [-x] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([rate]: [V; 1]) -> (V, [V; 1]) {
        (-rate.ln(), [V::constant(-1.0) / rate])
    }

    #[inline]
    fn sample([rate]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        let e: f64 = rand_distr::Exp1.sample(rng);
        e / rate
    }

    fn mean([rate]: [f64; 1]) -> Option<f64> {
        Some(rate.recip())
    }

    fn variance([rate]: [f64; 1]) -> Option<f64> {
        Some(rate.powi(-2))
    }

    fn mode(_: [f64; 1]) -> Option<f64> {
        Some(0.0)
    }

    fn entropy([rate]: [f64; 1]) -> Option<f64> {
        Some(1.0 - rate.ln())
    }

    fn divergence([rate]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Some(other / rate - 1.0 - (other / rate).ln())
    }
}

impl Cumulative<1> for Exponential {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [rate]: [V; 1]) -> Tails<V, 1> {
        Tails::from_above(-(rate * x), [-(x / rate)])
    }

    fn quantile(probability: f64, [rate]: [f64; 1]) -> f64 {
        -(-probability).ln_1p() / rate
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [rate]: [V; 1]) -> V {
        (-probability.ln_above / rate).ln()
    }
}
