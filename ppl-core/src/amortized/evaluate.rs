//! One evaluation of the bound over a batch of rows.

use super::buffers::{Buffers, Half, Side};
use super::discrete::Way;
use super::divergence::from_draws;
use super::engine::{Engine, Steering};
use super::networks::Store;
use super::plan::{Action, Plan};
use super::tiles::Tile;
use super::{AmortizedError, DiscreteEstimator};
use crate::kernel::Real;
use crate::model::{SiteKind, Workspace};
use crate::networks::Mode;
use crate::random::{normals, step_key};

/// What makes of the key of the noise of rows that of the latents outside the loop over them.
const GLOBALS: u64 = 1 << 40;

impl<E: Real> Engine<'_, E> {
    /// Evaluates the log ratios of all lanes: the guide, its draws, and the model; `key` is that of the noise.
    pub(super) fn evaluate(
        &self,
        store: &Store<'_, E>,
        key: u64,
        steering: Steering<'_>,
        mode: Mode,
        buffers: &mut Buffers<E>,
    ) -> Result<(), AmortizedError> {
        buffers.set_mode(mode);
        if let Some(globals) = &mut buffers.globals {
            normals(step_key(key, GLOBALS), E::LANE_MULTIPLE, &mut globals.noise);
        }
        self.draw(store, (Some(key), Way::new(Some(key), steering.discrete)), buffers)?;
        self.prepare(store, buffers);
        self.call_networks(store, buffers)?;
        let completes = self.model.layout().variables.iter().any(|v| v.kind == SiteKind::Quantity);
        buffers.tiles.each(|tile| {
            self.densities(steering, tile);
            if completes {
                self.model.complete(&mut tile.model.work);
            }
        });
        if let Some(closed) = steering.closed {
            closed.count(buffers);
        }
        Ok(())
    }

    /// The densities of guide and model of a tile, and the log ratio of each lane.
    fn densities(&self, steering: Steering<'_>, tile: &mut Tile<E>) {
        let lanes = tile.shape.lanes;
        let Half { work, weights, log, .. } = &mut tile.guide;
        if steering.closed.is_some() {
            log.fill(0.0);
            work.gradient_mut().fill(E::default());
        } else {
            self.guide.log_density(work, weights, log);
        }
        let kl_weight = steering.kl_weight;
        let weight = E::from_f64(if steering.closed.is_some() { 0.0 } else { kl_weight });
        let Half { work, weights, log, .. } = &mut tile.model;
        for &prior in &self.prior {
            weights.factors[prior * lanes..(prior + 1) * lanes].fill(weight);
        }
        self.model.accumulate(work, weights, log);
        if let Some(closed) = steering.closed {
            closed.evaluate(self, tile);
            let Tile { model, divergence, ratios, .. } = tile;
            ratios.iter_mut().zip(&model.log).zip(divergence).for_each(|((ratio, log), divergence)| *ratio = log - *divergence);
            return;
        }
        from_draws(self, tile);
        let Tile { model, guide, divergence, ratios, .. } = tile;
        for lane in 0..lanes {
            // The model's log density has the prior times its weight, without the Jacobian; the divergence has them whole.
            let weighted = model.log[lane] + kl_weight * (model.log_det[lane] - guide.log[lane]);
            ratios[lane] = if kl_weight == 1.0 { weighted } else { weighted - (1.0 - kl_weight) * divergence[lane] };
        }
    }

    /// Draws the latents of the guide with noise of a key, and puts them in the model; without a key they are at their locations.
    fn draw(&self, store: &Store<'_, E>, (key, way): (Option<u64>, Way), buffers: &mut Buffers<E>) -> Result<(), AmortizedError> {
        let globals = &store.globals[store.of_model_globals..];
        buffers.tiles.each(|tile| {
            match key {
                // Each tile has noise of its own.
                Some(key) => normals(step_key(key, tile.first as u64), tile.shape.lanes, &mut tile.noise),
                None => tile.noise.fill(E::default()),
            }
            if let Way::Enumerated = way {
                // What discrete latents are drawn given is the same for all of their values.
                let shape = tile.shape;
                tile.noise.chunks_exact_mut(shape.lanes).for_each(|row| shape.spread(row, shape.batch));
            }
            let Half { work, log_det, .. } = &mut tile.guide;
            fill_globals(&self.guide_plan, globals, work);
            log_det.fill(0.0);
            self.guide.constrain(work, log_det);
            tile.chances.clear();
            if let Way::Enumerated = way {
                tile.chances.resize(tile.shape.lanes, 1.0);
            }
        });
        for &action in &self.guide_plan.actions {
            match action {
                Action::Call(index) => {
                    let call = &self.guide_plan.calls[index];
                    buffers.apply(Side::Guide, (index, call), &store.networks[store.of_model + call.network])?;
                }
                Action::Locate(index) => {
                    let located = &self.guide_plan.located[index];
                    buffers.tiles.each(|tile| {
                        self.guide.locate(located.centred, &mut tile.guide.work);
                        located.draw(self.families[located.centred], tile);
                    });
                }
                Action::Draw(index) => self.draw_discrete(index, way, &mut buffers.tiles)?,
            }
        }
        Ok(())
    }

    /// Draws the latents of the guide with noise of a key, and puts them in the model's space; without a key they are at their locations.
    pub(super) fn draw_latents(
        &self,
        store: &Store<'_, E>,
        key: Option<u64>,
        buffers: &mut Buffers<E>,
    ) -> Result<(), AmortizedError> {
        buffers.set_mode(Mode::Evaluate);
        self.draw(store, (key, Way::new(key, DiscreteEstimator::ScoreFunction)), buffers)?;
        self.prepare(store, buffers);
        Ok(())
    }

    /// Computes the latents and parameters of the model from its unconstrained numbers.
    pub(super) fn prepare(&self, store: &Store<'_, E>, buffers: &mut Buffers<E>) {
        let globals = &store.globals[..store.of_model_globals];
        buffers.tiles.each(|tile| {
            let Half { work, log_det, .. } = &mut tile.model;
            fill_globals(&self.model_plan, globals, work);
            log_det.fill(0.0);
            self.model.constrain(work, log_det);
        });
        let Buffers { tiles, globals: own, .. } = buffers;
        if let (Some(side), Some(guide), Some(own)) = (&self.globals, &store.latents, own) {
            side.draw(guide, globals, own);
            tiles.each(|tile| side.spread(own, tile));
        }
    }

    /// Calls the networks of the model.
    pub(super) fn call_networks(&self, store: &Store<'_, E>, buffers: &mut Buffers<E>) -> Result<(), AmortizedError> {
        for (index, call) in self.model_plan.calls.iter().enumerate() {
            buffers.apply(Side::Model, (index, call), &store.networks[call.network])?;
        }
        Ok(())
    }
}

/// Puts the parameters that are the same for all rows in their rows.
fn fill_globals<E: Real>(plan: &Plan, globals: &[E], work: &mut Workspace<E>) {
    let samples = work.samples;
    let rows = plan.globals.iter().flat_map(|global| global.unconstrained.clone());
    for (row, &value) in rows.zip(globals) {
        work.values[row * samples..(row + 1) * samples].fill(value);
    }
}
