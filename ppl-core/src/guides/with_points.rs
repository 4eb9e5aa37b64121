//! A guide with points as further dimensions, which no parameter moves.

use serde::{Deserialize, Serialize};

use super::{FittedGuide, Guide, Path};
use crate::kernel::Real;

/// A guide whose last dimensions are points that are not optimized: they are known once it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WithPoints {
    guide: FittedGuide,
    points: Vec<f64>,
}

impl WithPoints {
    /// A guide, and points that follow its dimensions.
    #[must_use]
    pub fn new(guide: FittedGuide, points: Vec<f64>) -> Self {
        WithPoints { guide, points }
    }

    /// The guide of the other dimensions.
    #[must_use]
    pub fn guide(&self) -> &FittedGuide {
        &self.guide
    }

    fn own<E: Real>(&self, samples: usize) -> usize {
        self.guide.guide::<E>().dimensions() * samples
    }

    fn fill<E: Real>(&self, samples: usize, u: &mut [E]) {
        for (row, point) in u[self.own::<E>(samples)..].chunks_exact_mut(samples).zip(&self.points) {
            row.fill(E::from_f64(*point));
        }
    }
}

impl<E: Real> Guide<E> for WithPoints {
    fn name(&self) -> String {
        self.guide.name()
    }

    fn named_parameters(&self) -> Vec<(String, f64)> {
        self.guide.guide::<E>().named_parameters()
    }

    fn parameters(&self) -> &[f64] {
        self.guide.guide::<E>().parameters()
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        self.guide.guide_mut::<E>().parameters_mut()
    }

    fn dimensions(&self) -> usize {
        self.own::<E>(1) + self.points.len()
    }

    fn noise(&self) -> usize {
        self.guide.guide::<E>().noise()
    }

    fn spreading(&self) -> usize {
        self.guide.guide::<E>().spreading()
    }

    fn groups(&self) -> usize {
        self.guide.guide::<E>().groups()
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        self.guide.guide::<E>().sample(noise, samples, &mut u[..self.own::<E>(samples)]);
        self.fill(samples, u);
    }

    fn draw(&self, noise: &[E], samples: usize, u: &mut [E]) {
        self.guide.guide::<E>().draw(noise, samples, &mut u[..self.own::<E>(samples)]);
        self.fill(samples, u);
    }

    fn strata(&self, samples: usize, weights: &mut [f64]) -> bool {
        self.guide.guide::<E>().strata(samples, weights)
    }

    fn pull_strata(&self, adjoint: &[f64], gradient: &mut [f64]) {
        self.guide.guide::<E>().pull_strata(adjoint, gradient);
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        let own = self.own::<E>(path.samples);
        let path = Path { u: &path.u[..own], ..path };
        self.guide.guide::<E>().pull_sample(path, &mut u_adjoint[..own], gradient);
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        self.guide.guide::<E>().log_prob(&u[..self.own::<E>(samples)], samples, log_prob);
    }

    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        let path = Path { u: &path.u[..self.own::<E>(path.samples)], ..path };
        self.guide.guide::<E>().log_prob_of(path, log_prob);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        let own = self.own::<E>(samples);
        let u_adjoint = u_adjoint.map(|adjoint| &mut adjoint[..own]);
        self.guide.guide::<E>().pull_log_prob(&u[..own], samples, weights, u_adjoint, gradient);
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        let mut blocks = self.guide.guide::<E>().blocks();
        let first = self.own::<E>(1);
        // Points may be in any block.
        if let Some(block) = blocks.last_mut() {
            block.extend(first..first + self.points.len());
        }
        blocks
    }

    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64> {
        self.guide.guide::<E>().entropy(gradient)
    }

    fn narrow(&mut self, factor: f64) {
        self.guide.guide_mut::<E>().narrow(factor);
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        self.guide.guide::<E>().units(parameters, units);
    }
}
