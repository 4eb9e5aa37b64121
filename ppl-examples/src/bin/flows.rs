//! Guides of any shape: posteriors that no Gaussian describes, beside the flows that do.

use std::process::ExitCode;

use clap::Parser;
use ppl_core::guides::FlowKind;
use ppl_core::prelude::*;

model! {
    /// A banana: normalized, so that the log evidence is zero and the ELBO minus the divergence from the guide. Written with factors, since `bend ~
    /// Normal(..)` would be standardized, which makes it a Gaussian.
    pub Banana(K: usize) {
        along ~ Normal(0, 3);
        across ~ Flat;
        factor(Normal(along * along / 4, 1).log_prob(across));
        others[K] ~ Normal(0, 1);
    }
}

model! {
    /// Two modes, six standard deviations apart: log evidence zero.
    pub Modes(K: usize) {
        where_ ~ Flat;
        factor(log_sum_exp(Normal(-3, 1).log_prob(where_), Normal(3, 1).log_prob(where_)) - ln(2));
        others[K] ~ Normal(0, 1);
    }
}

#[derive(Parser)]
#[command(about = "Fits flows to a banana and to two modes, in 2 and 20 dimensions; the log evidence is zero")]
struct Arguments {
    /// The seed of all randomness.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Monte Carlo samples a step.
    #[arg(long, default_value_t = 16)]
    samples: usize,
    /// The first length of a step.
    #[arg(long, default_value_t = 0.2)]
    step: f64,
    /// Parts of the names of guides, to fit those only.
    guides: Vec<String>,
}

fn main() -> ExitCode {
    ppl_examples::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), ppl_examples::Failure> {
    let flows = [FlowKind::planar(), FlowKind::real_nvp(), FlowKind::inverse_autoregressive(), FlowKind::neural_spline()];
    let families = [Family::FullRank].into_iter().chain(flows.map(Family::Flow));
    println!("{:<10} {:<28} {:>16} {:>6} {:>7} {:>8}", "posterior", "guide", "ELBO", "k-hat", "steps", "seconds");
    for family in families {
        let name = match family {
            Family::Flow(kind) => kind.name(),
            _ => "full-rank Gaussian",
        };
        if !arguments.guides.is_empty() && !arguments.guides.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        for others in [0, 18] {
            row("banana", others + 2, &fit_bbvi(&Banana { K: others }, config(arguments, family))?);
        }
        for others in [1, 19] {
            row("modes", others + 1, &fit_bbvi(&Modes { K: others }, config(arguments, family))?);
        }
    }
    Ok(())
}

fn config(arguments: &Arguments, family: Family) -> Bbvi {
    Bbvi { seed: arguments.seed, samples: arguments.samples, step: arguments.step, family, draws: 20_000, ..Bbvi::default() }
}

fn row<M: Model>(posterior: &str, dimensions: usize, fit: &Fit<M>) {
    let ((elbo, error), seconds) = (fit.elbo(), fit.elapsed().as_secs_f64());
    let (family, posterior) = (&fit.tried()[0].family, format!("{posterior} {dimensions}"));
    println!("{posterior:<10} {family:<28} {elbo:>7.3} +- {error:.3} {:>6.2} {:>7} {seconds:>8.2}", fit.pareto_k(), fit.steps());
}
