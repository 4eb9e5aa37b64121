//! The order in which the rows of a source are taken: blocks at random into a buffer, and out of it rows at random.

use std::borrow::Cow;
use std::ops::Range;

use super::{Rows, RowsError, Shuffled};
use crate::random::{shuffle, step_key, uniform};

/// What the buffer holds, in bytes.
const BUFFER: usize = 64 << 20;
/// The least that it holds, in batches.
const LEAST: usize = 4;

/// Rows in a random order, a batch at a time, epoch after epoch without an end.
///
/// In an epoch each row is taken once; those that do not fill a batch at its end are left out of it. The places of rows that are taken are filled at once, with the next rows
/// of this epoch, and after its last with those of the next, so that reading never waits for the end of an epoch.
///
/// # Source
/// The shuffle buffer of `tf.data`, over blocks whose order is random itself.
pub(crate) struct Shuffle<'r> {
    source: &'r dyn Rows,
    columns: Vec<usize>,
    size: usize,
    seed: u64,
    reading: Reading<'r>,
    /// The buffer, `[slot][column]`, and which row is in each slot.
    slots: Vec<f64>,
    rows: Vec<usize>,
    /// The slots of rows of this epoch and of the next.
    current: Vec<usize>,
    next: Vec<usize>,
    epoch: u64,
    taken: u64,
}

/// How far the source is read: its blocks, or an order that it has made itself.
struct Reading<'r> {
    blocks: Vec<Range<usize>>,
    /// Their order in the epoch that is read, and how many of them are.
    order: Vec<usize>,
    at: usize,
    epoch: u64,
    /// The last block, and which of its rows are not in the buffer yet.
    block: Vec<f64>,
    left: Range<usize>,
    first: usize,
    /// The rows that are left of its own order, and how many were taken.
    own: Option<Shuffled<'r>>,
    taken: usize,
}

/// Some rows, in the order in which they were taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Where each is in the source.
    pub(crate) rows: Vec<usize>,
    /// The columns that are read, `[row][column]`.
    pub(crate) values: Vec<f64>,
}

impl<'r> Shuffle<'r> {
    /// Batches of `size` rows, of which the source has as many.
    pub(crate) fn new(source: &'r dyn Rows, columns: &[usize], size: usize, seed: u64) -> Self {
        Self::within(source, columns, size, seed, BUFFER)
    }

    /// With a buffer of so many bytes.
    fn within(source: &'r dyn Rows, columns: &[usize], size: usize, seed: u64, bytes: usize) -> Self {
        let slots = (bytes / (8 * columns.len().max(1))).max(LEAST * size).min(source.len());
        let blocks = source.blocks(columns);
        let order = (0..blocks.len()).collect::<Vec<_>>();
        let reading =
            Reading { at: order.len(), blocks, order, epoch: 0, block: Vec::new(), left: 0..0, first: 0, own: None, taken: 0 };
        Shuffle {
            source,
            columns: columns.to_vec(),
            size,
            seed,
            reading,
            slots: vec![0.0; slots * columns.len()],
            rows: vec![0; slots],
            current: Vec::new(),
            next: Vec::new(),
            epoch: 0,
            taken: 0,
        }
    }

    /// The next batch.
    pub(crate) fn next_batch(&mut self) -> Result<Taken, RowsError> {
        if self.epoch == 0 {
            self.epoch = 1;
            (0..self.rows.len()).try_for_each(|slot| self.fill(slot))?;
        }
        if self.current.len() < self.size {
            let left_out = std::mem::replace(&mut self.current, std::mem::take(&mut self.next));
            (self.epoch, self.taken) = (self.epoch + 1, 0);
            left_out.into_iter().try_for_each(|slot| self.fill(slot))?;
        }
        let width = self.columns.len();
        let mut taken = Taken { rows: Vec::with_capacity(self.size), values: Vec::with_capacity(self.size * width) };
        let key = step_key(self.seed, 2 * self.epoch + 1);
        for _ in 0..self.size {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a uniform number is below one")]
            let at = (uniform(key, self.taken) * self.current.len() as f64) as usize;
            self.taken += 1;
            let slot = self.current.swap_remove(at);
            taken.rows.push(self.rows[slot]);
            taken.values.extend_from_slice(&self.slots[slot * width..(slot + 1) * width]);
            self.fill(slot)?;
        }
        Ok(taken)
    }

    /// Puts the next row into a slot.
    fn fill(&mut self, slot: usize) -> Result<(), RowsError> {
        let (source, columns) = (self.source, &self.columns);
        let (reading, width) = (&mut self.reading, self.columns.len());
        let (row, values) = loop {
            if let Some(values) = reading.own.as_mut().and_then(Iterator::next) {
                reading.taken += 1;
                break (reading.taken - 1, Cow::Owned(values?));
            }
            if !reading.left.is_empty() {
                let row = reading.left.start;
                reading.left.start += 1;
                break (row, Cow::Borrowed(&reading.block[(row - reading.first) * width..][..width]));
            }
            if reading.own.is_some() && reading.taken < source.len() {
                let (source_name, expected) = (source.name(), source.len());
                return Err(RowsError::Short { source_name, expected, found: reading.taken });
            }
            if reading.own.is_some() || reading.at == reading.order.len() {
                reading.epoch += 1;
                (reading.at, reading.taken) = (0, 0);
                let key = step_key(self.seed, 2 * reading.epoch);
                reading.own = source.in_order_of(key, columns);
                if reading.own.is_some() {
                    continue;
                }
                shuffle(key, &mut reading.order);
            }
            let rows = reading.blocks[reading.order[reading.at]].clone();
            reading.at += 1;
            reading.block.resize(rows.len() * width, 0.0);
            source.read(rows.clone(), columns, &mut reading.block)?;
            (reading.first, reading.left) = (rows.start, rows);
        };
        self.rows[slot] = row;
        self.slots[slot * width..(slot + 1) * width].copy_from_slice(&values);
        if reading.epoch == self.epoch {
            self.current.push(slot);
        } else {
            self.next.push(slot);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::InMemory;

    fn numbered(rows: usize) -> InMemory {
        InMemory::new().reals("x", (0..rows).map(|row| row as f64).collect())
    }

    /// The rows of some epochs, of batches of 7.
    fn epochs(rows: usize, bytes: usize, seed: u64, count: usize) -> Vec<Vec<usize>> {
        let source = numbered(rows);
        let mut shuffle = Shuffle::within(&source, &[0], 7, seed, bytes);
        let epoch = |_| {
            let batches = (0..rows / 7).map(|_| shuffle.next_batch().unwrap());
            let rows = batches.flat_map(|batch| {
                assert!(batch.rows.iter().zip(&batch.values).all(|(row, value)| *row as f64 == *value));
                batch.rows
            });
            rows.collect()
        };
        (0..count).map(epoch).collect()
    }

    #[test]
    fn every_epoch_has_each_row_once_in_an_order_of_its_own() {
        for (rows, bytes) in [(1001, 1 << 20), (1001, 8 * 100), (7 * 64, 0), (1000, 8 * 64), (7, 0)] {
            let found = epochs(rows, bytes, 3, 4);
            for epoch in &found {
                let mut sorted = epoch.clone();
                sorted.sort_unstable();
                sorted.dedup();
                assert_eq!(sorted.len(), rows / 7 * 7);
            }
            assert!(rows == 7 || (found[0] != found[1] && found[1] != found[2]));
            assert_eq!(found, epochs(rows, bytes, 3, 4), "the same seed gives the same order");
            assert!(rows == 7 || found != epochs(rows, bytes, 4, 4));
        }
    }

    #[test]
    fn a_buffer_of_all_rows_makes_all_orders_equally_probable() {
        // How often each row comes at each place, of 8 rows in batches of 7: as a permutation, 1 / 8 each.
        let mut counts = [[0_u32; 8]; 7];
        for seed in 0..4000 {
            for epoch in epochs(8, 1 << 10, seed, 2) {
                epoch.iter().enumerate().for_each(|(place, &row)| counts[place][row] += 1);
            }
        }
        // Of 8000 draws of probability 1 / 8 the standard deviation is 29.6.
        assert!(counts.iter().flatten().all(|&count| (f64::from(count) - 1000.0).abs() < 4.5 * 29.6), "{counts:?}");
    }

    #[test]
    fn batches_of_sorted_rows_are_of_all_blocks_in_the_buffer() {
        // 200 blocks of 64, of which the buffer holds 50: the mean of a batch of 7 has the spread of one of 7 random rows.
        let epoch = &epochs(64 * 200, 8 * 64 * 50, 1, 1)[0];
        let (n, size) = (epoch.len() as f64, 64.0 * 200.0);
        let means = epoch.chunks_exact(7).map(|batch| batch.iter().sum::<usize>() as f64 / 7.0);
        let variance = means.map(|mean| (mean - size / 2.0).powi(2)).sum::<f64>() / (n / 7.0);
        let ratio = variance / (size * size / 12.0 / 7.0);
        // Of 1828 batches the standard error of the ratio is 0.033; blocks in the buffer share what is left.
        assert!((ratio - 1.0).abs() < 0.3, "{ratio}");
    }
}
