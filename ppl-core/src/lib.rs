#![doc = include_str!("../../README.md")]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod amortized;
pub mod archive;
pub mod bijectors;
mod binding;
pub mod centring;
pub mod checkpoint;
mod collect;
mod compiled;
pub mod diagnostics;
pub mod distributions;
pub mod estimators;
#[cfg(feature = "files")]
pub mod files;
pub mod fit;
pub mod guides;
pub mod indices;
mod instances;
pub mod kernel;
pub mod linear_algebra;
pub mod model;
pub mod networks;
#[cfg(feature = "nuts")]
pub mod nuts;
pub mod objective;
pub mod optimizers;
mod over_draws;
pub mod prelude;
mod profile;
pub mod random;
pub mod report;
pub mod rows;
pub mod tensor;

#[doc(hidden)]
pub use ppl_macros::__guide;
pub use ppl_macros::{distribution, function, guide, model};
