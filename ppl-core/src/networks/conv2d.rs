//! Convolutions of images, as matrix products.

use rayon::prelude::*;

use super::dense::{matrix, transposed};
use super::parallel::Parts;
use super::sizes::check_sizes;
use super::window::Places;
use super::{Activation, Image, Layer, NetworkError, ParameterTensor, Pass, Window, Work, initialization};
use crate::kernel::Real;
use crate::kernel::matrix::multiply;

/// The cross-correlation of an image with kernels, plus a bias for each of these; as `torch.nn.Conv2d`.
///
/// # Shapes
/// `weight: [outputs][channels][kernel][kernel]`, `bias: [outputs]`; a row of the input is an [`Image`], a row of the output an image
/// of as many channels as there are kernels and `(side + 2 padding - kernel) / stride + 1` pixels a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv2d {
    places: Places,
    channels: usize,
}

impl Conv2d {
    /// So many kernels over images.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`], [`NetworkError::LargeSize`], [`NetworkError::Kernel`].
    pub fn new(image: Image, channels: usize, window: Window) -> Result<Self, NetworkError> {
        let kernel = ("the kernel", window.kernel);
        check_sizes(
            "conv2d",
            &[("the number of kernels", channels), ("the number of channels", image.channels), kernel, kernel],
        )?;
        Ok(Conv2d { places: Places::new("conv2d", image, window)?, channels })
    }

    /// The sizes of the output.
    #[must_use]
    pub fn output(&self) -> Image {
        Image { channels: self.channels, height: self.places.down, width: self.places.across }
    }

    fn weights(&self) -> usize {
        self.channels * self.places.patch()
    }
}

impl<E: Real> Layer<E> for Conv2d {
    fn kind(&self) -> &'static str {
        "conv2d"
    }

    fn inputs(&self) -> usize {
        self.places.image.size()
    }

    fn outputs(&self) -> usize {
        self.output().size()
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        let side = self.places.window.kernel;
        ParameterTensor::consecutive(&[
            ("weight", &[self.channels, self.places.image.channels, side, side]),
            ("bias", &[self.channels]),
        ])
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        let (weight, bias) = parameters.split_at_mut(self.weights());
        initialization::weights(Activation::Relu, key, self.places.patch(), self.channels, weight);
        bias.fill(E::default());
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let (places, count, patch) = (&self.places, self.places.count(), self.places.patch());
        let (weight, bias) = parameters.split_at(self.weights());
        let (inputs, outputs) = (places.image.size(), self.channels * count);
        let parts = Parts::of(rows);
        let [columns] = work.buffers([parts.count * patch * count]);
        y.par_chunks_mut(parts.rows * outputs)
            .zip(x.par_chunks(parts.rows * inputs))
            .zip(columns.par_chunks_mut(patch * count))
            .for_each(|((y, x), columns)| {
                for (y, x) in y.chunks_exact_mut(outputs).zip(x.chunks_exact(inputs)) {
                    places.gather(x, columns);
                    y.chunks_exact_mut(count).zip(bias).for_each(|(y, &b)| y.fill(b));
                    multiply(matrix(weight, self.channels, patch), matrix(columns, patch, count), y, count, true);
                }
            });
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let (places, count, patch) = (&self.places, self.places.count(), self.places.patch());
        let weight = &parameters[..self.weights()];
        let (inputs, outputs, weights) = (places.image.size(), self.channels * count, self.weights());
        let parts = Parts::of(pass.rows);
        let [columns, gradients] = work.buffers([parts.count * patch * count, parts.count * parameters.len()]);
        gradients.fill(E::default());
        pass.x
            .par_chunks(parts.rows * inputs)
            .zip(pass.y_adjoint.par_chunks(parts.rows * outputs))
            .zip(columns.par_chunks_mut(patch * count).zip(gradients.par_chunks_mut(parameters.len())))
            .for_each(|((x, adjoint), (columns, gradient))| {
                let (d_weight, d_bias) = gradient.split_at_mut(weights);
                for (x, adjoint) in x.chunks_exact(inputs).zip(adjoint.chunks_exact(outputs)) {
                    places.gather(x, columns);
                    let columns = transposed(columns, patch, count);
                    multiply(matrix(adjoint, self.channels, count), columns, d_weight, patch, true);
                    add_row_sums(adjoint, count, d_bias);
                }
            });
        parts.add_in_order(gradients, gradient);
        let Some(x_adjoint) = x_adjoint else { return };
        x_adjoint
            .par_chunks_mut(parts.rows * inputs)
            .zip(pass.y_adjoint.par_chunks(parts.rows * outputs))
            .zip(columns.par_chunks_mut(patch * count))
            .for_each(|((x_adjoint, adjoint), columns)| {
                for (x_adjoint, adjoint) in x_adjoint.chunks_exact_mut(inputs).zip(adjoint.chunks_exact(outputs)) {
                    let weight = transposed(weight, self.channels, patch);
                    multiply(weight, matrix(adjoint, self.channels, count), columns, count, false);
                    places.scatter(columns, x_adjoint);
                }
            });
    }
}

/// Adds to each sum that of a row of so many columns.
pub(super) fn add_row_sums<E: Real>(matrix: &[E], columns: usize, sums: &mut [E]) {
    for (row, sum) in matrix.chunks_exact(columns).zip(sums) {
        *sum = row.iter().fold(*sum, |sum, &x| sum + x);
    }
}
