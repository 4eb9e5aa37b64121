//! Rows that a model made.

use ndarray::{Array2, ArrayViewD};

use super::AmortizedError;
use super::engine::Engine;
use crate::kernel::Real;
use crate::model::Variable;

/// Rows that a model made: each array is `[row][element]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The latents, by name.
    pub latents: Vec<(&'static str, Array2<f64>)>,
    /// What the networks of the model gave, by the name of the parameter of the row.
    pub results: Vec<(&'static str, Array2<f64>)>,
    /// Draws of the observed arrays, by name.
    pub observed: Vec<(&'static str, Array2<f64>)>,
    /// The means of the observed arrays given the latents, by name: of those whose every element has a mean that is known in closed form.
    pub means: Vec<(&'static str, Array2<f64>)>,
    /// The sizes of the axes of each of these in a row, by name.
    shapes: Vec<(&'static str, Vec<usize>)>,
}

impl Generated {
    fn find<'a>(all: &'a [(&'static str, Array2<f64>)], name: &str) -> Option<&'a Array2<f64>> {
        all.iter().find(|(own, _)| *own == name).map(|(_, array)| array)
    }

    /// A latent, a result or an observed array by name; none if there is no such array.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<&Array2<f64>> {
        [&self.latents, &self.results, &self.observed].into_iter().find_map(|all| Self::find(all, name))
    }

    /// As [`Generated::array`], with the axes that it has in the model, the rows before them: of `logits[n, t, v]` it is `[row][t][v]`.
    #[must_use]
    pub fn shaped(&self, name: &str) -> Option<ArrayViewD<'_, f64>> {
        let (_, axes) = self.shapes.iter().find(|(own, _)| *own == name)?;
        let array = self.array(name)?;
        let shape: Vec<usize> = std::iter::once(array.nrows()).chain(axes.iter().copied()).collect();
        array.view().into_shape_with_order(shape).ok()
    }

    /// The mean of an observed array given the latents; none if there is no such array, or if an element of it has no mean (a `Cauchy`, a `StudentT` of at most one
    /// degree of freedom) or none that is known in closed form (a truncated distribution, one of the user's own).
    #[must_use]
    pub fn mean(&self, name: &str) -> Option<&Array2<f64>> {
        Self::find(&self.means, name)
    }

    /// Arrays of so many rows.
    pub(super) fn of_rows<E: Real>(engine: &Engine<'_, E>, rows: usize) -> Self {
        let layout = engine.model.layout();
        let zeros = |v: &Variable| (v.name, Array2::zeros((rows, v.rows.len())));
        let observed: Vec<_> = layout.observed.iter().map(zeros).collect();
        Generated {
            latents: engine.latents().map(|(name, own, _)| (name, Array2::zeros((rows, own.len())))).collect(),
            results: results(engine).map(zeros).collect(),
            means: observed.clone(),
            observed,
            shapes: layout.variables.iter().chain(&layout.observed).map(|v| (v.name, v.shape.clone())).collect(),
        }
    }
}

/// The most numbers that are made at once.
const MOST: usize = 1 << 31;

/// That so many of something, of so many numbers each, are not too many.
pub(super) fn check_count(field: &'static str, count: usize, each: usize) -> Result<(), AmortizedError> {
    if count.saturating_mul(each.max(1)) <= MOST {
        return Ok(());
    }
    let expected = "small enough that at most 2147483648 numbers are made in a call";
    Err(AmortizedError::Config { field, value: count as f64, expected })
}

/// The numbers of a row of what is made.
pub(super) fn numbers<E: Real>(engine: &Engine<'_, E>) -> usize {
    engine.model.layout().rows() + 2 * engine.model.layout().observed_elements()
}

/// The parameters that networks of the model fill.
pub(super) fn results<'a, E: Real>(engine: &'a Engine<'_, E>) -> impl Iterator<Item = &'a Variable> {
    let outcomes = || engine.model_plan.calls.iter().flat_map(|call| &call.results);
    engine.model.layout().parameters().filter(move |v| outcomes().any(|outcome| outcome.rows == v.rows))
}
