//! What every map does with rows of lanes, and the maps that take each element by itself.

use super::element::Element;
use crate::kernel::{Lanes, Sum};

/// A map of events, one after the other.
pub(super) trait Map {
    /// Writes the lanes of `z` at an offset among the samples; the sum of `ln |dz / du|`.
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum;
    /// Writes `u_adjoint = (dz / du)^T z_adjoint + weight d ln |dz / du| / du`.
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]);
    /// The unconstrained numbers; the index of the first element outside the support.
    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize>;
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

/// Each element by a map of its own, told by its index.
pub(super) struct Each<F>(pub(super) F);

impl<B: Element, F: Fn(usize) -> B> Map for Each<F> {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let mut total = V::Sum::zero();
        for i in 0..u.len() / samples {
            let at = i * samples + offset;
            let (value, own) = (self.0)(i).forward_and_log_det(V::load(&u[at..]));
            value.store(&mut z[at..]);
            total += own;
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        for i in 0..rows.u.len() / rows.samples {
            let at = i * rows.samples + rows.offset;
            let (slope, d_log_det) = (self.0)(i).derivatives(V::load(&rows.u[at..]), V::load(&rows.z[at..]));
            slope.mul_add(V::load(&rows.z_adjoint[at..]), weight * d_log_det).store(&mut u_adjoint[at..]);
        }
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        z.iter().enumerate().map(|(i, &z)| (self.0)(i).inverse(z).filter(|u| u.is_finite()).ok_or(i)).collect()
    }
}

/// One group of lanes of some rows, by itself.
#[inline(always)]
pub(super) fn gather<V: Lanes>(rows: &[V::Element], samples: usize, offset: usize) -> Vec<V::Element> {
    let mut group = vec![V::Element::default(); rows.len() / samples * V::WIDTH];
    for i in 0..rows.len() / samples {
        V::load(&rows[i * samples + offset..]).store(&mut group[i * V::WIDTH..]);
    }
    group
}

/// Puts a group of lanes back among the samples.
#[inline(always)]
pub(super) fn scatter<V: Lanes>(group: &[V::Element], rows: &mut [V::Element], samples: usize, offset: usize) {
    for i in 0..rows.len() / samples {
        V::load(&group[i * V::WIDTH..]).store(&mut rows[i * samples + offset..]);
    }
}
