//! What can go wrong with an amortized fit.

use crate::distributions::SampleError;
use crate::model::DataError;
use crate::networks::NetworkError;

/// Why there is no amortized fit, or why it does not give what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AmortizedError {
    /// The data do not fit the model, or the networks do not.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A number of the configuration is out of its range.
    #[error("`{field}` is {value}; it must be {expected}")]
    Config {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// The range in words.
        expected: &'static str,
    },
    /// Two choices that exclude each other.
    #[error("`{one}` does not go with {other}; take {instead}")]
    Together {
        /// The choice.
        one: &'static str,
        /// What it does not go with.
        other: &'static str,
        /// The way out.
        instead: &'static str,
    },
    /// The divergence of a latent is to be had in closed form, and cannot.
    #[error(
        "the divergence of `{latent}` from its prior `{statement}` has no closed form: {reason}; take `Divergence::Sampled`, without `free_bits`"
    )]
    NoClosedForm {
        /// The latent.
        latent: &'static str,
        /// Its prior as written.
        statement: &'static str,
        /// Why.
        reason: String,
    },
    /// The gradient of a discrete latent cannot be estimated so.
    #[error("`{estimator}` is not for `{latent}`: {reason}; `DiscreteEstimator::ScoreFunction` is for all")]
    Discrete {
        /// The choice.
        estimator: &'static str,
        /// The latent.
        latent: &'static str,
        /// Why, and the way out.
        reason: String,
    },
    /// There are no rows.
    #[error("`{model}` has no rows of data; give it at least one")]
    NoRows {
        /// The model.
        model: &'static str,
    },
    /// The model or the guide is wired in a way that cannot be computed.
    #[error("`{model}`: {reason}")]
    Wiring {
        /// The model or the guide.
        model: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A network.
    #[error("network `{name}`: {source}")]
    Network {
        /// The network.
        name: String,
        /// What is wrong with it.
        source: NetworkError,
    },
    /// A name that is not known.
    #[error("there is no {what} `{name}`; there is {known}")]
    UnknownName {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A transform that an input cannot have.
    #[error("a transform of `{input}` {reason}")]
    Transform {
        /// The input.
        input: &'static str,
        /// What it does, and what it may do.
        reason: String,
    },
    /// An input that is not a number, or not a probability where it must be.
    #[error("`{input}[{row}, {column}]` is {value}; it must be {expected}")]
    Input {
        /// The input.
        input: &'static str,
        /// The row of data, counted from zero.
        row: usize,
        /// The column, counted from zero.
        column: usize,
        /// The value.
        value: f64,
        /// The range in words.
        expected: String,
    },
    /// The bound of a row is not finite.
    #[error(
        "step {step}: the bound of row {row} of the data is {bound}; {quantity}. Take a smaller `rate`, set `largest_norm`, or check that row"
    )]
    NonFinite {
        /// The step, counted from zero.
        step: usize,
        /// The row of data, counted from zero.
        row: usize,
        /// The bound.
        bound: f64,
        /// What was not finite first.
        quantity: BadQuantity,
    },
    /// The gradient is not finite though the bound is.
    #[error("step {step}: the gradient of {of} is not finite; take a smaller `rate`, or set `largest_norm`")]
    Gradient {
        /// The step, counted from zero.
        step: usize,
        /// The network, or the parameters.
        of: String,
    },
    /// Numbers given for latents have the wrong shape.
    #[error("{what} is {got:?}; it must be {expected}")]
    Shape {
        /// What was given.
        what: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shape in words.
        expected: String,
    },
    /// A distribution could not be drawn from.
    #[error("`{statement}`, row {row}: {source}")]
    Sample {
        /// The statement as written.
        statement: &'static str,
        /// The row of the factor.
        row: usize,
        /// Why.
        source: SampleError,
    },
    /// A model with a `factor(..)` has no prior draws.
    #[error("`{statement}` adds a term to the density, so that its prior cannot be drawn from; write it with `~`")]
    PriorFactor {
        /// The statement as written.
        statement: &'static str,
    },
    /// A model that reads data which it does not generate makes no rows of nothing.
    #[error(
        "the model reads {names}, which it does not generate; give rows with them: `sample_given`, `decode_given`, `reconstruct` or `interpolate`"
    )]
    Conditions {
        /// The inputs.
        names: String,
    },
    /// The guide knows only the rows that it learned from, and is asked of others.
    #[error(
        "the guide leaves `{latent}` to the automatic guide, which knows only the {rows} rows that it learned from; for other rows declare a guide that is a \
         function of the row, `guide! {{ .. {latent}[n, ..] ~ Normal(loc, scale) }}`"
    )]
    OtherRows {
        /// The latent.
        latent: &'static str,
        /// The rows learned from.
        rows: usize,
    },
    /// A file could not be written or read, or is of another fit.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// The first quantity that is not finite, in the order of evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct BadQuantity {
    /// Its name: of an element of an input, a result of a network or a latent, or the statement as written.
    pub name: String,
    /// Its value.
    pub value: f64,
}

impl std::fmt::Display for BadQuantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the first quantity that is not finite is `{}`, {}", self.name, self.value)
    }
}
