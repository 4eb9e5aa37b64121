//! Every distribution of the catalogue: words, supports and parts, for the laws that all obey.

#[allow(clippy::wildcard_imports, reason = "the generated list names every distribution")]
use super::*;

/// A distribution of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The Rust type.
    pub name: &'static str,
    /// Where values lie.
    pub support: Support,
    /// Between which numbers values lie; of a density on the whole line that is periodic, one period.
    pub bounds: [Bound; 2],
    /// Which parameters the normalizer reads.
    pub normalizer: &'static [usize],
    /// Density and draws.
    pub sampler: &'static dyn Sampler,
    /// The cut of the density, of a distribution of one number.
    pub parts: Option<&'static dyn Parts>,
    /// The distribution function, of a proper distribution of one number.
    pub quantiles: Option<&'static dyn Quantiles>,
}

/// A distribution function as an object.
pub trait Quantiles: std::fmt::Debug {
    /// The probability of a number up to any.
    fn cdf(&self, value: f64, params: &[f64]) -> f64;
    /// The number up to which another one is with this probability.
    fn quantile(&self, probability: f64, params: &[f64]) -> f64;
    /// `ln P(X <= x)`, `ln P(X > x)` and the velocities, at a number of the support.
    fn tails(&self, value: f64, params: &[f64]) -> (f64, f64, Vec<f64>);
    /// The first two of them in single precision.
    fn single_tails(&self, value: f64, params: &[f64]) -> (f64, f64);
}

/// One end of where values lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// There is none.
    Infinite,
    /// A constant.
    Number(f64),
    /// A parameter, by its place.
    Parameter(usize),
}

/// The cut of a density as an object: each part with its derivatives, the value's first.
pub trait Parts: std::fmt::Debug {
    /// The part of the value alone.
    fn base(&self, value: f64) -> (f64, f64);
    /// The part of value and parameters.
    fn kernel(&self, value: f64, params: &[f64]) -> (f64, Vec<f64>);
    /// The part of the parameters alone.
    fn normalizer(&self, params: &[f64]) -> (f64, Vec<f64>);
    /// The whole log density in single precision.
    fn single(&self, value: f64, params: &[f64]) -> f32;
}

ppl_macros::__registry!();
