//! Transposed convolutions: from a small image to a larger one.

use rayon::prelude::*;

use super::conv2d::add_row_sums;
use super::dense::{matrix, transposed};
use super::parallel::Parts;
use super::sizes::check_sizes;
use super::window::Places;
use super::{Activation, Image, Layer, NetworkError, ParameterTensor, Pass, Window, Work, initialization};
use crate::kernel::Real;
use crate::kernel::matrix::multiply;

/// The adjoint of a convolution with respect to its image, plus a bias for each channel; as `torch.nn.ConvTranspose2d` (Zeiler et al. 2010).
///
/// # Shapes
/// `weight: [channels][outputs][kernel][kernel]`, `bias: [outputs]`; a row of the input is an [`Image`], a row of the output an image of
/// `(side - 1) stride - 2 padding + kernel + extra` pixels a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvTranspose2d {
    /// Of the convolution that goes back: its image is the output.
    places: Places,
    channels: usize,
}

impl ConvTranspose2d {
    /// From images to images of so many channels, with `extra` pixels at the right and at the bottom (less than the stride).
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`], [`NetworkError::LargeSize`], [`NetworkError::Kernel`]; [`NetworkError::Extra`] if `extra` is not less than the stride.
    pub fn new(image: Image, channels: usize, window: Window, extra: usize) -> Result<Self, NetworkError> {
        let layer = "conv_transpose2d";
        let kernel = ("the kernel", window.kernel);
        check_sizes(layer, &[("the number of kernels", channels), ("the number of channels", image.channels), kernel, kernel])?;
        // That all sizes are positive.
        Places::new(layer, image, Window { kernel: window.kernel.min(1), padding: 0, ..window })?;
        if extra >= window.stride {
            return Err(NetworkError::Extra { extra, stride: window.stride });
        }
        // Sizes that are too large stay so, and are refused with those of the output.
        let grown = |side: usize| (side - 1).saturating_mul(window.stride).saturating_add(window.kernel).saturating_add(extra);
        let side = |side: usize| grown(side).saturating_sub(window.padding.saturating_mul(2));
        let output = Image { channels, height: side(image.height), width: side(image.width) };
        let places = Places::new(layer, output, window)?;
        Ok(ConvTranspose2d { places, channels: image.channels })
    }

    /// The sizes of the output.
    #[must_use]
    pub fn output(&self) -> Image {
        self.places.image
    }

    fn weights(&self) -> usize {
        self.channels * self.places.patch()
    }
}

impl<E: Real> Layer<E> for ConvTranspose2d {
    fn kind(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn inputs(&self) -> usize {
        self.channels * self.places.count()
    }

    fn outputs(&self) -> usize {
        self.places.image.size()
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        let (outputs, side) = (self.places.image.channels, self.places.window.kernel);
        ParameterTensor::consecutive(&[("weight", &[self.channels, outputs, side, side]), ("bias", &[outputs])])
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        let (weight, bias) = parameters.split_at_mut(self.weights());
        // A pixel of the output is under about this many numbers of the kernels.
        let overlap = self.places.window.kernel.div_ceil(self.places.window.stride);
        initialization::weights(Activation::Relu, key, self.channels * overlap * overlap, bias.len(), weight);
        bias.fill(E::default());
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let (places, count, patch) = (&self.places, self.places.count(), self.places.patch());
        let (weight, bias) = parameters.split_at(self.weights());
        let (inputs, outputs) = (self.channels * count, places.image.size());
        let pixels = places.image.height * places.image.width;
        let parts = Parts::of(rows);
        let [columns] = work.buffers([parts.count * patch * count]);
        y.par_chunks_mut(parts.rows * outputs)
            .zip(x.par_chunks(parts.rows * inputs))
            .zip(columns.par_chunks_mut(patch * count))
            .for_each(|((y, x), columns)| {
                for (y, x) in y.chunks_exact_mut(outputs).zip(x.chunks_exact(inputs)) {
                    let weight = transposed(weight, self.channels, patch);
                    multiply(weight, matrix(x, self.channels, count), columns, count, false);
                    y.chunks_exact_mut(pixels).zip(bias).for_each(|(y, &b)| y.fill(b));
                    places.scatter(columns, y);
                }
            });
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let (places, count, patch) = (&self.places, self.places.count(), self.places.patch());
        let weight = &parameters[..self.weights()];
        let (inputs, outputs, weights) = (self.channels * count, places.image.size(), self.weights());
        let pixels = places.image.height * places.image.width;
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
                    places.gather(adjoint, columns);
                    multiply(matrix(x, self.channels, count), transposed(columns, patch, count), d_weight, patch, true);
                    add_row_sums(adjoint, pixels, d_bias);
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
                    places.gather(adjoint, columns);
                    multiply(matrix(weight, self.channels, patch), matrix(columns, patch, count), x_adjoint, count, true);
                }
            });
    }
}
