//! Sine and cosine of lanes of doubles: a multiple of a quarter turn is taken away, what is left has a polynomial (the minimax ones of fdlibm).

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use super::{Bits, polynomial};
use crate::kernel::{Lanes, Mask};

/// What is left of `pi / 2` after its first 53 bits, and after twice as many.
const REST: f64 = 6.123_233_995_736_766e-17;
const REST_OF_REST: f64 = -1.497_384_904_859_183e-33;
/// Numbers up to this many are reduced by the three parts of `pi / 2`, with all digits of the result.
const FAR: f64 = 1e8;

/// `(sin r - r) / r^3` and `(cos r - 1 + r^2 / 2) / r^4` as polynomials of `r^2`, for `|r| <= pi / 4`.
const SINE: [f64; 6] = [
    -1.666_666_666_666_663_2e-1,
    8.333_333_333_322_49e-3,
    -1.984_126_982_985_795e-4,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
const COSINE: [f64; 6] = [
    4.166_666_666_666_66e-2,
    -1.388_888_888_887_411e-3,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// Whether some lane is too large to be reduced so, or is no number.
#[inline(always)]
pub(in crate::kernel) fn is_far<V: Lanes>(x: V) -> bool {
    (!x.abs().le(V::constant(FAR))).any()
}

/// The sine and the cosine of numbers that are not far.
#[inline(always)]
pub(in crate::kernel) fn sin_cos<V: Bits>(x: V) -> (V, V) {
    let quarters = (x * V::constant(FRAC_2_PI)).round();
    let r = quarters.mul_add(V::constant(-FRAC_PI_2), x);
    let r = quarters.mul_add(V::constant(-REST), r);
    let r = quarters.mul_add(V::constant(-REST_OF_REST), r);
    let (one, half, z) = (V::constant(1.0), V::constant(0.5) * (r * r), r * r);
    let sine = (r * z).mul_add(polynomial(z, &SINE), r);
    // One less half the square, with what that rounds away.
    let most = one - half;
    let cosine = most + (z * z).mul_add(polynomial(z, &COSINE), (one - most) - half);
    // Which of the four quarters.
    let turns = (V::constant(0.25).mul_add(quarters, V::constant(-0.375))).round();
    let quarter = V::constant(-4.0).mul_add(turns, quarters);
    let is_odd = quarter.eq(one) | quarter.eq(V::constant(3.0));
    let (sin, cos) = (V::select(is_odd, cosine, sine), V::select(is_odd, sine, cosine));
    let below = one.lt(quarter);
    let left = V::constant(0.5).lt(quarter) & quarter.lt(V::constant(2.5));
    (V::select(below, -sin, sin), V::select(left, -cos, cos))
}

/// A function of the standard library, lane by lane.
#[inline(always)]
pub(in crate::kernel) fn each<V: Lanes<Element = f64>>(x: V, of: fn(f64) -> f64) -> V {
    let mut lanes = [0.0; 8];
    x.store(&mut lanes[..V::WIDTH]);
    lanes.iter_mut().for_each(|lane| *lane = of(*lane));
    V::load(&lanes[..V::WIDTH])
}
