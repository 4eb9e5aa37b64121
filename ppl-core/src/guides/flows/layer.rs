//! What a flow is made of: invertible maps on the tape, and the parameters that they are handed.

use dfdx::tensor::{Cpu, TensorFromVec};

use crate::tensor::dfdx;
use crate::tensor::{Gradients, Matrix, Recorder, TensorError, Vector};

/// An invertible map of `[dimension, sample]` with parameters, each sample by itself.
pub(super) trait Layer: std::fmt::Debug + Send + Sync {
    /// How many parameters it has.
    fn parameters(&self) -> usize;
    /// Turns standard normal numbers into parameters with which it is the identity, or near it.
    fn initialize(&self, parameters: &mut [f64]);
    /// The map.
    fn forward<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError>;
    /// Its inverse, on the tape too: with derivatives.
    fn inverse<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError>;
}

/// What a map makes of samples.
pub(super) struct Mapped {
    /// `[dimension, sample]`.
    pub(super) v: Matrix<f64, Recorder>,
    /// The logarithm of the absolute Jacobian determinant of the map that was taken, `[sample]`.
    pub(super) log_det: Vector<f64, Recorder>,
}

/// The parameters of a flow, handed out in order as leaves of the tape.
pub(super) struct Leaves<'a> {
    parameters: &'a [f64],
    next: usize,
    given: Vec<Given<'a>>,
}

/// A leaf, where its parameters begin, and which of them count.
struct Given<'a> {
    leaf: Leaf,
    first: usize,
    mask: Option<&'a [f64]>,
}

enum Leaf {
    Matrix(Matrix<f64>),
    Vector(Vector<f64>),
}

impl<'a> Leaves<'a> {
    pub(super) fn new(parameters: &'a [f64]) -> Self {
        Leaves { parameters, next: 0, given: Vec::new() }
    }

    /// Goes to a parameter, from where on the next leaves are handed out.
    pub(super) fn seek(&mut self, parameter: usize) {
        self.next = parameter;
    }

    /// The next parameters as a vector.
    pub(super) fn vector(&mut self, length: usize) -> Result<Vector<f64, Recorder>, TensorError> {
        let values = self.parameters[self.next..][..length].to_vec();
        let vector: Vector<f64> = Cpu::default().try_tensor_from_vec(values, (length,))?;
        let leaf = vector.retaped::<Recorder>();
        self.give(Leaf::Vector(vector), length, None);
        Ok(leaf)
    }

    /// The next parameters as a matrix, row by row, times a mask of zeros and ones.
    pub(super) fn matrix(&mut self, rows: usize, columns: usize, mask: &'a [f64]) -> Result<Matrix<f64, Recorder>, TensorError> {
        let values = self.parameters[self.next..][..rows * columns].iter().zip(mask).map(|(x, mask)| x * mask).collect();
        let matrix: Matrix<f64> = Cpu::default().try_tensor_from_vec(values, (rows, columns))?;
        let leaf = matrix.retaped::<Recorder>();
        self.give(Leaf::Matrix(matrix), rows * columns, Some(mask));
        Ok(leaf)
    }

    fn give(&mut self, leaf: Leaf, length: usize, mask: Option<&'a [f64]>) {
        self.given.push(Given { leaf, first: self.next, mask });
        self.next += length;
    }

    /// Adds the gradients of all that was handed out.
    pub(super) fn collect(self, gradients: &mut Gradients<f64>, gradient: &mut [f64]) -> Result<(), TensorError> {
        for Given { leaf, first, mask } in self.given {
            let own = match leaf {
                Leaf::Matrix(matrix) => gradients.of(&matrix)?.as_vec(),
                Leaf::Vector(vector) => gradients.of(&vector)?.as_vec(),
            };
            let to = gradient[first..].iter_mut().zip(own);
            match mask {
                Some(mask) => to.zip(mask).for_each(|((to, own), mask)| *to += own * mask),
                None => to.for_each(|(to, own)| *to += own),
            }
        }
        Ok(())
    }
}
