//! Why a fit stopped.

use serde::{Deserialize, Serialize};

/// Why a fit stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// The parameters of the guide, averaged or over fixed noise, no longer change.
    Converged,
    /// The most steps were taken.
    MaxSteps,
    /// The most time was used.
    MaxTime,
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            StopReason::Converged => "converged: the parameters of the guide no longer change",
            StopReason::MaxSteps => "stopped at the most steps, before convergence: raise `max_steps`",
            StopReason::MaxTime => "stopped at the most time, before convergence: raise `max_time`",
        })
    }
}
