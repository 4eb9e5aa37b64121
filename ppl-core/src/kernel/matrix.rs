//! The matrix product, of crate `gemm`, behind checked views.

use super::Real;

/// A matrix in memory.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, E> {
    /// The elements.
    pub data: &'a [E],
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// From a row to the next.
    pub row_stride: usize,
    /// From a column to the next.
    pub column_stride: usize,
}

impl<E> View<'_, E> {
    /// One past the last element, or zero.
    fn extent(&self) -> usize {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride + 1
    }
}

/// `out = left * right`, or `out += left * right`; rows of `out` are `out_stride` apart, its columns adjacent.
///
/// # Panics
/// If a view reaches beyond its data or the shapes disagree.
pub fn multiply<E: Real>(left: View<'_, E>, right: View<'_, E>, out: &mut [E], out_stride: usize, add: bool) {
    product(left, right, out, out_stride, add, gemm::Parallelism::None);
}

/// As [`multiply`], on all threads of the current rayon pool if the product is large enough. Tiles of the result are handed out; each is summed
/// by one thread in the same order, so that the bits do not depend on the number of threads.
///
/// # Panics
/// As [`multiply`].
pub fn multiply_shared<E: Real>(left: View<'_, E>, right: View<'_, E>, out: &mut [E], out_stride: usize, add: bool) {
    product(left, right, out, out_stride, add, gemm::Parallelism::Rayon(0));
}

#[allow(unsafe_code)]
fn product<E: Real>(
    left: View<'_, E>,
    right: View<'_, E>,
    out: &mut [E],
    out_stride: usize,
    add: bool,
    parallelism: gemm::Parallelism,
) {
    assert_eq!(left.columns, right.rows, "shapes of a matrix product disagree");
    assert!(left.extent() <= left.data.len() && right.extent() <= right.data.len(), "a view reaches beyond its data");
    let result = View { data: &*out, rows: left.rows, columns: right.columns, row_stride: out_stride, column_stride: 1 };
    assert!(result.extent() <= out.len() && out_stride >= right.columns, "the result of a matrix product does not fit");
    if result.extent() == 0 {
        return;
    }
    let (zero, one) = (E::from_f64(0.0), E::from_f64(1.0));
    if left.columns == 0 {
        if !add {
            out.chunks_mut(out_stride).for_each(|row| row[..right.columns].fill(zero));
        }
        return;
    }
    #[allow(clippy::cast_possible_wrap, reason = "a stride within a slice fits isize")]
    let stride = |x: usize| x as isize;
    // SAFETY: the three views were checked to lie within their slices just above, `out` is borrowed mutably and so
    // overlaps neither operand, its rows do not overlap each other, and `Real` is sealed to `f32` and `f64`, for which
    // `gemm` is defined.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            out.as_mut_ptr(),
            1,
            stride(out_stride),
            add,
            left.data.as_ptr(),
            stride(left.column_stride),
            stride(left.row_stride),
            right.data.as_ptr(),
            stride(right.column_stride),
            stride(right.row_stride),
            one,
            one,
            false,
            false,
            false,
            parallelism,
        );
    }
}
