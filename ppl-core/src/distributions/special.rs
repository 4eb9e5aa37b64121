//! What cumulative distribution functions and moments are made of, in double precision.

use statrs::function::{beta, erf, gamma};

use super::Support;
use crate::kernel::Lanes as _;

/// Euler's constant.
pub(super) const EULER: f64 = 0.577_215_664_901_532_9;
/// `ln(2 pi) / 2`
pub(super) const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

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

/// The regularized lower incomplete gamma function `P(a, x)`; `NaN` outside its domain.
pub(super) fn incomplete_gamma(a: f64, x: f64) -> f64 {
    if x == f64::INFINITY && a > 0.0 { 1.0 } else { gamma::checked_gamma_lr(a, x).unwrap_or(f64::NAN) }
}

/// The regularized upper incomplete gamma function `Q(a, x) = 1 - P(a, x)`, with the digits of small ones; `NaN` outside its domain.
pub(super) fn upper_incomplete_gamma(a: f64, x: f64) -> f64 {
    if x == f64::INFINITY && a > 0.0 { 0.0 } else { gamma::checked_gamma_ur(a, x).unwrap_or(f64::NAN) }
}

/// The regularized incomplete beta function `I_x(a, b)`, with `rest = 1 - x`, which is asked where it has more digits; `NaN` outside its domain.
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x < rest {
        beta::checked_beta_reg(a, b, x).unwrap_or(f64::NAN)
    } else {
        1.0 - beta::checked_beta_reg(b, a, rest).unwrap_or(f64::NAN)
    }
}

/// The cdf of Student's t.
pub(super) fn student_cdf(df: f64, z: f64) -> f64 {
    if z.is_infinite() {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let square = z * z;
    // Of the two arguments that sum to one, the incomplete beta function is given the one that has its digits.
    let tail = 0.5 * incomplete_beta(0.5 * df, 0.5, df / (df + square), square / (df + square));
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// The points between zero and one of the rule of Gauss and Legendre with eight of them, and their weights.
const GAUSS_LEGENDRE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// The integral of a smooth function, by sixteen intervals of eight points.
pub(super) fn integral(lower: f64, upper: f64, function: impl Fn(f64) -> f64) -> f64 {
    let half = (upper - lower) / 32.0;
    let intervals = (0..16).map(|k| {
        let middle = half.mul_add(f64::from(2 * k + 1), lower);
        GAUSS_LEGENDRE.iter().map(|(x, weight)| weight * (function(middle - half * x) + function(middle + half * x))).sum::<f64>()
    });
    half * intervals.sum::<f64>()
}

/// The number at which an increasing function of a support takes a value, by bisection.
pub(super) fn invert(value: f64, support: Support, function: impl Fn(f64) -> f64) -> f64 {
    if !(0.0..=1.0).contains(&value) {
        return f64::NAN;
    }
    let (least, most) = match support {
        Support::Unit => (0.0, 1.0),
        Support::Positive => (0.0, f64::INFINITY),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    if value == 0.0 || value == 1.0 {
        return if value == 0.0 { least } else { most };
    }
    let (mut low, mut high) = (least.max(-1.0), most.min(1.0));
    while function(low) > value && low > f64::MIN / 4.0 {
        low *= 2.0;
    }
    while function(high) < value && high < f64::MAX / 4.0 {
        high *= 2.0;
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
