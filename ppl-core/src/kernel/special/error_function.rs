//! The error function and the normal distribution function.
//!
//! All of it is made of the scaled tail `e^(x^2 / 2) P(Z > x)`, which is smooth for all `x >= 0`: one polynomial and one division (Shepherd & Laframboise
//! 1981, Math. Comp. 36). The polynomials are those of `reference/elementary.py`.

use super::{logarithm::rounded_away, polynomial};
use crate::kernel::Lanes;

/// `erf(x) / x` in powers of `x^2`, for `|x|` up to [`SMALL`]; the error is below 1e-17.
const NEAR_ZERO: [f64; 9] = [
    std::f64::consts::FRAC_2_SQRT_PI,
    -3.761_263_890_318_347_6e-1,
    1.128_379_167_092_545_7e-1,
    -2.686_617_063_292_108_5e-2,
    5.223_977_373_542_183e-3,
    -8.548_297_798_086_192e-4,
    1.205_333_722_287_771_9e-4,
    -1.484_590_089_637_583_5e-5,
    1.472_638_168_001_703_2e-6,
];
/// Up to here the error function is not one less what is left: digits would be lost.
const SMALL: f64 = 0.5;

/// `(1 + x)` times the scaled tail, in powers of `t = (x - 5) / (x + 5)`; the error is below 1e-17.
const SCALED_TAIL: [f64; 24] = [
    4.615_158_298_500_377_5e-1,
    -9.155_228_183_400_904e-2,
    3.103_036_842_596_370_8e-2,
    1.000_235_238_522_938_2e-2,
    -2.640_104_296_630_830_7e-2,
    2.453_696_324_367_865_2e-2,
    -1.517_041_540_251_486_3e-2,
    6.522_000_667_783_896e-3,
    -1.676_072_344_554_47e-3,
    7.791_597_409_338_999e-6,
    1.823_341_451_164_384_3e-4,
    -5.360_758_111_487_22e-5,
    -9.896_097_759_279_782e-6,
    9.059_824_681_256_64e-6,
    -7.034_644_683_537_101e-8,
    -1.307_448_601_923_758_7e-6,
    1.278_782_218_209_37e-7,
    1.962_780_992_009_118_7e-7,
    -2.628_620_508_989_875_4e-8,
    -3.095_201_755_804_207e-8,
    3.627_373_163_401_201e-9,
    4.401_159_622_759_925_4e-9,
    -2.822_077_229_062_986_5e-10,
    -3.815_816_262_632_953e-10,
];

/// `e^(x^2 / 2) P(Z > x)` of a standard normal `Z`, for `x >= 0`.
#[inline(always)]
fn scaled_tail<V: Lanes>(x: V) -> V {
    let (one, five) = (V::constant(1.0), V::constant(5.0));
    // Farther out the square that goes with it is infinite.
    let x = x.min(V::constant(1e150));
    let (below, above) = (x + one, x + five);
    // One division for both.
    let inverse = one / (below * above);
    let t = (x - five) * (below * inverse);
    polynomial(t, &SCALED_TAIL) * (above * inverse)
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
    let z = size.min(V::constant(SMALL));
    let near = z * polynomial(z * z, &NEAR_ZERO);
    // The tail of a normal number, times two.
    let of_normal = size * V::constant(std::f64::consts::SQRT_2);
    let tail = exp_minus_half_square(of_normal) * scaled_tail(of_normal);
    let value = V::select(size.le(V::constant(SMALL)), near, V::constant(1.0) - (tail + tail));
    let value = V::select(x.lt(V::zero()), -value, value);
    V::select(x.eq(x), value, x)
}

/// What is known of both tails of a standard normal `Z` at a number.
#[derive(Clone, Copy, Debug)]
struct Normal<V: Lanes> {
    /// Whether the number is negative.
    is_lower: V::Mask,
    /// Half its square.
    half_square: V,
    /// `e^(half_square) P(Z > |x|)`
    scaled: V,
    /// `e^(-half_square)`
    exp: V,
    /// `P(Z > |x|)`
    tail: V,
}

impl<V: Lanes> Normal<V> {
    #[inline(always)]
    fn of(x: V) -> Self {
        let size = x.abs();
        let scaled = scaled_tail(size);
        // Farther out it is zero.
        let exp = exp_minus_half_square(size.min(V::constant(39.5)));
        Normal { is_lower: x.lt(V::zero()), half_square: V::constant(0.5) * x * x, scaled, exp, tail: exp * scaled }
    }

    /// The logarithm of the probability of the side that is at most a half.
    #[inline(always)]
    fn ln_less(&self) -> V {
        self.scaled.ln() - self.half_square
    }

    /// `1 - tail`, rounded, and what its logarithm lacks by that.
    #[inline(always)]
    fn rest(&self) -> (V, V) {
        let rest = V::constant(1.0) - self.tail;
        (rest, rounded_away(rest, self.tail))
    }

    /// The logarithm of the probability of the other side.
    #[inline(always)]
    fn ln_more(&self) -> V {
        let (rest, rounding) = self.rest();
        rest.ln() + rounding
    }
}

/// The standard normal distribution function, `erfc(-x / sqrt(2)) / 2`.
#[inline(always)]
pub(in crate::kernel) fn normal_cdf<V: Lanes>(x: V) -> V {
    let normal = Normal::of(x);
    let value = V::select(normal.is_lower, normal.tail, V::constant(1.0) - normal.tail);
    V::select(x.eq(x), value, x)
}

/// The logarithm of the standard normal distribution function, in the lower tail that of the scaled tail less `x^2 / 2`, and its derivative, the inverse
/// Mills ratio.
#[inline(always)]
pub(in crate::kernel) fn ln_normal_cdf_and_slope<V: Lanes>(x: V) -> (V, V) {
    let normal = Normal::of(x);
    let (rest, rounding) = normal.rest();
    let number = V::select(normal.is_lower, normal.scaled, rest);
    let addend = V::select(normal.is_lower, -normal.half_square, rounding);
    // 1 / sqrt(2 pi)
    let density = V::constant(0.398_942_280_401_432_7) * V::select(normal.is_lower, V::constant(1.0), normal.exp);
    (V::select(x.eq(x), number.ln() + addend, x), V::select(x.eq(x), density / number, x))
}

/// The logarithms of the standard normal distribution function and of what is left of one.
#[inline(always)]
pub(in crate::kernel) fn ln_normal_tails<V: Lanes>(x: V) -> (V, V) {
    let normal = Normal::of(x);
    let (less, more) = (normal.ln_less(), normal.ln_more());
    let below = V::select(normal.is_lower, less, more);
    let above = V::select(normal.is_lower, more, less);
    (V::select(x.eq(x), below, x), V::select(x.eq(x), above, x))
}
