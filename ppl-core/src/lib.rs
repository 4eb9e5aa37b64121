//! Probabilistic models as Rust code, fitted by black-box variational inference.

pub mod bijectors;
pub mod distributions;
pub mod kernel;
pub mod model;
