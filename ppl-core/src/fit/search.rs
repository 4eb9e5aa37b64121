//! Which guides a fit tries, and which one it keeps: the one of the best bound.

use std::time::Instant;

use rayon::prelude::*;

use super::config::{ByName, Checked};
use super::engine::{Engine, Outcome};
use super::observer::Observer;
use super::report::Report;
use super::{ConfigError, FitError, Tried, natives, sampled};
use crate::centring::PartlyCentred;
use crate::diagnostics::CORRECTABLE;
use crate::guides::{Family, FittedGuide};
use crate::kernel::Real;
use crate::model::LogJoint;
use crate::optimizers::Optimizer;
use crate::profile::draws_of;
use crate::random::{antithetic_normals, step_key};

/// What was tried, and what was kept.
pub(super) struct Found {
    pub(super) tried: Vec<Tried>,
    pub(super) report: Report,
    pub(super) outcome: Outcome,
}

/// A guide with what is found out of it.
pub(super) type Candidate = (Report, Outcome);

/// The Pareto k above which the mean-field Gaussian is tried beside the one of full rank.
const HOPELESS: f64 = 1.0;

/// Nats by which one set of coordinates is clearly worse than the other.
const CLEARLY: f64 = 0.1;
/// Nats that a richer family must gain, to go on to a still richer one.
const PAYS: f64 = 0.02;
/// The most dimensions in which mixtures are tried unasked.
const FEW: usize = 32;

/// As [`search`], from several points in parallel: the best bound is kept, and of equal ones the first.
pub(super) fn restarted<E: Real>(
    model: &dyn LogJoint<E>,
    config: &Checked,
    start: &[f64],
    by_name: &ByName,
    observers: &mut [Box<dyn Observer>],
    restarts: usize,
) -> Result<Found, FitError> {
    if restarts == 1 {
        return search(model, config, start, by_name, observers);
    }
    let others = || {
        let from = |restart: usize| {
            let mut noise = vec![0.0_f64; 2 * start.len()];
            antithetic_normals(step_key(config.seed, u64::MAX - 100 - restart as u64), 2, &mut noise);
            let start: Vec<f64> = start.iter().zip(noise.chunks_exact(2)).map(|(x, z)| x + 2.0 * z[0]).collect();
            search(model, config, &start, by_name, &mut [])
        };
        (1..restarts).into_par_iter().map(from).collect::<Vec<_>>()
    };
    let (first, others) = rayon::join(|| search(model, config, start, by_name, observers), others);
    let better = |best: Result<Found, FitError>, next: Found| match best {
        Ok(best) if best.report.bound.0 >= next.report.bound.0 => Ok(best),
        _ => Ok(next),
    };
    others.into_iter().flatten().fold(first, better)
}

/// Fits the families that the configuration asks for, each as the model is written and, where location-scale latents depend on others, in the
/// coordinates of their residuals; keeps the guide of the best bound.
fn search<E: Real>(
    model: &dyn LogJoint<E>,
    config: &Checked,
    start: &[f64],
    by_name: &ByName,
    observers: &mut [Box<dyn Observer>],
) -> Result<Found, FitError> {
    if !by_name.natives.is_empty() {
        return Ok(choose(vec![natives::asked(model, config, start, by_name, observers)?]));
    }
    if model.layout().drawn().next().is_some() {
        return sampled::search(model, config, start, by_name, observers);
    }
    if let (Family::Laplace, Some(parameter)) = (config.family, model.layout().parameters().next()) {
        return Err(ConfigError::LaplaceOfParameters { name: parameter.name }.into());
    }
    // The mode, and what is known of it alone, depends on the coordinates: it is that of the model as written.
    let at_mode = matches!(config.family, Family::Map | Family::Laplace);
    // In residual coordinates every latent's Markov blanket is everything.
    let scores = by_name.estimators.iter().any(|estimator| estimator.is_score_function());
    let in_batches = by_name.minibatch.is_some();
    let residuals = PartlyCentred::new(model).filter(|_| !at_mode && !scores && !in_batches);
    let engine = |view| {
        let mut start = start.to_vec();
        start.resize(LogJoint::layout(view).unconstrained(), 0.0);
        Engine::new(view, config, by_name, &start)
    };
    let written = engine(model);
    let of_residuals = residuals.as_ref().map(|view| engine(view));
    let mut candidates = Vec::new();
    let mut engines = match (written, of_residuals) {
        (Ok(written), Some(Ok(of_residuals))) => vec![written, of_residuals],
        (Ok(engine), _) | (Err(_), Some(Ok(engine))) => vec![engine],
        (Err(error), _) => return Err(error),
    };
    let sketches =
        matches!(config.family, Family::Auto | Family::FullRank | Family::Flow(_)) && engines.iter().all(Engine::is_dense);
    if let ([written, of_residuals], true) = (&engines[..], sketches) {
        let (written, of_residuals) = (written.sketched(), of_residuals.sketched());
        // The coordinates that are clearly worse are not followed to the end.
        let gap = of_residuals.1 - written.1;
        if gap > CLEARLY {
            candidates.push(judged(model, config, written.0)?);
            engines.remove(0);
        } else if gap < -CLEARLY {
            candidates.push(judged(model, config, of_residuals.0)?);
            engines.remove(1);
        }
    }
    let mut failed = None;
    for engine in &engines {
        match of_engine(model, engine, config, scores || by_name.is_local(model), observers) {
            Ok(found) => candidates.extend(found),
            Err(error) => failed = Some(error),
        }
    }
    if let (true, Some(error)) = (candidates.is_empty(), failed) {
        return Err(error);
    }
    if config.family == Family::Auto && !scores && !in_batches {
        enrich(model, residuals.as_ref(), (config, by_name, start), &mut candidates, observers);
    }
    Ok(choose(candidates))
}

/// Fits a guide that is given, from the parameters that it has.
pub(super) fn given<E: Real>(
    model: &dyn LogJoint<E>,
    config: &Checked,
    by_name: &ByName,
    (guide, start): (FittedGuide, &[f64]),
    observers: &mut [Box<dyn Observer>],
) -> Result<Found, FitError> {
    let (fitted, own) = (guide.guide::<E>().dimensions(), model.layout().unconstrained());
    if fitted != own {
        return Err(FitError::OtherSizes { fitted, model: own });
    }
    let blocks = guide.guide::<E>().blocks().len();
    if config.objective.group() > 1 && !(0..blocks).all(|block| guide.guide::<E>().has_path(block)) {
        return Err(ConfigError::EstimatorOfBound { objective: config.objective.name() }.into());
    }
    if let Some((plate, _)) = by_name.minibatch.filter(|_| by_name.is_local(model))
        && let Some(reason) = guide.guide::<E>().refuses_batches(plate, model.graph(), model.layout())
    {
        return Err(ConfigError::BatchGuide { guide: guide.name(), plate: model.layout().dims[plate].name, reason }.into());
    }
    let mut engine = Engine::around(model, config, by_name, &vec![0.0; own]);
    let guide = if guide.guide::<E>().open().is_empty() {
        guide
    } else {
        // Where nothing better is known, what is open stays as it is.
        let begun = if model.layout().drawn().next().is_some() {
            sampled::begun_open(model, config, start, by_name, &guide).ok()
        } else {
            Engine::new(model, config, by_name, start).ok().map(|found| found.begun(&guide))
        };
        engine.highest(std::iter::once(guide.clone()).chain(begun)).unwrap_or(guide)
    };
    let guide = engine.begun_with_some(guide);
    let outcome = engine.settle_or_climb(guide, observers)?;
    Ok(choose(vec![judged(model, config, outcome)?]))
}

/// The best of some candidates, and what is to be said of all.
pub(super) fn choose(mut candidates: Vec<Candidate>) -> Found {
    let tried = candidates.iter().map(|(report, outcome)| Tried {
        family: outcome.family.clone(),
        elbo: report.elbo,
        pareto_k: report.pareto_k,
        steps: outcome.steps,
    });
    let tried: Vec<Tried> = tried.collect();
    let best = best(&candidates);
    let (report, outcome) = candidates.swap_remove(best);
    Found { tried, report, outcome }
}

/// The candidate of the best bound.
fn best(candidates: &[Candidate]) -> usize {
    let bound = |i: &usize| candidates[*i].0.bound.0;
    (0..candidates.len()).max_by(|a, b| bound(a).total_cmp(&bound(b))).unwrap_or(0)
}

/// Goes on to mixtures of more and more Gaussians, in the coordinates of the best candidate, while importance weights cannot correct it, each gains
/// something, and there is time.
fn enrich<E: Real>(
    model: &dyn LogJoint<E>,
    residuals: Option<&PartlyCentred<'_, E>>,
    (config, by_name, start): (&Checked, &ByName, &[f64]),
    candidates: &mut Vec<Candidate>,
    observers: &mut [Box<dyn Observer>],
) {
    let began = Instant::now();
    let (report, outcome) = &candidates[best(candidates)];
    let is_poor = report.pareto_k.is_nan() || report.pareto_k >= CORRECTABLE;
    if is_poor && config.optimizer == Optimizer::Auto && config.objective.group() == 1 && !config.search_time.is_zero() {
        let config = &Checked { max_time: config.max_time.min(config.search_time), ..*config };
        let engine = Engine::around(model, config, by_name, &vec![0.0; model.layout().unconstrained()]);
        let fitted = natives::promising(model, &outcome.guide, config).map(|guide| engine.settle_or_climb(guide, observers));
        if let Some(Ok(candidate)) = fitted.map(|fitted| fitted.and_then(|outcome| judged(model, config, outcome))) {
            candidates.push(candidate);
        }
    }
    for components in [4, 16] {
        let (report, outcome) = &candidates[best(candidates)];
        let (k, bound) = (report.pareto_k, report.bound.0);
        let dimensions = outcome.guide.dimensions();
        let is_good = k < CORRECTABLE || !bound.is_finite();
        let is_natural = matches!(config.optimizer, Optimizer::NaturalGradient { .. });
        if is_good || is_natural || dimensions > FEW || config.objective.group() > 1 || began.elapsed() > config.search_time {
            return;
        }
        let view = match residuals {
            Some(view) if view.layout().unconstrained() == dimensions => view as &dyn LogJoint<E>,
            _ => model,
        };
        let until = config.search_time.saturating_sub(began.elapsed());
        let config = Checked { max_time: config.max_time.min(until), ..*config };
        let mut start = start.to_vec();
        start.resize(dimensions, 0.0);
        let fitted = Engine::new(view, &config, by_name, &start).and_then(|engine| engine.mixture(components, true, observers));
        let fitted = fitted.and_then(|outcome| judged(model, &config, outcome));
        let Ok(candidate) = fitted else { return };
        let gained = candidate.0.bound.0 - bound;
        candidates.push(candidate);
        if gained < PAYS {
            return;
        }
    }
}

/// A guide with what is found out of it.
pub(super) fn judged<E: Real>(model: &dyn LogJoint<E>, config: &Checked, outcome: Outcome) -> Result<Candidate, FitError> {
    if model.repeated() > 0 {
        let (u, samples) = draws_of(&outcome.guide, config.seed);
        model.hold(Some((&u, samples)));
    }
    let report = Report::new(model, &outcome.guide, config.objective, config.draws, config.seed);
    model.hold(None);
    let report = report?;
    // No draw has more than all probability.
    if report.elbo.is_nan() || report.elbo == f64::INFINITY {
        return Err(FitError::Overflow { family: outcome.family, elbo: report.elbo });
    }
    Ok((report, outcome))
}

/// The candidates in one set of coordinates, one at least; `apart` for independent dimensions alone.
fn of_engine<E: Real>(
    model: &dyn LogJoint<E>,
    engine: &Engine<'_, E>,
    config: &Checked,
    apart: bool,
    observers: &mut [Box<dyn Observer>],
) -> Result<Vec<Candidate>, FitError> {
    let report = |outcome: Outcome| judged(model, config, outcome);
    let mut candidates: Vec<Candidate> = Vec::new();
    let nothing_spread = model.layout().points() == model.layout().unconstrained();
    let only = match config.family {
        // Where nothing is distributed, every family is the same point.
        Family::Mixture { .. } | Family::Flow(_) | Family::LowRank { .. } if nothing_spread => {
            Some(engine.mean_field(observers)?)
        }
        // Of a model with parameters, the mode that was found is that of the latents alone.
        Family::Map if model.layout().points() > 0 => Some(engine.settle_or_climb(engine.mode().guide, observers)?),
        Family::Map => Some(engine.mode()),
        Family::Laplace => Some(engine.laplace()),
        Family::Blocks => Some(engine.blocks(observers)?),
        Family::LowRank { rank } => Some(engine.low_rank(rank, observers)?),
        Family::Mixture { components, full_rank } => Some(engine.mixture(components, full_rank, observers)?),
        Family::Flow(kind) => Some(engine.flow(kind, observers)?),
        Family::Auto | Family::MeanField | Family::FullRank => None,
    };
    if let Some(outcome) = only {
        return Ok(vec![report(outcome)?]);
    }
    if config.family == Family::FullRank || (config.family == Family::Auto && engine.is_dense() && !apart) {
        match engine.full_rank(observers).and_then(report) {
            Ok(candidate) => candidates.push(candidate),
            Err(error) if config.family == Family::FullRank => return Err(error),
            Err(_) => {}
        }
    }
    // Independent Gaussians where the dimensions are too many, or where something went wrong with their covariances.
    let poor = candidates.first().is_none_or(|(report, _)| report.pareto_k.is_nan() || report.pareto_k > HOPELESS);
    if config.family == Family::MeanField || (config.family == Family::Auto && poor) {
        candidates.push(report(engine.mean_field(observers)?)?);
    }
    Ok(candidates)
}
