//! The error function and the normal distribution function, by the rational approximations of Cody (1969, Math. Comp. 23).

use super::polynomial;
use crate::kernel::Lanes;

const A: [f64; 5] = [
    3.209_377_589_138_469_5e3,
    3.774_852_376_853_02e2,
    1.138_641_541_510_501_6e2,
    3.161_123_743_870_565_6,
    1.857_777_061_846_031_5e-1,
];
const B: [f64; 5] = [2.844_236_833_439_171e3, 1.282_616_526_077_372_3e3, 2.440_246_379_344_441_7e2, 2.360_129_095_234_412e1, 1.0];
const C: [f64; 9] = [
    1.230_339_354_797_997_2e3,
    2.051_078_377_826_071_5e3,
    1.712_047_612_634_070_6e3,
    8.819_522_212_417_69e2,
    2.986_351_381_974_001e2,
    6.611_919_063_714_163e1,
    8.883_149_794_388_376,
    5.641_884_969_886_701e-1,
    2.153_115_354_744_038_5e-8,
];
const D: [f64; 9] = [
    1.230_339_354_803_749_4e3,
    3.439_367_674_143_721_6e3,
    4.362_619_090_143_247e3,
    3.290_799_235_733_46e3,
    1.621_389_574_566_690_2e3,
    5.371_811_018_620_099e2,
    1.176_939_508_913_125e2,
    1.574_492_611_070_983_5e1,
    1.0,
];
const P: [f64; 6] = [
    6.587_491_615_298_378e-4,
    1.608_378_514_874_228e-2,
    1.257_817_261_112_292_5e-1,
    3.603_448_999_498_044_4e-1,
    3.053_266_349_612_323_4e-1,
    1.631_538_713_730_209_8e-2,
];
const Q: [f64; 6] = [
    2.335_204_976_268_691_8e-3,
    6.051_834_131_244_132e-2,
    5.279_051_029_514_284e-1,
    1.872_952_849_923_467_3,
    2.568_520_192_289_822,
    1.0,
];
/// `1 / sqrt(pi)`
const FRAC_1_SQRT_PI: f64 = 0.564_189_583_547_756_3;
/// Below this the series of `erf` itself is taken.
const SMALL: f64 = 0.468_75;

/// Of `x >= 0`, below [`SMALL`] `erf(x)`, elsewhere `e^(x^2) erfc(x)`, and whether it is the first: one division for all intervals of Cody's.
#[inline(always)]
fn pieces<V: Lanes>(x: V) -> (V::Mask, V) {
    let (small, four) = (V::constant(SMALL), V::constant(4.0));
    let (near, far) = (x.lt(small), four.lt(x));
    // Each polynomial of a number of its own interval: elsewhere it would overflow.
    let (first, middle, last) = (x.min(small), x.min(four), V::constant(1.0) / x.max(four));
    let (z, w) = (first * first, last * last);
    let numerator = V::select(near, first * polynomial(z, &A), polynomial(middle, &C));
    let denominator = V::select(near, polynomial(z, &B), polynomial(middle, &D));
    let ratio = V::select(far, w * polynomial(w, &P), numerator) / V::select(far, polynomial(w, &Q), denominator);
    (near, V::select(far, (V::constant(FRAC_1_SQRT_PI) - ratio) * last, ratio))
}

/// `e^(-x^2 / 2)` for `x >= 0`, without the rounding of the square: `x = h + l` with `h` a multiple of 1/16.
#[inline(always)]
fn exp_minus_half_square<V: Lanes>(x: V) -> V {
    // Adding and taking away 1.5 2^48 leaves a multiple of 1/16, whose square is exact.
    let magic = V::constant(422_212_465_065_984.0);
    let high = (x + magic) - magic;
    let (large, small) = (high * high, (x - high) * (x + high));
    let square = large + small;
    let rounding = small - (square - large);
    let (one, half) = (V::constant(1.0), V::constant(0.5));
    (-half * square).exp() * (one - half * rounding)
}

/// The error function.
#[inline(always)]
pub(in crate::kernel) fn erf<V: Lanes>(x: V) -> V {
    let size = x.abs().min(V::constant(6.0));
    let (near, value) = pieces(size);
    let outer = V::constant(1.0) - exp_minus_half_square(size * V::constant(std::f64::consts::SQRT_2)) * value;
    let value = V::select(near, value, outer);
    let value = V::select(x.lt(V::zero()), -value, value);
    V::select(x.eq(x), value, x)
}

/// `P(Z > |x|)` of a standard normal `Z`, and half of `e^(x^2 / 2) erfc(|x| / sqrt(2))` where that is known: where `|x|` is not near zero.
#[inline(always)]
fn upper_tail<V: Lanes>(x: V) -> (V, V::Mask, V) {
    let half = V::constant(0.5);
    let (near, value) = pieces(x.abs() * V::constant(std::f64::consts::FRAC_1_SQRT_2));
    let value = half * value;
    // e^(-x^2 / 2) of x itself: the division by sqrt(2) would lose digits in the tail.
    let tail = exp_minus_half_square(x.abs().min(V::constant(39.5))) * value;
    (V::select(near, half - value, tail), near, value)
}

/// The standard normal distribution function, `erfc(-x / sqrt(2)) / 2`.
#[inline(always)]
pub(in crate::kernel) fn normal_cdf<V: Lanes>(x: V) -> V {
    let (tail, ..) = upper_tail(x);
    let value = V::select(x.lt(V::zero()), tail, V::constant(1.0) - tail);
    V::select(x.eq(x), value, x)
}

/// The logarithm of the standard normal distribution function; in the lower tail `ln(erfcx / 2) - x^2 / 2`.
#[inline(always)]
pub(in crate::kernel) fn ln_normal_cdf<V: Lanes>(x: V) -> V {
    let (zero, one, half) = (V::zero(), V::constant(1.0), V::constant(0.5));
    let (tail, near, scaled) = upper_tail(x);
    let lower = x.lt(zero);
    // Of the upper half ln(1 - tail), with what the rounding of 1 - tail takes away.
    let rest = one - tail;
    let rounding = -(tail - (one - rest)) / rest;
    let number = V::select(lower, V::select(near, tail, scaled), rest);
    let addend = V::select(lower, V::select(near, zero, -half * x * x), rounding);
    V::select(x.eq(x), number.ln() + addend, x)
}
