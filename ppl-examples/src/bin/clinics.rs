//! A hierarchical regression whose guide reads the data of a group: after one fit, the posterior of a group never seen is one pass through a network.
//!
//! ```text
//! cargo run --release -p ppl-examples --bin clinics
//! ```
//! The data are simulated: many clinics, and of each a few measurements of a response at doses that are centred within the clinic. The posterior of a clinic given
//! the learned parameters is known in closed form, and stands beside that of the network. With centred doses intercept and slope are independent given the data,
//! as they are in the guide.

use std::process::ExitCode;

use clap::Parser;
use ppl_core::amortized::AmortizedEstimator;
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};

model! {
    /// A line for each clinic, from a population of lines.
    pub Clinics(response: [f64; G, M], dose: [f64; G, M]) {
        param intercept_mean: real = 0;
        param intercept_sd: positive = 1;
        param slope_mean: real = 0;
        param slope_sd: positive = 1;
        param noise_sd: positive = 1;
        for g in G {
            intercept[g] ~ Normal(intercept_mean, intercept_sd);
            slope[g] ~ Normal(slope_mean, slope_sd);
            for m in M {
                response[g, m] ~ Normal(intercept[g] + slope[g] * dose[g, m], noise_sd);
            }
        }
    }
}

guide! {
    /// Reads the measurements of a clinic.
    pub Reader for Clinics(network: net(2 * M => 4)) {
        for g in G {
            let (intercept_loc, intercept_log_scale, slope_loc, slope_log_scale) = split(network(response[g], dose[g]));
            intercept[g] ~ Normal(intercept_loc, exp(intercept_log_scale));
            slope[g] ~ Normal(slope_loc, exp(slope_log_scale));
        }
    }
}

/// Learns a hierarchical regression with a guide that reads the data of a group, and asks it about groups never seen.
#[derive(Parser)]
struct Arguments {
    /// Clinics to learn from.
    #[arg(long, default_value_t = 10_000)]
    clinics: usize,
    /// Measurements of a clinic.
    #[arg(long, default_value_t = 8)]
    measurements: usize,
    /// How often every clinic is seen.
    #[arg(long, default_value_t = 300)]
    epochs: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let (clinics, measurements, seed) = (arguments.clinics, arguments.measurements, arguments.seed);
    let truth = Population { intercept: [1.5, 0.8], slope: [-0.7, 0.5], noise: 0.6 };
    let model = truth.simulate(clinics, measurements, seed);
    let guide = Reader { network: Mlp::new(&[2 * measurements, 128, 128, 4]).activation(Activation::Tanh).build(seed)? };
    let fit = fit_amortized(
        &model,
        &guide,
        Amortized {
            epochs: arguments.epochs,
            rate: 2e-3,
            schedule: Schedule::Cosine,
            estimator: AmortizedEstimator::StickingTheLanding,
            seed,
            ..Amortized::default()
        },
    )?;
    if let Some(last) = fit.history().last() {
        println!("{clinics} clinics: bound {:.3} nats a clinic, {:.1} s", last.bound, last.elapsed.as_secs_f64());
    }

    let learned = |name| fit.global(name).map_or(f64::NAN, |values| values[0]);
    let learned = Population {
        intercept: [learned("intercept_mean"), learned("intercept_sd")],
        slope: [learned("slope_mean"), learned("slope_sd")],
        noise: learned("noise_sd"),
    };
    println!("\nparameter         truth  learned");
    for (name, truth, learned) in [
        ("intercept_mean", truth.intercept[0], learned.intercept[0]),
        ("intercept_sd", truth.intercept[1], learned.intercept[1]),
        ("slope_mean", truth.slope[0], learned.slope[0]),
        ("slope_sd", truth.slope[1], learned.slope[1]),
        ("noise_sd", truth.noise, learned.noise),
    ] {
        println!("{name:14}  {truth:7.3}  {learned:7.3}");
    }

    let unseen = truth.simulate(3, measurements, seed + 1);
    let encoded = fit.encode(&unseen)?;
    println!("\nnew clinic              network          exact");
    for clinic in 0..unseen.dose.nrows() {
        for (encoded, exact) in encoded.iter().zip(learned.posterior(&unseen, clinic)) {
            let (location, scale) = (encoded.location[[clinic, 0]], encoded.scale[[clinic, 0]]);
            println!("{clinic:10}  {:9}  {location:6.3} +- {scale:5.3}  {:6.3} +- {:5.3}", encoded.name, exact[0], exact[1]);
        }
    }
    Ok(())
}

/// What clinics are drawn from: the mean and the standard deviation of their lines, and the deviation of a measurement from its line.
struct Population {
    intercept: [f64; 2],
    slope: [f64; 2],
    noise: f64,
}

impl Population {
    fn simulate(&self, clinics: usize, measurements: usize, seed: u64) -> Clinics {
        let standard = |key: u64, columns: usize| {
            let mut numbers = Array2::zeros((clinics, columns));
            normals(step_key(seed, key), columns, numbers.as_slice_mut().unwrap_or_default());
            numbers
        };
        let mut dose = standard(0, measurements);
        for mut row in dose.rows_mut() {
            let mean = row.sum() / measurements as f64;
            row -= mean;
        }
        let (lines, noise) = (standard(1, 2), standard(2, measurements));
        let response = Array2::from_shape_fn((clinics, measurements), |(g, m)| {
            let intercept = self.intercept[0] + self.intercept[1] * lines[[g, 0]];
            let slope = self.slope[0] + self.slope[1] * lines[[g, 1]];
            intercept + slope * dose[[g, m]] + self.noise * noise[[g, m]]
        });
        Clinics { response, dose }
    }

    /// The means and standard deviations of intercept and slope given the measurements of a clinic, whose doses are centred: a normal prior and a normal likelihood.
    fn posterior(&self, data: &Clinics, clinic: usize) -> [[f64; 2]; 2] {
        let (response, dose) = (data.response.row(clinic), data.dose.row(clinic));
        let weight = self.noise.powi(-2);
        let of = |[mean, sd]: [f64; 2], squares: f64, product: f64| {
            let precision = sd.powi(-2) + weight * squares;
            [(mean * sd.powi(-2) + weight * product) / precision, precision.powf(-0.5)]
        };
        [of(self.intercept, response.len() as f64, response.sum()), of(self.slope, dose.dot(&dose), dose.dot(&response))]
    }
}
