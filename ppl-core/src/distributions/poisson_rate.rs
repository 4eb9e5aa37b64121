//! The Poisson distribution of a rate.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{
    Cumulative, Partials, Tails, Univariate,
    special::{open01, times_ln},
};
use crate::kernel::Lanes;

/// The Poisson distribution of a rate.
///
/// `log p(x) = x ln rate - rate - lgamma(x + 1)`, in nats.
///
/// Drawn, of a rate below 12, by its inverse cdf.
///
/// # Source
/// Stan `poisson`, R `dpois`, scipy `poisson`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, PoissonRate};
/// assert!((log_prob::<PoissonRate, 1>(0.0, [2.0]) + 2.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PoissonRate;

impl Univariate<1> for PoissonRate {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [rate]: [V; 1]) -> Partials<V, 1> {
        let ln = rate.ln();
        // A count of zero says nothing of the logarithm.
        let zero = V::zero();
        let counted = V::select(x.eq(zero), V::select(rate.eq(rate), zero, rate), x * ln);
        let log_prob = V::select(zero.le(rate), counted - rate, V::constant(f64::NAN));
        Partials { log_prob, d_value: zero, d_params: [V::select(x.eq(zero), zero, x / rate) - V::constant(1.0)] }
    }

    #[inline]
    fn sample([rate]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        if !(0.0..12.0).contains(&rate) {
            return rand_distr::Poisson::new(rate).map_or(f64::NAN, |d| d.sample(rng));
        }
        let none = (-rate).exp();
        loop {
            let (mut left, mut prob, mut count) = (open01(rng), none, 0.0);
            // Rounding may leave more than the whole tail: then it is drawn again.
            while count < 100.0 {
                if left < prob {
                    return count;
                }
                left -= prob;
                count += 1.0;
                prob *= rate / count;
            }
        }
    }

    fn mean([rate]: [f64; 1]) -> Option<f64> {
        Some(rate)
    }

    fn variance([rate]: [f64; 1]) -> Option<f64> {
        Some(rate)
    }

    fn mode([rate]: [f64; 1]) -> Option<f64> {
        Some(rate.floor())
    }

    fn divergence([rate]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Some(times_ln(rate, rate / other) - rate + other)
    }
}

impl Cumulative<1> for PoissonRate {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [rate]: [V; 1]) -> Tails<V, 1> {
        let [ln_above, ln_below, _] = V::gamma_tails(x + V::constant(1.0), rate);
        Tails { ln_below, ln_above, velocity: [V::constant(1.0)] }
    }
}
