//! Radon in homes: a hierarchical regression on a CSV file, with the names of the counties in the summary.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ppl_core::files::Table;
use ppl_core::prelude::*;

model! {
    /// Partially pooled county intercepts (Gelman & Hill 2007, chapter 12), non-centred.
    pub Homes(log_radon: [f64; N], floor: [f64; N], county: [in C; N], uranium: [f64; C]) {
        mu      ~ Normal(0, 10);
        gamma   ~ Normal(0, 10);
        beta    ~ Normal(0, 10);
        tau     ~ HalfNormal(1);
        sigma   ~ HalfNormal(1);
        for c in C {
            offset[c] ~ Normal(0, 1);
            let alpha[c] = mu + gamma * uranium[c] + tau * offset[c];
        }
        for n in N {
            let at_home = alpha[county[n]] + beta * floor[n];
            log_radon[n] ~ Normal(at_home, sigma);
        }
    }
}

/// Fits partially pooled county intercepts to a table with the columns county, floor, uranium (one value a county) and `log_radon`.
#[derive(Parser)]
struct Arguments {
    /// The table; simulated data that ship with the project if none is given.
    file: Option<PathBuf>,
    /// Writes the fit here.
    #[arg(long)]
    save: Option<PathBuf>,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let shipped = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data/homes.csv"));
    let table = Table::read_csv(arguments.file.unwrap_or_else(shipped))?;
    let county = table.indices("county")?;
    let uranium = table.reals_by_level("uranium", &county)?;
    let model = Homes { log_radon: table.reals("log_radon")?, floor: table.reals("floor")?, county, uranium };

    let fit = fit_bbvi(&model, Bbvi { observers: vec![Box::new(Progress::new())], ..Bbvi::default() })?;
    let summary = fit.summary();
    println!("{summary}");
    println!("The level of each county, 50 % and 90 % intervals:\n");
    println!("{}", Intervals::new(summary.scalars.iter().filter(|s| s.variable == "alpha")));
    if let Some(path) = arguments.save {
        fit.save(&path)?;
        println!("Saved to {}", path.display());
    }
    Ok(())
}
