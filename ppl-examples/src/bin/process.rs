//! Gaussian-process regression, and how sure it is where: `cargo run --release -p ppl-examples --bin process -- --out DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_examples::pictures::{Captions, band, middle};

model! {
    /// A function on a grid, observed with noise at some of its points (Rasmussen & Williams 2006, chapter 2).
    pub Process(grid: [f64; M], at: [in M; N], y: [f64; N]) {
        length_scale ~ InverseGamma(5, 5);
        amplitude    ~ HalfNormal(1);
        noise        ~ HalfNormal(0.5);
        let covariance[M, M] = matern52(grid, amplitude, length_scale, jitter = 1e-6);
        let root[M, M] = cholesky(covariance);
        z[M] ~ Normal(0, 1);
        let f[M] = matvec(root, z);
        for n in N {
            y[n] ~ Normal(f[at[n]], noise);
        }
    }
}

/// Fits a Gaussian process to 60 points of a wave with a gap, and draws its mean with the band of 95 % of what it believes the function may be.
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

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
    let grid: Vec<f64> = (0..=60).map(|m| -3.0 + f64::from(m) / 10.0).collect();
    // Points on both sides of a gap.
    let at: Vec<usize> = (0..60).map(|n| if n < 30 { 10 + n / 2 } else { 35 + (n - 30) / 2 }).collect();
    let noise = |n: usize| 0.15 * normal_quantile(uniform(1, n as u64));
    let y: Vec<f64> = at.iter().enumerate().map(|(n, &m)| (3.0 * grid[m]).sin() + noise(n)).collect();
    let points: Vec<[f64; 2]> = at.iter().zip(&y).map(|(&m, y)| [grid[m], *y]).collect();
    let model = Process { grid: grid.clone(), at: at.into(), y };
    let fit = fit_bbvi(&model, Bbvi { seed: arguments.seed, ..Bbvi::default() })?;
    for name in ["length_scale", "amplitude", "noise"] {
        if let Some(scalar) = fit.scalar(name) {
            println!("{name:13} {:.3} +- {:.3}", scalar.mean, scalar.sd);
        }
    }
    println!(
        "{} steps in {:.1} s, {}; Pareto k {:.2}",
        fit.steps(),
        fit.elapsed().as_secs_f64(),
        fit.stop_reason(),
        fit.pareto_k()
    );

    let draws = fit.draws(&model, 2000)?;
    let (mut mean, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
    for m in 0..grid.len() {
        let [own, low, high] = middle(draws.f.column(m).to_vec());
        mean.push(own);
        lower.push(low);
        upper.push(high);
    }
    let width = |m: usize| upper[m] - lower[m];
    println!("width of the band: {:.2} at the data, {:.2} in the gap, {:.2} beyond the data", width(17), width(30), width(60));
    let captions = Captions { title: "A Gaussian process", x: "x", y: "y" };
    let path = arguments.out.join("process.png");
    band(&path, &grid, &mean, &lower, &upper, &points, captions)?;
    println!("written: {}", path.display());
    Ok(())
}
