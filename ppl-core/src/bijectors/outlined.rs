//! Bijectors that kernels do not inline: compiled once for each element, and called from kernels with a group of lanes.
//!
//! Kernels are compiled with every model, for every instruction set; what few models use would be paid for by all of them.

use super::map::Adjoint;
use super::{Bijector, rows};
use crate::kernel::{Kernel, Lanes, Real, SimdLevel, Sum, dispatch_at};

/// The widest lanes that there are: sixteen singles.
pub(crate) const WIDEST: usize = 16;

/// Some lanes among the samples of rows.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    pub(super) samples: usize,
    pub(super) offset: usize,
    pub(super) width: usize,
}

impl Group {
    /// The instruction set that has lanes of this width.
    fn level<E: Real>(self) -> SimdLevel {
        match self.width {
            1 => SimdLevel::Portable,
            width if width == E::LANE_MULTIPLE => SimdLevel::Avx512,
            _ => SimdLevel::Avx2,
        }
    }
}

/// Writes the lanes of `z`, and gives `ln |dz / du|` of each lane as an element and what is left of it.
pub(crate) fn forward_outlined<E: Real>(bijector: &Bijector, u: &[E], z: &mut [E], group: Group) -> [[E; WIDEST]; 2] {
    let mut log_det = [0.0; WIDEST];
    dispatch_at(group.level::<E>(), Forward { bijector, u, z, group, log_det: &mut log_det });
    let high = log_det.map(E::from_f64);
    let mut low = [E::default(); WIDEST];
    for ((low, high), exact) in low.iter_mut().zip(high).zip(log_det) {
        let rest = exact - high.to_f64();
        *low = if rest.is_finite() { E::from_f64(rest) } else { E::default() };
    }
    [high, low]
}

struct Forward<'a, E> {
    bijector: &'a Bijector,
    u: &'a [E],
    z: &'a mut [E],
    group: Group,
    log_det: &'a mut [f64; WIDEST],
}

impl<E: Real> Kernel<E> for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Group { samples, offset, width } = self.group;
        for lane in (0..width).step_by(V::WIDTH) {
            let rows = rows::Forward::<V> { u: self.u, z: self.z, samples, offset: offset + lane };
            self.bijector.visit(rows).add_to(&mut self.log_det[lane..]);
        }
    }
}

/// Writes the lanes of the adjoint of `u`.
pub(crate) fn pull_outlined<E: Real>(
    bijector: &Bijector,
    (u, z): (&[E], &[E]),
    z_adjoint: &[E],
    weight: &[E; WIDEST],
    u_adjoint: &mut [E],
    group: Group,
) {
    let rows = Adjoint { u, z, z_adjoint, samples: group.samples, offset: group.offset };
    dispatch_at(group.level::<E>(), Pull { bijector, rows, weight, u_adjoint, width: group.width });
}

struct Pull<'a, E> {
    bijector: &'a Bijector,
    rows: Adjoint<'a, E>,
    weight: &'a [E; WIDEST],
    u_adjoint: &'a mut [E],
    width: usize,
}

impl<E: Real> Kernel<E> for Pull<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for lane in (0..self.width).step_by(V::WIDTH) {
            let rows = Adjoint { offset: self.rows.offset + lane, ..self.rows };
            let weight = V::load(&self.weight[lane..]);
            self.bijector.visit(rows::Pull { rows, weight, u_adjoint: self.u_adjoint });
        }
    }
}
