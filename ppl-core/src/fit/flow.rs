//! The fit of a normalizing flow: from the best Gaussian on, by Adam, until the ELBO no longer rises.

use super::climb::Pace;
use super::engine::{Engine, Outcome};
use super::error::FitError;
use super::observer::Observer;
use super::plateau::Plateau;
use super::stopping::Verdict;
use crate::archive::Archive;
use crate::estimators::{GradientEstimator, Pathwise};
use crate::guides::{FittedGuide, Flow, FlowError, FlowKind, Guide, Whitened, Whitening};
use crate::kernel::Real;
use crate::optimizers::{Adam, StepRule as _};

/// The length of a step of a weight, of that of a parameter in units of the curvature.
fn rate(kind: FlowKind) -> f64 {
    match kind {
        // A spline is steep in many parameters at once.
        FlowKind::NeuralSpline { .. } => 0.025,
        _ => 0.05,
    }
}

/// The length of a step where the configuration names none: what it leads to is not seen in the few steps of a search, since the first ones are short.
const STEP: f64 = 0.2;
/// Samples a step, for each that a Gaussian would take.
const SAMPLES: usize = 4;
/// Steps over which their length grows to what it is to be.
const WARM: usize = 200;

impl<E: Real> Engine<'_, E> {
    /// Fits a flow in the units of the best Gaussian, which it begins as.
    pub(crate) fn flow(&self, kind: FlowKind, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let (model, config) = (self.model, self.config);
        let points = model.layout().points();
        let whitening = if self.is_dense() {
            Whitening::with_points(self.gaussian(), points)
        } else {
            let scales: Vec<f64> = self.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect();
            Whitening::diagonal(self.curvature.center.clone(), &scales, points)
        };
        let spread = whitening.dimensions() - points;
        let flow = match Flow::new(kind, spread, points, config.seed) {
            Ok(flow) => flow,
            // There is nothing that a flow could say more.
            Err(FlowError::Dimensions) => return self.full_rank(observers),
            Err(error) => return Err(super::ConfigError::from(error).into()),
        };
        let mut guide = FittedGuide::Flow(Box::new(Whitened::new(whitening, flow)));
        let start = guide.clone();

        // The whole derivative: without that of log q by the parameters the noise vanishes at the posterior, but far from it, where a flow is steep, the noise
        // is many times larger; and it takes the inverse.
        let samples = config.samples * SAMPLES;
        let estimator: Box<dyn GradientEstimator<E> + '_> = if self.is_plain(guide.guide()) {
            Box::new(Pathwise::new(model, guide.guide(), samples, config.objective).sticking(false))
        } else {
            self.estimator(guide.guide(), samples)
        };
        let parameters = guide.guide::<E>().parameters().len();
        let mut pace = Clipped {
            adam: Adam::unitless(parameters),
            clip: Clip::default(),
            plateau: Plateau::new(parameters, config.tolerance),
        };
        let ascent =
            self.ascend(&mut guide, estimator, &mut pace, rate(kind) * config.step.unwrap_or(STEP), config.max_steps, observers)?;
        let mut averaged = guide.clone();
        if let Some(average) = pace.plateau.average() {
            averaged.guide_mut::<E>().parameters_mut().copy_from_slice(average);
        }
        // Never worse than where it began.
        let guide = self.highest([averaged, guide, start]).unwrap_or(ascent.last.guide);
        observers.iter_mut().for_each(|observer| observer.on_stop(&ascent.stop_reason));
        Ok(self.outcome(guide, ascent.steps, ascent.stop_reason, ascent.notes))
    }
}

/// Steps of Adam by clipped gradients, until the ELBO no longer rises.
struct Clipped {
    adam: Adam,
    clip: Clip,
    plateau: Plateau,
}

impl<E: Real> Pace<E> for Clipped {
    fn step(&mut self, step: usize, rate: f64, _guide: &dyn Guide<E>, gradient: &mut [f64]) {
        self.clip.shorten(gradient);
        // The first moments are of a few gradients: long steps by them would lead far away.
        let warmth = ((step + 1) as f64 / WARM as f64).min(1.0);
        self.adam.step(rate * warmth, gradient);
    }

    fn judge(&mut self, elbo: f64, guide: &dyn Guide<E>) -> Verdict {
        self.plateau.add(elbo, guide.parameters())
    }

    fn archive(&mut self, archive: &mut Archive) {
        self.adam.archive(archive);
        archive.number(&mut self.clip.typical);
        self.plateau.archive(archive);
    }

    fn restart(&mut self) {
        self.plateau.restart();
    }

    fn reset(&mut self) {
        self.adam.reset();
        self.plateau.restart();
    }
}

/// Shortens gradients that are much longer than those before, which would fill the moments of Adam.
#[derive(Default)]
struct Clip {
    /// The running mean of lengths.
    typical: f64,
}

impl Clip {
    /// How many times the typical length is allowed.
    const MOST: f64 = 4.0;
    /// How fast lengths are forgotten.
    const MEMORY: f64 = 0.98;

    fn shorten(&mut self, gradient: &mut [f64]) {
        let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if self.typical == 0.0 {
            self.typical = length;
        }
        let most = Self::MOST * self.typical;
        if length > most {
            gradient.iter_mut().for_each(|g| *g *= most / length);
        }
        self.typical = Self::MEMORY * self.typical + (1.0 - Self::MEMORY) * length.min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::Clip;

    #[test]
    fn long_gradients_are_shortened_to_what_is_usual() {
        let mut clip = Clip::default();
        for _ in 0..10 {
            let mut gradient = [3.0, 4.0];
            clip.shorten(&mut gradient);
            assert_eq!(gradient, [3.0, 4.0]);
        }
        let mut gradient = [3000.0, -4000.0];
        clip.shorten(&mut gradient);
        assert!((gradient[0] - 12.0).abs() < 1e-9 && (gradient[1] + 16.0).abs() < 1e-9);
    }
}
