//! `fit_bbvi`: black-box variational inference of any model, and what a fit can be asked.

mod blame;
mod calibration;
mod climb;
mod components;
mod config;
mod criteria;
mod deterministic;
mod drawn;
mod draws;
mod engine;
mod error;
mod families;
mod flow;
mod importance;
mod journal;
mod last_steps;
mod linear_response;
mod local_steps;
mod log_likelihood;
mod natives;
mod observed;
mod observer;
mod plateau;
mod predictive;
mod report;
mod responsibilities;
mod rows;
mod sampled;
mod saved;
mod search;
mod solution;
mod some_elements;
mod start;
mod step_search;
mod stopping;
mod tables;
mod widening;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use calibration::calibrate;
pub use config::{Bbvi, Minibatch};
pub use error::{ConfigError, Culprit, FileReason, FitError, LastState};
pub use importance::WeightedScalar;
pub use linear_response::LinearResponse;
pub use log_likelihood::{LogLikelihood, ObservedFactor};
pub use observer::{Observer, Progress, StepInfo, Trace, TraceData};
pub use predictive::prior_predictive;
pub use rows::fit_rows;

pub use crate::diagnostics::{StopReason, Tried};
use crate::guides::{FittedGuide, GuideOf};
use crate::instances::Instances as _;
use crate::kernel::Real;
use crate::model::{DataError, Layout, LogJoint, Model, Refinement};
use crate::objective::Objective;
use crate::profile::{Profile, Wrapped};
use crate::report::{Param, Scalar, Summary};
use config::ByName;
use journal::Journal;
pub(crate) use rows::fit_chunks;
use search::{Found, restarted};
pub(crate) use solution::{Solved, solved};
#[cfg(feature = "nuts")]
pub(crate) use {blame::blame, config::place, solution::DRAWS};

/// Fits a guide to the posterior of a model: of itself a Gaussian of full rank, or of very many dimensions independent ones, and where importance weights
/// cannot correct it, a mixture; [`Bbvi::family`] asks for others.
///
/// The fit starts from the mode, with the curvature there as its units, and climbs the bound over fixed noise, with as many samples as the Monte Carlo
/// error of the top asks for. Differential equations are solved in as many steps between two times as it takes for twice as many to change the log joint by less
/// than 0.01 nats at draws of the guide, and a note says by how much. Parameters are points of every guide, climbed together with it: what the EM algorithm does in turns. Latents of a location and a scale that depend on others are tried as written and through their residuals.
///
/// # Errors
/// [`FitError`]: the data do not fit the model, the configuration is out of range, or the log density is not finite.
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
/// let fit = fit_bbvi(&model, &mut Bbvi::default())?;
/// // The posterior is Normal(6 / 3.01, 1 / sqrt(3.01)).
/// let mu = fit.scalar("mu").expect("mu is a latent");
/// assert!((mu.mean - 1.9934).abs() < 0.02);
/// # Ok::<(), FitError>(())
/// ```
pub fn fit_bbvi<M: Model, C: std::borrow::BorrowMut<Bbvi>>(model: &M, mut config: C) -> Result<Fit<M>, FitError> {
    let mut bound = model.bind()?;
    let state = M::Element::fit(&mut *bound, config.borrow_mut())?;
    Ok(Fit { state, model: PhantomData })
}

/// Fits a guide that is given, from where its parameters start: one written by `guide!`, or one of a type of yours that implements
/// [`Guide`](crate::guides::Guide) over the element of the model. What a guide leaves to `auto` begins at the mode with the curvature there, or as a standard
/// normal where that is better. Discrete latents are drawn from what the guide says, and their parameters move by the score function (`Bbvi::estimators`). With `Bbvi::minibatch` a
/// guide written by `guide!` is taken in batches. Of the configuration, what chooses among families is not used.
///
/// # Errors
/// As [`fit_bbvi`]; [`FitError::Guide`] and [`FitError::OtherSizes`] if the guide does not fit the model.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
///
/// model! {
///     /// Groups around a mean.
///     pub Groups(y: [f64; J]) {
///         mu ~ Normal(0, 10);
///         for j in J {
///             theta[j] ~ Normal(mu, 1);
///             y[j] ~ Normal(theta[j], 1);
///         }
///     }
/// }
///
/// guide! {
///     /// Effects that follow the mean: of the same family as the posterior.
///     pub Structured for Groups() {
///         param m: real = 0;
///         param s: positive = 1;
///         param a[J]: real = 0;
///         param slope[J]: real = 0;
///         param w[J]: positive = 1;
///         mu ~ Normal(m, s);
///         for j in J {
///             theta[j] ~ Normal(a[j] + slope[j] * mu, w[j]);
///         }
///     }
/// }
///
/// let model = Groups { y: vec![1.0, 2.0, 3.0] };
/// let fit = fit_guide(&model, &Structured, Bbvi::default())?;
/// // Given the mean, an effect is half way between it and its measurement.
/// assert!((fit.guide_param("slope[0]").expect("a parameter") - 0.5).abs() < 0.01);
/// assert!((fit.guide_param("a[2]").expect("a parameter") - 1.5).abs() < 0.01);
/// # Ok::<(), FitError>(())
/// ```
pub fn fit_guide<M: Model, G: GuideOf<M>>(
    model: &M,
    guide: &G,
    mut config: impl std::borrow::BorrowMut<Bbvi>,
) -> Result<Fit<M>, FitError> {
    let mut bound = model.bind()?;
    let guide = FittedGuide::Own(guide.bind_guide(model, bound.layout())?);
    let state = M::Element::fit_given(&mut *bound, &guide, config.borrow_mut())?;
    Ok(Fit { state, model: PhantomData })
}

/// The whole fit of a guide that is given, over an object.
pub(crate) fn fit_given<E: Real>(model: &mut dyn LogJoint<E>, guide: &FittedGuide, config: &mut Bbvi) -> Result<State, FitError> {
    accurate(model, config, |model, config, journal| given(model, guide.clone(), config, journal))
}

/// The whole fit, over an object.
pub(crate) fn fit_bound<E: Real>(model: &mut dyn LogJoint<E>, config: &mut Bbvi) -> Result<State, FitError> {
    accurate(model, config, chosen)
}

/// A fit in as many steps as the differential equations of the model need.
fn accurate<E: Real>(
    model: &mut dyn LogJoint<E>,
    config: &mut Bbvi,
    fit: impl Fn(&dyn LogJoint<E>, &mut Bbvi, Option<Arc<Journal>>) -> Result<State, FitError>,
) -> Result<State, FitError> {
    let journal = config.journal(model)?;
    let (began, time) = (Instant::now(), config.max_time);
    let run = |model: &dyn LogJoint<E>, left: Duration| {
        config.max_time = left;
        fit(model, config, journal.clone())
    };
    // Draws are weighed against the same guide: their ratios differ by the change of the log joint.
    let at = |model: &dyn LogJoint<E>, state: &State| Ok(state.drawn(model, solution::DRAWS)?.ratios(solution::DRAWS));
    let solved = solved(model, time, run, at);
    config.max_time = time;
    let Solved { outcome: mut state, refinement, notes } = solved?;
    if !notes.is_empty() {
        state.seconds = began.elapsed().as_secs_f64();
        state.refinement = refinement;
        state.notes.extend(notes);
    }
    Ok(state)
}

fn given<E: Real>(
    model: &dyn LogJoint<E>,
    guide: FittedGuide,
    config: &mut Bbvi,
    journal: Option<Arc<Journal>>,
) -> Result<State, FitError> {
    let began = Instant::now();
    let (checked, by_name) = (config.check::<E>()?, config.by_name(model)?);
    let (start, by_name) = (config.start(model)?, ByName { journal, ..by_name });
    let found = search::given(model, &checked, &by_name, (guide, &start), &mut config.observers)?;
    Ok(state(model, &checked, found, began.elapsed()))
}

fn chosen<E: Real>(model: &dyn LogJoint<E>, config: &mut Bbvi, journal: Option<Arc<Journal>>) -> Result<State, FitError> {
    let began = Instant::now();
    let checked = config.check::<E>()?;
    let start = config.start(model)?;
    let by_name = ByName { journal: journal.clone(), ..config.by_name(model)? };
    let whole = Wrapped(model);
    let Some(profile) = Profile::new(&whole).filter(|_| by_name.minibatch.is_none() && model.layout().drawn().next().is_none())
    else {
        let found = restarted(model, &checked, &start, &by_name, &mut config.observers, config.restarts)?;
        return Ok(state(model, &checked, found, began.elapsed()));
    };
    let (start, by_name) = (config.start(&profile)?, ByName { journal, ..config.by_name(&profile)? });
    let mut found = restarted(&profile, &checked, &start, &by_name, &mut config.observers, config.restarts)?;
    found.outcome.guide = profile.whole(found.outcome.guide, checked.seed);
    Ok(state(model, &checked, found, began.elapsed()))
}

/// All that is known of a fit.
fn state<E: Real>(model: &dyn LogJoint<E>, checked: &config::Checked, found: Found, elapsed: Duration) -> State {
    let (Found { tried, report, outcome }, layout) = (found, model.layout());
    State {
        model: layout.model.to_owned(),
        dims: layout.dims.iter().map(|d| (d.name.to_owned(), d.size, d.levels.as_ref().map(|levels| levels.to_vec()))).collect(),
        guide: outcome.guide,
        tried,
        elbo: report.elbo,
        elbo_standard_error: report.standard_error,
        objective: checked.objective,
        bound: report.bound,
        pareto_k: report.pareto_k,
        raw_pareto_k: report.raw_pareto_k,
        widening: report.widening,
        stop_reason: outcome.stop_reason,
        steps: outcome.steps,
        seconds: elapsed.as_secs_f64(),
        seed: checked.seed,
        draws: report.draws,
        notes: outcome.notes,
        weighted: report.weighted,
        resampled: report.resampled,
        scalars: report.scalars,
        raw_scalars: report.raw_scalars,
        hidden: report.hidden,
        params: report.params,
        refinement: Refinement::default(),
        discrete: layout.drawn().next().is_some(),
    }
}

/// A fitted guide with all that is known of it; owns no data and has no lifetime.
pub struct Fit<M> {
    state: State,
    model: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Fit<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Fit").field(&self.state).finish()
    }
}

impl<M> Clone for Fit<M> {
    fn clone(&self) -> Self {
        Fit { state: self.state.clone(), model: PhantomData }
    }
}

/// What a fit is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    model: String,
    dims: Vec<(String, usize, Option<Vec<String>>)>,
    guide: FittedGuide,
    tried: Vec<Tried>,
    elbo: f64,
    elbo_standard_error: f64,
    /// The bound that was maximised, its standard error.
    objective: Objective,
    bound: (f64, f64),
    #[serde(with = "crate::diagnostics::extended")]
    pareto_k: f64,
    /// The Pareto k of the guide as it is.
    #[serde(with = "crate::diagnostics::extended")]
    raw_pareto_k: f64,
    /// How many times as far as by the guide draws are spread, for weights to correct them.
    widening: f64,
    stop_reason: StopReason,
    steps: usize,
    seconds: f64,
    seed: u64,
    /// How many draws the table is made of.
    draws: usize,
    notes: Vec<String>,
    /// How many equally weighted draws the importance-weighted ones are worth; none where they are not weighted.
    weighted: Option<f64>,
    /// The draws of the table that were resampled by their weights, in order, for predictions of new rows.
    resampled: Vec<usize>,
    scalars: Vec<Scalar>,
    /// The scalars of the guide alone.
    raw_scalars: Vec<Scalar>,
    /// Arrays that are too long for the table: name and length.
    hidden: Vec<(String, usize)>,
    /// The parameters, element after element.
    params: Vec<Param>,
    /// How finely differential equations are solved.
    refinement: Refinement,
    /// Whether some latents are discrete and drawn.
    discrete: bool,
}

impl<M: Model> Fit<M> {
    /// The evidence lower bound in nats, and its Monte Carlo standard error.
    #[must_use]
    pub fn elbo(&self) -> (f64, f64) {
        (self.state.elbo, self.state.elbo_standard_error)
    }

    /// The bound of the log evidence that was maximised, in nats, and its Monte Carlo standard error: the ELBO unless [`Bbvi::objective`] says otherwise.
    #[must_use]
    pub fn bound(&self) -> (f64, f64) {
        self.state.bound
    }

    /// The Pareto shape of the importance weights: below 0.7 the guide covers the posterior. Where that of the guide as it is is 0.5 or more, draws are spread
    /// further, and the shape is theirs if it is lower: see [`Fit::widening`].
    #[must_use]
    pub fn pareto_k(&self) -> f64 {
        self.state.pareto_k
    }

    /// How many times as far as by the guide draws are spread, for importance weights to correct tails that are heavier than those of the guide; 1 where the weights
    /// of the guide as it is have a variance (Pareto k below 0.5).
    #[must_use]
    pub fn widening(&self) -> f64 {
        self.state.widening
    }

    /// Why the fit stopped.
    #[must_use]
    pub fn stop_reason(&self) -> &StopReason {
        &self.state.stop_reason
    }

    /// How many steps were taken.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.state.steps
    }

    /// How long the fit took, with all guides that were tried and judged.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.state.seconds)
    }

    /// What happened on the way.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.state.notes
    }

    /// The guide, on the unconstrained space.
    #[must_use]
    pub fn guide(&self) -> &FittedGuide {
        &self.state.guide
    }

    /// The parameters of the guide that have names, of one written by `guide!`, element after element in the supports that they were declared with.
    #[must_use]
    pub fn guide_params(&self) -> Vec<(String, f64)> {
        self.state.guide.guide::<M::Element>().named_parameters()
    }

    /// One of the parameters of the guide by the name of its element: `slope[3]`.
    #[must_use]
    pub fn guide_param(&self, name: &str) -> Option<f64> {
        self.guide_params().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The guide alone, as it is: without the importance weights that correct draws and summaries where the Pareto k allows it.
    #[must_use]
    pub fn raw(&self) -> Self {
        let mut raw = self.clone();
        raw.state.weighted = None;
        (raw.state.pareto_k, raw.state.widening) = (raw.state.raw_pareto_k, 1.0);
        raw.state.scalars.clone_from(&raw.state.raw_scalars);
        raw
    }

    /// The families that were tried, in order; the one of the best ELBO was kept.
    #[must_use]
    pub fn tried(&self) -> &[Tried] {
        &self.state.tried
    }

    /// The table: mean, standard deviation and quantiles of every scalar; the ELBO, the Pareto k, why it stopped, what to think of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            model: self.state.model.clone(),
            scalars: self.state.scalars.clone(),
            hidden: self.state.hidden.clone(),
            params: self.state.params.clone(),
            elbo: self.elbo(),
            pareto_k: self.state.pareto_k,
            discrete: self.state.discrete,
            weighted: self.state.weighted.map(|effective| (effective, self.state.draws)),
            widening: self.state.widening,
            stop_reason: self.state.stop_reason.clone(),
            tried: self.state.tried.clone(),
            steps: self.state.steps,
            seconds: self.state.seconds,
            notes: self.state.notes.clone(),
        }
    }

    /// The summary of one scalar by the name of its element: `tau`, `theta[3]`, `alpha[AITKIN]`.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<&Scalar> {
        self.state.scalars.iter().find(|scalar| scalar.name == name)
    }

    /// The parameters where the bound is at its top, element after element: they are points, and have no posterior.
    #[must_use]
    pub fn params(&self) -> &[Param] {
        &self.state.params
    }

    /// The value of one parameter by the name of its element: `tau`, `share[3]`.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<f64> {
        self.state.params.iter().find(|param| param.name == name).map(|param| param.value)
    }
}

impl<M: Model> Fit<M> {
    /// The model bound to data, its differential equations solved as finely as in the fit.
    pub(crate) fn bind<'m>(&self, model: &'m M) -> Result<Box<dyn LogJoint<M::Element> + 'm>, DataError> {
        let mut bound = model.bind()?;
        bound.refine(self.state.refinement);
        Ok(bound)
    }

    /// The sizes and levels of the fit, for binding new inputs.
    fn layout(&self) -> Layout {
        let dims = M::GRAPH
            .dims
            .iter()
            .zip(&self.state.dims)
            .map(|(&name, (_, size, levels))| crate::model::Dimension {
                name,
                size: *size,
                levels: levels.as_deref().map(Into::into),
            })
            .collect();
        Layout { model: M::GRAPH.name, dims, ..Layout::default() }
    }
}
