//! The operations on arrays of the language: each computes an array from arrays, and pulls derivatives back.

use std::marker::PhantomData;

use super::{
    Covariance, CovarianceAdjoints, Matern12, Matern32, Matern52, SquaredExponential, cholesky, covariance, factor_product,
    matmul, matvec, pull_cholesky, pull_covariance, pull_factor_product, pull_matmul, pull_matvec, pull_solve_lower,
    pull_solve_lower_transposed, solve_lower, solve_lower_transposed,
};
use crate::kernel::Lanes;

/// An operation on arrays: `let y[N] = matvec(a, x);`. Operands and result are slices, matrices in rows, numbers of length one.
pub trait Operation<const P: usize> {
    /// Computes the result over what `result` holds.
    fn compute<V: Lanes>(operands: [&[V]; P], result: &mut [V]);
    /// Adds the adjoints of the operands, given the result and its adjoint, which is used up.
    fn pull<V: Lanes>(operands: [&[V]; P], result: &[V], adjoint: &mut [V], operand_adjoints: [&mut [V]; P]);
}

/// `cholesky(matrix)`: the lower Cholesky factor.
#[derive(Clone, Copy, Debug)]
pub struct Cholesky;

impl Operation<1> for Cholesky {
    #[inline(always)]
    fn compute<V: Lanes>([matrix]: [&[V]; 1], result: &mut [V]) {
        cholesky(matrix, result.len().isqrt(), result);
    }

    #[inline(always)]
    fn pull<V: Lanes>(_operands: [&[V]; 1], result: &[V], adjoint: &mut [V], [d_matrix]: [&mut [V]; 1]) {
        pull_cholesky(result, adjoint, result.len().isqrt(), d_matrix);
    }
}

/// `matvec(matrix, vector)`: the product.
#[derive(Clone, Copy, Debug)]
pub struct Matvec;

impl Operation<2> for Matvec {
    #[inline(always)]
    fn compute<V: Lanes>([matrix, vector]: [&[V]; 2], result: &mut [V]) {
        matvec(matrix, vector, result);
    }

    #[inline(always)]
    fn pull<V: Lanes>([matrix, vector]: [&[V]; 2], _: &[V], adjoint: &mut [V], [d_matrix, d_vector]: [&mut [V]; 2]) {
        pull_matvec(matrix, vector, adjoint, d_matrix, d_vector);
    }
}

/// `matmul(left, right)`: the product of two matrices.
#[derive(Clone, Copy, Debug)]
pub struct Matmul;

/// The sizes of a product from the numbers of elements: `(m n) (n p) / (m p) = n^2`.
fn sizes(left: usize, right: usize, result: usize) -> [usize; 3] {
    let inner = (left * right).checked_div(result).unwrap_or(0).isqrt();
    let rows = left.checked_div(inner).unwrap_or(0);
    [rows, inner, right.checked_div(inner).unwrap_or(0)]
}

impl Operation<2> for Matmul {
    #[inline(always)]
    fn compute<V: Lanes>([left, right]: [&[V]; 2], result: &mut [V]) {
        matmul(left, right, sizes(left.len(), right.len(), result.len()), result);
    }

    #[inline(always)]
    fn pull<V: Lanes>([left, right]: [&[V]; 2], result: &[V], adjoint: &mut [V], [d_left, d_right]: [&mut [V]; 2]) {
        pull_matmul(left, right, sizes(left.len(), right.len(), result.len()), adjoint, d_left, d_right);
    }
}

/// `solve_lower(factor, vector)`: `x` of `factor x = vector`.
#[derive(Clone, Copy, Debug)]
pub struct SolveLower;

impl Operation<2> for SolveLower {
    #[inline(always)]
    fn compute<V: Lanes>([factor, vector]: [&[V]; 2], result: &mut [V]) {
        result.copy_from_slice(vector);
        solve_lower(factor, vector.len(), result);
    }

    #[inline(always)]
    fn pull<V: Lanes>([factor, vector]: [&[V]; 2], result: &[V], adjoint: &mut [V], [d_factor, d_vector]: [&mut [V]; 2]) {
        pull_solve_lower(factor, vector.len(), result, adjoint, d_factor, d_vector);
    }
}

/// `solve_lower_transposed(factor, vector)`: `x` of `factor^T x = vector`.
#[derive(Clone, Copy, Debug)]
pub struct SolveLowerTransposed;

impl Operation<2> for SolveLowerTransposed {
    #[inline(always)]
    fn compute<V: Lanes>([factor, vector]: [&[V]; 2], result: &mut [V]) {
        result.copy_from_slice(vector);
        solve_lower_transposed(factor, vector.len(), result);
    }

    #[inline(always)]
    fn pull<V: Lanes>([factor, vector]: [&[V]; 2], result: &[V], adjoint: &mut [V], [d_factor, d_vector]: [&mut [V]; 2]) {
        pull_solve_lower_transposed(factor, vector.len(), result, adjoint, d_factor, d_vector);
    }
}

/// `factor_product(factor)`: the covariance `factor factor^T`.
#[derive(Clone, Copy, Debug)]
pub struct FactorProduct;

impl Operation<1> for FactorProduct {
    #[inline(always)]
    fn compute<V: Lanes>([factor]: [&[V]; 1], result: &mut [V]) {
        factor_product(factor, result.len().isqrt(), result);
    }

    #[inline(always)]
    fn pull<V: Lanes>([factor]: [&[V]; 1], result: &[V], adjoint: &mut [V], [d_factor]: [&mut [V]; 1]) {
        pull_factor_product(factor, result.len().isqrt(), adjoint, d_factor);
    }
}

/// `squared_exponential(x, amplitude, length_scale, jitter)` and its kin: the covariance of the values of a Gaussian process.
#[derive(Clone, Copy, Debug)]
pub struct CovarianceOf<C>(PhantomData<fn() -> C>);

/// `squared_exponential(..)`
pub type SquaredExponentialCovariance = CovarianceOf<SquaredExponential>;
/// `matern12(..)`
pub type Matern12Covariance = CovarianceOf<Matern12>;
/// `matern32(..)`
pub type Matern32Covariance = CovarianceOf<Matern32>;
/// `matern52(..)`
pub type Matern52Covariance = CovarianceOf<Matern52>;

impl<C: Covariance> Operation<4> for CovarianceOf<C> {
    #[inline(always)]
    fn compute<V: Lanes>([x, amplitude, length_scale, jitter]: [&[V]; 4], result: &mut [V]) {
        let dimensions = x.len().checked_div(result.len().isqrt()).unwrap_or(0);
        covariance::<C, V>(x, dimensions, amplitude[0], length_scale[0], jitter[0], result);
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        [x, amplitude, length_scale, _]: [&[V]; 4],
        result: &[V],
        adjoint: &mut [V],
        [d_x, d_amplitude, d_length_scale, d_jitter]: [&mut [V]; 4],
    ) {
        let dimensions = x.len().checked_div(result.len().isqrt()).unwrap_or(0);
        let to = CovarianceAdjoints {
            x: d_x,
            amplitude: &mut d_amplitude[0],
            length_scale: &mut d_length_scale[0],
            jitter: &mut d_jitter[0],
        };
        pull_covariance::<C, V>(x, dimensions, amplitude[0], length_scale[0], adjoint, to);
    }
}
