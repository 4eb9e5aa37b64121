//! What is found out of a fitted guide by drawing from it: ELBO, Pareto k, weights, and the table of scalars.

use super::FitError;
use super::drawn::{BATCH, Drawn, Stage};
use super::draws::LONG;
use crate::diagnostics::{CORRECTABLE, PsisWeights};
use crate::guides::FittedGuide;
use crate::kernel::Real;
use crate::model::{LogJoint, SiteKind, Variable};
use crate::objective::Objective;
use crate::random::step_key;
use crate::report::{Param, Scalar};

/// What is found out of a fitted guide by drawing from it.
pub(super) struct Report {
    pub(super) elbo: f64,
    pub(super) standard_error: f64,
    /// The bound that was maximised, and its standard error.
    pub(super) bound: (f64, f64),
    pub(super) pareto_k: f64,
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
        let width = Drawn::affordable(model, guide.guide(), draws);
        let mut drawn = Drawn::at_once(model, guide.guide(), draws, step_key(seed, u64::MAX - 1), width)?;
        let layout = model.reported();
        // Each variable with the elements that are inferred or computed.
        let elements: Vec<Vec<usize>> = layout.variables.iter().map(Variable::elements).collect();
        let random = |v: usize| layout.variables[v].kind != SiteKind::Parameter;
        let shown: Vec<usize> = (0..elements.len()).filter(|&v| random(v) && elements[v].len() <= LONG).collect();
        let mut columns: Vec<Vec<f64>> = shown.iter().map(|&v| Vec::with_capacity(draws * elements[v].len())).collect();
        let mut log_ratios = Vec::with_capacity(draws);
        while log_ratios.len() < draws {
            let taken = (draws - log_ratios.len()).min(width);
            drawn.next_batch(Stage::Ratios);
            log_ratios.extend_from_slice(&drawn.log_ratios[..taken]);
            for (column, &v) in columns.iter_mut().zip(&shown) {
                for draw in 0..taken {
                    let first = layout.variables[v].rows.start;
                    column.extend(elements[v].iter().map(|i| drawn.work.values[(first + i) * width + draw].to_f64()));
                }
            }
        }
        // Antithetic pairs stand half a batch apart: the first of each, then the second.
        let half = |second: usize| {
            log_ratios.chunks_exact(BATCH).flat_map(move |b| b[second * BATCH / 2..][..BATCH / 2].iter().copied())
        };
        let mirrored: Vec<f64> = half(0).chain(half(1)).collect();
        let (elbo, standard_error) = estimate(&Objective::Elbo.values(&mirrored));
        let bound = estimate(&objective.values(&mirrored));
        let smoothed = PsisWeights::new(&log_ratios);
        // Without weights the guide and the posterior do not meet.
        let pareto_k = smoothed.as_ref().map_or(f64::INFINITY, |smoothed| smoothed.pareto_k);
        let smoothed = smoothed.ok().filter(|smoothed| smoothed.pareto_k < CORRECTABLE);
        let weights = smoothed.as_ref().map(PsisWeights::weights);
        let (mut scalars, mut raw_scalars) = (Vec::new(), Vec::new());
        for (column, &v) in columns.iter().zip(&shown) {
            let variable = &layout.variables[v];
            let count = elements[v].len();
            for (at, &element) in elements[v].iter().enumerate() {
                let values: Vec<f64> = column.iter().skip(at).step_by(count).copied().collect();
                let name = layout.element_name(variable, element);
                if let Some(weights) = &weights {
                    scalars.push(Scalar::weighted(name.clone(), variable.name, &values, weights));
                }
                raw_scalars.push(Scalar::of(name, variable.name, &values));
            }
        }
        let hidden = (0..elements.len()).filter(|&v| random(v) && elements[v].len() > LONG);
        let hidden = hidden.map(|v| (layout.variables[v].name.to_owned(), elements[v].len())).collect();
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
        if weights.is_none() {
            scalars.clone_from(&raw_scalars);
        }
        Ok(Report {
            elbo,
            standard_error,
            bound,
            pareto_k,
            weighted: smoothed.as_ref().map(|smoothed| smoothed.effective_sample_size),
            resampled: smoothed.map_or_else(Vec::new, |smoothed| smoothed.resample(draws, seed)),
            scalars,
            raw_scalars,
            hidden,
            params,
        })
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
