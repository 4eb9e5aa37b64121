//! Whether to believe a fit.

mod pareto_k;
mod stop_reason;

pub use pareto_k::pareto_k;
pub use stop_reason::StopReason;
