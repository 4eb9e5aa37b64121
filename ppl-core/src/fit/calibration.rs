//! Calibration of fits of a model: fits to data simulated from known parameters, and where these lie among the draws.

use std::ops::Range;

use super::draws::{Element, tabled};
use super::predictive::{before_draws, walk};
use super::{Bbvi, Fit, FitError, fit_bbvi};
use crate::diagnostics::{CalibratedScalar, Calibration, DiagnosticError, rank_probability};
use crate::model::{Model, Refinement};
use crate::random::step_key;

/// Draws of each fit, among which the truth is ranked.
const DRAWS: usize = 1000;

/// Whether fits of a model find the truth: draws parameters from the prior and data given them, fits the data, and ranks each
/// parameter among the draws of its fit, over and over.
///
/// `with_data` makes a model of simulated observed arrays, whose first axis has the one draw; the inputs are those it closes over.
/// Each replication has a seed of its own, made of the seed of the configuration; observers are not told.
///
/// # Errors
/// [`FitError::Data`] if the inputs do not fit the model, [`FitError::Sample`] if a prior is flat, [`FitError::PriorFactor`] if the
/// model has a `factor(..)`, [`FitError::PriorStart`], [`FitError::Config`], [`FitError::Diagnostic`] if no fit succeeds. A fit that fails otherwise is
/// listed in [`Calibration::failures`].
///
/// # Source
/// Yao, Vehtari, Simpson & Gelman 2018, Yes, but did it work?: evaluating variational inference, algorithm 2 (VSBC).
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
///
/// model! {
///     /// A normal mean with a known scale: the guide can be exact.
///     pub Mean(y: [f64; N]) {
///         mu ~ Normal(0, 1);
///         for n in N {
///             y[n] ~ Normal(mu, 1);
///         }
///     }
/// }
///
/// let with_data = |simulated: &MeanPredictive| Mean { y: simulated.y.row(0).to_vec() };
/// let calibration = calibrate(&MeanInputs { N: 3 }, with_data, &Bbvi::default(), 40)?;
/// assert_eq!(calibration.biased().count(), 0);
/// println!("{calibration}");
/// # Ok::<(), FitError>(())
/// ```
pub fn calibrate<M: Model>(
    inputs: &M::Inputs,
    mut with_data: impl FnMut(&M::Predictive) -> M,
    config: &Bbvi,
    replications: usize,
) -> Result<Calibration, FitError> {
    config.check::<M::Element>()?;
    let mut prior = M::bind_inputs(inputs, None)?;
    prior.refine(Refinement::SIMULATED);
    let layout = prior.layout();
    let tabled = tabled(layout);
    let mut probabilities = vec![Vec::with_capacity(replications); tabled.len()];
    let mut failures = Vec::new();
    for replication in 0..replications {
        let seed = step_key(config.seed, replication as u64);
        let mut truth = before_draws(&*prior, 1)?;
        let simulated = walk(&*prior, &mut truth, 1, seed, true)?;
        let model = with_data(&M::collect_predictive(layout, 1, &simulated));
        match ranks(&model, &tabled, &truth, config.unobserved(seed)) {
            Ok(ranks) => probabilities.iter_mut().zip(ranks).for_each(|(all, rank)| all.push(rank)),
            Err(error) => failures.push(format!("replication {replication}: {error}")),
        }
    }
    let fitted = replications - failures.len();
    if fitted == 0 {
        return Err(DiagnosticError::TooFewDraws { quantity: "calibration", draws: 0, least: 1 }.into());
    }
    let scalar = |(element, probabilities): (Element<'_>, _)| CalibratedScalar::new(element.name, probabilities);
    let scalars: Result<Vec<_>, _> = tabled.into_iter().zip(probabilities).map(scalar).collect();
    Ok(Calibration { model: layout.model.to_owned(), replications: fitted, scalars: scalars?, failures })
}

/// Where the truth of some elements, given for all rows of the layout, lies among the draws of a fit.
fn ranks<M: Model>(model: &M, tabled: &[Element<'_>], truth: &[f64], config: Bbvi) -> Result<Vec<f64>, FitError> {
    let fit: Fit<M> = fit_bbvi(model, config)?;
    let bound = fit.bind(model)?;
    if bound.layout().rows() != truth.len() {
        return Err(FitError::OtherSizes { fitted: truth.len(), model: bound.layout().rows() });
    }
    let rows: Vec<Range<usize>> = tabled.iter().map(|element| element.rows.clone()).collect();
    let columns = fit.columns(&*bound, DRAWS, &rows)?;
    let column = |at: usize| columns.iter().skip(at).step_by(rows.len()).copied();
    Ok(rows.iter().enumerate().map(|(at, row)| rank_probability(truth[row.start], column(at))).collect())
}
