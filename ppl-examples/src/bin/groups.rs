//! Latents of very many groups: a step costs what its batch costs, however many groups there are.
//!
//! ```text
//! cargo run --release -p ppl-examples --bin groups -- --groups 1000000
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};
use ppl_examples::pace::Pace;

model! {
    /// Groups around a common mean.
    pub Groups(y: [f64; G, R]) {
        mu ~ Normal(0, 10);
        tau ~ HalfNormal(5);
        for g in G {
            theta[g] ~ Normal(mu, tau);
            for r in R {
                y[g, r] ~ Normal(theta[g], 1);
            }
        }
    }
}

/// Fits as many groups as are asked for, beside what is known of them in closed form.
#[derive(Parser)]
struct Arguments {
    /// How many groups; several numbers for a table.
    #[arg(long, num_args = 1.., default_values_t = [10_000, 100_000, 1_000_000])]
    groups: Vec<usize>,
    /// Rows of each group.
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// Groups of a step.
    #[arg(long, default_value_t = 1000)]
    batch: usize,
    /// How many times all groups are gone through, at most.
    #[arg(long, default_value_t = 50)]
    epochs: usize,
}

const MU: f64 = 1.0;
const TAU: f64 = 2.0;

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let Arguments { groups, rows, batch, epochs } = Arguments::parse();
    for groups in groups {
        let model = simulated(groups, rows);
        let pace = Pace::default();
        let fit = fit_bbvi(
            &model,
            Bbvi {
                minibatch: Some(Minibatch::of("G", batch)),
                max_steps: epochs * (groups / batch),
                max_time: Duration::from_secs(3600),
                draws: 128,
                observers: vec![Box::new(pace.clone())],
                ..Bbvi::default()
            },
        )?;
        println!("{}", fit.summary());
        println!(
            "{groups} groups: {:.3} ms a step; {pace}; {:.1} s in all",
            1e3 * batch as f64 / pace.rate(),
            fit.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Groups of which the means are drawn, and the rows around them.
fn simulated(groups: usize, rows: usize) -> Groups {
    let mut theta = vec![0.0_f64; groups];
    normals(1, 1, &mut theta);
    let mut y = vec![0.0_f64; groups * rows];
    normals(step_key(2, 0), 1, &mut y);
    y.iter_mut().enumerate().for_each(|(i, y)| *y += MU + TAU * theta[i / rows]);
    Groups { y: Array2::from_shape_vec((groups, rows), y).expect("as many as there are places") }
}
