//! The log likelihood of every observed row under draws of a fit.

use std::ops::Range;

use ndarray::Array2;

use super::drawn::{BATCH, Drawn, Stage};
use super::{Fit, FitError};
use crate::kernel::Real;
use crate::model::{LogJoint, Model, SiteKind, Statement, Visitor};

/// The log likelihood of every observed row, by draw.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLikelihood {
    /// In nats, `[draw, row]`; the draws are those of [`Fit::importance_weights`].
    pub values: Array2<f64>,
    /// The names of the rows: `y[3]`, `log_radon[AITKIN]`.
    pub names: Vec<String>,
    /// The statements that the rows belong to, in the order of the model.
    pub factors: Vec<ObservedFactor>,
}

/// A statement about observed data, with its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedFactor {
    /// The statement as written: `y[n] ~ Normal(mu, 1)`.
    pub statement: &'static str,
    /// The name of the observed array.
    pub site: &'static str,
    /// Its columns in [`LogLikelihood::values`].
    pub rows: Range<usize>,
    factor: usize,
}

impl<M: Model> Fit<M> {
    /// The log likelihood `log p(y_i | theta_s)` in nats of every observed row, `[draw, row]`.
    ///
    /// The draws are those of the guide, `fit.raw().draws(&model, draws)`, with the weights of [`Fit::importance_weights`]; the rows are those of all statements whose left side is given as data.
    ///
    /// # Errors
    /// [`FitError::Data`] if the data do not fit the model, [`FitError::OtherSizes`] if they are not those of the fit.
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
    /// let fit = fit_bbvi(&model, Bbvi::default())?;
    /// let (draws, log_likelihood) = (fit.raw().draws(&model, 100)?, fit.log_likelihood(&model, 100)?);
    /// assert_eq!(log_likelihood.names, ["y[0]", "y[1]", "y[2]"]);
    /// let by_hand = -0.5 * (2.0 - draws.mu[7]).powi(2) - 0.5 * std::f64::consts::TAU.ln();
    /// assert!((log_likelihood.values[[7, 1]] - by_hand).abs() < 1e-12);
    /// # Ok::<(), FitError>(())
    /// ```
    pub fn log_likelihood(&self, model: &M, draws: usize) -> Result<LogLikelihood, FitError> {
        let bound = model.bind()?;
        let rows = ObservedRows::new(&*bound);
        let columns = rows.columns(0..rows.names.len(), draws, &mut self.drawn(&*bound, draws)?);
        // The columns are of this shape; an empty matrix stands for what cannot be.
        let values = Array2::from_shape_vec((rows.names.len(), draws), columns).unwrap_or_default().reversed_axes();
        Ok(LogLikelihood { values, names: rows.names, factors: rows.factors })
    }
}

/// The observed rows of a bound model.
pub(super) struct ObservedRows<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    pub(super) names: Vec<String>,
    pub(super) factors: Vec<ObservedFactor>,
}

impl<'a, E: Real> ObservedRows<'a, E> {
    pub(super) fn new(model: &'a dyn LogJoint<E>) -> Self {
        let graph = model.graph();
        let mut factors = Vec::new();
        let mut first = 0;
        for (factor, known) in graph.factors.iter().enumerate() {
            let Some(site) = known.site.map(|site| &graph.sites[site]) else { continue };
            if site.kind == SiteKind::Observed {
                let rows = first..first + model.factor_rows(factor);
                first = rows.end;
                factors.push(ObservedFactor { statement: known.text, site: site.name, rows, factor });
            }
        }
        let names = names(model, &factors, first);
        ObservedRows { model, names, factors }
    }

    /// The log likelihood of some rows, row after row, each under all draws.
    pub(super) fn columns(&self, rows: Range<usize>, draws: usize, drawn: &mut Drawn<'_, E>) -> Vec<f64> {
        let mut columns = vec![0.0; rows.len() * draws];
        let mut out = vec![E::default(); rows.len() * BATCH];
        let mut made = 0;
        while made < draws {
            drawn.next_batch(Stage::Quantities);
            let taken = (draws - made).min(BATCH);
            for known in &self.factors {
                let (start, end) = (known.rows.start.max(rows.start), known.rows.end.min(rows.end));
                if start >= end {
                    continue;
                }
                let out = &mut out[..(end - start) * BATCH];
                let own = start - known.rows.start..end - known.rows.start;
                self.model.log_prob_rows(known.factor, own, &mut drawn.work, out);
                for (row, lanes) in (start - rows.start..).zip(out.chunks_exact(BATCH)) {
                    let column = &mut columns[row * draws + made..][..taken];
                    column.iter_mut().zip(lanes).for_each(|(to, from)| *to = from.to_f64());
                }
            }
            made += BATCH;
        }
        columns
    }
}

/// The names of the elements that the rows are about: a walk in which every observed element is its own number.
fn names<E: Real>(model: &dyn LogJoint<E>, factors: &[ObservedFactor], rows: usize) -> Vec<String> {
    let layout = model.layout();
    let mut elements = Elements { factors, found: vec![None; rows] };
    let mut values = vec![0.0; layout.rows()];
    let mut observed: Vec<f64> = (0..layout.observed_elements()).map(|element| element as f64).collect();
    model.walk(&mut values, &mut observed, &mut elements);
    let name = |row: usize, element: Option<usize>| {
        let variable = layout.observed.iter().find(|v| element.is_some_and(|element| v.rows.contains(&element)));
        match (variable, element) {
            (Some(variable), Some(element)) => layout.element_name(variable, element - variable.rows.start),
            _ => format!("row {row}"),
        }
    };
    elements.found.iter().enumerate().map(|(row, element)| name(row, *element)).collect()
}

struct Elements<'a> {
    factors: &'a [ObservedFactor],
    found: Vec<Option<usize>>,
}

impl Visitor for Elements<'_> {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        let Some(known) = self.factors.iter().find(|known| known.factor == statement.factor) else { return };
        if let (Some(found), [element, ..]) = (self.found.get_mut(known.rows.start + statement.row), &*value) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index that was written as a number")]
            let element = *element as usize;
            *found = Some(element);
        }
    }
}
