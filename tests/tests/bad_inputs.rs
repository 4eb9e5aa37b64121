//! What is wrong with what an amortized fit or a network is given is said in an error that names it; nothing panics.
#![forbid(unsafe_code)]

use std::time::Duration;

use ndarray::Array2;
use ppl_core::amortized::{
    Amortized, AmortizedError, AmortizedFit, Stopped, Transform, bound_gradient, fit_amortized, load_amortized, resume_amortized,
};
use ppl_core::guide;
use ppl_core::networks::{
    Activation, AdamConfig, AdamState, Conv2d, ConvTranspose2d, Dense, Dropout, Embedding, Gru, Image, LayerNorm, Lstm, Mlp,
    Network, NetworkError, Parameterized, Pass, Sequential, Window, Work,
};
use ppl_core::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// A variational auto-encoder.
    pub Vae(x: [f64; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            x[n, D] ~ Bernoulli(logit = decoder(z[n]));
        }
    }
}

guide! {
    /// Its recognition network.
    pub Encoder for Vae(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

model! {
    /// A model whose likelihoods have no mean: by their family, and by their degrees of freedom.
    pub Heavy(x: [f64; N, D], y: [f64; N, D], w: [f64; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let h = decoder(z[n]);
            x[n, D] ~ Cauchy(h, 1);
            y[n, D] ~ StudentT(1, h, 1);
            w[n, D] ~ StudentT(3, h, 1);
        }
    }
}

guide! {
    /// Its guide.
    pub HeavyEncoder for Heavy(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

fn network(sizes: &[usize], seed: u64) -> Result<Parameterized<f64>, NetworkError> {
    Mlp::new(sizes).activation(Activation::Tanh).build(seed)
}

/// Rows of three bits.
fn vae(rows: usize) -> Result<(Vae, Encoder), NetworkError> {
    let x = Array2::from_shape_fn((rows, 3), |(row, column)| f64::from(u8::from((row + column) % 3 == 0)));
    Ok((Vae { x, decoder: network(&[2, 4, 3], 1)?, Z: 2 }, Encoder { encoder: network(&[3, 4, 4], 2)? }))
}

fn short() -> Amortized {
    Amortized { epochs: 2, batch: 4, ..Amortized::default() }
}

/// That there are no rows to ask about.
fn without_rows<T>(outcome: Result<T, AmortizedError>) {
    let error = outcome.err();
    assert!(matches!(error, Some(AmortizedError::NoRows { model: "Vae" | "VaeRow" })), "{error:?}");
}

#[test]
fn no_rows_are_refused_wherever_rows_are_asked_for() -> Outcome {
    let ((model, guide), (empty, _)) = (vae(6)?, vae(0)?);
    let fit = fit_amortized(&model, &guide, short())?;
    without_rows(fit_amortized(&empty, &guide, short()));
    without_rows(bound_gradient(&empty, &guide, &short(), 1));
    without_rows(fit.encode(&empty));
    without_rows(fit.reconstruct(&empty));
    without_rows(fit.sample_given(&empty, 1));
    without_rows(fit.predictive(&empty, 2, 1));
    without_rows(fit.draws(&empty, 2, 1));
    without_rows(fit.interpolate(&empty, 0, 0, 3));
    without_rows(fit.log_likelihood(&empty, 2));
    without_rows(fit.active_units(&empty));
    Ok(())
}

#[test]
fn none_of_something_is_nothing_or_refused() -> Outcome {
    let (model, guide) = vae(6)?;
    let fit = fit_amortized(&model, &guide, short())?;
    assert_eq!(fit.sample(0, 1)?.array("x").map(Array2::dim), Some((0, 3)));
    assert_eq!(fit.decode(&[("z", Array2::zeros((0, 2)))])?.mean("x").map(Array2::dim), Some((0, 3)));
    assert_eq!(fit.draws(&model, 0, 1)?[0].1.dim(), (0, 6, 2));
    assert!(fit.predictive(&model, 0, 1)?.is_empty());
    let refused = |outcome: Result<(), AmortizedError>, expected: &str| match outcome {
        Err(AmortizedError::Config { field, .. }) => assert_eq!(field, expected),
        other => panic!("{expected}: {other:?}"),
    };
    refused(fit.log_likelihood(&model, 0).map(drop), "samples");
    refused(fit.interpolate(&model, 0, 1, 1).map(drop), "steps");
    refused(fit.interpolate(&model, 6, 1, 3).map(drop), "from");
    refused(fit.interpolate(&model, 0, usize::MAX, 3).map(drop), "to");
    let given = |latents: &[(&str, Array2<f64>)]| fit.decode(latents).map(drop);
    assert!(matches!(given(&[]), Err(AmortizedError::Shape { .. })));
    assert!(matches!(given(&[("z", Array2::zeros((2, 3)))]), Err(AmortizedError::Shape { .. })));
    assert!(matches!(given(&[("w", Array2::zeros((2, 2)))]), Err(AmortizedError::UnknownName { .. })));
    Ok(())
}

#[test]
fn more_than_can_be_made_is_refused() -> Outcome {
    let (model, guide) = vae(6)?;
    let fit = fit_amortized(&model, &guide, short())?;
    for many in [usize::MAX, 1 << 40] {
        let refused = |outcome: Result<(), AmortizedError>, expected: &str| match outcome {
            Err(AmortizedError::Config { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        };
        refused(fit.sample(many, 1).map(drop), "rows");
        refused(fit.draws(&model, many, 1).map(drop), "draws");
        refused(fit.predictive(&model, many, 1).map(drop), "draws");
        refused(fit.interpolate(&model, 0, 1, many).map(drop), "steps");
        refused(fit.log_likelihood(&model, many).map(drop), "samples");
        refused(fit_amortized(&model, &guide, Amortized { samples: many, ..short() }).map(drop), "batch");
        refused(fit_amortized(&model, &guide, Amortized { batch: many, ..short() }).map(drop), "batch");
        refused(bound_gradient(&model, &guide, &Amortized { samples: many, ..short() }, 1).map(drop), "batch");
        refused(fit_amortized(&model, &guide, Amortized { held_out: many, ..short() }).map(drop), "held_out");
        // More epochs than there can be are no error: something else ends the fit.
        let config = Amortized { epochs: many, max_time: Some(Duration::ZERO), ..short() };
        assert_eq!(*fit_amortized(&model, &guide, config)?.stopped(), Stopped::Time);
    }
    Ok(())
}

#[test]
fn weights_and_latents_that_are_no_numbers_do_not_panic() -> Outcome {
    let (model, guide) = vae(6)?;
    let fit = fit_amortized(&model, &guide, short())?;
    // Latents that are no numbers make probabilities that are none, which cannot be drawn from.
    let lost = fit.decode(&[("z", Array2::from_elem((2, 2), f64::NAN))]).map(drop);
    assert!(matches!(lost, Err(AmortizedError::Sample { .. })), "{lost:?}");
    let (mut broken, mut broken_guide) = vae(6)?;
    broken.decoder.parameters_mut()[5] = f64::NAN;
    let found = fit_amortized(&broken, &guide, short()).map(drop);
    assert!(matches!(found, Err(AmortizedError::NonFinite { step: 0, .. })), "{found:?}");
    broken_guide.encoder.parameters_mut()[5] = f64::INFINITY;
    let found = fit_amortized(&model, &broken_guide, short()).map(drop);
    assert!(matches!(found, Err(AmortizedError::NonFinite { step: 0, .. })), "{found:?}");
    let (mut pixels, _) = vae(6)?;
    pixels.x[[4, 1]] = f64::NAN;
    let found = fit_amortized(&pixels, &guide, Amortized { transforms: vec![Transform::binarize("x")], ..short() }).map(drop);
    assert!(found.is_err_and(|error| error.to_string().contains('4')), "the row is named");
    for ask in [fit.encode(&pixels).map(drop), fit.log_likelihood(&pixels, 3).map(drop), fit.reconstruct(&pixels).map(drop)] {
        assert!(ask.is_err());
    }
    // A fit whose weights are no numbers, asked about good rows: it had no step to notice.
    let config = Amortized { epochs: 1, held: vec!["decoder".to_owned()], max_time: Some(Duration::ZERO), ..short() };
    assert!(fit_amortized(&broken, &guide, config).is_err());
    Ok(())
}

#[test]
fn files_that_are_none_are_refused() -> Outcome {
    let (model, guide) = vae(6)?;
    let fit = fit_amortized(&model, &guide, short())?;
    let refused = |outcome: Result<AmortizedFit<'_, Vae, Encoder>, AmortizedError>| {
        assert!(matches!(outcome, Err(AmortizedError::File { .. })));
    };
    assert!(matches!(fit.save("."), Err(AmortizedError::File { .. })));
    refused(load_amortized(&model, &guide, "."));
    refused(resume_amortized(&model, &guide, "nothing.safetensors", short()));
    refused(load_amortized(&model, &guide, "Cargo.toml"));
    Ok(())
}

#[test]
fn observed_arrays_without_a_mean_have_none() -> Outcome {
    let x = Array2::from_shape_fn((5, 2), |(row, column)| 0.3 * row as f64 - column as f64);
    let model = Heavy { x: x.clone(), y: x.clone(), w: x, decoder: network(&[1, 2], 1)?, Z: 1 };
    let guide = HeavyEncoder { encoder: network(&[2, 2], 2)? };
    let made = fit_amortized(&model, &guide, short())?.sample(4, 1)?;
    assert!(made.array("x").is_some() && made.array("y").is_some());
    assert!(made.mean("x").is_none() && made.mean("y").is_none());
    assert!(made.mean("w").is_some_and(|w| w.iter().all(|mean| mean.is_finite())));
    Ok(())
}

#[test]
fn sizes_of_layers_that_are_zero_or_too_large_are_refused() {
    fn refused<T>(made: Result<T, NetworkError>) {
        let error = made.err();
        assert!(matches!(error, Some(NetworkError::ZeroSize { .. } | NetworkError::LargeSize { .. })), "{error:?}");
    }
    let window = |kernel, stride, padding| Window { kernel, stride, padding };
    let image = |channels, height, width| Image { channels, height, width };
    for bad in [0, usize::MAX, usize::MAX / 2] {
        refused(Dense::new(bad, 3, Activation::Relu));
        refused(Dense::new(3, bad, Activation::Relu));
        refused(Mlp::new(&[3, bad, 2]).build::<f64>(1));
        refused(Embedding::new(bad, 2, 2));
        refused(Embedding::new(2, bad, 2));
        refused(Embedding::new(2, 2, bad));
        refused(LayerNorm::new(bad));
        refused(Dropout::new(bad, 0.5));
        refused(Gru::new(bad, 2, 2));
        refused(Gru::new(2, bad, 2));
        refused(Lstm::new(2, 2, bad));
        for wrong in [image(bad, 4, 4), image(2, bad, 4), image(2, 4, bad)] {
            refused(Conv2d::new(wrong, 2, window(3, 1, 1)));
            refused(ConvTranspose2d::new(wrong, 2, window(3, 1, 1), 0));
        }
        refused(Conv2d::new(image(2, 4, 4), bad, window(3, 1, 1)));
        refused(ConvTranspose2d::new(image(2, 4, 4), bad, window(3, 1, 1), 0));
        refused(Conv2d::new(image(2, 4, 4), 2, window(bad, 1, 1)));
        refused(ConvTranspose2d::new(image(2, 4, 4), 2, window(bad, 1, 1), 0));
    }
    refused(Conv2d::new(image(2, 4, 4), 2, window(3, 1, usize::MAX)));
    refused(ConvTranspose2d::new(image(2, 4, 4), 2, window(3, 1, usize::MAX), 0));
    refused(ConvTranspose2d::new(image(2, 4, 4), 2, window(3, usize::MAX, 0), 0));
    assert!(matches!(Mlp::new(&[3]).build::<f64>(1), Err(NetworkError::NoLayers)));
    assert!(matches!(Sequential::<f64>::from_layers(Vec::new()), Err(NetworkError::NoLayers)));
    assert!(Dropout::new(2, f64::NAN).is_err());
}

#[test]
fn slices_that_do_not_fit_are_refused() -> Outcome {
    let network = network(&[3, 4, 2], 1)?;
    let (x, mut y, mut work) = ([0.1; 6], [0.0; 4], Work::new());
    let length = |outcome: Result<(), NetworkError>| assert!(matches!(outcome, Err(NetworkError::Length { .. })), "{outcome:?}");
    length(network.forward(&x, 3, &mut work, &mut y));
    length(network.forward(&x, usize::MAX, &mut work, &mut y));
    length(network.forward(&x[..5], 2, &mut work, &mut y));
    length(network.forward(&x, 2, &mut work, &mut y[..3]));
    length(network.forward_with(&[0.0; 3], &x, 2, &mut work, &mut y));
    network.forward(&[], 0, &mut work, &mut [])?;
    network.forward(&x, 2, &mut work, &mut y)?;
    let mut gradient = vec![0.0; network.parameters().len()];
    let pass = |rows| Pass { rows, x: &x, y: &y, y_adjoint: &[1.0; 4] };
    length(network.pull(pass(3), &mut work, None, &mut gradient));
    length(network.pull(pass(usize::MAX), &mut work, None, &mut gradient));
    length(network.pull(pass(2), &mut work, Some(&mut [0.0; 5]), &mut gradient));
    length(network.pull(pass(2), &mut work, None, &mut gradient[1..]));
    network.pull(pass(2), &mut work, None, &mut gradient)?;
    // A pullback without its forward pass, and one of other rows: wrong numbers, as documented, but no panic.
    network.pull(pass(2), &mut Work::new(), None, &mut gradient)?;
    let mut adam = AdamState::new(4, AdamConfig::default());
    length(adam.step(0.1, &mut [0.0; 3], &mut [0.0; 4]));
    length(adam.step(0.1, &mut [0.0; 4], &mut [0.0; 3]));
    length(adam.resume(1, &[0.0; 4], &[0.0; 3]));
    Ok(())
}
