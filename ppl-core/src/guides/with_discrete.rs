//! A guide with discrete latents as further dimensions, each independent of all else.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{FittedGuide, Guide, Path, joint};
use crate::kernel::{Real, functions};

/// `q(u, k) = q(u) product over elements of q_n(k_n)`: a guide of the other dimensions, and a [`Table`] for each discrete latent that is drawn, in the order of the last
/// dimensions. Draws of these are the values themselves; they have no path, so that the score function is what moves their parameters.
///
/// The parameters are those of the guide, then those of the tables.
#[derive(Debug, Serialize, Deserialize)]
pub struct WithDiscrete {
    /// Of the other dimensions; its own parameters are brought up to date where it is used.
    guide: Mutex<FittedGuide>,
    /// How many dimensions, rows of noise, blocks and parameters it has.
    dimensions: usize,
    noise: usize,
    blocks: usize,
    own: usize,
    tables: Vec<Table>,
    parameters: Vec<f64>,
}

impl WithDiscrete {
    /// A guide, and tables of what follows its dimensions.
    #[must_use]
    pub fn new(guide: FittedGuide, tables: Vec<Table>) -> Self {
        let inner: &dyn Guide<f64> = guide.guide();
        let (dimensions, noise, blocks) = (guide.dimensions(), inner.noise(), inner.blocks().len());
        let mut parameters = inner.parameters().to_vec();
        let own = parameters.len();
        parameters.resize(own + tables.iter().map(Table::parameters).sum::<usize>(), 0.0);
        WithDiscrete { guide: Mutex::new(guide), dimensions, noise, blocks, own, tables, parameters }
    }

    /// The tables of the discrete latents, each with its parameters.
    pub fn tables(&self) -> impl Iterator<Item = (&Table, &[f64])> {
        let mut next = self.own;
        self.tables.iter().map(move |table| {
            let first = next;
            next += table.parameters();
            (table, &self.parameters[first..next])
        })
    }

    /// The guide of the other dimensions.
    #[must_use]
    pub fn inner(&self) -> FittedGuide {
        self.current().clone()
    }

    fn current(&self) -> MutexGuard<'_, FittedGuide> {
        let mut guide = self.guide.lock().unwrap_or_else(PoisonError::into_inner);
        let parameters = guide.guide_mut::<f64>().parameters_mut();
        if *parameters != self.parameters[..self.own] {
            parameters.copy_from_slice(&self.parameters[..self.own]);
        }
        guide
    }

    /// Each table with its probabilities at some parameters, and where these are.
    fn of_tables(&self, parameters: &[f64], mut visit: impl FnMut(&Table, &[f64], Range<usize>)) {
        let mut next = self.own;
        for table in &self.tables {
            let own = next..next + table.parameters();
            next = own.end;
            visit(table, &table.probs(&parameters[own.clone()]), own);
        }
    }

    /// Draws the discrete latents by the probability below their noise.
    fn draw_tables<E: Real>(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let noise = noise[self.noise * samples..].chunks_exact(samples);
        let rows = u[self.dimensions * samples..].chunks_exact_mut(samples);
        for (((table, theta), noise), row) in self.tables().zip(noise).zip(rows) {
            let mut cumulative = table.probs(theta);
            let mut sum = 0.0;
            cumulative.iter_mut().for_each(|prob| {
                sum += *prob;
                *prob = sum;
            });
            for (value, z) in row.iter_mut().zip(noise) {
                *value = E::from_f64(table.quantile(&cumulative, functions::normal_cdf(z.to_f64())));
            }
        }
    }

    fn path<'a, E: Real>(&self, path: Path<'a, E>) -> Path<'a, E> {
        let samples = path.samples;
        Path { noise: &path.noise[..self.noise * samples], u: &path.u[..self.dimensions * samples], samples }
    }
}

impl Clone for WithDiscrete {
    fn clone(&self) -> Self {
        WithDiscrete {
            guide: Mutex::new(self.inner()),
            tables: self.tables.clone(),
            parameters: self.parameters.clone(),
            ..*self
        }
    }
}

impl PartialEq for WithDiscrete {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables && self.parameters == other.parameters && self.inner() == other.inner()
    }
}

impl<E: Real> Guide<E> for WithDiscrete {
    fn name(&self) -> String {
        self.current().name()
    }

    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.dimensions + self.tables.len()
    }

    fn noise(&self) -> usize {
        self.noise + self.tables.len()
    }

    fn spreading(&self) -> usize {
        self.current().guide::<E>().spreading()
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let own = &mut u[..self.dimensions * samples];
        self.current().guide::<E>().sample(&noise[..self.noise * samples], samples, own);
        self.draw_tables(noise, samples, u);
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        let own = &mut u_adjoint[..self.dimensions * path.samples];
        self.current().guide::<E>().pull_sample(self.path(path), own, &mut gradient[..self.own]);
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let mut blocks = vec![0.0; (self.blocks + self.tables.len()) * samples];
        self.block_log_prob(u, samples, &mut blocks);
        joint(&blocks, samples, log_prob);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        self.pull_block_log_prob(u, samples, &weights.repeat(self.blocks + self.tables.len()), u_adjoint, gradient);
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        let mut blocks = self.current().guide::<E>().blocks();
        blocks.extend((self.dimensions..self.dimensions + self.tables.len()).map(|dimension| vec![dimension]));
        blocks
    }

    fn has_path(&self, block: usize) -> bool {
        block < self.blocks
    }

    fn block_log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let (own, rest) = log_prob.split_at_mut(self.blocks * samples);
        self.current().guide::<E>().block_log_prob(&u[..self.dimensions * samples], samples, own);
        let rows = u[self.dimensions * samples..].chunks_exact(samples);
        for (((table, theta), row), out) in self.tables().zip(rows).zip(rest.chunks_exact_mut(samples)) {
            let log_probs = table.log_probs(theta);
            for (out, value) in out.iter_mut().zip(row) {
                *out = table.place(value.to_f64()).map_or(f64::NEG_INFINITY, |at| log_probs[at]);
            }
        }
    }

    fn pull_block_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        u_adjoint: Option<&mut [E]>,
        mut gradient: Option<&mut [f64]>,
    ) {
        let lanes = self.dimensions * samples;
        let (own, rest) = weights.split_at(self.blocks * samples);
        let of_own = gradient.as_deref_mut().map(|gradient| &mut gradient[..self.own]);
        let u_adjoint = u_adjoint.map(|adjoint| &mut adjoint[..lanes]);
        self.current().guide::<E>().pull_block_log_prob(&u[..lanes], samples, own, u_adjoint, of_own);
        let Some(gradient) = gradient else { return };
        let mut next = self.own;
        let (rows, mut by_value) = (u[lanes..].chunks_exact(samples), Vec::new());
        for (((table, theta), row), weights) in self.tables().zip(rows).zip(rest.chunks_exact(samples)) {
            let of_table = next..next + table.parameters();
            next = of_table.end;
            if weights.iter().all(|weight| *weight == 0.0) {
                continue;
            }
            by_value.clear();
            by_value.resize(table.len(), 0.0);
            for (value, weight) in row.iter().zip(weights) {
                if let Some(at) = table.place(value.to_f64()) {
                    by_value[at] += weight;
                }
            }
            table.pull(&table.probs(theta), &by_value, &mut gradient[of_table]);
        }
    }

    fn entropy(&self, mut gradient: Option<&mut [f64]>) -> Option<f64> {
        let of_own = gradient.as_deref_mut().map(|gradient| &mut gradient[..self.own]);
        let mut total = self.current().guide::<E>().entropy(of_own)?;
        let mut next = self.own;
        for (table, theta) in self.tables() {
            let of_table = next..next + table.parameters();
            next = of_table.end;
            total += table.entropy(&table.log_probs(theta), gradient.as_deref_mut().map(|gradient| &mut gradient[of_table]));
        }
        Some(total)
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        self.current().guide::<E>().units(&parameters[..self.own], &mut units[..self.own]);
        self.of_tables(parameters, |table, probs, range| table.units(probs, &mut units[range]));
    }

    fn tolerances(&self, parameters: &[f64], units: &mut [f64]) {
        self.current().guide::<E>().tolerances(&parameters[..self.own], &mut units[..self.own]);
        self.of_tables(parameters, |table, probs, range| table.tolerances(probs, &mut units[range]));
    }

    fn narrow(&mut self, factor: f64) {
        let mut inner = self.inner();
        inner.guide_mut::<E>().narrow(factor);
        self.parameters[..self.own].copy_from_slice(inner.guide::<E>().parameters());
    }
}
