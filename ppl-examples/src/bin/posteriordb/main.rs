//! Fits models of posteriordb and compares with its reference draws.

mod database;
mod models;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ppl_core::prelude::*;

use database::Database;

/// Fits models of posteriordb (<https://github.com/stan-dev/posteriordb>) and compares with its reference draws.
#[derive(Parser)]
struct Arguments {
    /// A checkout of posteriordb, or its folder `posterior_database`.
    dir: PathBuf,
    /// Posteriors to fit, by their names or those of their models; all that are known if none is given.
    names: Vec<String>,
    /// One JSON line a posterior instead of tables.
    #[arg(long)]
    json: bool,
    /// The family of guides.
    #[arg(long, value_parser = family, default_value = "auto")]
    guide: Family,
    /// How the bound is climbed.
    #[arg(long, value_parser = optimizer, default_value = "auto")]
    optimizer: Optimizer,
    /// Put each fit beside four chains of the No-U-Turn sampler with so many draws each (with `--features nuts`).
    #[arg(long, value_name = "DRAWS")]
    nuts: Option<usize>,
    /// Draws of a fit, of which its table is made.
    #[arg(long, default_value_t = 4000)]
    draws: usize,
    /// The seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn family(word: &str) -> Result<Family, String> {
    match word {
        "auto" => Ok(Family::Auto),
        "mean-field" => Ok(Family::MeanField),
        "full-rank" => Ok(Family::FullRank),
        _ => Err("a guide is `auto`, `mean-field` or `full-rank`".to_owned()),
    }
}

fn optimizer(word: &str) -> Result<Optimizer, String> {
    match word {
        "auto" => Ok(Optimizer::Auto),
        "adam" => Ok(Optimizer::Adam),
        "advi" => Ok(Optimizer::AdviSequence),
        "dowg" => Ok(Optimizer::Dowg),
        _ => Err("an optimizer is `auto`, `adam`, `advi` or `dowg`".to_owned()),
    }
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let database = Database::open(&arguments.dir)?;
    let known = models::ALL;
    let chosen: Vec<&models::Entry> = if arguments.names.is_empty() {
        known.iter().collect()
    } else {
        let mut chosen = Vec::new();
        for name in &arguments.names {
            let entry = known.iter().find(|entry| entry.posterior == name || entry.model == name);
            chosen.push(entry.ok_or_else(|| {
                let all: Vec<&str> = known.iter().map(|entry| entry.posterior).collect();
                format!("`{name}` is not a posterior that is modelled here; there are {}", all.join(", "))
            })?);
        }
        chosen
    };
    for entry in chosen {
        let data = database.data(entry.data)?;
        let Arguments { seed, draws, guide: family, optimizer, .. } = arguments;
        let config = Bbvi { seed, draws, family, optimizer, ..Bbvi::default() };
        let fitted = (entry.fit)(&data, &mut models::Run { config, chains: arguments.nuts })?;
        if arguments.json {
            println!("{}", report::json(entry, &fitted));
        } else {
            let reference = database.reference(entry.posterior)?;
            print!("{}", report::table(entry, &fitted, reference.as_ref()));
        }
    }
    Ok(())
}
