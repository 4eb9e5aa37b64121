//! Which rows of a bound model are observed, what they are called, and how likely they are under draws.

use std::ops::Range;

use super::drawn::{BATCH, Drawn, Stage};
use super::log_likelihood::ObservedFactor;
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, SiteKind, Statement, Variable, Visitor};

/// The observed rows of a bound model: of statements about data, and the given elements of arrays with missing values.
pub(super) struct ObservedRows<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    /// The factor of each row, and which of its rows it is.
    rows: Vec<(usize, usize)>,
    pub(super) names: Vec<String>,
    pub(super) factors: Vec<ObservedFactor>,
}

impl<'a, E: Real> ObservedRows<'a, E> {
    pub(super) fn new(model: &'a dyn LogJoint<E>) -> Self {
        let (graph, layout) = (model.graph(), model.layout());
        let mut observed = ObservedRows { model, rows: Vec::new(), names: Vec::new(), factors: Vec::new() };
        for (factor, elements) in elements(model).into_iter().enumerate() {
            let known = &graph.factors[factor];
            let Some(site) = known.site.map(|site| &graph.sites[site]) else { continue };
            let first = observed.rows.len();
            for (row, element) in elements.into_iter().enumerate() {
                let name = element.and_then(|element| given_name(layout, element));
                let name = name.or_else(|| (site.kind == SiteKind::Observed).then(|| format!("{}, row {row}", site.name)));
                if let Some(name) = name {
                    observed.rows.push((factor, row));
                    observed.names.push(name);
                }
            }
            let rows = first..observed.rows.len();
            if site.kind == SiteKind::Observed || !rows.is_empty() {
                observed.factors.push(ObservedFactor { statement: known.text, site: site.name, rows });
            }
        }
        observed
    }

    /// The log likelihood of some rows, row after row, each under all draws.
    pub(super) fn columns(&self, rows: Range<usize>, draws: usize, drawn: &mut Drawn<'_, E>) -> Vec<f64> {
        let mut columns = vec![0.0; rows.len() * draws];
        let mut out = Vec::new();
        let mut made = 0;
        while made < draws {
            drawn.next_batch(Stage::Quantities);
            let taken = (draws - made).min(BATCH);
            let mut unfilled = columns.chunks_exact_mut(draws);
            for own in self.rows[rows.clone()].chunk_by(|a, b| a.0 == b.0) {
                let (factor, first) = own[0];
                let span = first..own[own.len() - 1].1 + 1;
                out.resize(span.len() * BATCH, E::default());
                self.model.log_prob_rows(factor, span, &mut drawn.work, &mut out);
                for ((_, row), column) in own.iter().zip(&mut unfilled) {
                    let lanes = &out[(row - first) * BATCH..];
                    column[made..][..taken].iter_mut().zip(lanes).for_each(|(to, from)| *to = from.to_f64());
                }
            }
            made += BATCH;
        }
        columns
    }
}

/// The name of an element that is given: an element of the observed arrays, or, after all of these, a row of an array with missing values.
fn given_name(layout: &Layout, element: usize) -> Option<String> {
    let own = |variable: &Variable, at: usize| layout.element_name(variable, at - variable.rows.start);
    let Some(row) = element.checked_sub(layout.observed_elements()) else {
        return layout.observed.iter().find(|v| v.rows.contains(&element)).map(|v| own(v, element));
    };
    let (variable, missing) =
        layout.latents().filter_map(|v| Some((v, v.missing.as_ref()?))).find(|(v, _)| v.rows.contains(&row))?;
    missing.given[row - variable.rows.start].map(|_| own(variable, row))
}

/// What each row of each factor is about, as numbered in [`given_name`]: found by a walk in which every element is its own number.
fn elements<E: Real>(model: &dyn LogJoint<E>) -> Vec<Vec<Option<usize>>> {
    let (layout, factors) = (model.layout(), model.graph().factors.len());
    let mut found = Elements((0..factors).map(|factor| vec![None; model.factor_rows(factor)]).collect());
    // Latents that nothing is given of are no number.
    let mut values = vec![f64::NAN; layout.rows()];
    for row in layout.latents().filter(|v| v.missing.is_some()).flat_map(|v| v.rows.clone()) {
        values[row] = (layout.observed_elements() + row) as f64;
    }
    let mut observed: Vec<f64> = (0..layout.observed_elements()).map(|element| element as f64).collect();
    model.walk(&mut values, &mut observed, &mut found);
    found.0
}

/// By factor and row.
struct Elements(Vec<Vec<Option<usize>>>);

impl Visitor for Elements {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        let found = self.0.get_mut(statement.factor).and_then(|rows| rows.get_mut(statement.row));
        // Several statements of a sum are about the first element that they observe.
        if let (Some(found), [element, ..]) = (found.filter(|found| found.is_none()), &*value) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index that was written as a number")]
            let number = (!element.is_nan()).then_some(*element as usize);
            *found = number;
        }
    }
}
