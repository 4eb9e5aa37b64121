//! The exponential distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Partials, Univariate};
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

    fn sample([rate]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        let e: f64 = rand_distr::Exp1.sample(rng);
        e / rate
    }
}
