//! Products of matrices and vectors.

use super::vector::{add_scaled, dot, four_dots};
use crate::kernel::Lanes;

/// Writes `y = A x`.
///
/// # Shapes
/// `a` is `y.len()` by `x.len()`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::matvec;
/// let mut y = [0.0; 2];
/// matvec(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, 2.0], &mut y);
/// assert_eq!(y, [7.0, 16.0]);
/// ```
#[inline(always)]
pub fn matvec<V: Lanes>(a: &[V], x: &[V], y: &mut [V]) {
    let (rows, columns) = (y.len(), x.len());
    let mut i = 0;
    while i + 4 <= rows {
        let sums = four_dots(&a[i * columns..], columns, x);
        y[i..i + 4].copy_from_slice(&sums);
        i += 4;
    }
    while i < rows {
        y[i] = dot(x, &a[i * columns..]);
        i += 1;
    }
}

/// Adds the adjoints of `A` and `x`, given that of `y = A x`.
///
/// # Shapes
/// As [`matvec`].
#[inline(always)]
pub fn pull_matvec<V: Lanes>(a: &[V], x: &[V], y_adjoint: &[V], a_adjoint: &mut [V], x_adjoint: &mut [V]) {
    let columns = x.len();
    for i in 0..y_adjoint.len() {
        let own = y_adjoint[i];
        add_scaled(&mut a_adjoint[i * columns..], own, x);
        add_scaled(x_adjoint, own, &a[i * columns..(i + 1) * columns]);
    }
}

/// Writes `y = A^T x`.
///
/// # Shapes
/// `a` is `x.len()` by `y.len()`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::matvec_transposed;
/// let mut y = [0.0; 3];
/// matvec_transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 2.0], &mut y);
/// assert_eq!(y, [9.0, 12.0, 15.0]);
/// ```
#[inline(always)]
pub fn matvec_transposed<V: Lanes>(a: &[V], x: &[V], y: &mut [V]) {
    let columns = y.len();
    for k in 0..columns {
        y[k] = V::zero();
    }
    for i in 0..x.len() {
        add_scaled(y, x[i], &a[i * columns..(i + 1) * columns]);
    }
}

/// Adds the adjoints of `A` and `x`, given that of `y = A^T x`.
///
/// # Shapes
/// As [`matvec_transposed`].
#[inline(always)]
pub fn pull_matvec_transposed<V: Lanes>(a: &[V], x: &[V], y_adjoint: &[V], a_adjoint: &mut [V], x_adjoint: &mut [V]) {
    let columns = y_adjoint.len();
    for i in 0..x.len() {
        add_scaled(&mut a_adjoint[i * columns..], x[i], y_adjoint);
        x_adjoint[i] = x_adjoint[i] + dot(y_adjoint, &a[i * columns..]);
    }
}

/// Writes `C = A B`.
///
/// # Shapes
/// `a` is `rows` by `inner`, `b` is `inner` by `columns`, `c` is `rows` by `columns`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::matmul;
/// let mut c = [0.0; 4];
/// matmul(&[1.0, 2.0, 3.0, 4.0], &[0.0, 1.0, 1.0, 1.0], [2, 2, 2], &mut c);
/// assert_eq!(c, [2.0, 3.0, 4.0, 7.0]);
/// ```
#[inline(always)]
pub fn matmul<V: Lanes>(a: &[V], b: &[V], [rows, inner, columns]: [usize; 3], c: &mut [V]) {
    for i in 0..rows {
        let row = &a[i * inner..(i + 1) * inner];
        let out = &mut c[i * columns..(i + 1) * columns];
        let mut j = 0;
        while j + 4 <= columns {
            let mut sums = [V::zero(); 4];
            for k in 0..inner {
                let right = &b[k * columns + j..k * columns + j + 4];
                for r in 0..4 {
                    sums[r] = row[k].mul_add(right[r], sums[r]);
                }
            }
            out[j..j + 4].copy_from_slice(&sums);
            j += 4;
        }
        while j < columns {
            let mut sum = V::zero();
            for k in 0..inner {
                sum = row[k].mul_add(b[k * columns + j], sum);
            }
            out[j] = sum;
            j += 1;
        }
    }
}

/// Adds the adjoints of `A` and `B`, given that of `C = A B`.
///
/// # Shapes
/// As [`matmul`].
#[inline(always)]
pub fn pull_matmul<V: Lanes>(
    a: &[V],
    b: &[V],
    [rows, inner, columns]: [usize; 3],
    c_adjoint: &[V],
    a_adjoint: &mut [V],
    b_adjoint: &mut [V],
) {
    for i in 0..rows {
        let own = &c_adjoint[i * columns..(i + 1) * columns];
        for k in 0..inner {
            a_adjoint[i * inner + k] = a_adjoint[i * inner + k] + dot(own, &b[k * columns..]);
            add_scaled(&mut b_adjoint[k * columns..], a[i * inner + k], own);
        }
    }
}

/// `x^T A x`, of the whole matrix: both triangles are read.
///
/// # Shapes
/// `a` is `n` by `n`, `x` has length `n`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::quad_form;
/// assert_eq!(quad_form(&[2.0, 1.0, 1.0, 3.0], &[1.0, 2.0]), 18.0);
/// ```
#[inline(always)]
pub fn quad_form<V: Lanes>(a: &[V], x: &[V]) -> V {
    let n = x.len();
    let mut sum = V::zero();
    for i in 0..n {
        sum = x[i].mul_add(dot(x, &a[i * n..]), sum);
    }
    sum
}

/// Adds the adjoints of `A` (both triangles) and `x`, given that of `x^T A x`.
///
/// # Shapes
/// As [`quad_form`].
#[inline(always)]
pub fn pull_quad_form<V: Lanes>(a: &[V], x: &[V], adjoint: V, a_adjoint: &mut [V], x_adjoint: &mut [V]) {
    let n = x.len();
    for i in 0..n {
        let own = adjoint * x[i];
        let row = &a[i * n..(i + 1) * n];
        add_scaled(&mut a_adjoint[i * n..], own, x);
        add_scaled(x_adjoint, own, row);
        x_adjoint[i] = x_adjoint[i] + adjoint * dot(x, row);
    }
}
