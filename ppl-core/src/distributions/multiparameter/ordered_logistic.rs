//! The ordered logistic distribution of a category.

use rand::Rng;

use super::ordered::{add_cutpoints, category, expectation, interval, of_category};
use super::{Axes, Multiparameter};
use crate::distributions::special::open01;
use crate::kernel::Lanes;

/// The ordered logistic distribution: the category in which a number of a logistic distribution around the predictor falls.
///
/// `log p(k) = ln(s(c_k - predictor) - s(c_{k - 1} - predictor))` with `s` the logistic function, `c` the cutpoints, `c_{-1}` minus infinity and `c_K`
/// infinity, in nats.
///
/// # Shapes
/// The value is a number from 0 to K, the predictor a number, the cutpoints an increasing vector of length K.
///
/// # Source
/// Stan `ordered_logistic` (which counts from one).
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, OrderedLogistic};
/// // Between cutpoints -ln 3 and ln 3 lies one half.
/// let c = 3_f64.ln();
/// let found = OrderedLogistic::log_prob(&[1.0], [&[0.0], &[-c, c]]);
/// assert!((found + 2_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OrderedLogistic;

/// `ln P(lower < x < upper)` of a logistic number, its derivative with respect to the location, and those with respect to the ends.
///
/// `s(a) - s(b) = s(a) s(-b) (1 - e^(b - a))`: no factor loses digits.
#[inline(always)]
fn ln_between<V: Lanes>(lower: V, upper: V, loc: V) -> (V, V, [V; 2]) {
    let (a, b) = (upper - loc, lower - loc);
    let gap = lower - upper;
    let ln = (-gap.exp_m1()).ln() - (-a).softplus() - b.softplus();
    let (above, below) = ((-a).sigmoid(), b.sigmoid());
    let narrow = gap.exp() / gap.exp_m1();
    (ln, below - above, [narrow - below, above - narrow])
}

impl Multiparameter<2> for OrderedLogistic {
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
        let uniform = open01(rng);
        let noise = uniform.ln() - (-uniform).ln_1p();
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
