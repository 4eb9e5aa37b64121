//! What a fit says of itself.

mod calibration;
mod chains;
mod criteria;
mod intervals;
mod summary;

pub use chains::{ChainScalar, ChainSummary};
pub use intervals::Intervals;
use summary::number;
pub use summary::{Scalar, Summary};
