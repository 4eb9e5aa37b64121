//! Whether to believe a fit, or draws, and how well a model predicts.

mod calibration;
mod chains;
mod comparison;
mod effective_sample_size;
mod error;
mod expectations;
pub(crate) mod extended;
mod generalized_pareto;
mod loo;
mod pareto_smoothing;
mod r_hat;
mod stop_reason;
mod total;
mod tried;
mod waic;
mod weighted;

pub use calibration::{CalibratedScalar, Calibration, Symmetry, rank_probability};
pub use comparison::Comparison;
pub use effective_sample_size::{effective_sample_size, mean_effective_sample_size, tail_effective_sample_size};
pub use error::DiagnosticError;
pub use loo::{Loo, LooRow};
pub use pareto_smoothing::{CORRECTABLE, LEAST_DRAWS, PsisWeights, draws_needed, pareto_k, pareto_k_threshold};
pub use r_hat::r_hat;
pub(crate) use r_hat::spread_ratio;
pub use stop_reason::StopReason;
pub use total::Total;
pub use tried::Tried;
pub use waic::{P_WAIC_LIMIT, Waic, WaicRow};
pub use weighted::Weighted;

pub(crate) use loo::leave_out;
pub(crate) use waic::pointwise;

#[cfg(test)]
mod reference;
