//! Maps of single numbers: the identity, the exponential and the logistic function.

use crate::kernel::{Lanes, Sum};

/// A map of one number.
pub(super) trait Element: Copy {
    /// `z` and `ln |dz / du|`.
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V);
    /// `dz / du` and the derivative of `ln |dz / du|`, of `u` and `z`.
    fn derivatives<V: Lanes>(self, u: V, z: V) -> (V, V);
    /// `u`; none outside the support.
    fn inverse(self, z: f64) -> Option<f64>;
}

/// What a pullback reads.
#[allow(clippy::struct_field_names, reason = "the adjoint of z is called so")]
#[derive(Clone, Copy)]
pub(super) struct Adjoint<'a, E> {
    pub(super) u: &'a [E],
    pub(super) z: &'a [E],
    pub(super) z_adjoint: &'a [E],
    pub(super) samples: usize,
    pub(super) offset: usize,
}

/// Maps every element of an array; the sum of `ln |dz / du|`.
#[inline(always)]
pub(super) fn forward<V: Lanes, B: Element>(
    map: impl Fn(usize) -> B,
    u: &[V::Element],
    z: &mut [V::Element],
    samples: usize,
    offset: usize,
) -> V::Sum {
    let mut total = V::Sum::zero();
    for i in 0..u.len() / samples {
        let at = i * samples + offset;
        let (value, own) = map(i).forward_and_log_det(V::load(&u[at..]));
        value.store(&mut z[at..]);
        total += own;
    }
    total
}

/// Pulls the adjoint of every element back.
#[inline(always)]
pub(super) fn pull<V: Lanes, B: Element>(
    map: impl Fn(usize) -> B,
    rows: Adjoint<'_, V::Element>,
    weight: V,
    u_adjoint: &mut [V::Element],
) {
    for i in 0..rows.u.len() / rows.samples {
        let at = i * rows.samples + rows.offset;
        let (slope, d_log_det) = map(i).derivatives(V::load(&rows.u[at..]), V::load(&rows.z[at..]));
        slope.mul_add(V::load(&rows.z_adjoint[at..]), weight * d_log_det).store(&mut u_adjoint[at..]);
    }
}

/// Maps every element back; the index of the first that cannot be.
pub(super) fn inverse<B: Element>(map: impl Fn(usize) -> B, z: &[f64]) -> Result<Vec<f64>, usize> {
    z.iter().enumerate().map(|(i, &z)| map(i).inverse(z).filter(|u| u.is_finite()).ok_or(i)).collect()
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
