//! Vectors in another order: `z_i = u_(order_i)`.

use super::BijectorError;
use super::map::{Adjoint, Map};
use crate::kernel::{Lanes, Sum};

/// An order of elements in which each comes once: what [`Bijector::permutation`](super::Bijector::permutation) makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutation {
    order: Vec<usize>,
}

impl Permutation {
    pub(super) fn new(order: Vec<usize>) -> Result<Self, BijectorError> {
        let length = order.len();
        let mut first = vec![None; length];
        for (position, &index) in order.iter().enumerate() {
            let seen = first.get_mut(index).ok_or(BijectorError::IndexOutOfRange { position, index, length })?;
            if let Some(first) = seen.replace(position) {
                return Err(BijectorError::RepeatedIndex { position, index, first });
            }
        }
        Ok(Permutation { order })
    }

    /// Where each element comes from.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// From elements of `z` to those of `u`, event after event.
    #[inline(always)]
    fn each(&self, elements: usize, mut give: impl FnMut(usize, usize)) {
        for first in (0..elements).step_by(self.order.len().max(1)) {
            for (i, from) in self.order.iter().enumerate() {
                give(first + i, first + from);
            }
        }
    }
}

impl Map for &Permutation {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        self.each(u.len() / samples, |to, from| {
            V::load(&u[from * samples + offset..]).store(&mut z[to * samples + offset..]);
        });
        V::Sum::zero()
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, _weight: V, u_adjoint: &mut [V::Element]) {
        let (samples, offset) = (rows.samples, rows.offset);
        self.each(rows.u.len() / samples, |to, from| {
            V::load(&rows.z_adjoint[to * samples + offset..]).store(&mut u_adjoint[from * samples + offset..]);
        });
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        if let Some(element) = z.iter().position(|z| !z.is_finite()) {
            return Err(element);
        }
        let mut u = vec![0.0; z.len()];
        self.each(z.len(), |to, from| u[from] = z[to]);
        Ok(u)
    }
}
