//! Draws from a fitted guide: named, shaped, and of long quantities only where they are asked for.

use std::ops::Range;

use super::{Fit, FitError};
use crate::centring::View;
use crate::diagnostics::smooth;
use crate::guides::Guide;
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, Model, SiteKind, Variable, Weights, Workspace};
use crate::random::{antithetic_normals, step_key};
use crate::report::Scalar;

/// Longer arrays are left out of the table, and longer quantities out of the draws unless they are asked for.
pub(super) const LONG: usize = 4000;

impl<M: Model> Fit<M> {
    /// Draws of latents and quantities, named and shaped, the first axis being the draw. Quantities of more than 4000 elements
    /// (one a row of large data) have no draws here: ask for them by name, with [`Fit::draws_of`].
    ///
    /// # Errors
    /// [`FitError::Data`] if the data do not fit the model, [`FitError::OtherSizes`] if they are not those of the fit.
    pub fn draws(&self, model: &M, draws: usize) -> Result<M::Draws, FitError> {
        self.draws_of(model, draws, &[])
    }

    /// As [`Fit::draws`], with the long quantities of these names.
    ///
    /// # Errors
    /// As [`Fit::draws`]; [`FitError::UnknownName`].
    pub fn draws_of(&self, model: &M, draws: usize, names: &[&str]) -> Result<M::Draws, FitError> {
        let bound = model.bind()?;
        let layout = bound.layout();
        for name in names {
            find(layout, name)?;
        }
        let short = |v: &Variable| v.kind == SiteKind::Latent || v.rows.len() <= LONG || names.contains(&v.name);
        let (kept, rows) = keep(layout, short);
        Ok(M::collect_draws(&kept, draws, &self.columns(&*bound, draws, &rows)?))
    }

    /// The table of one latent or quantity, element after element: for those that are too long for [`Fit::summary`].
    ///
    /// # Errors
    /// As [`Fit::draws_of`].
    pub fn summary_of(&self, model: &M, name: &str) -> Result<Vec<Scalar>, FitError> {
        let bound = model.bind()?;
        let variable = find(bound.layout(), name)?;
        let draws = self.state.draws;
        let columns = self.columns(&*bound, draws, std::slice::from_ref(&variable.rows))?;
        let values = |element: usize| columns.iter().skip(element).step_by(variable.rows.len()).copied().collect();
        let scalar = |element: usize| Scalar::of(bound.layout().element_name(variable, element), variable.name, values(element));
        Ok(variable.elements().into_iter().map(scalar).collect())
    }

    /// Some rows of the layout, draw after draw.
    fn columns<E: Real>(&self, model: &dyn LogJoint<E>, draws: usize, rows: &[Range<usize>]) -> Result<Vec<f64>, FitError> {
        let mut columns = Vec::with_capacity(draws * rows.iter().map(ExactSizeIterator::len).sum::<usize>());
        self.each_draw(model, draws, |work, draw| {
            columns.extend(rows.iter().cloned().flatten().map(|row| work.values[row * BATCH + draw].to_f64()));
        })?;
        Ok(columns)
    }
}

impl<M: Model> Fit<M> {
    /// Calls `visit` with each draw, completed, and its place in the workspace: draws of the guide, or, where importance weights correct
    /// them, draws resampled from twice as many.
    pub(super) fn each_draw<E: Real>(
        &self,
        model: &dyn LogJoint<E>,
        draws: usize,
        mut visit: impl FnMut(&Workspace<E>, usize),
    ) -> Result<(), FitError> {
        let key = step_key(self.state.seed, u64::MAX - 2);
        let (mut counts, mut proposed) = (vec![1; draws], draws);
        if self.state.weighted.is_some() {
            proposed = 2 * draws.max(500);
            let mut drawn = Drawn::new(model, self.guide().guide(), proposed, key)?;
            let mut ratios = Vec::new();
            while ratios.len() < proposed {
                drawn.next_batch(Stage::Ratios);
                ratios.extend_from_slice(&drawn.log_ratios);
            }
            counts = smooth(&ratios).resample(draws, 0.5);
        }
        let mut drawn = Drawn::new(model, self.guide().guide(), proposed, key)?;
        for batch in counts.chunks(BATCH) {
            drawn.next_batch(Stage::Quantities);
            for (draw, &count) in batch.iter().enumerate() {
                (0..count).for_each(|_| visit(&drawn.work, draw));
            }
        }
        Ok(())
    }

    /// As [`Fit::each_draw`], of latents alone and without data to weight by: where weights correct the draws, those that were resampled
    /// for the table.
    pub(super) fn each_kept_draw<E: Real>(
        &self,
        model: &dyn LogJoint<E>,
        draws: usize,
        mut visit: impl FnMut(&Workspace<E>, usize),
    ) -> Result<(), FitError> {
        let kept = &self.state.resampled;
        let mut drawn = Drawn::new(model, self.guide().guide(), self.state.draws, step_key(self.state.seed, u64::MAX - 1))?;
        let mut batches = 0;
        for draw in 0..draws {
            let chosen = if self.state.weighted.is_some() { kept[draw * kept.len() / draws] } else { draw };
            while batches * BATCH <= chosen {
                drawn.next_batch(Stage::Latents);
                batches += 1;
            }
            visit(&drawn.work, chosen % BATCH);
        }
        Ok(())
    }
}

/// How far draws are computed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The latents: all that is known where there are no data.
    Latents,
    /// The quantities too.
    Quantities,
    /// The importance ratios too.
    Ratios,
}

/// A latent or quantity by name.
fn find<'l>(layout: &'l Layout, name: &str) -> Result<&'l Variable, FitError> {
    layout.variables.iter().find(|variable| variable.name == name).ok_or_else(|| FitError::UnknownName {
        name: name.to_owned(),
        known: layout.variables.iter().map(|variable| format!("`{}`", variable.name)).collect::<Vec<_>>().join(", "),
    })
}

/// A layout of some variables alone, without gaps, and their rows in the whole; the others have none.
fn keep(layout: &Layout, wanted: impl Fn(&Variable) -> bool) -> (Layout, Vec<Range<usize>>) {
    let (mut kept, mut rows, mut next) = (Layout { centred: Vec::new(), ..layout.clone() }, Vec::new(), 0);
    for variable in &mut kept.variables {
        let length = if wanted(variable) { variable.rows.len() } else { 0 };
        rows.push(variable.rows.start..variable.rows.start + length);
        variable.rows = next..next + length;
        (variable.unconstrained, variable.missing) = (0..0, None);
        next += length;
    }
    (kept, rows)
}

/// Draws that are made at once.
pub(super) const BATCH: usize = 64;

/// Draws from a guide, completed with the quantities of the model.
pub(super) struct Drawn<'a, E: Real> {
    view: View<'a, E>,
    guide: &'a dyn Guide<E>,
    key: u64,
    batches: u64,
    noise: Vec<E>,
    factors: Vec<f64>,
    pub(super) work: Workspace<E>,
    weights: Weights<E>,
    pub(super) log_ratios: Vec<f64>,
}

impl<'a, E: Real> Drawn<'a, E> {
    /// So many draws of a guide whose dimensions are those of the model, as written or with the degrees of centring.
    pub(super) fn new(written: &'a dyn LogJoint<E>, guide: &'a dyn Guide<E>, draws: usize, key: u64) -> Result<Self, FitError> {
        let (fitted, own) = (guide.dimensions(), written.layout().unconstrained());
        let view = View::of_dimensions(written, fitted).ok_or(FitError::OtherSizes { fitted, model: own })?;
        let model = view.model();
        Ok(Drawn {
            guide,
            key,
            batches: 0,
            noise: vec![E::default(); guide.noise() * BATCH],
            factors: unit_variance::<E>(guide.noise(), draws, key),
            work: model.workspace(BATCH),
            weights: model.unit_weights(BATCH),
            log_ratios: vec![0.0; BATCH],
            view,
        })
    }

    /// The next draws, in the workspace.
    pub(super) fn next_batch(&mut self, stage: Stage) {
        antithetic_normals(step_key(self.key, self.batches), BATCH, &mut self.noise);
        for (row, factor) in self.noise.chunks_exact_mut(BATCH).zip(&self.factors) {
            row.iter_mut().for_each(|x| *x = E::from_f64(x.to_f64() * factor));
        }
        self.batches += 1;
        self.guide.draw(&self.noise, BATCH, self.work.u_mut());
        let (mut log_det, mut log_q) = (vec![0.0; BATCH], vec![0.0; BATCH]);
        if stage == Stage::Ratios {
            self.guide.log_prob(self.work.u(), BATCH, &mut log_q);
        }
        let model = self.view.model();
        model.constrain(&mut self.work, &mut log_det);
        if stage == Stage::Ratios {
            model.accumulate(&mut self.work, &self.weights, &mut self.log_ratios);
            for ((ratio, log_det), log_q) in self.log_ratios.iter_mut().zip(&log_det).zip(&log_q) {
                *ratio += log_det - log_q;
            }
        }
        if stage >= Stage::Quantities {
            model.complete(&mut self.work);
        }
    }
}

/// What each row of noise is multiplied by, to have a mean square of one over all draws: this takes its error out of the standard deviations of the
/// summary. (Over few draws it would bias what depends on higher moments.)
fn unit_variance<E: Real>(rows: usize, draws: usize, key: u64) -> Vec<f64> {
    let mut squares = vec![0.0; rows];
    let mut noise = vec![E::default(); rows * BATCH];
    let batches = draws.div_ceil(BATCH).max(1);
    for batch in 0..batches {
        antithetic_normals(step_key(key, batch as u64), BATCH, &mut noise);
        for (square, row) in squares.iter_mut().zip(noise.chunks_exact(BATCH)) {
            *square += row.iter().map(|x| x.to_f64().powi(2)).sum::<f64>();
        }
    }
    squares.iter().map(|square| (square / (batches * BATCH) as f64).sqrt().recip()).collect()
}
