//! Positive latents of a guide of rows: drawn as logarithms, read as the numbers themselves.

use super::plan::Located;
use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, dispatch};

impl Located {
    /// Computes the numbers of which logarithms have been drawn.
    pub(super) fn constrain<E: Real>(&self, lanes: usize, values: &mut [E]) {
        if self.positive.is_some() {
            dispatch(Constrain { located: self, lanes, values });
        }
    }

    /// Adds the adjoint of the numbers to that of their logarithms.
    pub(super) fn pull_constrain<E: Real>(&self, lanes: usize, values: &[E], adjoints: &mut [E]) {
        let Some(positive) = &self.positive else { return };
        for (row, from) in self.rows.clone().zip(positive.clone()) {
            for lane in 0..lanes {
                let (to, from) = (row * lanes + lane, from * lanes + lane);
                adjoints[to] = adjoints[to] + adjoints[from] * values[from];
            }
        }
    }
}

struct Constrain<'a, E> {
    located: &'a Located,
    lanes: usize,
    values: &'a mut [E],
}

impl<E: Real> Kernel<E> for Constrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (lanes, rows) = (self.lanes, self.located.rows.clone());
        let positive = self.located.positive.clone().unwrap_or_default();
        // Rows that are unconstrained come before all others.
        let (u, z) = self.values.split_at_mut(positive.start * lanes);
        let (u, z) = (&u[rows.start * lanes..rows.end * lanes], &mut z[..positive.len() * lanes]);
        for offset in (0..lanes).step_by(V::WIDTH) {
            Bijector::Exp.forward::<V>(u, z, lanes, offset);
        }
    }
}
