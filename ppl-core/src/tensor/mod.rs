//! Tensors with automatic differentiation: dfdx on run-time shapes, a tape that any number of tensors share, and the model as one operation of it.
//!
//! Neural networks, amortized guides and objectives of one's own are written in the operations of [`dfdx`]; a model enters them as
//! one differentiable operation, [`log_joint`]. A [`Scope`] records what is done to its leaves and plays it back as derivatives.
//!
//! # What to know of dfdx
//! - A binary operation needs two different tensors of one shape: `x * x` panics while derivatives are made. Use [`multiply`] and its
//!   siblings, or [`alias`], and the check is made for you.
//! - Its operations panic on shapes that do not fit, the `try_` ones too. What this module offers returns [`TensorError`] instead.
//! - Shapes here are run-time sizes: [`Scalar`], [`Vector`], [`Matrix`].

mod arithmetic;
#[cfg(test)]
pub(crate) mod correlated_gaussian;
mod dense;
mod element;
mod error;
mod fused;
mod location_scale;
mod log_joint;
mod recorder;
mod scope;
mod strides;

pub use dfdx;
use dfdx::tensor::{Cpu, NoneTape, Tensor};

pub use arithmetic::{add, alias, divide, multiply, subtract};
pub use dense::{Activation, dense};
pub use element::Element;
pub use error::TensorError;
pub use fused::Fused;
pub use location_scale::location_scale;
pub use log_joint::{LogJointOperation, log_joint};
pub use recorder::Recorder;
pub use scope::{Gradients, Scope};

/// One number.
pub type Scalar<E, T = NoneTape> = Tensor<(), E, Cpu, T>;

/// A vector whose size is known at run time.
pub type Vector<E, T = NoneTape> = Tensor<(usize,), E, Cpu, T>;

/// A matrix whose sizes are known at run time, row after row in memory.
pub type Matrix<E, T = NoneTape> = Tensor<(usize, usize), E, Cpu, T>;
