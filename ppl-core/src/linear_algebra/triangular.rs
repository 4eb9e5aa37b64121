//! Lower triangular systems and products.

use super::vector::{add_scaled, dot};
use crate::kernel::Lanes;

/// Replaces `B` by `L^-1 B`: forward substitution.
///
/// # Shapes
/// `l` is `n` by `n`, `b` is `n` by `m`, with `m = b.len() / n` right-hand sides: a vector is one.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::solve_lower;
/// let mut b = [4.0, 5.0];
/// solve_lower(&[2.0, 0.0, 1.0, 3.0], 2, &mut b);
/// assert_eq!(b, [2.0, 1.0]);
/// ```
#[inline(always)]
pub fn solve_lower<V: Lanes>(l: &[V], n: usize, b: &mut [V]) {
    let m = columns(n, b);
    for k in 0..n {
        let inverse = V::constant(1.0) / l[k * n + k];
        let (known, rest) = b.split_at_mut((k + 1) * m);
        let row = &mut known[k * m..];
        for c in 0..m {
            row[c] = row[c] * inverse;
        }
        for i in k + 1..n {
            add_scaled(&mut rest[(i - k - 1) * m..], -l[i * n + k], row);
        }
    }
}

/// Adds the adjoints of `L` (lower triangle) and `B`, given `X = L^-1 B` and its adjoint, which is consumed.
///
/// # Shapes
/// As [`solve_lower`].
#[inline(always)]
pub fn pull_solve_lower<V: Lanes>(l: &[V], n: usize, x: &[V], x_adjoint: &mut [V], l_adjoint: &mut [V], b_adjoint: &mut [V]) {
    let m = columns(n, x);
    solve_lower_transposed(l, n, x_adjoint);
    for i in 0..n {
        let own = &x_adjoint[i * m..(i + 1) * m];
        for j in 0..=i {
            l_adjoint[i * n + j] = l_adjoint[i * n + j] - dot(own, &x[j * m..]);
        }
    }
    add(b_adjoint, x_adjoint);
}

/// Replaces `B` by `L^-T B`: backward substitution.
///
/// # Shapes
/// As [`solve_lower`].
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::solve_lower_transposed;
/// let mut b = [5.0, 3.0];
/// solve_lower_transposed(&[2.0, 0.0, 1.0, 3.0], 2, &mut b);
/// assert_eq!(b, [2.0, 1.0]);
/// ```
#[inline(always)]
pub fn solve_lower_transposed<V: Lanes>(l: &[V], n: usize, b: &mut [V]) {
    let m = columns(n, b);
    for i in (0..n).rev() {
        let inverse = V::constant(1.0) / l[i * n + i];
        let (rest, known) = b.split_at_mut(i * m);
        let row = &mut known[..m];
        for c in 0..m {
            row[c] = row[c] * inverse;
        }
        for k in 0..i {
            add_scaled(&mut rest[k * m..], -l[i * n + k], row);
        }
    }
}

/// Adds the adjoints of `L` (lower triangle) and `B`, given `X = L^-T B` and its adjoint, which is consumed.
///
/// # Shapes
/// As [`solve_lower`].
#[inline(always)]
pub fn pull_solve_lower_transposed<V: Lanes>(
    l: &[V],
    n: usize,
    x: &[V],
    x_adjoint: &mut [V],
    l_adjoint: &mut [V],
    b_adjoint: &mut [V],
) {
    let m = columns(n, x);
    solve_lower(l, n, x_adjoint);
    for i in 0..n {
        let own = &x[i * m..(i + 1) * m];
        for j in 0..=i {
            l_adjoint[i * n + j] = l_adjoint[i * n + j] - dot(own, &x_adjoint[j * m..]);
        }
    }
    add(b_adjoint, x_adjoint);
}

/// Writes `y = L x`.
///
/// # Shapes
/// `l` is `n` by `n`, `x` and `y` have length `n`.
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::lower_matvec;
/// let mut y = [0.0; 2];
/// lower_matvec(&[2.0, 0.0, 1.0, 3.0], &[2.0, 1.0], &mut y);
/// assert_eq!(y, [4.0, 5.0]);
/// ```
#[inline(always)]
pub fn lower_matvec<V: Lanes>(l: &[V], x: &[V], y: &mut [V]) {
    let n = x.len();
    for i in 0..n {
        y[i] = dot(&l[i * n..][..=i], x);
    }
}

/// Adds the adjoints of `L` (lower triangle) and `x`, given that of `y = L x`.
///
/// # Shapes
/// As [`lower_matvec`].
#[inline(always)]
pub fn pull_lower_matvec<V: Lanes>(l: &[V], x: &[V], y_adjoint: &[V], l_adjoint: &mut [V], x_adjoint: &mut [V]) {
    let n = x.len();
    for i in 0..n {
        let own = y_adjoint[i];
        add_scaled(&mut l_adjoint[i * n..], own, &x[..=i]);
        add_scaled(x_adjoint, own, &l[i * n..][..=i]);
    }
}

/// How many right-hand sides there are.
#[inline(always)]
fn columns<V>(n: usize, b: &[V]) -> usize {
    b.len().checked_div(n).unwrap_or(0)
}

/// `y += x`
#[inline(always)]
fn add<V: Lanes>(y: &mut [V], x: &[V]) {
    let y = &mut y[..x.len()];
    for k in 0..x.len() {
        y[k] = y[k] + x[k];
    }
}
