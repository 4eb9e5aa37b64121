//! How fast steps over batches are, and how much memory they use: an observer of fits.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use ppl_core::fit::StepInfo;
use ppl_core::prelude::*;

/// How fast steps are, and how much memory is used while they are taken.
#[derive(Clone, Debug, Default)]
pub struct Pace(Arc<Mutex<Seen>>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    rows_per_second: f64,
    epochs: f64,
    most_anonymous: Option<f64>,
}

impl Pace {
    fn seen(&self) -> Seen {
        self.0.lock().map_or_else(|poisoned| *poisoned.into_inner(), |seen| *seen)
    }

    /// Rows a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.seen().rows_per_second
    }
}

impl Observer for Pace {
    fn on_step(&mut self, step: &StepInfo<'_>) -> ControlFlow<()> {
        let (rate, epochs) = (step.rows_per_second().unwrap_or(f64::NAN), step.epochs().unwrap_or(f64::NAN));
        if let Ok(mut seen) = self.0.lock() {
            (seen.rows_per_second, seen.epochs) = (rate, epochs);
            if step.step.is_multiple_of(500) {
                seen.most_anonymous = seen.most_anonymous.into_iter().chain(anonymous()).reduce(f64::max);
            }
        }
        ControlFlow::Continue(())
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Seen { rows_per_second, epochs, most_anonymous } = self.seen();
        write!(f, "{:.2} million rows a second over {epochs:.2} epochs", rows_per_second / 1e6)?;
        most_anonymous.map_or(Ok(()), |most| write!(f, ", at most {most:.0} megabytes of anonymous memory"))
    }
}

/// The anonymous memory of this process in megabytes, where the system tells it (Linux).
#[must_use]
pub fn anonymous() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse().ok().map(|kilobytes: f64| kilobytes / 1024.0)
}
