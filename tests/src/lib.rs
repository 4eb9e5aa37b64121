//! What the integration tests share: the laws of a compiled model, models and a guide.

pub mod guides;
pub mod models;

use std::collections::BTreeMap;
use std::ops::Range;

use ppl_core::model::{LogJoint, Statement, Visitor, Weights};

/// Points of the unconstrained space, spread between -0.6 and 0.6: `[dimension][sample]`.
#[must_use]
pub fn points(dimensions: usize, samples: usize) -> Vec<f64> {
    (0..dimensions * samples).map(|i| f64::from(u32::try_from(i * 7919 % 101).unwrap_or(0)) / 84.0 - 0.6).collect()
}

/// The weighted log density of some points, and its gradient: `[sample]` and `[dimension][sample]`.
#[must_use]
pub fn log_density(model: &dyn LogJoint<f64>, u: &[f64], weights: &Weights<f64>) -> (Vec<f64>, Vec<f64>) {
    let mut work = model.workspace(weights.samples);
    let mut value = vec![0.0; weights.samples];
    work.u_mut().copy_from_slice(u);
    model.log_density(&mut work, weights, &mut value);
    (value, work.gradient().to_vec())
}

/// Checks that the gradient of a model is that of finite differences, that its two forms agree, and that the walk over its
/// statements meets the same densities.
///
/// # Panics
/// If they do not.
pub fn check_model(model: &dyn LogJoint<f64>) {
    let samples = 8;
    let dimensions = model.layout().unconstrained();
    let (mut work, weights) = (model.workspace(samples), model.unit_weights(samples));
    let u = points(dimensions, samples);
    let (value, gradient) = log_density(model, &u, &weights);
    assert!(value.iter().all(|x| x.is_finite()), "{}: {value:?}", model.layout().model);

    let h = 1e-5;
    for i in 0..dimensions {
        let shifted = |h: f64| {
            let mut v = u.clone();
            v[i * samples..(i + 1) * samples].iter_mut().for_each(|x| *x += h);
            log_density(model, &v, &weights).0
        };
        let (above, below) = (shifted(h), shifted(-h));
        for s in 0..samples {
            let numeric = (above[s] - below[s]) / (2.0 * h);
            let found = gradient[i * samples + s];
            assert!(
                (found - numeric).abs() < 1e-5 * (1.0 + numeric.abs()),
                "{}, dimension {i}, sample {s}: {found} and by differences {numeric}",
                model.layout().model
            );
        }
    }

    work.u_mut().copy_from_slice(&u);
    model.constrain(&mut work, &mut vec![0.0; samples]);
    model.complete(&mut work);
    let mut by_rows = vec![0.0; samples];
    for factor in 0..model.graph().factors.len() {
        let rows = model.factor_rows(factor);
        let mut out = vec![0.0; rows * samples];
        model.log_prob_rows(factor, 0..rows, &mut work, &mut out);
        out.iter().enumerate().for_each(|(i, x)| by_rows[i % samples] += x);
    }
    let mut log_joint = vec![0.0; samples];
    model.accumulate(&mut work, &weights, &mut log_joint);
    for (rows, whole) in by_rows.iter().zip(&log_joint) {
        assert!((rows - whole).abs() < 1e-9 * (1.0 + whole.abs()), "{}: rows {rows}, whole {whole}", model.layout().model);
    }

    let rows = model.layout().rows();
    let mut values: Vec<f64> = (0..rows).map(|row| work.values[row * samples]).collect();
    let completed = values.clone();
    let mut total = Total::default();
    model.walk(&mut values, &mut model.observed(), &mut total);
    assert!(
        (total.total - log_joint[0]).abs() < 1e-9 * (1.0 + total.total.abs()),
        "walk {}, whole {}",
        total.total,
        log_joint[0]
    );
    for (walked, computed) in values.iter().zip(&completed) {
        assert!((walked - computed).abs() < 1e-9 * (1.0 + computed.abs()), "quantities: {walked} and {computed}");
    }
    check_reads(model, &u, samples);
}

/// Checks that two models have the same log density and gradient.
///
/// # Panics
/// If they do not.
pub fn same_densities(one: &dyn LogJoint<f64>, other: &dyn LogJoint<f64>) {
    let (u, weights) = (points(one.layout().unconstrained(), 8), one.unit_weights(8));
    let (own, of_other) = (log_density(one, &u, &weights), log_density(other, &u, &weights));
    assert_eq!(own.1.len(), of_other.1.len());
    for (own, other) in own.0.iter().chain(&own.1).zip(of_other.0.iter().chain(&of_other.1)) {
        assert!((own - other).abs() < 1e-10 * (1.0 + other.abs()), "{own} and {other}");
    }
}

/// Checks that every row of a factor that changes with a latent is said to read it.
fn check_reads(model: &dyn LogJoint<f64>, u: &[f64], samples: usize) {
    let layout = model.layout();
    let mut reads = Reads(BTreeMap::new());
    model.reads(&mut reads);
    let all_rows = |u: &[f64]| {
        let mut work = model.workspace(samples);
        work.u_mut().copy_from_slice(u);
        model.constrain(&mut work, &mut vec![0.0; samples]);
        model.complete(&mut work);
        let of = |factor: usize| {
            let mut out = vec![0.0; model.factor_rows(factor) * samples];
            model.log_prob_rows(factor, 0..model.factor_rows(factor), &mut work, &mut out);
            out
        };
        (0..model.graph().factors.len()).map(of).collect::<Vec<_>>()
    };
    let before = all_rows(u);
    for dimension in 0..layout.unconstrained() {
        let mut moved = u.to_vec();
        moved[dimension * samples..(dimension + 1) * samples].iter_mut().for_each(|x| *x += 0.37);
        let Some(latent) = layout.latents().find(|latent| latent.unconstrained.contains(&dimension)) else { continue };
        let by_elements = latent.bijector.event_len() == 1 && latent.elements().len() == latent.unconstrained.len();
        let rows = if by_elements {
            let row = latent.rows.start + latent.elements()[dimension - latent.unconstrained.start];
            row..row + 1
        } else {
            latent.rows.clone()
        };
        for (factor, (before, after)) in before.iter().zip(all_rows(&moved)).enumerate() {
            for (row, (before, after)) in before.chunks_exact(samples).zip(after.chunks_exact(samples)).enumerate() {
                let known = reads.0.get(&(factor, row)).is_some_and(|latents| latents.iter().any(|l| rows.contains(l)));
                assert!(
                    before == after || known,
                    "{}: row {row} of `{}` changes with `{}` and is not said to",
                    layout.model,
                    model.graph().factors[factor].text,
                    layout.unconstrained_name(dimension)
                );
            }
        }
    }
}

/// Who reads whom, by factor and row.
struct Reads(BTreeMap<(usize, usize), Vec<usize>>);

impl Visitor for Reads {
    fn visit(&mut self, _statement: &Statement<'_>, _value: &mut [f64]) {}

    fn reads(&mut self, factor: usize, row: usize, latents: &[usize]) {
        assert!(self.0.insert((factor, row), latents.to_vec()).is_none(), "row {row} of factor {factor} comes twice");
    }
}

/// Sums the log densities that a walk meets; of a `sum`, one total for each value, the last being open.
#[derive(Default)]
struct Total {
    total: f64,
    sums: Vec<(Vec<f64>, usize)>,
}

impl Total {
    fn add(&mut self, log_prob: f64) {
        match self.sums.last_mut() {
            Some((totals, choice)) => totals[*choice] += log_prob,
            None => self.total += log_prob,
        }
    }
}

impl Visitor for Total {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        self.add(statement.distribution.log_prob(value, statement.params));
    }

    fn choose(&mut self, _factor: usize, _row: usize, log_probs: &[f64]) -> Range<usize> {
        self.sums.push((log_probs.to_vec(), 0));
        0..log_probs.len()
    }

    fn take(&mut self, choice: usize) {
        self.sums.last_mut().expect("a sum is open").1 = choice;
    }

    fn chosen(&mut self) {
        let (totals, _) = self.sums.pop().expect("a sum is open");
        let most = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.add(most + totals.iter().map(|total| (total - most).exp()).sum::<f64>().ln());
    }

    fn factor(&mut self, _factor: usize, _row: usize, value: f64) {
        self.add(value);
    }
}
