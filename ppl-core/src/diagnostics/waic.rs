//! The widely applicable information criterion, from draws of the guide.

use ndarray::Array2;
use rayon::prelude::*;

use super::loo::log_mean;
use super::{DiagnosticError, PsisWeights, Total};

/// A row whose `p_waic` is above this makes WAIC unreliable (Vehtari, Gelman & Gabry 2017).
pub const P_WAIC_LIMIT: f64 = 0.4;

/// What WAIC says of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct WaicRow {
    /// The name of the row: `y[3]`.
    pub name: String,
    /// The expected log predictive density of another such row, in nats.
    pub elpd_waic: f64,
    /// The posterior variance of the row's log likelihood, in squared nats; above [`P_WAIC_LIMIT`] it is not to be trusted.
    pub p_waic: f64,
}

/// How well a model predicts, by the variance of the log likelihood; prefer [`Loo`](super::Loo), which knows when it fails.
///
/// `elpd_waic = sum_i (log sum_s w_s p(y_i | theta_s) - V_s(log p(y_i | theta_s)))` in nats, with the Pareto-smoothed weights
/// `w` of `p(theta, y) / q(theta)` in both terms; the variance is `sum_s w_s (x_s - m)^2 / (1 - sum_s w_s^2)`, which is the sample
/// variance if all weights are equal.
///
/// # Source
/// Watanabe 2010; Vehtari, Gelman & Gabry 2017.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use ppl_core::diagnostics::Waic;
/// // The log likelihood of the only row is -1 or -2 in turn: its variance is 100 / 99 / 4.
/// let log_likelihood = Array2::from_shape_fn((100, 1), |(draw, _)| if draw % 2 == 0 { -1.0 } else { -2.0 });
/// let waic = Waic::new(&log_likelihood, &[0.0; 100])?;
/// assert!((waic.p_waic().value - 100.0 / 99.0 / 4.0).abs() < 1e-9);
/// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Waic {
    /// The name of the model; empty if the matrix was given by hand.
    pub model: String,
    /// How many draws there were.
    pub draws: usize,
    /// The rows, in the order of the matrix.
    pub pointwise: Vec<WaicRow>,
    /// Whether the weights from the guide to the posterior can be trusted.
    pub guide_reliable: bool,
    /// How many numbers were maximised over all rows and held there for each row: elements of parameters.
    pub held: usize,
}

impl Waic {
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
            return Err(DiagnosticError::NoRows { quantity: "information criterion" });
        }
        let pointwise = (0..rows)
            .into_par_iter()
            .map(|row| pointwise(format!("row {row}"), &log_likelihood.column(row).to_vec(), &guide))
            .collect::<Result<_, _>>()?;
        Ok(Waic { model: String::new(), draws, pointwise, guide_reliable: guide.reliable(), held: 0 })
    }

    /// The expected log predictive density of new data, in nats, with its standard error.
    #[must_use]
    pub fn elpd_waic(&self) -> Total {
        Total::of(self.pointwise.iter().map(|row| row.elpd_waic))
    }

    /// The effective number of parameters, with its standard error.
    #[must_use]
    pub fn p_waic(&self) -> Total {
        Total::of(self.pointwise.iter().map(|row| row.p_waic))
    }

    /// The information criterion, `-2 elpd_waic`.
    #[must_use]
    pub fn waic(&self) -> Total {
        let elpd = self.elpd_waic();
        Total { value: -2.0 * elpd.value, standard_error: 2.0 * elpd.standard_error }
    }

    /// How many rows have a `p_waic` above [`P_WAIC_LIMIT`].
    #[must_use]
    pub fn bad_rows(&self) -> usize {
        self.pointwise.iter().filter(|row| row.p_waic > P_WAIC_LIMIT).count()
    }

    /// Whether to believe it, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        let (bad, rows) = (self.bad_rows(), self.pointwise.len());
        if !self.guide_reliable {
            "do not believe it: the guide misses mass of the posterior".to_owned()
        } else if bad == 0 {
            format!("believe it: no row has a p_waic above {P_WAIC_LIMIT}")
        } else {
            format!("do not believe it: {bad} of {rows} rows have a p_waic above {P_WAIC_LIMIT}; use `fit.loo(&model)`")
        }
    }
}

/// What WAIC says of one row: `log_likelihood` of the row by draw.
pub(crate) fn pointwise(name: String, log_likelihood: &[f64], guide: &PsisWeights) -> Result<WaicRow, DiagnosticError> {
    if let Some(draw) = log_likelihood.iter().position(|x| !x.is_finite()) {
        return Err(DiagnosticError::LogLikelihood { row: name, draw, value: log_likelihood[draw] });
    }
    let p_waic = guide.sd(log_likelihood)?.powi(2);
    Ok(WaicRow { name, elpd_waic: log_mean(&guide.log_weights, log_likelihood) - p_waic, p_waic })
}
