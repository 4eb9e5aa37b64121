//! Whether the gradient of discrete latents can be estimated as a configuration says.

use super::Discrete;
use crate::amortized::engine::Engine;
use crate::amortized::plan::Source;
use crate::amortized::{Amortized, AmortizedError, AmortizedEstimator, AmortizedObjective, DiscreteEstimator, Divergence};
use crate::kernel::Real;

/// Whether it can.
pub(in crate::amortized) fn check<E: Real>(engine: &Engine<'_, E>, config: &Amortized) -> Result<(), AmortizedError> {
    if engine.discretes.is_empty() {
        return Ok(());
    }
    if config.estimator != AmortizedEstimator::Standard {
        return Err(AmortizedError::Together {
            one: "estimator",
            other: "discrete latents, of which `discrete` says how the gradient is estimated",
            instead: "AmortizedEstimator::Standard",
        });
    }
    let refused = |latent: &'static str, reason: String| {
        let estimator = config.discrete.word();
        Err(AmortizedError::Discrete { estimator, latent, reason })
    };
    if config.discrete != DiscreteEstimator::ScoreFunction {
        if config.objective != AmortizedObjective::Elbo {
            return Err(AmortizedError::Together {
                one: "discrete",
                other: "the importance-weighted bound",
                instead: "DiscreteEstimator::ScoreFunction",
            });
        }
        if let Some(without) = engine.discretes.iter().find(|discrete| discrete.logits.is_none()) {
            return refused(without.name, "its distribution in the guide is not `Categorical(logits = a[..])` or `Bernoulli(logit = a[..])` of an array that a network gives".to_owned());
        }
    }
    match config.discrete {
        DiscreteEstimator::ScoreFunction => Ok(()),
        DiscreteEstimator::Expectation => {
            if config.samples != 1 {
                return Err(AmortizedError::Config {
                    field: "samples",
                    value: config.samples as f64,
                    expected: "1 with `DiscreteEstimator::Expectation`, which takes all values",
                });
            }
            let most = 4096.min((1 << 19) / config.batch.max(1));
            match engine.combinations(engine.discretes.len()) {
                Some(count) if count <= most => Ok(()),
                count => {
                    let count = count.map_or("more than can be counted".to_owned(), |count| count.to_string());
                    let reason = format!(
                        "a row of discrete latents has {count} values together, of which {most} can be gone through in batches of {}",
                        config.batch
                    );
                    refused(engine.discretes[0].name, reason)
                }
            }
        }
        DiscreteEstimator::Concrete { temperature } => {
            if !(temperature.is_finite() && temperature > 0.0) {
                return Err(AmortizedError::Config {
                    field: "discrete.temperature",
                    value: temperature,
                    expected: "positive and finite",
                });
            }
            if config.divergence == Divergence::Sampled {
                return Err(AmortizedError::Together {
                    one: "DiscreteEstimator::Concrete",
                    other: "Divergence::Sampled: it takes the divergence of the discrete latents in closed form",
                    instead: "Divergence::Auto",
                });
            }
            let calls = || engine.model_plan.calls.iter().chain(&engine.guide_plan.calls);
            let by_number = |discrete: &&Discrete| {
                let own =
                    |source: &Source| matches!(source, Source::Drawn(rows) if *rows == discrete.model || *rows == discrete.guide);
                discrete.categories.is_some() && calls().flat_map(|call| &call.operands).any(|operand| own(&operand.source))
            };
            if let Some(read) = engine.discretes.iter().find(|discrete| discrete.model_reads || discrete.guide_reads) {
                return refused(
                    read.name,
                    "a statement reads its value, which has none in between; give it to a network instead".to_owned(),
                );
            }
            if let Some(read) = engine.discretes.iter().find(by_number) {
                return refused(read.name, "a network reads it as a number; give it `one_hot(..)`".to_owned());
            }
            Ok(())
        }
    }
}
