//! The gradient of the bound over a batch of rows, after an evaluation.

use super::buffers::Buffers;
use super::buffers::Half;
use super::calls::{add_operands, pull_call};
use super::engine::{Engine, Steering};
use super::networks::Store;
use super::plan::{Action, Located, Source};
use super::{AmortizedError, AmortizedEstimator};
use crate::kernel::Real;

impl<E: Real> Engine<'_, E> {
    /// Adds the gradient of the mean bound of the batch to that of the store, after [`Engine::evaluate`] and [`Buffers::weigh`].
    pub(super) fn pull(
        &self,
        store: &mut Store<'_, E>,
        steering: Steering<'_>,
        buffers: &mut Buffers<E>,
    ) -> Result<(), AmortizedError> {
        self.pull_model(store, steering, buffers)?;
        self.pull_guide(store, steering, buffers)
    }

    /// Leaves the adjoints of the unconstrained numbers in the workspace of the model.
    fn pull_model(
        &self,
        store: &mut Store<'_, E>,
        steering: Steering<'_>,
        buffers: &mut Buffers<E>,
    ) -> Result<(), AmortizedError> {
        let Buffers { shape, model, guide, globals, weights: lane_weights, of_divergence, above, .. } = buffers;
        let (shape, lanes) = (*shape, shape.lanes);
        let minus = E::from_f64(-steering.kl_weight);
        of_divergence.iter_mut().zip(&*lane_weights).for_each(|(to, &weight)| *to = weight * minus);
        scale_lanes(&mut model.work.adjoints[..self.model_plan.unknown_rows * lanes], lane_weights);
        if let Some(closed) = steering.closed {
            closed.pull_priors(self, (shape, of_divergence, above), guide, model);
        }
        let Half { work, weights, calls, .. } = model;
        for (call, buffers) in self.model_plan.calls.iter().zip(calls.iter_mut()).rev() {
            pull_call(call, &mut store.networks[call.network], shape, buffers, &work.adjoints, None)?;
            add_operands(call, shape, buffers, &mut work.adjoints, |_| true);
        }
        if let (Some(side), Some(latents), Some(own)) = (&self.globals, &mut store.latents, globals) {
            let parameters = &mut store.global_gradient[..store.of_model_globals];
            side.pull((latents, parameters), (steering.kl_weight, steering.share), (shape, &work.adjoints), own);
        }
        for row in weights.log_det.chunks_exact_mut(lanes) {
            row.iter_mut().zip(&*of_divergence).for_each(|(to, &x)| *to = -x);
        }
        self.model.pull_constrain(work, weights);
        let gradient = &mut store.global_gradient[..store.of_model_globals];
        let rows = self.model_plan.globals.iter().flat_map(|global| global.unconstrained.clone());
        for (gradient, row) in gradient.iter_mut().zip(rows) {
            *gradient = *gradient + sum_of_lanes(&work.adjoints[row * lanes..row * lanes + shape.real()]);
        }
        Ok(())
    }

    /// From the adjoints of the model's latents to the networks and parameters of the guide.
    fn pull_guide(
        &self,
        store: &mut Store<'_, E>,
        steering: Steering<'_>,
        buffers: &mut Buffers<E>,
    ) -> Result<(), AmortizedError> {
        let total = steering.estimator == AmortizedEstimator::Standard;
        let doubly = steering.estimator == AmortizedEstimator::DoublyReparameterized;
        let Buffers { shape, model, guide, noise, direct, of_divergence, shares, above, unwanted, .. } = buffers;
        let (shape, lanes) = (*shape, shape.lanes);
        let layout = self.guide.layout();
        let Half { work, .. } = guide;
        // Minus the direct derivative of log q, in the weights of the path.
        direct.copy_from_slice(work.gradient());
        scale_lanes(direct, of_divergence);
        if doubly {
            scale_lanes(direct, shares);
        }
        // Inputs have no adjoints that are read.
        let located = layout.centred.iter().map(|centred| centred.location.end.max(centred.scale.end)).max().unwrap_or(0);
        work.adjoints[..self.guide_plan.unknown_rows.max(located) * lanes].fill(E::default());
        for located in &self.guide_plan.located {
            for (own, of_model) in located.rows.clone().zip(located.model.clone()) {
                let own = own * lanes..(own + 1) * lanes;
                let path = &model.work.adjoints[of_model * lanes..(of_model + 1) * lanes];
                let to = work.adjoints[own.clone()].iter_mut().zip(path.iter().zip(&direct[own]));
                if doubly {
                    to.zip(&*shares).for_each(|((to, (&path, &direct)), &share)| *to = path * share + direct);
                } else {
                    to.for_each(|(to, (&path, &direct))| *to = path + direct);
                }
            }
        }
        if total {
            for parameter in layout.parameters() {
                let rows = parameter.unconstrained.start * lanes..parameter.unconstrained.end * lanes;
                work.adjoints[rows.clone()].copy_from_slice(&direct[rows]);
            }
        }
        for &action in self.guide_plan.actions.iter().rev() {
            match action {
                Action::Call(index) => {
                    let Half { work, calls, .. } = &mut *guide;
                    let (call, buffers) = (&self.guide_plan.calls[index], &mut calls[index]);
                    let network = &mut store.networks[store.of_model + call.network];
                    pull_call(call, network, shape, buffers, &work.adjoints, None)?;
                    add_operands(call, shape, buffers, &mut work.adjoints, |_| true);
                    if !total && !call.of_row {
                        // What a draw changes in log q through later results belongs to the path; what the parameters change does not.
                        pull_call(call, network, shape, buffers, direct, Some(unwanted))?;
                        add_operands(call, shape, buffers, &mut work.adjoints, |source| matches!(source, Source::Latent(_)));
                        add_operands(call, shape, buffers, direct, |source| matches!(source, Source::Result(_)));
                    }
                }
                Action::Locate(index) => {
                    let located = &self.guide_plan.located[index];
                    located.pull_constrain(lanes, &guide.work.values, &mut guide.work.adjoints);
                    pull_place(located, lanes, noise, &mut guide.work.adjoints);
                    if let Some(closed) = steering.closed {
                        closed.add_own((index, located), (shape, of_divergence, above), guide, model);
                    }
                    self.guide.pull_locate(located.centred, &mut guide.work, &guide.weights);
                }
            }
        }
        if self.guide_plan.globals.is_empty() {
            return Ok(());
        }
        let Half { work, weights, .. } = guide;
        self.guide.pull_constrain(work, weights);
        let gradient = &mut store.global_gradient[store.of_model_globals..];
        let rows = self.guide_plan.globals.iter().flat_map(|global| global.unconstrained.clone().map(|row| (row, global.mapped)));
        for (gradient, (row, mapped)) in gradient.iter_mut().zip(rows) {
            let real = row * lanes..row * lanes + shape.real();
            let mut sum = sum_of_lanes(&work.adjoints[real.clone()]);
            if total && mapped {
                // The pullback has written over the direct derivative.
                sum = sum + sum_of_lanes(&direct[real]);
            }
            *gradient = *gradient + sum;
        }
        Ok(())
    }
}

/// From the adjoints of a latent to those of its location and scale.
fn pull_place<E: Real>(located: &Located, lanes: usize, noise: &[E], adjoints: &mut [E]) {
    for i in 0..located.rows.len() {
        let at = |row: usize| row * lanes;
        let (from, location, scale) = (at(located.rows.start + i), at(located.location.start + i), at(located.scale.start + i));
        adjoints.copy_within(from..from + lanes, location);
        let noise = &noise[at(located.noise + i)..];
        for lane in 0..lanes {
            adjoints[scale + lane] = adjoints[from + lane] * noise[lane];
        }
    }
}

/// Multiplies each lane of rows by its weight; one of weight zero is zero whatever it was.
fn scale_lanes<E: Real>(rows: &mut [E], weights: &[E]) {
    let zero = E::default();
    for row in rows.chunks_exact_mut(weights.len()) {
        for (x, &weight) in row.iter_mut().zip(weights) {
            *x = if weight == zero { zero } else { *x * weight };
        }
    }
}

/// The sum of some lanes, in double precision.
fn sum_of_lanes<E: Real>(lanes: &[E]) -> E {
    E::from_f64(lanes.iter().map(|x| x.to_f64()).sum())
}
