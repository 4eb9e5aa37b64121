//! The gated recurrent unit.

use super::recurrent::{Cell, Recurrent};
use crate::kernel::Lanes;

/// The gated recurrent unit (Cho et al. 2014), as `torch.nn.GRU`:
/// `r = sigmoid(i_r + s_r)`, `z = sigmoid(i_z + s_z)`, `n = tanh(i_n + r s_n)`, `h' = (1 - z) n + z h`, with `i` of the input and `s` of the state before.
pub type Gru = Recurrent<GruCell>;

/// The cell of [`Gru`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GruCell;

impl Cell for GruCell {
    const KIND: &'static str = "gru";
    const GATES: usize = 3;

    #[inline(always)]
    fn advance<V: Lanes>(input: [V; 4], recurrent: [V; 4], h: V, _c: V) -> ([V; 4], V, V) {
        let r = (input[0] + recurrent[0]).sigmoid();
        let z = (input[1] + recurrent[1]).sigmoid();
        let n = r.mul_add(recurrent[2], input[2]).tanh();
        ([r, z, n, V::zero()], z.mul_add(h - n, n), V::zero())
    }

    #[inline(always)]
    fn retreat<V: Lanes>(
        [r, z, n, _]: [V; 4],
        recurrent: [V; 4],
        (h, _): (V, V),
        _c: V,
        (d_h, _): (V, V),
    ) -> ([V; 4], [V; 4], V, V) {
        let (zero, one) = (V::zero(), V::constant(1.0));
        let d_n = d_h * (one - z) * (one - n * n);
        let d_z = d_h * (h - n) * z * (one - z);
        let d_r = d_n * recurrent[2] * r * (one - r);
        ([d_r, d_z, d_n, zero], [d_r, d_z, d_n * r, zero], d_h * z, zero)
    }
}
