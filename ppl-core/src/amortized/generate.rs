//! What a fitted model is asked to make: rows from its prior, from given latents, from rows of data and back.

use ndarray::{Array1, Array2, Array3};

use super::discrete::Discrete;
use super::engine::Engine;
use super::fit::{BLOCK, for_blocks, with_engine};
use super::generated::{Generated, check_count, numbers};
use super::learn::{Purpose, key};
use super::walk::Latents;
use super::{AmortizedError, AmortizedFit, RowGuide};
use crate::kernel::Real;
use crate::random::step_key;

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// Rows from the prior: latents, and what is observed given them.
    ///
    /// # Errors
    /// [`AmortizedError::Conditions`] if the model reads data that it does not generate: take [`AmortizedFit::sample_given`]; [`AmortizedError::Sample`] and
    /// [`AmortizedError::PriorFactor`] if it cannot be drawn from; [`AmortizedError::Config`] if there are too many rows.
    pub fn sample(&self, rows: usize, seed: u64) -> Result<Generated, AmortizedError> {
        with_engine(self.model, self.guide, &self.transforms, |engine, _| {
            check_count("rows", rows, numbers(engine))?;
            self.generate(engine, &self.store, &vec![0; rows], false, &Latents::Prior, seed)
        })
    }

    /// As [`AmortizedFit::sample`], a row for each of those of `model`, whose data are the conditions.
    ///
    /// # Errors
    /// As [`AmortizedFit::sample`].
    pub fn sample_given(&self, model: &M, seed: u64) -> Result<Generated, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            let rows: Vec<usize> = (0..sides.rows).collect();
            self.generate(engine, &self.store, &rows, true, &Latents::Prior, seed)
        })
    }

    /// As [`AmortizedFit::sample_given`], again for each of some draws of the latent weights and of the latents outside the loop over the rows: what the model predicts, uncertain of
    /// both. All else that makes rows takes these at their locations.
    ///
    /// # Errors
    /// As [`AmortizedFit::sample`].
    pub fn predictive(&self, model: &M, draws: usize, seed: u64) -> Result<Vec<Generated>, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            let rows: Vec<usize> = (0..sides.rows).collect();
            check_count("draws", draws, rows.len().saturating_mul(numbers(engine)))?;
            let mut store = self.store.clone();
            let one = |draw: usize| {
                store.draw(Some(key(seed, Purpose::Weights, draw)));
                if let Some(latents) = &mut store.latents {
                    latents.one = Some(key(seed, Purpose::Globals, draw));
                }
                self.generate(engine, &store, &rows, true, &Latents::Prior, step_key(seed, draw as u64))
            };
            (0..draws).map(one).collect()
        })
    }

    /// What the model makes of given latents, each `[row][element]` in its own space.
    ///
    /// # Errors
    /// [`AmortizedError::UnknownName`] and [`AmortizedError::Shape`] if the latents are not those of the model; [`AmortizedError::Conditions`] if it reads data that
    /// it does not generate: take [`AmortizedFit::decode_given`].
    pub fn decode(&self, latents: &[(&str, Array2<f64>)]) -> Result<Generated, AmortizedError> {
        with_engine(self.model, self.guide, &self.transforms, |engine, _| {
            let rows = latents.first().map_or(0, |(_, array)| array.nrows());
            check_latents(engine, latents, rows)?;
            self.generate(engine, &self.store, &vec![0; rows], false, &Latents::Given(latents), self.seed)
        })
    }

    /// As [`AmortizedFit::decode`], a row of latents for each row of `model`, whose data are the conditions. Of a sequence that the model makes step by step, each
    /// of those before it, the next step is what is made of the steps so far: greedy decoding is a loop over the steps that takes the likeliest of each and puts it
    /// into the conditions.
    ///
    /// # Errors
    /// As [`AmortizedFit::decode`]; others as [`fit_amortized`](super::fit_amortized), of the data.
    pub fn decode_given(&self, model: &M, latents: &[(&str, Array2<f64>)]) -> Result<Generated, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            check_latents(engine, latents, sides.rows)?;
            let rows: Vec<usize> = (0..sides.rows).collect();
            self.generate(engine, &self.store, &rows, true, &Latents::Given(latents), self.seed)
        })
    }

    /// Rows as the model makes them of the locations of their latents given them.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`].
    pub fn reconstruct(&self, model: &M) -> Result<Generated, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            self.check_rows(model, engine, sides.rows)?;
            let rows: Vec<usize> = (0..sides.rows).collect();
            self.generate(engine, &self.store, &rows, true, &Latents::Located, self.seed)
        })
    }

    /// What the model makes of `steps` points on the straight line, of unconstrained numbers, from the latents of one row of `model` to those of another; both ends
    /// are among them. Discrete latents are those of the nearer end; conditions are those of the first row.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`]; [`AmortizedError::Config`] if there are fewer than two steps, too many, or no such rows.
    pub fn interpolate(&self, model: &M, from: usize, to: usize, steps: usize) -> Result<Generated, AmortizedError> {
        if steps < 2 {
            return Err(AmortizedError::Config { field: "steps", value: steps as f64, expected: "at least 2: both ends" });
        }
        let encoded = self.encode(model)?;
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            for (field, row) in [("from", from), ("to", to)] {
                if row >= sides.rows {
                    return Err(AmortizedError::Config {
                        field,
                        value: row as f64,
                        expected: "less than the number of rows of data",
                    });
                }
            }
            check_count("steps", steps, numbers(engine))?;
            let latents = engine.model.layout().latents().map(|v| v.unconstrained.end).max().unwrap_or(0);
            let mut u = Array2::zeros((steps, latents));
            for (encoded, located) in encoded.iter().zip(&engine.guide_plan.located) {
                for (element, row) in located.model.clone().enumerate() {
                    let [a, b] = [from, to].map(|row| encoded.location[[row, element]].to_f64());
                    for step in 0..steps {
                        let share = step as f64 / (steps - 1) as f64;
                        u[[step, row]] = a + share * (b - a);
                    }
                }
            }
            let ends = self.generate(engine, &self.store, &[from, to], true, &Latents::Located, self.seed)?;
            let nearer = |step: usize| usize::from(2 * step >= steps);
            let discretes: Vec<_> = engine
                .discretes
                .iter()
                .filter_map(|discrete| Some((discrete.name, ends.array(discrete.name)?)))
                .map(|(name, of)| (name, Array2::from_shape_fn((steps, of.ncols()), |(step, at)| of[[nearer(step), at]])))
                .collect();
            self.generate(engine, &self.store, &vec![from; steps], true, &Latents::Unconstrained(&u, &discretes), self.seed)
        })
    }

    /// Draws of the latents given each row of `model`, in the space of the model: by name, `[draw][row][element]`.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`]; [`AmortizedError::Config`] if there are too many draws.
    pub fn draws(&self, model: &M, draws: usize, seed: u64) -> Result<Vec<(&'static str, Array3<f64>)>, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            self.check_rows(model, engine, sides.rows)?;
            check_count("draws", draws, sides.rows.saturating_mul(numbers(engine)))?;
            let shape = |rows: &std::ops::Range<usize>| (draws, sides.rows, rows.len());
            let mut all: Vec<_> = engine.latents().map(|(name, rows, _)| (name, Array3::zeros(shape(&rows)))).collect();
            for_blocks(engine, sides.rows, self.drawn(), (BLOCK, 1), |rows, buffers| {
                for draw in 0..draws {
                    let key = step_key(key(seed, Purpose::Draws, draw), rows[0] as u64);
                    engine.draw_latents(&self.store, Some(key), buffers)?;
                    for tile in &buffers.tiles.all {
                        let (rows, lanes) = (&rows[tile.first..tile.first + tile.shape.batch], tile.shape.lanes);
                        for ((_, own, _), (_, to)) in engine.latents().zip(&mut all) {
                            for (lane, &data) in rows.iter().enumerate() {
                                for (element, row) in own.clone().enumerate() {
                                    to[[draw, data, element]] = tile.model.work.values[row * lanes + lane].to_f64();
                                }
                            }
                        }
                    }
                }
                Ok(())
            })?;
            Ok(all)
        })
    }

    /// The probabilities that the guide gives the values of each discrete latent whose logits a network gives, for each row of `model`: by name,
    /// `[row][element][value]`. Where a latent depends on others in the guide, these are at their locations, or at their most probable values.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`].
    pub fn probabilities(&self, model: &M) -> Result<Vec<(&'static str, Array3<f64>)>, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            self.check_rows(model, engine, sides.rows)?;
            let known = || engine.discretes.iter().filter_map(|discrete| Some((discrete, discrete.values()?)));
            let empty = |(discrete, values): (&Discrete, usize)| {
                (discrete.name, Array3::zeros((sides.rows, discrete.elements(), values)))
            };
            let mut all: Vec<_> = known().map(empty).collect();
            for_blocks(engine, sides.rows, self.drawn(), (BLOCK, 1), |rows, buffers| {
                engine.draw_latents(&self.store, None, buffers)?;
                for tile in &buffers.tiles.all {
                    for ((discrete, values), (_, to)) in known().zip(&mut all) {
                        for (lane, &row) in rows[tile.first..tile.first + tile.shape.batch].iter().enumerate() {
                            for (at, own) in discrete.probabilities.clone().enumerate() {
                                let probability = tile.probabilities[own * tile.shape.lanes + lane].to_f64();
                                to[[row, at / values, at % values]] = probability;
                            }
                        }
                    }
                }
                Ok(())
            })?;
            Ok(all)
        })
    }

    /// A learned parameter that is the same for all rows, by name; none if there is no such parameter.
    #[must_use]
    pub fn global(&self, name: &str) -> Option<Array1<f64>> {
        self.globals().iter().find(|(own, _)| *own == name).map(|(_, values)| Array1::from(values.clone()))
    }
}

/// Whether these are the latents of the model, of so many rows each.
fn check_latents<E: Real>(engine: &Engine<'_, E>, latents: &[(&str, Array2<f64>)], rows: usize) -> Result<(), AmortizedError> {
    let known = || engine.latents().map(|(name, ..)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    for (name, array) in latents {
        let Some((own, latent, _)) = engine.latents().find(|(own, ..)| own == name) else {
            return Err(AmortizedError::UnknownName { what: "latent", name: (*name).to_owned(), known: known() });
        };
        if array.dim() != (rows, latent.len()) {
            let expected = format!("{rows} rows of {}", latent.len());
            return Err(AmortizedError::Shape { what: format!("`{name}`"), got: array.shape().to_vec(), expected });
        }
        if let Some(discrete) = engine.discretes.iter().find(|discrete| discrete.name == own) {
            discrete.check(array)?;
        }
    }
    match engine.latents().find(|(own, ..)| !latents.iter().any(|(name, _)| name == own)) {
        None => Ok(()),
        Some((missing, own, _)) => {
            let expected = format!("given, with {} rows of {}", rows, own.len());
            Err(AmortizedError::Shape { what: format!("`{missing}`"), got: Vec::new(), expected })
        }
    }
}
