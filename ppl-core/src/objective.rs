//! What a fit maximises: the ELBO, or a tighter bound made of several samples, as a function of log importance ratios.

use serde::{Deserialize, Serialize};

/// A lower bound of the log evidence, estimated from log ratios `r = log p(data, u) - log q(u)` of samples, in nats.
///
/// Each is a function of the ratios alone: its derivative by a ratio is the weight of that sample in the gradient. Where the derivative of `log q`
/// by its own parameters is left out (sticking the landing), other weights take its place, [`Objective::path_weights`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Objective {
    /// `E[r]`, the evidence lower bound.
    #[default]
    Elbo,
    /// `E[log mean of exp(r) over K samples]`: tighter with more samples, and of a guide that covers more of the posterior.
    ///
    /// # Source
    /// Burda, Grosse & Salakhutdinov 2016, Importance weighted autoencoders; its gradient: Tucker, Lawson, Gu & Maddison 2019, Doubly reparameterized
    /// gradient estimators.
    ImportanceWeighted {
        /// `K`, 1 or more; one is the ELBO.
        samples: usize,
    },
    /// `E[log mean of exp((1 - alpha) r) over K samples] / (1 - alpha)`: `alpha` towards one is the ELBO, zero the importance-weighted bound.
    ///
    /// # Source
    /// Li & Turner 2016, Renyi divergence variational inference.
    Renyi {
        /// `alpha`, 0 to 1.
        alpha: f64,
        /// `K`, 2 or more.
        samples: usize,
    },
}

impl Objective {
    /// How many samples are taken together.
    #[must_use]
    pub fn group(&self) -> usize {
        match self {
            Objective::Elbo => 1,
            Objective::ImportanceWeighted { samples } | Objective::Renyi { samples, .. } => *samples,
        }
    }

    /// The name of the bound, for a report.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Objective::Elbo => "ELBO".to_owned(),
            Objective::ImportanceWeighted { samples } => format!("importance-weighted bound of {samples} samples"),
            Objective::Renyi { alpha, samples } => format!("Renyi bound of alpha {alpha} and {samples} samples"),
        }
    }

    /// The power of the ratios in the mean: `1 - alpha`.
    fn power(&self) -> f64 {
        match self {
            Objective::Elbo => 0.0,
            Objective::ImportanceWeighted { .. } => 1.0,
            Objective::Renyi { alpha, .. } => 1.0 - alpha,
        }
    }

    /// The groups of some samples whose second half mirrors the first: each in one half, so that its members are independent.
    fn groups(&self, samples: usize) -> impl Iterator<Item = std::ops::Range<usize>> + Clone + use<> {
        let (half, size) = (samples / 2, self.group());
        let each = half / size;
        (0..2 * each).map(move |g| {
            let first = (g / each) * half + (g % each) * size;
            first..first + size
        })
    }

    /// The bound as each group of samples has it; its mean is the estimate. At least twice as many samples are needed as make a group.
    #[must_use]
    pub fn values(&self, ratios: &[f64]) -> Vec<f64> {
        let power = self.power();
        if power == 0.0 {
            return ratios.to_vec();
        }
        let value = |group: std::ops::Range<usize>| {
            let own = &ratios[group];
            let most = own.iter().map(|r| power * r).fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = own.iter().map(|r| (power * r - most).exp()).sum();
            (most + (sum / own.len() as f64).ln()) / power
        };
        self.groups(ratios.len()).map(value).collect()
    }

    /// An estimate of the bound; writes its derivative by each ratio to `slopes` (`[sample]`).
    pub fn value(&self, ratios: &[f64], slopes: &mut [f64]) -> f64 {
        let (samples, power) = (ratios.len(), self.power());
        if power == 0.0 {
            slopes.fill(1.0 / samples as f64);
            return ratios.iter().sum::<f64>() / samples as f64;
        }
        let values = self.values(ratios);
        let share = 1.0 / values.len() as f64;
        slopes.fill(0.0);
        for (group, value) in self.groups(samples).zip(&values) {
            let size = group.len() as f64;
            for s in group {
                slopes[s] = share * (power * (ratios[s] - value)).exp() / size;
            }
        }
        values.iter().sum::<f64>() * share
    }

    /// Replaces slopes by the weights of the path derivative of each ratio that have the same expectation when the derivative of `log q` by its parameters is
    /// left out: `alpha w + (1 - alpha) w^2` of normalized weights `w`.
    pub fn path_weights(&self, slopes: &mut [f64]) {
        let power = self.power();
        let groups = self.groups(slopes.len()).count() as f64;
        if power > 0.0 {
            slopes.iter_mut().for_each(|w| *w *= (1.0 - power) + power * *w * groups);
        }
    }
}

/// The weight of the divergence from the prior, `KL(q || prior)`, over the first steps of a fit: less than one lets the likelihood lead, so that latents which
/// explain little at first are not given up. It ends at one, where the objective is the ELBO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum KlWeight {
    /// One from the first step.
    #[default]
    One,
    /// From some weight to one in even steps.
    ///
    /// # Source
    /// Bowman et al. 2016, Generating sentences from a continuous space.
    Linear {
        /// The first weight, 0 to 1.
        from: f64,
        /// Steps until it is one.
        steps: usize,
    },
    /// From zero to one again and again, each time one for the second half.
    ///
    /// # Source
    /// Fu et al. 2019, Cyclical annealing schedule.
    Cyclical {
        /// How often, 1 or more.
        cycles: usize,
        /// Steps until it stays one.
        steps: usize,
    },
}

impl KlWeight {
    /// The steps after which it is one.
    #[must_use]
    pub fn steps(&self) -> usize {
        match *self {
            KlWeight::One => 0,
            KlWeight::Linear { steps, .. } | KlWeight::Cyclical { steps, .. } => steps,
        }
    }

    /// The weight of a step.
    #[must_use]
    pub fn at(&self, step: usize) -> f64 {
        if step >= self.steps() {
            return 1.0;
        }
        match *self {
            KlWeight::One => 1.0,
            KlWeight::Linear { from, steps } => from + (1.0 - from) * step as f64 / steps as f64,
            KlWeight::Cyclical { cycles, steps } => {
                let cycle = steps as f64 / cycles as f64;
                (2.0 * (step as f64 % cycle) / cycle).min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATIOS: [f64; 8] = [-3.0, 0.4, 1.9, -0.7, 2.2, -1.1, 0.3, -0.2];

    fn all() -> [Objective; 4] {
        let renyi = |alpha| Objective::Renyi { alpha, samples: 4 };
        [Objective::Elbo, Objective::ImportanceWeighted { samples: 4 }, renyi(0.5), renyi(0.1)]
    }

    #[test]
    fn schedules_end_at_one() {
        let linear = KlWeight::Linear { from: 0.25, steps: 8 };
        assert_eq!([0, 4, 8, 9].map(|step| linear.at(step)), [0.25, 0.625, 1.0, 1.0]);
        let cyclical = KlWeight::Cyclical { cycles: 2, steps: 16 };
        assert_eq!([0, 2, 4, 7, 8, 10, 15, 16].map(|step| cyclical.at(step)), [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0]);
        assert_eq!(KlWeight::One.at(0), 1.0);
    }

    #[test]
    fn slopes_are_derivatives() {
        for objective in all() {
            let mut slopes = [0.0; 8];
            objective.value(&RATIOS, &mut slopes);
            for s in 0..8 {
                let at = |h: f64| {
                    let mut ratios = RATIOS;
                    ratios[s] += h;
                    objective.value(&ratios, &mut [0.0; 8])
                };
                let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((numeric - slopes[s]).abs() < 1e-9, "{objective:?}: {numeric} {}", slopes[s]);
            }
        }
    }

    #[test]
    fn bounds_are_ordered_and_agree_where_the_ratios_are_equal() {
        let value = |objective: Objective, ratios: &[f64]| objective.value(ratios, &mut [0.0; 8]);
        let [elbo, iw, half, tenth] = all().map(|objective| value(objective, &RATIOS));
        assert!(elbo < half && half < tenth && tenth < iw);
        for objective in all() {
            assert!((value(objective, &[-2.5; 8]) + 2.5).abs() < 1e-12);
        }
        assert!((value(Objective::Renyi { alpha: 1.0 - 1e-7, samples: 4 }, &RATIOS) - elbo).abs() < 1e-5);
        let far = RATIOS.map(|r| r - 1e5);
        assert!((value(Objective::ImportanceWeighted { samples: 4 }, &far) - iw + 1e5).abs() < 1e-9);
    }
}
