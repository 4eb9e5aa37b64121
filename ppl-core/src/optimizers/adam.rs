//! Adam (Kingma & Ba 2015), as an ascent: in units of the curvature, where its epsilon is one, or of parameters that have no units.

use super::StepRule;
use crate::archive::Archive;

/// The moments of the gradient. A step is of at most about `rate` in each coordinate.
#[derive(Clone, Debug)]
pub struct Adam {
    first: Vec<f64>,
    second: Vec<f64>,
    decay: (f64, f64),
    epsilon: f64,
    powers: (f64, f64),
}

impl Adam {
    /// Moments of nothing yet, with decays 0.9 and 0.99, for parameters in units of the curvature. There a gradient of one is a step of Newton's method: below
    /// that the step is in proportion, so that it vanishes at the optimum, and far above it has the length of the rate.
    #[must_use]
    pub fn new(parameters: usize) -> Self {
        let moments = vec![0.0; parameters];
        Adam { first: moments.clone(), second: moments, decay: (0.9, 0.99), epsilon: 1.0, powers: (1.0, 1.0) }
    }

    /// For parameters without units, such as the weights of networks: steps of the length of the rate whatever the gradients are, with decays 0.9
    /// and 0.999 and an epsilon of 1e-8.
    #[must_use]
    pub fn unitless(parameters: usize) -> Self {
        Adam { decay: (0.9, 0.999), epsilon: 1e-8, ..Self::new(parameters) }
    }
}

impl StepRule for Adam {
    fn reset(&mut self) {
        self.first.fill(0.0);
        self.second.fill(0.0);
        self.powers = (1.0, 1.0);
    }

    fn archive(&mut self, archive: &mut Archive) {
        archive.numbers(&mut self.first);
        archive.numbers(&mut self.second);
        archive.number(&mut self.powers.0);
        archive.number(&mut self.powers.1);
    }

    fn step(&mut self, rate: f64, gradient: &mut [f64]) {
        let (b1, b2) = self.decay;
        self.powers = (self.powers.0 * b1, self.powers.1 * b2);
        let (c1, c2) = (1.0 / (1.0 - self.powers.0), 1.0 / (1.0 - self.powers.1));
        for ((g, m), v) in gradient.iter_mut().zip(&mut self.first).zip(&mut self.second) {
            *m = b1.mul_add(*m, (1.0 - b1) * *g);
            *v = b2.mul_add(*v, (1.0 - b2) * *g * *g);
            *g = rate * c1 * *m / ((c2 * *v).sqrt() + self.epsilon);
        }
    }
}
