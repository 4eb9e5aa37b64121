//! A CSV table by path: columns of numbers, of counts, and of labels turned into indices.

use std::path::Path;

use crate::indices::Indices;

/// A table with named columns, whose cells are read when a column is asked for.
///
/// # Examples
/// ```no_run
/// use ppl_core::files::Table;
/// let table = Table::read_csv("homes.csv")?;
/// let county = table.indices("county")?;
/// let log_radon = table.reals("log_radon")?;
/// # Ok::<(), ppl_core::files::TableError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    path: String,
    names: Vec<String>,
    /// The line of each row in the file, counted from one, and its cells.
    rows: Vec<(u64, Vec<String>)>,
}

/// Why a table or a column could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file could not be opened, or is not a table.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A row has more or fewer cells than the header.
    #[error("{path}, line {line}: {found} cells, but the header has {expected} columns")]
    Ragged {
        /// The file.
        path: String,
        /// The line, counted from one.
        line: u64,
        /// Cells in the line.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// There is no such column.
    #[error("{path}: there is no column `{column}`; {hint}the columns are {known}")]
    NoColumn {
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// "did you mean ..? ", or nothing.
        hint: String,
        /// The columns.
        known: String,
    },
    /// A cell is empty.
    #[error("{path}, line {line}: column `{column}` is empty; fill it in, or leave the line out")]
    EmptyCell {
        /// The file.
        path: String,
        /// The line, counted from one.
        line: u64,
        /// The column.
        column: String,
    },
    /// A cell is not what the column is read as.
    #[error("{path}, line {line}: column `{column}` is `{value}`; expected {expected}")]
    Cell {
        /// The file.
        path: String,
        /// The line, counted from one.
        line: u64,
        /// The column.
        column: String,
        /// The cell.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A column that should have one value for each level has several.
    #[error(
        "{path}, line {line}: column `{column}` is {value} for `{level}`, but {first_value} on line {first_line}; it must be one value for each level"
    )]
    NotConstant {
        /// The file.
        path: String,
        /// The line, counted from one.
        line: u64,
        /// The column.
        column: String,
        /// The level.
        level: String,
        /// The value.
        value: f64,
        /// The line where the level came first.
        first_line: u64,
        /// Its value there.
        first_value: f64,
    },
}

impl Table {
    /// Reads a file with a header line; cells are trimmed, a byte order mark is passed over.
    ///
    /// # Errors
    /// [`TableError::Unreadable`], [`TableError::Ragged`].
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let name = path.as_ref().display().to_string();
        let unreadable =
            |reason: &dyn std::fmt::Display| TableError::Unreadable { path: name.clone(), reason: reason.to_string() };
        let text = std::fs::read(path.as_ref()).map_err(|e| unreadable(&e))?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
        let names: Vec<String> = reader.headers().map_err(|e| unreadable(&e))?.iter().map(str::to_owned).collect();
        if names.iter().all(String::is_empty) {
            return Err(unreadable(&"the file is empty; its first line names the columns"));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| unreadable(&e))?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != names.len() {
                return Err(TableError::Ragged { path: name, line, found: record.len(), expected: names.len() });
            }
            rows.push((line, record.iter().map(str::to_owned).collect()));
        }
        Ok(Table { path: name, names, rows })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The lines and cells of a column, none of them empty.
    fn cells(&self, column: &str) -> Result<Vec<(u64, &str)>, TableError> {
        let Some(index) = self.names.iter().position(|name| name == column) else {
            let near = self
                .names
                .iter()
                .find(|name| name.eq_ignore_ascii_case(column) || name.contains(column) || column.contains(name.as_str()));
            return Err(TableError::NoColumn {
                path: self.path.clone(),
                column: column.to_owned(),
                hint: near.map_or_else(String::new, |near| format!("did you mean `{near}`? ")),
                known: self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            });
        };
        let cell = |(line, cells): &'_ (u64, Vec<String>)| (*line, cells[index].is_empty());
        if let Some((line, _)) = self.rows.iter().map(cell).find(|(_, empty)| *empty) {
            return Err(TableError::EmptyCell { path: self.path.clone(), line, column: column.to_owned() });
        }
        Ok(self.rows.iter().map(|(line, cells)| (*line, cells[index].as_str())).collect())
    }

    fn parsed<T>(&self, column: &str, expected: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, TableError> {
        let cells = self.cells(column)?;
        let cell = |(line, value): (u64, &str)| {
            parse(value).ok_or_else(|| TableError::Cell {
                path: self.path.clone(),
                line,
                column: column.to_owned(),
                value: value.to_owned(),
                expected,
            })
        };
        cells.into_iter().map(cell).collect()
    }

    /// A column of finite numbers.
    ///
    /// # Errors
    /// [`TableError`] names the line, the column and the cell.
    pub fn reals(&self, column: &str) -> Result<Vec<f64>, TableError> {
        self.parsed(column, "a finite number", |cell| cell.parse().ok().filter(|x: &f64| x.is_finite()))
    }

    /// A column of whole numbers from zero on.
    ///
    /// # Errors
    /// [`TableError`] names the line, the column and the cell.
    pub fn counts(&self, column: &str) -> Result<Vec<u64>, TableError> {
        self.parsed(column, "a whole number from 0 on", |cell| cell.parse().ok())
    }

    /// A column of `0` and `1`, `true` and `false`, or `yes` and `no`.
    ///
    /// # Errors
    /// [`TableError`] names the line, the column and the cell.
    pub fn bools(&self, column: &str) -> Result<Vec<bool>, TableError> {
        self.parsed(column, "0 or 1, true or false, yes or no", |cell| match cell.to_ascii_lowercase().as_str() {
            "0" | "false" | "no" => Some(false),
            "1" | "true" | "yes" => Some(true),
            _ => None,
        })
    }

    /// A column of labels as indices, whose levels are numbered in the order of their first appearance.
    ///
    /// # Errors
    /// [`TableError`] names the line and the column.
    pub fn indices(&self, column: &str) -> Result<Indices, TableError> {
        Ok(Indices::from_labels(self.cells(column)?.into_iter().map(|(_, label)| label)))
    }

    /// A column that has one value for each level, as one number a level.
    ///
    /// # Errors
    /// [`TableError::NotConstant`] if it has several; as [`Table::reals`].
    pub fn reals_by_level(&self, column: &str, levels: &Indices) -> Result<Vec<f64>, TableError> {
        let values = self.reals(column)?;
        let mut by_level: Vec<Option<(u64, f64)>> = vec![None; levels.size()];
        for ((&value, &level), (line, _)) in values.iter().zip(levels.values()).zip(&self.rows) {
            match by_level[level] {
                None => by_level[level] = Some((*line, value)),
                Some((first_line, first_value)) if first_value != value => {
                    let name = levels.levels().and_then(|names| names.get(level)).cloned();
                    return Err(TableError::NotConstant {
                        path: self.path.clone(),
                        line: *line,
                        column: column.to_owned(),
                        level: name.unwrap_or_else(|| level.to_string()),
                        value,
                        first_line,
                        first_value,
                    });
                }
                Some(_) => {}
            }
        }
        Ok(by_level.into_iter().map(|value| value.map_or(f64::NAN, |(_, value)| value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of a file with this text.
    fn table(name: &str, text: &str) -> Result<Table, TableError> {
        let path = std::env::temp_dir().join(format!("ppl-table-{name}-{}.csv", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let table = Table::read_csv(&path);
        std::fs::remove_file(&path).unwrap();
        table
    }

    #[test]
    fn columns_are_read_by_name_and_labels_become_indices() {
        let table =
            table("good", "\u{feff}county,y,floor\r\n\"ST LOUIS\", 1.5,0\r\nAITKIN,-2,1\r\n\"ST LOUIS\",3e1,0\r\n").unwrap();
        assert_eq!(table.reals("y").unwrap(), [1.5, -2.0, 30.0]);
        assert_eq!(table.bools("floor").unwrap(), [false, true, false]);
        let county = table.indices("county").unwrap();
        assert_eq!(
            (county.values(), county.levels().unwrap()),
            (&[0, 1, 0][..], &["ST LOUIS".to_owned(), "AITKIN".to_owned()][..])
        );
    }

    #[test]
    fn bad_cells_are_named_by_line_and_column() {
        let table = table("bad", "a,b,g\n1,x,u\n,2,u\n-1,3,v\n").unwrap();
        let message = |result: Result<Vec<f64>, TableError>| result.unwrap_err().to_string();
        assert!(message(table.reals("b")).contains("line 2: column `b` is `x`; expected a finite number"));
        assert!(message(table.reals("a")).contains("line 3: column `a` is empty"));
        assert!(message(table.reals("A")).contains("did you mean `a`?"));
        let groups = table.indices("g").unwrap();
        assert!(table.counts("a").is_err() && table.reals_by_level("b", &groups).is_err());
    }

    #[test]
    fn a_group_column_that_varies_names_both_lines() {
        let table = table("group", "g,u\na,1\nb,2\na,3\n").unwrap();
        let message = table.reals_by_level("u", &table.indices("g").unwrap()).unwrap_err().to_string();
        assert!(message.contains("line 4") && message.contains("`a`") && message.contains("line 2"), "{message}");
    }

    #[test]
    fn ragged_rows_and_missing_files_are_errors() {
        assert!(table("ragged", "a,b\n1,2\n3\n").unwrap_err().to_string().contains("line 3: 1 cells"));
        assert!(table("empty", "").is_err());
        assert!(Table::read_csv("no-such-file.csv").is_err());
    }
}
