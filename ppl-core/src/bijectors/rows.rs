//! Bijectors over rows of lanes, `[element][sample]`, as the kernels of models run them.

use super::Bijector;
use super::map::{Adjoint, Map};
use super::outlined::{Group, WIDEST};
use super::table::Visit;
use crate::instances::Instances;
use crate::kernel::{Lanes, Sum};

/// The lanes of `z` at an offset among the samples, and `ln |dz / du|`.
pub(super) struct Forward<'a, V: Lanes> {
    pub(super) u: &'a [V::Element],
    pub(super) z: &'a mut [V::Element],
    pub(super) samples: usize,
    pub(super) offset: usize,
}

impl<V: Lanes> Visit for Forward<'_, V> {
    type Output = V::Sum;

    #[inline(always)]
    fn visit<M: Map>(self, map: M) -> V::Sum {
        map.forward::<V>(self.u, self.z, self.samples, self.offset)
    }
}

/// The adjoint of `u`.
pub(super) struct Pull<'a, V: Lanes> {
    pub(super) rows: Adjoint<'a, V::Element>,
    pub(super) weight: V,
    pub(super) u_adjoint: &'a mut [V::Element],
}

impl<V: Lanes> Visit for Pull<'_, V> {
    type Output = ();

    #[inline(always)]
    fn visit<M: Map>(self, map: M) {
        map.pull::<V>(self.rows, self.weight, self.u_adjoint);
    }
}

/// The unconstrained numbers.
struct Inverse<'a>(&'a [f64]);

impl Visit for Inverse<'_> {
    type Output = Result<Vec<f64>, usize>;

    fn visit<M: Map>(self, map: M) -> Self::Output {
        map.inverse(self.0)
    }
}

impl Bijector {
    /// Writes the lanes of `z` at an offset among the samples, and gives `ln |dz / du|`.
    #[inline(always)]
    pub fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        self.visit_inlined(Forward::<V> { u, z, samples, offset }, |rows| {
            let group = Group { samples, offset, width: V::WIDTH };
            let [high, low] = V::Element::forward_bijector(self, rows.u, rows.z, group);
            let mut sum = V::Sum::zero();
            sum += V::load(&high);
            sum += V::load(&low);
            sum
        })
    }

    /// Writes `u_adjoint = (dz / du)^T z_adjoint + weight d ln |dz / du| / du`; at an offset among the samples.
    #[inline(always)]
    pub fn pull<V: Lanes>(
        &self,
        (u, z): (&[V::Element], &[V::Element]),
        z_adjoint: &[V::Element],
        weight: V,
        u_adjoint: &mut [V::Element],
        samples: usize,
        offset: usize,
    ) {
        let rows = Adjoint { u, z, z_adjoint, samples, offset };
        self.visit_inlined(Pull { rows, weight, u_adjoint }, |Pull { u_adjoint, .. }| {
            let mut lanes = [V::Element::default(); WIDEST];
            weight.store(&mut lanes);
            let group = Group { samples, offset, width: V::WIDTH };
            V::Element::pull_bijector(self, (u, z), z_adjoint, &lanes, u_adjoint, group);
        });
    }

    /// The unconstrained numbers of constrained ones.
    ///
    /// # Errors
    /// The first element that lies outside the support. Where several break a rule together: the first of a simplex that does not sum
    /// to one, the diagonal element of a row that is not of length one, the one below the diagonal of two that are not symmetric.
    pub fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        self.visit(Inverse(z))
    }
}
