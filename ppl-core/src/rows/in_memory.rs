//! Columns in memory as a source of rows.

use std::ops::Range;

use super::{Column, Kind, Levels, Rows, RowsError};
use crate::indices::Indices;

/// Columns in memory, for tests, and for data that fit into memory while their shuffled batches are wanted as those of files are.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
/// use ppl_core::rows::InMemory;
/// let rows = InMemory::new().reals("y", vec![1.0, 2.5]).indices("county", &Indices::from_labels(["AITKIN", "ANOKA"]));
/// assert_eq!(rows.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    columns: Vec<Column>,
    values: Vec<Vec<f64>>,
    levels: Vec<Option<Levels>>,
}

impl InMemory {
    /// No columns yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, name: &str, kind: Kind, values: Vec<f64>, levels: Option<Levels>) -> Self {
        let length = self.values.first().map_or(values.len(), Vec::len);
        assert!(values.len() == length, "column `{name}` has {} rows, and those before it {length}", values.len());
        self.columns.push(Column { name: name.to_owned(), kind });
        self.values.push(values);
        self.levels.push(levels);
        self
    }

    /// With a column of numbers, [`MISSING`](super::MISSING) where there is none.
    ///
    /// # Panics
    /// If it is not as long as the others.
    #[must_use]
    pub fn reals(self, name: &str, values: Vec<f64>) -> Self {
        self.with(name, Kind::Real, values, None)
    }

    /// With a column of counts.
    ///
    /// # Panics
    /// As [`InMemory::reals`].
    #[must_use]
    pub fn counts(self, name: &str, values: &[u64]) -> Self {
        self.with(name, Kind::Integer, values.iter().map(|&x| x as f64).collect(), None)
    }

    /// With a column of truths.
    ///
    /// # Panics
    /// As [`InMemory::reals`].
    #[must_use]
    pub fn bools(self, name: &str, values: &[bool]) -> Self {
        self.with(name, Kind::Bool, values.iter().map(|&x| f64::from(u8::from(x))).collect(), None)
    }

    /// With a column of indices.
    ///
    /// # Panics
    /// As [`InMemory::reals`].
    #[must_use]
    pub fn indices(self, name: &str, indices: &Indices) -> Self {
        let values = indices.values().iter().map(|&x| x as f64).collect();
        match indices.shared_levels() {
            Some(names) => self.with(name, Kind::Label, values, Some(Levels::Named(names.clone()))),
            None => self.with(name, Kind::Integer, values, Some(Levels::Count(indices.size()))),
        }
    }
}

impl Rows for InMemory {
    fn name(&self) -> String {
        "rows in memory".to_owned()
    }

    fn len(&self) -> usize {
        self.values.first().map_or(0, Vec::len)
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn read(&self, rows: Range<usize>, columns: &[usize], out: &mut [f64]) -> Result<(), RowsError> {
        for (at, &column) in columns.iter().enumerate() {
            let own = &self.values[column][rows.clone()];
            out.iter_mut().skip(at).step_by(columns.len()).zip(own).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }

    fn blocks(&self, _columns: &[usize]) -> Vec<Range<usize>> {
        // Nothing is read better together.
        super::pieces(0..self.len(), 64)
    }

    fn levels(&self, column: usize) -> Result<Levels, RowsError> {
        if let Some(levels) = &self.levels[column] {
            return Ok(levels.clone());
        }
        let (mut count, values) = (0, &self.values[column]);
        for (row, &value) in values.iter().enumerate() {
            let named = || (self.name(), self.columns[column].name.clone());
            count = count.max(super::chunk::whole(value).ok_or_else(|| super::chunk::not_whole(named(), row, value))? + 1);
        }
        Ok(Levels::Count(count))
    }
}
