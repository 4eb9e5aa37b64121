//! Models with discrete latents that are drawn: coordinate ascent between their tables and a Gaussian of all else, and the score function.

use super::config::{ByName, Checked};
use super::engine::{Engine, Outcome};
use super::error::{ConfigError, FitError};
use super::observer::Observer;
use super::search::{Found, choose, judged};
use super::tables::Tables;
use crate::guides::{Family, FittedGuide, WithDiscrete};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint};
use crate::optimizers::Optimizer;
use crate::over_draws::OverDraws;

/// Turns between the tables and the Gaussian of what they leave: over so many draws of each, so many turns at most, until no mean moves by more than so much of
/// its standard deviation.
const TURNS: [(usize, usize, f64); 2] = [(16, 12, 0.1), (64, 12, 0.01)];

/// Fits tables of the discrete latents, and a Gaussian of all others.
///
/// In turns each table is set to `softmax(E[log p])` over draws of all else, which is the best that it can be, and the Gaussian is found over draws of the tables. Where an
/// estimator or an optimizer is asked for, both climb the ELBO together from there: tables by the score function, the Gaussian along the path of its draws.
///
/// # Source
/// Blei, Kucukelbir & `McAuliffe` 2017, equation 18, its expectations over draws; Ranganath, Gerrish & Blei 2014, Black box variational inference.
pub(super) fn search<E: Real>(
    model: &dyn LogJoint<E>,
    config: &Checked,
    start: &[f64],
    by_name: &ByName,
    observers: &mut [Box<dyn Observer>],
) -> Result<Found, FitError> {
    let layout = model.layout();
    if let (Some(_), Some(latent)) = (by_name.minibatch, layout.drawn().next()) {
        return Err(ConfigError::SampledBatch { name: latent.name }.into());
    }
    if config.objective.group() > 1 {
        return Err(ConfigError::EstimatorOfBound { objective: config.objective.name() }.into());
    }
    if !matches!(config.family, Family::Auto | Family::MeanField | Family::Blocks | Family::FullRank) {
        let name = layout.drawn().next().map_or("", |variable| variable.name);
        return Err(ConfigError::SampledFamily { family: format!("{:?}", config.family), name }.into());
    }
    let of_others = of_others(layout, by_name);
    let (mut tables, center) = in_turns(model, config, start, &of_others)?;
    let view = OverDraws::new(model, tables.draws());
    let engine = Engine::new(&view, config, &of_others, &center)?;
    let is_asked =
        config.optimizer != Optimizer::Auto || by_name.estimators.iter().any(|estimator| estimator.is_score_function());
    let outcome = if is_asked {
        let guide = FittedGuide::WithDiscrete(Box::new(WithDiscrete::new(begun(&engine), tables.finish())));
        let mut whole = Engine::around(model, config, by_name, &vec![0.0; layout.unconstrained()]);
        whole.notes = engine.notes;
        whole.settle_or_climb(guide, observers)?
    } else {
        let outcome = match config.family {
            Family::Blocks => engine.blocks(observers)?,
            Family::MeanField => engine.mean_field(observers)?,
            Family::Auto if !engine.is_dense() => engine.mean_field(observers)?,
            _ => engine.full_rank(observers)?,
        };
        tables.around(&outcome.guide, TURNS[1].0);
        tables.improve()?;
        let guide = FittedGuide::WithDiscrete(Box::new(WithDiscrete::new(outcome.guide, tables.finish())));
        Outcome { family: guide.name(), guide, ..outcome }
    };
    Ok(choose(vec![judged(model, config, outcome)?]))
}

/// What is asked of all but the discrete latents.
fn of_others(layout: &Layout, by_name: &ByName) -> ByName {
    let estimators = by_name.estimators[..layout.discrete().start].to_vec();
    ByName { blocks: by_name.blocks.clone(), natives: Vec::new(), estimators, minibatch: None, journal: None }
}

/// The tables and where all else is, by turns.
fn in_turns<'a, E: Real>(
    model: &'a dyn LogJoint<E>,
    config: &Checked,
    start: &[f64],
    of_others: &ByName,
) -> Result<(Tables<'a, E>, Vec<f64>), FitError> {
    let mut tables = Tables::new(model, start, TURNS[0].0, config.seed);
    let mut center = start[..model.layout().discrete().start].to_vec();
    tables.improve()?;
    for (samples, turns, enough) in TURNS {
        for _ in 0..turns {
            let view = OverDraws::new(model, tables.draws());
            let engine = Engine::new(&view, config, of_others, &center)?;
            let guide = begun(&engine);
            let found = &engine.curvature.center;
            let moved = found.iter().zip(&center).zip(&engine.curvature.diagonal);
            let far = moved.map(|((a, b), precision)| (a - b).abs() * precision.sqrt()).fold(0.0, f64::max);
            center.clone_from(found);
            tables.around(&guide, samples);
            tables.improve()?;
            if far < enough || engine.is_over() {
                break;
            }
        }
    }
    Ok((tables, center))
}

/// A guide that is given, begun where it leaves latents open: as their Gaussian beside tables of the discrete ones.
pub(super) fn begun_open<E: Real>(
    model: &dyn LogJoint<E>,
    config: &Checked,
    start: &[f64],
    by_name: &ByName,
    guide: &FittedGuide,
) -> Result<FittedGuide, FitError> {
    let of_others = of_others(model.layout(), by_name);
    let (tables, center) = in_turns(model, config, start, &of_others)?;
    let view = OverDraws::new(model, tables.draws());
    Ok(Engine::new(&view, config, &of_others, &center)?.begun(guide))
}

/// The Gaussian that the family of the configuration begins with.
fn begun<E: Real>(engine: &Engine<'_, E>) -> FittedGuide {
    match engine.config.family {
        Family::Blocks => engine.of_blocks(),
        Family::MeanField => FittedGuide::MeanField(engine.independent()),
        Family::Auto if !engine.is_dense() => FittedGuide::MeanField(engine.independent()),
        _ => engine.sketch(),
    }
}
