//! Increasing vectors: `z_0 = u_0` (or `e^u_0` if positive), `z_k = z_(k-1) + e^u_k` (Stan Reference Manual, ordered transform).

use super::element::bounded_exp;
use super::map::{Adjoint, Map};
use crate::kernel::{Lanes, Sum};

/// Vectors of `length` elements, from zero on if they are positive.
pub(super) struct Ordered {
    pub(super) length: usize,
    pub(super) positive: bool,
}

impl Map for Ordered {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let Ordered { length, positive } = *self;
        let mut total = V::Sum::zero();
        if length == 0 {
            return total;
        }
        for event in 0..u.len() / (length * samples) {
            let mut sum = V::zero();
            for k in 0..length {
                let at = (event * length + k) * samples + offset;
                let own = V::load(&u[at..]);
                if k > 0 || positive {
                    sum = sum + bounded_exp(own);
                    total += own;
                } else {
                    sum = own;
                }
                sum.store(&mut z[at..]);
            }
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let Ordered { length, positive } = *self;
        if length == 0 {
            return;
        }
        let (samples, offset) = (rows.samples, rows.offset);
        for event in 0..rows.u.len() / (length * samples) {
            let mut sum = V::zero();
            let mut k = length;
            while k > 0 {
                k -= 1;
                let at = (event * length + k) * samples + offset;
                sum = sum + V::load(&rows.z_adjoint[at..]);
                if k > 0 || positive {
                    sum.mul_add(bounded_exp(V::load(&rows.u[at..])), weight).store(&mut u_adjoint[at..]);
                } else {
                    sum.store(&mut u_adjoint[at..]);
                }
            }
        }
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        let Ordered { length, positive } = *self;
        let mut u = Vec::with_capacity(z.len());
        if length == 0 {
            return Ok(u);
        }
        for (event, vector) in z.chunks_exact(length).enumerate() {
            for (k, &x) in vector.iter().enumerate() {
                let free = match (k, positive) {
                    (0, false) => x,
                    (0, true) => x.ln(),
                    _ => (x - vector[k - 1]).ln(),
                };
                if !free.is_finite() {
                    return Err(event * length + k);
                }
                u.push(free);
            }
        }
        Ok(u)
    }
}
