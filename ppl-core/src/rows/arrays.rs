//! Arrow arrays as numbers, and the levels of labels: what all files of columns have in common.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Schema};

use super::chunk::not_whole;
use super::file::SourceFile;
use super::{Column, Kind, Levels, MISSING, Rows, RowsError, chunk};

/// The largest whole number up to which doubles have all.
const EXACT: i64 = 1 << 53;

/// A file of columns, in parts of some rows each: what makes it a source of rows.
pub(super) trait Format: Sync {
    /// The file.
    fn file(&self) -> &SourceFile;
    /// Its columns.
    fn table(&self) -> &Table;
    /// The first row of each part, and the number of all.
    fn firsts(&self) -> &[usize];
    /// Calls `visit` with arrays of some rows of a part, counted in it, by the place of their columns among those that are asked for, and with the place of the first
    /// element among these rows: all rows of all columns, in whatever pieces.
    fn arrays_of(&self, part: usize, rows: Range<usize>, columns: &[usize], visit: &mut Visit<'_>) -> Result<(), RowsError>;
    /// As of [`Rows`].
    fn blocks_of(&self, columns: &[usize]) -> Vec<Range<usize>>;

    /// As [`Format::arrays_of`], of rows of the file.
    fn arrays(&self, rows: Range<usize>, columns: &[usize], visit: &mut Visit<'_>) -> Result<(), RowsError> {
        self.file().unchanged()?;
        for (part, ends) in self.firsts().windows(2).enumerate() {
            let (first, end) = (rows.start.max(ends[0]), rows.end.min(ends[1]));
            if first < end {
                let before = first - rows.start;
                let mut of_part = |column: usize, at: usize, array: &dyn Array| visit(column, before + at, array);
                self.arrays_of(part, first - ends[0]..end - ends[0], columns, &mut of_part)?;
            }
        }
        Ok(())
    }

    /// Refuses a file without rows.
    fn with_rows(self) -> Result<Self, RowsError>
    where
        Self: Sized,
    {
        if self.is_empty() { Err(RowsError::Empty { source_name: self.name() }) } else { Ok(self) }
    }
}

/// What is done with an array: the place of its column, that of its first element, and the array.
pub(super) type Visit<'v> = dyn FnMut(usize, usize, &dyn Array) -> Result<(), RowsError> + 'v;

impl<F: Format> Rows for F {
    fn name(&self) -> String {
        self.file().name.clone()
    }

    fn len(&self) -> usize {
        self.firsts().last().copied().unwrap_or(0)
    }

    fn columns(&self) -> &[Column] {
        &self.table().columns
    }

    fn read(&self, rows: Range<usize>, columns: &[usize], out: &mut [f64]) -> Result<(), RowsError> {
        self.table().read(self, rows, columns, out)
    }

    fn blocks(&self, columns: &[usize]) -> Vec<Range<usize>> {
        self.blocks_of(columns)
    }

    fn levels(&self, column: usize) -> Result<Levels, RowsError> {
        self.table().levels(self, column)
    }
}

/// The columns of a file, with the levels of those that were asked for as indices.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    labels: Vec<OnceLock<Labels>>,
}

/// The levels of a column, and their indices by name.
#[derive(Debug)]
struct Labels {
    levels: Levels,
    indices: HashMap<String, usize>,
}

impl Table {
    pub(super) fn new(schema: &Schema) -> Self {
        let column = |field: &Arc<arrow_schema::Field>| Column { name: field.name().clone(), kind: kind(field.data_type()) };
        let columns: Vec<Column> = schema.fields().iter().map(column).collect();
        Table { labels: columns.iter().map(|_| OnceLock::new()).collect(), columns }
    }

    /// Rows as numbers, `[row][column]`.
    pub(super) fn read(
        &self,
        file: &impl Format,
        rows: Range<usize>,
        columns: &[usize],
        out: &mut [f64],
    ) -> Result<(), RowsError> {
        let width = columns.len();
        file.arrays(rows.clone(), columns, &mut |position, first, array| {
            let column = columns[position];
            let labels = match self.columns[column].kind {
                Kind::Label => Some(&self.labels(file, column)?.indices),
                _ => None,
            };
            let own = &mut out[first * width + position..];
            write(array, labels, (own, width)).map_err(|(at, reason)| RowsError::Corrupt {
                source_name: file.name(),
                first: rows.start + first + at,
                last: rows.start + first + at,
                reason: format!("column `{}` {reason}", self.columns[column].name),
            })
        })
    }

    pub(super) fn levels(&self, file: &impl Format, column: usize) -> Result<Levels, RowsError> {
        Ok(self.labels(file, column)?.levels.clone())
    }

    /// The levels of a column, which are found in a pass over it.
    fn labels(&self, file: &impl Format, column: usize) -> Result<&Labels, RowsError> {
        if let Some(known) = self.labels[column].get() {
            return Ok(known);
        }
        let (mut indices, mut names, mut count) = (HashMap::new(), Vec::new(), 0);
        for rows in file.blocks(&[column]) {
            file.arrays(rows.clone(), &[column], &mut |_, first, array| {
                if self.columns[column].kind == Kind::Label {
                    each_label(array, &mut |label| {
                        if !indices.contains_key(label) {
                            indices.insert(label.to_owned(), names.len());
                            names.push(label.to_owned());
                        }
                    });
                    return Ok(());
                }
                let mut values = vec![0.0; array.len()];
                // What is too large for a double is none of an index either.
                let _ = write(array, None, (&mut values, 1));
                for (row, value) in (rows.start + first..).zip(values) {
                    let named = || (file.name(), self.columns[column].name.clone());
                    count = count.max(chunk::whole(value).ok_or_else(|| not_whole(named(), row, value))? + 1);
                }
                Ok(())
            })?;
        }
        let levels = if self.columns[column].kind == Kind::Label { Levels::Named(names.into()) } else { Levels::Count(count) };
        Ok(self.labels[column].get_or_init(|| Labels { levels, indices }))
    }
}

/// What a column of a type holds.
fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Float32 | DataType::Float64 => Kind::Real,
        DataType::Boolean => Kind::Bool,
        integer if integer.is_integer() => Kind::Integer,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Label,
        DataType::Dictionary(_, values) if kind(values) == Kind::Label => Kind::Label,
        other => Kind::Other(format!("values of the type {other}; cast them to numbers or labels")),
    }
}

/// Writes an array as numbers, one every so many places.
fn write(
    array: &dyn Array,
    labels: Option<&HashMap<String, usize>>,
    (out, every): (&mut [f64], usize),
) -> Result<(), (usize, String)> {
    if let Some(indices) = labels {
        return write_labels(array, indices, (out, every));
    }
    let whole = |x: i64| if x.abs() <= EXACT { Some(x as f64) } else { None };
    match array.data_type() {
        DataType::Float64 => numbers::<Float64Type>(array, Some, (out, every)),
        DataType::Float32 => numbers::<Float32Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::Int8 => numbers::<Int8Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::Int16 => numbers::<Int16Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::Int32 => numbers::<Int32Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::Int64 => numbers::<Int64Type>(array, whole, (out, every)),
        DataType::UInt8 => numbers::<UInt8Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::UInt16 => numbers::<UInt16Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::UInt32 => numbers::<UInt32Type>(array, |x| Some(f64::from(x)), (out, every)),
        DataType::UInt64 => numbers::<UInt64Type>(array, |x| i64::try_from(x).ok().and_then(whole), (out, every)),
        DataType::Boolean => {
            let truths = array.as_boolean().iter();
            let places = out.iter_mut().step_by(every);
            places.zip(truths).for_each(|(to, truth)| *to = truth.map_or(MISSING, |truth| f64::from(u8::from(truth))));
            Ok(())
        }
        other => Err((0, format!("is of the type {other}"))),
    }
}

/// Numbers of a type; those that are missing as such.
fn numbers<T: ArrowPrimitiveType>(
    array: &dyn Array,
    number: impl Fn(T::Native) -> Option<f64>,
    (out, every): (&mut [f64], usize),
) -> Result<(), (usize, String)> {
    let array = array.as_primitive::<T>();
    let too_large = |at: usize| (at, format!("is {:?}, beyond what a double holds exactly (2^53)", array.value(at)));
    let places = out.iter_mut().step_by(every).zip(array.values()).enumerate();
    match array.nulls() {
        None => {
            for (at, (to, &value)) in places {
                *to = number(value).ok_or_else(|| too_large(at))?;
            }
        }
        Some(nulls) => {
            for (at, (to, &value)) in places {
                *to = if nulls.is_valid(at) { number(value).ok_or_else(|| too_large(at))? } else { MISSING };
            }
        }
    }
    Ok(())
}

/// Labels as the indices of their levels.
fn write_labels(
    array: &dyn Array,
    indices: &HashMap<String, usize>,
    (out, every): (&mut [f64], usize),
) -> Result<(), (usize, String)> {
    let unknown = |at: usize, label: &str| (at, format!("is `{label}`, which was not there when the levels were read"));
    let mut places = out.iter_mut().step_by(every);
    for (at, label) in labels_of(array).into_iter().enumerate() {
        let index = match label {
            Some(label) => *indices.get(label).ok_or_else(|| unknown(at, label))? as f64,
            None => MISSING,
        };
        if let Some(to) = places.next() {
            *to = index;
        }
    }
    Ok(())
}

/// The labels of an array, in order; of a dictionary each once would not do, since levels are named by their first appearance.
fn each_label(array: &dyn Array, visit: &mut dyn FnMut(&str)) {
    labels_of(array).into_iter().flatten().for_each(visit);
}

/// The labels of an array, none where they are missing.
fn labels_of(array: &dyn Array) -> Vec<Option<&str>> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values = labels_of(dictionary.values().as_ref());
        if values.is_empty() {
            return vec![None; array.len()];
        }
        let keys = dictionary.normalized_keys();
        return keys.into_iter().enumerate().map(|(at, key)| if array.is_null(at) { None } else { values[key] }).collect();
    }
    if let Some(strings) = array.as_string_opt::<i32>() {
        return strings.iter().collect();
    }
    if let Some(strings) = array.as_string_opt::<i64>() {
        return strings.iter().collect();
    }
    array.as_string_view_opt().map_or_else(|| vec![None; array.len()], |strings| strings.iter().collect())
}

/// Part of an array.
pub(super) fn slice(array: &ArrayRef, rows: Range<usize>) -> ArrayRef {
    array.slice(rows.start, rows.len())
}
