//! Rows that are not in memory: where they come from, the order in which they are taken, and the models of chunks of them.
//!
//! A model is written as ever, and its struct is made of a [`Chunk`] of rows at a time: [`fit_rows`](crate::fit::fit_rows) fits it in batches, and judges the guide by one pass
//! over all rows. A source is a file (`ParquetRows` and `ArrowRows`, features `parquet` and `arrow`), [`InMemory`], an iterator that can be begun anew ([`Iterated`]), or a type of
//! yours that implements [`Rows`].
//!
//! # The order of rows
//! In an epoch each row comes once. Blocks of neighbouring rows ([`Rows::blocks`]) are read in a random order, which is new in each epoch, into a buffer of 64 megabytes (of
//! four batches at least); rows leave it at random, and the next rows of the next blocks take their places. Where all rows fit into the buffer, every order is as probable as
//! any other; where they do not, a batch is of rows from hundreds of blocks, and a file that is sorted is as good as one that is not as long as a block is small beside
//! the buffer. The order depends on the seed and on the source alone: the same seed gives the same bits on any number of threads. A thread of its own reads ahead.

#[cfg(feature = "arrow")]
mod arrays;
#[cfg(feature = "arrow")]
mod arrow;
mod chunk;
mod error;
#[cfg(feature = "arrow")]
mod file;
mod in_memory;
mod iterated;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "arrow")]
mod record;
mod shuffle;
mod streamed;
mod total;

use std::ops::Range;
use std::sync::Arc;

#[cfg(feature = "arrow")]
pub use arrow::ArrowRows;
pub use chunk::Chunk;
pub(crate) use chunk::{Columns, Plan};
pub use error::RowsError;
pub use in_memory::InMemory;
pub use iterated::Iterated;
#[cfg(feature = "parquet")]
pub use parquet::ParquetRows;
pub(crate) use shuffle::Shuffle;
pub(crate) use streamed::{Bind, Streamed, checked, of_rows};

/// What stands for a value that is missing: a `NaN` that no arithmetic gives, as the `NA` of R.
pub const MISSING: f64 = f64::from_bits(0x7ff8_0000_0000_07a2);

/// Whether a value is [`MISSING`].
#[must_use]
pub fn is_missing(value: f64) -> bool {
    value.to_bits() == MISSING.to_bits()
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Real numbers.
    Real,
    /// Whole numbers.
    Integer,
    /// Zeros and ones.
    Bool,
    /// Labels, read as indices of levels.
    Label,
    /// Something that no model takes, in words.
    Other(String),
}

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// The levels of a column of indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Levels {
    /// Their names, in the order of their first appearance.
    Named(Arc<[String]>),
    /// How many there are.
    Count(usize),
}

/// Rows in an order that a source has made, as many as it has: some columns of each.
pub type Shuffled<'r> = Box<dyn Iterator<Item = Result<Vec<f64>, RowsError>> + Send + 'r>;

/// Where rows come from: anything that can say how many there are and read some that stand one after the other, again and again with the same result.
///
/// Every value is read as a double: numbers as they are (whole ones up to 2^53), truths as 0 and 1, labels as the indices of their levels, what is missing as [`MISSING`].
///
/// # Examples
/// Rows that are made as they are asked for:
/// ```
/// use std::ops::Range;
///
/// use ppl_core::prelude::*;
/// use ppl_core::random::uniform;
/// use ppl_core::rows::{Column, Kind};
///
/// model! {
///     /// A mean of very many numbers.
///     pub Mean(y: [f64; N]) {
///         mu ~ Normal(0, 10);
///         for n in N {
///             y[n] ~ Normal(mu, 1);
///         }
///     }
/// }
///
/// struct Made(Vec<Column>);
///
/// impl Rows for Made {
///     fn name(&self) -> String {
///         "made".to_owned()
///     }
///     fn len(&self) -> usize {
///         100_000
///     }
///     fn columns(&self) -> &[Column] {
///         &self.0
///     }
///     fn read(&self, rows: Range<usize>, _columns: &[usize], out: &mut [f64]) -> Result<(), RowsError> {
///         rows.zip(out).for_each(|(row, y)| *y = 3.0 + 3.4 * (uniform(1, row as u64) - 0.5));
///         Ok(())
///     }
/// }
///
/// let rows = Made(vec![Column { name: "y".to_owned(), kind: Kind::Real }]);
/// let minibatch = Some(Minibatch::of("N", 500));
/// let fit = fit_rows(&rows, |chunk| Ok(Mean { y: chunk.reals("y")? }), Bbvi { minibatch, ..Bbvi::default() })?;
/// let mu = fit.scalar("mu").expect("mu is a latent");
/// assert!((mu.mean - 3.0).abs() < 0.02 && (mu.sd * 100_000_f64.sqrt() - 1.0).abs() < 0.1);
/// # Ok::<(), FitError>(())
/// ```
pub trait Rows: Sync {
    /// What the source is called in errors: the path of a file.
    fn name(&self) -> String;

    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns.
    fn columns(&self) -> &[Column];

    /// Writes some columns of rows that stand one after the other, `[row][column]`.
    ///
    /// # Errors
    /// [`RowsError`] names the column and the row.
    fn read(&self, rows: Range<usize>, columns: &[usize], out: &mut [f64]) -> Result<(), RowsError>;

    /// Rows that are worth reading together where these columns are read, from the first row to the last: the smaller they are, the better the shuffle. 1024 each
    /// if nothing better is known.
    fn blocks(&self, _columns: &[usize]) -> Vec<Range<usize>> {
        pieces(0..self.len(), 1024)
    }

    /// All rows in the order of a key, of these columns, where the source has orders of its own; else its blocks are read in a random order.
    fn in_order_of(&self, _key: u64, _columns: &[usize]) -> Option<Shuffled<'_>> {
        None
    }

    /// The levels of a column, of all its rows.
    ///
    /// # Errors
    /// As [`Rows::read`]; [`RowsError::Value`] names a row that is no index.
    fn levels(&self, column: usize) -> Result<Levels, RowsError> {
        let (mut values, mut count) = (Vec::new(), 0);
        for rows in self.blocks(&[column]) {
            values.resize(rows.len(), 0.0);
            self.read(rows.clone(), &[column], &mut values)?;
            for (row, &value) in rows.zip(&values) {
                let named = || (self.name(), self.columns()[column].name.clone());
                count = count.max(chunk::whole(value).ok_or_else(|| chunk::not_whole(named(), row, value))? + 1);
            }
        }
        Ok(Levels::Count(count))
    }
}

/// Cuts rows into pieces of so many, the last of what is left.
pub(crate) fn pieces(rows: Range<usize>, each: usize) -> Vec<Range<usize>> {
    rows.clone().step_by(each.max(1)).map(|first| first..(first + each).min(rows.end)).collect()
}
