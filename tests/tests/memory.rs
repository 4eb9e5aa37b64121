//! Ten thousand fits in one process, and a hundred thousand steps of one, leave nothing behind.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use ndarray::Array2;
use ppl_core::amortized::{Amortized, AmortizedError, Transform, fit_amortized};
use ppl_core::guide;
use ppl_core::networks::{Activation, Mlp, NetworkError, Parameterized};
use ppl_core::prelude::*;
use ppl_core::random::uniform;

model! {
    /// A hierarchy, so that both coordinates are tried.
    pub Groups(y: [f64; J], sigma: [f64; J]) {
        mu ~ Normal(0, 5);
        tau ~ HalfNormal(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

model! {
    /// A variational auto-encoder.
    pub Vae(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
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

/// The memory of this process that is resident, in pages; none where the system does not say.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// A number of the environment, so that the whole can be run: `STEPS=100000`.
fn count(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

/// The tests measure the whole process: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn fits_leave_no_memory_behind() -> Result<(), FitError> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let model = Groups { y: vec![1.0, 4.0, 2.0], sigma: vec![1.0, 2.0, 1.5] };
    let config = || Bbvi { max_steps: 5, draws: 100, ..Bbvi::default() };
    let fits = count("FITS", 90);
    let mut after_warmup = None;
    for fit in 0..fits {
        fit_bbvi(&model, config())?;
        if fit == fits / 3 {
            after_warmup = resident();
        }
    }
    if let (Some(before), Some(after)) = (after_warmup, resident()) {
        // Two thirds of the fits may not add a twentieth; a leak of one workspace a fit would add far more.
        assert!(after <= 1.05 * before + 64.0, "{before} pages after a third of the fits, {after} after all {fits}");
    }
    Ok(())
}

#[test]
fn steps_of_an_amortized_fit_leave_no_memory_behind() -> Result<(), AmortizedError> {
    const ROWS: usize = 1000;
    const PIXELS: usize = 24;
    // The last batch of an epoch is smaller than the others.
    const BATCH: usize = 32;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let network = |sizes: &[usize], seed| -> Result<Parameterized<f32>, NetworkError> {
        Mlp::new(sizes).activation(Activation::Gelu).build(seed)
    };
    let pixel = |(row, column): (usize, usize)| if uniform(row as u64, column as u64) < 0.3 { 0.9 } else { 0.1 };
    let named = |source| AmortizedError::Network { name: "of the test".to_owned(), source };
    let decoder = network(&[3, 32, PIXELS], 1).map_err(named)?;
    let encoder = network(&[PIXELS, 32, 6], 2).map_err(named)?;
    let model = Vae { x: Array2::from_shape_fn((ROWS, PIXELS), pixel), decoder, Z: 3 };
    let guide = Encoder { encoder };
    let each = ROWS.div_ceil(BATCH);
    let epochs = count("STEPS", 2000).div_ceil(each);
    let pages = Arc::new(Mutex::new((None, None)));
    let seen = Arc::clone(&pages);
    let config = Amortized {
        epochs,
        batch: BATCH,
        transforms: vec![Transform::binarize("x")],
        largest_norm: Some(100.0),
        observer: Some(Box::new(move |epoch| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if epoch.epoch == epochs / 3 {
                seen.0 = resident();
            }
            seen.1 = resident();
            ControlFlow::Continue(())
        })),
        ..Amortized::default()
    };
    let fit = fit_amortized(&model, &guide, config)?;
    assert_eq!(fit.history().len(), epochs);
    if let (Some(before), Some(after)) = *pages.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("{before} pages after a third, {after} after all {} steps", epochs * each);
        // A hundred bytes an epoch are kept to be told; a buffer of one batch a step would be thousands of pages.
        let history = (epochs * 128) as f64 / 4096.0;
        assert!(after <= before + 64.0 + history, "{before} pages after a third of the steps, {after} after all");
    }
    Ok(())
}
