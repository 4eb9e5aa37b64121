//! The families of guides: how each begins, and the units of its steps.

use super::engine::{Engine, Outcome};
use super::error::FitError;
use super::observer::Observer;
use crate::diagnostics::StopReason;
use crate::estimators::{Estimator, GradientEstimator, Reparameterization};
use crate::guides::{Blocks, FittedGuide, FullRank, Guide, LowRank, MeanField, Mixture, Start, Whitened, Whitening};
use crate::kernel::Real;
use crate::objective::KlWeight;
use crate::optimizers::{Curvature, StepRule};
use crate::random::{normals, step_key};

/// A mixture is polished by one in so many of the most steps.
const POLISHING: usize = 10;

impl<E: Real> Engine<'_, E> {
    /// Fits a mean-field guide, in steps of the curvature.
    pub(crate) fn mean_field(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        if let Some(minibatch) = self.by_name.minibatch.filter(|_| self.by_name.is_local(self.model)) {
            return self.climb_local(minibatch, observers);
        }
        let guide = FittedGuide::MeanField(self.independent());
        let guide = match self.settle(guide, observers) {
            Ok(outcome) => return Ok(outcome),
            Err(guide) => guide,
        };
        let n = self.curvature.center.len();
        let step = |curvature: &Curvature, rule: &mut dyn StepRule, rate: f64, gradient: &mut [f64]| {
            curvature.whiten(&mut gradient[..n]);
            // The Fisher information of the logarithm of a scale is two.
            gradient[n..].iter_mut().for_each(|g| *g *= 0.5);
            rule.step(rate, gradient);
            curvature.unwhiten(&mut gradient[..n]);
        };
        let closed = self.is_plain(guide.guide())
            || (self.by_name.estimators.iter().all(|e| *e == Estimator::Reparameterization) && self.by_name.minibatch.is_none());
        let closed = closed && self.config.objective.group() == 1 && self.config.kl_weight == KlWeight::One;
        let start = guide.clone();
        let estimator = || -> Box<dyn GradientEstimator<E> + '_> {
            if closed {
                Box::new(Reparameterization::new(self.model, self.config.samples, self.curvature.matrix.as_deref()))
            } else {
                self.estimator(start.guide(), self.config.samples)
            }
        };
        self.climb(guide, &estimator, observers, self.config.max_steps, step)
    }

    /// Independent Gaussians at the point that is known, in the units of the curvature.
    pub(super) fn independent(&self) -> MeanField {
        let scales: Vec<f64> = self.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect();
        let (spread, points) = scales.split_at(scales.len() - self.model.layout().points());
        let log_scale: Vec<f64> = spread.iter().map(|scale| scale.ln()).collect();
        MeanField::with_points(&self.curvature.center, &log_scale, points)
    }

    /// A guide whose open dimensions begin as those of the best Gaussian; of very many dimensions, at the mode with the curvature there.
    pub(super) fn begun(&self, guide: &FittedGuide) -> FittedGuide {
        let open = guide.guide::<E>().open().to_vec();
        let marginal = if self.is_dense() { self.gaussian().marginal(&open, self.model.layout().points()) } else { None };
        let start = if let Some((gaussian, scale)) = marginal {
            Start { mean: gaussian.mean, scale, precision: Some(gaussian.precision) }
        } else {
            let of = |all: &[f64]| open.iter().map(|&i| all[i]).collect::<Vec<_>>();
            let scale = of(&self.curvature.diagonal).into_iter().map(|a| a.sqrt().recip()).collect();
            Start { mean: of(&self.curvature.center), scale, precision: None }
        };
        let mut begun = guide.clone();
        begun.guide_mut::<E>().begin(&start);
        begun
    }

    /// Fits a full-rank guide, whose parameters are in units of the curvature.
    pub(crate) fn full_rank(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        self.settle_or_climb(self.sketch(), observers)
    }

    /// The best full-rank guide over a few samples, with its ELBO, for a comparison.
    pub(crate) fn sketched(&self) -> (Outcome, f64) {
        let guide = self.sketch();
        let elbo = self.bound(&guide);
        (self.outcome(guide, 0, StopReason::Converged, self.notes.clone()), elbo)
    }

    pub(super) fn sketch(&self) -> FittedGuide {
        FittedGuide::FullRank(FullRank::with_points(self.gaussian(), self.model.layout().points()))
    }

    /// The mode alone.
    pub(crate) fn mode(&self) -> Outcome {
        let units: Vec<f64> = self.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect();
        let guide = FittedGuide::MeanField(MeanField::with_points(&self.curvature.center, &[], &units));
        self.outcome(guide, 0, StopReason::Converged, self.notes.clone())
    }

    /// Laplace's approximation.
    pub(crate) fn laplace(&self) -> Outcome {
        let guide = FittedGuide::FullRank(FullRank::with_points(self.curvature.laplace(), self.model.layout().points()));
        self.outcome(guide, 0, StopReason::Converged, self.notes.clone())
    }

    /// Fits independent blocks of dimensions.
    pub(crate) fn blocks(&self, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        self.settle_or_climb(self.of_blocks(), observers)
    }

    /// Independent blocks, as the best Gaussian has them.
    pub(super) fn of_blocks(&self) -> FittedGuide {
        FittedGuide::Blocks(Blocks::new(&self.by_name.blocks, &self.gaussian(), self.model.layout().points()))
    }

    /// Fits a Gaussian of low rank plus diagonal, in units of the diagonal of the curvature.
    pub(crate) fn low_rank(&self, rank: usize, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let n = self.curvature.center.len();
        let (points, units) = (self.model.layout().points(), self.curvature.diagonal.iter().map(|a| a.sqrt().recip()));
        let spread = n - points;
        if !LowRank::is_smaller(spread, rank) {
            return self.full_rank(observers);
        }
        // Columns without a direction would stay without one.
        let mut columns = vec![0.0_f64; LowRank::column_entries(spread, rank)];
        normals(step_key(self.config.seed, u64::MAX - 15), 1, &mut columns);
        columns.iter_mut().for_each(|x| *x *= 0.1);
        let whitening = Whitening::diagonal(self.curvature.center.clone(), &units.collect::<Vec<_>>(), points);
        let guide = LowRank::new(&vec![0.0; spread], &vec![0.0; spread], rank, &columns, &vec![0.0; points]);
        self.settle_or_climb(FittedGuide::LowRank(Whitened::new(whitening, guide)), observers)
    }

    /// Fits a mixture, in the units of the best single Gaussian, from the components that draws around the modes fall into.
    pub(crate) fn mixture(
        &self,
        components: usize,
        full_rank: bool,
        observers: &mut [Box<dyn Observer>],
    ) -> Result<Outcome, FitError> {
        let (gaussian, points) = (self.gaussian(), self.model.layout().points());
        let whitening = Whitening::with_points(gaussian.clone(), points);
        let start = super::components::components(self.model, &whitening, &gaussian, components, self.config.seed);
        let mut mixture = Mixture::new(&start, full_rank, &vec![0.0; points]);
        let implicit = self.by_name.estimators.contains(&Estimator::ImplicitReparameterization);
        if implicit {
            mixture = mixture.implicit();
        }
        // Between components a draw moves far with the parameters: that noise takes shorter steps.
        let length = if implicit { 0.025 } else { 0.25 };
        let guide = FittedGuide::Mixture(Whitened::new(whitening, mixture));
        let (guide, settled) = match self.settle(guide, observers) {
            Ok(outcome) if outcome.settled => return Ok(outcome),
            Ok(outcome) if outcome.stop_reason != StopReason::Converged => return Ok(outcome),
            Ok(outcome) => (outcome.guide.clone(), Some(outcome)),
            Err(guide) => (guide, None),
        };
        // With so many parameters the top over fixed noise is too much the noise's own: the rest of the way by steps with noise that changes.
        let natural = natural_units(guide.guide::<E>(), components);
        let start = guide.clone();
        let estimator = || self.estimator(start.guide(), self.config.samples.max(16 * components));
        let most = if settled.is_some() { self.config.max_steps.div_ceil(POLISHING) } else { self.config.max_steps };
        let polished = self.climb(guide, &estimator, observers, most, |_, rule, rate, gradient| {
            gradient.iter_mut().zip(&natural).for_each(|(g, unit)| *g *= unit);
            rule.step(length * rate, gradient);
            gradient.iter_mut().zip(&natural).for_each(|(g, unit)| *g *= unit);
        });
        match (settled, polished) {
            (Some(settled), Ok(polished)) => {
                let better = self.bound(&polished.guide) > self.bound(&settled.guide);
                if !better {
                    return Ok(settled);
                }
                let steps = polished.steps + settled.steps;
                // The steps of polishing are few by choice: it was at a top before.
                let stop_reason = match polished.stop_reason {
                    StopReason::MaxSteps => settled.stop_reason,
                    reason => reason,
                };
                Ok(Outcome { steps, stop_reason, ..polished })
            }
            (Some(settled), Err(_)) => Ok(settled),
            (None, polished) => polished,
        }
    }
}

/// What each parameter of a mixture is to be multiplied by so that its Fisher information is about one: its unit over the root of the probability of its
/// component.
fn natural_units<E: Real>(guide: &dyn Guide<E>, components: usize) -> Vec<f64> {
    let parameters = guide.parameters();
    let mut units = vec![1.0; parameters.len()];
    guide.units(parameters, &mut units);
    let samples = 2 * components * E::LANE_MULTIPLE;
    let mut weights = vec![1.0; samples];
    guide.strata(samples, &mut weights);
    // Samples of the strata follow each other; each has its probability times the number of components as its weight.
    let root = |k: usize| (weights[k * E::LANE_MULTIPLE] / components as f64).max(1e-3).sqrt();
    let own = (parameters.len() - components) / components;
    for (i, unit) in units.iter_mut().enumerate() {
        let component = if i < components { i } else { ((i - components) / own).min(components - 1) };
        *unit /= root(component);
    }
    units
}
