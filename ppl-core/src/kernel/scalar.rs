//! Lanes of width one: `f64` and `f32`, for walks, for data, and for processors without vector registers that we know.

use std::ops::{AddAssign, SubAssign};

use super::special::{self, error_function, exponential, factorial, gamma, logarithm, tails};
use super::{Lanes, Mask, Real, Sum};

impl Mask for bool {
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
}

/// A method of the standard library.
macro_rules! standard {
    ($element:ty: $($name:ident),*) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                <$element>::$name(self)
            }
        )*
    };
}

/// A sum of scalars in double precision.
#[derive(Clone, Copy, Debug)]
pub struct ScalarSum(f64);

/// Functions of one number that are compiled once, in doubles.
macro_rules! of_one {
    ($($name:ident = $path:path;)*) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                #[inline(never)]
                fn once(x: f64) -> f64 {
                    $path(x)
                }
                Real::from_f64(once(f64::from(self)))
            }
        )*
    };
}

/// Functions of one number with two results that are compiled once, in doubles.
macro_rules! pairs_of_one {
    ($($name:ident = $path:path;)*) => {
        $(
            #[inline(always)]
            fn $name(self) -> (Self, Self) {
                #[inline(never)]
                fn once(x: f64) -> (f64, f64) {
                    $path(x)
                }
                let (first, second) = once(f64::from(self));
                (Real::from_f64(first), Real::from_f64(second))
            }
        )*
    };
}

/// Functions of several numbers that are compiled once, in doubles.
macro_rules! once {
    ($element:ty $(, $name:ident($($x:ident),*) -> $results:literal)*) => {
        $(
            #[inline(always)]
            fn $name($($x: Self),*) -> [Self; $results] {
                #[inline(never)]
                fn once($($x: f64),*) -> [f64; $results] {
                    special::$name::tails($($x),*)
                }
                once($(f64::from($x)),*).map(<$element>::from_f64)
            }
        )*
    };
}

macro_rules! scalar {
    ($element:ty, $multiple:literal) => {
        impl Real for $element {
            const LANE_MULTIPLE: usize = $multiple;
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "to the nearest element")]
            fn from_f64(x: f64) -> Self {
                x as $element
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }

        impl AddAssign<$element> for ScalarSum {
            #[inline(always)]
            fn add_assign(&mut self, x: $element) {
                self.0 += f64::from(x);
            }
        }

        impl SubAssign<$element> for ScalarSum {
            #[inline(always)]
            fn sub_assign(&mut self, x: $element) {
                self.0 -= f64::from(x);
            }
        }

        impl Sum<$element> for ScalarSum {
            #[inline(always)]
            fn zero() -> Self {
                ScalarSum(0.0)
            }
            #[inline(always)]
            fn add_product(&mut self, a: $element, b: $element) {
                self.0 += f64::from(a) * f64::from(b);
            }
            #[inline(always)]
            fn join(&mut self, other: Self) {
                self.0 += other.0;
            }
            #[inline(always)]
            fn scale(self, weight: $element) -> Self {
                ScalarSum(self.0 * f64::from(weight))
            }
            #[inline(always)]
            fn value(self) -> $element {
                Real::from_f64(self.0)
            }
            #[inline(always)]
            fn add_to(self, to: &mut [f64]) {
                to[0] += self.0;
            }
        }

        impl Lanes for $element {
            type Element = $element;
            type Mask = bool;
            type Sum = ScalarSum;
            type Chunk = $element;
            const WIDTH: usize = 1;

            #[inline(always)]
            fn splat(x: $element) -> Self {
                x
            }
            #[inline(always)]
            fn constant(x: f64) -> Self {
                Real::from_f64(x)
            }
            #[inline(always)]
            fn load(from: &[$element]) -> Self {
                from[0]
            }
            #[inline(always)]
            fn chunks(of: &[$element]) -> &[$element] {
                of
            }
            #[inline(always)]
            fn chunks_mut(of: &mut [$element]) -> &mut [$element] {
                of
            }
            #[inline(always)]
            fn from_chunk(chunk: &$element) -> Self {
                *chunk
            }
            #[inline(always)]
            fn to_chunk(self, chunk: &mut $element) {
                *chunk = self;
            }
            #[inline(always)]
            fn store(self, to: &mut [$element]) {
                to[0] = self;
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                // Without the instruction the fused form is a slow call.
                self * factor + addend
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if other < self { self } else { other }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self <= other
            }
            #[inline(always)]
            #[allow(clippy::float_cmp, reason = "the comparison that is asked for")]
            fn eq(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn select(mask: bool, if_true: Self, if_false: Self) -> Self {
                if mask { if_true } else { if_false }
            }
            standard!($element: abs, sqrt, exp, exp_m1, ln, ln_1p, sin, cos, atan, tanh);
            #[inline(always)]
            fn powi(self, exponent: i32) -> Self {
                exponential::powi(self, exponent)
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                <$element>::powf(self, exponent)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                exponential::sigmoid(self)
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                logarithm::softplus_and_sigmoid(self).0
            }
            #[inline(always)]
            fn logit(self) -> Self {
                logarithm::logit(self)
            }
            of_one! {
                erf = error_function::erf;
                normal_cdf = error_function::normal_cdf;
                trigamma = gamma::trigamma;
            }
            pairs_of_one! {
                ln_normal_cdf_and_slope = error_function::ln_normal_cdf_and_slope;
                ln_normal_tails = error_function::ln_normal_tails;
                lgamma_and_digamma = gamma::lgamma_and_digamma;
            }
            #[inline(always)]
            fn ln_factorial(self) -> Self {
                factorial::of_whole(f64::from(self)).map_or_else(|| (self + 1.0).lgamma(), Real::from_f64)
            }
            tails!(once($element));
        }
    };
}

scalar!(f64, 8);
scalar!(f32, 16);
