//! Sums over rows by lanes, on all cores.

use rayon::prelude::*;

use super::elementwise::{load, store};
use super::parallel::{PART, rows_in_part};
use crate::kernel::{Kernel, Lanes, Real, dispatch};

/// Adds to `sums` those of each column of `matrix`, or of its elementwise product with `factors` if that is not empty.
///
/// # Shapes
/// `matrix, factors: [rows][columns]`, `sums: [columns]`.
pub(super) fn add_column_sums<E: Real>(matrix: &[E], factors: &[E], sums: &mut [E]) {
    let columns = sums.len();
    if columns == 0 {
        return;
    }
    // Columns of a part: a multiple of all lanes, so that a number is summed alike wherever the cut is.
    let part = (rows_in_part(matrix.len() / columns) / 16 * 16).max(16);
    sums.par_chunks_mut(part)
        .enumerate()
        .for_each(|(index, sums)| dispatch(ColumnSums { matrix, factors, columns, start: index * part, sums }));
}

struct ColumnSums<'a, E> {
    matrix: &'a [E],
    factors: &'a [E],
    columns: usize,
    start: usize,
    sums: &'a mut [E],
}

impl<E: Real> Kernel<E> for ColumnSums<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let mut at = 0;
        while at < self.sums.len() {
            let end = self.sums.len().min(at + V::WIDTH);
            let mut sum = V::zero();
            let mut row = 0;
            while row < self.matrix.len() {
                let (from, to) = (row + self.start + at, row + self.start + end);
                let x = load::<V>(&self.matrix[from..to]);
                sum = if self.factors.is_empty() { sum + x } else { x.mul_add(load::<V>(&self.factors[from..to]), sum) };
                row += self.columns;
            }
            store(load::<V>(&self.sums[at..end]) + sum, &mut self.sums[at..end]);
            at = end;
        }
    }
}

/// `to += from`, or `to += from * factors` if these are not empty.
pub(super) fn add<E: Real>(from: &[E], factors: &[E], to: &mut [E]) {
    if factors.is_empty() {
        to.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(to, from)| dispatch(AddProduct { from, factors: &[], to }));
    } else {
        to.par_chunks_mut(PART)
            .zip(from.par_chunks(PART).zip(factors.par_chunks(PART)))
            .for_each(|(to, (from, factors))| dispatch(AddProduct { from, factors, to }));
    }
}

struct AddProduct<'a, E> {
    from: &'a [E],
    factors: &'a [E],
    to: &'a mut [E],
}

impl<E: Real> Kernel<E> for AddProduct<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let mut at = 0;
        while at < self.to.len() {
            let end = self.to.len().min(at + V::WIDTH);
            let (x, sum) = (load::<V>(&self.from[at..end]), load::<V>(&self.to[at..end]));
            let sum = if self.factors.is_empty() { sum + x } else { x.mul_add(load::<V>(&self.factors[at..end]), sum) };
            store(sum, &mut self.to[at..end]);
            at = end;
        }
    }
}
