//! The Erlang distribution: the time until so many events that come at a rate.

use rand::Rng;

use super::{Cumulative, Gamma, Partials, Tails, Univariate};
use crate::kernel::Lanes;

/// The Erlang distribution: the time until `shape` events that come at a rate, a gamma distribution whose shape is a whole number from one on.
///
/// `log p(x) = shape ln rate - ln (shape - 1)! + (shape - 1) ln x - rate x`, in nats.
///
/// # Source
/// scipy `erlang(a = shape, scale = 1 / rate)`; Stan's `gamma` and R's `dgamma` with a whole shape.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Erlang};
/// // 1 / e
/// assert!((log_prob::<Erlang, 2>(1.0, [2.0, 1.0]) + 1.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Erlang;

impl Univariate<2> for Erlang {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        Gamma::base(x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, params: [V; 2]) -> Partials<V, 2> {
        let Partials { log_prob, d_value, d_params: [_, d_rate] } = Gamma::kernel(x, params);
        Partials { log_prob, d_value, d_params: [V::zero(), d_rate] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>(params: [V; 2]) -> (V, [V; 2]) {
        let (value, [_, d_rate]) = Gamma::normalizer(params);
        (value, [V::zero(), d_rate])
    }

    fn sample(params: [f64; 2], rng: &mut dyn Rng) -> f64 {
        Gamma::sample(params, rng)
    }

    fn mean(params: [f64; 2]) -> Option<f64> {
        Gamma::mean(params)
    }

    fn variance(params: [f64; 2]) -> Option<f64> {
        Gamma::variance(params)
    }

    fn mode(params: [f64; 2]) -> Option<f64> {
        Gamma::mode(params)
    }

    fn entropy(params: [f64; 2]) -> Option<f64> {
        Gamma::entropy(params)
    }

    fn divergence(params: [f64; 2], other: [f64; 2]) -> Option<f64> {
        Gamma::divergence(params, other)
    }
}

impl Cumulative<2> for Erlang {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, params: [V; 2]) -> Tails<V, 2> {
        let tails = Gamma::tails(x, params);
        let [_, d_rate] = tails.velocity;
        Tails { velocity: [V::zero(), d_rate], ..tails }
    }
}
