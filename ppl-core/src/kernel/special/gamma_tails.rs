//! The gamma distribution function and how its logarithm moves with the shape.

use super::logarithm::ln_one_minus_exp;
use super::quadrature::{Beyond, beyond};
use crate::kernel::Lanes;

/// Beside a point: the density of `ln X` at `x e^-s` where the lower tail is wanted, elsewhere that of `X` at `x + s`.
struct Beside<V: Lanes> {
    is_below: V::Mask,
    shape: V,
    x: V,
    inverse: V,
}

impl<V: Lanes> Beyond<V, 1> for Beside<V> {
    #[inline(always)]
    fn at(&self, s: V) -> (V, [V; 1]) {
        let below = -(self.shape * s + self.x * (-s).exp_m1());
        let ln = (s * self.inverse).ln_1p();
        let above = (self.shape - V::constant(1.0)).mul_add(ln, -s);
        // And what `ln x` is more there.
        (V::select(self.is_below, below, above), [V::select(self.is_below, -s, ln)])
    }
}

/// `ln P(X <= x)`, `ln P(X > x)` and `d ln x / d shape` at constant probability, of a gamma variable of rate one.
///
/// The derivative is that of implicit reparameterization (Figurnov, Mohamed & Mnih 2018), `-(dF / d shape) / (x p(x))`, with
/// `dF / d shape` the integral of `(ln t - digamma(shape)) p(t)` over the smaller tail. Below one the shape is raised by
/// `P(a, x) = P(a + 1, x) + x^a e^-x / Gamma(a + 1)`.
#[inline(always)]
pub(in crate::kernel) fn tails<V: Lanes>(shape: V, x: V) -> [V; 3] {
    let (zero, one) = (V::zero(), V::constant(1.0));
    let ln = x.ln();
    let (lgamma, digamma) = shape.lgamma_and_digamma();
    // The density of ln X.
    let ln_density = shape.mul_add(ln, -x) - lgamma;

    // The tail that begins on the far side of the mode is integrated; the lower one of a shape below one by that of a shape above it.
    let is_below = x.lt(shape.max(one));
    let is_raised = is_below & shape.lt(one);
    let raised = V::select(is_raised, shape + one, shape);
    let (inverse, excess) = (one / x, shape - one);
    let slope = V::select(is_below, raised - x, one - excess * inverse);
    let curvature = V::select(is_below, x, excess.max(zero) * inverse * inverse);
    let (mass, [moment]) = beyond(&Beside { is_below, shape: raised, x, inverse }, slope, curvature);
    // Over the density of ln X.
    let unit = V::select(is_below, one, inverse);
    let (mass, moment) = (mass * unit, moment * unit);
    let expected = V::select(is_raised, digamma + one / shape, digamma);
    let slope = (ln - expected) * mass + moment;
    let slope = V::select(is_raised, (x * slope + ln - expected) / shape, slope);
    let mass = V::select(is_raised, (one + x * mass) / shape, mass);

    let near = ln_density + mass.ln();
    let far = ln_one_minus_exp(near);
    [V::select(is_below, near, far), V::select(is_below, far, near), V::select(is_below, -slope, slope)]
}
