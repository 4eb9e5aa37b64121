//! Posterior collapse, and what cures it: a decoder that does well without its latents learns to do without them.
//!
//! ```text
//! cargo run --release -p ppl-examples --bin collapse -- --out out
//! ```
//! A decoder makes the right half of a digit of its left half, which it reads, and of ten latents. A large one learns the training images by heart from their left
//! halves alone, and most latents fall back to their prior. Annealing, where the divergence from the prior costs nothing at first, keeps them in use (but delays the
//! collapse alone: with twice the epochs some are lost); so do free bits, which the divergence of a latent has at no cost, and a small decoder. The bound of training images is the highest where latents collapsed, since that decoder remembers best: held-out images tell.
//! Pictures show, right of a held-out image, what the decoder makes of its left half and of six draws of the prior: the less they differ, the less latents say.
//!
//! # Source
//! Bowman et al. 2016, Generating sentences from a continuous space; Fu et al. 2019, Cyclical annealing schedule; Kingma et al. 2016, Improving variational
//! inference with inverse autoregressive flow, for free bits.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ndarray::Axis;
use ppl_core::prelude::*;
use ppl_examples::images::{Images, Split, digits};
use ppl_examples::pictures::grid;

model! {
    /// The right half of an image given its left half, which the decoder reads beside the latents.
    pub Halves(right: [f32; N, R], left: [f32; N, L], decoder: net(Z + L => R), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            right[n, R] ~ Bernoulli(logit = decoder(z[n], left[n]));
        }
    }
}

guide! {
    /// The recognition network, of both halves.
    pub Encoder for Halves(encoder: net(R + L => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(right[n], left[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

const LATENTS: usize = 10;
const LARGE: &[usize] = &[256, 256, 256];
const SMALL: &[usize] = &[64];

/// Shows on small digits how latents collapse under a large decoder, and that annealing, free bits or a small decoder keeps them in use.
#[derive(Parser)]
struct Arguments {
    /// Where pictures are written.
    #[arg(long)]
    out: PathBuf,
    /// How often every image is seen.
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
    let Split { train, test } = digits()?.split(0.2, 1)?;
    let [train, test] = [train.inked(), test.inked()];
    std::fs::create_dir_all(&arguments.out)?;
    let batch = 128;
    let steps = arguments.epochs * train.len().div_ceil(batch);
    let linear = KlWeight::Linear { from: 0.0, steps: steps / 2 };
    let cyclical = KlWeight::Cyclical { cycles: 4, steps: 3 * steps / 4 };
    println!(
        "decoder  cure       bound of training images  divergence  active units  log likelihood of held-out images (nats an image)"
    );
    for (decoder, hidden, cure, kl_weight, free_bits) in [
        ("large", LARGE, "none", KlWeight::One, 0.0),
        ("large", LARGE, "linear", linear, 0.0),
        ("large", LARGE, "cyclical", cyclical, 0.0),
        ("large", LARGE, "free-bits", KlWeight::One, 0.25),
        ("small", SMALL, "none", KlWeight::One, 0.0),
    ] {
        let (model, unseen) = (halves(&train, hidden, arguments.seed)?, halves(&test, hidden, arguments.seed)?);
        let both = model.left.ncols() + model.right.ncols();
        let guide = Encoder { encoder: Mlp::new(&[both, 256, 2 * LATENTS]).build(arguments.seed + 1)? };
        let fit = fit_amortized(
            &model,
            &guide,
            Amortized {
                batch,
                epochs: arguments.epochs,
                rate: 2e-3,
                schedule: Schedule::Cosine,
                kl_weight,
                free_bits,
                seed: arguments.seed,
                ..Amortized::default()
            },
        )?;

        let (bound, divergence) = fit.history().last().map_or((f64::NAN, f64::NAN), |last| (last.bound, last.divergence));
        let active: usize = fit.active_units(&unseen)?.iter().map(|(_, used)| used.iter().filter(|used| **used).count()).sum();
        let log_likelihood = fit.log_likelihood(&unseen, 200)?;
        let mean = log_likelihood.iter().sum::<f64>() / log_likelihood.len() as f64;
        println!("{decoder:7}  {cure:9}  {bound:24.2}  {divergence:10.2}  {active:6} of {LATENTS:2}  {mean:33.2}");

        let some = test.rows(&(0..10).collect::<Vec<_>>())?;
        let given = halves(&some, hidden, arguments.seed)?;
        let mut columns = vec![some.pixels.clone()];
        for draw in 0..6 {
            let made = fit.sample_given(&given, draw)?;
            #[expect(clippy::cast_possible_truncation, reason = "a probability")]
            let right = made.mean("right").map(|mean| mean.mapv(|pixel| pixel as f32)).unwrap_or_default();
            columns.push(joined(&given.left, &right, some.width));
        }
        let rows = Array2::from_shape_fn((some.len() * columns.len(), some.pixels.ncols()), |(tile, pixel)| {
            columns[tile % columns.len()][[tile / columns.len(), pixel]]
        });
        grid(arguments.out.join(format!("{decoder}-{cure}.png")), &rows, columns.len(), some.height, some.width)?;
    }
    println!("pictures in {}", arguments.out.display());
    Ok(())
}

/// The model of images cut in two, with a decoder of these hidden layers.
fn halves(images: &Images, hidden: &[usize], seed: u64) -> Result<Halves, ppl_examples::Failure> {
    let [left, right] = [false, true].map(|right| {
        let half: Vec<usize> = (0..images.pixels.ncols()).filter(|pixel| is_right(*pixel, images.width) == right).collect();
        images.pixels.select(Axis(1), &half)
    });
    let sizes = [&[LATENTS + left.ncols()], hidden, &[right.ncols()]].concat();
    Ok(Halves { right, left, decoder: Mlp::new(&sizes).build(seed)?, Z: LATENTS })
}

fn is_right(pixel: usize, width: usize) -> bool {
    pixel % width >= width / 2
}

/// The images that were cut in two.
fn joined(left: &Array2<f32>, right: &Array2<f32>, width: usize) -> Array2<f32> {
    Array2::from_shape_fn((left.nrows(), left.ncols() + right.ncols()), |(image, pixel)| {
        let half = if is_right(pixel, width) { right } else { left };
        half[[image, pixel / width * (width / 2) + pixel % width % (width / 2)]]
    })
}
