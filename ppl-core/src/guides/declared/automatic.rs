//! What a guide leaves to `auto`: a Gaussian on the unconstrained space, independent of the rest, which may read it.

use super::Known;
use crate::guides::{FittedGuide, FullRank, Guide, MeanField, Path};
use crate::kernel::Real;
use crate::optimizers::Gaussian;

/// The most dimensions of a Gaussian of full rank; of more they are independent.
const DENSE: usize = 300;

/// Where a Gaussian begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The mean.
    pub mean: Vec<f64>,
    /// The standard deviation of each dimension.
    pub scale: Vec<f64>,
    /// The lower factor of the precision, row by row, if correlations are known.
    pub precision: Option<Vec<f64>>,
}

/// The latents that are left, and their Gaussian: of full rank up to 300 dimensions, else of independent ones.
#[derive(Clone, Debug)]
pub(super) struct Automatic {
    latents: Vec<Known>,
    /// Their dimensions, one after the other.
    dimensions: Vec<usize>,
    gaussian: FittedGuide,
}

impl Automatic {
    /// A standard Gaussian of these latents.
    pub(super) fn new(latents: Vec<Known>) -> Self {
        let dimensions: Vec<usize> = latents.iter().flat_map(|known| known.u.clone()).collect();
        let n = dimensions.len();
        let gaussian = gaussian(&Start { mean: vec![0.0; n], scale: vec![1.0; n], precision: None });
        Automatic { latents, dimensions, gaussian }
    }

    /// Has the Gaussian of the same latents elsewhere.
    pub(super) fn go_on(&mut self, from: &Automatic) {
        self.gaussian.clone_from(&from.gaussian);
    }

    pub(super) fn latents(&self) -> &[Known] {
        &self.latents
    }

    pub(super) fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// Where its parameters start.
    pub(super) fn parameters(&self) -> &[f64] {
        Guide::<f64>::parameters(self.gaussian.guide())
    }

    pub(super) fn begin(&mut self, start: &Start) {
        self.gaussian = gaussian(start);
    }

    /// The Gaussian of these parameters.
    fn with(&self, parameters: &[f64]) -> FittedGuide {
        let mut gaussian = self.gaussian.clone();
        gaussian.guide_mut::<f64>().parameters_mut().copy_from_slice(parameters);
        gaussian
    }

    fn gather<E: Copy>(&self, rows: &[E], samples: usize) -> Vec<E> {
        self.dimensions.iter().flat_map(|&i| rows[i * samples..(i + 1) * samples].iter().copied()).collect()
    }

    fn scatter<E: Copy>(&self, own: &[E], samples: usize, rows: &mut [E]) {
        for (own, &i) in own.chunks_exact(samples).zip(&self.dimensions) {
            rows[i * samples..(i + 1) * samples].copy_from_slice(own);
        }
    }

    pub(super) fn sample<E: Real>(&self, parameters: &[f64], noise: &[E], samples: usize, u: &mut [E]) {
        if self.dimensions.is_empty() {
            return;
        }
        let lanes = self.dimensions.len() * samples;
        let mut own = vec![E::default(); lanes];
        self.with(parameters).guide().sample(&noise[..lanes], samples, &mut own);
        self.scatter(&own, samples, u);
    }

    /// Sets the log density of what is left.
    pub(super) fn log_prob<E: Real>(&self, parameters: &[f64], u: &[E], samples: usize, log_prob: &mut [f64]) {
        if self.dimensions.is_empty() {
            log_prob.fill(0.0);
            return;
        }
        self.with(parameters).guide().log_prob(&self.gather(u, samples), samples, log_prob);
    }

    /// As [`Automatic::log_prob`], of samples whose noise is known.
    pub(super) fn log_prob_of<E: Real>(&self, parameters: &[f64], path: Path<'_, E>, log_prob: &mut [f64]) {
        if self.dimensions.is_empty() {
            log_prob.fill(0.0);
            return;
        }
        let u = self.gather(path.u, path.samples);
        self.with(parameters).guide().log_prob_of(self.path(path, &u), log_prob);
    }

    fn path<'a, E: Real>(&self, path: Path<'a, E>, u: &'a [E]) -> Path<'a, E> {
        Path { noise: &path.noise[..self.dimensions.len() * path.samples], u, samples: path.samples }
    }

    pub(super) fn pull_log_prob<E: Real>(
        &self,
        parameters: &[f64],
        (u, samples): (&[E], usize),
        weights: &[f64],
        u_adjoint: Option<&mut [E]>,
        gradient: Option<&mut [f64]>,
    ) {
        if self.dimensions.is_empty() {
            return;
        }
        let own = self.gather(u, samples);
        let mut adjoint = u_adjoint.as_deref().map(|adjoint| self.gather(adjoint, samples));
        self.with(parameters).guide().pull_log_prob(&own, samples, weights, adjoint.as_deref_mut(), gradient);
        if let (Some(own), Some(all)) = (adjoint, u_adjoint) {
            self.scatter(&own, samples, all);
        }
    }

    /// The pullback along the path; with weights, less that of the weighted log density.
    pub(super) fn pull<E: Real>(
        &self,
        parameters: &[f64],
        path: Path<'_, E>,
        weights: Option<&[E]>,
        u_adjoint: &[E],
        gradient: &mut [f64],
    ) {
        if self.dimensions.is_empty() {
            return;
        }
        let u = self.gather(path.u, path.samples);
        let mut adjoint = self.gather(u_adjoint, path.samples);
        let (gaussian, path) = (self.with(parameters), self.path(path, &u));
        match weights {
            Some(weights) => gaussian.guide().pull_path(path, weights, &mut adjoint, gradient, &mut Vec::new()),
            None => gaussian.guide().pull_sample(path, &mut adjoint, gradient),
        }
    }

    pub(super) fn units(&self, parameters: &[f64], units: &mut [f64]) {
        if !self.dimensions.is_empty() {
            Guide::<f64>::units(self.gaussian.guide(), parameters, units);
        }
    }

    pub(super) fn narrow(&self, parameters: &mut [f64], factor: f64) {
        if !self.dimensions.is_empty() {
            let mut gaussian = self.with(parameters);
            gaussian.guide_mut::<f64>().narrow(factor);
            parameters.copy_from_slice(Guide::<f64>::parameters(gaussian.guide()));
        }
    }
}

/// The guide that begins there.
fn gaussian(start: &Start) -> FittedGuide {
    let n = start.mean.len();
    if n > DENSE {
        let log_scale: Vec<f64> = start.scale.iter().map(|scale| scale.ln()).collect();
        return FittedGuide::MeanField(MeanField::new(&start.mean, &log_scale));
    }
    let diagonal = || {
        let entry = |at: usize| if at.is_multiple_of(n + 1) { start.scale[at / n.max(1)].recip() } else { 0.0 };
        (0..n * n).map(entry).collect()
    };
    let precision = start.precision.clone().unwrap_or_else(diagonal);
    FittedGuide::FullRank(FullRank::new(Gaussian { mean: start.mean.clone(), precision }))
}
