//! Prey and predator by a differential equation, observed for a while and foretold: `cargo run --release -p ppl-examples --bin lynx -- --out DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_examples::pictures::{Captions, band, middle};

model! {
    /// Hares and lynxes (Lotka 1925, Volterra 1926), seen with error at some of the times.
    pub Lynx(times: [f64; T], at: [in T; N], y: [f64; N, S]) {
        growth     ~ LogNormal(ln(0.5), 0.5);
        predation  ~ LogNormal(ln(0.05), 0.5);
        death      ~ LogNormal(ln(0.5), 0.5);
        conversion ~ LogNormal(ln(0.05), 0.5);
        z0[S]      ~ LogNormal(ln(10), 1);
        sigma      ~ LogNormal(-1, 1);
        ode s in 0..times[t] for t in T {
            start(prey) = z0[0];
            start(predator) = z0[1];
            d(prey) = (growth - predation * predator) * prey;
            d(predator) = (conversion * prey - death) * predator;
        }
        for n in N {
            y[n, 0] ~ LogNormal(ln(prey[at[n]]), sigma);
            y[n, 1] ~ LogNormal(ln(predator[at[n]]), sigma);
        }
    }
}

/// Fits 20 years of simulated hares and lynxes, and draws the means with the bands of 95 % of what was and of what comes in ten years more.
#[derive(Parser)]
struct Arguments {
    /// Where the pictures are written.
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

/// What a step of the method of Heun makes of hares and lynxes: steps are many and short.
fn simulate(years: usize) -> Vec<[f64; 2]> {
    let slope = |[prey, predator]: [f64; 2]| [(0.55 - 0.028 * predator) * prey, (0.024 * prey - 0.8) * predator];
    let (mut state, h, mut found) = ([34.0, 6.0], 1e-3, Vec::new());
    for _ in 0..years {
        for _ in 0..1000 {
            let first = slope(state);
            let second = slope([state[0] + h * first[0], state[1] + h * first[1]]);
            state = [state[0] + 0.5 * h * (first[0] + second[0]), state[1] + 0.5 * h * (first[1] + second[1])];
        }
        found.push(state);
    }
    found
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
    // Five times a year for thirty years, of which twenty are observed, at their ends.
    let times: Vec<f64> = (1..=150).map(|t| f64::from(t) / 5.0).collect();
    let at: Vec<usize> = (0..20).map(|n| 5 * n + 4).collect();
    let truth = simulate(20);
    let noise = |place: usize| (0.2 * normal_quantile(uniform(1, place as u64))).exp();
    let y = Array2::from_shape_fn((20, 2), |(n, k)| truth[n][k] * noise(2 * n + k));
    let model = Lynx { times: times.clone(), at: at.clone().into(), y: y.clone() };
    let fit = fit_bbvi(&model, Bbvi { seed: arguments.seed, ..Bbvi::default() })?;
    for (name, truth) in [("growth", 0.55), ("predation", 0.028), ("death", 0.8), ("conversion", 0.024), ("sigma", 0.2)] {
        if let Some(scalar) = fit.scalar(name) {
            println!("{name:11} {:.3} +- {:.3}, simulated from {truth}", scalar.mean, scalar.sd);
        }
    }
    println!("{} steps in {:.1} s, {}", fit.steps(), fit.elapsed().as_secs_f64(), fit.stop_reason());
    fit.notes().iter().for_each(|note| println!("{note}"));

    let draws = fit.draws(&model, 2000)?;
    for (k, name, column) in [(0, "hares", &draws.prey), (1, "lynxes", &draws.predator)] {
        let (mut mean, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
        for t in 0..times.len() {
            let [own, low, high] = middle(column.column(t).to_vec());
            mean.push(own);
            lower.push(low);
            upper.push(high);
        }
        let points: Vec<[f64; 2]> = at.iter().enumerate().map(|(n, &t)| [times[t], y[[n, k]]]).collect();
        let path = arguments.out.join(format!("{name}.png"));
        band(&path, &times, &mean, &lower, &upper, &points, Captions { title: name, x: "years", y: "thousands" })?;
        println!("written: {}", path.display());
    }
    Ok(())
}
