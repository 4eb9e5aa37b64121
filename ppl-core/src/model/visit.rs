//! Walks over the statements of a model.

use super::SiteKind;
use crate::distributions::Sampler;

/// What a walk over the statements of a model does at each of them.
pub trait Visitor {
    /// Meets one element of a statement `site ~ distribution(parameters)` and gives its value: the present one, or a draw.
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]);

    /// Meets one element of a `factor(..)` statement.
    fn factor(&mut self, _factor: usize, _row: usize, _value: f64) {}

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
