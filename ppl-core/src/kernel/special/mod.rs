//! Special functions, written once over lanes of doubles; every instruction set compiles them.

pub(crate) mod bessel;
pub(super) mod beta_tails;
pub(super) mod error_function;
pub(super) mod exponential;
pub(super) mod factorial;
pub(super) mod gamma;
pub(super) mod gamma_tails;
pub(crate) mod logarithm;
mod quadrature;
pub(super) mod skew_normal_tails;
pub(super) mod student_tails;
pub(super) mod trigonometric;

use super::Lanes;

/// `ln 2`, the leading bits, so that a whole number of them is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
/// The rest of `ln 2`.
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

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
    /// The exponent `e` and the mantissa `m`, at least 1 and below 2, with `self = m 2^e`. Of zero and infinity the exponent is infinite and the mantissa 1;
    /// of a negative number, and of none, the mantissa is `NaN`.
    fn exponent_and_mantissa(self) -> (Self, Self);
}

/// `c[0] + c[1] x + c[2] x^2 + ..`, of at least two coefficients.
#[inline(always)]
pub(super) fn polynomial<V: Lanes, const N: usize>(x: V, coefficients: &[f64; N]) -> V {
    // Even and odd powers: two chains, each half as long.
    let square = x * x;
    let is_odd = N % 2 == 1;
    let mut k = if is_odd { N - 1 } else { N - 2 };
    let (mut even, mut odd) = (V::constant(coefficients[k]), V::constant(coefficients[if is_odd { k - 1 } else { k + 1 }]));
    if is_odd {
        k -= 2;
        even = even.mul_add(square, V::constant(coefficients[k]));
    }
    while k > 0 {
        k -= 2;
        even = even.mul_add(square, V::constant(coefficients[k]));
        odd = odd.mul_add(square, V::constant(coefficients[k + 1]));
    }
    odd.mul_add(x, even)
}
