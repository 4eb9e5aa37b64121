//! The configuration of a fit, checked into another type before the first step.

use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::journal::Journal;
use super::observer::Observer;
use crate::checkpoint::Checkpoint;
use crate::estimators::Estimator;
use crate::guides::{Family, NativeFamily};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, Variable};
use crate::objective::{KlWeight, Objective};
use crate::optimizers::Optimizer;

/// How to fit; every field has a default that needs no tuning.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
/// let config = Bbvi { seed: 7, ..Bbvi::default() };
/// assert_eq!(config.samples, 16);
/// ```
#[derive(Debug)]
pub struct Bbvi {
    /// Monte Carlo samples a step; rounded up to a multiple of 8 (16 in single precision). Default 16; range 1 to 4096.
    pub samples: usize,
    /// The most steps. Default 50 000; range 1 and up.
    pub max_steps: usize,
    /// The most time. Default 10 minutes.
    pub max_time: Duration,
    /// The length of the first stochastic steps, in units of the curvature at the mode. Default none: of those of [`Optimizer::lengths`] the longest that
    /// leads, in 50 steps, about as high as any (a flow: 0.2). Range above 0, at most 100.
    pub step: Option<f64>,
    /// The change of the averaged parameters, in standard deviations of the guide, below which the fit is done.
    /// Default 0.01; range above 0, at most 1.
    pub tolerance: f64,
    /// The seed of all randomness: the same seed gives the same bits. Default 0.
    pub seed: u64,
    /// Draws for the ELBO, the Pareto k and the summary. Default 4000; range 100 to 1 000 000.
    pub draws: usize,
    /// Which families of guides are tried. Default [`Family::Auto`].
    pub family: Family,
    /// For [`Family::Blocks`]: names of latents that are in one block; each of the others is a block of its own. Default none.
    pub blocks: Vec<Vec<String>>,
    /// Families of latents on their own supports, by name: `("rate", NativeFamily::Gamma)`. With any of them the guide is of independent latents, those without a name here normal on
    /// the unconstrained scale; [`family`](Bbvi::family) stays [`Family::Auto`] then. Default none: [`Family::Auto`] tries them where they promise a better bound.
    pub families: Vec<(String, NativeFamily)>,
    /// How gradients are estimated. Default [`Estimator::Auto`]. Any other goes by stochastic steps instead of fixed noise; with the score function
    /// [`Family::Auto`] is the mean-field Gaussian, since one block of all dimensions has nothing to be Rao-Blackwellized.
    pub estimator: Estimator,
    /// The estimators of some latents, by name, in place of [`estimator`](Bbvi::estimator); where one block of the guide holds several latents, that of the
    /// first that is named. Default none.
    pub estimators: Vec<(String, Estimator)>,
    /// Steps over some elements of a plate at a time instead of all. Default none.
    pub minibatch: Option<Minibatch>,
    /// The weight of the divergence from the prior over the first steps, which are then stochastic ones. Default [`KlWeight::One`].
    pub kl_weight: KlWeight,
    /// How long [`Family::Auto`] may go on to richer families, where importance weights cannot correct the best Gaussian. Default 2 seconds; zero for
    /// Gaussians alone. A fit that this cuts short does not have the same bits again.
    pub search_time: Duration,
    /// How the bound is climbed. Default [`Optimizer::Auto`].
    pub optimizer: Optimizer,
    /// From how many points the fit is begun, in parallel; the best bound is kept. The first is the initial values, the others are two standard normals
    /// away from them. Default 1; range 1 to 1000.
    pub restarts: usize,
    /// What is maximised. Default [`Objective::Elbo`]; bounds of several samples take guides without strata.
    pub objective: Objective,
    /// Initial values of latents and parameters, by name, on the constrained scale, elements in row-major order. Default none.
    pub initial: Vec<(String, Vec<f64>)>,
    /// Where and how often the fit is saved while it takes stochastic steps. If the file is there when a fit begins, it goes on from there: the same program, run again, comes to
    /// the same bits as one that was not interrupted (but for what time cuts short). What went by steps over fixed noise, which are few, is computed again; rows that are not in
    /// memory are read again up to where they were. The file stays when the fit is done, so that it is had again at once, or goes on with more [`max_steps`](Bbvi::max_steps). A
    /// file of another fit is refused, and not touched. Default none.
    pub checkpoint: Option<Checkpoint>,
    /// Who is told of the steps. Default none.
    pub observers: Vec<Box<dyn Observer>>,
}

impl Default for Bbvi {
    fn default() -> Self {
        Bbvi {
            samples: 16,
            max_steps: 50_000,
            max_time: Duration::from_secs(600),
            step: None,
            tolerance: 0.01,
            seed: 0,
            draws: 4000,
            family: Family::Auto,
            blocks: Vec::new(),
            families: Vec::new(),
            estimator: Estimator::Auto,
            estimators: Vec::new(),
            minibatch: None,
            kl_weight: KlWeight::One,
            search_time: Duration::from_secs(2),
            optimizer: Optimizer::Auto,
            restarts: 1,
            objective: Objective::Elbo,
            initial: Vec::new(),
            checkpoint: None,
            observers: Vec::new(),
        }
    }
}

/// Steps over batches of a plate, whose elements are independent given the rest: the model is asked for that, and says why if they are not.
///
/// The starting point and the units of the steps are found over [`START`](Minibatch::START) elements or more; the guide is judged, after the fit, over all of them.
/// Where [`Bbvi::max_steps`] ends the steps before their averages stand still (with millions of elements they would need hundreds of passes for that), at most twelve
/// evaluations over all elements go the rest of the way.
/// Families are the mean-field Gaussian and, if no latent is over the plate, blocks, low rank and full rank, which [`Family::Auto`] then tries.
///
/// Rows that name an element of the plate (`theta[group[n]]` in a loop over `n`, in batches of the groups) go with it. Latents of the elements keep their own parameters of
/// the guide, which natural-gradient steps move whenever their element is visited, by the schedule of its visits; a step costs what its batch costs, however many elements
/// there are. What is not over the plate moves by natural gradients too, unless [`Bbvi::optimizer`] says otherwise. Give [`Bbvi::max_steps`] that go through all elements some fifty times.
///
/// A guide of one's own ([`fit_guide`](crate::fit::fit_guide)) over the plate is taken in batches too: it begins at its top over the elements that the fit starts from, as if there were no
/// others, and its parameters, which many elements share (`z[n] ~ Normal(a * x[n] + b, s)`) or which each has of its own, move by [`Bbvi::optimizer`] from there.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
/// let config = Bbvi { minibatch: Some(Minibatch::of("N", 256)), ..Bbvi::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minibatch {
    /// The dimension.
    pub plate: String,
    /// How many of its elements a step takes; range 1 to all.
    pub rows: usize,
}

impl Minibatch {
    /// The elements over which a fit finds where to start, or four batches if these are more.
    pub const START: usize = 1000;

    /// How many of so many elements a fit in batches of `rows` starts from.
    pub(super) fn of_start(rows: usize, size: usize) -> usize {
        (4 * rows).max(Self::START).min(size)
    }

    /// Batches of so many elements of a dimension.
    #[must_use]
    pub fn of(plate: &str, rows: usize) -> Self {
        Minibatch { plate: plate.to_owned(), rows }
    }
}

/// A configuration whose numbers are in range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked {
    pub(crate) samples: usize,
    pub(crate) max_steps: usize,
    pub(crate) max_time: Duration,
    pub(crate) step: Option<f64>,
    pub(crate) tolerance: f64,
    pub(crate) seed: u64,
    pub(crate) draws: usize,
    pub(crate) family: Family,
    pub(crate) search_time: Duration,
    pub(crate) objective: Objective,
    pub(crate) optimizer: Optimizer,
    pub(crate) kl_weight: KlWeight,
}

/// What a configuration says of single latents.
#[derive(Debug)]
pub(crate) struct ByName {
    /// The dimensions of each block: latents that are joined, and each of the others.
    pub(crate) blocks: Vec<Vec<usize>>,
    /// The family of each latent on its support; none where none is asked for.
    pub(crate) natives: Vec<NativeFamily>,
    /// How each dimension's gradient is estimated.
    pub(crate) estimators: Vec<Estimator>,
    /// Which plate is taken in batches, and how many of its elements.
    pub(crate) minibatch: Option<(usize, usize)>,
    /// How far loops have come that were begun before.
    pub(crate) journal: Option<Arc<Journal>>,
}

impl ByName {
    /// How many elements of how many a step takes.
    pub(crate) fn batch(&self, layout: &Layout) -> Option<(usize, usize)> {
        self.minibatch.map(|(plate, rows)| (rows, layout.dims[plate].size))
    }

    /// Whether latents are over the plate that is taken in batches, or over what goes with it.
    pub(crate) fn is_local<E: Real>(&self, model: &dyn LogJoint<E>) -> bool {
        self.minibatch.is_some_and(|(plate, _)| local(model, plate).is_some())
    }
}

impl Bbvi {
    /// Checks what is said of single latents.
    pub(crate) fn by_name<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<ByName, ConfigError> {
        let layout = model.layout();
        Ok(ByName {
            blocks: self.blocks(layout)?,
            natives: self.natives(layout)?,
            estimators: self.estimators(layout)?,
            minibatch: self.minibatch(model)?,
            journal: None,
        })
    }

    fn minibatch<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<Option<(usize, usize)>, ConfigError> {
        let (Some(Minibatch { plate: name, rows }), layout) = (&self.minibatch, model.layout()) else { return Ok(None) };
        let plate = model.graph().plate(name)?;
        let size = layout.dims[plate].size;
        if *rows == 0 || *rows > size {
            return Err(ConfigError::BatchSize { plate: name.clone(), rows: *rows, size });
        }
        if self.objective.group() > 1 {
            return Err(ConfigError::BatchObjective { objective: self.objective.name() });
        }
        let local = local(model, plate);
        let is_apart = matches!(self.family, Family::Auto | Family::MeanField);
        let is_gaussian = is_apart || matches!(self.family, Family::FullRank | Family::LowRank { .. } | Family::Blocks);
        match local {
            _ if !is_gaussian => Err(ConfigError::BatchFamily { family: format!("{:?}", self.family), local: None }),
            Some(variable) if !is_apart => {
                Err(ConfigError::BatchFamily { family: format!("{:?}", self.family), local: Some(variable.name) })
            }
            _ => Ok(Some((plate, *rows))),
        }
    }

    fn natives(&self, layout: &Layout) -> Result<Vec<NativeFamily>, ConfigError> {
        let mut natives = Vec::new();
        for (name, family) in &self.families {
            let Some((at, latent)) = layout.latents().enumerate().find(|(_, latent)| latent.name == name) else {
                return Err(ConfigError::UnknownNative { name: name.clone(), known: known(layout.latents()) });
            };
            if !family.is_on(latent) || latent.values.is_some() {
                let possible = NativeFamily::ALL.iter().filter(|family| latent.values.is_none() && family.is_on(latent));
                let possible = possible.map(|family| format!("{family:?}")).collect::<Vec<_>>().join(", ");
                return Err(ConfigError::NativeSupport { name: latent.name, family: *family, possible });
            }
            natives.resize(layout.latents().count(), NativeFamily::Normal);
            natives[at] = *family;
        }
        let other = self.family != Family::Auto || layout.drawn().next().is_some();
        if !natives.is_empty() && other {
            return Err(ConfigError::NativeAlone);
        }
        Ok(natives)
    }

    fn estimators(&self, layout: &Layout) -> Result<Vec<Estimator>, ConfigError> {
        let mut estimators = vec![self.estimator; layout.unconstrained()];
        for (name, estimator) in &self.estimators {
            let Some(variable) = layout.latents().find(|v| v.name == name) else {
                return Err(ConfigError::UnknownEstimator { name: name.clone(), known: known(layout.latents()) });
            };
            estimators[variable.unconstrained.clone()].fill(*estimator);
        }
        let is_whole = estimators.iter().all(|e| !e.is_score_function() && *e == estimators[0]);
        if self.objective.group() > 1 && !is_whole {
            return Err(ConfigError::EstimatorOfBound { objective: self.objective.name() });
        }
        Ok(estimators)
    }

    /// Checks the numbers.
    pub(crate) fn check<E: Real>(&self) -> Result<Checked, ConfigError> {
        let range = |field, value: f64, low: f64, high: f64, expected| {
            if value >= low && value <= high { Ok(()) } else { Err(ConfigError::OutOfRange { field, value, expected }) }
        };
        range("samples", self.samples as f64, 1.0, 4096.0, "between 1 and 4096")?;
        range("max_steps", self.max_steps as f64, 1.0, f64::INFINITY, "at least 1")?;
        range("step", self.step.unwrap_or(1.0), f64::MIN_POSITIVE, 100.0, "above 0 and at most 100")?;
        range("tolerance", self.tolerance, f64::MIN_POSITIVE, 1.0, "above 0 and at most 1")?;
        range("restarts", self.restarts as f64, 1.0, 1000.0, "between 1 and 1000")?;
        range("draws", self.draws as f64, 100.0, 1e6, "between 100 and 1 000 000")?;
        if let KlWeight::Linear { from, .. } = self.kl_weight {
            range("kl_weight.from", from, 0.0, 1.0, "between 0 and 1")?;
        }
        if let KlWeight::Cyclical { cycles, .. } = self.kl_weight {
            range("kl_weight.cycles", cycles as f64, 1.0, f64::INFINITY, "at least 1")?;
        }
        if self.kl_weight != KlWeight::One && self.objective.group() > 1 {
            return Err(ConfigError::BatchObjective { objective: self.objective.name() });
        }
        if let Optimizer::NaturalGradient { delay, forgetting } = self.optimizer {
            range("optimizer.delay", delay, 1.0, f64::MAX, "at least 1")?;
            range("optimizer.forgetting", forgetting, 0.5 + f64::EPSILON, 1.0, "above 0.5 and at most 1")?;
            if matches!(self.family, Family::Blocks | Family::LowRank { .. } | Family::Mixture { .. } | Family::Flow(_)) {
                return Err(ConfigError::NaturalFamily { family: format!("Family::{:?}", self.family) });
            }
        }
        if let Family::Flow(kind) = self.family {
            kind.check()?;
        }
        if let Family::LowRank { rank } = self.family {
            range("rank", rank as f64, 1.0, 100.0, "between 1 and 100")?;
        }
        if let Family::Mixture { components, .. } = self.family {
            range("components", components as f64, 1.0, 64.0, "between 1 and 64")?;
        }
        let group = self.objective.group();
        range("objective.samples", group as f64, 1.0, self.draws as f64 / 8.0, "between 1 and an eighth of `draws`")?;
        if let Objective::Renyi { alpha, .. } = self.objective {
            range("objective.alpha", alpha, 0.0, 1.0, "between 0 and 1")?;
        }
        let strata = self.estimator != Estimator::ImplicitReparameterization;
        if let (Family::Mixture { .. }, 2.., true) = (self.family, group, strata) {
            return Err(ConfigError::Strata { objective: self.objective.name() });
        }
        Ok(Checked {
            samples: self.samples.max(2 * group).next_multiple_of(E::LANE_MULTIPLE),
            max_steps: self.max_steps,
            max_time: self.max_time,
            step: self.step,
            tolerance: self.tolerance,
            seed: self.seed,
            draws: self.draws,
            family: self.family,
            search_time: self.search_time,
            objective: self.objective,
            optimizer: self.optimizer,
            kl_weight: self.kl_weight,
        })
    }

    /// The same of another seed, of which no observer is told.
    pub(crate) fn unobserved(&self, seed: u64) -> Self {
        Bbvi {
            seed,
            blocks: self.blocks.clone(),
            families: self.families.clone(),
            estimators: self.estimators.clone(),
            minibatch: self.minibatch.clone(),
            initial: self.initial.clone(),
            checkpoint: None,
            observers: Vec::new(),
            ..*self
        }
    }

    fn blocks(&self, layout: &Layout) -> Result<Vec<Vec<usize>>, ConfigError> {
        let mut taken: Vec<&str> = Vec::new();
        let mut members = Vec::new();
        for names in &self.blocks {
            let mut block = Vec::new();
            for name in names {
                let Some(variable) = layout.latents().find(|v| v.name == name) else {
                    return Err(ConfigError::UnknownBlock { name: name.clone(), known: known(layout.latents()) });
                };
                if variable.values.is_some() {
                    return Err(ConfigError::BlockDiscrete { name: variable.name });
                }
                if taken.contains(&variable.name) {
                    return Err(ConfigError::BlockTwice { name: name.clone() });
                }
                taken.push(variable.name);
                block.extend(variable.unconstrained.clone());
            }
            members.push(block);
        }
        let others = layout.latents().filter(|v| v.values.is_none() && !taken.contains(&v.name));
        members.extend(others.map(|v| v.unconstrained.clone().collect()));
        members.retain(|block| !block.is_empty());
        Ok(members)
    }

    /// The starting point: initial values where they are given; elsewhere what the model says of parameters, and zero.
    pub(crate) fn start<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<Vec<f64>, ConfigError> {
        let mut u = model.layout().start();
        place(&self.initial, model.layout(), &mut u)?;
        Ok(u)
    }
}

/// A latent over a plate, or over what goes with it.
fn local<E: Real>(model: &dyn LogJoint<E>, plate: usize) -> Option<&Variable> {
    let taken = |dim: &usize| *dim == plate || model.graph().plates[plate].takes(*dim);
    model.layout().guided().find(|variable| variable.dims.iter().any(taken))
}

/// Puts initial values in their places of an unconstrained point.
pub(crate) fn place(initial: &[(String, Vec<f64>)], layout: &Layout, u: &mut [f64]) -> Result<(), ConfigError> {
    for (name, values) in initial {
        let Some(variable) = layout.unknowns().find(|v| v.name == name) else {
            return Err(ConfigError::UnknownInitial { name: name.clone(), known: known(layout.unknowns()) });
        };
        let elements = variable.elements();
        if values.len() != elements.len() {
            return Err(ConfigError::InitialLength { name: name.clone(), given: values.len(), expected: elements.len() });
        }
        let is_possible = |x: &f64| variable.values.is_none_or(|own| own.contains(*x));
        if let Some(at) = values.iter().position(|x| !is_possible(x)) {
            return Err(ConfigError::InitialSupport { name: layout.element_name(variable, elements[at]), value: values[at] });
        }
        let free = variable
            .bijector
            .inverse(values)
            .map_err(|at| ConfigError::InitialSupport { name: layout.element_name(variable, elements[at]), value: values[at] })?;
        u[variable.unconstrained.clone()].copy_from_slice(&free);
    }
    Ok(())
}

fn known<'l>(variables: impl Iterator<Item = &'l Variable>) -> String {
    variables.map(|v| format!("`{}`", v.name)).collect::<Vec<_>>().join(", ")
}
