//! Positive numbers that are exponential far below and linear far above: `z = ln(1 + e^u)`.

use super::element::Element;
use crate::kernel::Lanes;

/// `z = ln(1 + e^u)`, kept above 1e-300 (1e-37 in single precision), so that it never leaves the support by rounding.
#[derive(Clone, Copy)]
pub(super) struct Softplus;

impl Element for Softplus {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        let low = V::constant(if size_of::<V::Element>() == 4 { 1e-37 } else { 1e-300 });
        let z = u.softplus();
        (V::select(z.lt(low), low, z), -(-u).softplus())
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, u: V, _z: V) -> (V, V) {
        (u.sigmoid(), (-u).sigmoid())
    }

    fn inverse(self, z: f64) -> Option<f64> {
        // ln(e^z - 1), of what is small.
        (z > 0.0).then(|| z + (-(-z).exp_m1()).ln())
    }
}
