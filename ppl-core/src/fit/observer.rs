//! Who is told of a fit: progress bars and traces; the loop itself never prints.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::diagnostics::StopReason;

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct StepInfo<'a> {
    /// The step, counted from zero.
    pub step: usize,
    /// The most steps.
    pub max_steps: usize,
    /// This step's estimate of the ELBO, in nats.
    pub elbo: f64,
    /// The length of steps, in units of the curvature at the mode.
    pub rate: f64,
    /// Time since the first step.
    pub elapsed: Duration,
    /// The parameters of the guide.
    pub parameters: &'a [f64],
    /// How many elements of how many a step takes, where it takes a batch.
    pub batch: Option<(usize, usize)>,
}

impl StepInfo<'_> {
    /// How many times all elements were gone through, where steps take batches of them.
    #[must_use]
    pub fn epochs(&self) -> Option<f64> {
        let (rows, of) = self.batch?;
        Some((self.step + 1) as f64 / (of / rows) as f64)
    }

    /// How many elements were taken each second since the start, where steps take batches of them.
    #[must_use]
    pub fn rows_per_second(&self) -> Option<f64> {
        let (rows, _) = self.batch?;
        Some((self.step + 1) as f64 * rows as f64 / self.elapsed.as_secs_f64().max(1e-9))
    }
}

/// Is told of start, steps and stop of every guide that a fit tries.
pub trait Observer: std::fmt::Debug + Send {
    /// The fit of a model begins.
    fn on_start(&mut self, _model: &'static str, _max_steps: usize) {}
    /// A step was taken; [`ControlFlow::Break`] ends the fit of this guide here.
    fn on_step(&mut self, _step: &StepInfo<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// The fit is over.
    fn on_stop(&mut self, _reason: &StopReason) {}
}

/// Tells all of a step; whether one of them asks for the end.
pub(super) fn tell(observers: &mut [Box<dyn Observer>], step: &StepInfo<'_>) -> bool {
    // All are told, also after one has asked.
    observers.iter_mut().filter_map(|observer| observer.on_step(step).break_value()).count() > 0
}

/// A progress bar on standard error: step, ELBO, rate, time left, of batches also epochs and rows a second; silent where that is not a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar that appears when the fit starts.
    #[must_use]
    pub fn new() -> Self {
        Progress { bar: ProgressBar::hidden() }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Progress {
    fn on_start(&mut self, model: &'static str, max_steps: usize) {
        self.bar = ProgressBar::with_draw_target(Some(max_steps as u64), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {per_sec}, at most {eta} left") {
            self.bar.set_style(style);
        }
        self.bar.set_prefix(model);
    }

    fn on_step(&mut self, step: &StepInfo<'_>) -> ControlFlow<()> {
        if step.step.is_multiple_of(50) {
            self.bar.set_position(step.step as u64);
            let batches = step.epochs().zip(step.rows_per_second());
            let batches = batches.map_or_else(String::new, |(epochs, rows)| format!(", epoch {epochs:.2}, {rows:.3e} rows/s"));
            self.bar.set_message(format!("ELBO {:.2}{batches}", step.elbo));
        }
        ControlFlow::Continue(())
    }

    fn on_stop(&mut self, _reason: &StopReason) {
        self.bar.finish_and_clear();
    }
}

/// What a [`Trace`] collects.
#[derive(Clone, Debug, Default)]
pub struct TraceData {
    /// The ELBO of each step that was kept, in nats.
    pub elbo: Vec<f64>,
    /// The steps that were kept.
    pub steps: Vec<usize>,
    /// The parameters of the guide at those steps.
    pub parameters: Vec<Vec<f64>>,
}

/// Keeps the ELBO and the parameters of every so many steps; clones share what they keep.
#[derive(Clone, Debug)]
pub struct Trace {
    every: usize,
    data: Arc<Mutex<TraceData>>,
}

impl Trace {
    /// Keeps every `every`-th step (at least each).
    #[must_use]
    pub fn every(every: usize) -> Self {
        Trace { every: every.max(1), data: Arc::default() }
    }

    /// What was kept so far.
    #[must_use]
    pub fn data(&self) -> TraceData {
        self.data.lock().map_or_else(|poisoned| poisoned.into_inner().clone(), |data| data.clone())
    }
}

impl Observer for Trace {
    fn on_step(&mut self, step: &StepInfo<'_>) -> ControlFlow<()> {
        if step.step.is_multiple_of(self.every)
            && let Ok(mut data) = self.data.lock()
        {
            data.elbo.push(step.elbo);
            data.steps.push(step.step);
            data.parameters.push(step.parameters.to_vec());
        }
        ControlFlow::Continue(())
    }
}
