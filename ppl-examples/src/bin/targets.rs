//! Posteriors that no single Gaussian fits, and how near each family comes: a cone, two modes, a banana.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use ppl_core::guides::FlowKind;
use ppl_core::prelude::*;

model! {
    /// Two coordinates of which only the distance from the origin was seen.
    pub(crate) Cone(z: f64) {
        x ~ Normal(0, 10);
        y ~ Normal(0, 10);
        z ~ Normal(x.powi(2) + y.powi(2), 0.1 + (x.powi(2) + y.powi(2)) / 100);
    }
}

model! {
    /// Two normals whose means are six standard deviations apart; each coordinate of the means is `shift` or `-shift`.
    pub(crate) Bimodal(shift: f64, D: usize) {
        x[D] ~ Flat();
        factor(log_sum_exp(
            sum(d in D => Normal(shift, 1).log_prob(x[d])),
            sum(d in D => Normal(-shift, 1).log_prob(x[d])),
        ) - 0.6931471805599453);
    }
}

model! {
    /// A ridge along a parabola; further coordinates are standard normal. Written by factors, so that nothing can be taken apart.
    pub(crate) Banana(D: usize) {
        x ~ Normal(0, 3);
        y ~ Flat();
        factor(Normal(x.powi(2) / 4, 1).log_prob(y));
        for d in D {
            rest[d] ~ Normal(0, 1);
        }
    }
}

/// Fits families of guides to posteriors that no single Gaussian fits; each line states the bound, its standard error, and what it must reach.
#[derive(Parser)]
struct Arguments {
    /// Those targets alone whose names contain this.
    #[arg(default_value = "")]
    target: String,
    /// Flows alone.
    #[arg(long)]
    flows: bool,
    /// Draws for the bound.
    #[arg(long, default_value_t = 1_000_000)]
    draws: usize,
    /// The seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let mixture = |components| Family::Mixture { components, full_rank: true };
    let wanted = |name: &str| name.contains(&arguments.target);
    println!(
        "{:<22} {:<58} {:>8} {:>7} {:>8} {:>6} {:>8} {:>8}",
        "target", "guide", "bound", "+-", "at least", "k", "steps", "seconds"
    );

    if wanted("cone") && !arguments.flows {
        let model = Cone { z: 5.0 };
        let iwae = Objective::ImportanceWeighted { samples: 5 };
        for (family, objective, least) in [
            (Family::MeanField, Objective::Elbo, -8.08),
            (Family::MeanField, iwae, -7.56),
            (mixture(4), Objective::Elbo, -6.70),
            (mixture(16), Objective::Elbo, -5.50),
        ] {
            line("cone", &model, &arguments, (family, objective), Vec::new(), Some(least))?;
        }
        let saddle = vec![("x".to_owned(), vec![1.6]), ("y".to_owned(), vec![1.6])];
        line("cone from its saddle", &model, &arguments, (Family::MeanField, Objective::Elbo), saddle, Some(-8.08))?;
    }
    let flows = [FlowKind::planar(), FlowKind::real_nvp(), FlowKind::inverse_autoregressive(), FlowKind::neural_spline()];
    for (dimensions, within) in [(2_usize, 0.05), (20, 0.2)] {
        let shift = 3.0 / (dimensions as f64).sqrt();
        let gaussians = [(Family::FullRank, None), (mixture(2), Some(-within)), (mixture(4), Some(-within))];
        let gaussians = gaussians.into_iter().filter(|_| !arguments.flows);
        for (family, least) in gaussians.chain(flows.map(|kind| (Family::Flow(kind), Some(-within)))) {
            let name = format!("two modes, {dimensions}-d");
            // Layers of coordinates find one of two modes that lie along no coordinate, in many dimensions; pushes along any direction find both.
            let found = !matches!(family, Family::Flow(kind) if dimensions > 2 && kind != FlowKind::planar());
            let own_least = least.filter(|_| found);
            if wanted(&name) {
                let model = Bimodal { shift, D: dimensions };
                line(&name, &model, &arguments, (family, Objective::Elbo), Vec::new(), own_least)?;
            }
            let name = format!("banana, {dimensions}-d");
            let family = match family {
                Family::Mixture { components, .. } => mixture(4 * components),
                other => other,
            };
            if wanted(&name) {
                let model = Banana { D: dimensions - 2 };
                line(&name, &model, &arguments, (family, Objective::Elbo), Vec::new(), least)?;
            }
        }
    }
    Ok(())
}

/// Fits, and prints a line.
fn line<M: Model>(
    name: &str,
    model: &M,
    arguments: &Arguments,
    (family, objective): (Family, Objective),
    initial: Vec<(String, Vec<f64>)>,
    least: Option<f64>,
) -> Result<(), ppl_examples::Failure> {
    let began = Instant::now();
    let config = Bbvi { family, objective, initial, seed: arguments.seed, draws: arguments.draws, ..Bbvi::default() };
    let fit = fit_bbvi(model, config)?;
    let (bound, error) = fit.bound();
    let guide = match objective {
        Objective::Elbo => fit.guide().name(),
        other => format!("{}, {}", fit.guide().name(), other.name()),
    };
    let least = least.map_or_else(String::new, |least| format!("{least:.2}"));
    println!(
        "{name:<22} {guide:<58} {bound:>8.3} {error:>7.4} {least:>8} {:>6.2} {:>8} {:>8.2}",
        fit.pareto_k(),
        fit.steps(),
        began.elapsed().as_secs_f64()
    );
    Ok(())
}
