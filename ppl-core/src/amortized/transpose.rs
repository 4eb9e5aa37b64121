//! Between rows of lanes and rows of features: `[feature][lane]` of a workspace and `[lane][feature]` of a network.

use std::ops::Range;

use crate::kernel::Real;

/// The rows of a workspace that are read lane by lane, so that they stay in the nearest cache.
const BLOCK: usize = 128;

/// Some columns of a matrix of rows of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// The columns of the matrix.
    pub(super) of: usize,
    /// The first of those meant, which are as many as the rows of the workspace.
    pub(super) first: usize,
    /// The rows of the matrix: those of the batch, or all lanes that count.
    pub(super) known: usize,
}

/// How the rows of a tile are laid over the lanes of a workspace: `lane = sample * batch + row`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LaneShape {
    /// Rows of data.
    pub(super) batch: usize,
    /// Monte Carlo samples of each.
    pub(super) samples: usize,
    /// All lanes, those that fill up included.
    pub(super) lanes: usize,
}

impl LaneShape {
    /// For so many rows and samples.
    pub(super) fn new<E: Real>(batch: usize, samples: usize) -> Self {
        LaneShape { batch, samples, lanes: (batch * samples).next_multiple_of(E::LANE_MULTIPLE) }
    }

    /// The lanes that count.
    pub(super) fn real(self) -> usize {
        self.batch * self.samples
    }

    /// Copies the lanes of the rows of the batch to all samples, and the last one to those that fill up.
    pub(super) fn spread<E: Real>(self, row: &mut [E], known: usize) {
        if known == self.batch {
            for sample in 1..self.samples {
                row.copy_within(..self.batch, sample * self.batch);
            }
        }
        let real = self.real();
        let last = row[real - 1];
        row[real..].fill(last);
    }

    /// Writes columns of a matrix to rows of a workspace.
    ///
    /// # Shapes
    /// `from: [known][of]`; `values: [row][lane]`.
    pub(super) fn to_lanes<E: Real>(self, from: &[E], columns: Columns, rows: Range<usize>, values: &mut [E]) {
        let Columns { of, first, known } = columns;
        let to = &mut values[rows.start * self.lanes..rows.end * self.lanes];
        for (column, row) in to.chunks_exact_mut(self.lanes).enumerate() {
            for (x, &own) in row[..known].iter_mut().zip(from[first + column..].iter().step_by(of)) {
                *x = own;
            }
            self.spread(row, known);
        }
    }

    /// Writes rows of a workspace to columns of a matrix: the first lanes, or, of adjoints of what is the same for all samples, their sums.
    ///
    /// # Shapes
    /// `to: [known][of]`; `values: [row][lane]`.
    pub(super) fn to_features<E: Real>(self, values: &[E], rows: Range<usize>, summed: bool, to: &mut [E], columns: Columns) {
        let Columns { of, first, known } = columns;
        let (lanes, count) = (self.lanes, rows.len());
        let from = &values[rows.start * lanes..rows.end * lanes];
        let copies = if summed && known == self.batch { self.samples } else { 1 };
        for start in (0..count).step_by(BLOCK) {
            let end = count.min(start + BLOCK);
            for (lane, to) in to[..known * of].chunks_exact_mut(of).enumerate() {
                let to = &mut to[first + start..first + end];
                for (x, &own) in to.iter_mut().zip(from[start * lanes + lane..].iter().step_by(lanes)) {
                    *x = own;
                }
                for copy in 1..copies {
                    for (x, &own) in to.iter_mut().zip(from[start * lanes + copy * known + lane..].iter().step_by(lanes)) {
                        *x = *x + own;
                    }
                }
            }
        }
    }

    /// Copies a number of each sample to the lanes of all rows, and the last one to those that fill up.
    ///
    /// # Shapes
    /// `from: [sample]`; `row: [lane]`.
    pub(super) fn copy_to_rows<E: Real>(self, from: &[E], row: &mut [E]) {
        for (lanes, &own) in row.chunks_exact_mut(self.batch).zip(from) {
            lanes.fill(own);
        }
        let last = from[self.samples - 1];
        row[self.real()..].fill(last);
    }

    /// Adds the lanes of all rows to a number of each sample.
    ///
    /// # Shapes
    /// `to: [sample]`; `row: [lane]`.
    pub(super) fn add_over_rows<E: Real>(self, row: &[E], to: &mut [E]) {
        if self.batch == 1 {
            to.iter_mut().zip(row).for_each(|(to, &own)| *to = *to + own);
            return;
        }
        for (to, lanes) in to.iter_mut().zip(row.chunks_exact(self.batch)) {
            *to = lanes.iter().fold(*to, |sum, &own| sum + own);
        }
    }

    /// Writes rows of a workspace to columns of a matrix that has a row for each sample: the lanes of the first row of the batch.
    ///
    /// # Shapes
    /// `to: [sample][of]`; `values: [row][lane]`.
    pub(super) fn samples_to_features<E: Real>(
        self,
        values: &[E],
        rows: Range<usize>,
        to: &mut [E],
        (of, first): (usize, usize),
    ) {
        for (column, row) in rows.enumerate() {
            let lanes = values[row * self.lanes..].iter().step_by(self.batch);
            to.iter_mut().skip(first + column).step_by(of).zip(lanes).for_each(|(to, &own)| *to = own);
        }
    }

    /// Adds columns of a matrix over the lanes that count to rows of adjoints.
    ///
    /// # Shapes
    /// `from: [known][of]`; `adjoints: [row][lane]`.
    pub(super) fn add_to_lanes<E: Real>(self, from: &[E], columns: Columns, rows: Range<usize>, adjoints: &mut [E]) {
        let Columns { of, first, known } = columns;
        let to = &mut adjoints[rows.start * self.lanes..rows.end * self.lanes];
        for (column, row) in to.chunks_exact_mut(self.lanes).enumerate() {
            for (x, &own) in row[..known].iter_mut().zip(from[first + column..].iter().step_by(of)) {
                *x = *x + own;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_same_and_copies_are_summed() {
        let shape = LaneShape::new::<f64>(5, 3);
        let (columns, stride) = (37, 41);
        let from: Vec<f64> = (0..5 * stride).map(|i| i as f64).collect();
        let mut values = vec![0.0; (columns + 2) * shape.lanes];
        let some = Columns { of: stride, first: 4, known: 5 };
        shape.to_lanes(&from, some, 2..2 + columns, &mut values);
        let at = |row: usize, lane: usize| values[row * shape.lanes + lane];
        for column in 0..columns {
            for lane in 0..15 {
                assert_eq!(at(2 + column, lane), from[(lane % 5) * stride + 4 + column]);
            }
            assert!((15..shape.lanes).all(|lane| at(2 + column, lane) == at(2 + column, 14)));
        }
        let mut back = vec![0.0; 5 * stride];
        shape.to_features(&values, 2..2 + columns, true, &mut back, some);
        let mut all = vec![0.0; 15 * columns];
        let whole = Columns { of: columns, first: 0, known: 15 };
        shape.to_features(&values, 2..2 + columns, false, &mut all, whole);
        let mut doubled = values.clone();
        shape.add_to_lanes(&all, whole, 2..2 + columns, &mut doubled);
        for row in 0..5 {
            for column in 0..columns {
                assert_eq!(back[row * stride + 4 + column], 3.0 * from[row * stride + 4 + column]);
                assert_eq!(all[(10 + row) * columns + column], from[row * stride + 4 + column]);
                assert_eq!(doubled[(2 + column) * shape.lanes + row], 2.0 * from[row * stride + 4 + column]);
            }
        }
    }
}
