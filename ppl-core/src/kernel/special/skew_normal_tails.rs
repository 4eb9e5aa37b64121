//! The skew normal distribution function.

use super::logarithm::ln_one_minus_exp;
use super::quadrature::{Beyond, beyond};
use crate::kernel::Lanes;

/// Beyond a point, away from the mode: the density at `z + s`, or of the mirrored distribution.
struct Above<V> {
    shape: V,
    z: V,
    ln_cdf: V,
}

impl<V: Lanes> Beyond<V, 0> for Above<V> {
    #[inline(always)]
    fn at(&self, s: V) -> (V, [V; 0]) {
        let ln_cdf = (self.shape * (self.z + s)).ln_normal_cdf();
        (ln_cdf - self.ln_cdf - s * (self.z + V::constant(0.5) * s), [])
    }
}

/// `ln P(Z <= z)`, `ln P(Z > z)` and `dz / d shape` at constant probability, of the standard skew normal distribution.
///
/// `dF / d shape = -e^(-z^2 (1 + shape^2) / 2) / (pi (1 + shape^2))` (Azzalini 1985), by Owen's T function.
#[inline(always)]
pub(in crate::kernel) fn tails<V: Lanes>(shape: V, z: V) -> [V; 3] {
    let (zero, one, half) = (V::zero(), V::constant(1.0), V::constant(0.5));
    let ln_normal = (-half * z).mul_add(z, V::constant(-0.918_938_533_204_672_8));
    // The density falls towards the tail that is integrated.
    let skewed = shape * z;
    let (ln_cdf, hazard) = skewed.ln_normal_cdf_and_slope();
    let rises = z.lt(shape * hazard);
    let (own, at) = (V::select(rises, -shape, shape), V::select(rises, -z, z));
    let slope = at - own * hazard;
    let curvature = one + own * own * hazard * (own * at + hazard);
    let (mass, []) = beyond(&Above { shape: own, z: at, ln_cdf }, slope.max(zero), curvature);
    let ln_density = ln_normal + ln_cdf + V::constant(std::f64::consts::LN_2);
    let near = ln_density + mass.ln();
    let far = ln_one_minus_exp(near);
    let square = one + shape * shape;
    // e^(-z^2 (1 + shape^2) / 2) / pi, as a share of the density.
    let ln_moved = ln_normal - half * skewed * skewed + V::constant(0.918_938_533_204_672_8 - 1.144_729_885_849_400_2);
    let velocity = (ln_moved - ln_density).exp() / square;
    [V::select(rises, near, far), V::select(rises, far, near), velocity]
}
