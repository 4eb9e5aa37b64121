//! The log evidence of rows by importance sampling from the guide, and what the latents are used for.

use super::engine::Steering;
use super::fit::{for_blocks, with_engine};
use super::generated::check_count;
use super::learn::{Purpose, key};
use super::objective::log_mean_exp;
use super::{AmortizedError, AmortizedFit, RowGuide};
use crate::networks::Mode;

/// Rows that are evaluated together.
const BLOCK: usize = 16;
/// Samples of each of them in a pass.
const SAMPLES: usize = 64;

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// The log evidence `log p(x)` of each row of `model`, in nats: the logarithm of the mean of `p(x, z) / q(z | x)` over samples of the guide, which is
    /// below the truth on average, and less so with more samples.
    ///
    /// # Errors
    /// As [`fit_amortized`](super::fit_amortized), of the data; [`AmortizedError::Config`] if there are no samples or too many.
    ///
    /// # Source
    /// Burda, Grosse & Salakhutdinov 2016, section 5, with 5000 samples.
    pub fn log_likelihood(&self, model: &M, samples: usize) -> Result<Vec<f64>, AmortizedError> {
        if samples == 0 {
            return Err(AmortizedError::Config { field: "samples", value: 0.0, expected: "at least 1" });
        }
        check_count("samples", samples, BLOCK)?;
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            self.check_rows(model, engine, sides.rows)?;
            let each = samples.min(SAMPLES);
            let mut all = Vec::with_capacity(sides.rows);
            let mut pass = 0;
            let mut ratios: Vec<Vec<f64>> = (0..BLOCK).map(|_| Vec::with_capacity(samples)).collect();
            for_blocks(engine, sides.rows, self.drawn(), (BLOCK, each), |rows, buffers| {
                ratios.iter_mut().for_each(Vec::clear);
                while ratios[0].len() < samples {
                    engine.evaluate(
                        &self.store,
                        key(self.seed, Purpose::Likelihood, pass),
                        Steering::PLAIN,
                        Mode::Evaluate,
                        buffers,
                    )?;
                    pass += 1;
                    for tile in &buffers.tiles.all {
                        let batch = tile.shape.batch;
                        for (row, ratios) in ratios[tile.first..tile.first + batch].iter_mut().enumerate() {
                            let own = tile.ratios[..tile.shape.real()].iter().skip(row).step_by(batch);
                            let left = samples - ratios.len();
                            ratios.extend(own.take(left));
                        }
                    }
                }
                all.extend(ratios[..rows.len()].iter().map(|ratios| log_mean_exp(ratios.iter().copied())));
                Ok(())
            })?;
            Ok(all)
        })
    }

    /// Of each element of each latent, whether it is used: whether its location varies between rows by more than 0.01.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`].
    ///
    /// # Source
    /// Burda, Grosse & Salakhutdinov 2016, section 5.2.
    pub fn active_units(&self, model: &M) -> Result<Vec<(&'static str, Vec<bool>)>, AmortizedError> {
        use crate::kernel::Real as _;
        let encoded = self.encode(model)?;
        let variance = |column: ndarray::ArrayView1<'_, G::Element>| {
            let count = column.len() as f64;
            let mean = column.iter().map(|x| x.to_f64()).sum::<f64>() / count;
            column.iter().map(|x| (x.to_f64() - mean).powi(2)).sum::<f64>() / count
        };
        let of = |location: &ndarray::Array2<G::Element>| {
            location.columns().into_iter().map(|column| variance(column) > 0.01).collect()
        };
        Ok(encoded.iter().map(|encoded| (encoded.name, of(&encoded.location))).collect())
    }
}
