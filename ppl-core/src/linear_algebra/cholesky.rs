//! The Cholesky factor of a positive definite matrix.

use super::vector::{add_scaled, dot, four_dots};
use crate::kernel::Lanes;

/// Writes the lower triangular `L` with positive diagonal and `L L^T = A`; above the diagonal, zeros.
///
/// Where a lane of `A` is not positive definite, the elements of `L` from the first pivot that is not positive are `NaN` in that lane.
///
/// # Shapes
/// `a` and `l` are `n` by `n`; of `a` the lower triangle is read.
///
/// # Source
/// Golub and Van Loan, *Matrix Computations*, algorithm 4.2.1 (by columns, each from those before).
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::cholesky;
/// let mut l = [0.0; 4];
/// cholesky(&[4.0, 2.0, 2.0, 10.0], 2, &mut l);
/// assert_eq!(l, [2.0, 0.0, 1.0, 3.0]);
/// ```
#[inline(always)]
pub fn cholesky<V: Lanes>(a: &[V], n: usize, l: &mut [V]) {
    for j in 0..n {
        let (before, after) = l.split_at_mut((j + 1) * n);
        let row = &mut before[j * n..];
        let pivot = a[j * n + j] - dot(&row[..j], &row[..j]);
        let root = V::select(V::zero().lt(pivot), pivot.sqrt(), V::constant(f64::NAN));
        let inverse = V::constant(1.0) / root;
        row[j] = root;
        for k in j + 1..n {
            row[k] = V::zero();
        }
        let known = &row[..j];
        let mut i = j + 1;
        while i + 4 <= n {
            let rows = &mut after[(i - j - 1) * n..];
            let sums = four_dots(rows, n, known);
            for r in 0..4 {
                rows[r * n + j] = (a[(i + r) * n + j] - sums[r]) * inverse;
            }
            i += 4;
        }
        while i < n {
            let row = &mut after[(i - j - 1) * n..(i - j) * n];
            row[j] = (a[i * n + j] - dot(&row[..j], known)) * inverse;
            i += 1;
        }
    }
}

/// Adds the adjoint of `A` to the lower triangle of `a_adjoint`, given that of `L = cholesky(A)`, which is consumed.
///
/// # Shapes
/// All are `n` by `n`. What stands above the diagonals is neither read nor written.
///
/// # Source
/// Murray 2016, *Differentiation of the Cholesky decomposition* (arXiv:1602.07527), section 3: reverse mode, unblocked.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::pull_cholesky;
/// // L = sqrt(A) of a number: dL / dA = 1 / 2 L.
/// let mut adjoint = [1.0];
/// pull_cholesky(&[2.0], &mut [3.0], 1, &mut adjoint);
/// assert_eq!(adjoint, [1.75]);
/// ```
#[inline(always)]
pub fn pull_cholesky<V: Lanes>(l: &[V], l_adjoint: &mut [V], n: usize, a_adjoint: &mut [V]) {
    for j in (0..n).rev() {
        let known = &l[j * n..j * n + j];
        let inverse = V::constant(1.0) / l[j * n + j];
        let (before, after) = l_adjoint.split_at_mut((j + 1) * n);
        let row_adjoint = &mut before[j * n..];
        let mut of_root = row_adjoint[j];
        for i in j + 1..n {
            // l_ij = (a_ij - sum over k < j of l_ik l_jk) / l_jj
            let below = &l[i * n..][..=j];
            let below_adjoint = &mut after[(i - j - 1) * n..(i - j) * n];
            let own = below_adjoint[j] * inverse;
            of_root = of_root - own * below[j];
            a_adjoint[i * n + j] = a_adjoint[i * n + j] + own;
            let (below, below_adjoint, row_adjoint) = (&below[..j], &mut below_adjoint[..j], &mut row_adjoint[..j]);
            for k in 0..j {
                below_adjoint[k] = (-own).mul_add(known[k], below_adjoint[k]);
                row_adjoint[k] = (-own).mul_add(below[k], row_adjoint[k]);
            }
        }
        // l_jj = sqrt(a_jj - sum over k < j of l_jk^2)
        let own = V::constant(0.5) * of_root * inverse;
        a_adjoint[j * n + j] = a_adjoint[j * n + j] + own;
        add_scaled(row_adjoint, -(own + own), known);
    }
}
