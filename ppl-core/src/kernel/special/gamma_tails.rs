//! The gamma distribution function and how its logarithm moves with the shape.

use super::logarithm::ln_one_minus_exp;
use super::quadrature::{Beyond, beyond};
use crate::kernel::Lanes;

/// Below a point, in the coordinate `ln x`: the density at `x e^-s`.
struct Below<V> {
    shape: V,
    x: V,
}

impl<V: Lanes> Beyond<V, 1> for Below<V> {
    #[inline(always)]
    fn at(&self, s: V) -> (V, [V; 1]) {
        (-(self.shape * s + self.x * (-s).exp_m1()), [-s])
    }
}

/// Above a point: the density at `x + s`.
struct Above<V> {
    shape: V,
    inverse: V,
}

impl<V: Lanes> Beyond<V, 1> for Above<V> {
    #[inline(always)]
    fn at(&self, s: V) -> (V, [V; 1]) {
        let ln = (s * self.inverse).ln_1p();
        ((self.shape - V::constant(1.0)).mul_add(ln, -s), [ln])
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

    let small = shape.lt(one);
    let raised = V::select(small, shape + one, shape);
    // In the lower tail the point is below the mode; out of it, the point stays where the formulas are tame.
    let lower = x.lt(V::select(small, one, shape));
    let point = V::select(lower, x, raised);
    let (mass, [moment]) = beyond(&Below { shape: raised, x: point }, raised - point, point);
    let expected = V::select(small, digamma + one / shape, digamma);
    let slope = (ln - expected) * mass + moment;
    let (mass, slope) =
        (V::select(small, (one + x * mass) / shape, mass), V::select(small, (x * slope + ln - expected) / shape, slope));
    let (below, d_below) = (ln_density + mass.ln(), -slope);

    let point = V::select(lower, shape + one, x);
    let inverse = one / point;
    let excess = shape - one;
    let curvature = excess.max(zero) * inverse * inverse;
    let (mass, [moment]) = beyond(&Above { shape, inverse }, one - excess * inverse, curvature);
    let (above, d_above) = (ln_density + (mass * inverse).ln(), ((ln - digamma) * mass + moment) * inverse);

    [
        V::select(lower, below, ln_one_minus_exp(above)),
        V::select(lower, ln_one_minus_exp(below), above),
        V::select(lower, d_below, d_above),
    ]
}
