//! Eight schools (Rubin 1981; Gelman et al. 2013, section 5.5): how much does coaching raise test scores?

use std::process::ExitCode;

use ppl_core::prelude::*;

model! {
    /// The effects of coaching in eight schools, partially pooled.
    pub EightSchools(y: [f64; J], sigma: [f64; J]) {
        mu  ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let model = EightSchools {
        y: vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        sigma: vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    };
    let fit = fit_bbvi(&model, Bbvi::default())?;
    let summary = fit.summary();
    println!("{summary}");

    println!("The effect of each school (points), 50 % and 90 % intervals:\n");
    println!("{}", Intervals::new(summary.scalars.iter().filter(|s| s.variable == "theta" || s.name == "mu")));
    println!("Other examples:");
    println!("  cargo run --release -p ppl-examples --bin homes                 a hierarchical regression from a CSV file");
    println!("  cargo run --release -p ppl-examples --bin targets               how near each family comes to hard targets");
    println!(
        "  cargo run --release -p ppl-examples --bin own_guide             a guide of one's own, in plain tensor operations"
    );
    println!("  cargo run --release -p ppl-examples --bin posteriordb -- DIR    against the reference posteriors of posteriordb");
    Ok(())
}
