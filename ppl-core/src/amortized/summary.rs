//! What an amortized fit says of itself, and whether to trust it.

use super::calls::Samples;
use super::engine::Steering;
use super::fit::with_engine;
use super::learn::{Purpose, key};
use super::{AmortizedError, AmortizedFit, RowGuide, Stopped};
use crate::diagnostics::pareto_k;
use crate::networks::Mode;
use crate::report::{AmortizedSummary, Param, RowWeights};

/// Rows whose importance weights are looked at, at most.
const ROWS: usize = 100;
/// Samples of each of them.
const SAMPLES: usize = 1000;
/// Samples of a row in a pass.
const PASS: usize = 50;
/// The share of the last epochs that the bound is averaged over.
const LAST: usize = 10;

/// The mean of some numbers and its standard error.
fn mean(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// What was learned, how near the guide is to the posterior, why the fit stopped, and what to think of it: `println!("{}", fit.summary()?)`.
    ///
    /// The bound is the mean over the last tenth of the epochs, with the standard error of that mean. The guide is judged by the Pareto shape of the importance
    /// weights of up to 100 rows, those held out if there are any, with 1000 samples each.
    ///
    /// # Errors
    /// As [`fit_amortized`](super::fit_amortized), of the data.
    ///
    /// # Source
    /// Yao, Vehtari, Simpson & Gelman 2018, Yes, but did it work?; Burda, Grosse & Salakhutdinov 2016, section 5.2, for active units.
    pub fn summary(&self) -> Result<AmortizedSummary, AmortizedError> {
        let history = self.history();
        let bounds: Vec<f64> = history[history.len() - history.len().div_ceil(LAST)..].iter().map(|epoch| epoch.bound).collect();
        let half = bounds.len() / 2;
        let rises = half >= 5 && {
            let (before, after) = (mean(&bounds[..half]), mean(&bounds[half..]));
            after.0 - before.0 > 3.0 * before.1.hypot(after.1)
        };
        let last = history.last();
        let active = if self.store.networks.is_empty() { Vec::new() } else { self.active_units(self.model)? };
        let params = self.globals().iter().flat_map(|(variable, values)| {
            values.iter().enumerate().map(move |(at, &value)| Param {
                name: if values.len() == 1 { (*variable).to_owned() } else { format!("{variable}[{at}]") },
                variable: (*variable).to_owned(),
                value,
            })
        });
        let (model, rows) = with_engine(self.model, self.guide, &self.transforms, |engine, sides| {
            Ok((engine.model.layout().model.trim_end_matches("Row"), sides.rows))
        })?;
        Ok(AmortizedSummary {
            model,
            rows,
            held_out_rows: self.held_out().len(),
            scalars: self.global_latents()?,
            params: params.collect(),
            bound: mean(&bounds),
            rises,
            held_out: last.and_then(|epoch| epoch.held_out),
            divergence: last.map_or(f64::NAN, |epoch| epoch.divergence),
            active: active
                .into_iter()
                .map(|(name, used)| (name, used.iter().filter(|used| **used).count(), used.len()))
                .collect(),
            weights: self.row_weights()?,
            stopped: match self.stopped() {
                Stopped::Epochs => "all epochs are over".to_owned(),
                Stopped::Patience { best } => {
                    format!("the bound of the held-out rows was best after epoch {best}, whose weights are kept")
                }
                Stopped::Time => "the time was over".to_owned(),
                Stopped::Observer => "the observer asked for it".to_owned(),
                Stopped::Checkpoint => "this is a checkpoint; `resume_amortized` goes on with it".to_owned(),
            },
            epochs: history.len(),
            steps: last.map_or(0, |epoch| epoch.steps),
            seconds: last.map_or(0.0, |epoch| epoch.elapsed.as_secs_f64()),
        })
    }

    /// The Pareto shapes of the importance weights of some rows; none where rows have no latents, or discrete ones alone, whose weights have no tail.
    fn row_weights(&self) -> Result<Option<RowWeights>, AmortizedError> {
        with_engine(self.model, self.guide, &self.transforms, |engine, sides| {
            if engine.guide_plan.located.is_empty() {
                return Ok(None);
            }
            let rows: Vec<usize> = if self.held_out().is_empty() {
                let step = sides.rows.div_ceil(ROWS);
                (0..sides.rows).step_by(step).collect()
            } else {
                self.held_out().iter().copied().take(ROWS).collect()
            };
            let mut shapes = Vec::with_capacity(rows.len());
            // Latents outside the loop stay at their locations: the weights are those of the latents of rows.
            let mut store = self.store.clone();
            store.hold_latents();
            for rows in rows.chunks(20) {
                let mut buffers = engine.buffers(rows.len(), Samples::of(PASS));
                engine.fill(rows, self.drawn(), &mut buffers)?;
                let mut ratios = vec![Vec::with_capacity(SAMPLES); rows.len()];
                for pass in 0..SAMPLES / PASS {
                    let key = key(self.seed, Purpose::Likelihood, pass);
                    engine.evaluate(&store, key, Steering::PLAIN, Mode::Evaluate, &mut buffers)?;
                    for tile in &buffers.tiles.all {
                        for (lane, &ratio) in tile.ratios[..tile.shape.real()].iter().enumerate() {
                            ratios[tile.first + lane % tile.shape.batch].push(ratio);
                        }
                    }
                }
                shapes.extend(ratios.iter().map(|ratios| pareto_k(ratios)));
            }
            shapes.sort_by(f64::total_cmp);
            let bad = shapes.iter().filter(|k| **k > 0.7 || k.is_nan()).count();
            Ok(Some(RowWeights { rows: shapes.len(), median: shapes[shapes.len() / 2], worst: shapes[shapes.len() - 1], bad }))
        })
    }
}
