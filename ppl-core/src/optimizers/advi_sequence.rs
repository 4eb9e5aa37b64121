//! The adaptive step sequence of ADVI.

use super::StepRule;
use crate::archive::Archive;

/// Steps `rate i^(-1/2) / (1 + sqrt(s_i))` of each coordinate in step `i`, `s_i` a running mean of its squared gradient: they satisfy the conditions of Robbins and
/// Monro, and end of themselves.
///
/// # Source
/// Kucukelbir, Tran, Ranganath, Gelman & Blei 2017, Automatic differentiation variational inference, equations 10 and 11.
#[derive(Clone, Debug)]
pub struct AdviSequence {
    squares: Vec<f64>,
    steps: f64,
}

/// How much of the running mean is new.
const NEW: f64 = 0.1;

impl AdviSequence {
    /// Means of nothing yet.
    #[must_use]
    pub fn new(parameters: usize) -> Self {
        AdviSequence { squares: vec![0.0; parameters], steps: 0.0 }
    }
}

impl StepRule for AdviSequence {
    fn reset(&mut self) {
        self.squares.fill(0.0);
        self.steps = 0.0;
    }

    fn archive(&mut self, archive: &mut Archive) {
        archive.numbers(&mut self.squares);
        archive.number(&mut self.steps);
    }

    fn step(&mut self, rate: f64, gradient: &mut [f64]) {
        self.steps += 1.0;
        let new = if self.steps == 1.0 { 1.0 } else { NEW };
        for (g, s) in gradient.iter_mut().zip(&mut self.squares) {
            *s = new * *g * *g + (1.0 - new) * *s;
            *g *= rate / (self.steps.sqrt() * (1.0 + s.sqrt()));
        }
    }
}
