//! Single latents over lanes: constrained, and the pullback.

use super::Known;
use crate::kernel::{Kernel, Lanes, Real};

/// From unconstrained numbers to a latent.
pub(super) struct Constrain<'a, E> {
    pub(super) known: &'a Known,
    pub(super) samples: usize,
    pub(super) u: &'a [E],
    pub(super) values: &'a mut [E],
}

impl<E: Real> Kernel<E> for Constrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Constrain { known, samples, u, values } = self;
        let u = &u[known.u.start * samples..known.u.end * samples];
        let z = &mut values[known.rows.start * samples..known.rows.end * samples];
        for offset in (0..samples).step_by(V::WIDTH) {
            known.bijector.forward::<V>(u, z, samples, offset);
        }
    }
}

/// The pullback of [`Constrain`], without that of the Jacobian determinant: added.
pub(super) struct PullConstrain<'a, E> {
    pub(super) known: &'a Known,
    pub(super) samples: usize,
    pub(super) u: &'a [E],
    pub(super) values: &'a [E],
    pub(super) adjoints: &'a [E],
    /// Room for the unconstrained numbers of the latent.
    pub(super) one: &'a mut [E],
    pub(super) u_adjoint: &'a mut [E],
}

impl<E: Real> Kernel<E> for PullConstrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (known, samples) = (self.known, self.samples);
        let u = known.u.start * samples..known.u.end * samples;
        let rows = known.rows.start * samples..known.rows.end * samples;
        let pulled = &mut self.one[..u.len()];
        for offset in (0..samples).step_by(V::WIDTH) {
            let values = (&self.u[u.clone()], &self.values[rows.clone()]);
            known.bijector.pull::<V>(values, &self.adjoints[rows.clone()], V::zero(), pulled, samples, offset);
        }
        for at in (0..u.len()).step_by(V::WIDTH) {
            let to = &mut self.u_adjoint[u.start + at..];
            (V::load(to) + V::load(&pulled[at..])).store(to);
        }
    }
}
