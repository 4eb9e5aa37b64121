//! Some rows of a source, of which a model is made.

use std::cell::RefCell;
use std::collections::HashMap;

use ndarray::Array2;

use super::{Kind, Levels, Rows, RowsError, is_missing};
use crate::indices::Indices;
use crate::kernel::Real;

/// Some rows of a source, of which a model is made: columns by name.
///
/// The first chunk of a fit is of a few rows and finds out which columns are asked for; of the others, these alone are read.
#[derive(Debug)]
pub struct Chunk<'c> {
    pub(crate) source: &'c dyn Rows,
    pub(crate) columns: Columns<'c>,
    /// Where each row is in the source.
    pub(crate) rows: &'c [usize],
    /// The columns of a plan, `[row][column]`.
    pub(crate) values: &'c [f64],
}

/// The columns of a chunk.
#[derive(Debug)]
pub(crate) enum Columns<'c> {
    /// Those that are asked for are found out, and read as they are: the rows stand one after the other.
    Open(RefCell<Plan>),
    /// They are known and read.
    Planned(&'c Plan),
}

/// Which columns a model is made of, in the order in which it asks for them, and the levels of those that are indices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<usize>,
    positions: HashMap<String, usize>,
    levels: HashMap<usize, Levels>,
}

impl std::fmt::Debug for dyn Rows + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({})", self.name())
    }
}

/// A value as a whole number from zero on.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 2^53")]
pub(super) fn whole(value: f64) -> Option<usize> {
    (value >= 0.0 && value.fract() == 0.0 && value <= 2.0_f64.powi(53)).then_some(value as usize)
}

/// What is wrong with a value that is no whole number from zero on.
pub(super) fn not_whole((source_name, column): (String, String), row: usize, value: f64) -> RowsError {
    if is_missing(value) {
        return RowsError::Missing { source_name, column, row };
    }
    RowsError::Value { source_name, column, row, value, expected: "a whole number from 0 on" }
}

impl Chunk<'_> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where each row is in the source, counted from zero.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        self.rows
    }

    /// A column of numbers, in the precision of the array that takes it; truths are 0 and 1.
    ///
    /// # Errors
    /// [`RowsError`] names the column and the row.
    pub fn reals<E: Real>(&self, column: &str) -> Result<Vec<E>, RowsError> {
        let values = self.numbers(column)?;
        self.refuse_missing(&[column], &values)?;
        Ok(values.into_iter().map(E::from_f64).collect())
    }

    /// A column of numbers some of which are missing.
    ///
    /// # Errors
    /// As [`Chunk::reals`].
    pub fn optional_reals<E: Real>(&self, column: &str) -> Result<Vec<Option<E>>, RowsError> {
        let values = self.numbers(column)?;
        Ok(values.into_iter().map(|value| (!is_missing(value)).then(|| E::from_f64(value))).collect())
    }

    /// Several columns of numbers side by side: `[row, column]`.
    ///
    /// # Errors
    /// As [`Chunk::reals`].
    pub fn matrix<E: Real>(&self, columns: &[impl AsRef<str>]) -> Result<Array2<E>, RowsError> {
        let names: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
        let positions = names.iter().map(|name| self.position(name, is_number, "numbers")).collect::<Result<Vec<_>, _>>()?;
        let mut values: Vec<E> = Vec::with_capacity(self.len() * names.len());
        let mut missing = false;
        match &self.columns {
            Columns::Planned(plan) if positions.windows(2).all(|pair| pair[0] + 1 == pair[1]) && !positions.is_empty() => {
                // Side by side already.
                for row in self.values.chunks_exact(plan.columns.len()) {
                    let own = &row[positions[0]..][..positions.len()];
                    missing |= own.iter().fold(false, |any, &value| any | is_missing(value));
                    values.extend(own.iter().map(|&value| E::from_f64(value)));
                }
            }
            _ => {
                let columns = positions.iter().map(|&position| self.column(position)).collect::<Result<Vec<_>, _>>()?;
                let all = (0..self.len()).flat_map(|row| columns.iter().map(move |column| column[row]));
                values.extend(all.inspect(|&value| missing |= is_missing(value)).map(E::from_f64));
            }
        }
        if missing {
            let columns = names.iter().map(|name| self.numbers(name)).collect::<Result<Vec<_>, _>>()?;
            let all: Vec<f64> = (0..self.len()).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
            self.refuse_missing(&names, &all)?;
        }
        let shape = (self.len(), names.len());
        Ok(Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::from_elem(shape, E::default())))
    }

    /// A column of whole numbers from zero on.
    ///
    /// # Errors
    /// As [`Chunk::reals`].
    pub fn counts(&self, column: &str) -> Result<Vec<u64>, RowsError> {
        let values = self.numbers(column)?;
        let count = |(row, &value): (&usize, &f64)| match whole(value) {
            Some(count) => Ok(count as u64),
            None => Err(not_whole((self.source.name(), column.to_owned()), *row, value)),
        };
        self.rows.iter().zip(&values).map(count).collect()
    }

    /// A column of truths, or of zeros and ones.
    ///
    /// # Errors
    /// As [`Chunk::reals`].
    pub fn bools(&self, column: &str) -> Result<Vec<bool>, RowsError> {
        let values = self.numbers(column)?;
        self.refuse_missing(&[column], &values)?;
        let truth = |(&row, &value): (&usize, &f64)| match value {
            0.0 => Ok(false),
            1.0 => Ok(true),
            _ => {
                let (source_name, column) = (self.source.name(), column.to_owned());
                Err(RowsError::Value { source_name, column, row, value, expected: "0 or 1" })
            }
        };
        self.rows.iter().zip(&values).map(truth).collect()
    }

    /// A column of labels, or of whole numbers from zero on, as indices into the levels that all rows of the source have; names of levels are in the order of their
    /// first appearance. They are found in a pass over the column, once.
    ///
    /// # Errors
    /// As [`Chunk::reals`].
    pub fn indices(&self, column: &str) -> Result<Indices, RowsError> {
        let position = self.position(column, |kind| *kind != Kind::Real && is_known(kind), "labels, or whole numbers")?;
        let index = |(row, &value): (&usize, &f64)| {
            whole(value).ok_or_else(|| not_whole((self.source.name(), column.to_owned()), *row, value))
        };
        let values = self.column(position)?;
        let values = self.rows.iter().zip(&values).map(index).collect::<Result<Vec<_>, _>>()?;
        let named = |levels: &Levels| match levels {
            Levels::Named(names) => Indices::of_levels(values.clone(), names.clone()),
            Levels::Count(count) => Indices::of_size(values.clone(), *count),
        };
        match &self.columns {
            Columns::Planned(plan) => plan.levels.get(&position).map(named).ok_or_else(|| self.not_read(column)),
            Columns::Open(plan) => {
                let own = plan.borrow().columns[position];
                let levels = self.source.levels(own)?;
                let indices = named(&levels);
                plan.borrow_mut().levels.insert(position, levels);
                Ok(indices)
            }
        }
    }

    /// A column of numbers, what is missing as it is.
    fn numbers(&self, column: &str) -> Result<Vec<f64>, RowsError> {
        let position = self.position(column, is_number, "numbers")?;
        self.column(position)
    }

    /// Where a column is among those that are read.
    fn position(&self, name: &str, fits: impl Fn(&Kind) -> bool, expected: &'static str) -> Result<usize, RowsError> {
        if let Columns::Planned(plan) = &self.columns {
            return plan.positions.get(name).copied().ok_or_else(|| self.not_read(name));
        }
        let known = self.source.columns();
        let Some(column) = known.iter().position(|column| column.name == name) else {
            let is_near = |column: &str| column.eq_ignore_ascii_case(name) || column.contains(name) || name.contains(column);
            let near = known.iter().find(|column| is_near(&column.name));
            let few = known.iter().take(20).map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", ");
            let more = if known.len() > 20 { format!(" and {} more", known.len() - 20) } else { String::new() };
            return Err(RowsError::NoColumn {
                source_name: self.source.name(),
                column: name.to_owned(),
                hint: near.map_or_else(String::new, |near| format!("did you mean `{}`? ", near.name)),
                known: few + &more,
            });
        };
        if !fits(&known[column].kind) {
            let found = match &known[column].kind {
                Kind::Real => "real numbers".to_owned(),
                Kind::Integer => "whole numbers".to_owned(),
                Kind::Bool => "truths".to_owned(),
                Kind::Label => "labels, which `chunk.indices` reads".to_owned(),
                Kind::Other(name) => name.clone(),
            };
            return Err(RowsError::Kind { source_name: self.source.name(), column: name.to_owned(), found, expected });
        }
        let Columns::Open(plan) = &self.columns else { return Err(self.not_read(name)) };
        let mut plan = plan.borrow_mut();
        if let Some(&position) = plan.positions.get(name) {
            return Ok(position);
        }
        plan.columns.push(column);
        let position = plan.columns.len() - 1;
        plan.positions.insert(name.to_owned(), position);
        Ok(position)
    }

    fn not_read(&self, column: &str) -> RowsError {
        RowsError::NotRead { source_name: self.source.name(), column: column.to_owned() }
    }

    /// The values of a column that is read.
    fn column(&self, position: usize) -> Result<Vec<f64>, RowsError> {
        match &self.columns {
            Columns::Planned(plan) => Ok(self.values.iter().skip(position).step_by(plan.columns.len()).copied().collect()),
            Columns::Open(plan) => {
                let column = plan.borrow().columns[position];
                let mut values = vec![0.0; self.len()];
                let first = self.rows.first().copied().unwrap_or(0);
                if self.source.columns()[column].kind == Kind::Label {
                    // What the indices of labels are is known after all of them.
                    self.source.levels(column)?;
                }
                self.source.read(first..first + self.len(), &[column], &mut values)?;
                Ok(values)
            }
        }
    }

    /// Refuses missing values, `[row][column]`.
    fn refuse_missing(&self, columns: &[&str], values: &[f64]) -> Result<(), RowsError> {
        let Some(at) = values.iter().position(|&value| is_missing(value)) else { return Ok(()) };
        let (row, column) = (self.rows[at / columns.len()], columns[at % columns.len()].to_owned());
        Err(RowsError::Missing { source_name: self.source.name(), column, row })
    }
}

fn is_number(kind: &Kind) -> bool {
    *kind != Kind::Label && is_known(kind)
}

fn is_known(kind: &Kind) -> bool {
    !matches!(kind, Kind::Other(_))
}
