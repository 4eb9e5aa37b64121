//! Draws from a fitted guide: named, shaped, and of long quantities only where they are asked for.

use std::ops::Range;

use super::drawn::{BATCH, Drawn, Stage};
use super::widening::as_many;
use super::{Fit, FitError, State};
use crate::diagnostics::PsisWeights;
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, Model, SiteKind, Variable, Workspace};
use crate::random::step_key;
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
        self.collected(model, draws, names)
    }

    /// Draws of the guide, spread as far as [`Fit::widening`] says, that [`Fit::importance_weights`] turn into draws of the posterior; where nothing is widened
    /// those of `fit.raw()`. What [`Fit::draws`] takes is resampled from such draws.
    ///
    /// # Errors
    /// As [`Fit::draws`].
    pub fn proposals(&self, model: &M, draws: usize) -> Result<M::Draws, FitError> {
        self.unweighted().collected(model, draws, &[])
    }

    /// The fit whose draws are not resampled.
    pub(super) fn unweighted(&self) -> Self {
        let mut unweighted = self.clone();
        unweighted.state.weighted = None;
        unweighted
    }

    fn collected(&self, model: &M, draws: usize, names: &[&str]) -> Result<M::Draws, FitError> {
        let bound = self.bind(model)?;
        let layout = bound.layout();
        for name in names {
            find(layout, name)?;
        }
        let wanted = |v: &Variable| v.kind == SiteKind::Latent || v.rows.len() <= LONG || names.contains(&v.name);
        let wanted = |v: &Variable| v.kind != SiteKind::Parameter && wanted(v);
        let (kept, rows) = keep(layout, wanted);
        Ok(M::collect_draws(&kept, draws, &self.columns(&*bound, draws, &rows)?))
    }

    /// The table of one latent or quantity, element after element: for those that are too long for [`Fit::summary`].
    ///
    /// # Errors
    /// As [`Fit::draws_of`].
    pub fn summary_of(&self, model: &M, name: &str) -> Result<Vec<Scalar>, FitError> {
        let bound = self.bind(model)?;
        let variable = find(bound.layout(), name)?;
        let draws = self.state.draws;
        let columns = self.columns(&*bound, draws, std::slice::from_ref(&variable.rows))?;
        let scalar = |element: usize| {
            let values: Vec<f64> = columns.iter().skip(element).step_by(variable.rows.len()).copied().collect();
            Scalar::of(bound.layout().element_name(variable, element), variable.name, &values)
        };
        Ok(variable.elements().into_iter().map(scalar).collect())
    }

    /// Some rows of the layout, draw after draw.
    pub(super) fn columns<E: Real>(
        &self,
        model: &dyn LogJoint<E>,
        draws: usize,
        rows: &[Range<usize>],
    ) -> Result<Vec<f64>, FitError> {
        let mut columns = Vec::with_capacity(draws * rows.iter().map(ExactSizeIterator::len).sum::<usize>());
        self.each_draw(model, draws, |work, draw| {
            columns.extend(rows.iter().cloned().flatten().map(|row| work.values[row * BATCH + draw].to_f64()));
        })?;
        Ok(columns)
    }
}

impl<M: Model> Fit<M> {
    /// Calls `visit` with each draw, completed, and its place in the workspace.
    pub(super) fn each_draw<E: Real>(
        &self,
        model: &dyn LogJoint<E>,
        draws: usize,
        visit: impl FnMut(&Workspace<E>, usize),
    ) -> Result<(), FitError> {
        let (drawn, chosen) = self.chosen(model, draws)?;
        drawn.each(chosen, Stage::Quantities, visit);
        Ok(())
    }

    /// Draws, and the numbers of those to take, in ascending order: draws of the guide, or, where importance weights correct them, draws resampled from twice as
    /// many (and more, if they are spread further than the guide); of a part of the rows, which has no such weights, those that were resampled for the table.
    pub(super) fn chosen<'a, E: Real>(
        &'a self,
        model: &'a dyn LogJoint<E>,
        draws: usize,
    ) -> Result<(Drawn<'a, E>, Vec<usize>), FitError> {
        if self.state.weighted.is_none() {
            return Ok((self.drawn(model, draws)?, (0..draws).collect()));
        }
        if self.whole(model).is_err() {
            return self.kept(model, draws);
        }
        let equal = 2 * draws.max(500);
        let proposed = if self.state.widening > 1.0 { as_many(equal) } else { equal };
        let weights = PsisWeights::new(&self.ratios(model, proposed)?)?;
        Ok((self.drawn(model, proposed)?, weights.resample(draws, self.state.seed)))
    }

    /// As [`Fit::each_draw`], of latents alone and without data to weight by: where weights correct the draws, those that were resampled
    /// for the table.
    pub(super) fn each_kept_draw<E: Real>(
        &self,
        model: &dyn LogJoint<E>,
        draws: usize,
        visit: impl FnMut(&Workspace<E>, usize),
    ) -> Result<(), FitError> {
        let (drawn, chosen) = self.kept(model, draws)?;
        drawn.each(chosen, Stage::Latents, visit);
        Ok(())
    }

    /// The draws of the table, and the numbers of those to take.
    fn kept<'a, E: Real>(&'a self, model: &'a dyn LogJoint<E>, draws: usize) -> Result<(Drawn<'a, E>, Vec<usize>), FitError> {
        let kept = &self.state.resampled;
        let drawn = self.state.drawn_by(model, self.state.draws, step_key(self.state.seed, u64::MAX - 1))?;
        let weighted = self.state.weighted.is_some();
        Ok((drawn, (0..draws).map(|draw| if weighted { kept[draw * kept.len() / draws] } else { draw }).collect()))
    }

    /// The log ratios of the first of the draws that users see: of the model and the guide, over all data of the fit.
    pub(super) fn ratios<E: Real>(&self, model: &dyn LogJoint<E>, draws: usize) -> Result<Vec<f64>, FitError> {
        self.whole(model)?;
        Ok(self.drawn(model, draws)?.ratios(draws))
    }

    /// Refuses a model of other sizes than the fit, such as one of a part of its rows.
    fn whole<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<(), FitError> {
        let (fitted, own) = (&self.state.dims, &model.layout().dims);
        match fitted.iter().zip(own).find(|((_, fitted, _), own)| *fitted != own.size) {
            Some(((_, fitted, _), own)) => Err(FitError::OtherRows { dim: own.name, fitted: *fitted, model: own.size }),
            None => Ok(()),
        }
    }

    /// The unconstrained numbers of the parameters.
    #[cfg(feature = "nuts")]
    pub(crate) fn held<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<Vec<f64>, FitError> {
        let rows: Vec<usize> = model.layout().parameters().flat_map(|parameter| parameter.unconstrained.clone()).collect();
        let mut held = Vec::new();
        self.drawn(model, 1)?.each([0], Stage::Latents, |work, draw| {
            held.extend(rows.iter().map(|row| work.values[row * BATCH + draw].to_f64()));
        });
        Ok(held)
    }

    /// So many draws of the guide alone, those that users see.
    pub(super) fn drawn<'a, E: Real>(&'a self, model: &'a dyn LogJoint<E>, draws: usize) -> Result<Drawn<'a, E>, FitError> {
        self.state.drawn(model, draws)
    }
}

impl State {
    /// So many draws of the guide alone, those that users see, spread as far as they are.
    pub(super) fn drawn<'a, E: Real>(&'a self, model: &'a dyn LogJoint<E>, draws: usize) -> Result<Drawn<'a, E>, FitError> {
        self.drawn_by(model, draws, step_key(self.seed, u64::MAX - 2))
    }

    fn drawn_by<'a, E: Real>(&'a self, model: &'a dyn LogJoint<E>, draws: usize, key: u64) -> Result<Drawn<'a, E>, FitError> {
        Ok(Drawn::new(model, self.guide.guide(), draws, key)?.widened(self.widening))
    }
}

/// An element of a latent or quantity.
pub(super) struct Element<'l> {
    pub(super) name: String,
    /// The name of its array.
    pub(super) variable: &'l str,
    /// Its one row of the layout.
    pub(super) rows: Range<usize>,
}

/// The elements that tables show: those that are inferred or computed, of arrays that are not too long.
pub(super) fn tabled(layout: &Layout) -> Vec<Element<'_>> {
    let mut tabled = Vec::new();
    for variable in random(layout) {
        let elements = variable.elements();
        if elements.len() > LONG {
            continue;
        }
        tabled.extend(elements.into_iter().map(|element| {
            let (name, row) = (layout.element_name(variable, element), variable.rows.start + element);
            Element { name, variable: variable.name, rows: row..row + 1 }
        }));
    }
    tabled
}

/// The latents and quantities: what has draws.
fn random(layout: &Layout) -> impl Iterator<Item = &Variable> {
    layout.variables.iter().filter(|variable| variable.kind != SiteKind::Parameter)
}

/// A latent or quantity by name.
fn find<'l>(layout: &'l Layout, name: &str) -> Result<&'l Variable, FitError> {
    random(layout).find(|variable| variable.name == name).ok_or_else(|| FitError::UnknownName {
        name: name.to_owned(),
        known: random(layout).map(|variable| format!("`{}`", variable.name)).collect::<Vec<_>>().join(", "),
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
