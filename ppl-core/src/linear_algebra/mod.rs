//! Matrices of lanes: factors, solves, products and covariances over slices, each with its pullback.
//!
//! A matrix is a slice in rows, an element a value per Monte Carlo sample, so that every loop runs over contiguous lanes. A function that computes
//! overwrites its result; a pullback *adds* to the adjoints of what was read. Shapes are those of the slices; a slice that is too short for them panics.
//!
//! A symmetric matrix is read in its lower triangle alone, and so its adjoint goes to the lower triangle alone: the adjoint of element `(i, j)`, `i > j`, is
//! the derivative along `a_ij` and `a_ji` changed together, which is the same as along `a_ij` alone since nobody reads `a_ji`.
//! A function that *writes* a symmetric matrix writes both triangles, and its pullback reads the adjoints of both.
//!
//! A lower triangular matrix is read on and below its diagonal; what stands above is neither read nor given an adjoint.

mod cholesky;
mod covariance;
mod factor;
mod operations;
mod product;
mod scratch;
mod triangular;
mod vector;

pub use cholesky::{cholesky, pull_cholesky};
pub use covariance::{
    Covariance, CovarianceAdjoints, CrossCovarianceAdjoints, Matern12, Matern32, Matern52, SquaredExponential, covariance,
    cross_covariance, pull_covariance, pull_cross_covariance,
};
pub use factor::{
    factor_log_det, factor_product, factor_quad_form, pull_factor_log_det, pull_factor_product, pull_factor_quad_form,
};
pub use operations::{
    Cholesky, CovarianceOf, FactorProduct, Matern12Covariance, Matern32Covariance, Matern52Covariance, Matmul, Matvec, Operation,
    SolveLower, SolveLowerTransposed, SquaredExponentialCovariance,
};
pub use product::{
    matmul, matvec, matvec_transposed, pull_matmul, pull_matvec, pull_matvec_transposed, pull_quad_form, quad_form,
};
pub use scratch::Scratch;
pub use triangular::{
    lower_matvec, pull_lower_matvec, pull_solve_lower, pull_solve_lower_transposed, solve_lower, solve_lower_transposed,
};
pub use vector::{add_scaled, dot};

#[cfg(test)]
mod tests;
