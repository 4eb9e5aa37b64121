//! Activations over rows by lanes, on all cores, and their pullback.

use rayon::prelude::*;

use super::Activation;
use super::activation::with_function;
use super::parallel::{PART, rows_in_part};
use crate::kernel::{Kernel, Lanes, Real, dispatch};

/// An activation, for any lanes.
pub(super) trait Function: Copy + Send + Sync {
    /// Its value.
    fn value<V: Lanes>(self, x: V) -> V;
    /// Its derivative, of its argument if [`Activation::needs_argument`], else of its value.
    fn slope<V: Lanes>(self, kept: V) -> V;
}

/// The lanes of a slice that may be shorter than they are; the others are zero. A number gives the same bits at any place of a row.
#[inline(always)]
pub(super) fn load<V: Lanes>(from: &[V::Element]) -> V {
    if from.len() >= V::WIDTH {
        return V::load(from);
    }
    let mut padded = [V::Element::default(); 16];
    padded[..from.len()].copy_from_slice(from);
    V::load(&padded)
}

/// Writes the lanes to a slice that may be shorter than they are.
#[inline(always)]
pub(super) fn store<V: Lanes>(x: V, to: &mut [V::Element]) {
    if to.len() >= V::WIDTH {
        x.store(to);
        return;
    }
    let mut padded = [V::Element::default(); 16];
    x.store(&mut padded);
    to.copy_from_slice(&padded[..to.len()]);
}

/// `y = activation(y + bias)` in each row; the argument is kept if asked for (else `arguments` is empty).
///
/// # Shapes
/// `bias: [columns]`, `y: [rows][columns]`.
pub(super) fn activate<E: Real>(activation: Activation, bias: &[E], y: &mut [E], arguments: &mut [E]) {
    let part = rows_in_part(bias.len()) * bias.len();
    if part == 0 {
        return;
    }
    with_function!(activation, function => if arguments.is_empty() {
        y.par_chunks_mut(part).for_each(|y| dispatch(Activate { function, bias, y, arguments: &mut [] }));
    } else {
        y.par_chunks_mut(part)
            .zip(arguments.par_chunks_mut(part))
            .for_each(|(y, arguments)| dispatch(Activate { function, bias, y, arguments }));
    });
}

struct Activate<'a, E, F> {
    function: F,
    bias: &'a [E],
    y: &'a mut [E],
    arguments: &'a mut [E],
}

impl<E: Real, F: Function> Kernel<E> for Activate<'_, E, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let columns = self.bias.len();
        let mut start = 0;
        while start < self.y.len() {
            let row = &mut self.y[start..start + columns];
            let mut at = 0;
            while at < columns {
                let end = columns.min(at + V::WIDTH);
                let x = load::<V>(&row[at..end]) + load::<V>(&self.bias[at..end]);
                if !self.arguments.is_empty() {
                    store(x, &mut self.arguments[start + at..start + end]);
                }
                store(self.function.value(x), &mut row[at..end]);
                at = end;
            }
            start += columns;
        }
    }
}

/// `y = activation(x)`
pub(super) fn apply<E: Real>(activation: Activation, x: &[E], y: &mut [E]) {
    with_function!(activation, function => y
        .par_chunks_mut(PART)
        .zip(x.par_chunks(PART))
        .for_each(|(y, x)| dispatch(Apply { function, x, y })));
}

struct Apply<'a, E, F> {
    function: F,
    x: &'a [E],
    y: &'a mut [E],
}

impl<E: Real, F: Function> Kernel<E> for Apply<'_, E, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let mut at = 0;
        while at < self.y.len() {
            let end = self.y.len().min(at + V::WIDTH);
            store(self.function.value(load::<V>(&self.x[at..end])), &mut self.y[at..end]);
            at = end;
        }
    }
}

/// `delta = adjoint * activation'`, of what was kept of each number: its argument, or its value.
pub(super) fn deactivate<E: Real>(activation: Activation, kept: &[E], adjoint: &[E], delta: &mut [E]) {
    with_function!(activation, function => delta
        .par_chunks_mut(PART)
        .zip(kept.par_chunks(PART).zip(adjoint.par_chunks(PART)))
        .for_each(|(delta, (kept, adjoint))| dispatch(Deactivate { function, kept, adjoint, delta })));
}

struct Deactivate<'a, E, F> {
    function: F,
    kept: &'a [E],
    adjoint: &'a [E],
    delta: &'a mut [E],
}

impl<E: Real, F: Function> Kernel<E> for Deactivate<'_, E, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let mut at = 0;
        while at < self.delta.len() {
            let end = self.delta.len().min(at + V::WIDTH);
            let slope = self.function.slope(load::<V>(&self.kept[at..end]));
            store(load::<V>(&self.adjoint[at..end]) * slope, &mut self.delta[at..end]);
            at = end;
        }
    }
}
