//! The exponential function and what is made of it.

use super::{Bits, polynomial};
use crate::kernel::Lanes;

/// `1 / k!`
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0,
    1.0,
    0.5,
    1.666_666_666_666_666_6e-1,
    4.166_666_666_666_666_4e-2,
    8.333_333_333_333_333e-3,
    1.388_888_888_888_889e-3,
    1.984_126_984_126_984e-4,
    2.480_158_730_158_73e-5,
    2.755_731_922_398_589_3e-6,
    2.755_731_922_398_589e-7,
    2.505_210_838_544_172e-8,
    2.087_675_698_786_81e-9,
    1.605_904_383_682_161_3e-10,
];

/// `ln 2`, the leading bits, so that a whole number of them is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
/// The rest of `ln 2`.
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `e^x`: `x = k ln 2 + r`, the Taylor series of `e^r` (|r| < 0.35, remainder 1e-18), scaled by `2^k`.
#[inline(always)]
pub(in crate::kernel) fn exp<V: Bits>(x: V) -> V {
    // Beyond these the result is 0 or infinity in any case, and `k` stays small. NaN passes through the arithmetic below.
    let (low, high) = (V::constant(-746.0), V::constant(710.0));
    let clamped = V::select(x.lt(low), low, V::select(high.lt(x), high, x));
    let k = (clamped * V::constant(std::f64::consts::LOG2_E)).round();
    let r = k.mul_add(V::constant(-LN_2_HIGH), clamped);
    let r = k.mul_add(V::constant(-LN_2_LOW), r);
    polynomial(r, &INVERSE_FACTORIALS).scale_by_power_of_two(k)
}

/// `e^x - 1`: the series without its first term near zero, the difference elsewhere.
#[inline(always)]
pub(in crate::kernel) fn exp_m1<V: Bits>(x: V) -> V {
    let near = x.abs().lt(V::constant(0.5));
    let small = V::select(near, x, V::zero());
    // To x^15 / 15!: below 1e-17 of x for |x| < 1/2.
    let tail = polynomial(small, &[1.147_074_559_772_972_5e-11, 7.647_163_731_819_816e-13]);
    let mut series = tail;
    let mut k = 14;
    while k > 1 {
        k -= 1;
        series = series.mul_add(small, V::constant(INVERSE_FACTORIALS[k]));
    }
    V::select(near, series * small, exp(x) - V::constant(1.0))
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

/// `ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)`
#[inline(always)]
pub(in crate::kernel) fn softplus<V: Lanes>(x: V) -> V {
    let positive = V::select(x.lt(V::zero()), V::zero(), x);
    positive + (-x.abs()).exp().ln_1p()
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
