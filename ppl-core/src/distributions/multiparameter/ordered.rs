//! What the distributions of ordered categories share: the interval of a latent number in which a category lies.

use crate::kernel::Lanes;

/// The interval of a category.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval<V: Lanes> {
    /// The cutpoint below, minus infinity of the first category.
    pub(super) lower: V,
    /// The cutpoint above, infinity of the last category.
    pub(super) upper: V,
    /// Where there is such a category.
    pub(super) inside: V::Mask,
}

/// The interval of the category that a number is.
#[inline(always)]
pub(super) fn interval<V: Lanes>(value: V, cutpoints: &[V]) -> Interval<V> {
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
pub(super) fn add_cutpoints<V: Lanes>(value: V, d_lower: V, d_upper: V, d_cutpoints: &mut [V]) {
    for k in 0..d_cutpoints.len() {
        let above = V::select(value.eq(V::constant(k as f64)), d_upper, V::zero());
        let below = V::select(value.eq(V::constant((k + 1) as f64)), d_lower, V::zero());
        d_cutpoints[k] = d_cutpoints[k] + above + below;
    }
}

/// Minus infinity where there is no such category.
#[inline(always)]
pub(super) fn of_category<V: Lanes>(interval: &Interval<V>, log_prob: V) -> V {
    V::select(interval.inside, log_prob, V::constant(f64::NEG_INFINITY))
}

/// The category of a latent number: how many cutpoints lie below it; `NaN` unless they increase.
pub(super) fn category(latent: f64, cutpoints: &[f64]) -> f64 {
    let increasing = cutpoints.windows(2).all(|pair| pair[0] < pair[1]);
    if increasing && !latent.is_nan() { cutpoints.iter().filter(|&&c| c < latent).count() as f64 } else { f64::NAN }
}

/// The mean of a function of the category.
pub(super) fn expectation(categories: usize, log_prob: impl Fn(f64) -> f64, of: impl Fn(f64) -> f64) -> f64 {
    let each = |k: usize| {
        let prob = log_prob(k as f64).exp();
        if prob == 0.0 { 0.0 } else { prob * of(k as f64) }
    };
    (0..categories).map(each).sum()
}
