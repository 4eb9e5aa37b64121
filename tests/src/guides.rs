//! A guide of a user's own type that leaves out some of what a guide may tell.

use ppl_core::guides::{Guide, MeanField, Path};

/// A mean-field guide that has no parts, and keeps one thing more to itself.
#[derive(Clone, Debug)]
pub struct Reticent {
    guide: MeanField,
    withheld: Withheld,
}

/// What it does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Withheld {
    /// That its dimensions are independent.
    Blocks,
    /// How its draws depend on its parameters.
    Path,
}

impl Reticent {
    /// All dimensions are one block.
    #[must_use]
    pub fn whole(guide: MeanField) -> Self {
        Reticent { guide, withheld: Withheld::Blocks }
    }

    /// Draws have no path to the parameters; a pullback along it is not a number.
    #[must_use]
    pub fn pathless(guide: MeanField) -> Self {
        Reticent { guide, withheld: Withheld::Path }
    }
}

impl Guide<f64> for Reticent {
    fn parameters(&self) -> &[f64] {
        Guide::<f64>::parameters(&self.guide)
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        Guide::<f64>::parameters_mut(&mut self.guide)
    }

    fn dimensions(&self) -> usize {
        Guide::<f64>::dimensions(&self.guide)
    }

    fn sample(&self, noise: &[f64], samples: usize, u: &mut [f64]) {
        self.guide.sample(noise, samples, u);
    }

    fn pull_sample(&self, path: Path<'_, f64>, u_adjoint: &mut [f64], gradient: &mut [f64]) {
        match self.withheld {
            Withheld::Blocks => self.guide.pull_sample(path, u_adjoint, gradient),
            Withheld::Path => gradient.fill(f64::NAN),
        }
    }

    fn has_path(&self, _block: usize) -> bool {
        self.withheld != Withheld::Path
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        match self.withheld {
            Withheld::Blocks => vec![(0..Guide::<f64>::dimensions(&self.guide)).collect()],
            Withheld::Path => Guide::<f64>::blocks(&self.guide),
        }
    }

    fn block_log_prob(&self, u: &[f64], samples: usize, log_prob: &mut [f64]) {
        match self.withheld {
            Withheld::Blocks => self.guide.log_prob(u, samples, log_prob),
            Withheld::Path => self.guide.block_log_prob(u, samples, log_prob),
        }
    }

    fn pull_block_log_prob(
        &self,
        u: &[f64],
        samples: usize,
        weights: &[f64],
        u_adjoint: Option<&mut [f64]>,
        gradient: Option<&mut [f64]>,
    ) {
        match self.withheld {
            Withheld::Blocks => self.guide.pull_log_prob(u, samples, weights, u_adjoint, gradient),
            Withheld::Path => self.guide.pull_block_log_prob(u, samples, weights, u_adjoint, gradient),
        }
    }

    fn log_prob(&self, u: &[f64], samples: usize, log_prob: &mut [f64]) {
        self.guide.log_prob(u, samples, log_prob);
    }

    fn pull_log_prob(
        &self,
        u: &[f64],
        samples: usize,
        weights: &[f64],
        u_adjoint: Option<&mut [f64]>,
        gradient: Option<&mut [f64]>,
    ) {
        self.guide.pull_log_prob(u, samples, weights, u_adjoint, gradient);
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        Guide::<f64>::units(&self.guide, parameters, units);
    }

    fn narrow(&mut self, factor: f64) {
        Guide::<f64>::narrow(&mut self.guide, factor);
    }
}
