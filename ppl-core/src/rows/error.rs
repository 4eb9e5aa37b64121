//! What can go wrong with rows that are not in memory.

use crate::model::DataError;

/// Why rows could not be read, or a chunk of them is no model; rows are counted from zero, as in the whole source.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The file could not be opened or read, or is not of its format.
    #[error("{source_name}: {reason}")]
    Unreadable {
        /// The file.
        source_name: String,
        /// Why.
        reason: String,
    },
    /// Some rows of a file could not be read.
    #[error("{source_name}, rows {first} to {last}: {reason}")]
    Corrupt {
        /// The file.
        source_name: String,
        /// The first of the rows that were asked for.
        first: usize,
        /// The last of them.
        last: usize,
        /// Why, with the column where it is known.
        reason: String,
    },
    /// The file is not as long any more as when it was opened.
    #[error("{source_name} had {expected} bytes when it was opened and has {found} now; keep it as it is while it is read")]
    Changed {
        /// The file.
        source_name: String,
        /// Its length then.
        expected: u64,
        /// Its length now.
        found: u64,
    },
    /// There are no rows.
    #[error("{source_name} has no rows")]
    Empty {
        /// The source.
        source_name: String,
    },
    /// An iterator ended before all its rows.
    #[error(
        "{source_name} ended after {found} rows, and was to have {expected}; say how many it has, or let it give as many in every order"
    )]
    Short {
        /// The source.
        source_name: String,
        /// How many rows it was to have.
        expected: usize,
        /// How many it gave.
        found: usize,
    },
    /// A row has not as many values as there are columns.
    #[error("{source_name}, row {row}: {found} values are given for {expected} columns")]
    Width {
        /// The source.
        source_name: String,
        /// The row.
        row: usize,
        /// How many columns there are.
        expected: usize,
        /// How many values there are.
        found: usize,
    },
    /// There is no such column.
    #[error("{source_name}: there is no column `{column}`; {hint}the columns are {known}")]
    NoColumn {
        /// The source.
        source_name: String,
        /// The column.
        column: String,
        /// "did you mean ..? ", or nothing.
        hint: String,
        /// The columns.
        known: String,
    },
    /// A column is asked for as something else than it is.
    #[error("{source_name}: column `{column}` holds {found}; expected {expected}")]
    Kind {
        /// The source.
        source_name: String,
        /// The column.
        column: String,
        /// What it holds.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// A value is missing.
    #[error(
        "{source_name}, row {row}: column `{column}` is missing; leave such rows out, or read it by `optional_reals` into an array of `Option<f64>`"
    )]
    Missing {
        /// The source.
        source_name: String,
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A value is not what the column is asked for as.
    #[error("{source_name}, row {row}: column `{column}` is {value}; expected {expected}")]
    Value {
        /// The source.
        source_name: String,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// The value.
        value: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// A column is asked for that the first chunk was not asked for: it was not read.
    #[error("{source_name}: the first chunk was not asked for column `{column}`; ask every chunk for the same columns")]
    NotRead {
        /// The source.
        source_name: String,
        /// The column.
        column: String,
    },
    /// A row is no data of the model.
    #[error("{source_name}, row {row}, as the only one of a chunk: {error}")]
    Row {
        /// The source.
        source_name: String,
        /// The row.
        row: usize,
        /// What is wrong with it.
        error: Box<DataError>,
    },
    /// Some rows together are no data of the model.
    #[error("{source_name}, a chunk of {rows} rows: {error}")]
    Data {
        /// The source.
        source_name: String,
        /// How many rows.
        rows: usize,
        /// What is wrong with them.
        error: Box<DataError>,
    },
    /// The model of a chunk is not one of its rows.
    #[error(
        "{source_name}: `{model}` made of a chunk of {rows} rows has {found} of `{plate}`; make it of the rows of the chunk alone"
    )]
    Size {
        /// The source.
        source_name: String,
        /// The model.
        model: &'static str,
        /// The dimension that is taken in batches.
        plate: &'static str,
        /// Rows of the chunk.
        rows: usize,
        /// The size of the dimension.
        found: usize,
    },
    /// Models of two chunks have other latents.
    #[error(
        "{source_name}: `{model}` has size {expected} of `{dim}` for one chunk and {found} for another; what is not over the rows must be the same for all \
         chunks: give it apart from them, and indices by `chunk.indices`, which know the levels of all rows"
    )]
    Differs {
        /// The source.
        source_name: String,
        /// The model.
        model: &'static str,
        /// The dimension.
        dim: &'static str,
        /// Its size in the first chunk.
        expected: usize,
        /// Its size in another one.
        found: usize,
    },
    /// A differential equation, how accurately it is solved is found out over all rows at once.
    #[error(
        "`{equation}` of `{model}` is solved as accurately as all rows of `{plate}` ask for, and these are not in memory: fit the model to rows in memory"
    )]
    Equation {
        /// The model.
        model: &'static str,
        /// The equation, as it is written.
        equation: &'static str,
        /// The dimension.
        plate: &'static str,
    },
    /// A latent of the rows, whose parameters would be as many as they.
    #[error(
        "`{latent}` of `{model}` is over `{plate}`, whose rows are not in memory, and neither would its posterior be: amortize it (`guide!` with a network, \
         `fit_amortized`), sum it out, or take a part of the rows"
    )]
    Local {
        /// The model.
        model: &'static str,
        /// The latent or parameter.
        latent: &'static str,
        /// The dimension.
        plate: &'static str,
    },
    /// Elements of another dimension belong to the rows.
    #[error(
        "`{through}` of `{model}` says to which row of `{plate}` each element of `{dim}` belongs: rows that are not in memory have no others that go with them; take the rows of `{dim}` in batches"
    )]
    Following {
        /// The model.
        model: &'static str,
        /// The dimension whose elements belong to the rows.
        dim: &'static str,
        /// The dimension of the rows.
        plate: &'static str,
        /// The index array.
        through: &'static str,
    },
    /// The configuration names no batches.
    #[error(
        "{source_name}: rows that are not in memory are fitted in batches: give `minibatch: Some(Minibatch::of(\"N\", 1024))`"
    )]
    NoBatches {
        /// The source.
        source_name: String,
    },
}
