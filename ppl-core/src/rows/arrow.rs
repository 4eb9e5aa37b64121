//! The rows of an Arrow file.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, DictionaryArray, downcast_integer_array, make_array};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_data::ArrayData;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_footer_length, read_record_batch};
use arrow_ipc::{Block, MetadataVersion, root_as_footer};
use arrow_schema::{ArrowError, DataType, SchemaRef};

use super::arrays::{Format, Table, Visit, slice};
use super::file::SourceFile;
use super::record::{Batch, Lies, message};
use super::{Rows as _, RowsError, pieces};

/// The rows of a block of columns that are read in places.
const BLOCK: usize = 1024;
/// The most bytes of a footer.
const FOOTER: usize = 1 << 28;

/// The rows of an Arrow file (feature `arrow`): the IPC file format, which is that of Feather, too; columns of real and whole numbers, truths, strings and dictionaries of strings.
///
/// Where a file is not compressed, columns of numbers, of truths, of dictionaries and of strings are read in places: a block of the shuffle ([the order of rows](super)) is
/// 1024 rows, and none of the others are read. Other columns, and those of compressed files, are read a record batch at a time, which then must fit into memory.
///
/// # Examples
/// ```no_run
/// use ppl_core::prelude::*;
///
/// model! {
///     /// A line.
///     pub Line(x: [f64; N], y: [f64; N]) {
///         slope ~ Normal(0, 1);
///         for n in N {
///             y[n] ~ Normal(slope * x[n], 1);
///         }
///     }
/// }
///
/// let rows = ArrowRows::open("points.arrow")?;
/// let model = |chunk: &Chunk<'_>| Ok(Line { x: chunk.reals("x")?, y: chunk.reals("y")? });
/// let fit = fit_rows(&rows, model, Bbvi { minibatch: Some(Minibatch::of("N", 1024)), ..Bbvi::default() })?;
/// # Ok::<(), FitError>(())
/// ```
#[derive(Debug)]
pub struct ArrowRows {
    file: SourceFile,
    table: Table,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: HashMap<i64, ArrayRef>,
    /// The number of the dictionary of each column, if it has one.
    of_columns: Vec<Option<i64>>,
    batches: Vec<Batch>,
    /// The first row of each batch, and the number of all.
    firsts: Vec<usize>,
}

impl ArrowRows {
    /// Opens a file and reads what its footer says, and where the columns lie.
    ///
    /// # Errors
    /// [`RowsError::Unreadable`] if it is none, or is cut short; [`RowsError::Empty`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RowsError> {
        let file = SourceFile::open(path.as_ref())?;
        let unreadable = |error: ArrowError| file.unreadable(&error);
        let mut end = [0; 10];
        let at = file.length.checked_sub(10).ok_or_else(|| file.unreadable(&"the file is too short to be an Arrow file"))?;
        file.read_at(at, &mut end).map_err(|error| file.unreadable(&error))?;
        let length = read_footer_length(end).map_err(unreadable)?;
        if length > FOOTER || length as u64 > at {
            return Err(file.unreadable(&"the footer is longer than the file"));
        }
        let mut bytes = vec![0; length];
        file.read_at(at - length as u64, &mut bytes).map_err(|error| file.unreadable(&error))?;
        let footer = root_as_footer(&bytes).map_err(|error| file.unreadable(&error))?;
        let known = footer.schema().ok_or_else(|| file.unreadable(&"the footer has no schema"))?;
        if !known.endianness().equals_to_target_endianness() {
            return Err(file.unreadable(&"the file was written on a machine with another order of bytes"));
        }
        let (schema, version) = (Arc::new(try_fb_to_schema(known).map_err(unreadable)?), footer.version());
        let of_columns = known.fields().into_iter().flatten().map(|field| field.dictionary().map(|own| own.id())).collect();
        let mut dictionaries = HashMap::new();
        for block in footer.dictionaries().into_iter().flatten() {
            let (buffer, body) = whole(&file, block)?;
            let message = message(&buffer).map_err(|reason| file.unreadable(&reason))?;
            let batch = message.header_as_dictionary_batch();
            let batch = batch.ok_or_else(|| file.unreadable(&"a dictionary is none"))?;
            read_dictionary(&buffer.slice(body), batch, &schema, &mut dictionaries, &message.version()).map_err(unreadable)?;
        }
        let (mut batches, mut firsts) = (Vec::new(), vec![0]);
        for block in footer.recordBatches().into_iter().flatten() {
            let batch = Batch::new(&file, block, &schema)?;
            firsts.push(firsts[firsts.len() - 1] + batch.rows);
            batches.push(batch);
        }
        let table = Table::new(&schema);
        ArrowRows { file, table, schema, version, dictionaries, of_columns, batches, firsts }.with_rows()
    }

    /// Part of a column that is read in places.
    fn in_places(&self, batch: &Batch, column: usize, rows: Range<usize>) -> Result<ArrayRef, String> {
        // Bits are read from the begin of a byte on.
        let first = rows.start / 8 * 8;
        let (n, lies) = (rows.end - first, &batch.columns[column]);
        let part = |buffer: usize, from: usize, length: usize| -> Result<MutableBuffer, String> {
            let mut part = MutableBuffer::from_len_zeroed(length);
            let place = lies.buffer(buffer, from, length)?;
            self.file.read_at(place, &mut part).map_err(|error| error.to_string())?;
            Ok(part)
        };
        let validity = if lies.nulls { Some(part(0, first / 8, n.div_ceil(8))?.into()) } else { None };
        let array = |data_type: DataType, buffers: Vec<Buffer>| {
            let data = ArrayData::try_new(data_type, n, validity.clone(), 0, buffers, Vec::new());
            data.map(make_array).map_err(|error| error.to_string())
        };
        let data_type = self.schema.field(column).data_type();
        let array = match (data_type, data_type.primitive_width()) {
            (DataType::Boolean, _) => array(DataType::Boolean, vec![part(1, first / 8, n.div_ceil(8))?.into()])?,
            (DataType::Dictionary(keys, _), _) => {
                let width = keys.primitive_width().unwrap_or(1);
                let keys = array((**keys).clone(), vec![part(1, first * width, n * width)?.into()])?;
                let values = self.of_columns[column].and_then(|id| self.dictionaries.get(&id));
                let values = Arc::clone(values.ok_or_else(|| "its dictionary is not in the file".to_owned())?);
                of_dictionary(&keys, values).map_err(|error| error.to_string())?
            }
            (DataType::Utf8 | DataType::LargeUtf8, _) => {
                let width = if *data_type == DataType::Utf8 { 4 } else { 8 };
                let mut offsets = part(1, first * width, (n + 1) * width)?;
                let (from, to) = rebase(&mut offsets, width)?;
                array(data_type.clone(), vec![offsets.into(), part(2, from, to - from)?.into()])?
            }
            (_, Some(width)) => array(data_type.clone(), vec![part(1, first * width, n * width)?.into()])?,
            _ => return Err(format!("the type {data_type} is not read in places")),
        };
        Ok(slice(&array, rows.start - first..n))
    }

    /// Columns of a whole record batch.
    fn all(&self, batch: &Batch, columns: &[usize]) -> Result<Vec<ArrayRef>, RowsError> {
        let (buffer, body) = whole(&self.file, &batch.block)?;
        let message = message(&buffer).map_err(|reason| self.file.unreadable(&reason))?;
        let header = message.header_as_record_batch().ok_or_else(|| self.file.unreadable(&"a record batch is none"))?;
        let mut sorted = columns.to_vec();
        sorted.sort_unstable();
        let decoded = read_record_batch(
            &buffer.slice(body),
            header,
            Arc::clone(&self.schema),
            &self.dictionaries,
            Some(&sorted),
            &self.version,
        );
        let decoded = decoded.map_err(|error| self.file.unreadable(&error))?;
        let place = |column: &usize| sorted.iter().position(|own| own == column).unwrap_or(0);
        Ok(columns.iter().map(|column| Arc::clone(decoded.column(place(column)))).collect())
    }
}

/// All of a block of the file, and where its body begins.
fn whole(file: &SourceFile, block: &Block) -> Result<(Buffer, usize), RowsError> {
    let wrong = || file.unreadable(&"a block is beyond the end of the file");
    let size = |length: i64| usize::try_from(length).ok().filter(|length| *length as u64 <= file.length).ok_or_else(wrong);
    let (at, head, body) = (size(block.offset())?, size(block.metaDataLength().into())?, size(block.bodyLength())?);
    if at as u64 + head as u64 + body as u64 > file.length {
        return Err(wrong());
    }
    let mut buffer = MutableBuffer::from_len_zeroed(head + body);
    file.read_at(at as u64, &mut buffer).map_err(|error| file.unreadable(&error))?;
    Ok((buffer.into(), head))
}

/// An array of a dictionary.
fn of_dictionary(keys: &ArrayRef, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let keys = keys.as_ref();
    downcast_integer_array!(
        keys => Ok(Arc::new(DictionaryArray::try_new(keys.clone(), values)?)),
        other => Err(ArrowError::SchemaError(format!("keys of a dictionary are of the type {other}"))),
    )
}

/// Offsets counted from the first of them; from where to where they were.
fn rebase(offsets: &mut [u8], width: usize) -> Result<(usize, usize), String> {
    let number = |bytes: &[u8]| match width {
        4 => bytes.try_into().map_or(-1, |bytes| i64::from(i32::from_le_bytes(bytes))),
        _ => bytes.try_into().map_or(-1, i64::from_le_bytes),
    };
    let all: Vec<i64> = offsets.chunks_exact(width).map(number).collect();
    let from = all[0];
    if from < 0 || all.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err("offsets of strings do not rise".to_owned());
    }
    for (bytes, offset) in offsets.chunks_exact_mut(width).zip(&all) {
        bytes.copy_from_slice(&(offset - from).to_le_bytes()[..width]);
    }
    let size = |offset: i64| usize::try_from(offset).map_err(|error| error.to_string());
    Ok((size(from)?, size(all[all.len() - 1])?))
}

impl Format for ArrowRows {
    fn file(&self) -> &SourceFile {
        &self.file
    }

    fn table(&self) -> &Table {
        &self.table
    }

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn arrays_of(&self, part: usize, rows: Range<usize>, columns: &[usize], visit: &mut Visit<'_>) -> Result<(), RowsError> {
        let (batch, first) = (&self.batches[part], self.firsts[part]);
        let others: Vec<usize> = columns.iter().copied().filter(|&column| !batch.columns[column].in_places()).collect();
        let mut decoded = if others.is_empty() { Vec::new() } else { self.all(batch, &others)? }.into_iter();
        for (position, &column) in columns.iter().enumerate() {
            let array = if batch.columns[column].in_places() {
                self.in_places(batch, column, rows.clone()).map_err(|reason| RowsError::Corrupt {
                    source_name: self.name(),
                    first: first + rows.start,
                    last: first + rows.end - 1,
                    reason: format!("column `{}`: {reason}", self.schema.field(column).name()),
                })?
            } else if let Some(array) = decoded.next().filter(|array| array.len() >= rows.end) {
                slice(&array, rows.clone())
            } else {
                return Err(self.file.unreadable(&"a record batch has fewer rows than it says"));
            };
            visit(position, 0, array.as_ref())?;
        }
        Ok(())
    }

    fn blocks_of(&self, columns: &[usize]) -> Vec<Range<usize>> {
        let block = |(batch, ends): (&Batch, &[usize])| {
            let in_places = columns.iter().all(|&column| batch.columns[column].in_places());
            pieces(ends[0]..ends[1], if in_places { BLOCK } else { batch.rows })
        };
        self.batches.iter().zip(self.firsts.windows(2)).flat_map(block).collect()
    }
}

impl Lies {
    /// Whether it is a column whose rows can be read without the others.
    fn in_places(&self) -> bool {
        self.places.is_some()
    }
}
