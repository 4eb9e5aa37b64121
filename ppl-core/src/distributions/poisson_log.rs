//! The Poisson distribution of a log rate.

use rand::Rng;

use super::{Cumulative, Partials, PoissonRate, Tails, Univariate};
use crate::kernel::Lanes;

/// The Poisson distribution of a log rate.
///
/// `log p(x) = x log_rate - e^log_rate - lgamma(x + 1)`, in nats.
///
/// # Source
/// Stan `poisson_log`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, PoissonLog};
/// assert!((log_prob::<PoissonLog, 1>(0.0, [0.0]) + 1.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PoissonLog;

impl Univariate<1> for PoissonLog {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [log_rate]: [V; 1]) -> Partials<V, 1> {
        let rate = log_rate.exp();
        Partials { log_prob: x * log_rate - rate, d_value: V::zero(), d_params: [x - rate] }
    }

    fn sample([log_rate]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        PoissonRate::sample([log_rate.exp()], rng)
    }

    fn mean([log_rate]: [f64; 1]) -> Option<f64> {
        Some(log_rate.exp())
    }

    fn variance([log_rate]: [f64; 1]) -> Option<f64> {
        Some(log_rate.exp())
    }

    fn mode([log_rate]: [f64; 1]) -> Option<f64> {
        Some(log_rate.exp().floor())
    }

    fn divergence([log_rate]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        let rate = log_rate.exp();
        Some(rate * (log_rate - other) - rate + other.exp())
    }
}

impl Cumulative<1> for PoissonLog {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [log_rate]: [V; 1]) -> Tails<V, 1> {
        let rate = log_rate.exp();
        Tails { velocity: [rate], ..PoissonRate::tails(x, [rate]) }
    }
}
