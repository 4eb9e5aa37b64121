//! Matrices by their Cholesky factors: the factor itself, or its product with its transpose.

use super::map::{Adjoint, Map, gather, scatter};
use crate::kernel::{Lanes, Sum};

/// The matrix that a Jacobian determinant is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The factor.
    Factor,
    /// The factor times its transpose: the elements from the diagonal down.
    Product,
}

/// A map of one event onto lower triangular matrices with a positive diagonal, row by row.
pub(super) trait Factor: Copy {
    /// Whether the rows have length one.
    const UNIT_ROWS: bool;
    /// Rows and columns.
    fn size(self) -> usize;
    /// How many unconstrained numbers.
    fn free(self) -> usize;
    /// Writes the factor, zeros included.
    fn forward<V: Lanes>(self, of: Of, u: &[V::Element], factor: &mut [V::Element], samples: usize, offset: usize) -> V::Sum;
    /// Pulls the adjoint of the factor back; those of the zeros are not read.
    fn pull<V: Lanes>(self, of: Of, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]);
    /// Adds the unconstrained numbers of a factor with a positive diagonal; the first element that cannot be in one.
    fn inverse(self, factor: &[f64], u: &mut Vec<f64>) -> Result<(), usize>;
}

/// How many elements a matrix has.
pub(super) fn elements(size: usize) -> usize {
    size.saturating_mul(size)
}

/// How many elements a matrix has below the diagonal.
pub(super) fn below_diagonal(size: usize) -> usize {
    size.saturating_mul(size.saturating_sub(1)) / 2
}

/// Factors, one after the other.
pub(super) struct Factors<F>(pub(super) F);

impl<F: Factor> Map for Factors<F> {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let (free, own) = (self.0.free() * samples, elements(self.0.size()) * samples);
        let mut total = V::Sum::zero();
        for (event, z) in z.chunks_exact_mut(own.max(1)).enumerate() {
            total.join(self.0.forward::<V>(Of::Factor, &u[event * free..(event + 1) * free], z, samples, offset));
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let (free, own) = (self.0.free() * rows.samples, elements(self.0.size()) * rows.samples);
        for event in 0..rows.z.len() / own.max(1) {
            let (from, to) = (event * free..(event + 1) * free, event * own..(event + 1) * own);
            let own = Adjoint { u: &rows.u[from.clone()], z: &rows.z[to.clone()], z_adjoint: &rows.z_adjoint[to], ..rows };
            self.0.pull::<V>(Of::Factor, own, weight, &mut u_adjoint[from]);
        }
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        let own = elements(self.0.size()).max(1);
        let mut u = Vec::new();
        for (event, factor) in z.chunks_exact(own).enumerate() {
            check(self.0.size(), factor).and_then(|()| self.0.inverse(factor, &mut u)).map_err(|at| event * own + at)?;
        }
        Ok(u)
    }
}

/// Refuses what is not lower triangular with a positive diagonal.
fn check(size: usize, factor: &[f64]) -> Result<(), usize> {
    let wrong = |at: usize| {
        let (i, j, x) = (at / size, at % size, factor[at]);
        !x.is_finite() || (i < j && x != 0.0) || (i == j && x <= 0.0)
    };
    (0..factor.len()).find(|&at| wrong(at)).map_or(Ok(()), Err)
}

/// Factors times their transposes, one after the other.
pub(super) struct Products<F>(pub(super) F);

impl<F: Factor> Map for Products<F> {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let n = self.0.size();
        let free = self.0.free() * samples;
        let mut total = V::Sum::zero();
        for (event, z) in z.chunks_exact_mut((n * n * samples).max(1)).enumerate() {
            total.join(self.0.forward::<V>(Of::Product, &u[event * free..(event + 1) * free], z, samples, offset));
            // From the last element back, so that what is still needed of the factor is still there.
            let mut i = n;
            while i > 0 {
                i -= 1;
                let mut j = i + 1;
                while j > 0 {
                    j -= 1;
                    let mut sum = V::zero();
                    for k in 0..=j {
                        let left = V::load(&z[(i * n + k) * samples + offset..]);
                        sum = left.mul_add(V::load(&z[(j * n + k) * samples + offset..]), sum);
                    }
                    let sum = if i == j && F::UNIT_ROWS { V::constant(1.0) } else { sum };
                    sum.store(&mut z[(i * n + j) * samples + offset..]);
                    sum.store(&mut z[(j * n + i) * samples + offset..]);
                }
            }
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let n = self.0.size();
        let (free, own) = (self.0.free() * rows.samples, n * n * rows.samples);
        let mut factor = vec![V::Element::default(); n * n * V::WIDTH];
        let mut z_adjoint = factor.clone();
        let mut pulled = vec![V::Element::default(); self.0.free() * V::WIDTH];
        for event in 0..rows.z.len() / own.max(1) {
            let from = event * free..(event + 1) * free;
            let u = gather::<V>(&rows.u[from.clone()], rows.samples, rows.offset);
            self.0.forward::<V>(Of::Product, &u, &mut factor, V::WIDTH, 0);
            let adjoint = |i: usize, j: usize| V::load(&rows.z_adjoint[event * own + (i * n + j) * rows.samples + rows.offset..]);
            for i in 0..n {
                for k in 0..=i {
                    let mut sum = V::zero();
                    for j in k..n {
                        sum = (adjoint(i, j) + adjoint(j, i)).mul_add(V::load(&factor[(j * n + k) * V::WIDTH..]), sum);
                    }
                    sum.store(&mut z_adjoint[(i * n + k) * V::WIDTH..]);
                }
            }
            let own = Adjoint { u: &u, z: &factor, z_adjoint: &z_adjoint, samples: V::WIDTH, offset: 0 };
            self.0.pull::<V>(Of::Product, own, weight, &mut pulled);
            scatter::<V>(&pulled, &mut u_adjoint[from], rows.samples, rows.offset);
        }
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        let own = elements(self.0.size()).max(1);
        let mut u = Vec::new();
        for (event, matrix) in z.chunks_exact(own).enumerate() {
            let factor = factorize(self.0.size(), matrix, F::UNIT_ROWS).map_err(|at| event * own + at)?;
            self.0.inverse(&factor, &mut u).map_err(|at| event * own + at)?;
        }
        Ok(u)
    }
}

/// The Cholesky factor; the first element from which on the matrix is not symmetric and positive definite, with ones on the diagonal
/// if these are asked for.
fn factorize(n: usize, matrix: &[f64], ones: bool) -> Result<Vec<f64>, usize> {
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        if let Some(j) = (0..n).find(|j| !matrix[i * n + j].is_finite()) {
            return Err(i * n + j);
        }
        for j in 0..=i {
            let (at, own) = (i * n + j, matrix[i * n + j]);
            let mirrored = matrix[j * n + i];
            if (own - mirrored).abs() > 1e-8 * own.abs().max(mirrored.abs()) || (ones && i == j && (own - 1.0).abs() > 1e-6) {
                return Err(at);
            }
            let rest = own - (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum::<f64>();
            factor[at] = if i == j { rest.sqrt() } else { rest / factor[j * n + j] };
            if !factor[at].is_finite() || (i == j && factor[at] <= 0.0) {
                return Err(at);
            }
        }
    }
    Ok(factor)
}
