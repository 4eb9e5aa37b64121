//! Long short-term memory.

use super::recurrent::{Cell, Recurrent};
use crate::kernel::Lanes;

/// Long short-term memory (Hochreiter & Schmidhuber 1997; with a forget gate, Gers et al. 2000), as `torch.nn.LSTM`:
/// `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, `h' = sigmoid(o) tanh(c')`, gates in the order `i, f, g, o`.
pub type Lstm = Recurrent<LstmCell>;

/// The cell of [`Lstm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LstmCell;

impl Cell for LstmCell {
    const KIND: &'static str = "lstm";
    const GATES: usize = 4;

    #[inline(always)]
    fn advance<V: Lanes>(input: [V; 4], recurrent: [V; 4], _h: V, c: V) -> ([V; 4], V, V) {
        let i = (input[0] + recurrent[0]).sigmoid();
        let f = (input[1] + recurrent[1]).sigmoid();
        let g = (input[2] + recurrent[2]).tanh();
        let o = (input[3] + recurrent[3]).sigmoid();
        let c = f.mul_add(c, i * g);
        ([i, f, g, o], o * c.tanh(), c)
    }

    #[inline(always)]
    fn retreat<V: Lanes>(
        [i, f, g, o]: [V; 4],
        _recurrent: [V; 4],
        (_, before): (V, V),
        c: V,
        (d_h, d_c): (V, V),
    ) -> ([V; 4], [V; 4], V, V) {
        let one = V::constant(1.0);
        let t = c.tanh();
        let d_c = (d_h * o).mul_add(one - t * t, d_c);
        let deltas = [d_c * g * i * (one - i), d_c * before * f * (one - f), d_c * i * (one - g * g), d_h * t * o * (one - o)];
        (deltas, deltas, V::zero(), d_c * f)
    }
}
