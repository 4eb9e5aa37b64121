//! Optimizers: the mode by L-BFGS, its curvature, Newton's method on the ELBO, and rules for stochastic steps in units of that curvature.

mod adam;
mod advi_sequence;
mod cholesky;
mod curvature;
mod dowg;
mod lbfgs;
mod variational_newton;

pub use adam::Adam;
pub use advi_sequence::AdviSequence;
pub(crate) use cholesky::{cholesky, solve};
pub use curvature::Curvature;
pub use dowg::Dowg;
pub use lbfgs::{Mode, find_mode};
pub use variational_newton::{Gaussian, Points, variational_newton};

use crate::archive::Archive;

/// A rule for stochastic steps: a new one is one file, and one line in [`Optimizer`].
pub trait StepRule: std::fmt::Debug {
    /// Forgets what it has seen.
    fn reset(&mut self);
    /// Replaces a gradient by the step in its direction, which shrinks as `rate` does.
    fn step(&mut self, rate: f64, gradient: &mut [f64]);
    /// Writes all that it has seen, or reads it.
    fn archive(&mut self, archive: &mut Archive);
}

/// How a bound is climbed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Optimizer {
    /// L-BFGS over fixed noise, with as many samples as its own error asks for; where there is no top over it, Adam.
    #[default]
    Auto,
    /// Stochastic steps by [`Adam`].
    Adam,
    /// Stochastic steps by [`AdviSequence`].
    AdviSequence,
    /// Stochastic steps by [`Dowg`].
    Dowg,
    /// Natural-gradient steps (Amari 1998) of length `(step + delay)^-forgetting`, the schedule of Robbins & Monro 1951: of Gaussian guides and of
    /// [`Native`](crate::guides::Native) families but Student's, whose Fisher information is known. Over batches of `B` of `N` elements a step has the noise of `N / B` posterior variances times its squared length: a delay of
    /// `(4 sqrt(N / B))^(1 / forgetting)` keeps that of the first ones below a quarter of a standard deviation.
    ///
    /// # Source
    /// Hoffman, Blei, Wang & Paisley 2013, Stochastic variational inference, equation 26; Khan & Rue 2023, The Bayesian learning rule.
    NaturalGradient {
        /// Range 1 and up.
        delay: f64,
        /// Range above 0.5, at most 1.
        forgetting: f64,
    },
}

/// The length of natural-gradient steps by the schedule of Robbins and Monro, after so many others.
pub(crate) fn robbins_monro(taken: usize, delay: f64, forgetting: f64) -> f64 {
    (taken as f64 + delay).powf(-forgetting)
}

impl Optimizer {
    /// Lengths of the first steps, in units of the curvature, longest first: a fit whose configuration names none tries them. Adam's are at most a fifth:
    /// longer ones often lead higher in their first steps and off a few hundred later.
    #[must_use]
    pub fn lengths(self) -> &'static [f64] {
        match self {
            Optimizer::Auto | Optimizer::Adam => &[0.2, 0.1, 0.05, 0.02, 0.01],
            Optimizer::AdviSequence => &[100.0, 10.0, 1.0, 0.1, 0.01],
            // Finds out by itself.
            Optimizer::Dowg => &[0.2],
            // The schedule says it.
            Optimizer::NaturalGradient { .. } => &[1.0],
        }
    }

    /// The rule for stochastic steps of so many parameters, in units of the curvature; of natural gradients, whose units are those of the guide, Adam.
    #[must_use]
    pub fn rule(self, parameters: usize) -> Box<dyn StepRule> {
        match self {
            Optimizer::Auto | Optimizer::Adam | Optimizer::NaturalGradient { .. } => Box::new(Adam::new(parameters)),
            Optimizer::AdviSequence => Box::new(AdviSequence::new(parameters)),
            Optimizer::Dowg => Box::new(Dowg::new(parameters)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Optimizer;

    /// `-x^2 / 2 - y^2 / 20` with noise in the gradient.
    #[test]
    fn every_rule_climbs_a_hill_through_noise() {
        for optimizer in [Optimizer::Adam, Optimizer::AdviSequence, Optimizer::Dowg] {
            let mut rule = optimizer.rule(2);
            let (mut at, mut mean) = ([3.0, -4.0], [0.0, 0.0]);
            for step in 0..4000_u64 {
                let noise = |i: u64| crate::random::uniform(i, step) - 0.5;
                let mut gradient = [-at[0] + noise(1), -0.1 * at[1] + noise(2)];
                rule.step(0.3, &mut gradient);
                at.iter_mut().zip(gradient).for_each(|(x, g)| *x += g);
                if step >= 2000 {
                    mean.iter_mut().zip(at).for_each(|(mean, x)| *mean += x / 2000.0);
                }
            }
            assert!(mean[0].abs() < 0.1 && mean[1].abs() < 0.8, "{optimizer:?}: {mean:?}");
        }
    }
}
