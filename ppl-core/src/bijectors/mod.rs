//! From the unconstrained space, where guides live, to the supports of latents, with the logarithm of the Jacobian determinant.
//!
//! [`Bijector`] is the catalogue. A new one is a file with its map, a variant there, what the compiler then asks for, and a line of the
//! list that the laws are tested on.

mod affine;
mod bijector;
mod chain;
mod correlation_cholesky;
mod covariance_cholesky;
mod element;
mod error;
mod factor;
mod interval;
mod lengths;
mod map;
mod numbers;
mod ordered;
mod outlined;
mod permutation;
mod rows;
mod simplex;
mod softmax_centered;
mod softplus;
mod supports;
mod table;

pub use affine::Affine;
pub use bijector::Bijector;
pub use chain::Chain;
pub use error::BijectorError;
pub use interval::Bounds;
pub(crate) use outlined::{Group, WIDEST, forward_outlined, pull_outlined};
pub use permutation::Permutation;

#[cfg(test)]
mod tests;
