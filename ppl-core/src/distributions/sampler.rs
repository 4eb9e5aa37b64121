//! A distribution as an object.

use std::fmt::Debug;

use rand::Rng;

use super::{Parameter, Support};

/// A distribution as an object, for draws and messages.
pub trait Sampler: Debug {
    /// The name in the language.
    fn name(&self) -> &'static str;
    /// The parameters' names and supports.
    fn parameters(&self) -> &'static [Parameter];
    /// How many parameters a distribution of one number takes: those that are named, and what `Truncated` and its kin add.
    fn parameters_len(&self) -> usize {
        self.parameters().len()
    }
    /// The names of the last parameters, which a wrapper adds to those that are named.
    fn added(&self) -> &'static [&'static str] {
        &[]
    }
    /// The name of a parameter, or its place where it has none.
    fn parameter_name(&self, place: usize) -> String {
        let named = self.parameters().get(place).map(|parameter| parameter.name);
        let added =
            || (place + self.added().len()).checked_sub(self.parameters_len()).and_then(|place| self.added().get(place).copied());
        named.or_else(added).map_or_else(|| format!("parameter {}", place + 1), str::to_owned)
    }
    /// The log density in nats; `NaN` where a parameter is outside its support.
    fn log_prob(&self, value: &[f64], params: &[f64]) -> f64;
    /// Writes the mean to all elements of `value`, of a category that of its number; whether there is one that is known in closed form. If not, `value` stays as it is.
    fn mean(&self, params: &[f64], value: &mut [f64]) -> bool {
        let _ = (params, value);
        false
    }
    /// The variance of a number, by a formula.
    fn variance(&self, params: &[f64]) -> Option<f64> {
        let _ = params;
        None
    }
    /// A number of the largest density, by a formula.
    fn mode(&self, params: &[f64]) -> Option<f64> {
        let _ = params;
        None
    }
    /// The entropy of a number in nats, by a formula.
    fn entropy(&self, params: &[f64]) -> Option<f64> {
        let _ = params;
        None
    }
    /// The divergence from a distribution of numbers to one of the same family in nats, by a formula.
    fn divergence(&self, params: &[f64], other: &[f64]) -> Option<f64> {
        let _ = (params, other);
        None
    }
    /// One draw.
    ///
    /// # Errors
    /// [`SampleError`] if the distribution cannot be drawn from (flat priors) or a parameter is outside its support.
    fn sample(&self, params: &[f64], rng: &mut dyn Rng, value: &mut [f64]) -> Result<(), SampleError>;
}

/// Why a distribution could not be drawn from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// A flat prior has no draws.
    #[error("`{distribution}` is not a proper distribution and cannot be drawn from; give the site a proper prior")]
    Improper {
        /// The distribution.
        distribution: &'static str,
    },
    /// A parameter is outside its support.
    #[error("`{distribution}` cannot be drawn from with {parameter} = {value}; expected {expected:?}")]
    Parameter {
        /// The distribution.
        distribution: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// Where it must lie.
        expected: Support,
    },
}
