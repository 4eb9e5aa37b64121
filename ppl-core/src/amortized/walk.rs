//! Rows made by walks over the statements of a model, each drawn from its distribution.

use std::collections::BTreeSet;
use std::ops::Range;

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::discrete::Discrete;
use super::engine::Engine;
use super::fit::BLOCK;
use super::generated::{Generated, results};
use super::learn::{Purpose, key};
use super::networks::Store;
use super::plan::Source;
use super::tiles::Tile;
use super::{AmortizedError, AmortizedFit, RowGuide};
use crate::kernel::Real;
use crate::model::{Graph, SiteKind, Statement, Visitor, draw_choice};
use crate::random::step_key;

/// Where latents come from.
pub(super) enum Latents<'a> {
    /// Their prior.
    Prior,
    /// The guide, at its locations.
    Located,
    /// Their values, by name: `[row][element]`, in the space of the model.
    Given(&'a [(&'a str, Array2<f64>)]),
    /// Unconstrained numbers, `[row][element]`, and those of discrete latents by name.
    Unconstrained(&'a Array2<f64>, &'a [(&'static str, Array2<f64>)]),
}

/// What a walk makes of the statements of one row.
struct Make<'a> {
    graph: &'static Graph,
    /// The observed sites that are discrete latents.
    discretes: &'a [Discrete],
    /// Whether latents are drawn.
    prior: bool,
    /// Whether observed arrays get their means instead of draws.
    means: bool,
    /// Arrays of which an element has no mean.
    without: BTreeSet<&'static str>,
    key: u64,
    /// How many sums are open.
    sums: u64,
    /// How many values were drawn in these.
    choices: u64,
    error: Option<AmortizedError>,
}

impl<'a> Make<'a> {
    fn new<E: Real>(engine: &'a Engine<'_, E>, prior: bool, means: bool, key: u64) -> Self {
        Make {
            graph: engine.model.graph(),
            discretes: &engine.discretes,
            prior,
            means,
            without: BTreeSet::new(),
            key,
            sums: 0,
            choices: 0,
            error: None,
        }
    }
}

impl Visitor for Make<'_> {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        let site = self.graph.factors[statement.factor].site.map(|site| self.graph.sites[site].name);
        let is_latent = statement.kind == SiteKind::Latent || self.discretes.iter().any(|discrete| Some(discrete.name) == site);
        if self.error.is_some() || (is_latent && (!self.prior || self.means)) {
            return;
        }
        if self.means {
            // A mean over what is summed out is not known.
            if self.sums > 0 || !statement.distribution.mean(statement.params, value) {
                value.fill(f64::NAN);
                self.without.extend(site);
            }
            return;
        }
        // A statement has noise of its own, so that walks that differ in what they read differ in that alone.
        let key = step_key(step_key(self.key, statement.factor as u64), statement.row as u64);
        if let Err(source) = statement.distribution.sample(statement.params, &mut StdRng::seed_from_u64(key), value) {
            let text = self.graph.factors[statement.factor].text;
            self.error = Some(AmortizedError::Sample { statement: text, row: statement.row, source });
        }
    }

    fn choose(&mut self, factor: usize, row: usize, log_probs: &[f64]) -> Range<usize> {
        self.sums += 1;
        if self.error.is_some() {
            return 0..0;
        }
        self.choices += 1;
        let key = step_key(step_key(step_key(!self.key, factor as u64), row as u64), self.choices);
        draw_choice(log_probs, &mut StdRng::seed_from_u64(key)).unwrap_or_else(|source| {
            self.error = Some(AmortizedError::Sample { statement: self.graph.factors[factor].text, row, source });
            0..0
        })
    }

    fn chosen(&mut self) {
        self.sums -= 1;
        if self.sums == 0 {
            self.choices = 0;
        }
    }

    fn factor(&mut self, factor: usize, _row: usize, _value: f64) {
        if self.prior && self.error.is_none() {
            self.error = Some(AmortizedError::PriorFactor { statement: self.graph.factors[factor].text });
        }
    }
}

/// The inputs that no statement gives: what rows must be given to be made.
fn conditions<E: Real>(engine: &Engine<'_, E>) -> Vec<&'static str> {
    let layout = engine.model.layout();
    let observed = |name: &str| layout.observed.iter().any(|observed| observed.name == name);
    let read = |index: usize| {
        let called = |source: &Source| matches!(source, Source::Input(own) | Source::OneHot(own, _) if *own == index);
        engine.model_plan.inputs.iter().any(|(input, _)| *input == index)
            || engine.model_plan.calls.iter().any(|call| call.operands.iter().any(|operand| called(&operand.source)))
    };
    let inputs = engine.data.iter().enumerate();
    inputs.filter(|(index, input)| read(*index) && !observed(input.name)).map(|(_, input)| input.name).collect()
}

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// Makes rows: those of `rows` give the conditions, if there are any.
    pub(super) fn generate(
        &self,
        engine: &Engine<'_, G::Element>,
        store: &Store<'_, G::Element>,
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
        let mut without = BTreeSet::new();
        for (block, rows) in rows.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            let mut buffers = engine.buffers_of_one(rows.len());
            if given {
                engine.fill(rows, self.drawn(), &mut buffers)?;
            }
            if matches!(latents, Latents::Located) {
                engine.draw_latents(store, None, &mut buffers)?;
            }
            if let Latents::Unconstrained(u, _) = latents {
                put(&mut buffers.tiles.all[0], 0..u.ncols(), first, u);
            }
            engine.prepare(store, &mut buffers);
            if let Latents::Given(arrays) = latents {
                for (name, array) in *arrays {
                    if let Some(latent) = engine.model.layout().latents().find(|latent| latent.name == *name) {
                        put(&mut buffers.tiles.all[0], latent.rows.clone(), first, array);
                    }
                    put_discrete(engine, &mut buffers.tiles.all[0], name, first, array);
                }
            }
            if let Latents::Unconstrained(_, discretes) = latents {
                discretes.iter().for_each(|(name, array)| put_discrete(engine, &mut buffers.tiles.all[0], name, first, array));
            }
            // What statements draw may be read by networks and by statements before them in the graph of rows: as many walks as the longest chain has links.
            let layout = engine.model.layout();
            let walks = 1 + layout.observed.len() + if prior { engine.model_plan.calls.len() } else { 0 };
            for walk in 0..walks {
                engine.call_networks(store, &mut buffers)?;
                for lane in 0..rows.len() {
                    let key = step_key(key(seed, Purpose::Prior, 0), (first + lane) as u64);
                    let make = Make::new(engine, prior, false, key);
                    self.walk(engine, &mut buffers.tiles.all[0], lane, make, &mut made.observed, first)?;
                    if walk + 1 == walks {
                        let make = Make::new(engine, prior, true, key);
                        without.extend(self.walk(engine, &mut buffers.tiles.all[0], lane, make, &mut made.means, first)?);
                    }
                }
                for (index, input) in engine.data.iter().enumerate() {
                    let Some((_, array)) = made.observed.iter().find(|(name, _)| *name == input.name) else { continue };
                    for (lane, row) in buffers.inputs[index].chunks_exact_mut(input.columns.max(1)).enumerate() {
                        let from = array.row(first + lane);
                        row.iter_mut().zip(from).for_each(|(to, &from)| *to = G::Element::from_f64(from));
                    }
                }
                engine.refill(&mut buffers);
                for (name, array) in made.observed.iter().filter(|_| prior) {
                    put_discrete(engine, &mut buffers.tiles.all[0], name, first, array);
                }
            }
            let tile = &buffers.tiles.all[0];
            let lanes = tile.shape.lanes;
            let of_results = results(engine).map(|v| v.rows.clone()).zip(&mut made.results);
            let variables = engine.latents().map(|(_, own, _)| own).zip(&mut made.latents).chain(of_results);
            for (own, (_, to)) in variables {
                for lane in 0..rows.len() {
                    for (element, row) in own.clone().enumerate() {
                        to[[first + lane, element]] = tile.model.work.values[row * lanes + lane].to_f64();
                    }
                }
            }
        }
        let is_drawn = |name: &str| engine.discretes.iter().any(|discrete| discrete.name == name);
        made.means.retain(|(name, _)| !without.contains(name) && !is_drawn(name));
        made.observed.retain(|(name, _)| !is_drawn(name));
        Ok(made)
    }

    /// Walks over the statements of a row of the batch; gives the arrays of which it found no mean.
    #[allow(clippy::unused_self, reason = "names the types")]
    fn walk(
        &self,
        engine: &Engine<'_, G::Element>,
        tile: &mut Tile<G::Element>,
        lane: usize,
        mut make: Make<'_>,
        observed: &mut [(&'static str, Array2<f64>)],
        first: usize,
    ) -> Result<BTreeSet<&'static str>, AmortizedError> {
        let layout = engine.model.layout();
        let lanes = tile.shape.lanes;
        let mut values: Vec<f64> = tile.model.work.values.iter().skip(lane).step_by(lanes).map(|x| x.to_f64()).collect();
        let mut own = vec![f64::NAN; layout.observed_elements()];
        for discrete in &engine.discretes {
            if let Some(variable) = layout.observed.iter().find(|v| v.name == discrete.name) {
                own[variable.rows.clone()].copy_from_slice(&values[discrete.model.clone()]);
            }
        }
        engine.model.walk(&mut values, &mut own, &mut make);
        if let Some(error) = make.error {
            return Err(error);
        }
        if make.prior && !make.means {
            for row in layout.latents().flat_map(|latent| latent.rows.clone()) {
                tile.model.work.values[row * lanes + lane] = G::Element::from_f64(values[row]);
            }
        }
        for (variable, (_, to)) in layout.observed.iter().zip(observed) {
            let from = &own[variable.rows.clone()];
            to.row_mut(first + lane).iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        Ok(make.without)
    }
}

/// Puts values of a discrete latent, if the name is of one, into their places, a lane each.
fn put_discrete<E: Real>(engine: &Engine<'_, E>, tile: &mut Tile<E>, name: &str, first: usize, array: &Array2<f64>) {
    let Some(discrete) = engine.discretes.iter().find(|discrete| discrete.name == name) else { return };
    let (lanes, batch) = (tile.shape.lanes, tile.shape.batch);
    for element in 0..array.ncols() {
        for lane in 0..lanes {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked, or drawn as a number")]
            let value = array[[first + lane.min(batch - 1), element]].max(0.0) as usize;
            discrete.put(element, lane, value, tile);
        }
    }
}

/// Puts rows of an array into rows of the workspace of the model, a lane each; lanes that fill up get the last of them.
fn put<E: Real>(tile: &mut Tile<E>, rows: Range<usize>, first: usize, array: &Array2<f64>) {
    let (lanes, batch) = (tile.shape.lanes, tile.shape.batch);
    for (element, row) in rows.enumerate() {
        for lane in 0..lanes {
            tile.model.work.values[row * lanes + lane] = E::from_f64(array[[first + lane.min(batch - 1), element]]);
        }
    }
}
