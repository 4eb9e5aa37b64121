//! A variational auto-encoder of images: learned in seconds, and drawn.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ppl_core::networks::{Activate, Conv2d, ConvTranspose2d, Dense, Image, NetworkError, Parameterized, Sequential, Window};
use ppl_core::prelude::*;
use ppl_core::random::normal_quantile;
use ppl_examples::images::{Images, Split, digits, idx};
use ppl_examples::pictures::{Captions, beside, curve, grid, scatter};

model! {
    /// Variational auto-encoder (Kingma & Welling 2014).
    pub Vae(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            x[n, D] ~ Bernoulli(logit = decoder(z[n]));
        }
    }
}

guide! {
    /// The recognition network: a normal posterior for each image.
    pub Encoder for Vae(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

/// Learns a variational auto-encoder of images, and writes reconstructions, samples, the manifold of a plane of latents and the scatter of test images in it.
#[derive(Parser)]
struct Arguments {
    /// Where pictures are written.
    #[arg(long)]
    out: PathBuf,
    /// A folder with the files of MNIST or Fashion-MNIST; the 8 by 8 digits that ship with the project if none is given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Latent dimensions; the manifold is drawn of two.
    #[arg(long, default_value_t = 2)]
    latents: usize,
    /// What encoder and decoder are made of.
    #[arg(long, value_enum, default_value_t = Kind::Dense)]
    networks: Kind,
    /// How often every image is seen.
    #[arg(long)]
    epochs: Option<usize>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What encoder and decoder are made of.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// One hidden layer each.
    Dense,
    /// Two convolutions down to a quarter of the side, and two transposed ones back.
    Convolutional,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    // Pixels of MNIST are probabilities, drawn anew each time; of the few of a small digit, each is ink or paper.
    let (Split { train, test }, hidden, epochs, transforms) = match &arguments.data {
        Some(folder) => (idx(folder)?, 400, 10, vec![Transform::binarize("x")]),
        None => (inked(digits()?).split(0.2, 1)?, 256, 1000, Vec::new()),
    };
    std::fs::create_dir_all(&arguments.out)?;
    let (image, latents) = (Image { channels: 1, height: train.height, width: train.width }, arguments.latents);
    let (encoder, decoder) = networks(arguments.networks, image, hidden, latents, arguments.seed)?;
    let of = |images: &Images| Vae { x: images.pixels.clone(), decoder: decoder.clone(), Z: latents };
    let (model, unseen) = (of(&train), of(&test));
    let guide = Encoder { encoder };

    let epochs = arguments.epochs.unwrap_or(epochs);
    let every = epochs.div_ceil(20);
    let report = move |epoch: &Epoch| {
        if (epoch.epoch + 1).is_multiple_of(every) {
            println!(
                "epoch {:4}  bound {:9.3}  divergence {:6.3} nats an image  {:5.1} s",
                epoch.epoch + 1,
                epoch.bound,
                epoch.divergence,
                epoch.elapsed.as_secs_f64()
            );
        }
        ControlFlow::Continue(())
    };
    let fit = fit_amortized(
        &model,
        &guide,
        Amortized {
            epochs,
            rate: 2e-3,
            schedule: Schedule::Cosine,
            transforms,
            seed: arguments.seed,
            observer: Some(Box::new(report)),
            ..Amortized::default()
        },
    )?;
    let log_likelihood = fit.log_likelihood(&unseen, 100)?;
    let mean = log_likelihood.iter().sum::<f64>() / log_likelihood.len() as f64;
    println!("held-out images: log likelihood {mean:.2} nats an image, by 100 importance samples each");

    let (height, width) = (train.height, train.width);
    let path = |name: &str| arguments.out.join(name);
    #[allow(clippy::cast_possible_truncation, reason = "gray values to look at")]
    let image = |made: &Generated| made.mean("x").map(|mean| mean.mapv(|pixel| pixel as f32)).unwrap_or_default();
    let first = test.rows(&(0..test.len().min(40)).collect::<Vec<_>>())?;
    beside(path("reconstructions.png"), &first.pixels, &image(&fit.reconstruct(&of(&first))?), 10, height, width)?;
    grid(path("samples.png"), &image(&fit.sample(100, arguments.seed)?), 10, height, width)?;
    let bounds: Vec<[f64; 2]> = fit.history().iter().map(|epoch| [epoch.epoch as f64 + 1.0, epoch.bound]).collect();
    let captions = Captions { title: "Evidence lower bound", x: "epoch", y: "nats an image" };
    curve(path("bound.png"), &[("training images", bounds)], captions)?;
    if latents == 2 {
        grid(path("manifold.png"), &image(&fit.decode(&[("z", plane(20))])?), 20, height, width)?;
        let encoded = fit.encode(&unseen)?;
        let points: Vec<[f64; 2]> = encoded[0].location.outer_iter().map(|z| [f64::from(z[0]), f64::from(z[1])]).collect();
        scatter(path("latents.png"), &points, &test.labels, "Where the encoder puts held-out images")?;
    }
    println!("pictures in {}", arguments.out.display());
    Ok(())
}

/// The encoder and the decoder.
fn networks(
    kind: Kind,
    image: Image,
    hidden: usize,
    latents: usize,
    seed: u64,
) -> Result<(Parameterized<f32>, Parameterized<f32>), NetworkError> {
    let (encoder, decoder) = match kind {
        Kind::Dense => {
            let mlp = |sizes: [usize; 3]| Mlp::new(&sizes).activation(Activation::Tanh).layers();
            (mlp([image.size(), hidden, 2 * latents])?, mlp([latents, hidden, image.size()])?)
        }
        Kind::Convolutional => (convolutions(image, 2 * latents)?, transposed_convolutions(latents, image)?),
    };
    Ok((Parameterized::initialize(encoder, seed + 1), Parameterized::initialize(decoder, seed)))
}

/// Kernels of the two convolutions.
const KERNELS: [usize; 2] = [16, 32];
/// Halves the side of an image, or doubles it.
const HALVE: Window = Window { kernel: 4, stride: 2, padding: 1 };

/// From an image to so many numbers.
fn convolutions(image: Image, outputs: usize) -> Result<Sequential<f32>, NetworkError> {
    let first = Conv2d::new(image, KERNELS[0], HALVE)?;
    let second = Conv2d::new(first.output(), KERNELS[1], HALVE)?;
    let (half, quarter) = (first.output().size(), second.output().size());
    Sequential::new(first)
        .then(Activate::new(half, Activation::Relu)?)?
        .then(second)?
        .then(Activate::new(quarter, Activation::Relu)?)?
        .then(Dense::new(quarter, outputs, Activation::Identity)?)
}

/// From so many numbers to an image.
fn transposed_convolutions(inputs: usize, image: Image) -> Result<Sequential<f32>, NetworkError> {
    let quarter = Image { channels: KERNELS[1], height: image.height / 4, width: image.width / 4 };
    let first = ConvTranspose2d::new(quarter, KERNELS[0], HALVE, 0)?;
    let second = ConvTranspose2d::new(first.output(), image.channels, HALVE, 0)?;
    let half = first.output().size();
    Sequential::new(Dense::new(inputs, quarter.size(), Activation::Relu)?)
        .then(first)?
        .then(Activate::new(half, Activation::Relu)?)?
        .then(second)
}

/// Images of ink and paper alone.
fn inked(images: Images) -> Images {
    Images { pixels: images.pixels.mapv(|pixel| f32::from(u8::from(pixel > 0.5))), ..images }
}

/// Points of the plane that have equal probabilities between them, row by row from the top left (Kingma & Welling 2014, figure 4).
fn plane(side: usize) -> Array2<f64> {
    let at = |i: usize| normal_quantile((i as f64 + 0.5) / side as f64);
    Array2::from_shape_fn((side * side, 2), |(i, axis)| if axis == 0 { at(i % side) } else { -at(i / side) })
}
