//! Latents of rows that a guide draws from other families than the normal ones: gradients, and posteriors that are known.

use ndarray::Array2;
use ppl_core::amortized::{Amortized, AmortizedEstimator, AmortizedObjective, Divergence, bound_gradient, fit_amortized};
use ppl_core::guide;
use ppl_core::networks::{Activation, Mlp, Network as _, Parameterized};
use ppl_core::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Rates of counts, shares of successes, and what a network makes of both and of a simplex.
    #[derive(Debug)]
    pub Many(c: [u64; N], s: [u64; N], y: [f64; N, K], decoder: net(2 + K => K)) {
        for n in N {
            rate[n] ~ Gamma(2, 1);
            share[n] ~ Beta(2, 3);
            w[n, K] ~ Dirichlet(1.5);
            z[n] ~ Normal(0, 1);
            heading[n] ~ VonMises(0, 1.5);
            c[n] ~ Poisson(rate[n] * exp(0.3 * sin(heading[n])));
            s[n] ~ Binomial(10, share[n]);
            let m = decoder(rate[n], share[n], w[n]);
            y[n, K] ~ Normal(m, exp(0.3 * z[n]));
        }
    }
}

guide! {
    #[derive(Debug)]
    pub ManyGuide for Many(encoder: net(K => 5 + K)) {
        for n in N {
            let (a, b, d, e, f, g) = split(encoder(y[n]));
            rate[n] ~ Gamma(exp(a) + 2, exp(b));
            share[n] ~ Beta(1 + exp(a), 2 + exp(d));
            for k in K {
                let concentration[n, k] = exp(g[k]) + 0.5;
            }
            w[n, K] ~ Dirichlet(concentration[n]);
            heading[n] ~ VonMises(a, 1 + exp(d));
            z[n] ~ StudentT(5, e + 0.3 * share[n], exp(f));
        }
    }
}

model! {
    /// Counts at rates of their own.
    pub Rates(c: [u64; N], exposure: [f64; N]) {
        for n in N {
            rate[n] ~ Gamma(2, 1);
            c[n] ~ Poisson(rate[n] * exposure[n]);
        }
    }
}

guide! {
    /// The posterior itself, if the network finds the identity.
    pub Conjugate for Rates(network: net(2 => 2)) {
        for n in N {
            let (shape, rate_of) = split(network(c[n], exposure[n]));
            rate[n] ~ Gamma(softplus(shape), softplus(rate_of));
        }
    }
}

fn smooth(sizes: &[usize], seed: u64) -> Parameterized<f64> {
    Mlp::new(sizes).activation(Activation::Tanh).build(seed).expect("sizes are positive")
}

fn many() -> (Many, ManyGuide) {
    let y = Array2::from_shape_fn((4, 3), |(n, k)| ((n * 7 + k * 3) % 5) as f64 / 2.0 - 1.0);
    let model = Many { c: vec![1, 0, 3, 2], s: vec![4, 1, 7, 0], y, decoder: smooth(&[5, 4, 3], 1) };
    (model, ManyGuide { encoder: smooth(&[3, 4, 8], 2) })
}

/// The derivatives of a bound by the parameters of a guide's and of a model's network, of which there are so many: `moved` is the bound where one of them is more.
fn numeric_gradient([of_model, of_guide]: [usize; 2], moved: impl Fn(bool, usize, f64) -> f64) -> Vec<f64> {
    let h = 1e-5;
    let all = (0..of_model).map(|i| (false, i)).chain((0..of_guide).map(|i| (true, i)));
    all.map(|(of_guide, i)| (moved(of_guide, i, h) - moved(of_guide, i, -h)) / (2.0 * h)).collect()
}

fn close(found: &[f64], numeric: &[f64], tolerance: f64) {
    assert_eq!(found.len(), numeric.len());
    for (i, (found, numeric)) in found.iter().zip(numeric).enumerate() {
        assert!((found - numeric).abs() < tolerance * (1.0 + numeric.abs()), "{i}: {found} {numeric}");
    }
}

/// The objectives whose gradients are compared.
fn objectives() -> [Amortized; 2] {
    let config = |objective, samples| Amortized { objective, samples, ..Amortized::default() };
    [config(AmortizedObjective::Elbo, 2), config(AmortizedObjective::ImportanceWeighted, 3)]
}

/// Compares the gradient of the bound of a model with a `decoder` and a guide with an `encoder` with finite differences.
macro_rules! check_gradients {
    ($data:expr, $tolerance:expr) => {
        for config in objectives() {
            let (model, guide) = $data;
            let found = bound_gradient(&model, &guide, &config, 5)?;
            let found: Vec<f64> = found.networks.iter().flat_map(|(_, gradient)| gradient.iter().copied()).collect();
            let numeric =
                numeric_gradient([model.decoder.parameters().len(), guide.encoder.parameters().len()], |of_guide, i, by| {
                    let (mut model, mut guide) = $data;
                    let own = if of_guide { &mut guide.encoder } else { &mut model.decoder };
                    own.parameters_mut()[i] += by;
                    bound_gradient(&model, &guide, &config, 5).expect("as before").bound
                });
            close(&found, &numeric, $tolerance);
        }
    };
}

#[test]
fn gradients_are_those_of_finite_differences() -> Outcome {
    check_gradients!(many(), 2e-7);
    Ok(())
}

model! {
    /// Numbers in intervals, vectors that are sorted, walk or are simplexes, and what a network makes of them.
    #[derive(Debug)]
    pub Wide(y: [f64; N, K], decoder: net(2 + 3 * K => K)) {
        for n in N {
            part[n] ~ Uniform(-1, 2);
            above[n] ~ Truncated(Normal(0, 1), lower = 0.5);
            cut[n, K] ~ Ordered(Normal(0, 1));
            z[n, K] ~ Normal(0, 1);
            w[n, K] ~ Dirichlet(1.5);
            let m = decoder(part[n], above[n], cut[n], z[n], w[n]);
            y[n, K] ~ Normal(m, 0.7);
        }
    }
}

guide! {
    #[derive(Debug)]
    pub WideGuide for Wide(encoder: net(K => 4 + K)) {
        for n in N {
            let (a, b, c, d, g) = split(encoder(y[n]));
            part[n] ~ Truncated(Normal(a, exp(b)), lower = -1, upper = 2);
            above[n] ~ Truncated(Normal(c, 1), lower = 0.5);
            cut[n, K] ~ Ordered(Normal(c, exp(d)));
            z[n, K] ~ GaussianRandomWalk(exp(b + 0.1 * part[n]));
            w[n, K] ~ Concrete(0.7, g);
        }
    }
}

fn wide() -> (Wide, WideGuide) {
    let y = Array2::from_shape_fn((3, 3), |(n, k)| ((n * 7 + k * 3) % 5) as f64 / 2.0 - 1.0);
    (Wide { y, decoder: smooth(&[11, 4, 3], 1) }, WideGuide { encoder: smooth(&[3, 4, 7], 2) })
}

#[test]
fn gradients_on_intervals_and_of_vectors_are_those_of_finite_differences() -> Outcome {
    check_gradients!(wide(), 5e-7);
    Ok(())
}

#[test]
fn estimators_have_the_same_mean() -> Outcome {
    let (model, guide) = many();
    let with = |estimator, objective| Amortized { estimator, objective, samples: 2, ..Amortized::default() };
    let (elbo, weighted) = (AmortizedObjective::Elbo, AmortizedObjective::ImportanceWeighted);
    let pairs = [
        (with(AmortizedEstimator::Standard, elbo), with(AmortizedEstimator::StickingTheLanding, elbo)),
        (with(AmortizedEstimator::Standard, weighted), with(AmortizedEstimator::DoublyReparameterized, weighted)),
    ];
    for (one, other) in pairs {
        let draws = 2000;
        let mut sums: Vec<(f64, f64)> = Vec::new();
        for seed in 0..draws {
            let [a, b] = [&one, &other].map(|config| bound_gradient(&model, &guide, config, seed));
            let (a, b) = (a?.networks, b?.networks);
            let differences = a.iter().zip(&b).flat_map(|((_, a), (_, b))| a.iter().zip(b).map(|(a, b)| a - b));
            for (at, x) in differences.enumerate() {
                if sums.len() <= at {
                    sums.push((0.0, 0.0));
                }
                sums[at].0 += x;
                sums[at].1 += x * x;
            }
        }
        let count = draws as f64;
        for (i, (sum, squares)) in sums.into_iter().enumerate() {
            let (mean, square) = (sum / count, squares / count);
            let error = ((square - mean * mean) / count).max(0.0).sqrt() + 1e-9;
            assert!(mean.abs() < 4.5 * error, "{i}: {mean} +- {error}");
        }
    }
    Ok(())
}

#[test]
fn a_gamma_guide_is_the_posterior() -> Outcome {
    let c: Vec<u64> = (0..60).map(|n| (n * n + 3 * n) % 9).collect();
    let exposure: Vec<f64> = (0..60).map(|n| 0.5 + f64::from(n % 5) / 2.0).collect();
    let model = Rates { c: c.clone(), exposure: exposure.clone() };
    let network = Mlp::new(&[2, 32, 2]).activation(Activation::Tanh).build(1)?;
    let guide = Conjugate { network };
    let config = Amortized {
        epochs: 3000,
        batch: 60,
        samples: 4,
        rate: 0.02,
        schedule: Schedule::Cosine,
        estimator: AmortizedEstimator::StickingTheLanding,
        ..Amortized::default()
    };
    let fit = fit_amortized(&model, &guide, config)?;
    // The evidence of a count: negative binomial.
    let evidence = |c: f64, e: f64| (c + 1.0).ln() + c * e.ln() - (c + 2.0) * (1.0 + e).ln();
    let exact: f64 = c.iter().zip(&exposure).map(|(&c, &e)| evidence(c as f64, e)).sum::<f64>() / 60.0;
    let bound = fit.bounds(&model, 50)?.iter().map(|row| row.bound()).sum::<f64>() / 60.0;
    assert!((bound - exact).abs() < 2e-3, "{bound} {exact}");
    // The median and the central width of the logarithm of a gamma variable, from draws of the guide.
    let encoded = fit.encode(&model)?;
    let draws = fit.draws(&model, 4000, 1)?;
    let [(_, draws)] = &draws[..] else { panic!("there is one latent") };
    for n in 0..60 {
        let mut logs: Vec<f64> = (0..4000).map(|draw| draws[[draw, n, 0]].ln()).collect();
        logs.sort_by(f64::total_cmp);
        let half = (logs[3365] - logs[634]) / 2.0;
        assert!((encoded[0].location[[n, 0]] - logs[2000]).abs() < 0.06, "{n}");
        assert!((encoded[0].scale[[n, 0]] - half).abs() < 0.06 * half.max(0.5), "{n}: {} {half}", encoded[0].scale[[n, 0]]);
        let mean = logs.iter().map(|x| x.exp()).sum::<f64>() / 4000.0;
        let expected = (2.0 + c[n] as f64) / (1.0 + exposure[n]);
        assert!((mean / expected - 1.0).abs() < 0.08, "{n}: {mean} {expected}");
    }
    println!("{}", fit.summary()?);
    Ok(())
}

#[test]
fn what_is_not_normal_has_no_closed_form() {
    let (model, guide) = many();
    let config = Amortized { divergence: Divergence::Analytic, ..Amortized::default() };
    let message = bound_gradient(&model, &guide, &config, 0).expect_err("refused").to_string();
    assert!(message.contains("it is not normal in the guide"), "{message}");
}
