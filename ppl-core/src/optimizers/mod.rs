//! Optimizers: the mode by L-BFGS, its curvature, and Adam in units of that curvature.

mod adam;
mod curvature;
mod lbfgs;
mod variational_newton;

pub use adam::Adam;
pub use curvature::Curvature;
pub(crate) use curvature::cholesky;
pub use lbfgs::{Mode, find_mode};
pub use variational_newton::{Gaussian, Points, variational_newton};
