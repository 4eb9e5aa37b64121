//! Draws from a guide, batch after batch: latents, quantities, importance ratios.

use super::FitError;
use crate::centring::View;
use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};
use crate::random::{some_antithetic_normals, step_key};

/// How far draws are computed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The latents: all that is known where there are no data.
    Latents,
    /// The quantities too.
    Quantities,
    /// The importance ratios too.
    Ratios,
}

/// Draws of which the second half mirrors the first, and which are made at once where nothing else is said.
pub(super) const BATCH: usize = 64;
const HALF: usize = BATCH / 2;
/// Bytes of values, adjoints and noise above which fewer draws are made at once.
const ENOUGH: usize = 512 << 20;

/// Draws from a guide, completed with the quantities of the model.
pub(super) struct Drawn<'a, E: Real> {
    view: View<'a, E>,
    guide: &'a dyn Guide<E>,
    key: u64,
    /// How many draws are made at once, and were made.
    width: usize,
    made: usize,
    noise: Vec<E>,
    factors: Vec<f64>,
    /// By how much all but the last rows of noise are larger than those of the guide.
    widening: f64,
    pub(super) work: Workspace<E>,
    weights: Weights<E>,
    pub(super) log_ratios: Vec<f64>,
}

impl<'a, E: Real> Drawn<'a, E> {
    /// So many draws of a guide whose dimensions are those of the model, as written or with the degrees of centring.
    pub(super) fn new(written: &'a dyn LogJoint<E>, guide: &'a dyn Guide<E>, draws: usize, key: u64) -> Result<Self, FitError> {
        Self::at_once(written, guide, draws, key, BATCH)
    }

    /// How many draws are worth making at once: of very many latents few, for their memory.
    pub(super) fn affordable(model: &dyn LogJoint<E>, guide: &dyn Guide<E>, draws: usize) -> usize {
        let numbers = 2 * model.reported().rows() + 2 * guide.noise() + model.layout().unconstrained();
        let bytes = numbers * size_of::<E>();
        match model.at_once() {
            BATCH => {
                (E::LANE_MULTIPLE.ilog2()..=BATCH.ilog2()).rev().map(|power| 1 << power).find(|width| width * bytes <= ENOUGH)
            }
            more => Some(more.min(draws.next_multiple_of(BATCH))),
        }
        .unwrap_or(E::LANE_MULTIPLE)
    }

    /// The same draws, `width` at once: a multiple of 64, or a part of it.
    pub(super) fn at_once(
        written: &'a dyn LogJoint<E>,
        guide: &'a dyn Guide<E>,
        draws: usize,
        key: u64,
        width: usize,
    ) -> Result<Self, FitError> {
        let (fitted, own) = (guide.dimensions(), written.layout().unconstrained());
        let view = View::of_dimensions(written, fitted).ok_or(FitError::OtherSizes { fitted, model: own })?;
        let model = view.model();
        Ok(Drawn {
            guide,
            key,
            width,
            made: 0,
            noise: vec![E::default(); guide.noise() * width],
            factors: unit_variance::<E>(guide.noise(), (draws, width), key),
            widening: 1.0,
            work: model.workspace(width),
            weights: model.unit_weights(width),
            log_ratios: vec![0.0; width],
            view,
        })
    }

    /// Draws that are spread so many times as far: their ratios are to the guide that is widened so.
    pub(super) fn widened(mut self, widening: f64) -> Self {
        self.factors[..self.guide.spreading()].iter_mut().for_each(|factor| *factor *= widening);
        self.widening *= widening;
        self
    }

    /// Calls `visit` with draws of these numbers, in ascending order, and their places in the workspace; a number may come more than once.
    pub(super) fn each(
        mut self,
        chosen: impl IntoIterator<Item = usize>,
        stage: Stage,
        mut visit: impl FnMut(&Workspace<E>, usize),
    ) {
        for draw in chosen {
            while self.made <= draw {
                self.next_batch(stage);
            }
            visit(&self.work, draw % self.width);
        }
    }

    /// The log ratios `log p(theta_s, y) - log q(theta_s)` of the first draws, in nats, on the unconstrained space.
    pub(super) fn ratios(mut self, draws: usize) -> Vec<f64> {
        let mut ratios = Vec::with_capacity(draws);
        while ratios.len() < draws {
            self.next_batch(Stage::Ratios);
            ratios.extend_from_slice(&self.log_ratios[..(draws - ratios.len()).min(self.width)]);
        }
        ratios
    }

    /// From the log densities of draws under the guide to those under the widened one, or as good as these: the densities of their noise differ by so much.
    fn add_widening(&self, log_q: &mut [f64]) {
        let rows = self.guide.spreading();
        if self.widening == 1.0 {
            return;
        }
        let (volume, excess) = (rows as f64 * self.widening.ln(), 0.5 * (1.0 - self.widening.powi(-2)));
        log_q.iter_mut().for_each(|log_q| *log_q -= volume);
        for row in self.noise.chunks_exact(self.width).take(rows) {
            log_q.iter_mut().zip(row).for_each(|(log_q, z)| *log_q += excess * z.to_f64().powi(2));
        }
    }

    /// The next draws, in the workspace.
    pub(super) fn next_batch(&mut self, stage: Stage) {
        let width = self.width;
        let own = width.min(HALF);
        let mut batch = vec![E::default(); self.noise.len() / width * own];
        for first in (0..width).step_by(own) {
            noise(self.key, self.made, &mut batch, own);
            self.made += own;
            let rows = self.noise.chunks_exact_mut(width).zip(batch.chunks_exact(own)).zip(&self.factors);
            for ((row, own), factor) in rows {
                row[first..first + own.len()].iter_mut().zip(own).for_each(|(x, z)| *x = E::from_f64(z.to_f64() * factor));
            }
        }
        self.guide.draw(&self.noise, width, self.work.u_mut());
        let (mut log_det, mut log_q) = (vec![0.0; width], vec![0.0; width]);
        if stage == Stage::Ratios {
            self.guide.log_prob(self.work.u(), width, &mut log_q);
            self.add_widening(&mut log_q);
        }
        let model = self.view.model();
        model.constrain(&mut self.work, &mut log_det);
        if stage == Stage::Ratios {
            model.accumulate(&mut self.work, &self.weights, &mut self.log_ratios);
            for ((ratio, log_det), log_q) in self.log_ratios.iter_mut().zip(&log_det).zip(&log_q) {
                *ratio += log_det - log_q;
                // A density that is no number is none.
                if ratio.is_nan() {
                    *ratio = f64::NEG_INFINITY;
                }
            }
        }
        if stage >= Stage::Quantities {
            model.complete(&mut self.work);
        }
    }
}

/// The noise of some draws from a first one on, which are of one half of a batch: the second half of each mirrors the first.
fn noise<E: Real>(key: u64, first: usize, out: &mut [E], width: usize) {
    let within = first % BATCH;
    some_antithetic_normals(step_key(key, (first / BATCH) as u64), BATCH, within..within + width, out);
}

/// What each row of noise is multiplied by, to have a mean square of one over all draws: this takes its error out of the standard deviations of the
/// summary. (Over few draws it would bias what depends on higher moments.)
fn unit_variance<E: Real>(rows: usize, (draws, width): (usize, usize), key: u64) -> Vec<f64> {
    let mut squares = vec![0.0; rows];
    let own = width.min(HALF);
    let mut some = vec![E::default(); rows * own];
    let all = draws.next_multiple_of(BATCH).max(BATCH);
    for first in (0..all).step_by(own) {
        noise(key, first, &mut some, own);
        for (square, row) in squares.iter_mut().zip(some.chunks_exact(own)) {
            // One after the other: the same bits, however many are made at once.
            row.iter().for_each(|x| *square += x.to_f64().powi(2));
        }
    }
    squares.iter().map(|square| (square / all as f64).sqrt().recip()).collect()
}
