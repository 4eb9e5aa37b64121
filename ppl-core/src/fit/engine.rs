//! A model with where its fits start, and how their gradients are estimated.

use std::time::Instant;

use super::config::{ByName, Checked, Minibatch};
use super::error::FitError;
use super::start::{Points, Rows, begin, finite_start};
use crate::diagnostics::StopReason;
use crate::estimators::{Batched, Estimator, GradientEstimator, Mixed, Pathwise, of_blocks};
use crate::guides::{FittedGuide, FullRank, Guide};
use crate::kernel::Real;
use crate::model::{Batch, Layout, LogJoint, SiteKind};
use crate::objective::KlWeight;
use crate::optimizers::{Curvature, Gaussian, variational_newton};
use crate::random::{antithetic_normals, step_key};

/// What a fit of one guide leaves.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) guide: FittedGuide,
    /// The name of the family, and of the coordinates if they are not those of the model.
    pub(crate) family: String,
    pub(crate) steps: usize,
    pub(crate) stop_reason: StopReason,
    /// Whether it is the top of the bound, but for a Monte Carlo error within the tolerance.
    pub(crate) settled: bool,
    pub(crate) notes: Vec<String>,
}

/// A model with where its fits start.
pub(crate) struct Engine<'a, E: Real> {
    pub(super) model: &'a dyn LogJoint<E>,
    pub(super) config: &'a Checked,
    pub(super) by_name: &'a ByName,
    pub(super) began: Instant,
    pub(super) curvature: Curvature,
    /// The best Gaussian, where it is known from a part of the data.
    gaussian: Option<Gaussian>,
    pub(super) notes: Vec<String>,
}

/// Samples of the noise that stays the same while Newton's method runs.
const FIXED: usize = 32;
/// So many dimensions that few samples compare guides.
const MANY: usize = 50_000;
/// The most turns between a Gaussian and what is held while it is found.
const TURNS: usize = 20;
/// The change of a mean, in units of its conditional standard deviation, at which the turns end.
const TURNED: f64 = 0.05;

impl<'a, E: Real> Engine<'a, E> {
    /// Finds the mode and the curvature there.
    pub(crate) fn new(
        model: &'a dyn LogJoint<E>,
        config: &'a Checked,
        by_name: &'a ByName,
        start: &[f64],
    ) -> Result<Self, FitError> {
        if let Some(batch) = by_name.minibatch {
            if by_name.is_local(model) {
                return Self::of_locals(model, config, by_name, start, batch);
            }
            return Self::of_part(model, config, by_name, start, batch);
        }
        let began = Instant::now();
        let mut notes = Vec::new();
        let mut points = Points::new(model);
        let start = finite_start(model, &mut points, start, config.seed)?;
        let curvature = begin(&mut points, &start, config.seed, &mut notes);
        if let Some(direction) = curvature.loose_direction() {
            notes.push(loose(model.layout(), &direction));
        }
        Ok(Engine { model, config, by_name, began, curvature, gaussian: None, notes })
    }

    /// Finds the mode and the curvature over some elements of a plate, which stand for all of them.
    fn of_part(
        model: &'a dyn LogJoint<E>,
        config: &'a Checked,
        by_name: &'a ByName,
        start: &[f64],
        (plate, rows): (usize, usize),
    ) -> Result<Self, FitError> {
        let (layout, began) = (model.layout(), Instant::now());
        let size = layout.dims[plate].size;
        let some = Minibatch::of_start(rows, size);
        let rows = evenly(some, size);
        let following = model.following(plate, &rows);
        let batch = Batch { plate, size, rows: &rows, following: &following };
        let dimensions = batch.unconstrained(layout);
        let latents: Vec<_> = layout.guided().map(|variable| variable.unconstrained.clone()).collect();
        let part = model.part(&batch)?;
        let own: Vec<f64> = dimensions.iter().map(|&i| start[i]).collect();
        let whole = ByName { blocks: Vec::new(), natives: Vec::new(), estimators: Vec::new(), minibatch: None, journal: None };
        let engine = Engine::new(&*part, config, &whole, &own)?;
        let gaussian = (dimensions.len() == layout.unconstrained()).then(|| engine.gaussian());
        let curvature = engine.curvature.spread(&dimensions, &latents);
        let mut notes = engine.notes;
        notes.extend(started(some, size, layout.dims[plate].name));
        Ok(Engine { model, config, by_name, began, curvature, gaussian, notes })
    }

    /// Of units one around a point: for a guide that brings its own start.
    pub(crate) fn around(model: &'a dyn LogJoint<E>, config: &'a Checked, by_name: &'a ByName, center: &[f64]) -> Self {
        Engine {
            model,
            config,
            by_name,
            began: Instant::now(),
            curvature: Curvature::unit(center, 1.0),
            gaussian: None,
            notes: Vec::new(),
        }
    }

    /// Whether the time of the fit is over.
    pub(super) fn is_over(&self) -> bool {
        self.began.elapsed() > self.config.max_time
    }

    /// Whether the dimensions are few enough for a full-rank guide.
    pub(crate) fn is_dense(&self) -> bool {
        self.curvature.is_dense()
    }

    /// How the gradient of each block of a guide is to be estimated.
    fn estimators(&self, guide: &dyn Guide<E>) -> Vec<Estimator> {
        of_blocks(guide, |dimension| self.by_name.estimators.get(dimension).copied().unwrap_or_default())
    }

    /// Whether the gradient is one that none of the estimators asked for by itself: whole, of the ELBO, along the path.
    pub(super) fn is_plain(&self, guide: &dyn Guide<E>) -> bool {
        self.is_unasked(guide) && self.by_name.minibatch.is_none() && self.config.kl_weight == KlWeight::One
    }

    /// Whether no estimator was asked for.
    pub(super) fn is_unasked(&self, guide: &dyn Guide<E>) -> bool {
        self.estimators(guide).iter().all(|e| *e == Estimator::Auto)
    }

    /// The estimator of stochastic steps.
    pub(super) fn estimator(&self, guide: &dyn Guide<E>, samples: usize) -> Box<dyn GradientEstimator<E> + 'a> {
        let (model, kl_weight) = (self.model, self.config.kl_weight);
        if let Some((plate, rows)) = self.by_name.minibatch {
            let batches = model.batches(plate, rows, self.config.seed);
            let batched = Batched::new(batches, samples, &self.by_name.estimators);
            return Box::new(batched.tempered(kl_weight));
        }
        let estimators = self.estimators(guide);
        let first = estimators.first().copied().unwrap_or_default();
        let pathwise = || Pathwise::new(model, guide, samples, self.config.objective);
        if first.is_score_function() || kl_weight != KlWeight::One || estimators.iter().any(|e| *e != first) {
            return Box::new(Mixed::new(model, guide, samples, &estimators).tempered(kl_weight));
        }
        match first {
            Estimator::Reparameterization | Estimator::ImplicitReparameterization => Box::new(pathwise().sticking(false)),
            Estimator::StickingTheLanding => Box::new(pathwise().sticking(true)),
            _ => Box::new(pathwise()),
        }
    }

    /// The bound that is maximised, over a few thousand samples, for a comparison.
    pub(super) fn bound(&self, guide: &FittedGuide) -> f64 {
        let guide = guide.guide::<E>();
        // Over a large plate few do: what differs by little there differs by many nats.
        let samples = match self.by_name.minibatch {
            Some(_) if guide.dimensions() > MANY => 16,
            Some(_) => 64,
            None => (256 * guide.groups()).max(4096),
        };
        let mut unused = vec![0.0; guide.parameters().len()];
        let key = step_key(self.config.seed, u64::MAX - 13);
        Pathwise::new(self.model, guide, samples, self.config.objective)
            .sticking(false)
            .estimate(self.model, guide, key, &mut unused)
            .elbo
    }

    /// The guide of the highest bound that is finite, of equal ones the first.
    pub(super) fn highest(&self, guides: impl IntoIterator<Item = FittedGuide>) -> Option<FittedGuide> {
        let bounds = guides.into_iter().map(|guide| (self.bound(&guide), guide)).filter(|(bound, _)| bound.is_finite());
        bounds.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, guide)| guide)
    }

    /// The best Gaussian over a few samples that stay the same, or Laplace's approximation.
    pub(super) fn gaussian(&self) -> Gaussian {
        if let Some(known) = &self.gaussian {
            return known.clone();
        }
        let laplace = self.curvature.laplace();
        let (n, points) = (laplace.mean.len(), self.model.layout().points());
        let mut noise = vec![0.0_f64; n * FIXED];
        antithetic_normals(step_key(self.config.seed, u64::MAX - 4), FIXED, &mut noise[..(n - points) * FIXED]);
        let relative_step = if size_of::<E>() == 4 { 5e-3 } else { 6e-6 };
        // Half of the time that is left is for polishing.
        let until = self.began.checked_add(self.config.max_time / 2);
        let mut rows = Rows::new(self.model, FIXED, until);
        let mut newton = |from: &Gaussian| variational_newton(from, points, &noise, relative_step, &mut rows);
        // Precisions are those at what is held: the best probabilities of discrete latents and the Gaussian are found in turns.
        let mut now = laplace;
        for _ in 0..TURNS {
            let mut u = vec![E::default(); n * FIXED];
            let own: Vec<E> = noise[..(n - points) * FIXED].iter().map(|z| E::from_f64(*z)).collect();
            FullRank::with_points(now.clone(), points).sample(&own, FIXED, &mut u);
            let holds = self.model.hold(Some((&u, FIXED)));
            let Some(next) = newton(&now) else { break };
            let moved = (0..n).map(|i| (next.mean[i] - now.mean[i]).abs() * next.precision[i * n + i]).fold(0.0, f64::max);
            now = next;
            if !holds || moved < TURNED {
                break;
            }
        }
        self.model.hold(None);
        now
    }

    pub(super) fn outcome(&self, guide: FittedGuide, steps: usize, stop_reason: StopReason, mut notes: Vec<String>) -> Outcome {
        let degrees = self.degrees(&guide);
        let family = if degrees.is_empty() { guide.name() } else { format!("{} of residuals", guide.name()) };
        notes.extend(degrees);
        Outcome { guide, family, steps, stop_reason, settled: false, notes }
    }

    /// How far each location-scale latent is guided as written.
    fn degrees(&self, guide: &FittedGuide) -> Vec<String> {
        let (layout, guide) = (self.model.layout(), guide.guide::<E>());
        // Points are where they are without noise as well.
        let lanes = E::LANE_MULTIPLE;
        let mut u = vec![E::default(); guide.dimensions() * lanes];
        guide.sample(&vec![E::default(); guide.noise() * lanes], lanes, &mut u);
        let degrees = layout.variables.iter().filter(|variable| variable.kind == SiteKind::Degree);
        degrees
            .map(|degree| {
                let (name, c) = (degree.name, u[degree.unconstrained.start * lanes].to_f64());
                format!("`{name}` is guided through its residual, of degree of centring {c:.2} (1: as written, 0: standardized)")
            })
            .collect()
    }
}

/// So many elements of a plate, evenly spread: it may be sorted.
pub(super) fn evenly(some: usize, size: usize) -> Vec<usize> {
    (0..some).map(|i| i * size / some).collect()
}

/// That a fit started from some elements of a plate.
pub(super) fn started(some: usize, size: usize, plate: &str) -> Option<String> {
    (some < size).then(|| format!("the fit started from {some} of {size} elements of `{plate}`"))
}

/// That the data and the priors leave a direction open: the latents that make it up.
fn loose(layout: &Layout, direction: &[f64]) -> String {
    let mut order: Vec<usize> = (0..direction.len()).filter(|&i| direction[i].abs() > 0.05).collect();
    order.sort_by(|&a, &b| direction[b].abs().total_cmp(&direction[a].abs()));
    let sign = |i: usize| if (direction[i] < 0.0) == (direction[order[0]] < 0.0) { "+" } else { "-" };
    let terms: Vec<String> = order.iter().take(6).map(|&i| format!("{} `{}`", sign(i), layout.unconstrained_name(i))).collect();
    let more = if order.len() > 6 { format!(" and {} more", order.len() - 6) } else { String::new() };
    format!(
        "not identified: neither data nor priors tell {}{more} apart from itself shifted; give one of them a proper prior, or leave it out",
        terms.join(" ").trim_start_matches("+ ")
    )
}
