//! Matrix products: rows of data with latents, a block of rows at a time.

use std::ops::Range;

use super::Kernels;
use crate::kernel::matrix;

/// `dot(x[n], w)` over the rows of a plate: the product of a data matrix with rows of the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a, E> {
    /// The rows of the data, from the first row of the plate on: `[row][inner]`.
    pub matrix: &'a [E],
    /// The length of the dot.
    pub inner: usize,
    /// The first row of the latent in the workspace: `[column][inner]`.
    pub first: usize,
    /// How many vectors the rows are multiplied with.
    pub columns: usize,
}

/// Computes the products of a block: `[row][column][sample]`, product after product.
#[inline(always)]
pub(super) fn forward<K: Kernels>(
    kernels: &K,
    body: usize,
    products: usize,
    block: Range<usize>,
    samples: usize,
    values: &[K::Element],
    out: &mut [K::Element],
) {
    let mut before = 0;
    for index in 0..products {
        let p = kernels.product(body, index);
        let rows = &p.matrix[block.start * p.inner..block.end * p.inner];
        for column in 0..p.columns {
            let vector = (p.first + column * p.inner) * samples;
            matrix::multiply(
                matrix::View { data: rows, rows: block.len(), columns: p.inner, row_stride: p.inner, column_stride: 1 },
                matrix::View {
                    data: &values[vector..vector + p.inner * samples],
                    rows: p.inner,
                    columns: samples,
                    row_stride: samples,
                    column_stride: 1,
                },
                &mut out[(before * block.len() + column) * samples..],
                p.columns * samples,
                false,
            );
        }
        before += p.columns;
    }
}

/// Adds the pullback of the products of a block to the adjoints of the rows that were multiplied.
#[inline(always)]
pub(super) fn pullback<K: Kernels>(
    kernels: &K,
    body: usize,
    products: usize,
    block: Range<usize>,
    samples: usize,
    product_adjoints: &[K::Element],
    adjoints: &mut [K::Element],
) {
    let mut before = 0;
    for index in 0..products {
        let p = kernels.product(body, index);
        let rows = &p.matrix[block.start * p.inner..block.end * p.inner];
        for column in 0..p.columns {
            let vector = (p.first + column * p.inner) * samples;
            matrix::multiply(
                matrix::View { data: rows, rows: p.inner, columns: block.len(), row_stride: 1, column_stride: p.inner },
                matrix::View {
                    data: &product_adjoints[(before * block.len() + column) * samples..],
                    rows: block.len(),
                    columns: samples,
                    row_stride: p.columns * samples,
                    column_stride: 1,
                },
                &mut adjoints[vector..vector + p.inner * samples],
                samples,
                true,
            );
        }
        before += p.columns;
    }
}
