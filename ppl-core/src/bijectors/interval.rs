//! Maps onto intervals: `lower + e^u`, `upper - e^u`, and `lower + (upper - lower) / (1 + e^-u)`.

use super::BijectorError;
use super::element::{Element, Identity, bounded_exp, bounded_sigmoid, sigmoid_log_det, sigmoid_log_det_slope};
use super::map::{Adjoint, Each, Map};
use crate::kernel::Lanes;

/// The bounds of an interval: one number, or one for each element; an absent bound is infinite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The lower bound.
    pub lower: Option<Vec<f64>>,
    /// The upper bound.
    pub upper: Option<Vec<f64>>,
}

impl Bounds {
    /// The bounds of some elements.
    #[must_use]
    pub fn of(&self, elements: &[usize]) -> Bounds {
        let pick = |bounds: &Option<Vec<f64>>| {
            bounds.as_ref().map(|all| if all.len() == 1 { all.clone() } else { elements.iter().map(|&i| all[i]).collect() })
        };
        Bounds { lower: pick(&self.lower), upper: pick(&self.upper) }
    }

    /// Those of an element.
    pub(super) fn at(&self, element: usize) -> [Option<f64>; 2] {
        [&self.lower, &self.upper].map(|bounds| bounds.as_ref().map(|bounds| bound(bounds, element)))
    }

    /// How many elements have bounds of their own; one if all have the same.
    pub(super) fn len(&self) -> usize {
        self.lower.iter().chain(&self.upper).map(Vec::len).find(|&length| length != 1).unwrap_or(1)
    }

    /// Refuses bounds of different numbers of elements, and those that hold nothing.
    pub(crate) fn check(&self) -> Result<(), BijectorError> {
        let length = self.len();
        let lengths = [&self.lower, &self.upper].map(|bounds| bounds.as_ref().map_or(1, Vec::len));
        if lengths.iter().any(|&own| own != 1 && own != length) {
            return Err(BijectorError::Bounds { lower: lengths[0], upper: lengths[1] });
        }
        for element in 0..length {
            let of = |bounds: &Option<Vec<f64>>, none: f64| bounds.as_ref().map_or(none, |bounds| bound(bounds, element));
            let (lower, upper) = (of(&self.lower, f64::NEG_INFINITY), of(&self.upper, f64::INFINITY));
            let given = self.lower.iter().map(|_| lower).chain(self.upper.iter().map(|_| upper));
            if given.clone().any(|bound| !bound.is_finite()) || lower >= upper {
                return Err(BijectorError::Interval { element, lower, upper });
            }
        }
        Ok(())
    }
}

/// Runs an expression with the map of the bounds that there are.
macro_rules! with_bounds {
    ($bounds:expr, $map:ident => $body:expr) => {
        match (&$bounds.lower, &$bounds.upper) {
            (None, None) => {
                let $map = Each(|_| Identity);
                $body
            }
            (Some(lower), None) => {
                let $map = Each(|i| Lower::new(lower, i));
                $body
            }
            (None, Some(upper)) => {
                let $map = Each(|i| Upper::new(upper, i));
                $body
            }
            (Some(lower), Some(upper)) => {
                let $map = Each(|i| Both::new(lower, upper, i));
                $body
            }
        }
    };
}

impl Map for &Bounds {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        with_bounds!(self, map => map.forward::<V>(u, z, samples, offset))
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        with_bounds!(self, map => map.pull::<V>(rows, weight, u_adjoint));
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        with_bounds!(self, map => map.inverse(z))
    }
}

/// The bound of an element: its own, or the one of all.
fn bound(bounds: &[f64], element: usize) -> f64 {
    if let [one] = bounds { *one } else { bounds[element] }
}

/// `z = lower + e^u`
#[derive(Clone, Copy)]
struct Lower(f64);

impl Lower {
    #[inline(always)]
    fn new(lower: &[f64], element: usize) -> Self {
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
struct Upper(f64);

impl Upper {
    #[inline(always)]
    fn new(upper: &[f64], element: usize) -> Self {
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
struct Both {
    lower: f64,
    width: f64,
}

impl Both {
    #[inline(always)]
    fn new(lower: &[f64], upper: &[f64], element: usize) -> Self {
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
