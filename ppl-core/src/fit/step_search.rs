//! The length of the first stochastic steps, where the configuration names none.

use super::engine::Engine;
use crate::estimators::GradientEstimator;
use crate::guides::FittedGuide;
use crate::kernel::Real;
use crate::optimizers::{Curvature, StepRule};
use crate::random::step_key;

/// Steps of each length that is tried.
const STEPS: usize = 50;
/// How much worse a bound may be that a longer step leaves, in nats for each parameter of the guide: iterates around the optimum, less than half a standard
/// deviation away in each parameter, whose average is the answer.
const SLACK: f64 = 0.1;

impl<E: Real> Engine<'_, E> {
    /// The longest of some lengths after whose first steps, all from the same guide and with the same noise, the bound is about as high as after the best.
    ///
    /// # Source
    /// Kucukelbir, Tran, Ranganath, Gelman & Blei 2017, Automatic differentiation variational inference, section 2.6: lengths, 50 steps each.
    pub(super) fn first_length<'e>(
        &self,
        lengths: &[f64],
        guide: &FittedGuide,
        estimator: &dyn Fn() -> Box<dyn GradientEstimator<E> + 'e>,
        rule: &dyn Fn() -> Box<dyn StepRule>,
        step_of: &impl Fn(&Curvature, &mut dyn StepRule, f64, &mut [f64]),
    ) -> f64 {
        let [longest, .., shortest] = *lengths else { return lengths.first().copied().unwrap_or(1.0) };
        debug_assert!(longest > shortest, "lengths fall");
        let trials: Vec<(f64, f64)> = lengths
            .iter()
            .map(|&length| (length, self.bound_after(length, guide.clone(), estimator(), rule(), step_of)))
            .collect();
        let best = trials.iter().fold(f64::NEG_INFINITY, |best, (_, bound)| best.max(*bound));
        let slack = SLACK * guide.guide::<E>().parameters().len() as f64;
        trials.iter().find(|(_, bound)| *bound >= best - slack).map_or(shortest, |(length, _)| *length)
    }

    /// The mean bound of the second half of the steps; negative infinity if one is not finite.
    fn bound_after(
        &self,
        length: f64,
        mut guide: FittedGuide,
        mut estimator: Box<dyn GradientEstimator<E> + '_>,
        mut rule: Box<dyn StepRule>,
        step_of: &impl Fn(&Curvature, &mut dyn StepRule, f64, &mut [f64]),
    ) -> f64 {
        let mut gradient = vec![0.0; guide.guide::<E>().parameters().len()];
        let mut sum = 0.0;
        for step in 0..STEPS {
            let estimate = estimator.estimate(self.model, guide.guide(), step_key(self.config.seed, step as u64), &mut gradient);
            let is_late = self.began.elapsed() > self.config.max_time;
            if is_late || !(estimate.elbo.is_finite() && gradient.iter().all(|g| g.is_finite())) {
                return f64::NEG_INFINITY;
            }
            if step >= STEPS / 2 {
                sum += estimate.elbo;
            }
            step_of(&self.curvature, &mut *rule, length, &mut gradient);
            guide.guide_mut::<E>().parameters_mut().iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
        }
        sum / (STEPS - STEPS / 2) as f64
    }
}
