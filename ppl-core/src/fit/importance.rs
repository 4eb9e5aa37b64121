//! Importance weights of the draws of a fit: from the guide to the posterior.

use super::{BATCH, Drawn, Fit, FitError, Noise, Ratios};
use crate::diagnostics::PsisWeights;
use crate::model::{LogJoint, Model};

impl<M: Model> Fit<M> {
    /// The log ratios `log p(theta_s, y) - log q(theta_s)` of the draws of [`Fit::draws`], in nats, on the unconstrained space.
    ///
    /// # Errors
    /// As of [`Fit::log_likelihood`].
    pub fn log_ratios(&self, model: &M, draws: usize) -> Result<Vec<f64>, FitError> {
        let bound = model.bind()?;
        self.ratios(&*bound, draws)
    }

    /// The Pareto-smoothed weights that turn the draws of [`Fit::draws`] into draws of the posterior.
    ///
    /// # Errors
    /// As of [`Fit::log_likelihood`], and [`FitError::Diagnostic`] with fewer than 25 draws or a density that is not finite.
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
    /// let fit = fit_bbvi(&model, Bbvi::default())?;
    /// let weights = fit.importance_weights(&model, 2000)?;
    /// assert!(weights.reliable());
    /// let sigma = weights.summarize(&fit.draws(&model, 2000)?.sigma.to_vec())?;
    /// assert!(sigma.mean > 0.5 && sigma.mean < 1.5);
    /// # Ok::<(), FitError>(())
    /// ```
    pub fn importance_weights(&self, model: &M, draws: usize) -> Result<PsisWeights, FitError> {
        Ok(PsisWeights::new(&self.log_ratios(model, draws)?)?)
    }

    pub(super) fn ratios(&self, model: &dyn LogJoint<M::Element>, draws: usize) -> Result<Vec<f64>, FitError> {
        self.check_sizes(model)?;
        let guide = self.guide();
        let mut drawn = Drawn::new(model, &guide, self.draws_key());
        let mut ratios = Vec::with_capacity(draws);
        while ratios.len() < draws {
            drawn.next_batch(Noise::Plain, Ratios::Computed);
            ratios.extend_from_slice(&drawn.log_ratios[..(draws - ratios.len()).min(BATCH)]);
        }
        Ok(ratios)
    }
}
