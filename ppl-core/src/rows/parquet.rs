//! The rows of a Parquet file.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatchReader as _;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::{ChunkReader, Length};

use super::arrays::{Format, Table, Visit};
use super::file::SourceFile;
use super::{Rows as _, RowsError, pieces};

/// The least rows of a block, and the most bytes that its columns have as numbers.
const LEAST: usize = 1024;
const MOST: usize = 8 << 20;

/// The rows of a Parquet file (feature `parquet`): compressed by Snappy, LZ4, gzip, Zstandard or not; columns of real and whole numbers, truths, and strings.
///
/// A block of the shuffle ([the order of rows](super)) is a page where the file has an index of these, else a row group; both are cut where they have more than 8 megabytes,
/// of which each part then costs the decoding of the whole page. Pages of some ten thousand rows are good ones: `data_page_row_count_limit` of this crate's writer, `data_page_size`
/// of `pyarrow`.
///
/// # Examples
/// ```no_run
/// use ppl_core::prelude::*;
///
/// model! {
///     /// Delays by carrier and distance.
///     pub Delays(late: [bool; N], x: [f64; N, P], carrier: [in C; N]) {
///         tau ~ HalfNormal(1);
///         beta[P] ~ Normal(0, 1);
///         for c in C {
///             mu[c] ~ Normal(0, tau);
///         }
///         for n in N {
///             late[n] ~ Bernoulli(logit = mu[carrier[n]] + dot(x[n], beta));
///         }
///     }
/// }
///
/// let rows = ParquetRows::open("flights.parquet")?;
/// let model = |chunk: &Chunk<'_>| {
///     Ok(Delays { late: chunk.bools("late")?, x: chunk.matrix(&["distance", "hour"])?, carrier: chunk.indices("carrier")? })
/// };
/// let fit = fit_rows(&rows, model, Bbvi { minibatch: Some(Minibatch::of("N", 1024)), ..Bbvi::default() })?;
/// println!("{}", fit.summary());
/// # Ok::<(), FitError>(())
/// ```
#[derive(Debug)]
pub struct ParquetRows {
    file: Places,
    table: Table,
    metadata: ArrowReaderMetadata,
    /// The first row of each row group, and the number of all.
    firsts: Vec<usize>,
}

/// A file, as the reader of pages takes it.
#[derive(Clone, Debug)]
struct Places(Arc<SourceFile>);

/// A file from a place on.
struct Place {
    file: Places,
    at: u64,
}

impl ParquetRows {
    /// Opens a file and reads what its footer says.
    ///
    /// # Errors
    /// [`RowsError::Unreadable`] if it is none, or is cut short; [`RowsError::Empty`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RowsError> {
        let file = Places(Arc::new(SourceFile::open(path.as_ref())?));
        let options = ArrowReaderOptions::new()
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(|error| file.0.unreadable(&error))?;
        let mut firsts = vec![0];
        for group in metadata.metadata().row_groups() {
            let rows = usize::try_from(group.num_rows()).map_err(|error| file.0.unreadable(&error))?;
            firsts.push(firsts[firsts.len() - 1] + rows);
        }
        let table = Table::new(metadata.schema());
        ParquetRows { file, table, metadata, firsts }.with_rows()
    }

    /// The first rows of the pages of a row group, counted in it: of the column with the fewest.
    fn pages(&self, group: usize, columns: &[usize]) -> Vec<usize> {
        let (schema, index) = (self.metadata.parquet_schema(), self.metadata.metadata().page_index_for_row_group(group));
        let leaves = (0..schema.num_columns()).filter(|&leaf| columns.contains(&schema.get_column_root_idx(leaf)));
        let pages = leaves.filter_map(|leaf| index.page_locations(leaf)).min_by_key(|pages| pages.len());
        let first = |page: i64| usize::try_from(page).ok();
        pages.map_or_else(|| vec![0], |pages| pages.iter().filter_map(|page| first(page.first_row_index)).collect())
    }
}

impl Format for ParquetRows {
    fn file(&self) -> &SourceFile {
        &self.file.0
    }

    fn table(&self) -> &Table {
        &self.table
    }

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn arrays_of(&self, group: usize, rows: Range<usize>, columns: &[usize], visit: &mut Visit<'_>) -> Result<(), RowsError> {
        let corrupt = |reason: &dyn std::fmt::Display| RowsError::Corrupt {
            source_name: self.name(),
            first: self.firsts[group] + rows.start,
            last: self.firsts[group] + rows.end - 1,
            reason: reason.to_string(),
        };
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
        let mut builder = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(rows.len());
        if rows.len() < self.firsts[group + 1] - self.firsts[group] {
            let selectors = vec![RowSelector::skip(rows.start), RowSelector::select(rows.len())];
            builder = builder.with_row_selection(RowSelection::from(selectors));
        }
        let reader = builder.build().map_err(|error| corrupt(&error))?;
        // Columns come in the order of the file.
        let schema = reader.schema();
        let names = columns.iter().map(|&column| schema.index_of(self.metadata.schema().field(column).name()));
        let places = names.collect::<Result<Vec<_>, _>>().map_err(|error| corrupt(&error))?;
        let mut done = 0;
        for batch in reader {
            let batch = batch.map_err(|error| corrupt(&error))?;
            for (position, &place) in places.iter().enumerate() {
                visit(position, done, batch.column(place).as_ref())?;
            }
            done += batch.num_rows();
        }
        if done != rows.len() {
            return Err(corrupt(&format!("only {done} of {} rows are there", rows.len())));
        }
        Ok(())
    }

    fn blocks_of(&self, columns: &[usize]) -> Vec<Range<usize>> {
        let most = (MOST / (8 * columns.len().max(1))).max(LEAST);
        let mut blocks = Vec::new();
        for (group, ends) in self.firsts.windows(2).enumerate() {
            let mut first = ends[0];
            let ends_of_pages = self.pages(group, columns).into_iter().skip(1).map(|page| ends[0] + page);
            for end in ends_of_pages.chain([ends[1]]) {
                if end == ends[1] || end >= first + LEAST {
                    blocks.extend(pieces(first..end, most));
                    first = end;
                }
            }
        }
        blocks
    }
}

impl Length for Places {
    fn len(&self) -> u64 {
        self.0.length
    }
}

impl ChunkReader for Places {
    type T = BufReader<Place>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(Place { file: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.0.length) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond the end of the file")));
        }
        let mut bytes = vec![0; length];
        self.0.read_at(start, &mut bytes)?;
        Ok(bytes.into())
    }
}

impl Read for Place {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.file.0.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let taken = out.len().min(left);
        self.file.0.read_at(self.at, &mut out[..taken])?;
        self.at += taken as u64;
        Ok(taken)
    }
}
