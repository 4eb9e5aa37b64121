//! The bound of each row in its two parts: what the decoder makes of the latents, and what the latents cost.

use super::divergence::closed_form;
use super::engine::Steering;
use super::fit::{BLOCK, for_blocks, with_engine};
use super::learn::{Purpose, key};
use super::{Amortized, AmortizedError, AmortizedFit, RowGuide};
use crate::networks::Mode;
use crate::random::step_key;

/// The bound of the log evidence of a row, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowBound {
    /// The mean of `log p(x | z)` over draws of the guide.
    pub reconstruction: f64,
    /// The divergence of the guide from the prior: in closed form where there is one, else the mean of `log q(z | x) - log p(z)` over the same draws.
    pub divergence: f64,
}

impl RowBound {
    /// `reconstruction - divergence`, at most the log evidence of the row on average.
    #[must_use]
    pub fn bound(self) -> f64 {
        self.reconstruction - self.divergence
    }
}

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// The bound of each row of `model`, which need not be the one that was learned from, by draws of the guide. Of sequences, the perplexity by the bound is
    /// `exp(-sum of bounds / number of words)`; by [`log_likelihood`](AmortizedFit::log_likelihood) it is nearer to the truth.
    ///
    /// # Errors
    /// As [`fit_amortized`](super::fit_amortized), of the data; [`AmortizedError::Config`] if there are no samples.
    pub fn bounds(&self, model: &M, samples: usize) -> Result<Vec<RowBound>, AmortizedError> {
        if samples == 0 {
            return Err(AmortizedError::Config { field: "samples", value: 0.0, expected: "at least 1" });
        }
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            self.check_rows(model, engine, sides.rows)?;
            let closed = closed_form(engine, &Amortized::default())?;
            let steering = Steering { closed: closed.as_ref(), ..Steering::PLAIN };
            let mut all = Vec::with_capacity(sides.rows);
            for_blocks(engine, sides.rows, self.drawn(), (BLOCK, 1), |rows, buffers| {
                let first = all.len();
                all.resize(first + rows.len(), RowBound { reconstruction: 0.0, divergence: 0.0 });
                for sample in 0..samples {
                    let key = step_key(key(self.seed, Purpose::Bounds, sample), rows[0] as u64);
                    engine.evaluate(&self.store, key, steering, Mode::Evaluate, buffers)?;
                    for tile in &buffers.tiles.all {
                        let own = all[first + tile.first..].iter_mut().zip(tile.ratios.iter().zip(&tile.divergence));
                        for (row, (ratio, divergence)) in own.take(tile.shape.batch) {
                            row.reconstruction += (ratio + divergence) / samples as f64;
                            row.divergence += divergence / samples as f64;
                        }
                    }
                }
                Ok(())
            })?;
            Ok(all)
        })
    }
}
