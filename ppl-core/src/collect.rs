//! Draws as arrays: named, shaped, the first axis being the draw.

use ndarray::{Array, Dimension as Rank};

use crate::model::{Layout, Variable};

/// Rows of a layout, draw after draw.
#[cfg(feature = "nuts")]
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) draws: usize,
    pub(crate) rows: usize,
    pub(crate) values: Vec<f64>,
}

#[cfg(feature = "nuts")]
impl Columns {
    /// All draws of a row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().skip(row).step_by(self.rows).copied()
    }
}

/// The draws of a latent or a quantity.
///
/// # Panics
/// If the layout is not of the model that asks, or the columns not of the layout.
#[must_use]
pub fn draws_array<D: Rank>(layout: &Layout, name: &str, draws: usize, columns: &[f64]) -> Array<f64, D> {
    collect(&layout.variables, layout.rows(), name, draws, columns)
}

/// The predictive draws of an observed array.
///
/// # Panics
/// If the layout is not of the model that asks, or the columns not of the layout.
#[must_use]
pub fn predictive_array<D: Rank>(layout: &Layout, name: &str, draws: usize, columns: &[f64]) -> Array<f64, D> {
    collect(&layout.observed, layout.observed_elements(), name, draws, columns)
}

fn collect<D: Rank>(variables: &[Variable], stride: usize, name: &str, draws: usize, columns: &[f64]) -> Array<f64, D> {
    let variable = variables.iter().find(|v| v.name == name).expect("the layout is of this model");
    // A long quantity that was not asked for has no draws.
    let draws = if variable.rows.len() == variable.shape.iter().product::<usize>() { draws } else { 0 };
    let mut values = Vec::with_capacity(draws * variable.rows.len());
    for draw in 0..draws {
        let start = draw * stride;
        values.extend_from_slice(&columns[start + variable.rows.start..start + variable.rows.end]);
    }
    let mut shape = D::zeros(variable.shape.len() + 1);
    shape[0] = draws;
    shape.slice_mut()[1..].copy_from_slice(&variable.shape);
    Array::from_shape_vec(shape, values).expect("the columns are of this layout")
}
