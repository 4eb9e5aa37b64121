//! One evaluation of the bound over a batch of rows.

use super::AmortizedError;
use super::buffers::{Buffers, Half};
use super::calls::forward;
use super::divergence::from_draws;
use super::engine::{Engine, Steering};
use super::networks::Store;
use super::plan::{Action, Located, Plan};
use super::transpose::LaneShape;
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
        normals(key, buffers.shape.lanes, &mut buffers.noise);
        if let Some(globals) = &mut buffers.globals {
            normals(step_key(key, GLOBALS), E::LANE_MULTIPLE, &mut globals.noise);
        }
        self.evaluate_noise(store, steering, mode, buffers)
    }

    /// As [`Engine::evaluate`], with the noise that is in the buffers.
    pub(super) fn evaluate_noise(
        &self,
        store: &Store<'_, E>,
        steering: Steering<'_>,
        mode: Mode,
        buffers: &mut Buffers<E>,
    ) -> Result<(), AmortizedError> {
        let shape = buffers.shape;
        let lanes = shape.lanes;
        let Buffers { model, guide, inputs, noise, .. } = buffers;
        model.set_mode(mode);
        guide.set_mode(mode);
        self.draw(store, shape, inputs, noise, guide, model)?;
        let Half { work, weights, log, .. } = guide;
        if steering.closed.is_some() {
            log.fill(0.0);
            work.gradient_mut().fill(E::default());
        } else {
            self.guide.log_density(work, weights, log);
        }
        self.prepare(store, buffers);
        let Buffers { model, inputs, .. } = buffers;
        self.call_networks(store, shape, inputs, model)?;
        let kl_weight = steering.kl_weight;
        let weight = E::from_f64(if steering.closed.is_some() { 0.0 } else { kl_weight });
        for &prior in &self.prior {
            model.weights.factors[prior * lanes..(prior + 1) * lanes].fill(weight);
        }
        let Half { work, weights, log, .. } = model;
        self.model.accumulate(work, weights, log);
        if self.model.layout().variables.iter().any(|v| v.kind == SiteKind::Quantity) {
            self.model.complete(work);
        }
        if let Some(closed) = steering.closed {
            closed.evaluate(self, buffers);
            let Buffers { model, divergence, ratios, .. } = buffers;
            ratios.iter_mut().zip(&model.log).zip(divergence).for_each(|((ratio, log), divergence)| *ratio = log - *divergence);
            return Ok(());
        }
        from_draws(self, buffers);
        let Buffers { model, guide, divergence, .. } = buffers;
        for lane in 0..lanes {
            // The model's log density has the prior times its weight, without the Jacobian; the divergence has them whole.
            let weighted = model.log[lane] + kl_weight * (model.log_det[lane] - guide.log[lane]);
            buffers.ratios[lane] = if kl_weight == 1.0 { weighted } else { weighted - (1.0 - kl_weight) * divergence[lane] };
        }
        Ok(())
    }

    /// Draws the latents of the guide, and puts them in the model.
    fn draw(
        &self,
        store: &Store<'_, E>,
        shape: LaneShape,
        inputs: &[Vec<E>],
        noise: &[E],
        guide: &mut Half<E>,
        model: &mut Half<E>,
    ) -> Result<(), AmortizedError> {
        fill_globals(self.guide_plan, &store.globals[store.of_model_globals..], &mut guide.work);
        guide.log_det.fill(0.0);
        self.guide.constrain(&mut guide.work, &mut guide.log_det);
        for &action in &self.guide_plan.actions {
            match action {
                Action::Call(index) => {
                    let call = &self.guide_plan.calls[index];
                    let network = &store.networks[store.of_model + call.network];
                    forward(call, network, shape, inputs, &mut guide.calls[index], &mut guide.work.values)?;
                }
                Action::Locate(index) => {
                    let located = &self.guide_plan.located[index];
                    self.guide.locate(located.centred, &mut guide.work);
                    place(located, shape, noise, &mut guide.work.values, &mut model.work.values);
                    located.constrain(shape.lanes, &mut guide.work.values);
                }
            }
        }
        Ok(())
    }

    /// Draws the latents of the model from the guide, in the model's space.
    pub(super) fn draw_latents(&self, store: &Store<'_, E>, key: u64, buffers: &mut Buffers<E>) -> Result<(), AmortizedError> {
        let Buffers { shape, model, guide, inputs, noise, .. } = buffers;
        normals(key, shape.lanes, noise);
        guide.set_mode(Mode::Evaluate);
        self.draw(store, *shape, inputs, noise, guide, model)?;
        self.prepare(store, buffers);
        Ok(())
    }

    /// Computes the latents and parameters of the model from its unconstrained numbers.
    pub(super) fn prepare(&self, store: &Store<'_, E>, buffers: &mut Buffers<E>) {
        let Buffers { shape, model, globals, .. } = buffers;
        fill_globals(self.model_plan, &store.globals[..store.of_model_globals], &mut model.work);
        model.log_det.fill(0.0);
        self.model.constrain(&mut model.work, &mut model.log_det);
        if let (Some(side), Some(guide), Some(own)) = (&self.globals, &store.latents, globals) {
            side.draw(guide, &store.globals[..store.of_model_globals], own);
            side.spread(own, *shape, &mut model.work.values);
        }
    }

    /// Calls the networks of the model.
    pub(super) fn call_networks(
        &self,
        store: &Store<'_, E>,
        shape: LaneShape,
        inputs: &[Vec<E>],
        model: &mut Half<E>,
    ) -> Result<(), AmortizedError> {
        for (call, buffers) in self.model_plan.calls.iter().zip(&mut model.calls) {
            forward(call, &store.networks[call.network], shape, inputs, buffers, &mut model.work.values)?;
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

/// `u = location + scale * noise`, for guide and model.
fn place<E: Real>(located: &Located, shape: LaneShape, noise: &[E], values: &mut [E], model: &mut [E]) {
    let lanes = shape.lanes;
    for i in 0..located.rows.len() {
        let at = |row: usize| row * lanes;
        let (to, location, scale) = (at(located.rows.start + i), at(located.location.start + i), at(located.scale.start + i));
        let noise = &noise[at(located.noise + i)..];
        for lane in 0..lanes {
            values[to + lane] = values[location + lane] + values[scale + lane] * noise[lane];
        }
        let last = values[to + shape.real() - 1];
        values[to + shape.real()..to + lanes].fill(last);
        model[at(located.model.start + i)..][..lanes].copy_from_slice(&values[to..to + lanes]);
    }
}
