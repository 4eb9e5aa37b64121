//! The logarithm of the gamma function and its derivatives, of positive numbers: recurrence up to 8, then Stirling's series.

use super::polynomial;
use crate::kernel::Lanes;

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;
/// Where Stirling's series has converged to the last bit.
const SHIFT: usize = 8;

/// The product `x (x + 1) .. (x + 7)`, the sum of `1 / (x + i)`, the argument for the series and its inverse; for large `x` nothing is shifted.
#[inline(always)]
fn shifted<V: Lanes>(x: V) -> [V; 4] {
    let small = x.lt(V::constant(SHIFT as f64));
    let one = V::constant(1.0);
    let base = V::select(small, x, one);
    // (p, dp): the product and its derivative.
    let (mut product, mut derivative) = (base, one);
    let mut i = 1;
    while i < SHIFT {
        let factor = base + V::constant(i as f64);
        derivative = derivative.mul_add(factor, product);
        product = product * factor;
        i += 1;
    }
    let y = V::select(small, x + V::constant(SHIFT as f64), x);
    let product = V::select(small, product, one);
    // One division for both.
    let inverse = one / (product * y);
    [product, V::select(small, derivative * (inverse * y), V::zero()), y, inverse * product]
}

/// `NaN` where `x` is not positive.
#[inline(always)]
fn of_positive<V: Lanes>(x: V, value: V) -> V {
    V::select(V::zero().lt(x), value, V::constant(f64::NAN))
}

/// `ln gamma(x)` and `digamma(x)`.
#[inline(always)]
pub(in crate::kernel) fn lgamma_and_digamma<V: Lanes>(x: V) -> (V, V) {
    let [product, sum, y, inverse] = shifted(x);
    let ln_y = y.ln();
    let square = inverse * inverse;
    // Stirling: sum of B_2k / (2k (2k - 1) y^(2k - 1)).
    let series = polynomial(
        square,
        &[
            1.0 / 12.0,
            -1.0 / 360.0,
            1.0 / 1260.0,
            -1.0 / 1680.0,
            1.0 / 1188.0,
            -691.0 / 360_360.0,
            1.0 / 156.0,
            -3617.0 / 122_400.0,
        ],
    );
    let stirling = (y - V::constant(0.5)).mul_add(ln_y, -y) + V::constant(HALF_LN_TWO_PI);
    let lgamma = series.mul_add(inverse, stirling) - product.ln();
    // Its derivative: ln y - 1 / 2y - sum of B_2k / (2k y^2k).
    let tail = polynomial(
        square,
        &[-1.0 / 12.0, 1.0 / 120.0, -1.0 / 252.0, 1.0 / 240.0, -1.0 / 132.0, 691.0 / 32_760.0, -1.0 / 12.0, 3617.0 / 8160.0],
    );
    let digamma = ln_y - V::constant(0.5) * inverse + tail * square - sum;
    let infinity = V::constant(f64::INFINITY);
    let lgamma = V::select(x.eq(infinity), infinity, lgamma);
    (of_positive(x, lgamma), of_positive(x, digamma))
}

/// The derivative of digamma.
#[inline(always)]
pub(in crate::kernel) fn trigamma<V: Lanes>(x: V) -> V {
    let small = x.lt(V::constant(SHIFT as f64));
    let one = V::constant(1.0);
    let base = V::select(small, x, one);
    let mut sum = V::zero();
    let mut i = 0;
    while i < SHIFT {
        let term = base + V::constant(i as f64);
        sum = sum + one / (term * term);
        i += 1;
    }
    let y = V::select(small, x + V::constant(SHIFT as f64), x);
    let inverse = one / y;
    let square = inverse * inverse;
    let tail = polynomial(
        square,
        &[1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0, -3617.0 / 510.0],
    );
    let series = inverse + square * V::constant(0.5) + tail * square * inverse;
    of_positive(x, V::select(small, series + sum, series))
}
