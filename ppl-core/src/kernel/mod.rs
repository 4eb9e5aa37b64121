//! What generated code computes with: lanes of Monte Carlo samples, special functions, dispatch to the best instruction set.

pub mod derivatives;
mod dispatch;
mod dual;
pub mod functions;
mod lanes;
pub mod matrix;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod simd;
mod special;
mod stored;

pub use dispatch::{Kernel, SimdLevel, Vectorized, dispatch, dispatch_at, simd_level};
pub use dual::Dual;
pub use lanes::{Lanes, Mask, Real, Sum};
pub(crate) use special::bessel::bessel_i0_i1;
pub(crate) use special::logarithm::{ln_one_minus_exp, softplus_and_sigmoid};
pub use stored::Stored;

#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant, reason = "printed by another program")]
mod reference;
#[cfg(test)]
mod tests;
