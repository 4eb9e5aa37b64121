//! Leave-one-out cross-validation by Pareto-smoothed importance sampling, from draws of the guide.

use ndarray::Array2;
use rayon::prelude::*;

use super::{Comparison, DiagnosticError, PsisWeights, Total, pareto_k_threshold};

/// What leaving out one row says.
#[derive(Clone, Debug, PartialEq)]
pub struct LooRow {
    /// The name of the row: `y[3]`.
    pub name: String,
    /// The expected log predictive density of the row, given the other rows, in nats.
    pub elpd_loo: f64,
    /// By how much knowing the row itself raises its log predictive density, in nats.
    pub p_loo: f64,
    /// The Pareto shape of the weights that leave the row out; above [`Loo::threshold`] its `elpd_loo` is not to be trusted.
    pub pareto_k: f64,
    /// The effective sample size of these weights.
    pub effective_sample_size: f64,
}

/// How well a model predicts rows it has not seen, each predicted from the others.
///
/// `elpd_loo = sum_i log p(y_i | y_-i)` in nats, where `p(y_i | y_-i) = sum_s w_is p(y_i | theta_s)` and the weights `w_i` are
/// the Pareto-smoothed ratios `p(theta_s, y) / q(theta_s) / p(y_i | theta_s)`: one step from the guide to the posterior
/// without the row. `p_loo` is the effective number of parameters, `looic = -2 elpd_loo`.
///
/// # Source
/// Vehtari, Gelman & Gabry 2017, Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC; draws of an
/// approximation: Magnusson, Andersen, Jonasson & Vehtari 2019, Bayesian leave-one-out cross-validation for large data.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use ppl_core::diagnostics::Loo;
/// // A likelihood that no parameter changes: leaving a row out changes nothing.
/// let log_likelihood = Array2::from_elem((100, 3), -1.5);
/// let loo = Loo::new(&log_likelihood, &[0.0; 100])?;
/// assert!((loo.elpd_loo().value + 4.5).abs() < 1e-9);
/// assert!(loo.p_loo().value.abs() < 1e-9);
/// assert_eq!(loo.bad_rows(), 0);
/// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Loo {
    /// The name of the model; empty if the matrix was given by hand.
    pub model: String,
    /// How many draws there were.
    pub draws: usize,
    /// The rows, in the order of the matrix.
    pub pointwise: Vec<LooRow>,
    /// The Pareto shape of the weights from the guide to the posterior, before any row is left out.
    pub guide_pareto_k: f64,
    /// How many numbers were maximised over all rows and held there when a row was left out: elements of parameters.
    pub held: usize,
}

impl Loo {
    /// Of a log likelihood in nats, `[draw, row]`, and the log ratio `log p(theta, y) - log q(theta)` of each draw, which is any
    /// constant for draws of the posterior itself.
    ///
    /// # Errors
    /// [`DiagnosticError`]: no rows, fewer than 25 draws, another number of ratios than of draws, or a number that is not finite.
    pub fn new(log_likelihood: &Array2<f64>, log_ratios: &[f64]) -> Result<Self, DiagnosticError> {
        let (draws, rows) = log_likelihood.dim();
        if log_ratios.len() != draws {
            return Err(DiagnosticError::Length { quantity: "log ratios", expected: draws, got: log_ratios.len() });
        }
        let guide = PsisWeights::new(log_ratios)?;
        if rows == 0 {
            return Err(DiagnosticError::NoRows { quantity: "leave-one-out predictive density" });
        }
        let pointwise = (0..rows)
            .into_par_iter()
            .map(|row| leave_out(format!("row {row}"), &log_likelihood.column(row).to_vec(), log_ratios, &guide))
            .collect::<Result<_, _>>()?;
        Ok(Loo { model: String::new(), draws, pointwise, guide_pareto_k: guide.pareto_k, held: 0 })
    }

    /// The expected log predictive density of new data, in nats, with its standard error.
    #[must_use]
    pub fn elpd_loo(&self) -> Total {
        Total::of(self.pointwise.iter().map(|row| row.elpd_loo))
    }

    /// The effective number of parameters, with its standard error.
    #[must_use]
    pub fn p_loo(&self) -> Total {
        Total::of(self.pointwise.iter().map(|row| row.p_loo))
    }

    /// The information criterion, `-2 elpd_loo`.
    #[must_use]
    pub fn looic(&self) -> Total {
        let elpd = self.elpd_loo();
        Total { value: -2.0 * elpd.value, standard_error: 2.0 * elpd.standard_error }
    }

    /// The Pareto shape above which a row is not to be trusted: [`pareto_k_threshold`] of the number of draws.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        pareto_k_threshold(self.draws)
    }

    /// How many rows have a Pareto shape above the threshold.
    #[must_use]
    pub fn bad_rows(&self) -> usize {
        let threshold = self.threshold();
        self.pointwise.iter().filter(|row| row.pareto_k > threshold).count()
    }

    /// The row with the largest Pareto shape: the one that is hardest to predict from the others.
    #[must_use]
    pub fn worst_row(&self) -> Option<&LooRow> {
        self.pointwise.iter().max_by(|a, b| a.pareto_k.total_cmp(&b.pareto_k))
    }

    /// By how much this model predicts better than another of the same rows.
    ///
    /// # Errors
    /// [`DiagnosticError::RowsDiffer`] if the numbers of rows differ.
    ///
    /// # Examples
    /// ```
    /// use ndarray::Array2;
    /// use ppl_core::diagnostics::Loo;
    /// let of = |level: f64| Loo::new(&Array2::from_elem((100, 4), level), &[0.0; 100]);
    /// let comparison = of(-1.0)?.compare(&of(-1.5)?)?;
    /// assert!((comparison.elpd_difference - 2.0).abs() < 1e-9);
    /// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
    /// ```
    pub fn compare(&self, other: &Loo) -> Result<Comparison, DiagnosticError> {
        let rows = |loo: &Loo| loo.pointwise.iter().map(|row| row.elpd_loo).collect::<Vec<_>>();
        Comparison::new([&self.model, &other.model], &rows(self), &rows(other))
    }

    /// Whether to believe it, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        let (bad, rows, threshold) = (self.bad_rows(), self.pointwise.len(), self.threshold());
        if self.guide_pareto_k > threshold {
            format!(
                "do not believe it: the guide misses mass of the posterior (Pareto k {:.2}), whichever row is left out",
                self.guide_pareto_k
            )
        } else if bad == 0 {
            "believe it: every row can be predicted from the others by reweighting".to_owned()
        } else {
            let worst = self.worst_row().map_or("", |row| row.name.as_str());
            let why = if self.guide_pareto_k < 0.5 {
                "the fit without them is another one; refit without them, or let the likelihood have heavier tails".to_owned()
            } else {
                format!("the guide itself is far from the posterior (Pareto k {:.2}); mend that first", self.guide_pareto_k)
            };
            format!("do not believe {bad} of {rows} rows, {worst} above all: {why}")
        }
    }
}

/// What leaving out one row says: `log_likelihood` of the row by draw, `guide` the weights of the log ratios.
pub(crate) fn leave_out(
    name: String,
    log_likelihood: &[f64],
    log_ratios: &[f64],
    guide: &PsisWeights,
) -> Result<LooRow, DiagnosticError> {
    if let Some(draw) = log_likelihood.iter().position(|x| !x.is_finite()) {
        return Err(DiagnosticError::LogLikelihood { row: name, draw, value: log_likelihood[draw] });
    }
    let ratios: Vec<f64> = log_ratios.iter().zip(log_likelihood).map(|(ratio, own)| ratio - own).collect();
    let without = PsisWeights::new(&ratios)?;
    let elpd_loo = log_mean(&without.log_weights, log_likelihood);
    let log_predictive = log_mean(&guide.log_weights, log_likelihood);
    Ok(LooRow {
        name,
        elpd_loo,
        p_loo: log_predictive - elpd_loo,
        pareto_k: without.pareto_k,
        effective_sample_size: without.effective_sample_size,
    })
}

/// `log sum_s w_s e^x_s`.
pub(super) fn log_mean(log_weights: &[f64], log_likelihood: &[f64]) -> f64 {
    let sums = || log_weights.iter().zip(log_likelihood).map(|(w, x)| w + x);
    let largest = sums().fold(f64::NEG_INFINITY, f64::max);
    largest + sums().map(|x| (x - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, reason = "printed by another program")]
mod tests;
