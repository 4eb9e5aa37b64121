//! Distributions of ordered categories: in which interval between cutpoints a latent number around the predictor falls.

use std::fmt::Debug;
use std::marker::PhantomData;

use rand::Rng;

use super::Multiparameter;
use crate::distributions::Distribution;
use crate::kernel::Lanes;

/// What a latent number differs from the predictor by.
pub trait Noise: Copy + Debug + 'static {
    /// `ln P(lower < x < upper)` of a number around the location, its derivative with respect to that, and those with respect to the ends, which may be infinite.
    fn ln_between<V: Lanes>(lower: V, upper: V, loc: V) -> (V, V, [V; 2]);
    /// One draw.
    fn draw(rng: &mut dyn Rng) -> f64;
}

/// The category in which a number around the predictor falls; named by its noise, see `OrderedLogistic` and `OrderedProbit`.
#[derive(Clone, Copy, Debug)]
pub struct OrderedBy<N>(PhantomData<fn() -> N>);

impl<N: Noise> Multiparameter<2> for OrderedBy<N>
where
    Self: Distribution,
{
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [predictor, cutpoints]: [&[V]; 2]) -> V {
        let interval = interval(value[0], cutpoints);
        of_category(&interval, N::ln_between(interval.lower, interval.upper, predictor[0]).0)
    }

    #[inline(always)]
    fn partials<V: Lanes>(
        value: &[V],
        [predictor, cutpoints]: [&[V]; 2],
        _d_value: &mut [V],
        [d_predictor, d_cutpoints]: [&mut [V]; 2],
    ) -> V {
        let interval = interval(value[0], cutpoints);
        let (log_prob, d_predictor_own, [d_lower, d_upper]) = N::ln_between(interval.lower, interval.upper, predictor[0]);
        d_predictor[0] = d_predictor[0] + d_predictor_own;
        add_cutpoints(value[0], d_lower, d_upper, d_cutpoints);
        of_category(&interval, log_prob)
    }

    fn sample([predictor, cutpoints]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        value[0] = category(predictor[0] + N::draw(rng), cutpoints);
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

/// The interval of a category.
#[derive(Clone, Copy, Debug)]
struct Interval<V: Lanes> {
    /// The cutpoint below, minus infinity of the first category.
    lower: V,
    /// The cutpoint above, infinity of the last category.
    upper: V,
    /// Where there is such a category.
    inside: V::Mask,
}

/// The interval of the category that a number is.
#[inline(always)]
fn interval<V: Lanes>(value: V, cutpoints: &[V]) -> Interval<V> {
    let infinity = V::constant(f64::INFINITY);
    let (mut lower, mut upper) = (-infinity, infinity);
    let mut inside = value.eq(V::constant(cutpoints.len() as f64));
    for k in 0..cutpoints.len() {
        let below = value.eq(V::constant(k as f64));
        upper = V::select(below, cutpoints[k], upper);
        lower = V::select(value.eq(V::constant((k + 1) as f64)), cutpoints[k], lower);
        inside = inside | below;
    }
    Interval { lower, upper, inside }
}

/// Adds the derivatives with respect to the cutpoints: those of the interval's ends.
#[inline(always)]
fn add_cutpoints<V: Lanes>(value: V, d_lower: V, d_upper: V, d_cutpoints: &mut [V]) {
    for k in 0..d_cutpoints.len() {
        let above = V::select(value.eq(V::constant(k as f64)), d_upper, V::zero());
        let below = V::select(value.eq(V::constant((k + 1) as f64)), d_lower, V::zero());
        d_cutpoints[k] = d_cutpoints[k] + above + below;
    }
}

/// Minus infinity where there is no such category.
#[inline(always)]
fn of_category<V: Lanes>(interval: &Interval<V>, log_prob: V) -> V {
    V::select(interval.inside, log_prob, V::constant(f64::NEG_INFINITY))
}

/// The category of a latent number: how many cutpoints lie below it; `NaN` unless they increase.
fn category(latent: f64, cutpoints: &[f64]) -> f64 {
    let increasing = cutpoints.windows(2).all(|pair| pair[0] < pair[1]);
    if increasing && !latent.is_nan() { cutpoints.iter().filter(|&&c| c < latent).count() as f64 } else { f64::NAN }
}

/// The mean of a function of the category.
fn expectation(categories: usize, log_prob: impl Fn(f64) -> f64, of: impl Fn(f64) -> f64) -> f64 {
    let each = |k: usize| {
        let prob = log_prob(k as f64).exp();
        if prob == 0.0 { 0.0 } else { prob * of(k as f64) }
    };
    (0..categories).map(each).sum()
}
