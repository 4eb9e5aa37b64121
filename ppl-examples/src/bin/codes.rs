//! A variational auto-encoder whose latents are discrete: the gradient by the score function, by expectation and relaxed, side by side.
//!
//! ```text
//! cargo run --release -p ppl-examples --bin codes -- --out out
//! ```
//! An image is a code of 20 symbols of ten. The encoder cannot be moved along the path of its draws, which jump; the score of what was drawn has the right mean and much
//! noise, symbols that are relaxed have little noise and another mean, and over a code of two symbols all hundred are gone through. The variance is that of the gradient by the
//! encoder for one batch, in multiples of the square of its mean's length, where the relaxed code has learned for a while; bounds are those of the discrete
//! code, of held-out images, after as many seconds for each.
//!
//! # Source
//! Jang, Gu & Poole 2017, Categorical reparameterization with Gumbel-softmax; Mnih & Rezende 2016, Variational inference for Monte Carlo objectives.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ppl_core::amortized::{DiscreteEstimator, Divergence, bound_gradient};
use ppl_core::networks::Network as _;
use ppl_core::prelude::*;
use ppl_examples::images::{Images, Split, digits, idx};
use ppl_examples::pictures::grid;

model! {
    /// Images as codes of L symbols.
    pub Codes(x: [f32; N, D], prior: [f32; K], decoder: net(L * K => D), L: usize) {
        for n in N {
            for l in L {
                code[n, l] ~ Categorical(prior);
            }
            x[n, D] ~ Bernoulli(logit = decoder(one_hot(code[n])));
        }
    }
}

guide! {
    /// The encoder.
    pub Encoder for Codes(encoder: net(D => L * K)) {
        for n in N {
            let logits = encoder(x[n]);
            for l in L {
                code[n, l] ~ Categorical(logits = logits[l]);
            }
        }
    }
}

const SYMBOLS: usize = 10;

/// Learns images as codes of symbols, by the score function, by expectation and relaxed, and prints how noisy and how good each is.
#[derive(Parser)]
struct Arguments {
    /// Where pictures are written.
    #[arg(long)]
    out: PathBuf,
    /// The folder of MNIST or Fashion-MNIST; small digits without.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Seconds of learning of each.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let Split { train, test } = match &arguments.data {
        Some(folder) => idx(folder)?,
        None => digits()?.split(0.2, 1)?,
    };
    let [train, test] = [train.inked(), test.inked()];
    std::fs::create_dir_all(&arguments.out)?;
    println!("code     gradient of the encoder                variance  bound of held-out images (nats an image)  epochs");
    for length in [20, 2] {
        let learner = Learner { train: &train, test: &test, length, arguments: &arguments };
        let relaxed = |temperature: f64| DiscreteEstimator::Concrete { temperature };
        let place = learner.place(relaxed(0.7))?;
        let score = DiscreteEstimator::ScoreFunction;
        let mut ways = vec![
            ("score function, drawn divergence", score, 4, Divergence::Sampled),
            ("score function, 1 sample", score, 1, Divergence::Auto),
            ("score function, 4 samples", score, 4, Divergence::Auto),
            ("score function, 16 samples", score, 16, Divergence::Auto),
            ("Concrete, temperature 1", relaxed(1.0), 1, Divergence::Auto),
            ("Concrete, temperature 0.5", relaxed(0.5), 1, Divergence::Auto),
        ];
        if length == 2 {
            ways.push(("expectation", DiscreteEstimator::Expectation, 1, Divergence::Auto));
        }
        for (name, discrete, samples, divergence) in ways {
            let variance = learner.variance(&place, (discrete, samples, divergence))?;
            let (bound, epochs) = learner.learn(name, (discrete, samples, divergence))?;
            println!("{length:2} of {SYMBOLS}  {name:34}  {variance:12.3}  {bound:40.2}  {epochs:6}");
        }
    }
    println!("pictures in {}", arguments.out.display());
    Ok(())
}

/// How a gradient is estimated.
type Way = (DiscreteEstimator, usize, Divergence);

struct Learner<'a> {
    train: &'a Images,
    test: &'a Images,
    length: usize,
    arguments: &'a Arguments,
}

impl Learner<'_> {
    fn model(&self, images: &Images) -> Result<Codes, ppl_examples::Failure> {
        let pixels = images.pixels.ncols();
        let decoder = Mlp::new(&[self.length * SYMBOLS, 200, 200, pixels]).build(self.arguments.seed)?;
        Ok(Codes { x: images.pixels.clone(), prior: vec![1.0 / SYMBOLS as f32; SYMBOLS], decoder, L: self.length })
    }

    fn guide(&self) -> Result<Encoder, ppl_examples::Failure> {
        let sizes = [self.train.pixels.ncols(), 200, 200, self.length * SYMBOLS];
        Ok(Encoder { encoder: Mlp::new(&sizes).build(self.arguments.seed + 1)? })
    }

    fn config(&self, (discrete, samples, divergence): Way) -> Amortized {
        Amortized { discrete, samples, divergence, seed: self.arguments.seed, ..Amortized::default() }
    }

    /// A batch of images with the networks after some epochs.
    fn place(&self, discrete: DiscreteEstimator) -> Result<(Codes, Encoder), ppl_examples::Failure> {
        let (model, guide) = (self.model(self.train)?, self.guide()?);
        let max_time = Some(Duration::from_secs(self.arguments.seconds).div_f64(4.0));
        let config = Amortized { epochs: usize::MAX, max_time, ..self.config((discrete, 1, Divergence::Auto)) };
        let fit = fit_amortized(&model, &guide, config)?;
        let mut batch = self.model(&self.train.rows(&(0..128).collect::<Vec<_>>())?)?;
        let mut own = self.guide()?;
        for (network, name) in [(&mut batch.decoder, "decoder"), (&mut own.encoder, "encoder")] {
            network.parameters_mut().copy_from_slice(fit.parameters_of(name).unwrap_or_default());
        }
        Ok((batch, own))
    }

    /// The variance of the gradient by the encoder, in multiples of the square of its mean's length.
    fn variance(&self, (model, guide): &(Codes, Encoder), way: Way) -> Result<f64, ppl_examples::Failure> {
        let draws = 100;
        let config = self.config(way);
        let (mut sum, mut squares) = (Vec::new(), 0.0);
        for seed in 0..draws {
            let found = bound_gradient(model, guide, &config, seed)?;
            let Some((_, own)) = found.networks.iter().find(|(name, _)| *name == "encoder") else { continue };
            sum.resize(own.len(), 0.0);
            for (sum, x) in sum.iter_mut().zip(own) {
                *sum += f64::from(*x);
                squares += f64::from(*x).powi(2);
            }
        }
        let count = draws as f64;
        // The square of the mean of draws has a share of the variance.
        let of_mean = sum.iter().map(|x| (x / count).powi(2)).sum::<f64>();
        let variance = (squares / count - of_mean) * count / (count - 1.0);
        Ok(variance / (of_mean - variance / count).max(f64::MIN_POSITIVE))
    }

    /// Learns for the time; the bound of held-out images, and how often all others were seen.
    fn learn(&self, name: &str, way: Way) -> Result<(f64, usize), ppl_examples::Failure> {
        let (model, guide) = (self.model(self.train)?, self.guide()?);
        let max_time = Some(Duration::from_secs(self.arguments.seconds));
        let config = Amortized { epochs: usize::MAX, max_time, ..self.config(way) };
        let fit = fit_amortized(&model, &guide, config)?;
        let unseen = self.model(self.test)?;
        let bounds = fit.bounds(&unseen, 10)?;
        let bound = bounds.iter().map(|row| row.bound()).sum::<f64>() / bounds.len() as f64;
        let some = self.test.rows(&(0..10).collect::<Vec<_>>())?;
        let again = fit.reconstruct(&self.model(&some)?)?;
        let mean = again.mean("x").cloned().unwrap_or_default();
        let tiles = Array2::from_shape_fn((20, some.pixels.ncols()), |(tile, pixel)| {
            #[expect(clippy::cast_possible_truncation, reason = "a probability")]
            let made = |tile: usize| mean[[tile, pixel]] as f32;
            if tile < 10 { some.pixels[[tile, pixel]] } else { made(tile - 10) }
        });
        let file = format!("{}-{}.png", self.length, name.replace(", ", "-").replace(' ', "-").to_lowercase());
        grid(self.arguments.out.join(file), &tiles, 10, some.height, some.width)?;
        Ok((bound, fit.history().len()))
    }
}
