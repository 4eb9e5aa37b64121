//! Special functions, written once over lanes of doubles; every instruction set compiles them.

pub(crate) mod bessel;
pub(super) mod error_function;
pub(super) mod exponential;
pub(super) mod gamma;
pub(crate) mod logarithm;

use super::Lanes;

/// What the special functions need of lanes of doubles besides arithmetic.
pub(super) trait Bits: Lanes {
    /// The nearest whole number.
    fn round(self) -> Self;
    /// `self * 2^k` for a whole `k` between -2200 and 2200, subnormal results included.
    fn scale_by_power_of_two(self, k: Self) -> Self;
    /// The exponent `e` and the mantissa `m` between 1/2 and 1 (excluded) or 1 and 2 with `self = m 2^e`, for a positive normal number.
    fn exponent_and_mantissa(self) -> (Self, Self);
}

/// `c[0] + c[1] x + c[2] x^2 + ..`
#[inline(always)]
pub(super) fn polynomial<V: Lanes>(x: V, coefficients: &[f64]) -> V {
    let mut sum = V::zero();
    let mut k = coefficients.len();
    while k > 0 {
        k -= 1;
        sum = sum.mul_add(x, V::constant(coefficients[k]));
    }
    sum
}
