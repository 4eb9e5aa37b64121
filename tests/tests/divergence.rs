//! The divergence in closed form: its gradient, that its mean is that of the one from draws, where there is none, and free bits.
#![forbid(unsafe_code)]

use ndarray::Array2;
use ppl_core::amortized::{AmortizedEstimator, AmortizedObjective, BoundGradient, Divergence, bound_gradient};
use ppl_core::networks::{Network as _, Parameterized};
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// A latent, one whose prior a network gives of it, and one whose prior is of the two and of a parameter, which starts from `P` millionths.
    pub Chain(x: [f64; N, D], prior: net(Z => 2 * Z), decoder: net(Z => D), Z: usize, P: usize) {
        param s: positive = 0.000001 * P;
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let (a, k) = split(prior(z[n]));
            y[n, Z] ~ Normal(a, exp(k));
            w[n] ~ Normal(0.5 * z[n, 0] + 0.2 * y[n, 1] * y[n, 1], 0.3 + s);
            let h = decoder(y[n]);
            x[n, D] ~ Normal(h + 0.3 * w[n], s);
        }
    }
}

guide! {
    /// Its guide in the order of the model.
    pub Onward for Chain(first: net(D => 2 * Z), second: net(Z => 2 * Z)) {
        for n in N {
            let (l, j) = split(first(x[n]));
            z[n, Z] ~ Normal(l, exp(j));
            let (m, i) = split(second(z[n]));
            y[n, Z] ~ Normal(m, exp(i));
            w[n] ~ Normal(0.4 * y[n, 0] + 0.1 * x[n, 0], 0.2 + exp(j[0]));
        }
    }
}

guide! {
    /// A guide in another order: `z`, of which the prior of `y` is, given `y`.
    pub Backward for Chain(first: net(D => 2 * Z), second: net(Z => 2 * Z)) {
        for n in N {
            let (l, j) = split(first(x[n]));
            y[n, Z] ~ Normal(l, exp(j));
            let (m, i) = split(second(y[n]));
            z[n, Z] ~ Normal(m, exp(i));
            w[n] ~ Normal(0, 1);
        }
    }
}

fn smooth(sizes: &[usize], seed: u64) -> Parameterized<f64> {
    Mlp::new(sizes).activation(Activation::Tanh).build(seed).expect("sizes are positive")
}

fn noise(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut numbers = vec![0.0; rows * columns];
    normals(step_key(seed, 0), columns, &mut numbers);
    Array2::from_shape_vec((rows, columns), numbers).expect("as many")
}

fn chain() -> (Chain, Onward) {
    let model = Chain { x: noise(1, 7, 3), prior: smooth(&[2, 3, 4], 1), decoder: smooth(&[2, 4, 3], 2), Z: 2, P: 800_000 };
    (model, Onward { first: smooth(&[3, 4, 4], 3), second: smooth(&[2, 3, 4], 4) })
}

/// The gradient of the networks, one after the other, and of the globals.
fn flat(gradient: &BoundGradient<f64>) -> Vec<f64> {
    let networks = gradient.networks.iter().flat_map(|(_, gradient)| gradient.iter().copied());
    networks.chain(gradient.globals.iter().copied()).collect()
}

/// Network number `index` of the model and then of the guide.
fn network<'a>(model: &'a mut Chain, guide: &'a mut Onward, index: usize) -> &'a mut Parameterized<f64> {
    match index {
        0 => &mut model.prior,
        1 => &mut model.decoder,
        2 => &mut guide.first,
        _ => &mut guide.second,
    }
}

#[test]
fn gradients_are_those_of_finite_differences() -> Outcome {
    let analytic = Amortized { divergence: Divergence::Analytic, samples: 2, ..Amortized::default() };
    let lighter = Amortized { kl_weight: KlWeight::Linear { from: 0.3, steps: 9 }, ..Amortized::default() };
    // What is maximised is the bound plus what is left of the divergence.
    for (config, left) in [(analytic, 0.0), (lighter, 0.7)] {
        let objective = |model: &Chain, guide: &Onward| {
            bound_gradient(model, guide, &config, 5).map(|found| found.bound + left * found.divergence)
        };
        let (mut model, mut guide) = chain();
        let found = bound_gradient(&model, &guide, &config, 5)?;
        let mut numeric = Vec::new();
        for index in 0..4 {
            for i in 0..network(&mut model, &mut guide, index).parameters().len() {
                let mut moved = |by: f64| {
                    network(&mut model, &mut guide, index).parameters_mut()[i] += by;
                    objective(&model, &guide)
                };
                let (above, below) = (moved(1e-5)?, moved(-2e-5)?);
                moved(1e-5)?;
                numeric.push((above - below) / 2e-5);
            }
        }
        // A positive parameter is the exponential of its number.
        let mut moved = |start: usize| {
            model.P = start;
            objective(&model, &guide)
        };
        numeric.push(0.8 * (moved(800_010)? - moved(799_990)?) / 20e-6);
        let found = flat(&found);
        assert_eq!(found.len(), numeric.len());
        for (i, (found, numeric)) in found.iter().zip(&numeric).enumerate() {
            assert!((found - numeric).abs() < 2e-7 * (1.0 + numeric.abs()), "{i}: {found} {numeric}");
        }
    }
    Ok(())
}

#[test]
fn the_mean_is_that_of_the_divergence_from_draws() -> Outcome {
    let (model, guide) = chain();
    let of = |divergence| Amortized { divergence, ..Amortized::default() };
    let (one, other) = (of(Divergence::Analytic), of(Divergence::Sampled));
    // The bound, the divergence, and every derivative.
    let numbers = |config: &Amortized, seed| {
        bound_gradient(&model, &guide, config, seed).map(|found| [vec![found.bound, found.divergence], flat(&found)].concat())
    };
    let draws = 3000;
    let mut sums = vec![[0.0; 4]; numbers(&one, 0)?.len()];
    for seed in 0..draws {
        // Other noise for each: the two are to agree though no draw is shared.
        for ((a, b), sums) in numbers(&one, seed)?.into_iter().zip(numbers(&other, seed + draws)?).zip(&mut sums) {
            [a, a * a, b, b * b].into_iter().zip(sums).for_each(|(x, sum)| *sum += x);
        }
    }
    let n = draws as f64;
    let variance = |sum: f64, squares: f64| (squares / n - (sum / n).powi(2)).max(1e-20);
    for (i, &[a, aa, b, bb]) in sums.iter().enumerate() {
        let error = ((variance(a, aa) + variance(b, bb)) / n).sqrt();
        assert!((a - b).abs() / n < 4.0 * error, "{i}: {} {} {error}", a / n, b / n);
    }
    let divergence = variance(sums[1][0], sums[1][1]) / variance(sums[1][2], sums[1][3]);
    assert!(divergence < 0.5, "the variance of the divergence is {divergence} of that from draws");
    Ok(())
}

model! {
    /// A latent with a prior that is of a location and a scale, but not normal.
    pub Pointed(x: [f64; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Laplace(0, 1);
            let h = decoder(z[n]);
            x[n, D] ~ Normal(h, 0.5);
        }
    }
}

guide! {
    /// Its guide.
    pub Round for Pointed(encoder: net(D => 2 * Z)) {
        for n in N {
            let (l, k) = split(encoder(x[n]));
            z[n, Z] ~ Normal(l, exp(k));
        }
    }
}

#[test]
fn what_has_no_closed_form_is_refused_or_drawn() -> Outcome {
    let model = Pointed { x: noise(1, 7, 3), decoder: smooth(&[2, 4, 3], 2), Z: 2 };
    let guide = Round { encoder: smooth(&[3, 4, 4], 3) };
    let refused = |config: &Amortized| bound_gradient(&model, &guide, config, 1).err().map(|error| error.to_string());
    let no_form = "the divergence of `z` from its prior `z[Z] ~ Laplace(0, 1)` has no closed form: it is not `Normal` of a location and a scale; \
                   take `Divergence::Sampled`, without `free_bits`";
    let analytic = || Amortized { divergence: Divergence::Analytic, ..Amortized::default() };
    assert_eq!(refused(&analytic()).as_deref(), Some(no_form));
    assert_eq!(refused(&Amortized { free_bits: 0.1, ..Amortized::default() }).as_deref(), Some(no_form));
    let sampled = Amortized { divergence: Divergence::Sampled, ..Amortized::default() };
    assert_eq!(bound_gradient(&model, &guide, &Amortized::default(), 3)?, bound_gradient(&model, &guide, &sampled, 3)?);
    // With the prior held fixed there is no mean over what it depends on.
    let (model, _) = chain();
    let guide = Backward { first: smooth(&[3, 4, 4], 3), second: smooth(&[2, 3, 4], 4) };
    let error = bound_gradient(&model, &guide, &analytic(), 1).err().ok_or("another order")?;
    assert!(error.to_string().contains("depends on `z`, which the guide draws given `y`"), "{error}");
    assert_eq!(bound_gradient(&model, &guide, &Amortized::default(), 3)?, bound_gradient(&model, &guide, &sampled, 3)?);
    let (model, guide) = chain();
    let refused = |config: &Amortized| bound_gradient(&model, &guide, config, 1).err().map(|error| error.to_string());
    assert_eq!(
        refused(&Amortized { objective: AmortizedObjective::ImportanceWeighted, ..analytic() }).as_deref(),
        Some(
            "`Divergence::Analytic` does not go with the importance-weighted bound, which takes the densities of draws; take the ELBO"
        )
    );
    assert_eq!(
        refused(&Amortized { estimator: AmortizedEstimator::StickingTheLanding, free_bits: 0.1, ..Amortized::default() })
            .as_deref(),
        Some(
            "`free_bits` does not go with AmortizedEstimator::StickingTheLanding, which takes the densities of draws; \
             take AmortizedEstimator::Standard"
        )
    );
    assert_eq!(
        refused(&Amortized { free_bits: -0.5, ..analytic() }).as_deref(),
        Some("`free_bits` is -0.5; it must be at least 0 and finite")
    );
    assert_eq!(
        refused(&Amortized { free_bits: 0.5, ..sampled }).as_deref(),
        Some(
            "`free_bits` does not go with Divergence::Sampled, as it needs the divergence of each element; take Divergence::Analytic"
        )
    );
    Ok(())
}

model! {
    /// Components with noise of variance one.
    pub Components(x: [f64; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let h = decoder(z[n]);
            x[n, D] ~ Normal(h, 1);
        }
    }
}

guide! {
    /// Their guide.
    pub Recognition for Components(encoder: net(D => 2 * Z)) {
        for n in N {
            let (l, k) = split(encoder(x[n]));
            z[n, Z] ~ Normal(l, exp(k));
        }
    }
}

#[test]
fn below_the_floor_the_divergence_has_no_gradient() -> Outcome {
    let model = Components { x: noise(1, 9, 3), decoder: smooth(&[2, 3], 2), Z: 2 };
    // A weight for each number of the row, output after output, then the biases: of two locations and of two logarithms of scales.
    let mut encoder = Mlp::new(&[3, 4]).build(3)?;
    encoder.parameters_mut().iter_mut().for_each(|weight| *weight *= 0.1);
    encoder.parameters_mut()[12] = 2.0;
    let guide = Recognition { encoder };
    let at = |free_bits| bound_gradient(&model, &guide, &Amortized { free_bits, samples: 2, ..Amortized::default() }, 4);
    let (none, some, all) = (at(0.0)?, at(0.5)?, at(1e9)?);
    for other in [&some, &all] {
        assert_eq!((other.bound, other.divergence), (none.bound, none.divergence), "what is told is true");
    }
    let [none, some, all] = [none, some, all].map(|found| found.networks[1].1.clone());
    for output in 0..4 {
        for i in (3 * output..3 * output + 3).chain([12 + output]) {
            let (with, without) = if output % 2 == 0 { (&none, &all) } else { (&all, &none) };
            assert_eq!(some[i], with[i], "{i}");
            assert!((some[i] - without[i]).abs() > 1e-6, "{i}: {} {}", some[i], without[i]);
        }
    }
    Ok(())
}

#[test]
fn free_bits_keep_a_unit_that_is_given_up_without() -> Outcome {
    // The second direction has less variance than the noise, so that the best bound has no use for it.
    let loadings = ndarray::arr2(&[[2.0, 0.0, 0.0], [0.0, 0.7, 0.0]]);
    let model = Components { x: noise(1, 300, 2).dot(&loadings), decoder: Mlp::new(&[2, 3]).build(2)?, Z: 2 };
    let guide = Recognition { encoder: Mlp::new(&[3, 4]).build(3)? };
    let config = |free_bits| Amortized { epochs: 400, batch: 50, rate: 1e-2, free_bits, ..Amortized::default() };
    let run = |free_bits| -> Result<(usize, f64), AmortizedError> {
        let fit = fit_amortized(&model, &guide, config(free_bits))?;
        let active = fit.active_units(&model)?[0].1.iter().filter(|active| **active).count();
        Ok((active, fit.history()[399].divergence))
    };
    let ((without, least), (with, most)) = (run(0.0)?, run(0.2)?);
    assert_eq!((without, with), (1, 2), "{least} {most}");
    assert!((0.1..0.25).contains(&(most - least)), "the unit costs about the floor: {most} {least}");
    Ok(())
}
