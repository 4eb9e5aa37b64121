//! What a fit says of the latents outside the loop over the rows: draws, and their means, standard deviations and quantiles.

use ndarray::{ArrayD, IxDyn};

use super::fit::with_engine;
use super::learn::{Purpose, key};
use super::{AmortizedError, AmortizedFit, RowGuide};
use crate::report::Scalar;

/// Draws that a summary is made of.
const DRAWS: usize = 4000;

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// Draws of the latents and quantities outside the loop over the rows from their guide, in their own space: by name, `[draw, axes ..]`. Empty if there
    /// are none.
    ///
    /// # Errors
    /// As [`fit_amortized`](super::fit_amortized), of the data; [`AmortizedError::Config`] if there are no draws.
    pub fn global_draws(&self, draws: usize, seed: u64) -> Result<Vec<(&'static str, ArrayD<f64>)>, AmortizedError> {
        if draws == 0 {
            return Err(AmortizedError::Config { field: "draws", value: 0.0, expected: "at least 1" });
        }
        with_engine(self.model, self.guide, &self.transforms, |engine, _| {
            let (Some(side), Some(guide)) = (&engine.globals, &self.store.latents) else { return Ok(Vec::new()) };
            let parameters = &self.store.globals[..self.store.of_model_globals];
            let columns = side.columns(guide, parameters, draws, key(seed, Purpose::Globals, 0));
            let layout = side.density.layout();
            let shaped = columns.into_iter().filter_map(|(name, values)| {
                let variable = layout.variables.iter().find(|v| v.name == name)?;
                let shape: Vec<usize> = std::iter::once(draws).chain(variable.shape.iter().copied()).collect();
                Some((name, ArrayD::from_shape_vec(IxDyn(&shape), values).ok()?))
            });
            Ok(shaped.collect())
        })
    }

    /// The means, standard deviations and quantiles of the latents and quantities outside the loop over the rows, from 4000 draws of their guide.
    ///
    /// # Errors
    /// As [`fit_amortized`](super::fit_amortized), of the data.
    pub fn global_latents(&self) -> Result<Vec<Scalar>, AmortizedError> {
        with_engine(self.model, self.guide, &self.transforms, |engine, _| {
            let (Some(side), Some(guide)) = (&engine.globals, &self.store.latents) else { return Ok(Vec::new()) };
            let parameters = &self.store.globals[..self.store.of_model_globals];
            let layout = side.density.layout();
            let mut all = Vec::new();
            for (name, values) in side.columns(guide, parameters, DRAWS, key(self.seed, Purpose::Globals, 1)) {
                let Some(variable) = layout.variables.iter().find(|v| v.name == name) else { continue };
                let count = variable.rows.len();
                for element in 0..count {
                    let own: Vec<f64> = values.iter().skip(element).step_by(count).copied().collect();
                    all.push(Scalar::of(layout.element_name(variable, element), name, &own));
                }
            }
            Ok(all)
        })
    }
}
