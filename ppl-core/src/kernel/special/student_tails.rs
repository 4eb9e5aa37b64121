//! Student's distribution function and how a number moves with the degrees of freedom.

use super::logarithm::ln_one_minus_exp;
use super::quadrature::{Beyond, beyond};
use crate::kernel::Lanes;

/// Above a point, in the coordinate `y` of `z = sqrt(df) sinh y`, whose density is proportional to `cosh(y)^-df`.
struct Above<V> {
    df: V,
    tanh: V,
    ln_cosh: V,
}

impl<V: Lanes> Beyond<V, 1> for Above<V> {
    #[inline(always)]
    fn at(&self, s: V) -> (V, [V; 1]) {
        // ln cosh(y + s) - ln cosh y = s + ln(1 - (1 - tanh y) (1 - e^-2s) / 2), by sinh(s) sinh(2 y + s) where s is small.
        let (one, half, two) = (V::constant(1.0), V::constant(0.5), V::constant(2.0));
        let (is_near, exp_m1) = (s.lt(half), (-s).exp_m1());
        let fall = exp_m1 * (two + exp_m1);
        // sinh s, and the square of what is asked for less one.
        let (rise, square) = (-half * fall / (one + exp_m1), self.tanh * self.tanh);
        let near = rise * (two * self.tanh * (one + rise * rise).sqrt() + (one + square) * rise);
        let ln = V::select(is_near, near, half * (one - self.tanh) * fall).ln_1p();
        let ln = V::select(is_near, half * ln, s + ln);
        (-self.df * ln, [self.ln_cosh + ln])
    }
}

/// `ln P(Z <= z)`, `ln P(Z > z)`, `ln P(|Z| <= |z|)`, and `dz / d df` at constant probability, of Student's t distribution.
///
/// The derivative is that of implicit reparameterization (Figurnov, Mohamed & Mnih 2018).
#[inline(always)]
pub(in crate::kernel) fn tails<V: Lanes>(df: V, z: V) -> [V; 4] {
    let (zero, one, half) = (V::zero(), V::constant(1.0), V::constant(0.5));
    let negative = z.lt(zero);
    let size = z.abs();
    let root = df.sqrt();
    let sinh = size / root;
    // sqrt(1 + sinh^2) where the square overflows.
    let cosh = V::select(sinh.lt(V::constant(1e8)), (one + sinh * sinh).sqrt(), sinh);
    let tanh = sinh / cosh;
    let ln_cosh = V::select(sinh.lt(one), half * (sinh * sinh).ln_1p(), cosh.ln());

    let (lgamma_half, digamma_half) = (half * df).lgamma_and_digamma();
    let (lgamma_next, digamma_next) = (half * (df + one)).lgamma_and_digamma();
    // Of y: cosh^-df / B(1 / 2, df / 2)
    let ln_density = lgamma_next - lgamma_half - V::constant(0.572_364_942_924_700_1) - df * ln_cosh;
    let expected = half * (digamma_next - digamma_half);
    let curvature = df / (cosh * cosh);
    let (mass, [moment]) = beyond(&Above { df, tanh, ln_cosh }, df * tanh, curvature);
    let above = ln_density + mass.ln();
    // -(dF / d df) / q(y) is the integral of d ln q / d df over the upper tail.
    let d_y = expected * mass - moment;

    // Near the center, by the integral from there: q(t) / q(y) is 1 + df (y^2 - t^2) / 2 and ln cosh t is t^2 / 2.
    let square = sinh * sinh;
    let y = sinh * (V::constant(0.075) * square - V::constant(1.0 / 6.0)).mul_add(square, one);
    let third = V::constant(1.0 / 3.0) * y * y;
    let near = (df * y * y).lt(V::constant(1e-6));
    let d_y = V::select(near, -(y * (expected * (one + df * third) - half * third)), d_y);
    let ln_two = V::constant(std::f64::consts::LN_2);
    let ln_within = V::select(near, ln_two + ln_density + (y * (one + df * third)).ln(), ln_one_minus_exp(ln_two + above));

    let d_size = half * sinh / root + root * cosh * d_y;
    let below = ln_one_minus_exp(above);
    [V::select(negative, above, below), V::select(negative, below, above), ln_within, V::select(negative, -d_size, d_size)]
}
