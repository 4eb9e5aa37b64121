//! Two models of the same rows, by what they predict.

use super::{DiagnosticError, Total};

/// By how much one model predicts better than another.
///
/// The difference is `sum_i (elpd_i^A - elpd_i^B)` in nats, positive if the first predicts better, with the standard error
/// `sqrt(n V_i(elpd_i^A - elpd_i^B))`: the rows are the same, so that what is hard for both models cancels.
///
/// # Source
/// Vehtari, Gelman & Gabry 2017, equation 24.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The names of the models.
    pub models: [String; 2],
    /// How many rows both predict.
    pub rows: usize,
    /// The expected log predictive density of the first less that of the second, in nats.
    pub elpd_difference: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Comparison {
    /// Of the expected log predictive densities of each row under two models.
    ///
    /// # Errors
    /// [`DiagnosticError::RowsDiffer`] if the numbers of rows differ.
    pub(super) fn new(models: [&str; 2], first: &[f64], second: &[f64]) -> Result<Self, DiagnosticError> {
        if first.len() != second.len() {
            return Err(DiagnosticError::RowsDiffer { left: first.len(), right: second.len() });
        }
        let total = Total::of(first.iter().zip(second).map(|(a, b)| a - b));
        Ok(Comparison {
            models: models.map(str::to_owned),
            rows: first.len(),
            elpd_difference: total.value,
            standard_error: total.standard_error,
        })
    }

    /// What to think of the difference, in words.
    ///
    /// # Source
    /// Sivula, Magnusson, Matamoros & Vehtari 2022, Uncertainty in Bayesian leave-one-out cross-validation based model
    /// comparison: below four nats, or of fewer than a hundred rows, the standard error is too small.
    #[must_use]
    pub fn verdict(&self) -> String {
        let (difference, error) = (self.elpd_difference.abs(), self.standard_error);
        let better = if self.elpd_difference >= 0.0 { "first" } else { "second" };
        if difference < 4.0 {
            "the models predict alike: the difference is below 4 nats".to_owned()
        } else if error.is_nan() || difference < 2.0 * error {
            "the rows do not tell which model predicts better: the difference is within two standard errors".to_owned()
        } else if self.rows < 100 {
            format!("the {better} model predicts better, but of fewer than 100 rows the standard error is too small")
        } else {
            format!("the {better} model predicts better")
        }
    }
}
