//! Walks over the statements of a model.

use std::ops::Range;

use rand::rngs::StdRng;

use super::SiteKind;
use crate::distributions::{CategoricalProbs, SampleError, Sampler, VectorSampler};

/// What a walk over the statements of a model does at each of them.
pub trait Visitor {
    /// Meets one element of a statement `site ~ distribution(parameters)` and gives its value: the present one, or a draw.
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]);

    /// Meets one element of a `factor(..)` statement.
    fn factor(&mut self, _factor: usize, _row: usize, _value: f64) {}

    /// Comes to what a `sum` sums out of a row of a factor, with the logarithms of the probabilities of its values: gives those that the walk goes through, by
    /// default all of them.
    fn choose(&mut self, _factor: usize, _row: usize, log_probs: &[f64]) -> Range<usize> {
        0..log_probs.len()
    }

    /// Comes to the statements of one of these values.
    fn take(&mut self, _choice: usize) {}

    /// Has been through all of them.
    fn chosen(&mut self) {}

    /// Comes to an element of a discrete latent, with the logarithms of the prior probabilities of its values and those that the guide gives them: draws one of
    /// the values, by default none, so that the walk goes through all.
    fn draw(&mut self, _factor: usize, _row: usize, _log_prior: &[f64], _probabilities: &[f64]) -> Option<usize> {
        None
    }

    /// Is told, by [`LogJoint::reads`](super::LogJoint::reads) alone, which rows of latents a row of a factor depends on: increasing, each once.
    fn reads(&mut self, _factor: usize, _row: usize, _latents: &[usize]) {}
}

/// One element of a statement, met with the values of its parameters.
#[derive(Debug)]
pub struct Statement<'a> {
    /// Which factor of the graph.
    pub factor: usize,
    /// Which element of the factor, counted in the order of evaluation.
    pub row: usize,
    /// What the site is.
    pub kind: SiteKind,
    /// The distribution.
    pub distribution: &'a dyn Sampler,
    /// The values of its parameters.
    pub params: &'a [f64],
}

/// Draws one of several values by the logarithms of their probabilities, which need not add up to one.
///
/// # Errors
/// [`SampleError`] where they are no probabilities.
pub(crate) fn draw_choice(log_probs: &[f64], rng: &mut StdRng) -> Result<Range<usize>, SampleError> {
    let most = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut probs: Vec<f64> = log_probs.iter().map(|log_prob| (log_prob - most).exp()).collect();
    let total: f64 = probs.iter().sum();
    probs.iter_mut().for_each(|prob| *prob /= total);
    let mut drawn = [0.0];
    VectorSampler::<CategoricalProbs>::NEW.sample(&probs, rng, &mut drawn)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index that was drawn as a number")]
    let choice = drawn[0] as usize;
    Ok(choice..choice + 1)
}
