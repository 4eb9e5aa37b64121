//! Why a diagnostic could not be computed.

/// What is wrong with the numbers that a diagnostic was given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DiagnosticError {
    /// No rows are observed, so that nothing is predicted.
    #[error("there are no observed rows, so that there is no {quantity}; give the model data")]
    NoRows {
        /// What was asked for.
        quantity: &'static str,
    },
    /// Too few draws.
    #[error("{quantity} needs at least {least} draws, and there are {draws}; draw more")]
    TooFewDraws {
        /// What was asked for.
        quantity: &'static str,
        /// How many there are.
        draws: usize,
        /// How many are needed.
        least: usize,
    },
    /// A number per draw is missing, or there is one too many.
    #[error("there are {got} {quantity} and {expected} draws; give one for each draw")]
    Length {
        /// What was given.
        quantity: &'static str,
        /// How many draws there are.
        expected: usize,
        /// How many were given.
        got: usize,
    },
    /// A number of a draw that is `NaN` or infinite.
    #[error(
        "{quantity} of draw {draw} is {value}; it must be finite: the draw lies outside the support, or the density overflows"
    )]
    NotFinite {
        /// What was given.
        quantity: &'static str,
        /// Which draw.
        draw: usize,
        /// Its value.
        value: f64,
    },
    /// A log likelihood that is `NaN` or infinite.
    #[error(
        "the log likelihood of {row} is {value} in draw {draw}; it must be finite: a row that some draws make impossible \
         cannot be left out by reweighting, refit without it"
    )]
    LogLikelihood {
        /// The name of the row.
        row: String,
        /// Which draw.
        draw: usize,
        /// Its value.
        value: f64,
    },
    /// No draw has any weight.
    #[error("every log ratio is -inf, so that no draw has any weight; the guide and the posterior do not meet: fit again")]
    NoWeight,
    /// Two models predict other data.
    #[error("one model has {left} observed rows and the other {right}; only predictions of the same rows can be compared")]
    RowsDiffer {
        /// Of the one.
        left: usize,
        /// Of the other.
        right: usize,
    },
    /// A probability outside the unit interval.
    #[error("probability {index} is {value}; it must lie between 0 and 1")]
    Probability {
        /// Which one.
        index: usize,
        /// Its value.
        value: f64,
    },
}
