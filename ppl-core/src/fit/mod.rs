//! `fit_bbvi`: black-box variational inference of any model, and what a fit can be asked.

mod calibration;
mod config;
mod criteria;
mod engine;
mod error;
mod importance;
mod log_likelihood;
mod observer;
mod predictive;
mod saved;
mod stopping;

use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use calibration::calibrate;
pub use config::Bbvi;
pub use error::{ConfigError, Culprit, FileReason, FitError, LastState};
pub use importance::WeightedScalar;
pub use log_likelihood::{LogLikelihood, ObservedFactor};
pub use observer::{Observer, Progress, StepInfo, Trace, TraceData};
pub use predictive::prior_predictive;

pub use crate::diagnostics::StopReason;
use crate::diagnostics::pareto_k;
use crate::guides::{Guide, MeanField};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, Model};
use crate::random::{antithetic_normals, step_key};
use crate::report::{Scalar, Summary};

/// Fits a mean-field Gaussian guide to the posterior of a model.
///
/// The fit starts from the mode, with the curvature there as its units, and climbs the ELBO by the reparameterization
/// gradient until the averaged parameters no longer change.
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
    let bound = model.bind()?;
    let state = fit_bound(&*bound, config.borrow_mut())?;
    Ok(Fit { state, model: PhantomData })
}

/// The whole fit, over an object: compiled once for each element.
fn fit_bound<E: Real>(model: &dyn LogJoint<E>, config: &mut Bbvi) -> Result<State, FitError> {
    let checked = config.check::<E>()?;
    let start = config.start(model)?;
    let outcome = engine::run(model, &checked, &start, &mut config.observers)?;
    let layout = model.layout();
    let report = Report::new(model, &outcome.guide, checked.draws, checked.seed);
    Ok(State {
        model: layout.model.to_owned(),
        dims: layout.dims.iter().map(|d| (d.name.to_owned(), d.size, d.levels.clone())).collect(),
        loc: outcome.guide.loc().to_vec(),
        log_scale: outcome.guide.log_scale().to_vec(),
        elbo: report.elbo,
        elbo_standard_error: report.standard_error,
        pareto_k: report.pareto_k,
        stop_reason: outcome.stop_reason,
        steps: outcome.steps,
        seconds: outcome.elapsed.as_secs_f64(),
        seed: checked.seed,
        notes: outcome.notes,
        scalars: report.scalars,
        hidden: report.hidden,
    })
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
    loc: Vec<f64>,
    log_scale: Vec<f64>,
    elbo: f64,
    elbo_standard_error: f64,
    #[serde(with = "saved::extended")]
    pareto_k: f64,
    stop_reason: StopReason,
    steps: usize,
    seconds: f64,
    seed: u64,
    notes: Vec<String>,
    scalars: Vec<Scalar>,
    /// Arrays that are too long for the table: name and length.
    hidden: Vec<(String, usize)>,
}

impl<M: Model> Fit<M> {
    /// The evidence lower bound in nats, and its Monte Carlo standard error.
    #[must_use]
    pub fn elbo(&self) -> (f64, f64) {
        (self.state.elbo, self.state.elbo_standard_error)
    }

    /// The Pareto shape of the importance weights: below 0.7 the guide covers the posterior.
    #[must_use]
    pub fn pareto_k(&self) -> f64 {
        self.state.pareto_k
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

    /// How long the fit took.
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
    pub fn guide(&self) -> MeanField {
        MeanField::new(&self.state.loc, &self.state.log_scale)
    }

    /// The table: mean, standard deviation and quantiles of every scalar; the ELBO, the Pareto k, why it stopped, what to think of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            model: self.state.model.clone(),
            scalars: self.state.scalars.clone(),
            hidden: self.state.hidden.clone(),
            elbo: self.elbo(),
            pareto_k: self.state.pareto_k,
            stop_reason: self.state.stop_reason.clone(),
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
}

/// What is found out of a fitted guide by drawing from it.
struct Report {
    elbo: f64,
    standard_error: f64,
    pareto_k: f64,
    scalars: Vec<Scalar>,
    hidden: Vec<(String, usize)>,
}

/// Arrays longer than this are left out of the table.
const TABLE_LIMIT: usize = 4000;

impl Report {
    fn new<E: Real>(model: &dyn LogJoint<E>, guide: &MeanField, draws: usize, seed: u64) -> Self {
        let mut drawn = Drawn::new(model, guide, step_key(seed, u64::MAX - 1));
        let layout = model.layout();
        let shown: Vec<usize> = (0..layout.variables.len()).filter(|&v| layout.variables[v].rows.len() <= TABLE_LIMIT).collect();
        let mut columns: Vec<Vec<f64>> =
            shown.iter().map(|&v| Vec::with_capacity(draws * layout.variables[v].rows.len())).collect();
        let mut log_ratios = Vec::with_capacity(draws);
        while log_ratios.len() < draws {
            let taken = (draws - log_ratios.len()).min(BATCH);
            drawn.next_batch(Noise::Rescaled, Ratios::Computed);
            log_ratios.extend_from_slice(&drawn.log_ratios[..taken]);
            for (column, &v) in columns.iter_mut().zip(&shown) {
                for draw in 0..taken {
                    column.extend(layout.variables[v].rows.clone().map(|row| drawn.work.values[row * BATCH + draw].to_f64()));
                }
            }
        }
        let elbo = log_ratios.iter().sum::<f64>() / draws as f64;
        // Antithetic pairs stand half a batch apart; their means are independent.
        let pairs: Vec<f64> = log_ratios
            .chunks(BATCH)
            .flat_map(|batch| (0..batch.len() / 2).map(|i| 0.5 * (batch[i] + batch[i + batch.len() / 2])).collect::<Vec<_>>())
            .collect();
        let mean = pairs.iter().sum::<f64>() / pairs.len() as f64;
        let variance = pairs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (pairs.len() - 1).max(1) as f64;
        let mut scalars = Vec::new();
        for (column, &v) in columns.iter().zip(&shown) {
            let variable = &layout.variables[v];
            let elements = variable.rows.len();
            for element in 0..elements {
                let values: Vec<f64> = column.iter().skip(element).step_by(elements.max(1)).copied().collect();
                scalars.push(Scalar::of(layout.element_name(variable, element), variable.name, values));
            }
        }
        let hidden =
            layout.variables.iter().filter(|v| v.rows.len() > TABLE_LIMIT).map(|v| (v.name.to_owned(), v.rows.len())).collect();
        Report { elbo, standard_error: (variance / pairs.len() as f64).sqrt(), pareto_k: pareto_k(&log_ratios), scalars, hidden }
    }
}

/// Draws that are made at once.
const BATCH: usize = 64;

/// Which noise the draws are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noise {
    /// Draws of the guide itself.
    Plain,
    /// A mean square of one in each batch: less error in standard deviations, but no longer the guide's higher moments.
    Rescaled,
}

/// Whether `log p - log q` is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ratios {
    Computed,
    Skipped,
}

/// Draws from a guide, completed with the quantities of the model.
struct Drawn<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    guide: &'a MeanField,
    key: u64,
    batches: u64,
    noise: Vec<E>,
    u: Vec<E>,
    work: crate::model::Workspace<E>,
    weights: crate::model::Weights<E>,
    log_ratios: Vec<f64>,
}

impl<'a, E: Real> Drawn<'a, E> {
    fn new(model: &'a dyn LogJoint<E>, guide: &'a MeanField, key: u64) -> Self {
        let n = model.layout().unconstrained();
        Drawn {
            model,
            guide,
            key,
            batches: 0,
            noise: vec![E::default(); n * BATCH],
            u: vec![E::default(); n * BATCH],
            work: model.workspace(BATCH),
            weights: model.unit_weights(BATCH),
            log_ratios: vec![0.0; BATCH],
        }
    }

    /// The next draws: constrained latents and quantities in the workspace, and, if asked for, `log p - log q`.
    fn next_batch(&mut self, noise: Noise, ratios: Ratios) {
        antithetic_normals(step_key(self.key, self.batches), BATCH, &mut self.noise);
        if noise == Noise::Rescaled {
            unit_variance(&mut self.noise);
        }
        self.batches += 1;
        self.guide.sample(&self.noise, BATCH, &mut self.u);
        let mut log_det = vec![0.0; BATCH];
        self.model.constrain(&self.u, &mut self.work, &mut log_det);
        if ratios == Ratios::Computed {
            let mut log_q = vec![0.0; BATCH];
            self.guide.log_prob(&self.u, BATCH, &mut log_q);
            self.model.accumulate(&mut self.work, &self.weights, &mut self.log_ratios);
            for ((ratio, log_det), log_q) in self.log_ratios.iter_mut().zip(&log_det).zip(&log_q) {
                *ratio += log_det - log_q;
            }
        }
        self.model.complete(&mut self.work);
    }
}

/// Rescales each row of noise to a mean square of one, which takes its error out of the standard deviations of the summary.
fn unit_variance<E: Real>(noise: &mut [E]) {
    for row in noise.chunks_exact_mut(BATCH) {
        let square = row.iter().map(|x| x.to_f64().powi(2)).sum::<f64>() / BATCH as f64;
        let factor = square.sqrt().recip();
        row.iter_mut().for_each(|x| *x = E::from_f64(x.to_f64() * factor));
    }
}

impl<M: Model> Fit<M> {
    /// Draws of latents and quantities, named and shaped, the first axis being the draw.
    ///
    /// # Errors
    /// [`FitError::Data`] if the data do not fit the model, [`FitError::OtherSizes`] if they are not those of the fit.
    pub fn draws(&self, model: &M, draws: usize) -> Result<M::Draws, FitError> {
        let bound = model.bind()?;
        let columns = self.columns(&*bound, draws)?;
        Ok(M::collect_draws(bound.layout(), draws, &columns))
    }

    /// The rows of the layout, draw after draw.
    fn columns<E: Real>(&self, model: &dyn LogJoint<E>, draws: usize) -> Result<Vec<f64>, FitError> {
        self.check_sizes(model)?;
        let guide = self.guide();
        let mut drawn = Drawn::new(model, &guide, self.draws_key());
        let rows = model.layout().rows();
        let mut columns = Vec::with_capacity(draws * rows);
        let mut made = 0;
        while made < draws {
            drawn.next_batch(Noise::Plain, Ratios::Skipped);
            for draw in 0..(draws - made).min(BATCH) {
                columns.extend((0..rows).map(|row| drawn.work.values[row * BATCH + draw].to_f64()));
            }
            made += BATCH;
        }
        Ok(columns)
    }

    /// The key of the draws that users see, which weights and log likelihoods share.
    fn draws_key(&self) -> u64 {
        step_key(self.state.seed, u64::MAX - 2)
    }

    fn check_sizes<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<(), FitError> {
        let (fitted, own) = (self.state.loc.len(), model.layout().unconstrained());
        if fitted == own { Ok(()) } else { Err(FitError::OtherSizes { fitted, model: own }) }
    }

    /// The sizes and levels of the fit, for binding new inputs.
    fn layout(&self) -> Layout {
        let dims = M::GRAPH
            .dims
            .iter()
            .zip(&self.state.dims)
            .map(|(&name, (_, size, levels))| crate::model::Dimension { name, size: *size, levels: levels.clone() })
            .collect();
        Layout { model: M::GRAPH.name, dims, ..Layout::default() }
    }
}
