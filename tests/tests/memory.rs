//! Ten thousand fits in one process leave nothing behind.

use ppl_core::prelude::*;

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

/// The memory of this process that is resident, in pages; none where the system does not say.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn fits_leave_no_memory_behind() -> Result<(), FitError> {
    let model = Groups { y: vec![1.0, 4.0, 2.0], sigma: vec![1.0, 2.0, 1.5] };
    let config = || Bbvi { max_steps: 5, draws: 100, ..Bbvi::default() };
    let fits = std::env::var("FITS").ok().and_then(|fits| fits.parse().ok()).unwrap_or(90);
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
