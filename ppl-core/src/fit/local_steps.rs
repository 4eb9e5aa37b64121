//! Steps over batches of a plate that latents are over: what a step costs depends on the batch, not on how many elements there are.

use std::ops::ControlFlow;

use super::blame::blame;
use super::climb::PATIENCE;
use super::config::{ByName, Checked, Minibatch};
use super::engine::{Engine, Outcome, evenly, started};
use super::error::{FitError, LastState};
use super::journal::Progress;
use super::observer::{Observer, StepInfo, tell};
use super::stopping::{Verdict, Windows};
use crate::archive::Archive;
use crate::diagnostics::StopReason;
use crate::estimators::{Batched, GradientEstimator as _, Part};
use crate::guides::{FittedGuide, natural_step};
use crate::kernel::Real;
use crate::model::{Batch, Batches, LogJoint, Same};
use crate::optimizers::{Curvature, Optimizer, StepRule, robbins_monro};
use crate::random::{shuffle, step_key};

/// The exponent of the schedules of Robbins and Monro, where the configuration names none.
pub(super) const FORGETTING: f64 = 0.7;
/// The noise of the first steps of what is not over the plate, in standard deviations of the guide.
const FIRST: f64 = 0.25;
/// Steps over some elements, to find where those over batches start.
const STEPS_OF_START: usize = 300;
/// Their delay, and the scale from which they start.
const DELAY_OF_START: f64 = 10.0;
const NARROW: f64 = 0.1;
/// The elements whose latents the stop rule looks at, beside all that is not over the plate.
const WATCHED: usize = 32;
/// Steps of latents alone, when their element is visited for the first time.
const ALONE: u32 = 4;

impl<'a, E: Real> Engine<'a, E> {
    /// Finds where the steps start: the best mean-field Gaussian of some elements, which stand for all of them. (There may be no mode: where the scale of the latents is
    /// a latent too, the density rises without end as it goes to zero.)
    pub(super) fn of_locals(
        model: &'a dyn LogJoint<E>,
        config: &'a Checked,
        by_name: &'a ByName,
        start: &[f64],
        (plate, _): (usize, usize),
    ) -> Result<Self, FitError> {
        let (layout, size) = (model.layout(), model.layout().dims[plate].size);
        let rows = evenly(Minibatch::START.min(size), size);
        let natural = Checked {
            optimizer: Optimizer::NaturalGradient { delay: DELAY_OF_START, forgetting: FORGETTING },
            max_steps: STEPS_OF_START,
            ..*config
        };
        let mut engine = Engine::around(model, config, by_name, start);
        let same = Box::new(Same { plate, size, rows: rows.clone() });
        // Narrow at first: an expectation over a wide guide is that of its tails.
        let mut narrow = Engine::around(model, &natural, by_name, start);
        narrow.curvature = Curvature::unit(start, NARROW);
        let best = narrow.ascend_local((plate, rows.len()), same, &mut [])?.guide;
        let FittedGuide::MeanField(best) = best else { return Ok(engine) };
        let following = model.following(plate, &rows);
        let dimensions = Batch { plate, size, rows: &rows, following: &following }.unconstrained(layout);
        let latents: Vec<_> = layout.guided().map(|variable| variable.unconstrained.clone()).collect();
        let mut curvature = Curvature::unit(&dimensions.iter().map(|&i| best.loc()[i]).collect::<Vec<_>>(), 1.0);
        for (own, &i) in curvature.diagonal.iter_mut().zip(&dimensions) {
            *own = best.log_scale().get(i).map_or(1.0, |log_scale| (-2.0 * log_scale).exp());
        }
        engine.curvature = curvature.spread(&dimensions, &latents);
        engine.notes = started(rows.len(), size, layout.dims[plate].name).into_iter().collect();
        Ok(engine)
    }

    /// Steps of a mean-field Gaussian until the averages of windows of what is not over the plate, and of the latents of some random elements, no longer move.
    pub(super) fn climb_local(
        &self,
        minibatch: (usize, usize),
        observers: &mut [Box<dyn Observer>],
    ) -> Result<Outcome, FitError> {
        let (plate, rows) = minibatch;
        self.ascend_local(minibatch, self.model.batches(plate, rows, self.config.seed), observers)
    }

    /// As [`climb_local`](Engine::climb_local), over these batches.
    ///
    /// Latents of the elements take natural-gradient steps whose length falls with how often their element was visited, from one. What is not over the plate does as
    /// well, with the schedule of [`Optimizer::NaturalGradient`], or goes by the rule that the configuration names.
    fn ascend_local(
        &self,
        (plate, rows): (usize, usize),
        batches: Box<dyn Batches<E> + '_>,
        observers: &mut [Box<dyn Observer>],
    ) -> Result<Outcome, FitError> {
        let (model, config, layout) = (self.model, self.config, self.model.layout());
        let size = layout.dims[plate].size;
        let guide = FittedGuide::MeanField(self.independent());
        let estimator = Batched::new(batches, config.samples, &self.by_name.estimators).tempered(config.kl_weight);
        let watched = Watched::new(model, (plate, size), config.seed);
        let windows = Windows::new(watched.parameters.len(), config.tolerance);
        let ascent = Ascent {
            units: self.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect(),
            visits: vec![0; size],
            squares: vec![0.0; layout.points()],
            globals: Globals::new(config.optimizer, config.step, watched.globals, size as f64 / rows as f64),
        };
        observers.iter_mut().for_each(|observer| observer.on_start(layout.model, config.max_steps));
        let batch = Some((rows, size));
        let mut entry = self.entry(&guide, 0.0);
        let mut s = Steps { at: Progress::new(1.0), guide, last: (0, f64::NAN), estimator, windows, ascent };
        entry.go_on(&mut |archive| s.archive(archive))?;
        let mut stop_reason = StopReason::MaxSteps;
        while s.at.steps < config.max_steps && !s.at.converged {
            let step = s.at.steps;
            s.at.steps += 1;
            let Some(elbo) = s.step(model, step_key(config.seed, step as u64)) else {
                s.at.bad += 1;
                s.at.undone += 1;
                if s.at.bad >= PATIENCE {
                    let culprit = blame(model, s.estimator.draws(), s.estimator.log_densities());
                    let last = LastState { step: s.last.0, guide: s.guide, elbo: s.last.1 };
                    return Err(FitError::NonFinite { step, culprit, last: Box::new(last) });
                }
                s.at.rate *= 0.5;
                s.windows.restart();
                continue;
            };
            s.at.bad = 0;
            s.last = (step, elbo);
            let parameters = s.guide.guide::<E>().parameters();
            if !observers.is_empty() {
                let (elapsed, rate) = (s.at.elapsed(), s.at.rate * s.ascent.length(step));
                let info = StepInfo { step, max_steps: config.max_steps, elbo, rate, elapsed, parameters, batch };
                if tell(observers, &info) {
                    stop_reason = StopReason::Asked;
                    break;
                }
            }
            // What is maximised still changes.
            if step < config.kl_weight.steps() {
                s.windows.restart();
            }
            let units = &s.ascent.units;
            match s.windows.add(&watched.of(parameters), |_, of| watched.units(parameters, units, of)) {
                Verdict::GoOn => {}
                Verdict::Halve => s.at.rate *= 0.5,
                Verdict::Converged => s.at.converged = true,
            }
            if !s.at.converged && step.is_multiple_of(32) && self.began.elapsed() + s.at.earlier > config.max_time {
                stop_reason = StopReason::MaxTime;
                break;
            }
            entry.save(&mut |archive| s.archive(archive))?;
        }
        entry.save_last(&mut |archive| s.archive(archive))?;
        if s.at.converged {
            stop_reason = StopReason::Converged;
        }
        let Steps { at, mut guide, windows, ascent, .. } = s;
        // Latents of the elements are averages over their visits already.
        let parameters = guide.guide_mut::<E>().parameters_mut();
        let average = windows.average(&watched.of(parameters));
        let globals = watched.parameters.iter().zip(average).take(watched.globals);
        globals.for_each(|(&parameter, x)| parameters[parameter] = x);
        observers.iter_mut().for_each(|observer| observer.on_stop(&stop_reason));
        let mut notes = self.notes.clone();
        let undone = at.undone;
        if undone > 0 {
            notes.push(format!(
                "{undone} steps met a log density that was not finite; they were left out, and later ones shorter"
            ));
        }
        let never = ascent.visits.iter().filter(|&&visits| visits == 0).count();
        if never > 0 {
            let (name, enough) = (layout.dims[plate].name, 10 * size.div_ceil(rows));
            notes.push(format!(
                "{never} of {size} elements of `{name}` were never visited, and their latents are where they began: `max_steps` of {enough} go through all of them ten times"
            ));
        }
        Ok(self.outcome(guide, at.steps, stop_reason, notes))
    }
}

/// All that the loop goes on from.
struct Steps<'e, E: Real> {
    /// Its rate is what the steps of what is not over the plate are multiplied by.
    at: Progress,
    guide: FittedGuide,
    last: (usize, f64),
    estimator: Batched<'e, E>,
    windows: Windows,
    ascent: Ascent,
}

impl<E: Real> Steps<'_, E> {
    fn archive(&mut self, archive: &mut Archive) {
        self.at.archive(archive);
        archive.numbers(self.guide.guide_mut::<E>().parameters_mut());
        archive.count(&mut self.last.0);
        archive.number(&mut self.last.1);
        self.estimator.archive(archive);
        self.windows.archive(archive);
        self.ascent.archive(archive);
    }

    /// A step over the next batch, and the ELBO before it; none where that is no number, and scales are narrower from there.
    fn step(&mut self, model: &dyn LogJoint<E>, key: u64) -> Option<f64> {
        let (ascent, bad) = (&mut self.ascent, self.at.bad);
        let rate = self.at.rate * ascent.length(self.at.steps - 1);
        let (mut elbo, mut earlier) = (None, 0);
        self.estimator.over_next(model, self.guide.guide_mut(), key, &mut |parameters, estimate, part| {
            if !(estimate.elbo.is_finite() && part.gradient.iter().all(|g| g.is_finite())) {
                let scales = part.parameters.iter().skip(part.dimensions.len());
                scales.for_each(|&scale| parameters[scale] -= 0.5 * (bad + 1) as f64);
                return ControlFlow::Break(());
            }
            // What is not over the plate waits for latents that are where they began.
            let is_new = earlier < ALONE && part.rows.iter().any(|&row| ascent.visits[row] == earlier);
            earlier += 1;
            ascent.step(part, parameters);
            if is_new {
                return ControlFlow::Continue(());
            }
            ascent.step_globals(rate, part, parameters);
            elbo = Some(estimate.elbo);
            ControlFlow::Break(())
        });
        elbo
    }
}

/// What the steps keep of the past.
struct Ascent {
    /// The scale of each dimension at the start: of points, which have no other, the unit.
    units: Vec<f64>,
    /// How often each element of the plate was visited.
    visits: Vec<u32>,
    /// Of dimensions that are points the sum of the squares of their gradients, for the steps of Adagrad (Duchi, Hazan & Singer 2011).
    squares: Vec<f64>,
    globals: Globals,
}

/// How what is not over the plate moves.
enum Globals {
    Natural {
        delay: f64,
        forgetting: f64,
    },
    /// In units of the curvature, with what is moved: the gradient and then the step.
    Rule {
        rule: Box<dyn StepRule>,
        rate: f64,
        moved: Vec<f64>,
    },
}

impl Globals {
    fn new(optimizer: Optimizer, step: Option<f64>, parameters: usize, scale: f64) -> Self {
        match optimizer {
            Optimizer::Auto => {
                Globals::Natural { delay: (scale.sqrt() / FIRST).powf(FORGETTING.recip()).max(1.0), forgetting: FORGETTING }
            }
            Optimizer::NaturalGradient { delay, forgetting } => Globals::Natural { delay, forgetting },
            other => {
                let lengths = other.lengths();
                let rate = step.unwrap_or(lengths[lengths.len() / 2]);
                Globals::Rule { rule: other.rule(parameters), rate, moved: Vec::with_capacity(parameters) }
            }
        }
    }
}

impl Ascent {
    /// Writes all that it has seen, or reads it.
    fn archive(&mut self, archive: &mut Archive) {
        for visits in &mut self.visits {
            let mut word = u64::from(*visits);
            archive.word(&mut word);
            *visits = u32::try_from(word).unwrap_or(u32::MAX);
        }
        archive.numbers(&mut self.squares);
        if let Globals::Rule { rule, .. } = &mut self.globals {
            rule.archive(archive);
        }
    }

    /// The length of a step of what is not over the plate.
    fn length(&self, step: usize) -> f64 {
        match self.globals {
            Globals::Natural { delay, forgetting } => robbins_monro(step, delay, forgetting),
            Globals::Rule { rate, .. } => rate,
        }
    }

    /// The length of a step of the latents of an element.
    fn rate_of(&self, element: usize) -> f64 {
        let forgetting = if let Globals::Natural { forgetting, .. } = self.globals { forgetting } else { FORGETTING };
        robbins_monro(self.visits[element] as usize, 1.0, forgetting)
    }

    /// A step of the latents of the elements of a batch.
    fn step(&mut self, part: &Part, parameters: &mut [f64]) {
        let (count, spread) = (part.dimensions.len(), part.spread());
        for (i, owner) in part.owners.iter().enumerate() {
            let Some(element) = owner else { continue };
            // The gradient is that of all elements for which this one stands.
            let (rate, share) = (self.rate_of(*element), part.scale.recip());
            self.natural_step((i, (i < spread).then_some(count + i)), rate, share, part, parameters);
        }
        part.rows.iter().for_each(|&row| self.visits[row] += 1);
    }

    /// A step of what is not over the plate.
    fn step_globals(&mut self, rate: f64, part: &Part, parameters: &mut [f64]) {
        let (count, spread) = (part.dimensions.len(), part.spread());
        let own = |i: &usize| part.owners[*i].is_none();
        let Globals::Rule { rule, moved, .. } = &mut self.globals else {
            for i in (0..count).filter(own) {
                self.natural_step((i, (i < spread).then_some(count + i)), rate.min(1.0), 1.0, part, parameters);
            }
            return;
        };
        let unit = |i: usize| self.units[part.dimensions[i]];
        moved.clear();
        moved.extend((0..count).filter(own).map(|i| part.gradient[i] * unit(i)));
        // The Fisher information of the logarithm of a scale is two.
        moved.extend((0..spread).filter(own).map(|i| part.gradient[count + i] * 0.5));
        rule.step(rate, moved);
        let locations = (0..count).filter(own).map(|i| (part.parameters[i], unit(i)));
        let scales = (0..spread).filter(own).map(|i| (part.parameters[count + i], 1.0));
        locations.chain(scales).zip(moved).for_each(|((at, unit), step)| parameters[at] += unit * *step);
    }

    /// A natural-gradient step of one dimension, or of a point one of Adagrad; told is where in a part its location stands, and its scale if it is distributed.
    fn natural_step(&mut self, (loc, scale): (usize, Option<usize>), rate: f64, share: f64, part: &Part, parameters: &mut [f64]) {
        let d_loc = share * part.gradient[loc];
        let Some(scale) = scale else {
            // Nothing tells the scale of a point but its gradients.
            let first = self.units.len() - self.squares.len();
            let square = &mut self.squares[part.dimensions[loc] - first];
            *square += d_loc * d_loc;
            parameters[part.parameters[loc]] += d_loc / square.sqrt().max(f64::MIN_POSITIVE);
            return;
        };
        let d_scale = share * part.gradient[scale];
        let (to_loc, to_scale) = natural_step(parameters[part.parameters[scale]], [rate, rate], d_loc, d_scale);
        parameters[part.parameters[loc]] += to_loc;
        parameters[part.parameters[scale]] += to_scale;
    }
}

/// What the stop rule looks at: the parameters of the guide, first those that are not over the plate.
struct Watched {
    parameters: Vec<usize>,
    globals: usize,
    /// The number of dimensions: the scales of those that are distributed follow the locations of all.
    dimensions: usize,
}

impl Watched {
    fn new<E: Real>(model: &dyn LogJoint<E>, (plate, size): (usize, usize), seed: u64) -> Self {
        let layout = model.layout();
        let (dimensions, spread) = (layout.unconstrained(), layout.unconstrained() - layout.points());
        let mut rows: Vec<usize> = (0..size).collect();
        shuffle(step_key(seed, u64::MAX - 18), &mut rows);
        rows.truncate(WATCHED);
        let (mut globals, mut locals) = (Vec::new(), Vec::new());
        let following = model.following(plate, &rows);
        Batch { plate, size, rows: &rows, following: &following }.each_dimension(layout, |dimension, owner| {
            let own = if owner.is_some() { &mut locals } else { &mut globals };
            own.push(dimension);
            if dimension < spread {
                own.push(dimensions + dimension);
            }
        });
        Watched { globals: globals.len(), parameters: [globals, locals].concat(), dimensions }
    }

    fn of(&self, parameters: &[f64]) -> Vec<f64> {
        self.parameters.iter().map(|&i| parameters[i]).collect()
    }

    /// The change of each that matters: of a location the scale of the guide, or of a point the unit.
    fn units(&self, parameters: &[f64], points: &[f64], units: &mut [f64]) {
        for (unit, &i) in units.iter_mut().zip(&self.parameters) {
            *unit = match parameters.get(self.dimensions + i) {
                _ if i >= self.dimensions => 1.0,
                Some(log_scale) => log_scale.exp(),
                None => points[i],
            };
        }
    }
}
