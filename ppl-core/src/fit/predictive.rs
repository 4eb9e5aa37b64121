//! Predictions: of the same rows, of new rows, and from the prior, by walking over the statements.

use std::ops::Range;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Fit, FitError};
use crate::kernel::Real;
use crate::model::{Graph, LogJoint, Model, Refinement, SiteKind, Statement, Visitor, Workspace, draw_choice};
use crate::random::step_key;

/// Draws observed values, and latents too if there is no fit.
struct Draw<'a> {
    graph: &'static Graph,
    rng: &'a mut StdRng,
    prior: bool,
    error: Option<FitError>,
}

impl Visitor for Draw<'_> {
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]) {
        if self.error.is_some() || (statement.kind == SiteKind::Latent && !self.prior) {
            return;
        }
        if let Err(source) = statement.distribution.sample(statement.params, self.rng, value) {
            let text = self.graph.factors[statement.factor].text;
            self.error = Some(FitError::Sample { statement: text, row: statement.row, source });
        }
    }

    fn choose(&mut self, factor: usize, row: usize, log_probs: &[f64]) -> Range<usize> {
        if self.error.is_some() {
            return 0..0;
        }
        draw_choice(log_probs, self.rng).unwrap_or_else(|source| {
            self.error = Some(FitError::Sample { statement: self.graph.factors[factor].text, row, source });
            0..0
        })
    }

    fn draw(&mut self, factor: usize, row: usize, log_prior: &[f64], probabilities: &[f64]) -> Option<usize> {
        let guided: Vec<f64> = probabilities.iter().map(|probability| probability.ln()).collect();
        let drawn = self.choose(factor, row, if self.prior { log_prior } else { &guided });
        Some(drawn.start)
    }

    fn factor(&mut self, factor: usize, _row: usize, _value: f64) {
        if self.prior && self.error.is_none() {
            self.error = Some(FitError::PriorFactor { statement: self.graph.factors[factor].text });
        }
    }
}

/// Walks once for each draw of the latents: `values` holds the rows of the layout, draw after draw.
pub(super) fn walk<E: Real>(
    model: &dyn LogJoint<E>,
    values: &mut [f64],
    draws: usize,
    seed: u64,
    prior: bool,
) -> Result<Vec<f64>, FitError> {
    let layout = model.layout();
    let (rows, elements) = (layout.rows(), layout.observed_elements());
    let given = model.observed();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut out = Vec::with_capacity(draws * elements);
    for draw in 0..draws {
        // Elements without a statement keep the values that were given for them.
        let mut observed = given.clone();
        observed.resize(elements, f64::NAN);
        let mut visitor = Draw { graph: model.graph(), rng: &mut rng, prior, error: None };
        model.walk(&mut values[draw * rows..(draw + 1) * rows], &mut observed, &mut visitor);
        if let Some(error) = visitor.error {
            return Err(error);
        }
        out.extend_from_slice(&observed);
    }
    Ok(out)
}

impl<M: Model> Fit<M> {
    /// Predictive draws for new rows: each of latents from the guide, then of the observed arrays from their distributions.
    ///
    /// # Errors
    /// [`FitError::Data`] if the inputs do not fit the model, [`FitError::OtherSizes`] if the model has latents for each row.
    pub fn predict(&self, inputs: &M::Inputs, draws: usize) -> Result<M::Predictive, FitError> {
        let fitted = self.layout();
        let mut bound = M::bind_inputs(inputs, Some(&fitted))?;
        bound.refine(self.state.refinement);
        let mut latents = Latents::new(&*bound, draws);
        self.each_kept_draw(&*bound, draws, |work, draw| latents.take(work, draw))?;
        self.replicate(&*bound, draws, latents)
    }

    /// Predictive draws for the rows of the data: what the model would have seen.
    ///
    /// # Errors
    /// As of [`Fit::draws`].
    pub fn posterior_predictive(&self, model: &M, draws: usize) -> Result<M::Predictive, FitError> {
        let bound = self.bind(model)?;
        let mut latents = Latents::new(&*bound, draws);
        self.each_draw(&*bound, draws, |work, draw| latents.take(work, draw))?;
        self.replicate(&*bound, draws, latents)
    }

    fn replicate(&self, model: &dyn LogJoint<M::Element>, draws: usize, latents: Latents) -> Result<M::Predictive, FitError> {
        let mut values = latents.values;
        let predicted = walk(model, &mut values, draws, step_key(self.state.seed, u64::MAX - 3), false)?;
        Ok(M::collect_predictive(model.layout(), draws, &predicted))
    }
}

/// The rows of the layout, draw after draw; quantities are left for the walk.
struct Latents {
    rows: usize,
    values: Vec<f64>,
}

impl Latents {
    fn new<E: Real>(model: &dyn LogJoint<E>, draws: usize) -> Self {
        let rows = model.layout().rows();
        Latents { rows, values: Vec::with_capacity(rows * draws) }
    }

    fn take<E: Real>(&mut self, work: &Workspace<E>, draw: usize) {
        self.values.extend((0..self.rows).map(|row| work.values[row * work.samples + draw].to_f64()));
    }
}

/// The rows of the layout before anything is drawn, draw after draw: parameters are where they start.
pub(super) fn before_draws<E: Real>(model: &dyn LogJoint<E>, draws: usize) -> Result<Vec<f64>, FitError> {
    let (layout, lanes) = (model.layout(), E::LANE_MULTIPLE);
    if let Some(parameter) = layout.parameters().find(|parameter| parameter.initial.len() != parameter.unconstrained.len()) {
        return Err(FitError::PriorStart { name: parameter.name });
    }
    let mut work = model.workspace(lanes);
    let rows = work.u_mut().chunks_exact_mut(lanes);
    rows.zip(layout.start()).for_each(|(row, x)| row.fill(E::from_f64(x)));
    model.constrain(&mut work, &mut vec![0.0; lanes]);
    let mut values = vec![0.0; layout.rows()];
    for row in layout.parameters().flat_map(|parameter| parameter.rows.clone()) {
        values[row] = work.values[row * lanes].to_f64();
    }
    Ok(values.repeat(draws))
}

/// Draws of latents from the prior and of the observed arrays given them, parameters being where they start.
///
/// # Errors
/// [`FitError::Sample`] if a prior is flat, [`FitError::PriorFactor`] if the model has a `factor(..)`, [`FitError::PriorStart`] if a
/// parameter starts from observed data.
pub fn prior_predictive<M: Model>(inputs: &M::Inputs, draws: usize, seed: u64) -> Result<(M::Draws, M::Predictive), FitError> {
    let mut bound = M::bind_inputs(inputs, None)?;
    bound.refine(Refinement::SIMULATED);
    let layout = bound.layout();
    let mut values = before_draws(&*bound, draws)?;
    let predicted = walk(&*bound, &mut values, draws, seed, true)?;
    Ok((M::collect_draws(layout, draws, &values), M::collect_predictive(layout, draws, &predicted)))
}
