//! The exponential function and what is made of it.

use super::{Bits, LN_2_HIGH, LN_2_LOW, polynomial};
use crate::kernel::Lanes;

/// `(e^r - 1 - r) / r^2` in powers of `r`, for `|r| <= ln 2 / 2`; the error is below 2e-17 (`reference/elementary.py`).
const EXPONENTIAL: [f64; 10] = [
    5.000_000_000_000_001e-1,
    1.666_666_666_666_667e-1,
    4.166_666_666_662_412e-2,
    8.333_333_333_326_134e-3,
    1.388_888_891_721_558_6e-3,
    1.984_126_987_482_230_7e-4,
    2.480_152_129_346_386_2e-5,
    2.755_725_539_833_871e-6,
    2.762_008_948_195_459e-7,
    2.510_521_769_568_451_6e-8,
];

/// `k` and `e^r - 1` with `x = k ln 2 + r` and `|r| <= ln 2 / 2`.
#[inline(always)]
fn reduced<V: Bits>(x: V) -> (V, V) {
    // Beyond these `e^x` is 0 or infinity in any case, and `k` stays small. NaN passes through.
    let clamped = V::constant(710.0).min(V::constant(-746.0).max(x));
    let k = (clamped * V::constant(std::f64::consts::LOG2_E)).round();
    let r = k.mul_add(V::constant(-LN_2_HIGH), clamped);
    let r = k.mul_add(V::constant(-LN_2_LOW), r);
    (k, (r * r).mul_add(polynomial(r, &EXPONENTIAL), r))
}

/// `e^x`
#[inline(always)]
pub(in crate::kernel) fn exp<V: Bits>(x: V) -> V {
    let (k, less_one) = reduced(x);
    (less_one + V::constant(1.0)).scale_by_power_of_two(k)
}

/// `e^x - 1`
#[inline(always)]
pub(in crate::kernel) fn exp_m1<V: Bits>(x: V) -> V {
    let (k, less_one) = reduced(x);
    let one = V::constant(1.0);
    V::select(k.eq(V::zero()), less_one, (less_one + one).scale_by_power_of_two(k) - one)
}

/// `1 / (1 + e^-x)`, without overflow.
#[inline(always)]
pub(in crate::kernel) fn sigmoid<V: Lanes>(x: V) -> V {
    let one = V::constant(1.0);
    let e = (-x.abs()).exp();
    let r = one / (one + e);
    V::select(x.lt(V::zero()), e * r, r)
}

/// `tanh x = e / (e + 2)` with `e = e^(2x) - 1`.
#[inline(always)]
pub(in crate::kernel) fn tanh<V: Bits>(x: V) -> V {
    let limit = V::constant(20.0);
    let clamped = V::select(x.lt(-limit), -limit, V::select(limit.lt(x), limit, x));
    let e = exp_m1(clamped + clamped);
    e / (e + V::constant(2.0))
}

/// `x^k` by repeated squaring.
#[inline(always)]
pub(in crate::kernel) fn powi<V: Lanes>(x: V, exponent: i32) -> V {
    let mut power = V::constant(1.0);
    let mut square = x;
    let mut left = exponent.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            power = power * square;
        }
        left >>= 1;
        if left > 0 {
            square = square * square;
        }
    }
    if exponent < 0 { V::constant(1.0) / power } else { power }
}
