//! Special functions, written once over lanes of doubles; every instruction set compiles them.

pub(crate) mod bessel;
pub(super) mod beta_tails;
pub(super) mod error_function;
pub(super) mod exponential;
pub(super) mod gamma;
pub(super) mod gamma_tails;
pub(crate) mod logarithm;
mod quadrature;
pub(super) mod skew_normal_tails;
pub(super) mod student_tails;
pub(super) mod trigonometric;

use super::Lanes;

/// Gives a macro, after what else it takes, the functions of several numbers that are compiled once for each kind of lanes: too much code to be inlined
/// wherever they are called. Their names, which are those of their modules, their arguments, and how many results they have.
macro_rules! tails {
    ($with:ident($($context:tt)*)) => {
        $with! {
            $($context)*,
            gamma_tails(shape, x) -> 3,
            beta_tails(alpha, beta, x, rest) -> 4,
            student_tails(df, z) -> 4,
            skew_normal_tails(shape, z) -> 3
        }
    };
}
pub(super) use tails;

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
