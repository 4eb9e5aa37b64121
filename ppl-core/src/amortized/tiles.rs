//! The lanes of a batch in tiles of a few rows, on which cores work side by side.

use rayon::prelude::*;

use super::buffers::Half;
use super::engine::Engine;
use super::transpose::LaneShape;
use crate::kernel::Real;

/// Lanes of a tile, unless a row alone has more: few enough that all numbers of a tile stay in the cache of a core.
const LANES: usize = 32;
/// Numbers in all workspaces from which tiles are handed to several cores.
const LARGE: usize = 1 << 15;

/// Some rows of a batch, all samples of each, with buffers of their own.
#[derive(Debug)]
pub(super) struct Tile<E> {
    /// The first of its rows in the batch.
    pub(super) first: usize,
    pub(super) shape: LaneShape,
    pub(super) model: Half<E>,
    pub(super) guide: Half<E>,
    /// Standard normal noise, `[latent row][lane]`.
    pub(super) noise: Vec<E>,
    /// Draws of latents that are not normal, as the noise.
    pub(super) drawn: Vec<E>,
    pub(super) drawn_adjoints: Vec<E>,
    /// What networks are given of discrete latents, `[row][lane]`: ones and zeros, numbers, or what these are relaxed to.
    pub(super) hot: Vec<E>,
    pub(super) hot_adjoints: Vec<E>,
    /// The probabilities that the guide gives the values of discrete latents, `[row][lane]`.
    pub(super) probabilities: Vec<E>,
    /// Relaxed draws of as many.
    pub(super) relaxed: Vec<E>,
    /// Uniform noise of as many.
    pub(super) uniform: Vec<E>,
    /// The logarithms of their ratios to prior probabilities.
    pub(super) logs: Vec<E>,
    /// The probability of the discrete latents of each lane, where the lanes of a row have all values that there are; else empty.
    pub(super) chances: Vec<f64>,
    /// What the score of the discrete latents of each lane is worth.
    pub(super) signals: Vec<E>,
    /// The direct derivative of `log q` by the unconstrained numbers of the guide, `[row][lane]`.
    pub(super) direct: Vec<E>,
    /// `log p - log q` of each lane.
    pub(super) ratios: Vec<f64>,
    /// The divergence of each lane: `log q - log prior`, or the closed form.
    pub(super) divergence: Vec<f64>,
    /// Of the closed form, the sum over the lanes that count: for each latent row, as the noise.
    pub(super) by_element: Vec<f64>,
    /// The bound of each row.
    pub(super) bounds: Vec<f64>,
    /// How much each lane counts in the gradient.
    pub(super) weights: Vec<E>,
    /// The derivative of what is maximised by the divergence of each lane.
    pub(super) of_divergence: Vec<E>,
    pub(super) shares: Vec<E>,
    /// The log densities of the rows of one factor.
    pub(super) factor: Vec<E>,
}

impl<E: Real> Tile<E> {
    fn new(engine: &Engine<'_, E>, first: usize, rows: usize, samples: usize) -> Self {
        let shape = LaneShape::new::<E>(rows, samples);
        let zeros = |rows: usize| vec![E::default(); rows * shape.lanes];
        let noise = engine.noise_rows();
        let of_discretes = engine.discretes.last().map_or((0, 0), |last| (last.hot.end, last.probabilities.end));
        let factor_rows = engine.prior.iter().map(|&factor| engine.model.factor_rows(factor)).max().unwrap_or(0);
        Tile {
            first,
            shape,
            model: Half::new(engine.model, shape),
            guide: Half::new(engine.guide, shape),
            noise: zeros(noise),
            drawn: zeros(noise),
            drawn_adjoints: zeros(noise),
            hot: zeros(of_discretes.0),
            hot_adjoints: zeros(of_discretes.0),
            probabilities: zeros(of_discretes.1),
            relaxed: zeros(of_discretes.1),
            uniform: zeros(of_discretes.1),
            logs: zeros(of_discretes.1),
            chances: Vec::new(),
            signals: zeros(1),
            direct: zeros(engine.guide.layout().unconstrained()),
            ratios: vec![0.0; shape.lanes],
            divergence: vec![0.0; shape.lanes],
            by_element: vec![0.0; noise + engine.discrete_elements()],
            bounds: vec![0.0; rows],
            weights: zeros(1),
            of_divergence: zeros(1),
            shares: zeros(1),
            factor: zeros(factor_rows),
        }
    }

    /// The first lane that counts whose log ratio is not finite.
    pub(super) fn first_bad_lane(&self) -> Option<usize> {
        let counts = |lane: usize| self.chances.get(lane).is_none_or(|&chance| chance != 0.0);
        (0..self.shape.real()).find(|&lane| !self.ratios[lane].is_finite() && counts(lane))
    }
}

/// All tiles of a batch: each but the last of as many rows, a function of the sizes alone, so that the bits do not depend on the cores.
#[derive(Debug)]
pub(super) struct Tiles<E> {
    pub(super) all: Vec<Tile<E>>,
    /// Rows of each but the last.
    rows: usize,
    shared: bool,
}

impl<E: Real> Tiles<E> {
    /// For a batch of so many rows.
    pub(super) fn new(engine: &Engine<'_, E>, batch: usize, samples: usize) -> Self {
        Self::of(engine, (LANES / samples.max(1)).max(1), batch, samples)
    }

    /// One tile for all rows.
    pub(super) fn one(engine: &Engine<'_, E>, batch: usize, samples: usize) -> Self {
        Self::of(engine, batch, batch, samples)
    }

    fn of(engine: &Engine<'_, E>, rows: usize, batch: usize, samples: usize) -> Self {
        let tile = |first: usize| Tile::new(engine, first, rows.min(batch - first), samples);
        let all: Vec<Tile<E>> = (0..batch).step_by(rows.max(1)).map(tile).collect();
        let numbers: usize = all.iter().map(|tile| tile.model.work.values.len() + tile.guide.work.values.len()).sum();
        Tiles { shared: all.len() > 1 && numbers >= LARGE, rows, all }
    }

    /// Does something with each tile.
    pub(super) fn each(&mut self, act: impl Fn(&mut Tile<E>) + Sync + Send) {
        if self.shared { self.all.par_iter_mut().for_each(act) } else { self.all.iter_mut().for_each(act) }
    }

    /// With each tile and its part of a matrix: `[row][..]`, so many numbers of each row of the batch.
    pub(super) fn read(&mut self, matrix: &[E], of_row: usize, act: impl Fn(&mut Tile<E>, &[E]) + Sync + Send) {
        let part = (self.rows * of_row).max(1);
        if self.shared {
            self.all.par_iter_mut().zip(matrix.par_chunks(part)).for_each(|(tile, own)| act(tile, own));
        } else {
            self.all.iter_mut().zip(matrix.chunks(part)).for_each(|(tile, own)| act(tile, own));
        }
    }

    /// As [`Tiles::read`], to be written.
    pub(super) fn write(&mut self, matrix: &mut [E], of_row: usize, act: impl Fn(&mut Tile<E>, &mut [E]) + Sync + Send) {
        let part = (self.rows * of_row).max(1);
        if self.shared {
            self.all.par_iter_mut().zip(matrix.par_chunks_mut(part)).for_each(|(tile, own)| act(tile, own));
        } else {
            self.all.iter_mut().zip(matrix.chunks_mut(part)).for_each(|(tile, own)| act(tile, own));
        }
    }
}
