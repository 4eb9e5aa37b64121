//! A model of one row and a guide of it, bound and resolved: what every evaluation is over.

use std::sync::Mutex;

use super::buffers::{Buffers, Side};
use super::discrete::Discrete;
use super::divergence::ClosedForm;
use super::global_latents::GlobalSide;
use super::plan::Plan;
use super::tiles::Tile;
use super::transform::Drawn;
use super::transpose::Columns;
use super::{AmortizedError, AmortizedEstimator, DiscreteEstimator, RowInput};
use crate::guides::Drawn as Family;
use crate::kernel::Real;
use crate::model::{LogJoint, SiteKind};

/// A model of one row and a guide of it, bound and resolved.
pub(crate) struct Engine<'a, E: Real> {
    pub(super) model: &'a dyn LogJoint<E>,
    pub(super) guide: &'a dyn LogJoint<E>,
    pub(super) model_plan: Plan,
    pub(super) guide_plan: Plan,
    pub(super) data: &'a [RowInput<'a, E>],
    /// What stands outside the loop over the rows.
    pub(super) globals: Option<GlobalSide<'a, E>>,
    /// The factors of the model that are densities of latents.
    pub(super) prior: Vec<usize>,
    /// The discrete latents.
    pub(super) discretes: Vec<Discrete>,
    /// What the latents of the guide that are not discrete are drawn from.
    pub(super) families: Vec<&'static dyn Family<E>>,
}

impl<E: Real> std::fmt::Debug for Engine<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("model_plan", &self.model_plan)
            .field("guide_plan", &self.guide_plan)
            .finish_non_exhaustive()
    }
}

impl<'a, E: Real> Engine<'a, E> {
    pub(super) fn new(
        model: (&'a dyn LogJoint<E>, Plan),
        guide: (&'a dyn LogJoint<E>, Plan),
        data: &'a [RowInput<'a, E>],
        globals: Option<GlobalSide<'a, E>>,
        (families, discretes): (Vec<&'static dyn Family<E>>, Vec<Discrete>),
    ) -> Self {
        let graph = model.0.graph();
        let is_drawn = |name: &str| discretes.iter().any(|discrete| discrete.name == name);
        let is_prior = |site: usize| graph.sites[site].kind == SiteKind::Latent || is_drawn(graph.sites[site].name);
        let prior = (0..graph.factors.len()).filter(|&factor| graph.factors[factor].site.is_some_and(is_prior)).collect();
        Engine {
            model: model.0,
            guide: guide.0,
            model_plan: model.1,
            guide_plan: guide.1,
            data,
            globals,
            prior,
            discretes,
            families,
        }
    }

    /// The rows of noise that the latents of the guide take.
    pub(super) fn noise_rows(&self) -> usize {
        self.guide_plan.located.iter().map(|located| located.rows.len()).sum()
    }

    /// Puts rows of data in their places, as they are drawn.
    pub(super) fn fill(&self, rows: &[usize], drawn: Drawn<'_>, buffers: &mut Buffers<E>) -> Result<(), AmortizedError> {
        for (index, input) in self.data.iter().enumerate().filter(|(_, input)| !input.shared) {
            let refused = Mutex::new(None);
            buffers.tiles.write(&mut buffers.inputs[index], input.columns, |tile, to| {
                let own = &rows[tile.first..tile.first + tile.shape.batch];
                match drawn.copy_rows(input, own, to) {
                    Ok(()) => self.spread(index, tile, to),
                    Err(error) => refuse(&refused, tile.first, error),
                }
            });
            if let Ok(Some((_, error))) = refused.into_inner() {
                return Err(error);
            }
        }
        // The last input is the number of the row, for tables.
        if let Some(numbers) = buffers.inputs.get_mut(self.data.len()) {
            numbers.iter_mut().zip(rows).for_each(|(to, &row)| *to = E::from_f64(row as f64));
        }
        Ok(())
    }

    /// Puts the inputs of the batch, which were changed, in their places.
    pub(super) fn refill(&self, buffers: &mut Buffers<E>) {
        for (index, input) in self.data.iter().enumerate().filter(|(_, input)| !input.shared) {
            buffers.tiles.read(&buffers.inputs[index], input.columns, |tile, from| self.spread(index, tile, from));
        }
    }

    /// Puts an input in the rows of a tile that statements read it from; networks take it as it is.
    fn spread(&self, index: usize, tile: &mut Tile<E>, from: &[E]) {
        for (plan, side) in [(&self.model_plan, Side::Model), (&self.guide_plan, Side::Guide)] {
            for (_, rows) in plan.inputs.iter().filter(|(input, _)| *input == index) {
                let columns = Columns { of: rows.len(), first: 0, known: tile.shape.batch };
                tile.shape.to_lanes(from, columns, rows.clone(), &mut side.of(tile).work.values);
            }
        }
    }
}

/// How the gradient of a step is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steering<'a> {
    pub(super) estimator: AmortizedEstimator,
    /// How that of discrete latents is.
    pub(super) discrete: DiscreteEstimator,
    /// The weight of the prior and of `log q`.
    pub(super) kl_weight: f64,
    /// The closed form that stands for the prior and for `log q`.
    pub(super) closed: Option<&'a ClosedForm>,
    /// How much each row bears of what stands outside the loop over the rows.
    pub(super) share: f64,
}

impl Steering<'_> {
    /// The bound as it is, from draws.
    pub(super) const PLAIN: Self = Steering {
        estimator: AmortizedEstimator::Standard,
        discrete: DiscreteEstimator::ScoreFunction,
        kl_weight: 1.0,
        closed: None,
        share: 0.0,
    };
}

/// Keeps the error of the first rows, whichever core meets one first.
pub(super) fn refuse(kept: &Mutex<Option<(usize, AmortizedError)>>, first: usize, error: AmortizedError) {
    if let Ok(mut kept) = kept.lock()
        && kept.as_ref().is_none_or(|(known, _)| first < *known)
    {
        *kept = Some((first, error));
    }
}
