//! The trait of layers: sizes, parameters and a forward pass with its pullback.

use std::fmt::Debug;
use std::ops::Range;

use super::{NetworkError, Work};
use crate::kernel::Real;

/// A tensor among the flat parameters of a layer or network, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTensor {
    /// Its name, such as `layers.0.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where it is.
    pub range: Range<usize>,
}

impl ParameterTensor {
    /// Tensors that follow each other from zero on.
    #[must_use]
    pub fn consecutive(tensors: &[(&str, &[usize])]) -> Vec<Self> {
        let mut start = 0;
        let mut all = Vec::with_capacity(tensors.len());
        for (name, shape) in tensors {
            let end = start + shape.iter().product::<usize>();
            all.push(ParameterTensor { name: (*name).to_owned(), shape: shape.to_vec(), range: start..end });
            start = end;
        }
        all
    }

    /// The same tensor of a layer within another: its name prefixed, its place moved.
    #[must_use]
    pub fn within(self, prefix: &str, offset: usize) -> Self {
        ParameterTensor {
            name: format!("{prefix}.{}", self.name),
            shape: self.shape,
            range: self.range.start + offset..self.range.end + offset,
        }
    }
}

/// What a pullback starts from: a forward pass and the adjoint of its output.
///
/// # Shapes
/// `x: [rows][inputs]`; `y`, `y_adjoint`: `[rows][outputs]`.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, E> {
    /// How many rows.
    pub rows: usize,
    /// The input of the forward pass.
    pub x: &'a [E],
    /// The output as the forward pass wrote it.
    pub y: &'a [E],
    /// The adjoint of the output.
    pub y_adjoint: &'a [E],
}

/// An architecture: a differentiable map of rows of features whose parameters are passed to it.
///
/// The lengths of all slices are those of the sizes; [`super::Network`] checks them.
pub trait Layer<E: Real>: Debug + Send + Sync {
    /// The kind of the layer, for errors.
    fn kind(&self) -> &'static str;
    /// The number of features of a row of the input.
    fn inputs(&self) -> usize;
    /// The number of features of a row of the output.
    fn outputs(&self) -> usize;
    /// The tensors that its flat parameters are made of, one after the other.
    fn tensors(&self) -> Vec<ParameterTensor>;
    /// The number of parameters.
    fn parameter_count(&self) -> usize {
        self.tensors().last().map_or(0, |tensor| tensor.range.end)
    }
    /// Writes the parameters to start from; the same key gives the same bits.
    fn initialize(&self, key: u64, parameters: &mut [E]);
    /// Whether the input is one that the layer can take.
    ///
    /// # Errors
    /// [`NetworkError::Index`] of an embedding.
    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        let _ = (x, rows);
        Ok(())
    }
    /// Writes `y`, and keeps in `work` what the pullback needs.
    ///
    /// # Shapes
    /// `x: [rows][inputs]`, `y: [rows][outputs]`.
    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]);
    /// Adds the adjoints of the input and of the parameters, after a forward pass with the same parameters and `work`.
    ///
    /// # Shapes
    /// `x_adjoint: [rows][inputs]`, `gradient: [parameters]`.
    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]);
}
