//! The gradient of the bound over a batch of rows, after an evaluation.

use super::buffers::{Buffers, Half, Side};
use super::engine::{Engine, Steering};
use super::networks::Store;
use super::plan::{Action, Source};
use super::tiles::Tile;
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
        let minus = E::from_f64(-steering.kl_weight);
        let Buffers { tiles, above, .. } = buffers;
        tiles.each(|tile| {
            let Tile { model, weights, of_divergence, shape, .. } = tile;
            of_divergence.iter_mut().zip(&*weights).for_each(|(to, &weight)| *to = weight * minus);
            scale_lanes(&mut model.work.adjoints[..self.model_plan.unknown_rows * shape.lanes], weights);
            tile.hot_adjoints.fill(E::default());
            if let Some(closed) = steering.closed {
                closed.pull_priors(self, above, tile);
            }
        });
        for (index, call) in self.model_plan.calls.iter().enumerate().rev() {
            buffers.pull_call(Side::Model, (index, call), &mut store.networks[call.network], false)?;
            buffers.add_operands(Side::Model, (index, call), |tile| &mut tile.model.work.adjoints, |_| true);
            buffers.add_hot(Side::Model, (index, call));
        }
        if let (Some(side), Some(latents), Some(own)) = (&self.globals, &mut store.latents, &mut buffers.globals) {
            let parameters = &mut store.global_gradient[..store.of_model_globals];
            side.pull((latents, parameters), (steering.kl_weight, steering.share), &buffers.tiles.all, own);
        }
        buffers.tiles.each(|tile| {
            let Tile { model, of_divergence, shape, .. } = tile;
            let Half { work, weights, .. } = model;
            for row in weights.log_det.chunks_exact_mut(shape.lanes) {
                row.iter_mut().zip(&*of_divergence).for_each(|(to, &x)| *to = -x);
            }
            self.model.pull_constrain(work, weights);
        });
        let gradient = &mut store.global_gradient[..store.of_model_globals];
        let rows = self.model_plan.globals.iter().flat_map(|global| global.unconstrained.clone());
        for (gradient, row) in gradient.iter_mut().zip(rows) {
            *gradient = *gradient + sum_of_row(buffers, row, |tile| &tile.model.work.adjoints);
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
        buffers.tiles.each(|tile| {
            if !self.discretes.is_empty() {
                self.score(steering.closed.is_some(), tile);
            }
            self.start_guide(steering.estimator, tile);
        });
        for &action in self.guide_plan.actions.iter().rev() {
            match action {
                Action::Call(index) => {
                    let call = (index, &self.guide_plan.calls[index]);
                    let network = &mut store.networks[store.of_model + call.1.network];
                    buffers.pull_call(Side::Guide, call, network, false)?;
                    buffers.add_operands(Side::Guide, call, |tile| &mut tile.guide.work.adjoints, |_| true);
                    buffers.add_hot(Side::Guide, call);
                    if !total && !call.1.of_row {
                        // What a draw changes in log q through later results belongs to the path; what the parameters change does not.
                        buffers.pull_call(Side::Guide, call, network, true)?;
                        let of_latent = |source: &Source| matches!(source, Source::Latent(_));
                        buffers.add_operands(Side::Guide, call, |tile| &mut tile.guide.work.adjoints, of_latent);
                        let of_result = |source: &Source| matches!(source, Source::Result(_));
                        buffers.add_operands(Side::Guide, call, |tile| &mut tile.direct, of_result);
                    }
                }
                Action::Draw(index) => {
                    let Buffers { tiles, above, .. } = &mut *buffers;
                    tiles.each(|tile| self.pull_discrete(&self.discretes[index], steering, above, tile));
                }
                Action::Locate(index) => {
                    let Buffers { tiles, above, .. } = &mut *buffers;
                    let located = &self.guide_plan.located[index];
                    tiles.each(|tile| {
                        located.pull(self.families[located.centred], tile);
                        if let Some(closed) = steering.closed {
                            closed.add_own((index, located), above, tile);
                        }
                        self.guide.pull_locate(located.centred, &mut tile.guide.work, &tile.guide.weights);
                    });
                }
            }
        }
        if self.guide_plan.globals.is_empty() {
            return Ok(());
        }
        buffers.tiles.each(|tile| self.guide.pull_constrain(&mut tile.guide.work, &tile.guide.weights));
        let gradient = &mut store.global_gradient[store.of_model_globals..];
        let rows = self.guide_plan.globals.iter().flat_map(|global| global.unconstrained.clone().map(|row| (row, global.mapped)));
        for (gradient, (row, mapped)) in gradient.iter_mut().zip(rows) {
            let mut sum = sum_of_row(buffers, row, |tile| &tile.guide.work.adjoints);
            if total && mapped {
                // The pullback has written over the direct derivative.
                sum = sum + sum_of_row(buffers, row, |tile| &tile.direct);
            }
            *gradient = *gradient + sum;
        }
        Ok(())
    }

    /// The adjoints of the latents and parameters of the guide that its networks start from.
    fn start_guide(&self, estimator: AmortizedEstimator, tile: &mut Tile<E>) {
        let doubly = estimator == AmortizedEstimator::DoublyReparameterized;
        let Tile { shape, model, guide, direct, of_divergence, shares, .. } = tile;
        let (lanes, layout, work) = (shape.lanes, self.guide.layout(), &mut guide.work);
        // Minus the direct derivative of log q, in the weights of the path; with discrete latents it is there.
        if self.discretes.is_empty() {
            direct.copy_from_slice(work.gradient());
            scale_lanes(direct, of_divergence);
        }
        if doubly {
            scale_lanes(direct, shares);
        }
        // Inputs have no adjoints that are read.
        let located = layout.centred.iter().flat_map(|centred| &centred.parameters).map(|rows| rows.end).max().unwrap_or(0);
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
        if estimator == AmortizedEstimator::Standard {
            for parameter in layout.parameters() {
                let rows = parameter.unconstrained.start * lanes..parameter.unconstrained.end * lanes;
                work.adjoints[rows.clone()].copy_from_slice(&direct[rows]);
            }
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

/// The sum of a row over the lanes that count of all tiles, in double precision.
fn sum_of_row<E: Real>(buffers: &Buffers<E>, row: usize, of: impl Fn(&Tile<E>) -> &[E]) -> E {
    let mut sum = 0.0;
    for tile in &buffers.tiles.all {
        let first = row * tile.shape.lanes;
        sum += of(tile)[first..first + tile.shape.real()].iter().map(|x| x.to_f64()).sum::<f64>();
    }
    E::from_f64(sum)
}
