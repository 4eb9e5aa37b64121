//! Parameters: what a fit maximised, and so has a value and no distribution.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use super::number;

/// An element of a parameter where a fit left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// The name of the element: `share[3]`.
    pub name: String,
    /// The name of its array: `share`.
    pub variable: String,
    /// The value.
    pub value: f64,
}

/// The section of a summary; nothing where there are none.
pub(super) struct Table<'a>(pub(super) &'a [Param]);

/// Elements of one array that are printed.
const SHOWN: usize = 40;

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mut rows = vec![("param", "maximised".to_owned())];
        let mut left_out = Vec::new();
        for array in self.0.chunk_by(|a, b| a.variable == b.variable) {
            rows.extend(array.iter().take(SHOWN).map(|own| (own.name.as_str(), number(own.value))));
            left_out.extend(array.get(SHOWN).map(|own| (&own.variable, array.len() - SHOWN)));
        }
        if self.0.is_empty() {
            return Ok(());
        }
        let widest = |cells: &mut dyn Iterator<Item = &str>| cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths = (widest(&mut rows.iter().map(|row| row.0)), widest(&mut rows.iter().map(|row| row.1.as_str())));
        writeln!(f)?;
        for (name, value) in &rows {
            writeln!(f, "  {name:<left$}  {value:>right$}", left = widths.0, right = widths.1)?;
        }
        for (name, count) in left_out {
            writeln!(f, "  .. and {count} more of `{name}`: `fit.param(\"{name}[..]\")`, or `fit.params()`")?;
        }
        Ok(())
    }
}
