//! Some elements of a plate, which stand for all of them.

use std::borrow::Cow;

use super::{Dimension, Layout};

/// Some elements of a plate, which stand for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'r> {
    /// Which of [`Graph::dims`](super::Graph::dims).
    pub plate: usize,
    /// How many elements it has.
    pub size: usize,
    /// Which of them are taken, each once.
    pub rows: &'r [usize],
}

impl Batch<'_> {
    /// How many elements of the plate each of the batch stands for: `N / B`.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.size as f64 / self.rows.len() as f64
    }

    /// The size that a dimension has in the batch.
    #[must_use]
    pub fn size(&self, dim: usize, size: usize) -> usize {
        if dim == self.plate { self.rows.len() } else { size }
    }

    /// The elements of an array that are in the batch; its axes are dimensions and sizes, the last fastest.
    #[must_use]
    pub fn array<'a, T: Copy>(&self, all: &'a [T], axes: &[(usize, usize)]) -> Cow<'a, [T]> {
        let Some(axis) = axes.iter().position(|(dim, _)| *dim == self.plate) else { return Cow::Borrowed(all) };
        let size = |axes: &[(usize, usize)]| axes.iter().map(|(_, size)| size).product::<usize>();
        let (outer, own, inner) = (size(&axes[..axis]), axes[axis].1, size(&axes[axis + 1..]));
        // All that there are, as they are: rows of a file that were bound by themselves.
        if self.rows.len() == own && self.rows.iter().copied().eq(0..own) {
            return Cow::Borrowed(all);
        }
        let mut some = Vec::with_capacity(outer * self.rows.len() * inner);
        for first in 0..outer {
            for row in self.rows {
                some.extend_from_slice(&all[(first * own + row) * inner..][..inner]);
            }
        }
        Cow::Owned(some)
    }

    /// The dimensions with their sizes in the batch; names of levels are left out.
    #[must_use]
    pub fn dimensions(&self, layout: &Layout) -> Vec<Dimension> {
        let sized =
            |(dim, known): (usize, &Dimension)| Dimension { name: known.name, size: self.size(dim, known.size), levels: None };
        layout.dims.iter().enumerate().map(sized).collect()
    }

    /// The unconstrained dimensions that the batch has, in its own order.
    #[must_use]
    pub fn unconstrained(&self, layout: &Layout) -> Vec<usize> {
        let mut dimensions = Vec::new();
        for latent in layout.guided() {
            let all: Vec<usize> = latent.unconstrained.clone().collect();
            // The last axis has fewer unconstrained numbers than elements where it is a simplex.
            let mut axes: Vec<(usize, usize)> = latent.dims.iter().copied().zip(latent.shape.iter().copied()).collect();
            let elements: usize = latent.shape.iter().product();
            if let (Some((_, last)), true) = (axes.last_mut(), elements != all.len() && latent.missing.is_none()) {
                *last = all.len() * *last / elements;
            }
            dimensions.extend_from_slice(&self.array(&all, &axes));
        }
        dimensions
    }
}

/// Why a model cannot be taken in batches.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A name that is no dimension.
    #[error("`{name}` is not a dimension of `{model}`; those that can be taken in batches are {known}")]
    Unknown {
        /// The model.
        model: &'static str,
        /// The name.
        name: String,
        /// The dimensions that can be.
        known: String,
    },
    /// A dimension whose elements depend on each other.
    #[error("`{model}` cannot be taken in batches of `{plate}`: {reason}; dimensions that can be: {known}")]
    Refused {
        /// The model.
        model: &'static str,
        /// The dimension.
        plate: &'static str,
        /// Why.
        reason: &'static str,
        /// The dimensions that can be.
        known: String,
    },
}
