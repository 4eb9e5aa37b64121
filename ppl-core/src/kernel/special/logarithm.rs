//! The natural logarithm and what is made of it.

use super::{Bits, LN_2_HIGH, LN_2_LOW, polynomial};
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

/// `k` and `f` with `x = 2^k (1 + f)`, and `1 + f` between `sqrt(1/2)` and `sqrt(2)`, where the polynomial holds.
#[inline(always)]
fn reduced<V: Bits>(x: V) -> (V, V) {
    let (one, half) = (V::constant(1.0), V::constant(0.5));
    let (exponent, mantissa) = x.exponent_and_mantissa();
    let large = V::constant(std::f64::consts::SQRT_2).lt(mantissa);
    (V::select(large, exponent + one, exponent), V::select(large, mantissa * half, mantissa) - one)
}

/// `f - ln(1 + f)`, of `s = f / (2 + f)`.
#[inline(always)]
fn excess<V: Lanes>(f: V, s: V) -> V {
    let (z, half_square) = (s * s, V::constant(0.5) * f * f);
    half_square - s * z.mul_add(polynomial(z, &LOG), half_square)
}

/// `k ln 2 + ln(1 + f)`, of `s = f / (2 + f)`.
#[inline(always)]
fn joined<V: Lanes>(k: V, f: V, s: V) -> V {
    k.mul_add(V::constant(LN_2_HIGH), f - k.mul_add(V::constant(-LN_2_LOW), excess(f, s)))
}

/// `ln x`: zero gives `-inf`, a negative number `NaN`.
#[inline(always)]
pub(in crate::kernel) fn ln<V: Bits>(x: V) -> V {
    let (k, f) = reduced(x);
    joined(k, f, f / (V::constant(2.0) + f))
}

/// `ln(1 + x) = ln u + (x - (u - 1)) / u` with `u` the rounded `1 + x`.
#[inline(always)]
pub(in crate::kernel) fn ln_1p<V: Bits>(x: V) -> V {
    let (one, zero) = (V::constant(1.0), V::zero());
    let u = one + x;
    let (k, f) = reduced(u);
    // Where `u` is far from one nothing is lost.
    let lost = V::select(u.lt(V::constant(1e300)), x - (u - one), zero);
    let (a, b) = (V::constant(2.0) + f, V::constant(1e-300).max(V::constant(1e300).min(u)));
    // One division for both.
    let inverse = one / (a * b);
    joined(k, f, f * (b * inverse)) + lost * (a * inverse)
}

/// What the logarithm of `rest`, which is `1 - x` rounded, lacks: what was rounded away over the rest, to its first order.
#[inline(always)]
pub(super) fn rounded_away<V: Lanes>(rest: V, x: V) -> V {
    let one = V::constant(1.0);
    ((one - rest) - x) * (one + x)
}

/// `ln(1 - e^x)` of what is not positive, but for rounding.
#[inline(always)]
pub(crate) fn ln_one_minus_exp<V: Lanes>(x: V) -> V {
    let x = x.min(V::zero());
    let rest = -x.exp_m1();
    // The smaller the exponential, the more of it is rounded away in the rest.
    rest.ln() + V::select(x.lt(V::constant(-std::f64::consts::LN_2)), rounded_away(rest, x.exp()), V::zero())
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
    let ln = f - excess(f, s) + k;
    let negative = x.lt(zero);
    (V::select(negative, zero, x) + ln, V::select(negative, e * r, r))
}
