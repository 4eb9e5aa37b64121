//! What a fit says of itself.

mod calibration;
mod chains;
mod criteria;
mod intervals;
mod params;
mod summary;

pub use chains::{ChainScalar, ChainSummary};
pub use intervals::Intervals;
pub use params::Param;
use summary::number;
pub use summary::{Scalar, Summary};
