//! What is to blame for a log density that is not finite: the statement, its row, and the values of its operands.

use std::ops::Range;

use super::error::Culprit;
use crate::kernel::Real;
use crate::model::{LogJoint, Statement, Visitor};

/// The statement that is not finite at the first bad sample.
pub(crate) fn blame<E: Real>(model: &dyn LogJoint<E>, u: &[E], log_densities: &[f64]) -> Culprit {
    let samples = log_densities.len();
    if samples == 0 || u.len() != model.layout().unconstrained() * samples {
        return Culprit::default();
    }
    let sample = log_densities.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let mut work = model.workspace(samples);
    work.u_mut().copy_from_slice(u);
    model.constrain(&mut work, &mut vec![0.0; samples]);
    let rows = model.layout().rows();
    let mut values: Vec<f64> = (0..rows).map(|row| work.values[row * samples + sample].to_f64()).collect();
    let mut observed = model.observed();
    let mut search = Search { graph: model.graph(), found: None, sums: 0 };
    model.walk(&mut values, &mut observed, &mut search);
    search.found.unwrap_or_default()
}

struct Search {
    graph: &'static crate::model::Graph,
    found: Option<Culprit>,
    /// How many sums are open: in these a value that is impossible is none to blame.
    sums: usize,
}

impl Visitor for Search {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        if self.found.is_some() {
            return;
        }
        let log_prob = statement.distribution.log_prob(value, statement.params);
        let possible = log_prob.is_finite() || (self.sums > 0 && log_prob == f64::NEG_INFINITY);
        if possible && value.iter().all(|x| x.is_finite()) {
            return;
        }
        let operands = statement.params.iter().enumerate().map(|(i, &x)| (statement.distribution.parameter_name(i), x));
        self.found = Some(Culprit {
            statement: self.graph.factors[statement.factor].text,
            row: statement.row,
            value: value.to_vec(),
            operands: operands.collect(),
            log_prob,
        });
    }

    fn choose(&mut self, _factor: usize, _row: usize, log_probs: &[f64]) -> Range<usize> {
        self.sums += 1;
        0..log_probs.len()
    }

    fn chosen(&mut self) {
        self.sums -= 1;
    }

    fn factor(&mut self, factor: usize, row: usize, value: f64) {
        if self.found.is_none() && !value.is_finite() {
            let statement = self.graph.factors[factor].text;
            self.found = Some(Culprit { statement, row, log_prob: value, ..Culprit::default() });
        }
    }
}
