//! One training step of a variational auto-encoder 784-400-20-400-784 on a batch of 128 in single precision: passes, Bernoulli likelihood,
//! reparameterization, pullbacks, Adam; on one thread and on two: written by hand on our networks, as a model and a guide, and in the stock modules of dfdx.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use ppl_core::amortized::{Amortized, fit_amortized};
use ppl_core::distributions::{BernoulliLogit, Univariate as _};
use ppl_core::kernel::{Kernel, Lanes, Sum, dispatch};
use ppl_core::networks::{Activation, AdamConfig, AdamState, Mlp, Network, NetworkError, Parameterized, Pass, Work};
use ppl_core::random::uniform;
use ppl_core::tensor::dfdx;
use rayon::prelude::*;

const ROWS: usize = 128;
const PIXELS: usize = 784;
const LATENT: usize = 20;

fn pixels() -> Vec<f32> {
    (0..ROWS * PIXELS).map(|i| f32::from(u8::from(uniform(1, i as u64) < 0.2))).collect()
}

/// Noise of variance one.
fn noise() -> Vec<f32> {
    #[allow(clippy::cast_possible_truncation, reason = "to the nearest single")]
    let noise = (0..ROWS * LATENT).map(|i| ((uniform(2, i as u64) - 0.5) * 12_f64.sqrt()) as f32).collect();
    noise
}

/// The log likelihood of rows, and its derivative.
struct Likelihood<'a> {
    x: &'a [f32],
    logits: &'a [f32],
    adjoint: &'a mut [f32],
}

impl Kernel<f32> for Likelihood<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<V: Lanes<Element = f32>>(self) -> f64 {
        let (x, logits, adjoint) = (V::chunks(self.x), V::chunks(self.logits), V::chunks_mut(self.adjoint));
        let mut sum = V::Sum::zero();
        for i in 0..adjoint.len() {
            let partials = BernoulliLogit::kernel(V::from_chunk(&x[i]), [V::from_chunk(&logits[i])]);
            sum += partials.log_prob;
            (partials.d_params[0] * V::constant(1.0 / ROWS as f64)).to_chunk(&mut adjoint[i]);
        }
        let mut lanes = [0.0; 16];
        sum.add_to(&mut lanes);
        lanes.iter().sum()
    }
}

/// Everything of a fit, made once.
struct Vae {
    encoder: Parameterized<f32>,
    decoder: Parameterized<f32>,
    works: [Work<f32>; 2],
    gradients: [Vec<f32>; 2],
    optimizers: [AdamState<f32>; 2],
    buffers: [Vec<f32>; 6],
    x: Vec<f32>,
    noise: Vec<f32>,
}

impl Vae {
    fn new(activation: Activation) -> Result<Self, NetworkError> {
        let encoder = Mlp::new(&[PIXELS, 400, 2 * LATENT]).activation(activation).build(1)?;
        let decoder = Mlp::new(&[LATENT, 400, PIXELS]).activation(activation).build(2)?;
        let sizes = [&encoder, &decoder].map(|network| network.parameters().len());
        Ok(Vae {
            encoder,
            decoder,
            works: [Work::new(), Work::new()],
            gradients: sizes.map(|size| vec![0.0; size]),
            optimizers: sizes.map(|size| AdamState::new(size, AdamConfig::default())),
            buffers: [2 * LATENT, 2 * LATENT, LATENT, LATENT, PIXELS, PIXELS].map(|size| vec![0.0; ROWS * size]),
            x: pixels(),
            noise: noise(),
        })
    }

    /// A step up the evidence lower bound, whose value per row it returns.
    fn step(&mut self) -> Result<f64, NetworkError> {
        let [statistics, d_statistics, z, d_z, logits, d_logits] = &mut self.buffers;
        let [of_encoder, of_decoder] = &mut self.works;
        self.encoder.forward(&self.x, ROWS, of_encoder, statistics)?;
        for ((z, noise), statistics) in z.chunks_mut(LATENT).zip(self.noise.chunks(LATENT)).zip(statistics.chunks(2 * LATENT)) {
            for k in 0..LATENT {
                z[k] = statistics[k] + statistics[LATENT + k].exp() * noise[k];
            }
        }
        self.decoder.forward(z, ROWS, of_decoder, logits)?;
        let part = 16 * PIXELS;
        let likelihoods: [f64; 8] = {
            let mut values = [0.0; 8];
            values
                .par_iter_mut()
                .zip(self.x.par_chunks(part))
                .zip(logits.par_chunks(part).zip(d_logits.par_chunks_mut(part)))
                .for_each(|((value, x), (logits, adjoint))| *value = dispatch(Likelihood { x, logits, adjoint }));
            values
        };
        d_z.fill(0.0);
        let pass = Pass { rows: ROWS, x: z, y: logits, y_adjoint: d_logits };
        self.decoder.pull(pass, of_decoder, Some(d_z), &mut self.gradients[1])?;
        let (mut divergence, share) = (0.0, 1.0 / ROWS as f32);
        for row in 0..ROWS {
            for k in 0..LATENT {
                let (loc, scale) = (2 * LATENT * row + k, 2 * LATENT * row + LATENT + k);
                let (m, s) = (statistics[loc], statistics[scale].exp());
                divergence += f64::from(0.5 * (m * m + s * s - 1.0) - statistics[scale]);
                d_statistics[loc] = d_z[LATENT * row + k] - m * share;
                d_statistics[scale] = d_z[LATENT * row + k] * s * self.noise[LATENT * row + k] - (s * s - 1.0) * share;
            }
        }
        let pass = Pass { rows: ROWS, x: &self.x, y: statistics, y_adjoint: d_statistics };
        self.encoder.pull(pass, of_encoder, None, &mut self.gradients[0])?;
        self.optimizers[0].step(1e-3, self.encoder.parameters_mut(), &mut self.gradients[0])?;
        self.optimizers[1].step(1e-3, self.decoder.parameters_mut(), &mut self.gradients[1])?;
        Ok((likelihoods.iter().sum::<f64>() - divergence) / ROWS as f64)
    }
}

/// The same of dfdx's modules, with its cache of buffers on.
fn stock(c: &mut Criterion) {
    use dfdx::nn::builders::{Linear, ReLU, SplitInto};
    use dfdx::optim::{Adam, AdamConfig, Optimizer as _};
    use dfdx::prelude::*;
    type Encoder = ((Linear<PIXELS, 400>, ReLU), SplitInto<(Linear<400, LATENT>, Linear<400, LATENT>)>);
    type Decoder = ((Linear<LATENT, 400>, ReLU), Linear<400, PIXELS>);
    let device = Cpu::default();
    device.enable_cache();
    let mut model = device.build_module::<(Encoder, Decoder), f32>();
    let mut optimizer = Adam::new(&model, AdamConfig { lr: 1e-3, ..Default::default() });
    let mut gradients = Some(model.alloc_grads());
    let x: Tensor<Rank2<ROWS, PIXELS>, f32, Cpu> = device.tensor_from_vec(pixels(), Default::default());
    let noise: Tensor<Rank2<ROWS, LATENT>, f32, Cpu> = device.tensor_from_vec(noise(), Default::default());
    c.bench_function("step of a variational auto-encoder/dfdx", |b| {
        b.iter(|| {
            let traced = x.trace(gradients.take().expect("put back"));
            let (loc, log_variance) = model.0.forward(traced);
            let (loc, tape) = loc.split_tape();
            let (log_variance, other) = log_variance.split_tape();
            let loc = loc.put_tape(tape.merge(other));
            let log_variance: Tensor<Rank2<ROWS, LATENT>, f32, Cpu, OwnedTape<f32, Cpu>> =
                log_variance.put_tape(OwnedTape::default());
            let divergence =
                (loc.with_empty_tape().square() + log_variance.with_empty_tape().exp() - log_variance.with_empty_tape() - 1.0)
                    .sum::<Rank0, _>()
                    * 0.5;
            let z = loc + (log_variance * 0.5).exp() * noise.clone();
            let logits = model.1.forward(z);
            let loss = (logits.bce_with_logits(x.clone()).sum::<Rank0, _>() + divergence) * (1.0 / ROWS as f32);
            let value = loss.array();
            let mut all = loss.backward();
            optimizer.update(&mut model, &all).expect("every parameter is used");
            model.zero_grads(&mut all);
            gradients = Some(all);
            black_box(value)
        });
    });
}

mod declared {
    ppl_core::model! {
        /// Variational auto-encoder (Kingma & Welling 2014).
        pub Vae(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
            for n in N {
                z[n, Z] ~ Normal(0, 1);
                x[n, D] ~ Bernoulli(logit = decoder(z[n]));
            }
        }
    }

    ppl_core::guide! {
        /// The recognition network.
        pub Encoder for Vae(encoder: net(D => 2 * Z)) {
            for n in N {
                let (loc, log_scale) = split(encoder(x[n]));
                z[n, Z] ~ Normal(loc, exp(log_scale));
            }
        }
    }
}

/// The same as a model and a guide: whole fits of as many steps, what is made once included.
fn as_a_model(c: &mut Criterion) {
    let network = |sizes: &[usize], seed| Mlp::new(sizes).activation(Activation::Relu).build(seed).expect("sizes fit");
    let x = ndarray::Array2::from_shape_vec((ROWS, PIXELS), pixels()).expect("a matrix");
    let model = declared::Vae { x, decoder: network(&[LATENT, 400, PIXELS], 2), Z: LATENT };
    let guide = declared::Encoder { encoder: network(&[PIXELS, 400, 2 * LATENT], 1) };
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        c.bench_function(&format!("step of a variational auto-encoder/model and guide, {threads} threads"), |b| {
            b.iter_custom(|steps| {
                let config = Amortized { epochs: usize::try_from(steps).expect("few"), ..Amortized::default() };
                let start = Instant::now();
                let fit = pool.install(|| fit_amortized(&model, &guide, config)).expect("a good model");
                black_box(fit.history().len());
                start.elapsed()
            });
        });
    }
}

fn ours(c: &mut Criterion) {
    for activation in [Activation::Relu, Activation::Tanh] {
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let mut vae = Vae::new(activation).expect("sizes fit");
            vae.step().expect("sizes fit");
            let bytes: usize = vae.works.iter().map(Work::bytes).sum();
            c.bench_function(&format!("step of a variational auto-encoder/{activation}, {threads} threads"), |b| {
                b.iter(|| black_box(pool.install(|| vae.step()).expect("sizes fit")));
            });
            let value = vae.step().expect("sizes fit");
            assert!(value.is_finite() && bytes == vae.works.iter().map(Work::bytes).sum::<usize>(), "{value}");
        }
    }
}

criterion_group!(benches, ours, as_a_model, stock);
criterion_main!(benches);
