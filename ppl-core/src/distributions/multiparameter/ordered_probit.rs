//! The ordered probit distribution of a category.

use rand::Rng;
use rand_distr::Distribution as _;

use super::ordered::{add_cutpoints, category, expectation, interval, of_category};
use super::{Axes, Multiparameter};
use crate::distributions::special::LN_SQRT_2PI;
use crate::kernel::Lanes;

/// The ordered probit distribution: the category in which a number of a normal distribution of scale one around the predictor falls.
///
/// `log p(k) = ln(F(c_k - predictor) - F(c_{k - 1} - predictor))` with `F` the standard normal cdf, `c` the cutpoints, `c_{-1}` minus infinity and `c_K`
/// infinity, in nats.
///
/// # Shapes
/// The value is a number from 0 to K, the predictor a number, the cutpoints an increasing vector of length K.
///
/// # Source
/// Stan `ordered_probit` (which counts from one).
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, OrderedProbit};
/// // Between the quartiles of the standard normal distribution lies one half.
/// let c = 0.674_489_750_196_081_7;
/// let found = OrderedProbit::log_prob(&[1.0], [&[0.0], &[-c, c]]);
/// assert!((found + 2_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OrderedProbit;

/// `ln P(lower < x < upper)` of a normal number of scale one, its derivative with respect to the location, and those with respect to the ends.
#[inline(always)]
fn ln_between<V: Lanes>(lower: V, upper: V, loc: V) -> (V, V, [V; 2]) {
    let (a, b) = (upper - loc, lower - loc);
    // In the upper tail by symmetry, where the lower tail has its digits.
    let flip = V::zero().lt(b);
    let (low, high) = (V::select(flip, -a, b), V::select(flip, -b, a));
    let ln_high = high.ln_normal_cdf();
    let ln = ln_high + (-(low.ln_normal_cdf() - ln_high).exp()).ln_1p();
    let (d_upper, d_lower) = (density_ratio(a, ln), -density_ratio(b, ln));
    (ln, -(d_lower + d_upper), [d_lower, d_upper])
}

/// The standard normal density over a probability of this logarithm; zero at infinity.
#[inline(always)]
fn density_ratio<V: Lanes>(z: V, ln: V) -> V {
    let infinite = V::constant(f64::INFINITY).eq(z.abs());
    let finite = V::select(infinite, V::zero(), z);
    let ratio = ((V::constant(-0.5) * finite).mul_add(finite, V::constant(-LN_SQRT_2PI)) - ln).exp();
    V::select(infinite, V::zero(), ratio)
}

impl Multiparameter<2> for OrderedProbit {
    const VALUE_AXES: Axes = &[];
    const PARAMETER_AXES: [Axes; 2] = [&[], &["K"]];

    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [predictor, cutpoints]: [&[V]; 2]) -> V {
        let interval = interval(value[0], cutpoints);
        of_category(&interval, ln_between(interval.lower, interval.upper, predictor[0]).0)
    }

    #[inline(always)]
    fn partials<V: Lanes>(
        value: &[V],
        [predictor, cutpoints]: [&[V]; 2],
        _d_value: &mut [V],
        [d_predictor, d_cutpoints]: [&mut [V]; 2],
    ) -> V {
        let interval = interval(value[0], cutpoints);
        let (log_prob, d_predictor_own, [d_lower, d_upper]) = ln_between(interval.lower, interval.upper, predictor[0]);
        d_predictor[0] = d_predictor[0] + d_predictor_own;
        add_cutpoints(value[0], d_lower, d_upper, d_cutpoints);
        of_category(&interval, log_prob)
    }

    fn sample([predictor, cutpoints]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let noise: f64 = rand_distr::StandardNormal.sample(rng);
        value[0] = category(predictor[0] + noise, cutpoints);
    }

    fn mean(params: [&[f64]; 2], value: &mut [f64]) -> bool {
        value[0] = expectation(params[1].len() + 1, |k| Self::log_prob(&[k], params), |k| k);
        true
    }

    fn entropy(params: [&[f64]; 2], _length: usize) -> Option<f64> {
        let log_prob = |k: f64| Self::log_prob(&[k], params);
        Some(-expectation(params[1].len() + 1, log_prob, log_prob))
    }

    fn divergence(params: [&[f64]; 2], other: [&[f64]; 2], _length: usize) -> Option<f64> {
        let log_prob = |k: f64| Self::log_prob(&[k], params);
        let ratio = |k: f64| log_prob(k) - Self::log_prob(&[k], other);
        (params[1].len() == other[1].len()).then(|| expectation(params[1].len() + 1, log_prob, ratio))
    }
}
