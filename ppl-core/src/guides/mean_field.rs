//! The mean-field Gaussian: independent normals on the unconstrained space.

use serde::{Deserialize, Serialize};

use super::{Guide, OfBatch, Path, joint, lane_sum, natural_step};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};
use crate::model::{Graph, Layout};

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `q(u) = product of Normal(u_i; loc_i, e^log_scale_i)`; the parameters are all `loc`, then all `log_scale`. The last dimensions may be
/// points, which have no scale.
///
/// # Source
/// Kucukelbir et al. 2017, Automatic differentiation variational inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanField {
    parameters: Vec<f64>,
    /// The change that matters of each point.
    points: Vec<f64>,
}

impl MeanField {
    /// A guide of these locations and logarithms of scales.
    ///
    /// # Panics
    /// If their numbers differ.
    #[must_use]
    pub fn new(loc: &[f64], log_scale: &[f64]) -> Self {
        assert_eq!(loc.len(), log_scale.len(), "a mean-field guide has a scale for each location");
        MeanField { parameters: [loc, log_scale].concat(), points: Vec::new() }
    }

    /// As [`MeanField::new`], with points as the last dimensions; `units` are the changes of these that matter.
    ///
    /// # Panics
    /// If there is not a location for each scale and point.
    #[must_use]
    pub fn with_points(loc: &[f64], log_scale: &[f64], units: &[f64]) -> Self {
        assert_eq!(loc.len(), log_scale.len() + units.len(), "a mean-field guide has a location for each scale and point");
        MeanField { parameters: [loc, log_scale].concat(), points: units.to_vec() }
    }

    /// The number of dimensions, points included.
    fn size(&self) -> usize {
        usize::midpoint(self.parameters.len(), self.points.len())
    }

    /// The locations.
    #[must_use]
    pub fn loc(&self) -> &[f64] {
        &self.parameters[..self.size()]
    }

    /// The logarithms of the scales.
    #[must_use]
    pub fn log_scale(&self) -> &[f64] {
        &self.parameters[self.size()..]
    }
}

impl<E: Real> Guide<E> for MeanField {
    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.size()
    }

    fn noise(&self) -> usize {
        self.size() - self.points.len()
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        dispatch(Sample { guide: self, noise, samples, u });
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        dispatch(PullSample { guide: self, noise: path.noise, samples: path.samples, u_adjoint, gradient });
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let mut blocks = vec![0.0; self.log_scale().len() * samples];
        self.block_log_prob(u, samples, &mut blocks);
        joint(&blocks, samples, log_prob);
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        (0..self.log_scale().len()).map(|i| vec![i]).collect()
    }

    fn block_log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let blocks = log_prob.chunks_exact_mut(samples).zip(u.chunks_exact(samples));
        for ((block, row), (&loc, &log_scale)) in blocks.zip(self.loc().iter().zip(self.log_scale())) {
            let inverse = (-log_scale).exp();
            for (own, x) in block.iter_mut().zip(row) {
                let z = (x.to_f64() - loc) * inverse;
                *own = -0.5 * z * z - log_scale - HALF_LN_TWO_PI;
            }
        }
    }

    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        let constant = self.log_scale().iter().map(|log_scale| log_scale + HALF_LN_TWO_PI).sum::<f64>();
        standard_log_prob(path, constant, log_prob);
    }

    fn stick(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _: &mut Vec<E>) {
        let samples = path.samples;
        for ((noise, adjoint), log_scale) in
            path.noise.chunks_exact(samples).zip(u_adjoint.chunks_exact_mut(samples)).zip(self.log_scale())
        {
            let inverse = (-log_scale).exp();
            for ((z, adjoint), weight) in noise.iter().zip(adjoint).zip(weights) {
                *adjoint = E::from_f64(weight.to_f64() * z.to_f64() * inverse + adjoint.to_f64());
            }
        }
        self.pull_sample(path, u_adjoint, gradient);
    }

    fn pull_path(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _: &mut Vec<E>) {
        // log q of the noise is what it is: along the path only the Jacobian determinant changes.
        self.pull_sample(path, u_adjoint, gradient);
        let weight: f64 = weights.iter().map(|w| w.to_f64()).sum();
        gradient[self.size()..].iter_mut().for_each(|g| *g += weight);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        self.pull_block_log_prob(u, samples, &weights.repeat(self.log_scale().len()), u_adjoint, gradient);
    }

    fn pull_block_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        mut u_adjoint: Option<&mut [E]>,
        mut gradient: Option<&mut [f64]>,
    ) {
        let dimensions = self.size();
        let blocks = u.chunks_exact(samples).zip(weights.chunks_exact(samples));
        for (i, ((row, weights), log_scale)) in blocks.zip(self.log_scale()).enumerate() {
            let (loc, inverse) = (self.loc()[i], (-log_scale).exp());
            for (s, (x, weight)) in row.iter().zip(weights).enumerate() {
                let z = (x.to_f64() - loc) * inverse;
                if let Some(adjoint) = u_adjoint.as_deref_mut() {
                    let at = &mut adjoint[i * samples + s];
                    *at = E::from_f64(at.to_f64() - weight * z * inverse);
                }
                if let Some(gradient) = gradient.as_deref_mut() {
                    gradient[i] += weight * z * inverse;
                    gradient[dimensions + i] += weight * (z * z - 1.0);
                }
            }
        }
    }

    fn refuses_batches(&self, _plate: usize, _graph: &Graph, _layout: &Layout) -> Option<String> {
        None
    }

    fn part(&self, OfBatch { dimensions, .. }: &OfBatch<'_>) -> Option<(Box<dyn Guide<E> + '_>, Vec<usize>)> {
        let spread = self.log_scale().len();
        let of_scales = dimensions.iter().filter(|&&i| i < spread).map(|i| self.size() + i);
        let parameters: Vec<usize> = dimensions.iter().copied().chain(of_scales).collect();
        let points = dimensions.iter().filter(|&&i| i >= spread).map(|i| self.points[i - spread]);
        let part = MeanField { parameters: parameters.iter().map(|&i| self.parameters[i]).collect(), points: points.collect() };
        Some((Box::new(part), parameters))
    }

    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64> {
        let dimensions = self.size();
        if let Some(gradient) = gradient {
            gradient[dimensions..].iter_mut().for_each(|g| *g += 1.0);
        }
        Some(self.log_scale().iter().map(|log_scale| log_scale + HALF_LN_TWO_PI + 0.5).sum())
    }

    fn locations(&self) -> usize {
        self.size()
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        let (locs, log_scales) = units.split_at_mut(self.size());
        let scales = parameters[self.size()..].iter().map(|log_scale| log_scale.exp());
        locs.iter_mut().zip(scales.chain(self.points.iter().copied())).for_each(|(unit, scale)| *unit = scale);
        log_scales.fill(1.0);
    }

    fn natural_step(&self, rate: f64, gradient: &mut [f64]) -> bool {
        let (locs, log_scales) = gradient.split_at_mut(self.size());
        let (spread, points) = locs.split_at_mut(log_scales.len());
        for ((d_loc, d_log_scale), log_scale) in spread.iter_mut().zip(log_scales).zip(self.log_scale()) {
            (*d_loc, *d_log_scale) = natural_step(*log_scale, [rate, rate], *d_loc, *d_log_scale);
        }
        points.iter_mut().zip(&self.points).for_each(|(d_loc, unit)| *d_loc *= rate * unit * unit);
        true
    }

    fn narrow(&mut self, factor: f64) {
        let dimensions = self.size();
        self.parameters[dimensions..].iter_mut().for_each(|log_scale| *log_scale += factor.ln());
    }

    fn mean(&self) -> Option<&[f64]> {
        Some(self.loc())
    }

    fn pull_linear(&self, matrix: &[f64], gradient: &mut [f64]) -> bool {
        let dimensions = self.size();
        for i in 0..dimensions - self.points.len() {
            gradient[dimensions + i] += matrix[i * dimensions + i] * (2.0 * self.log_scale()[i]).exp();
        }
        true
    }
}

/// The log density of standard normal noise, less a constant.
pub(super) fn standard_log_prob<E: Real>(path: Path<'_, E>, constant: f64, log_prob: &mut [f64]) {
    log_prob.fill(-constant);
    for row in path.noise.chunks_exact(path.samples) {
        for (z, log_prob) in row.iter().zip(log_prob.iter_mut()) {
            let z = z.to_f64();
            *log_prob -= 0.5 * z * z;
        }
    }
}

struct Sample<'a, E> {
    guide: &'a MeanField,
    noise: &'a [E],
    samples: usize,
    u: &'a mut [E],
}

impl<E: Real> Kernel<E> for Sample<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (locs, log_scales) = self.guide.parameters.split_at(self.guide.size());
        for (i, (loc, log_scale)) in locs.iter().zip(log_scales).enumerate() {
            let (loc, scale) = (V::constant(*loc), V::constant(*log_scale).exp());
            let mut at = i * self.samples;
            while at < (i + 1) * self.samples {
                V::load(&self.noise[at..]).mul_add(scale, loc).store(&mut self.u[at..]);
                at += V::WIDTH;
            }
        }
        for (row, loc) in self.u.chunks_exact_mut(self.samples).zip(locs).skip(log_scales.len()) {
            row.fill(E::from_f64(*loc));
        }
    }
}

struct PullSample<'a, E> {
    guide: &'a MeanField,
    noise: &'a [E],
    samples: usize,
    u_adjoint: &'a [E],
    gradient: &'a mut [f64],
}

impl<E: Real> Kernel<E> for PullSample<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let dimensions = self.guide.size();
        for (i, row) in self.u_adjoint.chunks_exact(self.samples).enumerate().skip(self.guide.log_scale().len()) {
            self.gradient[i] += row.iter().map(|x| x.to_f64()).sum::<f64>();
        }
        for (i, log_scale) in self.guide.log_scale().iter().enumerate() {
            let scale = V::constant(*log_scale).exp();
            let (mut d_loc, mut d_log_scale) = (V::Sum::zero(), V::Sum::zero());
            let mut at = i * self.samples;
            while at < (i + 1) * self.samples {
                let adjoint = V::load(&self.u_adjoint[at..]);
                d_loc += adjoint;
                d_log_scale.add_product(adjoint * scale, V::load(&self.noise[at..]));
                at += V::WIDTH;
            }
            self.gradient[i] += lane_sum::<V>(d_loc);
            self.gradient[dimensions + i] += lane_sum::<V>(d_log_scale);
        }
    }
}
