//! The triangular distribution.

use rand::Rng;

use super::{Partials, Univariate, special::open01};
use crate::kernel::Lanes;

/// The triangular distribution.
///
/// `log p(x) = ln 2 - ln(upper - lower) + ln((x - lower) / (peak - lower))` below the peak, `+ ln((upper - x) / (upper - peak))` above it, `lower <= peak <= upper`, in nats.
///
/// Drawn by its inverse cdf.
///
/// # Source
/// scipy `triang(c = (peak - lower) / (upper - lower), loc = lower, scale = upper - lower)`, R `EnvStats::dtri`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Triangular};
/// assert!((log_prob::<Triangular, 3>(0.5, [0.0, 1.0, 0.5]) - 0.69314718).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Triangular;

impl Univariate<3> for Triangular {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [lower, upper, peak]: [V; 3]) -> Partials<V, 3> {
        let one = V::constant(1.0);
        let rises = x.lt(peak);
        let (done, whole) = (V::select(rises, x - lower, upper - x), V::select(rises, peak - lower, upper - peak));
        let (d_done, d_whole) = (one / done, one / whole);
        let inside = V::select(lower.le(peak) & peak.le(upper), V::zero(), V::constant(f64::NAN));
        let end = d_whole - d_done;
        Partials {
            log_prob: (done / whole).ln() + inside,
            d_value: V::select(rises, d_done, -d_done),
            d_params: [V::select(rises, end, V::zero()), V::select(rises, V::zero(), -end), V::select(rises, -d_whole, d_whole)],
        }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([lower, upper, _peak]: [V; 3]) -> (V, [V; 3]) {
        let width = upper - lower;
        let inverse = V::constant(1.0) / width;
        (width.ln() - V::constant(std::f64::consts::LN_2), [-inverse, inverse, V::zero()])
    }

    fn sample([lower, upper, peak]: [f64; 3], rng: &mut dyn Rng) -> f64 {
        Self::quantile(open01(rng), [lower, upper, peak]).unwrap_or(f64::NAN)
    }

    fn cdf(x: f64, [lower, upper, peak]: [f64; 3]) -> Option<f64> {
        let (x, width) = (x.clamp(lower, upper), upper - lower);
        Some(if x < peak {
            (x - lower).powi(2) / (width * (peak - lower))
        } else {
            1.0 - (upper - x).powi(2) / (width * (upper - peak).max(f64::MIN_POSITIVE))
        })
    }

    fn quantile(probability: f64, [lower, upper, peak]: [f64; 3]) -> Option<f64> {
        let width = upper - lower;
        Some(if probability * width < peak - lower {
            lower + (probability * width * (peak - lower)).sqrt()
        } else {
            upper - ((1.0 - probability) * width * (upper - peak)).sqrt()
        })
    }

    fn mean([lower, upper, peak]: [f64; 3]) -> Option<f64> {
        Some((lower + upper + peak) / 3.0)
    }

    fn variance([lower, upper, peak]: [f64; 3]) -> Option<f64> {
        let squares = lower.powi(2) + upper.powi(2) + peak.powi(2);
        Some((squares - lower * upper - lower * peak - upper * peak) / 18.0)
    }

    fn mode([_, _, peak]: [f64; 3]) -> Option<f64> {
        Some(peak)
    }

    fn entropy([lower, upper, _]: [f64; 3]) -> Option<f64> {
        Some(0.5 + (0.5 * (upper - lower)).ln())
    }
}
