//! Importance-weighted auto-encoders of handwritten digits: the experiment of Burda, Grosse & Salakhutdinov 2016 with one stochastic layer.
//!
//! ```text
//! cargo run --release -p ppl-examples --bin iwae -- --data DIR --out out --samples 5 --minutes 5
//! ```
//! learns for five minutes and tells the negative log likelihood of test images. On two cores an epoch takes about 6 seconds of one sample, 11 of five. The
//! fit is saved in `out` every five minutes, and the same command goes on with it, to the same bits. The experiment as published is 3280
//! epochs, here of the bound of 50 samples, and all test images:
//! ```text
//! cargo run --release -p ppl-examples --bin iwae -- --data DIR --out out --samples 50 --epochs 3280 --test-rows 0
//! ```

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use ppl_core::amortized::{AmortizedEstimator, AmortizedObjective, Checkpoint, resume_amortized};
use ppl_core::networks::Network as _;
use ppl_core::prelude::*;
use ppl_examples::images::{Images, Split, idx};
use ppl_examples::pictures::{Captions, curve};

model! {
    /// One stochastic layer, of which a network makes the image.
    pub Digits(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            x[n, D] ~ Bernoulli(logit = decoder(z[n]));
        }
    }
}

guide! {
    /// The recognition network, whose draws are the proposals of the importance weights.
    pub Recognition for Digits(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

const HIDDEN: usize = 200;
const LATENTS: usize = 50;

/// Learns an importance-weighted auto-encoder of MNIST, and tells the negative log likelihood of its test images.
#[derive(Parser)]
struct Arguments {
    /// The folder with the files of MNIST.
    #[arg(long)]
    data: PathBuf,
    /// Where the curve is written, and the fit, with which the next run goes on.
    #[arg(long)]
    out: PathBuf,
    /// Samples of the bound: of one, the ELBO.
    #[arg(long, default_value_t = 1)]
    samples: usize,
    /// The doubly reparameterized gradient (Tucker et al. 2019), of two samples or more.
    #[arg(long)]
    doubly: bool,
    /// How often every image is seen; the rate falls over the first 3280.
    #[arg(long, default_value_t = 3280)]
    epochs: usize,
    /// Learning ends after the epoch in which so many minutes are over, and goes on with the next run.
    #[arg(long)]
    minutes: Option<f64>,
    /// Samples of the log likelihood of a test image.
    #[arg(long, default_value_t = 5000)]
    importance: usize,
    /// Test images, evenly spaced; 0 for all.
    #[arg(long, default_value_t = 1000)]
    test_rows: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let Split { train, test } = idx(&arguments.data)?;
    let test = evenly(&test, arguments.test_rows)?;
    std::fs::create_dir_all(&arguments.out)?;
    let of = |images: &Images| {
        Ok::<_, ppl_examples::Failure>(Digits {
            x: images.pixels.clone(),
            decoder: decoder(&train.pixels, arguments.seed)?,
            Z: LATENTS,
        })
    };
    let (model, unseen) = (of(&train)?, of(&test)?);
    let sizes = [train.pixels.ncols(), HIDDEN, HIDDEN, 2 * LATENTS];
    let guide = Recognition { encoder: Mlp::new(&sizes).activation(Activation::Tanh).build(arguments.seed + 1)? };

    let report = |epoch: &Epoch| {
        println!(
            "epoch {:4}  bound {:9.3}  divergence {:6.3} nats an image  {:7.1} s",
            epoch.epoch + 1,
            epoch.bound,
            epoch.divergence,
            epoch.elapsed.as_secs_f64()
        );
        ControlFlow::Continue(())
    };
    let kind = if arguments.doubly { "_doubly" } else { "" };
    let saved = arguments.out.join(format!("k{}{kind}_seed{}.safetensors", arguments.samples, arguments.seed));
    let config = Amortized {
        batch: 20,
        epochs: arguments.epochs,
        samples: arguments.samples,
        rate: 1e-3,
        schedule: Schedule::burda(),
        objective: if arguments.samples > 1 { AmortizedObjective::ImportanceWeighted } else { AmortizedObjective::Elbo },
        estimator: if arguments.doubly { AmortizedEstimator::DoublyReparameterized } else { AmortizedEstimator::Standard },
        transforms: vec![Transform::binarize("x")],
        seed: arguments.seed,
        max_time: arguments.minutes.map(|minutes| Duration::try_from_secs_f64(60.0 * minutes)).transpose()?,
        checkpoint: Some(Checkpoint::minutes(5, &saved)),
        observer: Some(Box::new(report)),
        ..Amortized::default()
    };
    let fit =
        if saved.exists() { resume_amortized(&model, &guide, &saved, config)? } else { fit_amortized(&model, &guide, config)? };
    if let Some(last) = fit.history().last() {
        let (epochs, seconds) = (last.epoch + 1, last.elapsed.as_secs_f64());
        let (step, epoch) = (1e3 * seconds / last.steps as f64, seconds / epochs as f64);
        println!("{epochs} epochs, {} steps: {step:.2} ms a step, {epoch:.1} s an epoch", last.steps);
    }

    let points = fit.history().iter().map(|epoch| [epoch.epoch as f64 + 1.0, epoch.bound]).collect();
    let name = format!("k = {}{}", arguments.samples, if arguments.doubly { ", doubly reparameterized" } else { "" });
    let captions = Captions { title: "Bound of training images", x: "epoch", y: "nats an image" };
    curve(arguments.out.join("curve.png"), &[(&name, points)], captions)?;

    let active: usize = fit.active_units(&unseen)?.iter().map(|(_, used)| used.iter().filter(|used| **used).count()).sum();
    println!("active units: {active} of {LATENTS}");
    let start = Instant::now();
    let (mean, error) = mean_and_error(&fit.log_likelihood(&unseen, arguments.importance)?);
    println!(
        "test negative log likelihood {:.2} +- {error:.2} nats an image: {} images, {} samples each, {:.0} s",
        -mean,
        test.len(),
        arguments.importance,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A decoder that starts from the mean image: the biases of its outputs, which are the last of its parameters, are the log odds of the pixels.
fn decoder(pixels: &Array2<f32>, seed: u64) -> Result<ppl_core::networks::Parameterized<f32>, ppl_examples::Failure> {
    let outputs = pixels.ncols();
    let mut decoder = Mlp::new(&[LATENTS, HIDDEN, HIDDEN, outputs]).activation(Activation::Tanh).build(seed)?;
    let biases = decoder.parameters_mut().iter_mut().rev().take(outputs).rev();
    for (bias, pixel) in biases.zip(pixels.columns()) {
        let mean = (pixel.sum() / pixels.nrows() as f32).clamp(0.001, 0.999);
        *bias = (mean / (1.0 - mean)).ln();
    }
    Ok(decoder)
}

/// So many of the images, evenly spaced; 0 for all.
fn evenly(images: &Images, count: usize) -> Result<Images, ppl_examples::Failure> {
    let count = if count == 0 { images.len() } else { count.min(images.len()) };
    Ok(images.rows(&(0..count).map(|i| i * images.len() / count).collect::<Vec<_>>())?)
}

/// The mean of some numbers and its standard error.
fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}
