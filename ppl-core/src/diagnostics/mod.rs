//! Whether to believe a fit, and how well its model predicts.

mod calibration;
mod comparison;
mod error;
mod generalized_pareto;
mod loo;
mod pareto_smoothing;
mod stop_reason;
mod total;
mod waic;
mod weighted;

pub use calibration::{CalibratedScalar, Calibration, Symmetry, rank_probability};
pub use comparison::Comparison;
pub use error::DiagnosticError;
pub use loo::{Loo, LooRow};
pub use pareto_smoothing::{LEAST_DRAWS, PsisWeights, draws_needed, pareto_k, pareto_k_threshold};
pub use stop_reason::StopReason;
pub use total::Total;
pub use waic::{P_WAIC_LIMIT, Waic, WaicRow};
pub use weighted::Weighted;

pub(crate) use loo::leave_out;
pub(crate) use waic::pointwise;

#[cfg(test)]
mod reference;
