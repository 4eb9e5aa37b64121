//! Probabilistic models as Rust code, fitted by black-box variational inference.

pub mod bijectors;
mod binding;
mod collect;
mod compiled;
pub mod distributions;
pub mod indices;
pub mod kernel;
pub mod model;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use ppl_macros::model;
