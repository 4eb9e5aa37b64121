//! How the discrete latents of a batch come by their values.

use std::sync::Mutex;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Discrete;
use super::softmax::Softmax;
use crate::amortized::engine::{Engine, refuse};
use crate::amortized::tiles::{Tile, Tiles};
use crate::amortized::{AmortizedError, DiscreteEstimator};
use crate::kernel::{Real, dispatch};
use crate::model::{Graph, Statement, Visitor};
use crate::random::{step_key, uniform, uniforms};

/// How they do.
#[derive(Clone, Copy, Debug)]
pub(in crate::amortized) enum Way {
    /// Drawn, with noise of a key.
    Drawn(u64),
    /// The most probable ones; of counts, the means.
    Located,
    /// All there are: each lane of a row has others.
    Enumerated,
    /// Relaxed, with noise of a key, at a temperature.
    Relaxed(u64, f64),
}

impl Way {
    /// With noise of a key; without, at the most probable ones.
    pub(in crate::amortized) fn new(key: Option<u64>, estimator: DiscreteEstimator) -> Self {
        match (key, estimator) {
            (None, _) => Way::Located,
            (Some(_), DiscreteEstimator::Expectation) => Way::Enumerated,
            (Some(key), DiscreteEstimator::Concrete { temperature }) => Way::Relaxed(key, temperature),
            (Some(key), DiscreteEstimator::ScoreFunction) => Way::Drawn(key),
        }
    }

    /// With a key of a tile's own for one of the latents.
    fn of(self, index: usize, first: usize) -> Self {
        let own = |key: u64| step_key(step_key(key, DISCRETE + index as u64), first as u64);
        match self {
            Way::Drawn(key) => Way::Drawn(own(key)),
            Way::Relaxed(key, temperature) => Way::Relaxed(own(key), temperature),
            other => other,
        }
    }
}

/// What makes of the key of the noise of rows that of their discrete latents.
const DISCRETE: u64 = 1 << 41;

impl<E: Real> Engine<'_, E> {
    /// Draws a discrete latent by its number, for whose distribution all is known.
    pub(in crate::amortized) fn draw_discrete(&self, index: usize, way: Way, tiles: &mut Tiles<E>) -> Result<(), AmortizedError> {
        let discrete = &self.discretes[index];
        let before = self.combinations(index).unwrap_or(1);
        let refused = Mutex::new(None);
        tiles.each(|tile| {
            let way = way.of(index, tile.first);
            if discrete.logits.is_some() {
                draw(discrete, (way, before), tile);
            } else if let Err(error) = self.walk_discrete(discrete, way, tile) {
                refuse(&refused, tile.first, error);
            }
        });
        match refused.into_inner() {
            Ok(Some((_, error))) => Err(error),
            _ => Ok(()),
        }
    }

    /// Draws a discrete latent of any distribution, lane by lane.
    fn walk_discrete(&self, discrete: &Discrete, way: Way, tile: &mut Tile<E>) -> Result<(), AmortizedError> {
        let layout = self.guide.layout();
        let lanes = tile.shape.lanes;
        let Some(observed) = layout.observed.iter().find(|v| v.name == discrete.name) else { return Ok(()) };
        for lane in 0..lanes {
            // Lanes that fill up are as the last that counts.
            let known = lane.min(tile.shape.real() - 1);
            let mut values: Vec<f64> = tile.guide.work.values.iter().skip(known).step_by(lanes).map(|x| x.to_f64()).collect();
            let mut own = vec![f64::NAN; layout.observed_elements()];
            let key = if let Way::Drawn(key) = way { Some(step_key(key, known as u64)) } else { None };
            let mut draw = Draw { graph: self.guide.graph(), factors: &discrete.factors, key, error: None };
            self.guide.walk(&mut values, &mut own, &mut draw);
            if let Some(error) = draw.error {
                return Err(error);
            }
            for (element, &value) in own[observed.rows.clone()].iter().enumerate() {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that was drawn as a number")]
                discrete.put(element, lane, value.max(0.0) as usize, tile);
            }
        }
        Ok(())
    }
}

/// Draws a discrete latent by its logits; `before` is how many values those before it have together.
fn draw<E: Real>(discrete: &Discrete, (way, before): (Way, usize), tile: &mut Tile<E>) {
    let lanes = tile.shape.lanes;
    let Some((shape, rows)) = discrete.shape(lanes).zip(discrete.logits.clone()) else { return };
    let own = discrete.probabilities.start * lanes..discrete.probabilities.end * lanes;
    let Tile { guide, probabilities, relaxed, uniform: noise, .. } = &mut *tile;
    let logits = &guide.work.values[rows.start * lanes..rows.end * lanes];
    dispatch(Softmax { shape, logits, noise: None, to: &mut probabilities[own.clone()] });
    if let Way::Relaxed(key, temperature) = way {
        uniforms(key, lanes, &mut noise[own.clone()]);
        let noise = Some((&noise[own.clone()], temperature));
        dispatch(Softmax { shape, logits, noise, to: &mut relaxed[own.clone()] });
    }
    let mut stride = before;
    for element in 0..shape.elements {
        for lane in 0..lanes {
            // Lanes that fill up are as the last that counts.
            let known = lane.min(tile.shape.real() - 1);
            let at = |of: &[E], value: usize| of[own.start + shape.at(element, value) + lane].to_f64();
            let most =
                |of: &[E]| (1..shape.values).fold(0, |most, value| if at(of, value) > at(of, most) { value } else { most });
            let value = match way {
                Way::Drawn(key) => {
                    let uniform = uniform(key, (element as u64) << 20 | known as u64);
                    pick(uniform, shape.values, |value| at(&tile.probabilities, value))
                }
                Way::Located => most(&tile.probabilities),
                Way::Enumerated => known / tile.shape.batch / stride % shape.values,
                Way::Relaxed(..) => most(&tile.relaxed),
            };
            if let Way::Enumerated = way {
                tile.chances[lane] *= at(&tile.probabilities, value);
            }
            discrete.put(element, lane, value, tile);
            if let Way::Relaxed(..) = way {
                for value in 0..shape.values {
                    if let Some(to) = shape.of_logit(element, value) {
                        tile.hot[discrete.hot.start * lanes + to + lane] =
                            tile.relaxed[own.start + shape.at(element, value) + lane];
                    }
                }
            }
        }
        stride = stride.saturating_mul(shape.values);
    }
}

/// The value that a uniform number picks.
fn pick(uniform: f64, values: usize, probability: impl Fn(usize) -> f64) -> usize {
    let mut below = 0.0;
    for value in 0..values - 1 {
        below += probability(value);
        if uniform < below {
            return value;
        }
    }
    values - 1
}

/// Draws the elements of some factors; without a key, they are the most probable categories, or the means of counts.
struct Draw<'a> {
    graph: &'static Graph,
    factors: &'a [usize],
    key: Option<u64>,
    error: Option<AmortizedError>,
}

impl Visitor for Draw<'_> {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        if self.error.is_some() || !self.factors.contains(&statement.factor) {
            return;
        }
        let text = self.graph.factors[statement.factor].text;
        if self.key.is_none() {
            let params = statement.params;
            if text.contains("Categorical") {
                let most = (1..params.len()).fold(0, |most, at| if params[at] > params[most] { at } else { most });
                value[0] = most as f64;
                return;
            }
            if statement.distribution.mean(params, value) {
                value[0] = value[0].round();
                return;
            }
        }
        let key = step_key(step_key(self.key.unwrap_or_default(), statement.factor as u64), statement.row as u64);
        if let Err(source) = statement.distribution.sample(statement.params, &mut StdRng::seed_from_u64(key), value) {
            self.error = Some(AmortizedError::Sample { statement: text, row: statement.row, source });
        }
    }
}
