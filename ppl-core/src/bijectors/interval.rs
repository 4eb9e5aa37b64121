//! Maps onto intervals: `lower + e^u`, `upper - e^u`, and `lower + (upper - lower) / (1 + e^-u)`.

use super::element::{Element, bounded_exp, bounded_sigmoid, sigmoid_log_det, sigmoid_log_det_slope};
use crate::kernel::Lanes;

/// The bound of an element: its own, or the one of all.
fn bound(bounds: &[f64], element: usize) -> f64 {
    if let [one] = bounds { *one } else { bounds[element] }
}

/// `z = lower + e^u`
#[derive(Clone, Copy)]
pub(super) struct Lower(f64);

impl Lower {
    #[inline(always)]
    pub(super) fn new(lower: &[f64], element: usize) -> Self {
        Lower(bound(lower, element))
    }
}

impl Element for Lower {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        (V::constant(self.0) + bounded_exp(u), u)
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, u: V, _z: V) -> (V, V) {
        (bounded_exp(u), V::constant(1.0))
    }

    fn inverse(self, z: f64) -> Option<f64> {
        (z > self.0).then(|| (z - self.0).ln())
    }
}

/// `z = upper - e^u`
#[derive(Clone, Copy)]
pub(super) struct Upper(f64);

impl Upper {
    #[inline(always)]
    pub(super) fn new(upper: &[f64], element: usize) -> Self {
        Upper(bound(upper, element))
    }
}

impl Element for Upper {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        (V::constant(self.0) - bounded_exp(u), u)
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, u: V, _z: V) -> (V, V) {
        (-bounded_exp(u), V::constant(1.0))
    }

    fn inverse(self, z: f64) -> Option<f64> {
        (z < self.0).then(|| (self.0 - z).ln())
    }
}

/// `z = lower + (upper - lower) / (1 + e^-u)`
#[derive(Clone, Copy)]
pub(super) struct Both {
    lower: f64,
    width: f64,
}

impl Both {
    #[inline(always)]
    pub(super) fn new(lower: &[f64], upper: &[f64], element: usize) -> Self {
        let lower = bound(lower, element);
        Both { lower, width: bound(upper, element) - lower }
    }
}

impl Element for Both {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        let z = V::constant(self.width).mul_add(bounded_sigmoid(u), V::constant(self.lower));
        (z, sigmoid_log_det(u) + V::constant(self.width.ln()))
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, u: V, _z: V) -> (V, V) {
        (V::constant(self.width) * sigmoid_log_det(u).exp(), sigmoid_log_det_slope(u))
    }

    fn inverse(self, z: f64) -> Option<f64> {
        let share = (z - self.lower) / self.width;
        (share > 0.0 && share < 1.0).then(|| share.ln() - (-share).ln_1p())
    }
}
