//! What a fit says of itself.

mod amortized;
mod calibration;
mod chains;
mod criteria;
mod intervals;
mod params;
mod summary;

pub use amortized::{AmortizedSummary, RowWeights};
pub use chains::{ChainScalar, ChainSummary};
pub use intervals::Intervals;
pub use params::Param;
use summary::number;
pub use summary::{Scalar, Summary};
