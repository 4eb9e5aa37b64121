//! The Gompertz distribution of lifetimes.

use rand::Rng;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::open01};
use crate::kernel::Lanes;

/// The Gompertz distribution of lifetimes.
///
/// `log p(x) = ln shape + ln rate + rate x - shape (e^(rate x) - 1)`, in nats.
///
/// Drawn by its inverse cdf, `ln(1 - ln(1 - u) / shape) / rate`.
///
/// # Source
/// scipy `gompertz(c = shape, scale = 1 / rate)`; R `flexsurv::dgompertz(shape = rate, rate = shape rate)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Gompertz};
/// assert!((log_prob::<Gompertz, 2>(0.0, [2.0, 1.0]) - 0.69314718).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gompertz;

impl Univariate<2> for Gompertz {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [shape, rate]: [V; 2]) -> Partials<V, 2> {
        let exponent = rate * x;
        let growth = exponent.exp_m1();
        let slope = V::constant(1.0) - shape * (growth + V::constant(1.0));
        Partials { log_prob: exponent - shape * growth, d_value: rate * slope, d_params: [-growth, x * slope] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([shape, rate]: [V; 2]) -> (V, [V; 2]) {
        (-(shape.ln() + rate.ln()), [V::constant(-1.0) / shape, V::constant(-1.0) / rate])
    }

    fn sample([shape, rate]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        (-open01(rng).ln() / shape).ln_1p() / rate
    }

    fn mode([shape, rate]: [f64; 2]) -> Option<f64> {
        Some((-shape.ln() / rate).max(0.0))
    }
}

impl Cumulative<2> for Gompertz {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [shape, rate]: [V; 2]) -> Tails<V, 2> {
        let grown = rate * x;
        Tails::from_above(-(shape * grown.exp_m1()), [(-grown).exp_m1() / (shape * rate), -(x / rate)])
    }

    fn quantile(probability: f64, [shape, rate]: [f64; 2]) -> f64 {
        (-(-probability).ln_1p() / shape).ln_1p() / rate
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [shape, rate]: [V; 2]) -> V {
        ((-probability.ln_above / shape).ln_1p() / rate).ln()
    }
}
