//! A positive definite matrix by its Cholesky factor: the product, the determinant and the quadratic form of the inverse.

use super::triangular::{solve_lower, solve_lower_transposed};
use super::vector::{add_scaled, dot};
use crate::kernel::Lanes;

/// Writes `A = L L^T`, both triangles.
///
/// # Shapes
/// `l` and `a` are `n` by `n`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::factor_product;
/// let mut a = [0.0; 4];
/// factor_product(&[2.0, 0.0, 1.0, 3.0], 2, &mut a);
/// assert_eq!(a, [4.0, 2.0, 2.0, 10.0]);
/// ```
#[inline(always)]
pub fn factor_product<V: Lanes>(l: &[V], n: usize, a: &mut [V]) {
    for i in 0..n {
        for j in 0..=i {
            let sum = dot(&l[j * n..][..=j], &l[i * n..]);
            a[i * n + j] = sum;
            a[j * n + i] = sum;
        }
    }
}

/// Adds the adjoint of `L` (lower triangle), given that of `A = L L^T` (both triangles are read).
///
/// # Shapes
/// As [`factor_product`].
#[inline(always)]
pub fn pull_factor_product<V: Lanes>(l: &[V], n: usize, a_adjoint: &[V], l_adjoint: &mut [V]) {
    for i in 0..n {
        for j in 0..=i {
            let own = a_adjoint[i * n + j];
            // The diagonal of A is written once, and its element of L read twice.
            let own = if i == j { own } else { own + a_adjoint[j * n + i] };
            add_scaled(&mut l_adjoint[i * n..], own, &l[j * n..][..=j]);
            add_scaled(&mut l_adjoint[j * n..], own, &l[i * n..][..=j]);
        }
    }
}

/// `ln det(L L^T) = 2 sum of ln l_ii`
///
/// # Shapes
/// `l` is `n` by `n`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::factor_log_det;
/// assert!((factor_log_det(&[2.0, 0.0, 1.0, 3.0], 2) - 36_f64.ln()).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn factor_log_det<V: Lanes>(l: &[V], n: usize) -> V {
    let mut sum = V::zero();
    for i in 0..n {
        sum = sum + l[i * n + i].ln();
    }
    sum + sum
}

/// Adds the adjoint of `L` (diagonal), given that of `ln det(L L^T)`.
///
/// # Shapes
/// As [`factor_log_det`].
#[inline(always)]
pub fn pull_factor_log_det<V: Lanes>(l: &[V], n: usize, adjoint: V, l_adjoint: &mut [V]) {
    let twice = adjoint + adjoint;
    for i in 0..n {
        l_adjoint[i * n + i] = l_adjoint[i * n + i] + twice / l[i * n + i];
    }
}

/// `x^T (L L^T)^-1 x`; replaces `x` by `z = L^-1 x`, of which it is the squared length.
///
/// # Shapes
/// `l` is `n` by `n`, `x` has length `n`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::factor_quad_form;
/// let mut x = [4.0, 5.0];
/// assert_eq!(factor_quad_form(&[2.0, 0.0, 1.0, 3.0], &mut x), 5.0);
/// assert_eq!(x, [2.0, 1.0]);
/// ```
#[inline(always)]
pub fn factor_quad_form<V: Lanes>(l: &[V], x: &mut [V]) -> V {
    solve_lower(l, x.len(), x);
    dot(x, x)
}

/// Adds the adjoints of `L` (lower triangle) and `x`, given that of `x^T (L L^T)^-1 x`; `w` is scratch, and left as `(L L^T)^-1 x`.
///
/// # Shapes
/// As [`factor_quad_form`], which gives `z`; `w` has its length.
#[inline(always)]
pub fn pull_factor_quad_form<V: Lanes>(l: &[V], z: &[V], adjoint: V, w: &mut [V], l_adjoint: &mut [V], x_adjoint: &mut [V]) {
    let n = z.len();
    w[..n].copy_from_slice(z);
    solve_lower_transposed(l, n, &mut w[..n]);
    let twice = adjoint + adjoint;
    add_scaled(x_adjoint, twice, &w[..n]);
    for i in 0..n {
        add_scaled(&mut l_adjoint[i * n..], -(twice * w[i]), &z[..=i]);
    }
}
