//! Distance over weighted gradients: steps without a length to choose.

use super::StepRule;
use crate::archive::Archive;

/// Steps `r^2 / sqrt(v)`, `r` the greatest distance from the start so far and `v` the sum of the squared gradients, each times `r^2` of its time: the length of a step is
/// found out from how far there was to go. The rate is only the first distance.
///
/// # Source
/// Khaled, Mishchenko & Jin 2023, `DoWG` unleashed: an efficient universal parameter-free gradient descent method, algorithm 1.
#[derive(Clone, Debug)]
pub struct Dowg {
    moved: Vec<f64>,
    distance: f64,
    weighted: f64,
}

/// The first distance, of the rate.
const FIRST: f64 = 1e-2;

impl Dowg {
    /// At the start.
    #[must_use]
    pub fn new(parameters: usize) -> Self {
        Dowg { moved: vec![0.0; parameters], distance: 0.0, weighted: 0.0 }
    }
}

impl StepRule for Dowg {
    fn reset(&mut self) {
        self.moved.fill(0.0);
        (self.distance, self.weighted) = (0.0, 0.0);
    }

    fn archive(&mut self, archive: &mut Archive) {
        archive.numbers(&mut self.moved);
        archive.number(&mut self.distance);
        archive.number(&mut self.weighted);
    }

    fn step(&mut self, rate: f64, gradient: &mut [f64]) {
        let moved = self.moved.iter().map(|x| x * x).sum::<f64>().sqrt();
        self.distance = self.distance.max(moved).max(FIRST * rate);
        let square = self.distance * self.distance;
        self.weighted += square * gradient.iter().map(|g| g * g).sum::<f64>();
        let step = if self.weighted > 0.0 { square / self.weighted.sqrt() } else { 0.0 };
        for (g, moved) in gradient.iter_mut().zip(&mut self.moved) {
            *g *= step;
            *moved += *g;
        }
    }
}
