//! Maps of single numbers: the identity, the exponential and the logistic function.

use crate::kernel::Lanes;

/// A map of one number.
pub(super) trait Element: Copy {
    /// `z` and `ln |dz / du|`.
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V);
    /// `dz / du` and the derivative of `ln |dz / du|`, of `u` and `z`.
    fn derivatives<V: Lanes>(self, u: V, z: V) -> (V, V);
    /// `u`; none outside the support.
    fn inverse(self, z: f64) -> Option<f64>;
}

/// `z = u`
#[derive(Clone, Copy)]
pub(super) struct Identity;

impl Element for Identity {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        (u, V::zero())
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, _u: V, _z: V) -> (V, V) {
        (V::constant(1.0), V::zero())
    }

    fn inverse(self, z: f64) -> Option<f64> {
        z.is_finite().then_some(z)
    }
}

/// `z = e^u`, kept between 1e-300 and 1e300 (1e-37 and 1e37 in single precision), so that it never leaves the support by rounding.
#[derive(Clone, Copy)]
pub(super) struct Exp;

/// `e^u` between the bounds of the element.
#[inline(always)]
pub(super) fn bounded_exp<V: Lanes>(u: V) -> V {
    let (low, high) = if size_of::<V::Element>() == 4 { (1e-37, 1e37) } else { (1e-300, 1e300) };
    let z = u.exp();
    let (low, high) = (V::constant(low), V::constant(high));
    V::select(z.lt(low), low, V::select(high.lt(z), high, z))
}

impl Element for Exp {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        (bounded_exp(u), u)
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, _u: V, z: V) -> (V, V) {
        (z, V::constant(1.0))
    }

    fn inverse(self, z: f64) -> Option<f64> {
        (z > 0.0).then(|| z.ln())
    }
}

/// `z = 1 / (1 + e^-u)`, kept strictly between zero and one.
#[derive(Clone, Copy)]
pub(super) struct Sigmoid;

/// The logistic function strictly between zero and one.
#[inline(always)]
pub(super) fn bounded_sigmoid<V: Lanes>(u: V) -> V {
    let (low, gap) =
        if size_of::<V::Element>() == 4 { (1e-37, f64::from(f32::EPSILON) / 2.0) } else { (1e-300, f64::EPSILON / 2.0) };
    let z = u.sigmoid();
    let (low, high) = (V::constant(low), V::constant(1.0 - gap));
    V::select(z.lt(low), low, V::select(high.lt(z), high, z))
}

/// `ln dz / du = -|u| - 2 ln(1 + e^-|u|)` of the logistic function.
#[inline(always)]
pub(super) fn sigmoid_log_det<V: Lanes>(u: V) -> V {
    let magnitude = u.abs();
    -(magnitude + V::constant(2.0) * (-magnitude).exp().ln_1p())
}

/// The derivative of [`sigmoid_log_det`]: `1 - 2 z`, as a hyperbolic tangent.
#[inline(always)]
pub(super) fn sigmoid_log_det_slope<V: Lanes>(u: V) -> V {
    -(V::constant(0.5) * u).tanh()
}

impl Element for Sigmoid {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        (bounded_sigmoid(u), sigmoid_log_det(u))
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, u: V, _z: V) -> (V, V) {
        (sigmoid_log_det(u).exp(), sigmoid_log_det_slope(u))
    }

    fn inverse(self, z: f64) -> Option<f64> {
        (z > 0.0 && z < 1.0).then(|| z.ln() - (-z).ln_1p())
    }
}
