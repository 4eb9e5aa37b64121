//! Where a guide that is given begins, if latents are over the plate that is taken in batches: at the top over some elements, as if there were no others.

use super::config::Minibatch;
use super::deterministic::{End, Limits, climb};
use super::engine::{Engine, evenly, started};
use crate::guides::{FittedGuide, OfBatch};
use crate::kernel::Real;
use crate::model::Batch;

/// The most parameters that are found over as many elements as fits in batches start from, and how many elements do where there are more.
const MOST: usize = 300;
const FEW: usize = 50;

impl<E: Real> Engine<'_, E> {
    /// The guide with its parameters at the top of the bound over some elements; as it was where that is not found. Parameters of other elements stay.
    pub(super) fn begun_with_some(&mut self, mut guide: FittedGuide) -> FittedGuide {
        let model = self.model;
        let Some((plate, rows)) = self.by_name.minibatch.filter(|_| self.by_name.is_local(model)) else { return guide };
        let (size, name) = (model.layout().dims[plate].size, model.layout().dims[plate].name);
        // Where elements have parameters of their own, few of them tell where all others are.
        for (some, most) in [(Minibatch::of_start(rows, size), MOST), (FEW.min(size), usize::MAX)] {
            let Some(found) = self.top_over((plate, &evenly(some, size)), &guide, most) else { continue };
            let parameters = guide.guide_mut::<E>().parameters_mut();
            found.into_iter().for_each(|(place, x)| parameters[place] = x);
            self.notes.extend(started(some, size, name));
            break;
        }
        guide
    }

    /// The parameters of a guide that some elements have, where the bound over these alone is at its top: each with its place; none where they are more than
    /// so many.
    fn top_over(&self, (plate, rows): (usize, &[usize]), guide: &FittedGuide, most: usize) -> Option<Vec<(usize, f64)>> {
        let (model, config, layout) = (self.model, self.config, self.model.layout());
        let following = model.following(plate, rows);
        // Of as many elements as there are, each stands for itself.
        let batch = Batch { plate, size: rows.len(), rows, following: &following };
        let (mut dimensions, mut owners) = (Vec::new(), Vec::new());
        batch.each_dimension(layout, |dimension, owner| {
            dimensions.push(dimension);
            owners.push(owner.map(|position| rows[position]));
        });
        let some = model.batch(&batch).ok()?;
        let of = OfBatch { batch: &batch, whole: layout, part: some.layout(), dimensions: &dimensions, owners: &owners };
        let (mut own, places) = guide.guide::<E>().part(&of)?;
        let has_paths = (0..own.blocks().len()).all(|block| own.has_path(block));
        if !has_paths || places.len() > most || self.by_name.estimators.iter().any(|estimator| estimator.is_score_function()) {
            return None;
        }
        let mut limits = Limits {
            steps: config.max_steps,
            until: self.began.checked_add(config.max_time / 2),
            tolerance: config.tolerance,
            seed: config.seed,
            objective: config.objective,
            tell: &mut |_, _, _| false,
        };
        let climbed = climb(&*some, &mut *own, &mut limits);
        let found: Vec<(usize, f64)> = places.into_iter().zip(own.parameters().iter().copied()).collect();
        (climbed.end != End::Lost && found.iter().all(|(_, x)| x.is_finite())).then_some(found)
    }
}
