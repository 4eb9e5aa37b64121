//! Leave-one-out cross-validation of a fit.

use super::draws::{BATCH, Drawn, Stage};
use super::{Fit, FitError};
use crate::diagnostics::{Loo, Waic};
use crate::kernel::Real;
use crate::model::{LogJoint, Model, SiteKind};
use crate::random::step_key;

/// Rows whose log densities are held at once.
const BLOCK: usize = 4096;

impl<M: Model> Fit<M> {
    /// Leave-one-out cross-validation: how well each observed row is predicted by the others, without fitting again.
    ///
    /// The draws are those of the guide, corrected by importance weights of which each row takes its own density out, so that a guide that
    /// is only near the posterior is corrected too. A row is one row of a statement about observed data.
    ///
    /// # Errors
    /// As [`Fit::draws`].
    ///
    /// # Source
    /// Vehtari, Gelman & Gabry 2017; Magnusson et al. 2019.
    pub fn loo(&self, model: &M) -> Result<Loo, FitError> {
        let bound = model.bind()?;
        let mut all = Loo { rows: vec![], pointwise: vec![], pareto_k: vec![], in_sample: vec![] };
        self.each_block(&*bound, |names, log_density, ratios| {
            let own = Loo::new(names, log_density, ratios);
            all.rows.extend(own.rows);
            all.pointwise.extend(own.pointwise);
            all.pareto_k.extend(own.pareto_k);
            all.in_sample.extend(own.in_sample);
        })?;
        Ok(all)
    }

    /// The widely applicable information criterion of the observed rows.
    ///
    /// # Errors
    /// As [`Fit::draws`].
    pub fn waic(&self, model: &M) -> Result<Waic, FitError> {
        let bound = model.bind()?;
        let mut all = Waic { pointwise: vec![], variance: vec![] };
        self.each_block(&*bound, |_, log_density, ratios| {
            let own = Waic::new(log_density, ratios);
            all.pointwise.extend(own.pointwise);
            all.variance.extend(own.variance);
        })?;
        Ok(all)
    }

    /// Calls `visit` with the names and log densities (`[row][draw]`) of some observed rows, and the importance ratios of the draws.
    fn each_block<E: Real>(
        &self,
        model: &dyn LogJoint<E>,
        mut visit: impl FnMut(Vec<String>, &[Vec<f64>], &[f64]),
    ) -> Result<(), FitError> {
        let graph = model.graph();
        for (id, factor) in graph.factors.iter().enumerate() {
            if !factor.site.is_some_and(|site| graph.sites[site].kind == SiteKind::Observed) {
                continue;
            }
            let rows = model.factor_rows(id);
            for first in (0..rows).step_by(BLOCK) {
                let block = first..(first + BLOCK).min(rows);
                let mut drawn =
                    Drawn::new(model, self.guide().guide(), self.state.draws, step_key(self.state.seed, u64::MAX - 1))?;
                let mut log_density = vec![Vec::with_capacity(self.state.draws); block.len()];
                let mut ratios = Vec::with_capacity(self.state.draws);
                let mut out = vec![E::default(); block.len() * BATCH];
                while ratios.len() < self.state.draws {
                    drawn.next_batch(Stage::Ratios);
                    let taken = (self.state.draws - ratios.len()).min(BATCH);
                    ratios.extend_from_slice(&drawn.log_ratios[..taken]);
                    model.log_prob_rows(id, block.clone(), &mut drawn.work, &mut out);
                    for (own, row) in log_density.iter_mut().zip(out.chunks_exact(BATCH)) {
                        own.extend(row[..taken].iter().map(|x| x.to_f64()));
                    }
                }
                let names = block.map(|row| format!("`{}`, row {row}", factor.text)).collect();
                visit(names, &log_density, &ratios);
            }
        }
        Ok(())
    }
}
