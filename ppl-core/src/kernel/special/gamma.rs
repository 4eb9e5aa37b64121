//! The logarithm of the gamma function and its derivatives, of positive numbers: recurrence up to 8, then Stirling's series.

use super::polynomial;
use crate::kernel::Lanes;

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;
/// Where Stirling's series has converged to the last bit.
const SHIFT: f64 = 8.0;

/// Where the series is taken, and what the recurrence adds.
struct Shifted<V> {
    /// The product `x (x + 1) .. (x + 7)`; one for large `x`, where nothing is shifted.
    product: V,
    /// Its derivative; zero for large `x`.
    derivative: V,
    /// The argument of the series.
    y: V,
}

#[inline(always)]
fn shifted<V: Lanes>(x: V) -> Shifted<V> {
    let small = x.lt(V::constant(SHIFT));
    let (zero, one) = (V::zero(), V::constant(1.0));
    let base = V::select(small, x, one);
    // Of u = x (x + 7), since (x + i) (x + 7 - i) = u + i (7 - i).
    let u = base * (base + V::constant(7.0));
    let (a, b, c) = (u + V::constant(6.0), u + V::constant(10.0), u + V::constant(12.0));
    let (ua, bc) = (u * a, b * c);
    let in_u = (u + a).mul_add(bc, ua * (b + c));
    let derivative = in_u * (base + base + V::constant(7.0));
    Shifted {
        product: V::select(small, ua * bc, one),
        derivative: V::select(small, derivative, zero),
        y: V::select(small, x + V::constant(SHIFT), x),
    }
}

/// `NaN` where `x` is not positive.
#[inline(always)]
fn of_positive<V: Lanes>(x: V, value: V) -> V {
    V::select(V::zero().lt(x), value, V::constant(f64::NAN))
}

/// `ln gamma(x)` and `digamma(x)`.
#[inline(always)]
pub(in crate::kernel) fn lgamma_and_digamma<V: Lanes>(x: V) -> (V, V) {
    let Shifted { product, derivative, y } = shifted(x);
    // One division for both.
    let inverse_of_both = V::constant(1.0) / (product * y);
    let (inverse, sum) = (inverse_of_both * product, derivative * (inverse_of_both * y));
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
    let small = x.lt(V::constant(SHIFT));
    let one = V::constant(1.0);
    let base = V::select(small, x, one);
    let mut sum = V::zero();
    let mut i = 0;
    while i < 8 {
        let term = base + V::constant(f64::from(i));
        sum = sum + one / (term * term);
        i += 1;
    }
    let y = V::select(small, x + V::constant(SHIFT), x);
    let inverse = one / y;
    let square = inverse * inverse;
    let tail = polynomial(
        square,
        &[1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0, -3617.0 / 510.0],
    );
    let series = inverse + square * V::constant(0.5) + tail * square * inverse;
    of_positive(x, V::select(small, series + sum, series))
}
