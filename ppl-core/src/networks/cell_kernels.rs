//! One step of a recurrent cell on all rows of a part, by lanes of the state.

use std::marker::PhantomData;

use super::elementwise::{load, store};
use super::recurrent::Cell;
use crate::kernel::{Kernel, Lanes, Real};

/// Forward; rows are as long as all steps together.
pub(super) struct Advance<'a, E, C> {
    pub(super) cell: PhantomData<C>,
    pub(super) step: usize,
    pub(super) steps: usize,
    pub(super) hidden: usize,
    pub(super) y: &'a mut [E],
    pub(super) cells: &'a mut [E],
    /// What the input gives; then what the cell keeps.
    pub(super) kept: &'a mut [E],
    pub(super) recurrent: &'a [E],
}

/// The lanes of each gate at a place of the state.
#[inline(always)]
fn gates<V: Lanes, C: Cell>(of: &[V::Element], hidden: usize, at: usize, end: usize) -> [V; 4] {
    let mut gates = [V::zero(); 4];
    let mut gate = 0;
    while gate < C::GATES {
        gates[gate] = load(&of[gate * hidden + at..gate * hidden + end]);
        gate += 1;
    }
    gates
}

/// Writes the lanes of each gate.
#[inline(always)]
fn store_gates<V: Lanes, C: Cell>(gates: [V; 4], to: &mut [V::Element], hidden: usize, at: usize, end: usize) {
    let mut gate = 0;
    while gate < C::GATES {
        store(gates[gate], &mut to[gate * hidden + at..gate * hidden + end]);
        gate += 1;
    }
}

/// The lanes of the step before, or zero before the first.
#[inline(always)]
fn before<V: Lanes>(of: &[V::Element], step: usize, hidden: usize, start: usize, length: usize) -> V {
    if step == 0 { V::zero() } else { load(&of[start - hidden..start - hidden + length]) }
}

impl<E: Real, C: Cell> Kernel<E> for Advance<'_, E, C> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Advance { step, steps, hidden, .. } = self;
        let width = C::GATES * hidden;
        let mut row = 0;
        while row < self.y.len() / (steps * hidden) {
            let place = row * steps + step;
            let kept = &mut self.kept[place * width..(place + 1) * width];
            let recurrent = &self.recurrent[place * width..(place + 1) * width];
            let mut at = 0;
            while at < hidden {
                let end = hidden.min(at + V::WIDTH);
                let start = place * hidden + at;
                let h = before::<V>(self.y, step, hidden, start, end - at);
                let c = before::<V>(self.cells, step, hidden, start, end - at);
                let (input, own) = (gates::<V, C>(kept, hidden, at, end), gates::<V, C>(recurrent, hidden, at, end));
                let (of_gates, h, c) = C::advance(input, own, h, c);
                store_gates::<V, C>(of_gates, kept, hidden, at, end);
                store(h, &mut self.y[start..start + end - at]);
                store(c, &mut self.cells[start..start + end - at]);
                at = end;
            }
            row += 1;
        }
    }
}

/// Backward; `d_h` and `d_c` are the adjoints of the state that come from later steps, and go to the one before.
pub(super) struct Retreat<'a, E, C> {
    pub(super) cell: PhantomData<C>,
    pub(super) step: usize,
    pub(super) steps: usize,
    pub(super) hidden: usize,
    pub(super) y: &'a [E],
    pub(super) y_adjoint: &'a [E],
    pub(super) cells: &'a [E],
    pub(super) kept: &'a [E],
    pub(super) recurrent: &'a [E],
    pub(super) d_input: &'a mut [E],
    pub(super) d_recurrent: &'a mut [E],
    pub(super) d_h: &'a mut [E],
    pub(super) d_c: &'a mut [E],
}

impl<E: Real, C: Cell> Kernel<E> for Retreat<'_, E, C> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Retreat { step, steps, hidden, .. } = self;
        let width = C::GATES * hidden;
        let mut row = 0;
        while row < self.d_h.len() / hidden {
            let place = row * steps + step;
            let gates_of_row = place * width..(place + 1) * width;
            let (kept, recurrent) = (&self.kept[gates_of_row.clone()], &self.recurrent[gates_of_row.clone()]);
            let (d_input, d_recurrent) = (&mut self.d_input[gates_of_row.clone()], &mut self.d_recurrent[gates_of_row]);
            let mut at = 0;
            while at < hidden {
                let end = hidden.min(at + V::WIDTH);
                let (start, length) = (place * hidden + at, end - at);
                let state =
                    (before::<V>(self.y, step, hidden, start, length), before::<V>(self.cells, step, hidden, start, length));
                let carried = row * hidden + at..row * hidden + end;
                let d_h = load::<V>(&self.y_adjoint[start..start + length]) + load::<V>(&self.d_h[carried.clone()]);
                let d_c = load::<V>(&self.d_c[carried.clone()]);
                let c = load::<V>(&self.cells[start..start + length]);
                let (of_gates, own) = (gates::<V, C>(kept, hidden, at, end), gates::<V, C>(recurrent, hidden, at, end));
                let (of_input, of_recurrent, d_h, d_c) = C::retreat(of_gates, own, state, c, (d_h, d_c));
                store_gates::<V, C>(of_input, d_input, hidden, at, end);
                store_gates::<V, C>(of_recurrent, d_recurrent, hidden, at, end);
                store(d_h, &mut self.d_h[carried.clone()]);
                store(d_c, &mut self.d_c[carried]);
                at = end;
            }
            row += 1;
        }
    }
}
