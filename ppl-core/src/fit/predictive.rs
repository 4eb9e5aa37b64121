//! Predictions: of the same rows, of new rows, and from the prior, by walking over the statements.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Fit, FitError};
use crate::kernel::Real;
use crate::model::{Graph, LogJoint, Model, SiteKind, Statement, Visitor};
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
        let bound = M::bind_inputs(inputs, Some(&fitted))?;
        self.replicate(&*bound, draws)
    }

    /// Predictive draws for the rows of the data: what the model would have seen.
    ///
    /// # Errors
    /// As of [`Fit::draws`].
    pub fn posterior_predictive(&self, model: &M, draws: usize) -> Result<M::Predictive, FitError> {
        let bound = model.bind()?;
        self.replicate(&*bound, draws)
    }

    fn replicate(&self, model: &dyn LogJoint<M::Element>, draws: usize) -> Result<M::Predictive, FitError> {
        let mut values = self.latents(model, draws)?;
        let predicted = walk(model, &mut values, draws, step_key(self.state.seed, u64::MAX - 3), false)?;
        Ok(M::collect_predictive(model.layout(), draws, &predicted))
    }

    /// Latents from the guide, draw after draw, each among the rows of the layout; quantities are left for the walk.
    fn latents(&self, model: &dyn LogJoint<M::Element>, draws: usize) -> Result<Vec<f64>, FitError> {
        self.check_sizes(model)?;
        let guide = self.guide();
        let batch = super::BATCH;
        let (n, rows) = (self.state.loc.len(), model.layout().rows());
        let zero = M::Element::default();
        let (mut noise, mut u) = (vec![zero; n * batch], vec![zero; n * batch]);
        let mut work = model.workspace(batch);
        let mut values = Vec::with_capacity(draws * rows);
        let mut made = 0;
        while made < draws {
            let key = step_key(step_key(self.state.seed, u64::MAX - 2), (made / batch) as u64);
            crate::random::antithetic_normals(key, batch, &mut noise);
            crate::guides::Guide::sample(&guide, &noise, batch, &mut u);
            model.constrain(&u, &mut work, &mut vec![0.0; batch]);
            for draw in 0..(draws - made).min(batch) {
                values.extend((0..rows).map(|row| work.values[row * batch + draw].to_f64()));
            }
            made += batch;
        }
        Ok(values)
    }
}

/// Draws of latents from the prior and of the observed arrays given them.
///
/// # Errors
/// [`FitError::Sample`] if a prior is flat, [`FitError::PriorFactor`] if the model has a `factor(..)`.
pub fn prior_predictive<M: Model>(inputs: &M::Inputs, draws: usize, seed: u64) -> Result<(M::Draws, M::Predictive), FitError> {
    let bound = M::bind_inputs(inputs, None)?;
    let layout = bound.layout();
    let mut values = vec![0.0; draws * layout.rows()];
    let predicted = walk(&*bound, &mut values, draws, seed, true)?;
    Ok((M::collect_draws(layout, draws, &values), M::collect_predictive(layout, draws, &predicted)))
}
