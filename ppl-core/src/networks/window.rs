//! A window that moves over an image: the columns of a convolution as a matrix product, and the way back.

use std::sync::Arc;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) image: Image,
    pub(super) window: Window,
    /// Places from top to bottom.
    pub(super) down: usize,
    /// Places from left to right.
    pub(super) across: usize,
    /// `[patch][place]`: the pixel under each number of the kernel at each place; in the padding, one beyond the image.
    pixels: Arc<[usize]>,
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
        let (down, across) = (count(image.height), count(image.width));
        Ok(Places { image, window, down, across, pixels: pixels(image, window, down, across) })
    }

    /// The number of places.
    pub(super) fn count(&self) -> usize {
        self.down * self.across
    }

    /// The numbers under the kernel at one place.
    pub(super) fn patch(&self) -> usize {
        self.image.channels * self.window.kernel * self.window.kernel
    }

    /// `columns[patch][place]`: the pixel under each number of the kernel at each place, zero in the padding.
    pub(super) fn gather<E: Real>(&self, image: &[E], columns: &mut [E]) {
        for (x, &pixel) in columns.iter_mut().zip(&*self.pixels) {
            *x = image.get(pixel).copied().unwrap_or_default();
        }
    }

    /// Adds each number of `columns[patch][place]` to the pixel that it was gathered from: the adjoint of [`Places::gather`].
    pub(super) fn scatter<E: Real>(&self, columns: &[E], image: &mut [E]) {
        for (&x, &pixel) in columns.iter().zip(&*self.pixels) {
            if let Some(pixel) = image.get_mut(pixel) {
                *pixel = *pixel + x;
            }
        }
    }
}

/// The table of [`Places::pixels`].
fn pixels(image: Image, window: Window, down: usize, across: usize) -> Arc<[usize]> {
    let Window { kernel, stride, padding } = window;
    let mut table = Vec::with_capacity(image.channels * kernel * kernel * down * across);
    // One side of the pixel, if it is within the image.
    let side = |place: usize, within: usize, size: usize| (place * stride + within).checked_sub(padding).filter(|at| *at < size);
    for index in 0..image.channels * kernel * kernel {
        let (channel, in_y, in_x) = (index / (kernel * kernel), index / kernel % kernel, index % kernel);
        for y in (0..down).map(|place| side(place, in_y, image.height)) {
            let pixel = |x: usize| y.map(|y| (channel * image.height + y) * image.width + x);
            table.extend((0..across).map(|place| side(place, in_x, image.width).and_then(pixel).unwrap_or(image.size())));
        }
    }
    table.into()
}
