//! What a fit says of itself.

mod calibration;
mod criteria;
mod intervals;
mod summary;

pub use intervals::Intervals;
pub use summary::{Scalar, Summary};
