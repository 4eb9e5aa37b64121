//! The loop over epochs and batches.

use std::time::{Duration, Instant};

use super::buffers::Buffers;
use super::calls::Samples;
use super::discrete;
use super::divergence::{ClosedForm, closed_form};
use super::engine::{Engine, Steering};
use super::networks::Store;
#[cfg(feature = "files")]
use super::saved::check_writable;
use super::transform::{Drawn, Transform};
use super::{Amortized, AmortizedError, DiscreteEstimator, Epoch, Stopped};
use crate::kernel::Real;
use crate::networks::Mode;
use crate::random::{shuffle, step_key};

/// What random numbers are for: each purpose has keys of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Split,
    Shuffle,
    Noise,
    Transform,
    Dropout,
    HeldOutNoise,
    HeldOutTransform,
    Likelihood,
    Bounds,
    Weights,
    Draws,
    Prior,
    Globals,
}

/// The key of a purpose at a step.
pub(super) fn key(seed: u64, purpose: Purpose, step: usize) -> u64 {
    step_key(step_key(seed, purpose as u64), step as u64)
}

/// Rows as they are drawn where a fit is asked about them: alike at every call.
pub(super) fn asked(seed: u64, transforms: &[Transform]) -> Drawn<'_> {
    Drawn { transforms, key: key(seed, Purpose::HeldOutTransform, 0), learning: false }
}

/// Buffers for the sizes of batches that have come up.
#[derive(Debug)]
pub(super) struct Sizes<E> {
    samples: Samples,
    all: Vec<Buffers<E>>,
}

impl<E: Real> Sizes<E> {
    pub(super) fn new(samples: Samples) -> Self {
        Sizes { samples, all: Vec::new() }
    }

    /// Those of a size, made when it comes up first.
    pub(super) fn of(&mut self, engine: &Engine<'_, E>, batch: usize) -> &mut Buffers<E> {
        let index = self.all.iter().position(|buffers| buffers.batch == batch).unwrap_or_else(|| {
            self.all.push(engine.buffers(batch, self.samples));
            self.all.len() - 1
        });
        &mut self.all[index]
    }
}

/// What came of a fit so far.
#[derive(Debug)]
pub(crate) struct Past<E> {
    pub(super) history: Vec<Epoch>,
    pub(super) stopped: Stopped,
    /// The rows that were held out.
    pub(super) held_out: Vec<usize>,
    /// The weights at the end, where those in the store are better ones of an earlier epoch.
    pub(super) latest: Vec<E>,
}

impl<E> Default for Past<E> {
    fn default() -> Self {
        Past { history: Vec::new(), stopped: Stopped::Epochs, held_out: Vec::new(), latest: Vec::new() }
    }
}

/// What a file says of a fit beside what was learned.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "files"), expect(dead_code, reason = "there are no files"))]
pub(crate) struct Header<'a> {
    pub(super) model: &'static str,
    pub(super) guide: &'static str,
    pub(super) seed: u64,
    pub(super) transforms: &'a [Transform],
}

impl<'a> Header<'a> {
    pub(super) fn new<M, G>(seed: u64, transforms: &'a [Transform]) -> Self {
        Header { model: std::any::type_name::<M>(), guide: std::any::type_name::<G>(), seed, transforms }
    }
}

/// The best weights so far: the bound of the held-out rows, the epoch, and the weights.
struct Best<E> {
    bound: f64,
    epoch: usize,
    weights: Vec<E>,
}

impl<E: Real> Best<E> {
    /// Of a fit that goes on: the store has them, and gets those at the end. They are kept if they are watched for.
    fn of(past: &Past<E>, store: &mut Store<'_, E>, watched: bool) -> Self {
        let mut best = Best { bound: f64::NEG_INFINITY, epoch: 0, weights: Vec::new() };
        // Where the weights at the end are not kept apart, they are in the store, and those of earlier epochs are gone.
        let known = if past.latest.is_empty() { past.history.len().saturating_sub(1) } else { 0 };
        for epoch in &past.history[known..] {
            if let Some(bound) = epoch.held_out.filter(|bound| *bound > best.bound) {
                (best.bound, best.epoch) = (bound, epoch.epoch);
            }
        }
        if watched && best.bound > f64::NEG_INFINITY {
            store.keep(&mut best.weights);
        }
        if !past.latest.is_empty() {
            store.put_back(&past.latest);
        }
        best
    }

    /// Puts the best weights, if there are any, into the store, and those at the end beside them.
    fn put(&self, past: &mut Past<E>, store: &mut Store<'_, E>) {
        past.latest.clear();
        if !self.weights.is_empty() {
            store.keep(&mut past.latest);
            store.put_back(&self.weights);
        }
    }
}

/// Learns what is in the store, within the pool: its parts need not enter it one by one.
pub(crate) fn learn<E: Real>(
    engine: &Engine<'_, E>,
    rows: usize,
    store: &mut Store<'_, E>,
    config: &mut Amortized,
    past: (Past<E>, Header<'_>),
) -> Result<Past<E>, AmortizedError> {
    rayon::scope(|_| learn_all(engine, rows, store, config, past))
}

#[cfg_attr(not(feature = "files"), expect(unused_variables, reason = "there are no files"))]
fn learn_all<E: Real>(
    engine: &Engine<'_, E>,
    rows: usize,
    store: &mut Store<'_, E>,
    config: &mut Amortized,
    (mut past, header): (Past<E>, Header<'_>),
) -> Result<Past<E>, AmortizedError> {
    let start = Instant::now();
    #[cfg(feature = "files")]
    if let Some(checkpoint) = &config.checkpoint {
        check_writable(&checkpoint.path)?;
    }
    #[cfg(feature = "files")]
    let mut saved = start;
    discrete::check(engine, config)?;
    let closed = closed_form(engine, config)?;
    let closed = closed.as_ref();
    let seed = config.seed;
    let mut train: Vec<usize> = (0..rows).collect();
    shuffle(key(seed, Purpose::Split, 0), &mut train);
    let held_out = train.split_off(rows - config.held_out);
    let batch = config.batch.min(train.len());
    let train_rows = train.len() as f64;
    let steps = config.epochs.saturating_mul(train.len().div_ceil(batch));
    let mut sizes = Sizes::new(engine.samples(config));
    let mut best = Best::of(&past, store, config.patience.is_some());
    let before = past.history.last().map_or(Duration::ZERO, |epoch| epoch.elapsed);
    let mut step = past.history.last().map_or(0, |epoch| epoch.steps);
    past.held_out = held_out;
    past.stopped = Stopped::Epochs;
    for epoch in past.history.len()..config.epochs {
        train.sort_unstable();
        shuffle(key(seed, Purpose::Shuffle, epoch), &mut train);
        let (mut bound, mut divergence, mut rate) = (0.0, 0.0, 0.0);
        for rows in train.chunks(batch) {
            rate = config.rate * config.schedule.at(epoch, step, steps);
            let buffers = sizes.of(engine, rows.len());
            // Latent weights are one draw for all rows: each row bears its share of their divergence.
            store.draw(Some(key(seed, Purpose::Weights, step)));
            let of_weights = store.divergence() / train_rows;
            let of_rows = learn_from(engine, store, (config, closed), (step, rate, train_rows), rows, buffers)?;
            bound += rows.len() as f64 * (of_rows - of_weights);
            let (of_globals, of_divergence) = buffers.of_globals();
            bound += rows.len() as f64 * of_globals / train_rows;
            divergence += rows.len() as f64 * (buffers.mean_divergence() + of_weights + of_divergence / train_rows);
            step += 1;
        }
        store.draw(None);
        let count = train_rows;
        let held = (!past.held_out.is_empty())
            .then(|| bound_of(engine, store, (config, closed), &past.held_out, batch, &mut sizes))
            .transpose()?;
        let info = Epoch {
            epoch,
            steps: step,
            bound: bound / count,
            divergence: divergence / count,
            held_out: held,
            rate,
            elapsed: before + start.elapsed(),
        };
        let stop = config.observer.as_mut().is_some_and(|observer| observer(&info).is_break());
        past.history.push(info);
        if let (Some(patience), Some(held)) = (config.patience, held) {
            if held > best.bound {
                (best.bound, best.epoch) = (held, epoch);
                store.keep(&mut best.weights);
            }
            if epoch >= best.epoch + patience {
                past.stopped = Stopped::Patience { best: best.epoch };
                break;
            }
        }
        if stop {
            past.stopped = Stopped::Observer;
            break;
        }
        if config.max_time.is_some_and(|most: Duration| start.elapsed() >= most) {
            past.stopped = Stopped::Time;
            break;
        }
        #[cfg(feature = "files")]
        if let Some(checkpoint) = config.checkpoint.as_ref().filter(|checkpoint| saved.elapsed() >= checkpoint.every) {
            let stopped = std::mem::replace(&mut past.stopped, Stopped::Checkpoint);
            best.put(&mut past, store);
            header.write(&checkpoint.path, store, &past)?;
            past.stopped = stopped;
            if !past.latest.is_empty() {
                store.put_back(&past.latest);
            }
            saved = Instant::now();
        }
    }
    best.put(&mut past, store);
    #[cfg(feature = "files")]
    if let Some(checkpoint) = &config.checkpoint {
        header.write(&checkpoint.path, store, &past)?;
    }
    Ok(past)
}

/// One step; the mean bound of its rows.
fn learn_from<E: Real>(
    engine: &Engine<'_, E>,
    store: &mut Store<'_, E>,
    (config, closed): (&Amortized, Option<&ClosedForm>),
    (step, rate, train_rows): (usize, f64, f64),
    rows: &[usize],
    buffers: &mut Buffers<E>,
) -> Result<f64, AmortizedError> {
    let seed = config.seed;
    let drawn = Drawn { transforms: &config.transforms, key: key(seed, Purpose::Transform, step), learning: true };
    let (estimator, kl_weight) = (config.estimator, config.kl_weight.at(step));
    let steering = Steering { estimator, discrete: config.discrete, kl_weight, closed, share: 1.0 / train_rows };
    engine.fill(rows, drawn, buffers)?;
    let mode = Mode::Train { key: key(seed, Purpose::Dropout, step) };
    engine.evaluate(store, key(seed, Purpose::Noise, step), steering, mode, buffers)?;
    let bound = finite(engine, step, rows, (config, closed), buffers)?;
    engine.signal(config.objective, steering, buffers);
    engine.pull(store, steering, buffers)?;
    store.pull_latent(steering.kl_weight / train_rows);
    store.see(rows);
    store.step(step, rate, config.largest_norm)?;
    Ok(bound)
}

/// The mean bound of the rows in the buffers, if all are finite. It is the bound itself, whatever the weight of the divergence is.
fn finite<E: Real>(
    engine: &Engine<'_, E>,
    step: usize,
    rows: &[usize],
    (config, closed): (&Amortized, Option<&ClosedForm>),
    buffers: &mut Buffers<E>,
) -> Result<f64, AmortizedError> {
    let bound = buffers.weigh(config.objective);
    let Buffers { tiles, inputs, .. } = buffers;
    for tile in &mut tiles.all {
        if let Some(lane) = tile.first_bad_lane() {
            let row = lane % tile.shape.batch;
            let quantity = engine.blame(lane, closed, inputs, tile);
            return Err(AmortizedError::NonFinite { step, row: rows[tile.first + row], bound: tile.bounds[row], quantity });
        }
    }
    Ok(bound)
}

/// The mean bound of held-out rows, with the same noise at every call.
fn bound_of<E: Real>(
    engine: &Engine<'_, E>,
    store: &Store<'_, E>,
    (config, closed): (&Amortized, Option<&ClosedForm>),
    held_out: &[usize],
    batch: usize,
    sizes: &mut Sizes<E>,
) -> Result<f64, AmortizedError> {
    // Relaxed bounds are not those of the model.
    let discrete = match config.discrete {
        DiscreteEstimator::Concrete { .. } => DiscreteEstimator::ScoreFunction,
        other => other,
    };
    let steering = Steering { discrete, closed, ..Steering::PLAIN };
    let mut sum = 0.0;
    for (index, rows) in held_out.chunks(batch).enumerate() {
        let buffers = sizes.of(engine, rows.len());
        engine.fill(rows, asked(config.seed, &config.transforms), buffers)?;
        engine.evaluate(store, key(config.seed, Purpose::HeldOutNoise, index), steering, Mode::Evaluate, buffers)?;
        sum += rows.len() as f64 * buffers.weigh(config.objective);
    }
    Ok(sum / held_out.len() as f64)
}
