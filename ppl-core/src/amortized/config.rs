//! How an amortized fit goes, and whether it can.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use super::{AmortizedError, Epoch, Transform};
#[cfg(feature = "files")]
use crate::checkpoint::Checkpoint;
use crate::objective::KlWeight;

/// How an amortized fit goes.
pub struct Amortized {
    /// Rows of data in a step; of fewer rows, all. Default 128.
    pub batch: usize,
    /// How often every row is seen. Default 100.
    pub epochs: usize,
    /// Monte Carlo samples of a row in a step; of the importance-weighted bound, those in it. Default 1.
    pub samples: usize,
    /// The rate of Adam: about the length of the first step of every weight. Default 0.001.
    pub rate: f64,
    /// How the rate falls.
    pub schedule: Schedule,
    /// How the gradient is estimated.
    pub estimator: AmortizedEstimator,
    /// How the gradient by the distributions of discrete latents in the guide is estimated.
    pub discrete: DiscreteEstimator,
    /// The bound.
    pub objective: AmortizedObjective,
    /// How the divergence from the prior, a part of the bound, is found.
    pub divergence: Divergence,
    /// Nats per element of each latent: what is maximised has at least that much divergence of each, on average over a batch, so that less of it gains nothing and
    /// no element is given up early. Needs the divergence in closed form; bounds and divergences that are told are the true ones. Default 0.
    ///
    /// # Source
    /// Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, Improved variational inference with inverse autoregressive flow, section C.8.
    pub free_bits: f64,
    /// The weight of the divergence from the prior in the first steps; of the ELBO.
    pub kl_weight: KlWeight,
    /// The largest norm of the whole gradient: one that is larger is scaled down to it. Default none.
    pub largest_norm: Option<f64>,
    /// What is done with inputs as their rows are drawn, one after the other. Default nothing.
    pub transforms: Vec<Transform>,
    /// Rows that are not learned from but watched: the last of a shuffle by the seed. Default 0.
    pub held_out: usize,
    /// Epochs without a better bound of the held-out rows after which the fit ends, with the best weights. Default none.
    pub patience: Option<usize>,
    /// Networks and parameters by name that stay as they are. Default none.
    pub held: Vec<String>,
    /// The same seed gives the same bits, on any number of threads.
    pub seed: u64,
    /// The fit ends after the epoch in which this is over. Default none.
    pub max_time: Option<Duration>,
    /// Where the fit is saved while it learns and at its end; [`resume_amortized`](super::resume_amortized) goes on from there, to the same bits. Default nowhere.
    #[cfg(feature = "files")]
    pub checkpoint: Option<Checkpoint>,
    /// Is told of every epoch; [`ControlFlow::Break`] ends the fit.
    pub observer: Option<Box<dyn FnMut(&Epoch) -> ControlFlow<()> + Send>>,
}

impl Default for Amortized {
    fn default() -> Self {
        Amortized {
            batch: 128,
            epochs: 100,
            samples: 1,
            rate: 1e-3,
            schedule: Schedule::Constant,
            estimator: AmortizedEstimator::Standard,
            discrete: DiscreteEstimator::ScoreFunction,
            objective: AmortizedObjective::Elbo,
            divergence: Divergence::Auto,
            free_bits: 0.0,
            kl_weight: KlWeight::One,
            largest_norm: None,
            transforms: Vec::new(),
            held_out: 0,
            patience: None,
            held: Vec::new(),
            seed: 0,
            max_time: None,
            #[cfg(feature = "files")]
            checkpoint: None,
            observer: None,
        }
    }
}

impl fmt::Debug for Amortized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Amortized");
        #[cfg(feature = "files")]
        told.field("checkpoint", &self.checkpoint);
        told.field("batch", &self.batch)
            .field("epochs", &self.epochs)
            .field("samples", &self.samples)
            .field("rate", &self.rate)
            .field("schedule", &self.schedule)
            .field("estimator", &self.estimator)
            .field("discrete", &self.discrete)
            .field("objective", &self.objective)
            .field("divergence", &self.divergence)
            .field("free_bits", &self.free_bits)
            .field("kl_weight", &self.kl_weight)
            .field("largest_norm", &self.largest_norm)
            .field("transforms", &self.transforms)
            .field("held_out", &self.held_out)
            .field("patience", &self.patience)
            .field("seed", &self.seed)
            .field("max_time", &self.max_time)
            .finish_non_exhaustive()
    }
}

/// The bound of the log evidence of a row that is maximised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AmortizedObjective {
    /// The mean of log ratios `log p(x, z) - log q(z | x)` over samples.
    #[default]
    Elbo,
    /// The logarithm of the mean of ratios over samples: tighter with more of them.
    ///
    /// # Source
    /// Burda, Grosse & Salakhutdinov 2016, Importance weighted autoencoders.
    ImportanceWeighted,
}

/// How the divergence of the guide from the prior is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Divergence {
    /// In closed form where that is possible for every latent, of the ELBO with the standard estimator; else from draws.
    #[default]
    Auto,
    /// From draws: `log q(z | x) - log p(z)`.
    Sampled,
    /// In closed form, of which every latent must be `Normal` in the model too: the same bound on average, with less noise. The locations and scales of priors
    /// may come from networks, parameters and other latents.
    ///
    /// # Source
    /// Kingma & Welling 2014, Auto-encoding variational Bayes, appendix B.
    Analytic,
}

/// How the gradient by the parameters of the guide is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AmortizedEstimator {
    /// The total derivative of the bound with the noise held fixed.
    #[default]
    Standard,
    /// Of the ELBO: without the direct derivative of `log q` by the parameters, whose mean is zero; no noise is left where the guide is exact.
    ///
    /// # Source
    /// Roeder, Wu & Duvenaud 2017, Sticking the landing.
    StickingTheLanding,
    /// Of the importance-weighted bound: the same, where it takes squared weights along the path.
    ///
    /// # Source
    /// Tucker, Lawson, Gu & Maddison 2019, Doubly reparameterized gradient estimators for Monte Carlo objectives.
    DoublyReparameterized,
}

/// How the gradient by the distributions of discrete latents in the guide is estimated. What goes through networks and other latents is found along the path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum DiscreteEstimator {
    /// By the score of what is drawn, of any discrete distribution, without bias. What a draw is worth is what its log ratio is above that of the other samples of its row
    /// or, of one sample a row, of the other rows of the batch; of the importance-weighted bound, what the bound would be without it. Where the
    /// divergence is had in closed form, it is not drawn. Take several `samples`: four are much better than one.
    ///
    /// # Source
    /// Mnih & Rezende 2016, Variational inference for Monte Carlo objectives; Kool, van Hoof & Welling 2019, Buy 4 REINFORCE samples, get a baseline for free.
    #[default]
    ScoreFunction,
    /// Exactly, over all values that the discrete latents of a row have together: of a few of them, `Categorical(logits = a[..])` or `Bernoulli(logit = a[..])` of what
    /// a network gives. A step costs as much as so many samples, but that a network which reads these latents alone is applied once for all rows.
    Expectation,
    /// Along the path through numbers between the values, that of the Concrete distribution (Gumbel-softmax): little noise, and a bias that grows with the
    /// temperature. For latents which networks alone read, with logits as above and the divergence in closed form. Bounds of the rows learned from are those of the
    /// relaxed model; of held-out rows, and whatever the fit is asked, of the discrete one.
    ///
    /// # Source
    /// Maddison, Mnih & Teh 2017, The Concrete distribution; Jang, Gu & Poole 2017, Categorical reparameterization with Gumbel-softmax.
    Concrete {
        /// More than 0: near 0 numbers are near one or zero, and gradients large.
        temperature: f64,
    },
}

impl DiscreteEstimator {
    pub(super) fn word(self) -> &'static str {
        match self {
            DiscreteEstimator::ScoreFunction => "DiscreteEstimator::ScoreFunction",
            DiscreteEstimator::Expectation => "DiscreteEstimator::Expectation",
            DiscreteEstimator::Concrete { .. } => "DiscreteEstimator::Concrete",
        }
    }
}

/// How the rate falls over the epochs.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// In even steps to this share of the rate at the last step.
    Linear {
        /// At least 0.
        to: f64,
    },
    /// Along half a cosine to zero at the last step (Loshchilov & Hutter 2017).
    Cosine,
    /// Times a factor from each of some epochs on.
    Steps {
        /// The epochs, counted from zero.
        epochs: Vec<usize>,
        /// More than 0.
        factor: f64,
    },
}

impl Schedule {
    /// That of Burda et al. 2016: `10^(-i / 7)` times the rate for `3^i` epochs, `i` from 0 to 7; 3280 epochs in all.
    #[must_use]
    pub fn burda() -> Self {
        let epochs = (1..8_u32).map(|i| (3_usize.pow(i) - 1) / 2).collect();
        Schedule::Steps { epochs, factor: 10.0_f64.powf(-1.0 / 7.0) }
    }

    /// The share of the rate at a step of an epoch, of so many steps in all.
    #[must_use]
    pub fn at(&self, epoch: usize, step: usize, steps: usize) -> f64 {
        let done = step as f64 / steps.saturating_sub(1).max(1) as f64;
        match self {
            Schedule::Constant => 1.0,
            Schedule::Linear { to } => 1.0 + (to - 1.0) * done,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Schedule::Steps { epochs, factor } => {
                let past = epochs.iter().filter(|&&from| epoch >= from).count();
                factor.powf(past as f64)
            }
        }
    }
}

impl Amortized {
    /// Whether the numbers are in their ranges and go together.
    pub(super) fn check(&self, rows: usize) -> Result<(), AmortizedError> {
        let out =
            |field: &'static str, value: f64, expected: &'static str| Err(AmortizedError::Config { field, value, expected });
        for (field, value) in [("batch", self.batch), ("epochs", self.epochs), ("samples", self.samples)] {
            if value == 0 {
                return out(field, 0.0, "at least 1");
            }
        }
        if self.batch.saturating_mul(self.samples) > 1 << 19 {
            return out("batch", self.batch as f64, "small enough that batch times samples is at most 524288");
        }
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return out("rate", self.rate, "positive and finite");
        }
        match &self.schedule {
            Schedule::Linear { to } if !(to.is_finite() && *to >= 0.0) => {
                return out("schedule.to", *to, "at least 0 and finite");
            }
            Schedule::Steps { factor, .. } if !(factor.is_finite() && *factor > 0.0) => {
                return out("schedule.factor", *factor, "positive and finite");
            }
            _ => {}
        }
        if let Some(norm) = self.largest_norm
            && !(norm > 0.0 && norm.is_finite())
        {
            return out("largest_norm", norm, "positive and finite");
        }
        if !(self.free_bits.is_finite() && self.free_bits >= 0.0) {
            return out("free_bits", self.free_bits, "at least 0 and finite");
        }
        if self.held_out >= rows {
            return out(
                "held_out",
                self.held_out as f64,
                "less than the number of rows of data, so that some are left to learn from",
            );
        }
        if self.patience.is_some() && self.held_out == 0 {
            return out("held_out", 0.0, "at least 1 where `patience` is set, which watches held-out rows");
        }
        if self.patience == Some(0) {
            return out("patience", 0.0, "at least 1");
        }
        match self.kl_weight {
            KlWeight::Linear { from, .. } if !(0.0..=1.0).contains(&from) => return out("kl_weight.from", from, "in 0 to 1"),
            KlWeight::Cyclical { cycles: 0, .. } => return out("kl_weight.cycles", 0.0, "at least 1"),
            _ => {}
        }
        let weighted = self.objective == AmortizedObjective::ImportanceWeighted;
        if weighted && self.kl_weight != KlWeight::One {
            return Err(AmortizedError::Together {
                one: "kl_weight",
                other: "the importance-weighted bound",
                instead: "the ELBO",
            });
        }
        self.check_divergence(weighted)?;
        match (self.estimator, weighted) {
            (AmortizedEstimator::StickingTheLanding, true) => Err(AmortizedError::Together {
                one: "AmortizedEstimator::StickingTheLanding",
                other: "the importance-weighted bound, where it is biased",
                instead: "AmortizedEstimator::DoublyReparameterized",
            }),
            (AmortizedEstimator::DoublyReparameterized, false) => Err(AmortizedError::Together {
                one: "AmortizedEstimator::DoublyReparameterized",
                other: "the ELBO, of which it is sticking the landing",
                instead: "AmortizedEstimator::StickingTheLanding",
            }),
            _ => Ok(()),
        }
    }

    /// Whether the divergence can be found as it should, as far as the configuration goes.
    fn check_divergence(&self, weighted: bool) -> Result<(), AmortizedError> {
        let one = match (self.divergence, self.free_bits > 0.0) {
            (Divergence::Sampled, true) => {
                return Err(AmortizedError::Together {
                    one: "free_bits",
                    other: "Divergence::Sampled, as it needs the divergence of each element",
                    instead: "Divergence::Analytic",
                });
            }
            (_, true) => "free_bits",
            (Divergence::Analytic, false) => "Divergence::Analytic",
            _ => return Ok(()),
        };
        if weighted {
            let other = "the importance-weighted bound, which takes the densities of draws";
            return Err(AmortizedError::Together { one, other, instead: "the ELBO" });
        }
        if self.estimator == AmortizedEstimator::StickingTheLanding {
            let other = "AmortizedEstimator::StickingTheLanding, which takes the densities of draws";
            return Err(AmortizedError::Together { one, other, instead: "AmortizedEstimator::Standard" });
        }
        Ok(())
    }
}
