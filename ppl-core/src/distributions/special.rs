//! What cumulative distribution functions and moments are made of, in double precision.

use statrs::function::erf;

pub(super) use crate::kernel::ln_one_minus_exp;
use crate::kernel::{Lanes, Real};

/// Euler's constant.
pub(super) const EULER: f64 = 0.577_215_664_901_532_9;
/// `ln(2 pi) / 2`
pub(super) const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// A log density between the bounds of a distribution, and minus infinity beyond them: where these are parameters, what is possible for one may not be for
/// another.
#[inline(always)]
pub(super) fn within<V: Lanes>(lower: V, x: V, upper: V, log_prob: V) -> V {
    V::select(x.lt(lower) | upper.lt(x), V::constant(f64::NEG_INFINITY), log_prob)
}

/// A uniform number strictly between zero and one.
pub(super) fn open01(rng: &mut dyn rand::Rng) -> f64 {
    rand_distr::Distribution::sample(&rand_distr::Open01, rng)
}

/// `x ln y`, which is zero where `x` is.
pub(super) fn times_ln(x: f64, y: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x * y.ln() }
}

/// The logarithm of the beta function.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    f64::lgamma(a) + f64::lgamma(b) - f64::lgamma(a + b)
}

/// The number below which a standard normal one is with this probability.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erf::erfc_inv(2.0 * probability)
}

/// The most lanes of any instruction set.
pub(super) const WIDEST: usize = 16;

/// Lanes as doubles, for what has no formula over lanes.
pub(super) fn to_doubles<V: Lanes>(lanes: V) -> [f64; WIDEST] {
    let mut elements = [V::Element::default(); WIDEST];
    lanes.store(&mut elements);
    elements.map(Real::to_f64)
}

/// Doubles as lanes.
pub(super) fn from_doubles<V: Lanes>(doubles: &[f64; WIDEST]) -> V {
    V::load(&doubles.map(V::Element::from_f64))
}

/// The points between zero and one of the rule of Gauss and Legendre with eight of them, and their weights.
const GAUSS_LEGENDRE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// The integrals of smooth functions, by sixteen intervals of eight points.
pub(super) fn integral<const N: usize>(lower: f64, upper: f64, functions: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let half = (upper - lower) / 32.0;
    let mut sums = [0.0; N];
    for k in 0..16 {
        let middle = half.mul_add(f64::from(2 * k + 1), lower);
        for (x, weight) in GAUSS_LEGENDRE {
            let (left, right) = (functions(middle - half * x), functions(middle + half * x));
            for i in 0..N {
                sums[i] += weight * (left[i] + right[i]);
            }
        }
    }
    sums.map(|sum| half * sum)
}

/// The number between two at which an increasing function takes a value, by bisection; the ends may be infinite.
pub(super) fn invert(value: f64, least: f64, most: f64, function: impl Fn(f64) -> f64) -> f64 {
    if value.is_nan() || least >= most {
        return if least == most { least } else { f64::NAN };
    }
    let start = 0.0_f64.clamp(least, most);
    let (mut low, mut high, mut step) = (least, most, 1.0);
    if low == f64::NEG_INFINITY {
        low = start - step;
        while function(low) > value && step < f64::MAX / 4.0 {
            step *= 2.0;
            low -= step;
        }
    }
    if high == f64::INFINITY {
        (high, step) = (start.max(low) + 1.0, 1.0);
        while function(high) < value && step < f64::MAX / 4.0 {
            step *= 2.0;
            high += step;
        }
    }
    // Numbers near zero have more digits than halves of an interval find: positive ones are halved by their exponents.
    let middle = |low: f64, high: f64| if low > 0.0 && high > 4.0 * low { (low * high).sqrt() } else { low + 0.5 * (high - low) };
    while low == 0.0 && high > f64::MIN_POSITIVE && function(0.25 * high) > value {
        high *= 0.25;
    }
    for _ in 0..200 {
        let between = middle(low, high);
        if between <= low || between >= high {
            break;
        }
        if function(between) < value { low = between } else { high = between }
    }
    low + 0.5 * (high - low)
}

/// The first whole number, not before another one, at which what stays true becomes true.
pub(super) fn first_whole(from: f64, reached: impl Fn(f64) -> bool) -> f64 {
    let mut step = 1.0;
    let mut low = if from.is_finite() { from.ceil() - 1.0 } else { -1.0 };
    while from == f64::NEG_INFINITY && reached(low) && step < LARGEST_WHOLE {
        low -= step;
        step *= 2.0;
    }
    let mut high = low + 1.0;
    step = 1.0;
    while !reached(high) && step < LARGEST_WHOLE {
        low = high;
        high += step;
        step *= 2.0;
    }
    while high - low > 1.0 {
        let middle = (low + 0.5 * (high - low)).floor();
        if reached(middle) { high = middle } else { low = middle }
    }
    high
}

/// Up to here doubles tell whole numbers apart.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;
