//! Probabilistic models as Rust code, fitted by black-box variational inference.

pub mod bijectors;
mod binding;
mod collect;
mod compiled;
pub mod distributions;
pub mod indices;
pub mod kernel;
pub mod diagnostics;
pub mod estimators;
pub mod fit;
pub mod guides;
pub mod model;
pub mod optimizers;
pub mod prelude;
pub mod random;
pub mod report;
pub mod tensor;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(test)]
extern crate self as ppl_core;

pub use ppl_macros::model;
