//! Independent blocks, each a Gaussian of any covariance: full within a site, mean-field across sites.

use serde::{Deserialize, Serialize};

use super::{FullRank, Guide, Path, joint};
use crate::kernel::Real;
use crate::optimizers::Gaussian;

/// `q(u) = product over blocks of q_b(u_b)`, each a [`FullRank`] over some of the dimensions; the parameters are those of the first block, then those of the
/// next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocks {
    parts: Vec<Block>,
    dimensions: usize,
    /// Those of all blocks; the blocks hold copies.
    parameters: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Block {
    members: Vec<usize>,
    guide: FullRank,
}

impl Blocks {
    /// Blocks of these dimensions, which with the last ones, if they are points, are all of them, each once; each begins as the conditional of a Gaussian,
    /// given the others: the best that independent blocks can do of it.
    ///
    /// # Panics
    /// If a dimension is in no block, or in two.
    #[must_use]
    pub fn new(members: &[Vec<usize>], gaussian: &Gaussian, points: usize) -> Self {
        let n = gaussian.mean.len();
        let of_points: Vec<usize> = (n - points..n).collect();
        let members: Vec<&Vec<usize>> = members.iter().chain((points > 0).then_some(&of_points)).collect();
        let mut all: Vec<usize> = members.iter().copied().flatten().copied().collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..n), "every dimension is in one block");
        let precision = |i: usize, j: usize| -> f64 {
            (0..=i.min(j)).map(|k| gaussian.precision[i * n + k] * gaussian.precision[j * n + k]).sum()
        };
        let parts = members.into_iter().map(|members| {
            let m = members.len();
            let matrix: Vec<f64> = (0..m * m).map(|at| precision(members[at / m], members[at % m])).collect();
            let diagonal = || (0..m * m).map(|at| if at % (m + 1) == 0 { matrix[at].sqrt() } else { 0.0 }).collect();
            let factor = crate::optimizers::cholesky(&matrix, m).unwrap_or_else(diagonal);
            let mean = members.iter().map(|&i| gaussian.mean[i]).collect();
            let gaussian = Gaussian { mean, precision: factor };
            let points = if members.first().is_some_and(|&i| i >= n - points) { m } else { 0 };
            Block { members: members.clone(), guide: FullRank::with_points(gaussian, points) }
        });
        let mut guide = Blocks { parts: parts.collect(), dimensions: n, parameters: Vec::new() };
        guide.parameters = guide.parts.iter().flat_map(|block| parameters(&block.guide).to_vec()).collect();
        guide
    }

    /// The dimensions of each block.
    pub fn members(&self) -> impl Iterator<Item = &[usize]> {
        self.parts.iter().map(|block| &block.members[..])
    }

    /// Each block as it is now, with where its parameters are.
    fn each(&self) -> impl Iterator<Item = (&Block, FullRank, std::ops::Range<usize>)> {
        let mut next = 0;
        self.parts.iter().map(move |block| {
            let count = parameters(&block.guide).len();
            let own = next..next + count;
            next += count;
            let mut guide = block.guide.clone();
            <FullRank as Guide<f64>>::parameters_mut(&mut guide).copy_from_slice(&self.parameters[own.clone()]);
            (block, guide, own)
        })
    }
}

fn parameters(guide: &FullRank) -> &[f64] {
    <FullRank as Guide<f64>>::parameters(guide)
}

/// Some rows of a workspace, one after the other.
fn gather<E: Copy>(members: &[usize], rows: &[E], samples: usize) -> Vec<E> {
    members.iter().flat_map(|&i| rows[i * samples..(i + 1) * samples].iter().copied()).collect()
}

fn scatter<E: Copy>(members: &[usize], own: &[E], samples: usize, rows: &mut [E]) {
    for (own, &i) in own.chunks_exact(samples).zip(members) {
        rows[i * samples..(i + 1) * samples].copy_from_slice(own);
    }
}

impl<E: Real> Guide<E> for Blocks {
    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        for (block, guide, _) in self.each() {
            let mut own = vec![E::default(); block.members.len() * samples];
            guide.sample(&gather(&block.members, noise, samples), samples, &mut own);
            scatter(&block.members, &own, samples, u);
        }
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        for (block, guide, own) in self.each() {
            let [noise, u] = [path.noise, path.u].map(|rows| gather(&block.members, rows, path.samples));
            let mut adjoint = gather(&block.members, u_adjoint, path.samples);
            guide.pull_sample(Path { noise: &noise, u: &u, samples: path.samples }, &mut adjoint, &mut gradient[own]);
        }
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let mut blocks = vec![0.0; self.parts.len() * samples];
        self.block_log_prob(u, samples, &mut blocks);
        joint(&blocks, samples, log_prob);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        self.pull_block_log_prob(u, samples, &weights.repeat(self.parts.len()), u_adjoint, gradient);
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        self.parts.iter().map(|block| block.members.clone()).collect()
    }

    fn block_log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        for ((block, guide, _), log_prob) in self.each().zip(log_prob.chunks_exact_mut(samples)) {
            guide.log_prob(&gather(&block.members, u, samples), samples, log_prob);
        }
    }

    fn pull_block_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        mut u_adjoint: Option<&mut [E]>,
        mut gradient: Option<&mut [f64]>,
    ) {
        for ((block, guide, own), weights) in self.each().zip(weights.chunks_exact(samples)) {
            let rows = gather(&block.members, u, samples);
            let mut adjoint = u_adjoint.as_deref().map(|adjoint| gather(&block.members, adjoint, samples));
            let gradient = gradient.as_deref_mut().map(|gradient| &mut gradient[own]);
            guide.pull_log_prob(&rows, samples, weights, adjoint.as_deref_mut(), gradient);
            if let (Some(adjoint), Some(all)) = (adjoint, u_adjoint.as_deref_mut()) {
                scatter(&block.members, &adjoint, samples, all);
            }
        }
    }

    fn entropy(&self, mut gradient: Option<&mut [f64]>) -> Option<f64> {
        self.each()
            .map(|(_, guide, own)| Guide::<E>::entropy(&guide, gradient.as_deref_mut().map(|gradient| &mut gradient[own])))
            .sum()
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        for (_, guide, own) in self.each() {
            Guide::<E>::units(&guide, &parameters[own.clone()], &mut units[own]);
        }
    }

    fn narrow(&mut self, factor: f64) {
        let narrowed: Vec<f64> = self
            .each()
            .flat_map(|(_, mut guide, _)| {
                Guide::<E>::narrow(&mut guide, factor);
                parameters(&guide).to_vec()
            })
            .collect();
        self.parameters = narrowed;
    }
}
