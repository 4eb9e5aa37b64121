//! What generated code computes with: lanes of Monte Carlo samples, special functions, dispatch to the best instruction set.

pub mod derivatives;
mod dispatch;
pub mod functions;
pub mod lanes;
pub mod matrix;
mod scalar;

pub use dispatch::{Kernel, dispatch};
pub use lanes::{Lanes, Mask, Real, Sum};
/// dual
#[derive(Clone, Copy, Debug)]
pub struct Dual<V, const K: usize> { pub value: V, pub partials: [V; K] }
