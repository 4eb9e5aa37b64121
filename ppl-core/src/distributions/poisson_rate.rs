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
/// Drawn by its inverse cdf, of a rate of 12 or more by a normal number that is corrected.
///
/// # Source
/// Stan `poisson`, R `dpois`, scipy `poisson`; J. H. Ahrens and U. Dieter, Computer generation of Poisson deviates from modified normal distributions (1982).
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

    fn sample([rate]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        if (0.0..12.0).contains(&rate) {
            by_inverse(rate, rng)
        } else if (12.0..1e6).contains(&rate) {
            by_normal(rate, rng)
        } else {
            rand_distr::Poisson::new(rate).map_or(f64::NAN, |d| d.sample(rng))
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

/// A draw: the smallest count at or below which the probability is at least a uniform number.
fn by_inverse(rate: f64, rng: &mut dyn Rng) -> f64 {
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

/// A draw of a rate of 10 or more: a normal number, rounded down. From just below the rate on its density is nowhere more than that of the counts, and it is
/// kept; lower ones are kept by the ratio of the densities. What then is missing is drawn by rejection from a Laplace distribution.
fn by_normal(rate: f64, rng: &mut dyn Rng) -> f64 {
    let scale = rate.sqrt();
    let z: f64 = rand_distr::StandardNormal.sample(rng);
    let count = (rate + scale * z).floor();
    if count >= (rate - 1.1484).floor() {
        return count;
    }
    if count >= 0.0 {
        let left = open01(rng);
        if 6.0 * rate * rate * left >= (rate - count).powi(3) {
            return count;
        }
        let [density, normal] = densities(count, rate, scale);
        if normal * (1.0 - left) <= density {
            return count;
        }
    }
    loop {
        let e: f64 = rand_distr::Exp1.sample(rng);
        let u = 2.0 * open01(rng) - 1.0;
        let t = 1.8 + e.copysign(u);
        if t > -0.6744 {
            let count = (rate + scale * t).floor();
            let [density, normal] = densities(count, rate, scale);
            if 0.1069 / rate * u.abs() <= (density - normal) * e.exp() {
                return count;
            }
        }
    }
}

/// The density of a count, and that of a normal number that is rounded down to it, by a series in the inverse of the rate.
fn densities(count: f64, rate: f64, scale: f64) -> [f64; 2] {
    let b1 = 1.0 / (24.0 * rate);
    let b2 = 0.3 * b1 * b1;
    let c3 = b1 * b2 / 7.0;
    let series = [1.0 - b1 + 3.0 * b2 - 15.0 * c3, b1 - 6.0 * b2 + 45.0 * c3, b2 - 15.0 * c3, c3];
    let x = (count - rate + 0.5) / scale;
    let normal = series.iter().rev().fold(0.0, |sum, c| sum * (x * x) + c) * (-0.5 * x * x).exp()
        / ((2.0 * std::f64::consts::PI).sqrt() * scale);
    [(count * rate.ln() - rate - count.ln_factorial()).exp(), normal]
}

impl Cumulative<1> for PoissonRate {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [rate]: [V; 1]) -> Tails<V, 1> {
        let [ln_above, ln_below, _] = V::gamma_tails(x + V::constant(1.0), rate);
        Tails { ln_below, ln_above, velocity: [V::constant(1.0)] }
    }
}
