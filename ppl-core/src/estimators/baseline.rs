//! The control variate of least variance, learned from earlier steps.

use crate::archive::Archive;
use crate::guides::Guide;
use crate::kernel::Real;

/// How fast earlier steps are forgotten.
const MEMORY: f64 = 0.98;

/// For each parameter the multiple `a` of `h = grad log q` that leaves `f - a h` the least variance, `f` being `h` times the cost: `E[f h] / E[h^2]`, since
/// the expectation of `h` is zero.
#[derive(Debug)]
pub(super) struct Optimal<E> {
    /// Of which blocks.
    wanted: Vec<bool>,
    /// Running means.
    products: Vec<f64>,
    squares: Vec<f64>,
    steps: usize,
    /// One sample in all lanes.
    lanes: Vec<E>,
}

impl<E: Real> Optimal<E> {
    pub(super) fn new(parameters: usize, wanted: Vec<bool>) -> Self {
        Optimal { wanted, products: vec![0.0; parameters], squares: vec![0.0; parameters], steps: 0, lanes: Vec::new() }
    }

    /// Writes what was learned, or reads it.
    pub(super) fn archive(&mut self, archive: &mut Archive) {
        archive.numbers(&mut self.products);
        archive.numbers(&mut self.squares);
        archive.count(&mut self.steps);
    }

    pub(super) fn knows_nothing(&self) -> bool {
        self.steps == 0
    }

    /// `sum of weights of the wanted blocks . grad log q`.
    fn pull(&self, guide: &dyn Guide<E>, u: &[E], samples: usize, weight: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut gradient = vec![0.0; self.products.len()];
        let block = |b: usize| (0..samples).map(move |s| (b, s));
        let all = (0..self.wanted.len()).flat_map(block);
        let weights: Vec<f64> = all.map(|(b, s)| if self.wanted[b] { weight(b, s) } else { 0.0 }).collect();
        guide.pull_block_log_prob(u, samples, &weights, None, Some(&mut gradient));
        gradient
    }

    /// Takes samples (`[dimension][sample]`) with what they cost (`[block][sample]`) into the running means.
    pub(super) fn learn(&mut self, guide: &dyn Guide<E>, u: &[E], costs: &[f64], samples: usize) {
        let width = E::LANE_MULTIPLE;
        let rate = (1.0 / (self.steps + 1) as f64).max(1.0 - MEMORY);
        let (mut products, mut squares) = (vec![0.0; self.products.len()], vec![0.0; self.products.len()]);
        for s in 0..samples {
            let mut lanes = std::mem::take(&mut self.lanes);
            lanes.clear();
            lanes.extend(u.chunks_exact(samples).flat_map(|row| std::iter::repeat_n(row[s], width)));
            let [score, weighed] = [true, false].map(|alone| {
                let weight = |b: usize| if alone { 1.0 } else { costs[b * samples + s] };
                self.pull(guide, &lanes, width, |b, lane| if lane == 0 { weight(b) } else { 0.0 })
            });
            self.lanes = lanes;
            for (i, (h, f)) in score.iter().zip(&weighed).enumerate() {
                products[i] += f * h / samples as f64;
                squares[i] += h * h / samples as f64;
            }
        }
        if products.iter().chain(&squares).all(|x| x.is_finite()) {
            let blend = |all: &mut [f64], new: &[f64]| all.iter_mut().zip(new).for_each(|(x, new)| *x += rate * (new - *x));
            blend(&mut self.products, &products);
            blend(&mut self.squares, &squares);
            self.steps += 1;
        }
    }

    /// Subtracts the control variate of some samples.
    pub(super) fn subtract(&self, guide: &dyn Guide<E>, u: &[E], samples: usize, gradient: &mut [f64]) {
        let score = self.pull(guide, u, samples, |_, _| 1.0 / samples as f64);
        for (i, gradient) in gradient.iter_mut().enumerate().filter(|(i, _)| self.squares[*i] > 0.0) {
            *gradient -= self.products[i] / self.squares[i] * score[i];
        }
    }
}
