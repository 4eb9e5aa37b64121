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
    /// What goes with them, by [`LogJoint::following`](super::LogJoint::following).
    pub following: &'r [Following],
}

/// The elements of a dimension that belong to those of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    /// Which of [`Graph::dims`](super::Graph::dims).
    pub dim: usize,
    /// The one that its elements belong to.
    pub parent: usize,
    /// Which of its elements are taken.
    pub rows: Vec<usize>,
    /// To which of the parent's elements that are taken each belongs.
    pub belongs: Vec<usize>,
    /// To which of the elements of the batch each belongs.
    pub owners: Vec<usize>,
}

/// The elements that belong to each of a parent's.
#[derive(Debug)]
pub(crate) struct Inverse {
    /// Where those of each begin, and where the last end.
    starts: Vec<usize>,
    elements: Vec<usize>,
}

impl Inverse {
    /// Of what each element belongs to, of so many.
    pub(crate) fn new(belongs: &[usize], size: usize) -> Self {
        let mut starts = vec![0; size + 1];
        belongs.iter().for_each(|&owner| starts[owner + 1] += 1);
        (0..size).for_each(|owner| starts[owner + 1] += starts[owner]);
        let (mut next, mut elements) = (starts.clone(), vec![0; belongs.len()]);
        for (element, &owner) in belongs.iter().enumerate() {
            elements[next[owner]] = element;
            next[owner] += 1;
        }
        Inverse { starts, elements }
    }

    /// The elements of some of the parent's, and to which of these each belongs.
    pub(crate) fn of(&self, rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let (mut elements, mut belongs) = (Vec::new(), Vec::new());
        for (position, &row) in rows.iter().enumerate() {
            let own = &self.elements[self.starts[row]..self.starts[row + 1]];
            elements.extend_from_slice(own);
            belongs.resize(elements.len(), position);
        }
        (elements, belongs)
    }
}

impl Batch<'_> {
    /// How many elements of the plate each of the batch stands for: `N / B`.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.size as f64 / self.rows.len() as f64
    }

    /// The elements of a dimension that are taken, if not all are.
    fn taken(&self, dim: usize) -> Option<&[usize]> {
        if dim == self.plate {
            return Some(self.rows);
        }
        self.following.iter().find(|known| known.dim == dim).map(|known| &known.rows[..])
    }

    /// Whether some of these dimensions are the plate or go with it.
    #[must_use]
    pub fn cuts(&self, dims: &[usize]) -> bool {
        dims.iter().any(|&dim| self.taken(dim).is_some())
    }

    /// The size that a dimension has in the batch.
    #[must_use]
    pub fn size(&self, dim: usize, size: usize) -> usize {
        self.taken(dim).map_or(size, <[usize]>::len)
    }

    /// The elements of an array that are in the batch; its axes are dimensions and sizes, the last fastest.
    #[must_use]
    pub fn array<'a, T: Copy>(&self, all: &'a [T], axes: &[(usize, usize)]) -> Cow<'a, [T]> {
        let mut some = Cow::Borrowed(all);
        for (axis, &(dim, own)) in axes.iter().enumerate() {
            let Some(rows) = self.taken(dim) else { continue };
            // All that there are, as they are: rows of a file that were bound by themselves.
            if rows.len() == own && rows.iter().copied().eq(0..own) {
                continue;
            }
            let outer: usize = axes[..axis].iter().map(|&(dim, size)| self.size(dim, size)).product();
            let inner: usize = axes[axis + 1..].iter().map(|(_, size)| size).product();
            let mut chosen = Vec::with_capacity(outer * rows.len() * inner);
            for first in 0..outer {
                for row in rows {
                    chosen.extend_from_slice(&some[(first * own + row) * inner..][..inner]);
                }
            }
            some = Cow::Owned(chosen);
        }
        some
    }

    /// As [`Batch::array`], of indices into a dimension: where their elements belong to those of the batch, which of these.
    #[must_use]
    pub fn indices<'a>(&self, all: &'a [usize], axes: &[(usize, usize)], into: usize) -> Cow<'a, [usize]> {
        let own = |known: &&Following| known.parent == into && axes.len() == 1 && axes[0].0 == known.dim;
        match self.following.iter().find(own) {
            Some(known) => Cow::Owned(known.belongs.clone()),
            None => self.array(all, axes),
        }
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
        self.each_dimension(layout, |dimension, _| dimensions.push(dimension));
        dimensions
    }

    /// Visits the unconstrained dimensions that the batch has, in its own order: which it is among all, and to which of the elements of the batch it belongs, if it is
    /// over the plate.
    pub fn each_dimension(&self, layout: &Layout, mut visit: impl FnMut(usize, Option<usize>)) {
        for latent in layout.guided() {
            let own = latent.unconstrained.clone();
            let Some(axis) = latent.dims.iter().position(|&dim| self.taken(dim).is_some()) else {
                own.for_each(|dimension| visit(dimension, None));
                continue;
            };
            let outer: usize = latent.shape[..axis].iter().product();
            // The last axis has fewer unconstrained numbers than elements where it is a simplex.
            let (size, inner) = (latent.shape[axis], own.len() / (outer * latent.shape[axis]).max(1));
            let following = self.following.iter().find(|known| known.dim == latent.dims[axis]);
            let rows = following.map_or(self.rows, |known| &known.rows);
            for first in 0..outer {
                for (position, row) in rows.iter().enumerate() {
                    let owner = following.map_or(position, |known| known.owners[position]);
                    let start = own.start + (first * size + row) * inner;
                    (start..start + inner).for_each(|dimension| visit(dimension, Some(owner)));
                }
            }
        }
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
