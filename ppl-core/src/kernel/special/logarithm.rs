//! The natural logarithm and what is made of it.

use super::Bits;
use crate::kernel::Lanes;

/// The minimax polynomial of fdlibm's `log` (Sun Microsystems 1993): `ln(1 + f)` of `s = f / (2 + f)`, error below 2^-58.
const LOG: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `ln x`: zero gives `-inf`, a negative number `NaN`, subnormal numbers are scaled first.
#[inline(always)]
pub(in crate::kernel) fn ln<V: Bits>(x: V) -> V {
    let one = V::constant(1.0);
    let subnormal = x.lt(V::constant(f64::MIN_POSITIVE));
    // 2^54
    let scaled = V::select(subnormal, x * V::constant(18_014_398_509_481_984.0), x);
    let (exponent, mantissa) = scaled.exponent_and_mantissa();
    // The mantissa between sqrt(1/2) and sqrt(2), where the polynomial holds.
    let large = V::constant(std::f64::consts::SQRT_2).lt(mantissa);
    let mantissa = V::select(large, mantissa * V::constant(0.5), mantissa);
    let k = V::select(large, exponent + one, exponent);
    let k = V::select(subnormal, k - V::constant(54.0), k);
    let f = mantissa - one;
    let s = f / (V::constant(2.0) + f);
    let z = s * s;
    let r = super::polynomial(z, &LOG) * z;
    let half_square = V::constant(0.5) * f * f;
    let low = k.mul_add(V::constant(LN_2_LOW), s * (half_square + r));
    let value = k.mul_add(V::constant(LN_2_HIGH), f - (half_square - low));
    let zero = V::zero();
    let infinity = V::constant(f64::INFINITY);
    let value = V::select(x.eq(infinity), infinity, value);
    let value = V::select(x.eq(zero), -infinity, value);
    // Negative numbers and NaN.
    V::select(zero.le(x), value, V::constant(f64::NAN))
}

/// `ln(1 + x) = ln u + (x - (u - 1)) / u` with `u` the rounded `1 + x`.
#[inline(always)]
pub(in crate::kernel) fn ln_1p<V: Lanes>(x: V) -> V {
    let one = V::constant(1.0);
    let u = one + x;
    let value = u.ln();
    let correction = (x - (u - one)) / u;
    let ordinary = V::zero().lt(u) & u.lt(V::constant(f64::INFINITY));
    V::select(ordinary, value + correction, value)
}

/// `ln(1 - e^x)` of what is not positive, but for rounding.
#[inline(always)]
pub(crate) fn ln_one_minus_exp<V: Lanes>(x: V) -> V {
    let x = x.min(V::zero());
    let near = (-x.exp_m1()).ln();
    V::select(x.lt(V::constant(-std::f64::consts::LN_2)), (-x.exp()).ln_1p(), near)
}

/// `ln(x / (1 - x))`
#[inline(always)]
pub(in crate::kernel) fn logit<V: Lanes>(x: V) -> V {
    x.ln() - (-x).ln_1p()
}

/// `x^y = e^(y ln x)`: relative error about `|y ln x|` times 2e-16; `0^y` is 0, 1 or infinity by the sign of `y`.
#[inline(always)]
pub(in crate::kernel) fn powf<V: Lanes>(x: V, y: V) -> V {
    let power = (y * x.ln()).exp();
    V::select(y.eq(V::zero()), V::constant(1.0), power)
}

/// `ln(1 + e^x)` and `1 / (1 + e^-x)` together: one exponential, and one division for both.
#[inline(always)]
pub(crate) fn softplus_and_sigmoid<V: Lanes>(x: V) -> (V, V) {
    let (one, zero) = (V::constant(1.0), V::zero());
    let e = (-x.abs()).exp();
    // ln(1 + e) for e up to one: of e itself, or of (1 + e) / 2 and ln 2.
    let large = V::constant(std::f64::consts::SQRT_2 - 1.0).lt(e);
    let f = V::select(large, (e - one) * V::constant(0.5), e);
    let k = V::select(large, V::constant(std::f64::consts::LN_2), zero);
    let (a, b) = (one + e, V::constant(2.0) + f);
    let inverse = one / (a * b);
    let r = b * inverse;
    let s = f * (a * inverse);
    let z = s * s;
    let half_square = V::constant(0.5) * f * f;
    let ln = s * (half_square + super::polynomial(z, &LOG) * z) - half_square + f + k;
    let negative = x.lt(zero);
    (V::select(negative, zero, x) + ln, V::select(negative, e * r, r))
}
