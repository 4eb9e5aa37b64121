//! How well a fitted model predicts: leave-one-out cross-validation and WAIC.

use rayon::prelude::*;

use super::observed::ObservedRows;
use super::{Fit, FitError};
use crate::diagnostics::{DiagnosticError, Loo, PsisWeights, Waic, leave_out, pointwise};
use crate::model::Model;

/// The fewest draws behind the criteria: the threshold of their Pareto shape is 0.7, and more would not raise it.
const DRAWS: usize = 4000;
/// Log likelihoods that are in memory at once, those of 8192 rows under as many draws: 256 megabytes.
const HELD: usize = 8192 * DRAWS;

impl<M: Model> Fit<M> {
    /// How well the model predicts each row from the others: Pareto-smoothed leave-one-out cross-validation, from 4000 draws of
    /// the guide (or [`Bbvi::draws`](super::Bbvi), if these are more, and half as many again where they are spread further), corrected by importance weights. Parameters stay where all the
    /// rows put them, which is told.
    ///
    /// # Errors
    /// As of [`Fit::importance_weights`]; [`FitError::Diagnostic`] if there are no observed rows or some draw makes a row impossible.
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
    /// let loo = fit_bbvi(&model, Bbvi::default())?.loo(&model)?;
    /// // Without the second row mu is Normal(4 / 2.01, 1 / sqrt(2.01)).
    /// let variance: f64 = 1.0 + 1.0 / 2.01;
    /// let exact = -0.5 * (2.0 - 4.0 / 2.01_f64).powi(2) / variance - 0.5 * (std::f64::consts::TAU * variance).ln();
    /// assert!((loo.pointwise[1].elpd_loo - exact).abs() < 0.02);
    /// println!("{loo}");
    /// # Ok::<(), FitError>(())
    /// ```
    pub fn loo(&self, model: &M) -> Result<Loo, FitError> {
        let (guide, pointwise) = self.by_row(model, "leave-one-out predictive density", leave_out)?;
        Ok(Loo {
            model: M::GRAPH.name.to_owned(),
            draws: guide.log_weights.len(),
            pointwise,
            guide_pareto_k: guide.pareto_k,
            held: self.params().len(),
        })
    }

    /// The widely applicable information criterion, from the same draws and weights; prefer [`Fit::loo`], which says of each row whether
    /// it can be believed.
    ///
    /// # Errors
    /// As of [`Fit::loo`].
    pub fn waic(&self, model: &M) -> Result<Waic, FitError> {
        let (guide, pointwise) =
            self.by_row(model, "information criterion", |name, column, _, guide| pointwise(name, column, guide))?;
        Ok(Waic {
            model: M::GRAPH.name.to_owned(),
            draws: guide.log_weights.len(),
            pointwise,
            guide_reliable: guide.reliable(),
            held: self.params().len(),
        })
    }

    /// Something of each row: of its name, its log likelihood by draw, the log ratios and their weights.
    fn by_row<T: Send>(
        &self,
        model: &M,
        quantity: &'static str,
        each: impl Fn(String, &[f64], &[f64], &PsisWeights) -> Result<T, DiagnosticError> + Sync,
    ) -> Result<(PsisWeights, Vec<T>), FitError> {
        let bound = self.bind(model)?;
        let draws = self.state.draws.max(DRAWS);
        let log_ratios = self.ratios(&*bound, draws)?;
        let observed = ObservedRows::new(&*bound);
        if observed.names.is_empty() {
            return Err(DiagnosticError::NoRows { quantity }.into());
        }
        let weights = PsisWeights::new(&log_ratios)?;
        let mut found = Vec::with_capacity(observed.names.len());
        for names in observed.names.chunks((HELD / draws).max(1)) {
            let first = found.len();
            let mut drawn = self.drawn(&*bound, draws)?;
            let columns = observed.columns(first..first + names.len(), draws, &mut drawn);
            let block: Result<Vec<T>, DiagnosticError> = names
                .par_iter()
                .zip(columns.par_chunks_exact(draws))
                .map(|(name, column)| each(name.clone(), column, &log_ratios, &weights))
                .collect();
            found.extend(block?);
        }
        Ok((weights, found))
    }
}
