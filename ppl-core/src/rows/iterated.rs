//! Rows that an iterator gives, which can be begun anew in another order.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::{Column, Kind, Rows, RowsError, Shuffled};

/// Rows of an iterator: what `open` gives for a key are all rows in the order of that key, and for zero in the order in which they are counted.
///
/// Every epoch of a fit is an iterator of its own, from which rows go through the buffer of the shuffle: an order that is not quite random does as well, such as files in a random
/// order. What passes over all rows opens the order of zero. A row is a number for each column, as [`Rows`] says.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
/// use ppl_core::random::uniform;
/// use ppl_core::rows::{Iterated, Kind};
///
/// model! {
///     /// A line through very many points.
///     pub Line(x: [f64; N], y: [f64; N]) {
///         slope ~ Normal(0, 1);
///         for n in N {
///             y[n] ~ Normal(slope * x[n], 1);
///         }
///     }
/// }
///
/// // A generator of data, begun anew at another place in each epoch.
/// let open = |key: u64| {
///     (0..20_000).map(move |n| {
///         let row = (n + key % 20_000) % 20_000;
///         let x = uniform(1, row) - 0.5;
///         vec![x, 2.0 * x + 3.4 * (uniform(2, row) - 0.5)]
///     })
/// };
/// let rows = Iterated::new("points", &[("x", Kind::Real), ("y", Kind::Real)], 20_000, open);
/// let minibatch = Some(Minibatch::of("N", 500));
/// let line = |chunk: &Chunk<'_>| Ok(Line { x: chunk.reals("x")?, y: chunk.reals("y")? });
/// let fit = fit_rows(&rows, line, Bbvi { minibatch, ..Bbvi::default() })?;
/// let slope = fit.scalar("slope").expect("a latent");
/// // Of a standard deviation of one over the root of the sum of squares, 20 000 / 12.
/// assert!((slope.mean - 2.0).abs() < 0.1 && (slope.sd * (20_000_f64 / 12.0).sqrt() - 1.0).abs() < 0.1);
/// # Ok::<(), FitError>(())
/// ```
pub struct Iterated<I, F> {
    name: String,
    columns: Vec<Column>,
    len: usize,
    open: F,
    /// The rows in the order in which they are counted, and how many of them were taken.
    counted: Mutex<Option<(usize, I)>>,
}

impl<I, F> std::fmt::Debug for Iterated<I, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Iterated { name, columns, len, .. } = self;
        f.debug_struct("Iterated").field("name", name).field("columns", columns).field("len", len).finish_non_exhaustive()
    }
}

impl<I: Iterator<Item = Vec<f64>>, F: Fn(u64) -> I> Iterated<I, F> {
    /// So many rows of some columns: `open` begins them in the order of a key, the same for the same key.
    #[must_use]
    pub fn new(name: &str, columns: &[(&str, Kind)], len: usize, open: F) -> Self {
        let columns = columns.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: kind.clone() }).collect();
        Iterated { name: name.to_owned(), columns, len, open, counted: Mutex::new(None) }
    }

    /// Some columns of the next row, of which this is the number.
    fn next(&self, rows: &mut I, row: usize, columns: &[usize], out: &mut [f64]) -> Result<(), RowsError> {
        let (source_name, columns_of_source) = (|| self.name.clone(), self.columns.len());
        let Some(all) = rows.next() else {
            return Err(RowsError::Short { source_name: source_name(), expected: self.len, found: row });
        };
        if all.len() != columns_of_source {
            let (expected, found) = (columns_of_source, all.len());
            return Err(RowsError::Width { source_name: source_name(), row, expected, found });
        }
        out.iter_mut().zip(columns).for_each(|(to, column)| *to = all[*column]);
        Ok(())
    }
}

impl<I: Iterator<Item = Vec<f64>> + Send, F: Fn(u64) -> I + Sync> Rows for Iterated<I, F> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn len(&self) -> usize {
        self.len
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn read(&self, rows: Range<usize>, columns: &[usize], out: &mut [f64]) -> Result<(), RowsError> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut at, mut all) = match counted.take() {
            Some((at, all)) if at <= rows.start => (at, all),
            _ => (0, (self.open)(0)),
        };
        for row in at..rows.start {
            self.next(&mut all, row, &[], &mut [])?;
        }
        for (row, out) in rows.clone().zip(out.chunks_exact_mut(columns.len().max(1))) {
            self.next(&mut all, row, columns, out)?;
        }
        at = rows.end;
        *counted = Some((at, all));
        Ok(())
    }

    fn in_order_of(&self, key: u64, columns: &[usize]) -> Option<Shuffled<'_>> {
        let (mut rows, columns) = ((self.open)(key), columns.to_vec());
        Some(Box::new((0..self.len).map(move |row| {
            let mut out = vec![0.0; columns.len()];
            self.next(&mut rows, row, &columns, &mut out)?;
            Ok(out)
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Shuffle;

    type Made = Box<dyn Iterator<Item = Vec<f64>> + Send>;

    /// Numbers from a place that depends on the key, and their squares.
    fn numbers(len: usize, given: usize) -> Iterated<Made, impl Fn(u64) -> Made + Sync> {
        let open = move |key: u64| -> Made {
            let first = usize::try_from(key % 7).unwrap_or(0);
            Box::new((0..given).map(move |n| (n + first) % given).map(|x| vec![x as f64, (x * x) as f64]))
        };
        Iterated::new("numbers", &[("x", Kind::Integer), ("square", Kind::Real)], len, open)
    }

    #[test]
    fn rows_are_read_in_any_order() {
        let rows = numbers(100, 100);
        for range in [3..7, 7..20, 2..4, 90..100, 0..1] {
            let mut out = vec![0.0; range.len()];
            rows.read(range.clone(), &[1], &mut out).expect("rows");
            assert!(range.zip(&out).all(|(x, square)| (x * x) as f64 == *square));
        }
    }

    #[test]
    fn epochs_have_each_row_once() {
        let rows = numbers(105, 105);
        let mut shuffle = Shuffle::new(&rows, &[1, 0], 7, 3);
        let mut orders: Vec<Vec<f64>> = Vec::new();
        for _ in 0..3 {
            let mut epoch = Vec::new();
            for _ in 0..15 {
                let taken = shuffle.next_batch().expect("a batch");
                assert!(taken.values.chunks_exact(2).all(|row| row[0] == row[1] * row[1]));
                epoch.extend(taken.values.chunks_exact(2).map(|row| row[1]));
            }
            orders.push(epoch.clone());
            epoch.sort_by(f64::total_cmp);
            assert!(epoch.into_iter().eq((0..105).map(f64::from)));
        }
        assert!(orders[0] != orders[1] && orders[1] != orders[2]);
    }

    #[test]
    fn rows_that_are_not_there_are_said() {
        let short = numbers(100, 60);
        let error = short.read(50..70, &[0], &mut [0.0; 20]).expect_err("sixty rows");
        assert_eq!(error, RowsError::Short { source_name: "numbers".to_owned(), expected: 100, found: 60 });
        assert_eq!(Shuffle::new(&short, &[0], 10, 1).next_batch().expect_err("sixty rows"), error);
        let narrow = Iterated::new("narrow", &[("x", Kind::Real), ("y", Kind::Real)], 5, |_| std::iter::repeat_n(vec![1.0], 5));
        let error = narrow.read(0..1, &[0], &mut [0.0]).expect_err("one of two numbers");
        assert_eq!(error, RowsError::Width { source_name: "narrow".to_owned(), row: 0, expected: 2, found: 1 });
    }
}
