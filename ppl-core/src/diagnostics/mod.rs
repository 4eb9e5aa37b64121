//! Whether to believe a fit.

mod pareto_k;

pub use pareto_k::pareto_k;
