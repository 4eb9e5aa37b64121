//! The triangular distribution.

use rand::Rng;

use super::special::within;
use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{ln_one_minus_exp, open01},
};
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
            log_prob: within(lower, x, upper, (done * d_whole).ln() + inside),
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
        Self::quantile(open01(rng), [lower, upper, peak])
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

impl Cumulative<3> for Triangular {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [lower, upper, peak]: [V; 3]) -> Tails<V, 3> {
        let (zero, half, one) = (V::zero(), V::constant(0.5), V::constant(1.0));
        let (width, rises) = (upper - lower, x.lt(peak));
        // The part of the way from the nearer end to the peak, and from end to end.
        let done = V::select(rises, x - lower, upper - x).max(zero);
        let whole = V::select(rises, peak - lower, upper - peak);
        let near = (done * done / (width * whole)).ln();
        let far = ln_one_minus_exp(near);
        let (of_whole, of_width) = (half * done / whole, half * done / width);
        let own = one - of_whole - of_width;
        Tails {
            ln_below: V::select(rises, near, far),
            ln_above: V::select(rises, far, near),
            velocity: [V::select(rises, own, of_width), V::select(rises, of_width, own), of_whole],
        }
    }

    #[inline(always)]
    fn ends<V: Lanes>([lower, upper, _]: [V; 3]) -> Option<[V; 2]> {
        Some([lower, upper])
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [lower, upper, peak]: [V; 3]) -> V {
        let width = upper - lower;
        // By the side of the peak on which it lies.
        let half = V::constant(0.5);
        let from_lower = (half * (probability.ln_below + ((peak - lower) / width).ln())).exp();
        let from_upper = (half * (probability.ln_above + ((upper - peak) / width).ln())).exp();
        let rises = (probability.ln_below.exp() * width).lt(peak - lower);
        let share = V::select(rises, from_lower, V::constant(1.0) - from_upper);
        let rest = V::select(rises, V::constant(1.0) - from_lower, from_upper);
        (share / rest).ln()
    }

    fn quantile(probability: f64, [lower, upper, peak]: [f64; 3]) -> f64 {
        let width = upper - lower;
        if probability * width < peak - lower {
            lower + (probability * width * (peak - lower)).sqrt()
        } else {
            upper - ((1.0 - probability) * width * (upper - peak)).sqrt()
        }
    }
}
