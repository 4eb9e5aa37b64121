//! The fit of a normalizing flow: from the best Gaussian on, by Adam, until the ELBO no longer rises.

use super::blame::blame;
use super::climb::PATIENCE;
use super::engine::{Engine, Outcome};
use super::error::{FitError, LastState};
use super::observer::{Observer, StepInfo, tell};
use super::plateau::Plateau;
use super::stopping::Verdict;
use crate::diagnostics::StopReason;
use crate::estimators::{GradientEstimator, Pathwise};
use crate::guides::{FittedGuide, Flow, FlowError, FlowKind, Whitened, Whitening};
use crate::kernel::Real;
use crate::optimizers::{Adam, StepRule as _};
use crate::random::step_key;

/// The length of a step of a weight, of that of a parameter in units of the curvature.
fn rate(kind: FlowKind) -> f64 {
    match kind {
        // A spline is steep in many parameters at once.
        FlowKind::NeuralSpline { .. } => 0.025,
        _ => 0.05,
    }
}

/// Samples a step, for each that a Gaussian would take.
const SAMPLES: usize = 4;
/// Steps over which their length grows to what it is to be.
const WARM: usize = 200;

impl<E: Real> Engine<'_, E> {
    /// Fits a flow in the units of the best Gaussian, which it begins as.
    pub(crate) fn flow(&self, kind: FlowKind, observers: &mut [Box<dyn Observer>]) -> Result<Outcome, FitError> {
        let (model, config, began) = (self.model, self.config, self.began);
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

        observers.iter_mut().for_each(|observer| observer.on_start(model.layout().model, config.max_steps));
        // The whole derivative: without that of log q by the parameters the noise vanishes at the posterior, but far from it, where a flow is steep, the noise
        // is many times larger; and it takes the inverse.
        let samples = config.samples * SAMPLES;
        let mut estimator: Box<dyn GradientEstimator<E>> = if self.is_plain(guide.guide()) {
            Box::new(Pathwise::new(model, guide.guide(), samples, config.objective).sticking(false))
        } else {
            self.estimator(guide.guide(), samples)
        };
        let parameters = guide.guide::<E>().parameters().len();
        let (mut adam, mut clip) = (Adam::unitless(parameters), Clip::default());
        let mut plateau = Plateau::new(parameters, config.tolerance);
        let mut gradient = vec![0.0; parameters];
        let mut last = LastState { step: 0, guide: guide.clone(), elbo: f64::NAN };
        let (mut rate, mut bad, mut undone) = (rate(kind) * config.step, 0, 0_usize);
        let (mut stop_reason, mut steps) = (StopReason::MaxSteps, config.max_steps);
        for step in 0..config.max_steps {
            let estimate = estimator.estimate(model, guide.guide(), step_key(config.seed, step as u64), &mut gradient);
            if !(estimate.elbo.is_finite() && gradient.iter().all(|g| g.is_finite())) {
                bad += 1;
                undone += 1;
                if bad >= PATIENCE {
                    let culprit = blame(model, estimator.draws(), estimator.log_densities());
                    return Err(FitError::NonFinite { step, culprit, last: Box::new(last) });
                }
                // Back to the last good state, narrower, with shorter steps.
                guide.guide_mut::<E>().parameters_mut().copy_from_slice(last.guide.guide::<E>().parameters());
                guide.guide_mut::<E>().narrow((-0.5 * bad as f64).exp());
                rate *= 0.5;
                adam.reset();
                plateau.restart();
                continue;
            }
            bad = 0;
            (last.step, last.elbo) = (step, estimate.elbo);
            last.guide.guide_mut::<E>().parameters_mut().copy_from_slice(guide.guide::<E>().parameters());
            clip.shorten(&mut gradient);
            // The first moments are of a few gradients: long steps by them would lead far away.
            let warmth = ((step + 1) as f64 / WARM as f64).min(1.0);
            adam.step(rate * warmth, &mut gradient);
            let moved = guide.guide_mut::<E>().parameters_mut();
            moved.iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
            let verdict = plateau.add(estimate.elbo, moved);
            if !observers.is_empty() {
                let (parameters, elapsed) = (guide.guide::<E>().parameters(), began.elapsed());
                let info = StepInfo { step, max_steps: config.max_steps, elbo: estimate.elbo, rate, elapsed, parameters };
                if tell(observers, &info) {
                    (stop_reason, steps) = (StopReason::Asked, step + 1);
                    break;
                }
            }
            match verdict {
                Verdict::GoOn => {}
                Verdict::Halve => rate *= 0.5,
                Verdict::Converged => {
                    (stop_reason, steps) = (StopReason::Converged, step + 1);
                    break;
                }
            }
            if began.elapsed() > config.max_time {
                (stop_reason, steps) = (StopReason::MaxTime, step + 1);
                break;
            }
        }
        let mut notes = self.notes.clone();
        if undone > 0 {
            notes.push(format!("{undone} steps met a log density that was not finite; they were undone and taken shorter"));
        }
        let mut averaged = guide.clone();
        if let Some(average) = plateau.average() {
            averaged.guide_mut::<E>().parameters_mut().copy_from_slice(average);
        }
        // Never worse than where it began.
        let candidates = [averaged, guide, start].map(|guide| (self.bound(&guide), guide));
        let better = |a: &(f64, FittedGuide), b: &(f64, FittedGuide)| b.0 > a.0 || a.0.is_nan();
        let best = candidates.into_iter().reduce(|best, other| if better(&best, &other) { other } else { best });
        let guide = best.map_or(last.guide, |(_, guide)| guide);
        observers.iter_mut().for_each(|observer| observer.on_stop(&stop_reason));
        Ok(self.outcome(guide, steps, stop_reason, notes))
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
