//! Whether to believe a fit, or draws.

mod chains;
mod effective_sample_size;
pub(crate) mod extended;
mod loo;
mod pareto_k;
mod pareto_smoothing;
mod r_hat;
mod stop_reason;
mod tried;

pub use effective_sample_size::{effective_sample_size, mean_effective_sample_size, tail_effective_sample_size};
pub use loo::{Comparison, Loo, OtherRows, Waic};
pub use pareto_k::pareto_k;
pub use pareto_smoothing::{Smoothed, smooth};
pub use r_hat::r_hat;
pub use stop_reason::StopReason;
pub use tried::Tried;
