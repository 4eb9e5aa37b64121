//! What generated code computes with: lanes of Monte Carlo samples, special functions, dispatch to the best instruction set.

pub mod lanes;

pub use lanes::{Lanes, Mask, Real, Sum};
