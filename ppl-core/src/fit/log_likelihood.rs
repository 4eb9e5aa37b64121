//! The log likelihood of every observed row under draws of a fit.

use std::ops::Range;

use ndarray::Array2;

use super::observed::ObservedRows;
use super::{Fit, FitError};
use crate::model::Model;

/// The log likelihood of every observed row, by draw.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLikelihood {
    /// In nats, `[draw, row]`; the draws are those of [`Fit::importance_weights`].
    pub values: Array2<f64>,
    /// The names of the rows: `y[3]`, `log_radon[AITKIN]`.
    pub names: Vec<String>,
    /// The statements that the rows belong to, in the order of the model.
    pub factors: Vec<ObservedFactor>,
}

/// A statement about observed data, with its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedFactor {
    /// The statement as written: `y[n] ~ Normal(mu, 1)`.
    pub statement: &'static str,
    /// The name of the observed array.
    pub site: &'static str,
    /// Its columns in [`LogLikelihood::values`].
    pub rows: Range<usize>,
}

impl<M: Model> Fit<M> {
    /// The log likelihood `log p(y_i | theta_s)` in nats of every observed row, `[draw, row]`.
    ///
    /// The draws are those of [`Fit::proposals`], with the weights of [`Fit::importance_weights`]; the rows are those of all statements whose left side is given as data.
    ///
    /// # Errors
    /// [`FitError::Data`] if the data do not fit the model, [`FitError::OtherSizes`] if they are not those of the fit.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::prelude::*;
    ///
    /// model! {
    ///     /// A normal mean with a known scale.
    ///     pub Mean(y: [f64; N]) {
    ///         mu ~ Normal(0, 10);
    ///         for n in N {
    ///             y[n] ~ Normal(mu, 1);
    ///         }
    ///     }
    /// }
    ///
    /// let model = Mean { y: vec![1.0, 2.0, 3.0] };
    /// let fit = fit_bbvi(&model, Bbvi::default())?;
    /// let (draws, log_likelihood) = (fit.proposals(&model, 100)?, fit.log_likelihood(&model, 100)?);
    /// assert_eq!(log_likelihood.names, ["y[0]", "y[1]", "y[2]"]);
    /// let by_hand = -0.5 * (2.0 - draws.mu[7]).powi(2) - 0.5 * std::f64::consts::TAU.ln();
    /// assert!((log_likelihood.values[[7, 1]] - by_hand).abs() < 1e-12);
    /// # Ok::<(), FitError>(())
    /// ```
    pub fn log_likelihood(&self, model: &M, draws: usize) -> Result<LogLikelihood, FitError> {
        let bound = self.bind(model)?;
        let rows = ObservedRows::new(&*bound);
        let columns = rows.columns(0..rows.names.len(), draws, &mut self.drawn(&*bound, draws)?);
        // The columns are of this shape; an empty matrix stands for what cannot be.
        let values = Array2::from_shape_vec((rows.names.len(), draws), columns).unwrap_or_default().reversed_axes();
        Ok(LogLikelihood { values, names: rows.names, factors: rows.factors })
    }
}
