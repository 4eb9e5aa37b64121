//! Whether to believe a fit.

mod convergence;
pub(crate) mod extended;
mod loo;
mod pareto_k;
mod pareto_smoothing;
mod stop_reason;
mod tried;

pub use convergence::{effective_sample_size, r_hat, tail_effective_sample_size};
pub use loo::{Comparison, Loo, OtherRows, Waic};
pub use pareto_k::pareto_k;
pub use pareto_smoothing::{Smoothed, smooth};
pub use stop_reason::StopReason;
pub use tried::Tried;
