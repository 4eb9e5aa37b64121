//! Optimizers: the mode by L-BFGS, its curvature, and Adam in units of that curvature.

mod adam;
mod curvature;
mod lbfgs;

pub use adam::Adam;
pub use curvature::Curvature;
pub use lbfgs::{Mode, find_mode};
