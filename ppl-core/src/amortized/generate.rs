//! Rows that a fitted model makes: from its prior, from given latents, from rows of data and back.

use std::ops::Range;

use ndarray::{Array1, Array2, Array3, ArrayViewD};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::fit::{BLOCK, for_blocks, with_engine};
use super::learn::{Purpose, key};
use super::networks::Store;
use super::pass::{Buffers, Engine, Steering, fill_inputs};
use super::plan::Source;
use super::{AmortizedError, AmortizedFit, RowGuide, RowModel};
use crate::kernel::{Lanes as _, Real};
use crate::model::{Graph, SiteKind, Statement, Variable, Visitor};
use crate::networks::Mode;
use crate::random::step_key;

/// Rows that a model made: each array is `[row][element]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The latents, by name.
    pub latents: Vec<(&'static str, Array2<f64>)>,
    /// What the networks of the model gave, by the name of the parameter of the row.
    pub results: Vec<(&'static str, Array2<f64>)>,
    /// Draws of the observed arrays, by name.
    pub observed: Vec<(&'static str, Array2<f64>)>,
    /// The means of the observed arrays given the latents, by name; `NaN` where the distribution has none that is known in closed form.
    pub means: Vec<(&'static str, Array2<f64>)>,
    /// The sizes of the axes of each of these in a row, by name.
    shapes: Vec<(&'static str, Vec<usize>)>,
}

impl Generated {
    fn find<'a>(all: &'a [(&'static str, Array2<f64>)], name: &str) -> Option<&'a Array2<f64>> {
        all.iter().find(|(own, _)| *own == name).map(|(_, array)| array)
    }

    /// A latent, a result or an observed array by name; none if there is no such array.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<&Array2<f64>> {
        [&self.latents, &self.results, &self.observed].into_iter().find_map(|all| Self::find(all, name))
    }

    /// As [`Generated::array`], with the axes that it has in the model, the rows before them: of `logits[n, t, v]` it is `[row][t][v]`.
    #[must_use]
    pub fn shaped(&self, name: &str) -> Option<ArrayViewD<'_, f64>> {
        let (_, axes) = self.shapes.iter().find(|(own, _)| *own == name)?;
        let array = self.array(name)?;
        let shape: Vec<usize> = std::iter::once(array.nrows()).chain(axes.iter().copied()).collect();
        array.view().into_shape_with_order(shape).ok()
    }

    /// The mean of an observed array given the latents; none if there is no such array.
    #[must_use]
    pub fn mean(&self, name: &str) -> Option<&Array2<f64>> {
        Self::find(&self.means, name)
    }

    /// Arrays of so many rows.
    fn of_rows<E: Real>(engine: &Engine<'_, E>, rows: usize) -> Self {
        let layout = engine.model.layout();
        let zeros = |v: &Variable| (v.name, Array2::zeros((rows, v.rows.len())));
        let observed: Vec<_> = layout.observed.iter().map(zeros).collect();
        Generated {
            latents: layout.latents().map(zeros).collect(),
            results: results(engine).map(zeros).collect(),
            means: observed.clone(),
            observed,
            shapes: layout.variables.iter().chain(&layout.observed).map(|v| (v.name, v.shape.clone())).collect(),
        }
    }
}

/// The parameters that networks of the model fill.
fn results<'a, E: Real>(engine: &'a Engine<'_, E>) -> impl Iterator<Item = &'a Variable> {
    let outcomes = || engine.model_plan.calls.iter().flat_map(|call| &call.results);
    engine.model.layout().parameters().filter(move |v| outcomes().any(|outcome| outcome.rows == v.rows))
}

/// Where latents come from.
enum Latents<'a> {
    /// Their prior.
    Prior,
    /// The guide, at its locations.
    Located,
    /// Their values, by name: `[row][element]`, in the space of the model.
    Given(&'a [(&'a str, Array2<f64>)]),
    /// Unconstrained numbers: `[row][element]`.
    Unconstrained(&'a Array2<f64>),
}

/// What a walk makes of the statements of one row.
struct Make {
    graph: &'static Graph,
    /// Whether latents are drawn.
    prior: bool,
    /// Whether observed arrays get their means instead of draws.
    means: bool,
    key: u64,
    error: Option<AmortizedError>,
}

impl Visitor for Make {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        if self.error.is_some() || (statement.kind == SiteKind::Latent && (!self.prior || self.means)) {
            return;
        }
        if self.means {
            value.fill(mean(statement));
            return;
        }
        // A statement has noise of its own, so that walks that differ in what they read differ in that alone.
        let key = step_key(step_key(self.key, statement.factor as u64), statement.row as u64);
        if let Err(source) = statement.distribution.sample(statement.params, &mut StdRng::seed_from_u64(key), value) {
            let text = self.graph.factors[statement.factor].text;
            self.error = Some(AmortizedError::Sample { statement: text, row: statement.row, source });
        }
    }

    fn factor(&mut self, factor: usize, _row: usize, _value: f64) {
        if self.prior && self.error.is_none() {
            self.error = Some(AmortizedError::PriorFactor { statement: self.graph.factors[factor].text });
        }
    }
}

/// The mean of a distribution of one number; `NaN` where it has none or none is known.
fn mean(statement: &Statement<'_>) -> f64 {
    let distribution = statement.distribution;
    let find = |name: &str| {
        let at = distribution.parameters().iter().position(|parameter| parameter.name == name)?;
        statement.params.get(at).copied()
    };
    let of = |name: &str| find(name).unwrap_or(f64::NAN);
    let prob = || find("prob").unwrap_or_else(|| of("logit").sigmoid());
    match distribution.name() {
        "Normal" | "Laplace" => of("loc"),
        "StudentT" if of("df") > 1.0 => of("loc"),
        "LogNormal" => (of("loc") + 0.5 * of("scale").powi(2)).exp(),
        "HalfNormal" => of("scale") * (2.0 / std::f64::consts::PI).sqrt(),
        "Exponential" => of("rate").recip(),
        "Gamma" => of("shape") / of("rate"),
        "Beta" => of("alpha") / (of("alpha") + of("beta")),
        "Uniform" => 0.5 * (of("lower") + of("upper")),
        "Bernoulli" => prob(),
        "Binomial" => of("trials") * prob(),
        "Poisson" => find("rate").unwrap_or_else(|| of("log_rate").exp()),
        "NegativeBinomial" => of("mean"),
        _ => f64::NAN,
    }
}

/// The inputs that no statement gives: what rows must be given to be made.
fn conditions<E: Real>(engine: &Engine<'_, E>) -> Vec<&'static str> {
    let layout = engine.model.layout();
    let observed = |name: &str| layout.observed.iter().any(|observed| observed.name == name);
    let read = |index: usize| {
        let called = |source: &Source| *source == Source::Input(index);
        engine.model_plan.inputs.iter().any(|(input, _)| *input == index)
            || engine.model_plan.calls.iter().any(|call| call.operands.iter().any(|operand| called(&operand.source)))
    };
    let inputs = engine.data.iter().enumerate();
    inputs.filter(|(index, input)| read(*index) && !observed(input.name)).map(|(_, input)| input.name).collect()
}

impl<M: RowModel, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// Makes rows: those of `rows` give the conditions, if there are any.
    fn generate(
        &self,
        engine: &Engine<'_, M::Element>,
        store: &Store<'_, M::Element>,
        rows: &[usize],
        given: bool,
        latents: &Latents<'_>,
        seed: u64,
    ) -> Result<Generated, AmortizedError> {
        let names = conditions(engine);
        if !given && !names.is_empty() {
            let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(AmortizedError::Conditions { names });
        }
        let prior = matches!(latents, Latents::Prior);
        let mut made = Generated::of_rows(engine, rows.len());
        for (block, rows) in rows.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            let mut buffers = engine.buffers(rows.len(), 1);
            if given {
                engine.fill(rows, self.drawn(), &mut buffers)?;
            }
            if matches!(latents, Latents::Located) {
                buffers.noise.fill(M::Element::default());
                engine.evaluate_noise(store, Steering::PLAIN, Mode::Evaluate, &mut buffers)?;
            }
            if let Latents::Unconstrained(u) = latents {
                put(&mut buffers, 0..u.ncols(), first, u);
            }
            engine.prepare(store, &mut buffers.model);
            if let Latents::Given(arrays) = latents {
                for (name, array) in *arrays {
                    if let Some(latent) = engine.model.layout().latents().find(|latent| latent.name == *name) {
                        put(&mut buffers, latent.rows.clone(), first, array);
                    }
                }
            }
            // What statements draw may be read by networks and by statements before them in the graph of rows: as many walks as the longest chain has links.
            let layout = engine.model.layout();
            let walks = 1 + layout.observed.len() + if prior { engine.model_plan.calls.len() } else { 0 };
            for walk in 0..walks {
                engine.call_networks(store, buffers.shape, &buffers.inputs, &mut buffers.model)?;
                for lane in 0..rows.len() {
                    let key = step_key(key(seed, Purpose::Prior, 0), (first + lane) as u64);
                    let make = Make { graph: engine.model.graph(), prior, means: false, key, error: None };
                    self.walk(engine, &mut buffers, lane, make, &mut made.observed, first)?;
                    if walk + 1 == walks {
                        let make = Make { graph: engine.model.graph(), prior, means: true, key, error: None };
                        self.walk(engine, &mut buffers, lane, make, &mut made.means, first)?;
                    }
                }
                for (index, input) in engine.data.iter().enumerate() {
                    let Some((_, array)) = made.observed.iter().find(|(name, _)| *name == input.name) else { continue };
                    for (lane, row) in buffers.inputs[index].chunks_exact_mut(input.columns.max(1)).enumerate() {
                        let from = array.row(first + lane);
                        row.iter_mut().zip(from).for_each(|(to, &from)| *to = M::Element::from_f64(from));
                    }
                }
                fill_inputs(engine.model_plan, &buffers.inputs, buffers.shape, &mut buffers.model.work.values);
            }
            let lanes = buffers.shape.lanes;
            let variables = layout.latents().zip(&mut made.latents).chain(results(engine).zip(&mut made.results));
            for (variable, (_, to)) in variables {
                for lane in 0..rows.len() {
                    for (element, row) in variable.rows.clone().enumerate() {
                        to[[first + lane, element]] = buffers.model.work.values[row * lanes + lane].to_f64();
                    }
                }
            }
        }
        Ok(made)
    }

    /// Walks over the statements of a row of the batch.
    #[allow(clippy::unused_self, reason = "names the types")]
    fn walk(
        &self,
        engine: &Engine<'_, M::Element>,
        buffers: &mut Buffers<M::Element>,
        lane: usize,
        mut make: Make,
        observed: &mut [(&'static str, Array2<f64>)],
        first: usize,
    ) -> Result<(), AmortizedError> {
        let layout = engine.model.layout();
        let lanes = buffers.shape.lanes;
        let mut values: Vec<f64> = buffers.model.work.values.iter().skip(lane).step_by(lanes).map(|x| x.to_f64()).collect();
        let mut own = vec![f64::NAN; layout.observed_elements()];
        engine.model.walk(&mut values, &mut own, &mut make);
        if let Some(error) = make.error {
            return Err(error);
        }
        if make.prior && !make.means {
            for row in layout.latents().flat_map(|latent| latent.rows.clone()) {
                buffers.model.work.values[row * lanes + lane] = M::Element::from_f64(values[row]);
            }
        }
        for (variable, (_, to)) in layout.observed.iter().zip(observed) {
            let from = &own[variable.rows.clone()];
            to.row_mut(first + lane).iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }

    /// Rows from the prior: latents, and what is observed given them.
    ///
    /// # Errors
    /// [`AmortizedError::Conditions`] if the model reads data that it does not generate: take [`AmortizedFit::sample_given`]; [`AmortizedError::Sample`] and
    /// [`AmortizedError::PriorFactor`] if it cannot be drawn from.
    pub fn sample(&self, rows: usize, seed: u64) -> Result<Generated, AmortizedError> {
        with_engine(self.model, self.guide, &self.transforms, |engine, _| {
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

    /// As [`AmortizedFit::sample_given`], again for each of some draws of the latent weights: what the model predicts, uncertain of its networks.
    ///
    /// # Errors
    /// As [`AmortizedFit::sample`].
    pub fn predictive(&self, model: &M, draws: usize, seed: u64) -> Result<Vec<Generated>, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            let rows: Vec<usize> = (0..sides.rows).collect();
            let mut store = self.store.clone();
            let one = |draw: usize| {
                store.draw(Some(key(seed, Purpose::Weights, draw)));
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
            let rows: Vec<usize> = (0..sides.rows).collect();
            self.generate(engine, &self.store, &rows, true, &Latents::Located, self.seed)
        })
    }

    /// What the model makes of `steps` points on the straight line, of unconstrained numbers, from the latents of one row of `model` to those of another; both ends
    /// are among them. Conditions are those of the first row.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`]; [`AmortizedError::Config`] if there are fewer than two steps or no such rows.
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
            self.generate(engine, &self.store, &vec![from; steps], true, &Latents::Unconstrained(&u), self.seed)
        })
    }

    /// Draws of the latents given each row of `model`, in the space of the model: by name, `[draw][row][element]`.
    ///
    /// # Errors
    /// As [`AmortizedFit::encode`].
    pub fn draws(&self, model: &M, draws: usize, seed: u64) -> Result<Vec<(&'static str, Array3<f64>)>, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            let latents = || engine.model.layout().latents();
            let mut all: Vec<_> = latents().map(|v| (v.name, Array3::zeros((draws, sides.rows, v.rows.len())))).collect();
            for_blocks(engine, sides.rows, self.drawn(), (BLOCK, 1), |rows, buffers| {
                for draw in 0..draws {
                    let key = step_key(key(seed, Purpose::Draws, draw), rows[0] as u64);
                    engine.draw_latents(&self.store, key, buffers)?;
                    let lanes = buffers.shape.lanes;
                    for (variable, (_, to)) in latents().zip(&mut all) {
                        for (lane, &data) in rows.iter().enumerate() {
                            for (element, row) in variable.rows.clone().enumerate() {
                                to[[draw, data, element]] = buffers.model.work.values[row * lanes + lane].to_f64();
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
    let layout = engine.model.layout();
    let known = || layout.latents().map(|v| format!("`{}`", v.name)).collect::<Vec<_>>().join(", ");
    for (name, array) in latents {
        let Some(latent) = layout.latents().find(|latent| latent.name == *name) else {
            return Err(AmortizedError::UnknownName { what: "latent", name: (*name).to_owned(), known: known() });
        };
        if array.dim() != (rows, latent.rows.len()) {
            let expected = format!("{rows} rows of {}", latent.rows.len());
            return Err(AmortizedError::Shape { what: format!("`{name}`"), got: array.shape().to_vec(), expected });
        }
    }
    match layout.latents().find(|v| !latents.iter().any(|(name, _)| *name == v.name)) {
        None => Ok(()),
        Some(missing) => {
            let expected = format!("given, with {} rows of {}", rows, missing.rows.len());
            Err(AmortizedError::Shape { what: format!("`{}`", missing.name), got: Vec::new(), expected })
        }
    }
}

/// Puts rows of an array into rows of the workspace of the model, a lane each; lanes that fill up get the last of them.
fn put<E: Real>(buffers: &mut Buffers<E>, rows: Range<usize>, first: usize, array: &Array2<f64>) {
    let (lanes, batch) = (buffers.shape.lanes, buffers.shape.batch);
    for (element, row) in rows.enumerate() {
        for lane in 0..lanes {
            buffers.model.work.values[row * lanes + lane] = E::from_f64(array[[first + lane.min(batch - 1), element]]);
        }
    }
}
