//! One evaluation of the bound over a batch of rows, and its gradient.

use super::divergence::{ClosedForm, from_draws};
use super::networks::{Learned, Store};
use super::objective::weigh;
use super::plan::{Action, Located, Plan, Source, Wired};
use super::transform::Drawn;
use super::transpose::{Columns, LaneShape};
use super::{AmortizedError, AmortizedEstimator, AmortizedObjective, BadQuantity, RowInput};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, SiteKind, Weights, Workspace};
use crate::networks::{Mode, Pass, Work};
use crate::random::normals;

/// A model of one row and a guide of it, bound and resolved.
pub(super) struct Engine<'a, E: Real> {
    pub(super) model: &'a dyn LogJoint<E>,
    pub(super) guide: &'a dyn LogJoint<E>,
    pub(super) model_plan: &'a Plan,
    pub(super) guide_plan: &'a Plan,
    pub(super) data: &'a [RowInput<'a, E>],
    /// The factors of the model that are densities of latents.
    pub(super) prior: Vec<usize>,
}

impl<E: Real> std::fmt::Debug for Engine<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("model_plan", &self.model_plan)
            .field("guide_plan", &self.guide_plan)
            .finish_non_exhaustive()
    }
}

/// What a call keeps.
#[derive(Debug)]
pub(super) struct CallBuffers<E> {
    /// `[row][inputs]`
    x: Vec<E>,
    /// `[row][outputs]`
    y: Vec<E>,
    y_adjoint: Vec<E>,
    x_adjoint: Vec<E>,
    work: Work<E>,
}

impl<E: Real> CallBuffers<E> {
    fn new(call: &Wired, shape: LaneShape) -> Self {
        let rows = known(call, shape);
        let zeros = |columns: usize| vec![E::default(); rows * columns];
        CallBuffers {
            x: zeros(call.inputs),
            y: zeros(call.outputs),
            y_adjoint: zeros(call.outputs),
            x_adjoint: zeros(if call.passes_on() { call.inputs } else { 0 }),
            work: Work::new(),
        }
    }
}

/// How many rows a call is of: those of the batch, or all lanes that count.
fn known(call: &Wired, shape: LaneShape) -> usize {
    if call.of_row { shape.batch } else { shape.real() }
}

/// The buffers of a model or of a guide.
#[derive(Debug)]
pub(super) struct Half<E> {
    pub(super) work: Workspace<E>,
    pub(super) weights: Weights<E>,
    /// The log density of each lane, in nats.
    pub(super) log: Vec<f64>,
    pub(super) log_det: Vec<f64>,
    calls: Vec<CallBuffers<E>>,
}

impl<E: Real> Half<E> {
    pub(super) fn new(density: &dyn LogJoint<E>, plan: &Plan, shape: LaneShape) -> Self {
        Half {
            work: density.workspace(shape.lanes),
            weights: density.unit_weights(shape.lanes),
            log: vec![0.0; shape.lanes],
            log_det: vec![0.0; shape.lanes],
            calls: plan.calls.iter().map(|call| CallBuffers::new(call, shape)).collect(),
        }
    }

    fn set_mode(&mut self, mode: Mode) {
        for (index, call) in self.calls.iter_mut().enumerate() {
            call.work.set_mode(match mode {
                Mode::Evaluate => Mode::Evaluate,
                Mode::Train { key } => Mode::Train { key: crate::random::step_key(key, index as u64) },
            });
        }
    }
}

/// All buffers of an evaluation over batches of one size.
#[derive(Debug)]
pub(super) struct Buffers<E> {
    pub(super) shape: LaneShape,
    pub(super) model: Half<E>,
    pub(super) guide: Half<E>,
    /// The inputs of the batch, `[row][column]` each.
    pub(super) inputs: Vec<Vec<E>>,
    /// Standard normal noise, `[latent row][lane]`.
    pub(super) noise: Vec<E>,
    /// The direct derivative of `log q` by the unconstrained numbers of the guide, `[row][lane]`.
    direct: Vec<E>,
    /// `log p - log q` of each lane.
    pub(super) ratios: Vec<f64>,
    /// The divergence of each lane: `log q - log prior`, or the closed form.
    pub(super) divergence: Vec<f64>,
    /// Of the closed form, whether the divergence counts: for each latent row, as the noise.
    pub(super) above: Vec<bool>,
    /// The bound of each row of the batch.
    pub(super) bounds: Vec<f64>,
    weights: Vec<E>,
    /// The derivative of what is maximised by the divergence of each lane.
    of_divergence: Vec<E>,
    shares: Vec<E>,
    /// The log densities of the rows of one factor.
    pub(super) factor: Vec<E>,
    /// Gradients of networks that are not wanted.
    unwanted: Vec<E>,
}

impl<E: Real> Buffers<E> {
    /// Writes the bound of each row; the mean over the batch.
    pub(super) fn weigh(&mut self, objective: AmortizedObjective) -> f64 {
        weigh(objective, self.shape, &self.ratios, &mut self.bounds, &mut self.weights, &mut self.shares);
        self.bounds.iter().sum::<f64>() / self.shape.batch as f64
    }

    /// The first lane that counts whose log ratio is not finite.
    pub(super) fn first_bad_lane(&self) -> Option<usize> {
        (0..self.shape.real()).find(|&lane| !self.ratios[lane].is_finite())
    }
}

/// How the gradient of a step is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steering<'a> {
    pub(super) estimator: AmortizedEstimator,
    /// The weight of the prior and of `log q`.
    pub(super) kl_weight: f64,
    /// The closed form that stands for the prior and for `log q`.
    pub(super) closed: Option<&'a ClosedForm>,
}

impl Steering<'_> {
    /// The bound as it is, from draws.
    pub(super) const PLAIN: Self = Steering { estimator: AmortizedEstimator::Standard, kl_weight: 1.0, closed: None };
}

impl<'a, E: Real> Engine<'a, E> {
    pub(super) fn new(
        model: (&'a dyn LogJoint<E>, &'a Plan),
        guide: (&'a dyn LogJoint<E>, &'a Plan),
        data: &'a [RowInput<'a, E>],
    ) -> Self {
        let graph = model.0.graph();
        let is_prior = |site: usize| graph.sites[site].kind == SiteKind::Latent;
        let prior = (0..graph.factors.len()).filter(|&factor| graph.factors[factor].site.is_some_and(is_prior)).collect();
        Engine { model: model.0, guide: guide.0, model_plan: model.1, guide_plan: guide.1, data, prior }
    }

    /// Buffers for batches of so many rows.
    pub(super) fn buffers(&self, batch: usize, samples: usize) -> Buffers<E> {
        let shape = LaneShape::new::<E>(batch, samples);
        let zeros = |rows: usize| vec![E::default(); rows * shape.lanes];
        let noise: usize = self.guide_plan.located.iter().map(|located| located.rows.len()).sum();
        let factor_rows = self.prior.iter().map(|&factor| self.model.factor_rows(factor)).max().unwrap_or(0);
        Buffers {
            shape,
            model: Half::new(self.model, self.model_plan, shape),
            guide: Half::new(self.guide, self.guide_plan, shape),
            inputs: self.data.iter().map(|input| vec![E::default(); batch * input.columns]).collect(),
            noise: zeros(noise),
            direct: zeros(self.guide.layout().unconstrained()),
            ratios: vec![0.0; shape.lanes],
            divergence: vec![0.0; shape.lanes],
            above: vec![true; noise],
            bounds: vec![0.0; batch],
            weights: zeros(1),
            of_divergence: zeros(1),
            shares: zeros(1),
            factor: zeros(factor_rows),
            unwanted: Vec::new(),
        }
    }

    /// Puts rows of data in their places, as they are drawn.
    pub(super) fn fill(&self, rows: &[usize], drawn: Drawn<'_>, buffers: &mut Buffers<E>) -> Result<(), AmortizedError> {
        for (input, to) in self.data.iter().zip(&mut buffers.inputs) {
            drawn.copy_rows(input, rows, to)?;
        }
        let shape = buffers.shape;
        for (plan, half) in [(self.model_plan, &mut buffers.model), (self.guide_plan, &mut buffers.guide)] {
            fill_inputs(plan, &buffers.inputs, shape, &mut half.work.values);
        }
        Ok(())
    }

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
        self.prepare(store, model);
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
        self.prepare(store, model);
        Ok(())
    }

    /// Computes the latents and parameters of the model from its unconstrained numbers.
    pub(super) fn prepare(&self, store: &Store<'_, E>, model: &mut Half<E>) {
        fill_globals(self.model_plan, &store.globals[..store.of_model_globals], &mut model.work);
        model.log_det.fill(0.0);
        self.model.constrain(&mut model.work, &mut model.log_det);
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
        let Buffers { shape, model, guide, weights: lane_weights, of_divergence, above, .. } = buffers;
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

    /// What is not finite first in a lane, in the order of evaluation.
    pub(super) fn blame(&self, lane: usize, closed: Option<&ClosedForm>, buffers: &mut Buffers<E>) -> BadQuantity {
        let (lanes, row) = (buffers.shape.lanes, lane % buffers.shape.batch);
        for (input, data) in self.data.iter().zip(&buffers.inputs) {
            let own = &data[row * input.columns..(row + 1) * input.columns];
            if let Some(at) = own.iter().position(|x| !x.to_f64().is_finite()) {
                return BadQuantity { name: format!("{}[{at}]", input.name), value: own[at].to_f64() };
            }
        }
        let of_guide = bad_variable(self.guide.layout(), &buffers.guide.work, lane, true);
        if let Some(bad) = of_guide.or_else(|| bad_variable(self.model.layout(), &buffers.model.work, lane, false)) {
            return bad;
        }
        if !buffers.guide.log[lane].is_finite() {
            return BadQuantity { name: "log density of the guide".to_owned(), value: buffers.guide.log[lane] };
        }
        if let Some((name, value)) = closed.and_then(|closed| closed.first_bad(self, lane, buffers)) {
            return BadQuantity { name, value };
        }
        let graph = self.model.graph();
        for (factor, known) in graph.factors.iter().enumerate() {
            let rows = self.model.factor_rows(factor);
            let mut out = vec![E::default(); rows * lanes];
            self.model.log_prob_rows(factor, 0..rows, &mut buffers.model.work, &mut out);
            if let Some(bad) = out.iter().skip(lane).step_by(lanes).find(|x| !x.to_f64().is_finite()) {
                return BadQuantity { name: known.text.to_owned(), value: bad.to_f64() };
            }
        }
        BadQuantity { name: "the sum of all terms".to_owned(), value: buffers.ratios[lane] }
    }
}

/// The first number of a layout that is not finite in a lane: of a guide, results, locations, scales and latents; of a model, all but what is observed.
fn bad_variable<E: Real>(layout: &Layout, work: &Workspace<E>, lane: usize, guide: bool) -> Option<BadQuantity> {
    let at = |row: usize| work.values[row * work.samples + lane].to_f64();
    let parameters =
        layout.parameters().flat_map(|v| v.rows.clone().enumerate().map(move |(i, row)| (layout.element_name(v, i), row)));
    let located = layout.centred.iter().flat_map(|centred| {
        let v = &layout.variables[centred.variable];
        let of = |what: &'static str, rows: std::ops::Range<usize>| {
            rows.enumerate().map(move |(i, row)| (format!("{what} of {}", layout.element_name(v, i)), row))
        };
        of("location", centred.location.clone()).chain(of("scale", centred.scale.clone()))
    });
    let located = located.filter(|_| guide);
    let latents = layout.latents().flat_map(|v| v.rows.clone().enumerate().map(move |(i, row)| (layout.element_name(v, i), row)));
    let mut all = parameters.chain(located).chain(latents);
    all.find(|(_, row)| !at(*row).is_finite()).map(|(name, row)| BadQuantity { name, value: at(row) })
}

/// Puts the inputs of the batch in their rows.
pub(super) fn fill_inputs<E: Real>(plan: &Plan, inputs: &[Vec<E>], shape: LaneShape, values: &mut [E]) {
    for (input, rows) in &plan.inputs {
        let columns = Columns { of: rows.len(), first: 0, known: shape.batch };
        shape.to_lanes(&inputs[*input], columns, rows.clone(), values);
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

/// Applies a network.
fn forward<E: Real>(
    call: &Wired,
    network: &Learned<'_, E>,
    shape: LaneShape,
    inputs: &[Vec<E>],
    buffers: &mut CallBuffers<E>,
    values: &mut [E],
) -> Result<(), AmortizedError> {
    let rows = known(call, shape);
    let CallBuffers { x, y, work, .. } = buffers;
    for operand in &call.operands {
        let columns = operand.columns;
        match &operand.source {
            Source::Input(index) => {
                let from = &inputs[*index];
                for (lane, x) in x.chunks_exact_mut(call.inputs).enumerate() {
                    let row = lane % shape.batch;
                    x[operand.first..operand.first + columns].copy_from_slice(&from[row * columns..(row + 1) * columns]);
                }
            }
            Source::Latent(from) | Source::Result(from) => {
                shape.to_features(values, from.clone(), false, x, Columns { of: call.inputs, first: operand.first, known: rows });
            }
        }
    }
    network.forward(x, rows, work, y)?;
    for result in &call.results {
        let columns = Columns { of: call.outputs, first: result.first, known: rows };
        shape.to_lanes(y, columns, result.rows.clone(), values);
    }
    Ok(())
}

/// Pulls the adjoints of the results of a call back, to its network and to the buffer of its operands.
fn pull_call<E: Real>(
    call: &Wired,
    network: &mut Learned<'_, E>,
    shape: LaneShape,
    buffers: &mut CallBuffers<E>,
    adjoints: &[E],
    unwanted: Option<&mut Vec<E>>,
) -> Result<(), AmortizedError> {
    let rows = known(call, shape);
    if network.held && !call.passes_on() {
        return Ok(());
    }
    let CallBuffers { x, y, y_adjoint, x_adjoint, work } = buffers;
    for result in &call.results {
        let columns = Columns { of: call.outputs, first: result.first, known: rows };
        shape.to_features(adjoints, result.rows.clone(), call.of_row, y_adjoint, columns);
    }
    x_adjoint.fill(E::default());
    let of_x = call.passes_on().then_some(x_adjoint.as_mut_slice());
    network.pull(Pass { rows, x, y, y_adjoint }, work, of_x, unwanted)
}

/// Adds the adjoints of some operands of a call to theirs.
fn add_operands<E: Real>(
    call: &Wired,
    shape: LaneShape,
    buffers: &CallBuffers<E>,
    adjoints: &mut [E],
    wanted: impl Fn(&Source) -> bool,
) {
    for operand in call.operands.iter().filter(|operand| wanted(&operand.source)) {
        if let Source::Latent(rows) | Source::Result(rows) = &operand.source {
            let columns = Columns { of: call.inputs, first: operand.first, known: known(call, shape) };
            shape.add_to_lanes(&buffers.x_adjoint, columns, rows.clone(), adjoints);
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
