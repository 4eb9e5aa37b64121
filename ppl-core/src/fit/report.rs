//! What is found out of a fitted guide by drawing from it: ELBO, Pareto k, weights, and the table of scalars.

use super::FitError;
use super::drawn::{BATCH, Drawn, Stage};
use super::draws::LONG;
use super::widening::{as_many, widening};
use crate::diagnostics::{CORRECTABLE, PsisWeights};
use crate::guides::FittedGuide;
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, SiteKind};
use crate::objective::Objective;
use crate::random::step_key;
use crate::report::{Param, Scalar};

/// The Pareto k from which on weights have no variance: draws that are spread further are tried.
const HEAVY: f64 = 0.5;

/// More dimensions than this are hardly spread, and cost as many draws.
const MANY: usize = 1000;

/// What is found out of a fitted guide by drawing from it.
pub(super) struct Report {
    /// How many draws the table is made of.
    pub(super) draws: usize,
    pub(super) elbo: f64,
    pub(super) standard_error: f64,
    /// The bound that was maximised, and its standard error.
    pub(super) bound: (f64, f64),
    /// That of the weights in use, and that of weights of the guide as it is.
    pub(super) pareto_k: f64,
    pub(super) raw_pareto_k: f64,
    /// How many times as far as by the guide the draws of the table are spread.
    pub(super) widening: f64,
    pub(super) weighted: Option<f64>,
    pub(super) resampled: Vec<usize>,
    pub(super) scalars: Vec<Scalar>,
    pub(super) raw_scalars: Vec<Scalar>,
    pub(super) hidden: Vec<(String, usize)>,
    pub(super) params: Vec<Param>,
}

impl Report {
    pub(super) fn new<E: Real>(
        model: &dyn LogJoint<E>,
        guide: &FittedGuide,
        objective: Objective,
        draws: usize,
        seed: u64,
    ) -> Result<Self, FitError> {
        let layout = model.reported();
        let shown = Shown::of(layout);
        let own = Gathered::new(model, guide, (draws, seed), 1.0, &shown)?;
        let (elbo, standard_error) = estimate(&Objective::Elbo.values(&own.mirrored()));
        let bound = estimate(&objective.values(&own.mirrored()));
        let raw_scalars = own.scalars(layout, &shown, None);
        let mut weighted = Weighted::of(&own.log_ratios);
        let raw_pareto_k = weighted.pareto_k;
        let (mut gathered, mut widened) = (own, 1.0);
        let dimensions = guide.guide::<E>().spreading();
        if weighted.pareto_k >= HEAVY && (1..=MANY).contains(&dimensions) {
            let further = widening(dimensions);
            let wide = Gathered::new(model, guide, (as_many(draws), seed), further, &shown)?;
            let weights = Weighted::of(&wide.log_ratios);
            if weights.smoothed.is_some() && weights.pareto_k < weighted.pareto_k {
                (gathered, weighted, widened) = (wide, weights, further);
            }
        }
        let scalars = match &weighted.smoothed {
            Some(smoothed) => gathered.scalars(layout, &shown, Some(&smoothed.weights())),
            None => raw_scalars.clone(),
        };
        let draws = gathered.log_ratios.len();
        Ok(Report {
            draws,
            elbo,
            standard_error,
            bound,
            pareto_k: weighted.pareto_k,
            raw_pareto_k,
            widening: widened,
            weighted: weighted.smoothed.as_ref().map(|smoothed| smoothed.effective_sample_size),
            resampled: weighted.smoothed.map_or_else(Vec::new, |smoothed| smoothed.resample(draws, seed)),
            scalars,
            raw_scalars,
            hidden: shown.hidden,
            params: gathered.params,
        })
    }
}

/// The variables of the table, with the elements of each that are inferred or computed.
struct Shown {
    elements: Vec<(usize, Vec<usize>)>,
    /// Those that are too long for it: name and length.
    hidden: Vec<(String, usize)>,
}

impl Shown {
    fn of(layout: &Layout) -> Self {
        let (mut shown, mut hidden) = (Vec::new(), Vec::new());
        for (v, variable) in layout.variables.iter().enumerate().filter(|(_, v)| v.kind != SiteKind::Parameter) {
            let elements = variable.elements();
            if elements.len() <= LONG {
                shown.push((v, elements));
            } else {
                hidden.push((variable.name.to_owned(), elements.len()));
            }
        }
        Shown { elements: shown, hidden }
    }
}

/// What a set of draws tells.
struct Gathered {
    log_ratios: Vec<f64>,
    /// Of each variable of the table its elements, draw after draw.
    columns: Vec<Vec<f64>>,
    params: Vec<Param>,
}

impl Gathered {
    fn new<E: Real>(
        model: &dyn LogJoint<E>,
        guide: &FittedGuide,
        (draws, seed): (usize, u64),
        widening: f64,
        shown: &Shown,
    ) -> Result<Self, FitError> {
        let width = Drawn::affordable(model, guide.guide(), draws);
        let mut drawn = Drawn::at_once(model, guide.guide(), draws, step_key(seed, u64::MAX - 1), width)?.widened(widening);
        let layout = model.reported();
        let mut columns: Vec<Vec<f64>> =
            shown.elements.iter().map(|(_, elements)| Vec::with_capacity(draws * elements.len())).collect();
        let mut log_ratios = Vec::with_capacity(draws);
        while log_ratios.len() < draws {
            let taken = (draws - log_ratios.len()).min(width);
            drawn.next_batch(Stage::Ratios);
            log_ratios.extend_from_slice(&drawn.log_ratios[..taken]);
            for (column, (v, elements)) in columns.iter_mut().zip(&shown.elements) {
                for draw in 0..taken {
                    let first = layout.variables[*v].rows.start;
                    column.extend(elements.iter().map(|i| drawn.work.values[(first + i) * width + draw].to_f64()));
                }
            }
        }
        // Every draw has the parameters where they are.
        let value = |row: usize| drawn.work.values[row * width].to_f64();
        let params = layout.parameters().flat_map(|parameter| {
            parameter.rows.clone().enumerate().map(|(element, row)| Param {
                name: layout.element_name(parameter, element),
                variable: parameter.name.to_owned(),
                value: value(row),
            })
        });
        let params = params.collect();
        Ok(Gathered { log_ratios, columns, params })
    }

    /// The log ratios, the first of each antithetic pair before the second: pairs stand half a batch apart.
    fn mirrored(&self) -> Vec<f64> {
        let half = |second: usize| {
            self.log_ratios.chunks_exact(BATCH).flat_map(move |b| b[second * BATCH / 2..][..BATCH / 2].iter().copied())
        };
        half(0).chain(half(1)).collect()
    }

    fn scalars(&self, layout: &Layout, shown: &Shown, weights: Option<&[f64]>) -> Vec<Scalar> {
        let mut scalars = Vec::new();
        for (column, (v, elements)) in self.columns.iter().zip(&shown.elements) {
            let variable = &layout.variables[*v];
            for (at, &element) in elements.iter().enumerate() {
                let values: Vec<f64> = column.iter().skip(at).step_by(elements.len()).copied().collect();
                let name = layout.element_name(variable, element);
                scalars.push(match weights {
                    Some(weights) => Scalar::weighted(name, variable.name, &values, weights),
                    None => Scalar::of(name, variable.name, &values),
                });
            }
        }
        scalars
    }
}

/// The weights of draws, where they can correct them.
struct Weighted {
    pareto_k: f64,
    smoothed: Option<PsisWeights>,
}

impl Weighted {
    fn of(log_ratios: &[f64]) -> Self {
        let smoothed = PsisWeights::new(log_ratios);
        // Without weights the guide and the posterior do not meet.
        let pareto_k = smoothed.as_ref().map_or(f64::INFINITY, |smoothed| smoothed.pareto_k);
        Weighted { pareto_k, smoothed: smoothed.ok().filter(|smoothed| smoothed.pareto_k < CORRECTABLE) }
    }
}

/// The mean of values whose second half mirrors the first, and its standard error.
fn estimate(values: &[f64]) -> (f64, f64) {
    let (first, second) = values.split_at(values.len() / 2);
    let pairs: Vec<f64> = first.iter().zip(second).map(|(a, b)| 0.5 * (a + b)).collect();
    let mean = pairs.iter().sum::<f64>() / pairs.len() as f64;
    let variance = pairs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (pairs.len() - 1).max(1) as f64;
    (mean, (variance / pairs.len() as f64).sqrt())
}
