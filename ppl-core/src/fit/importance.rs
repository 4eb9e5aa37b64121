//! Importance weights of the draws of a fit: from the guide to the posterior.

use std::ops::Range;

use super::draws::{Element, tabled};
use super::{Fit, FitError};
use crate::diagnostics::{DiagnosticError, PsisWeights, Weighted};
use crate::model::Model;

/// The posterior of one scalar by weighted draws, and whether the weights serve it.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedScalar {
    /// The name of the element: `theta[3]`.
    pub name: String,
    /// The name of its array: `theta`.
    pub variable: String,
    /// Its moments and quantiles under the weights.
    pub weighted: Weighted,
    /// The Pareto shape that decides about the mean: [`PsisWeights::expectation_pareto_k`].
    pub mean_pareto_k: f64,
    /// The Pareto shape that decides about the standard deviation.
    pub sd_pareto_k: f64,
}

impl<M: Model> Fit<M> {
    /// The log ratios `log p(theta_s, y) - log q(theta_s)` of draws of the guide, in nats, on the unconstrained space; the draws are those
    /// of [`Fit::proposals`], and `q` is what they are drawn from. A draw where the density is no number has the ratio `-inf`.
    ///
    /// # Errors
    /// As of [`Fit::log_likelihood`].
    pub fn log_ratios(&self, model: &M, draws: usize) -> Result<Vec<f64>, FitError> {
        let bound = self.bind(model)?;
        self.ratios(&*bound, draws)
    }

    /// The Pareto-smoothed weights that turn draws of the guide into draws of the posterior; the draws are those of
    /// [`Fit::proposals`].
    ///
    /// [`Fit::draws`], the summary and predictions are corrected by such weights already.
    ///
    /// # Errors
    /// As of [`Fit::log_likelihood`], and [`FitError::Diagnostic`] with fewer than 25 draws or a density that is infinite.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::prelude::*;
    ///
    /// model! {
    ///     /// A probability, whose posterior is Beta(8, 4).
    ///     pub Coin(heads: u64) {
    ///         p ~ Beta(1, 1);
    ///         heads ~ Binomial(10, p);
    ///     }
    /// }
    ///
    /// let model = Coin { heads: 7 };
    /// let fit = fit_bbvi(&model, Bbvi::default())?;
    /// let weights = fit.importance_weights(&model, 4000)?;
    /// let p = weights.summarize(&fit.proposals(&model, 4000)?.p.to_vec())?;
    /// assert!((p.mean - 8.0 / 12.0).abs() < 0.01);
    /// println!("{}", weights.verdict());
    /// # Ok::<(), FitError>(())
    /// ```
    pub fn importance_weights(&self, model: &M, draws: usize) -> Result<PsisWeights, FitError> {
        Ok(PsisWeights::new(&self.log_ratios(model, draws)?)?)
    }

    /// Every latent and quantity by weighted draws of the guide, each with the Pareto shapes of its mean and its standard deviation, and
    /// the weights themselves, which know their effective sample size. Arrays that are too long for [`Fit::summary`] are left out.
    ///
    /// # Source
    /// Yao, Vehtari, Simpson & Gelman 2018, Yes, but did it work?: evaluating variational inference, section 3; the shapes of single
    /// expectations: Vehtari, Simpson, Gelman, Yao & Gabry 2024, Pareto smoothed importance sampling.
    ///
    /// # Errors
    /// As of [`Fit::importance_weights`].
    ///
    /// # Examples
    /// ```
    /// use ppl_core::prelude::*;
    ///
    /// model! {
    ///     /// A scale, whose posterior is not normal.
    ///     pub Scale(y: [f64; N]) {
    ///         sigma ~ Exponential(1);
    ///         for n in N {
    ///             y[n] ~ Normal(0, sigma);
    ///         }
    ///     }
    /// }
    ///
    /// let model = Scale { y: vec![0.5, -1.0, 0.8] };
    /// let (weights, scalars) = fit_bbvi(&model, Bbvi::default())?.weighted_scalars(&model, 2000)?;
    /// assert_eq!(scalars[0].name, "sigma");
    /// assert!(scalars[0].mean_pareto_k >= weights.pareto_k);
    /// # Ok::<(), FitError>(())
    /// ```
    pub fn weighted_scalars(&self, model: &M, draws: usize) -> Result<(PsisWeights, Vec<WeightedScalar>), FitError> {
        let bound = self.bind(model)?;
        let log_ratios = self.ratios(&*bound, draws)?;
        let weights = PsisWeights::new(&log_ratios)?;
        let tabled = tabled(bound.layout());
        let rows: Vec<Range<usize>> = tabled.iter().map(|element| element.rows.clone()).collect();
        let columns = self.unweighted().columns(&*bound, draws, &rows)?;
        let scalar = |(at, element): (usize, Element<'_>)| {
            let column: Vec<f64> = columns.iter().skip(at).step_by(rows.len()).copied().collect();
            let weighted = weights.summarize(&column)?;
            let squares: Vec<f64> = column.iter().map(|x| (x - weighted.mean).powi(2)).collect();
            Ok(WeightedScalar {
                name: element.name,
                variable: element.variable.to_owned(),
                weighted,
                mean_pareto_k: weights.expectation_pareto_k(&column, &log_ratios)?,
                sd_pareto_k: weights.expectation_pareto_k(&squares, &log_ratios)?,
            })
        };
        let scalars: Result<Vec<_>, DiagnosticError> = tabled.into_iter().enumerate().map(scalar).collect();
        Ok((weights, scalars?))
    }
}
