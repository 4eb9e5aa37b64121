//! A window that moves over an image: the columns of a convolution as a matrix product, and the way back.

use super::NetworkError;
use super::sizes::check_sizes;
use crate::kernel::Real;

/// Sizes of an image: `[channels][height][width]`, the last fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// How many channels.
    pub channels: usize,
    /// How many rows of pixels.
    pub height: usize,
    /// How many pixels in a row.
    pub width: usize,
}

impl Image {
    /// The number of numbers.
    #[must_use]
    pub fn size(self) -> usize {
        self.channels * self.height * self.width
    }
}

/// How a square kernel moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The side of the kernel.
    pub kernel: usize,
    /// From a place of the kernel to the next.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

/// A window over an image, with the number of its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) image: Image,
    pub(super) window: Window,
    /// Places from top to bottom.
    pub(super) down: usize,
    /// Places from left to right.
    pub(super) across: usize,
}

impl Places {
    /// The places of a window on an image.
    pub(super) fn new(layer: &'static str, image: Image, window: Window) -> Result<Self, NetworkError> {
        let sizes = [
            ("the number of channels", image.channels),
            ("the height", image.height),
            ("the width", image.width),
            ("the stride", window.stride),
            ("the padding", window.padding.max(1)),
        ];
        check_sizes(layer, &sizes)?;
        check_sizes(layer, &[("the kernel", window.kernel), ("the kernel", window.kernel), sizes[0]])?;
        let padded = image.height.min(image.width) + 2 * window.padding;
        if padded < window.kernel {
            return Err(NetworkError::Kernel { layer, kernel: window.kernel, image: padded });
        }
        let count = |side: usize| (side + 2 * window.padding - window.kernel) / window.stride + 1;
        Ok(Places { image, window, down: count(image.height), across: count(image.width) })
    }

    /// The number of places.
    pub(super) fn count(&self) -> usize {
        self.down * self.across
    }

    /// The numbers under the kernel at one place.
    pub(super) fn patch(&self) -> usize {
        self.image.channels * self.window.kernel * self.window.kernel
    }

    /// Where the pixels of one number of the patch and one row of places are: the start of the row of pixels (none in the padding), and the places
    /// whose pixel is within the image.
    fn row(&self, channel: usize, in_y: usize, in_x: usize, down: usize) -> Option<(usize, std::ops::Range<usize>)> {
        let Window { stride, padding, .. } = self.window;
        let y = (down * stride + in_y).checked_sub(padding).filter(|y| *y < self.image.height)?;
        let first = padding.saturating_sub(in_x).div_ceil(stride);
        let end = (self.image.width + padding).saturating_sub(in_x).div_ceil(stride).min(self.across);
        Some(((channel * self.image.height + y) * self.image.width, first.min(end)..end))
    }

    /// `columns[patch][place]`: the pixel under each number of the kernel at each place, zero in the padding.
    pub(super) fn gather<E: Real>(&self, image: &[E], columns: &mut [E]) {
        let Window { kernel, stride, padding } = self.window;
        for (index, rows) in columns.chunks_exact_mut(self.count()).enumerate() {
            let (channel, in_y, in_x) = (index / (kernel * kernel), index / kernel % kernel, index % kernel);
            for (down, row) in rows.chunks_exact_mut(self.across).enumerate() {
                let Some((start, valid)) = self.row(channel, in_y, in_x, down) else {
                    row.fill(E::default());
                    continue;
                };
                row[..valid.start].fill(E::default());
                row[valid.end..].fill(E::default());
                if valid.is_empty() {
                    continue;
                }
                let from = start + valid.start * stride + in_x - padding;
                if stride == 1 {
                    let length = valid.len();
                    row[valid].copy_from_slice(&image[from..from + length]);
                } else {
                    row[valid].iter_mut().zip(image[from..].iter().step_by(stride)).for_each(|(x, pixel)| *x = *pixel);
                }
            }
        }
    }

    /// Adds each number of `columns[patch][place]` to the pixel that it was gathered from: the adjoint of [`Places::gather`].
    pub(super) fn scatter<E: Real>(&self, columns: &[E], image: &mut [E]) {
        let Window { kernel, stride, padding } = self.window;
        for (index, rows) in columns.chunks_exact(self.count()).enumerate() {
            let (channel, in_y, in_x) = (index / (kernel * kernel), index / kernel % kernel, index % kernel);
            for (down, row) in rows.chunks_exact(self.across).enumerate() {
                let Some((start, valid)) = self.row(channel, in_y, in_x, down) else { continue };
                if valid.is_empty() {
                    continue;
                }
                let from = start + valid.start * stride + in_x - padding;
                let pixels = image[from..].iter_mut().step_by(stride);
                row[valid].iter().zip(pixels).for_each(|(x, pixel)| *pixel = *pixel + *x);
            }
        }
    }
}
