//! A regression on a network with latent weights, and how sure it is where: `cargo run --release -p ppl-examples --bin bands -- --out DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_examples::pictures::{Captions, band, middle};

model! {
    /// A Bayesian neural network (Blundell et al. 2015) with noise of a known size.
    pub Curve(x: [f64; N, D], y: [f64; N], f: net(D => 1)) {
        f ~ Normal(0, 1);
        for n in N {
            let mean = f(x[n]);
            y[n] ~ Normal(mean, 0.1);
        }
    }
}

/// Fits a network with latent weights to 80 points of a wave with a gap, and draws its mean with the band of 95 % of what it believes the curve may be.
#[derive(Parser)]
struct Arguments {
    /// Where the picture is written.
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn network() -> Result<ppl_core::networks::Parameterized<f64>, NetworkError> {
    Mlp::new(&[1, 20, 20, 1]).activation(Activation::Relu).build(1)
}

fn at(x: &[f64], y: Vec<f64>) -> Result<Curve, NetworkError> {
    Ok(Curve { x: Array2::from_shape_fn((x.len(), 1), |(n, _)| x[n]), y, f: network()? })
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
    // Points on both sides of a gap.
    let x: Vec<f64> = (0..80).map(|n| f64::from(n) / 40.0 - if n < 40 { 2.0 } else { 0.5 }).collect();
    let noise = |n: usize| 0.1 * normal_quantile(uniform(1, n as u64));
    let y: Vec<f64> = x.iter().enumerate().map(|(n, x)| (3.0 * x).sin() + noise(n)).collect();
    let model = at(&x, y.clone())?;
    let config = Amortized {
        batch: x.len(),
        epochs: 60_000,
        rate: 5e-3,
        schedule: Schedule::Cosine,
        // First the data, then the prior: from the start it would switch off units that the curve needs.
        kl_weight: KlWeight::Linear { from: 0.0, steps: 30_000 },
        seed: arguments.seed,
        ..Amortized::default()
    };
    let fit = fit_amortized(&model, &(), config)?;
    let last = fit.history().last().ok_or("no epoch")?;
    println!("evidence lower bound {:.1} nats, {:.1} s", 80.0 * last.bound, last.elapsed.as_secs_f64());

    let asked: Vec<f64> = (0..=200).map(|i| -3.0 + 6.0 * f64::from(i) / 200.0).collect();
    let made = fit.predictive(&at(&asked, vec![0.0; asked.len()])?, 400, 1)?;
    let (mut mean, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..asked.len() {
        let [own, low, high] = middle(made.iter().filter_map(|made| made.array("mean")).map(|mean| mean[[row, 0]]).collect());
        mean.push(own);
        lower.push(low);
        upper.push(high);
    }
    let width = |x: usize| upper[x] - lower[x];
    println!("width of the band: {:.2} at the data, {:.2} in the gap, {:.2} beyond the data", width(50), width(90), width(200));
    let points: Vec<[f64; 2]> = x.iter().zip(&y).map(|(x, y)| [*x, *y]).collect();
    let captions = Captions { title: "A network with latent weights", x: "x", y: "y" };
    let path = arguments.out.join("bands.png");
    band(&path, &asked, &mean, &lower, &upper, &points, captions)?;
    println!("written: {}", path.display());
    Ok(())
}
