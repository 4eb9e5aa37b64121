//! The No-U-Turn sampler on generated log joints: against closed forms, and as a check of fits.

use ppl_core::prelude::*;

model! {
    /// A line.
    pub Line(x: [f64; N], y: [f64; N]) {
        a ~ Normal(0, 100);
        b ~ Normal(0, 100);
        s ~ HalfNormal(1);
        for n in N {
            let fitted[n] = a + b * x[n];
            y[n] ~ Normal(fitted[n], s);
        }
    }
}

model! {
    /// Counts: the posterior of the rate is a gamma distribution.
    pub Counts(y: [u64; N]) {
        rate ~ Gamma(2, 1);
        y[N] ~ Poisson(rate);
    }
}

fn line() -> Line {
    let x: Vec<f64> = (0..30).map(|i| 2.0 + f64::from(i) * 0.1).collect();
    let y = x.iter().map(|x| 3.0 + 0.2 * x + 0.3 * (7.0 * x).sin()).collect();
    Line { x, y }
}

#[test]
fn a_gamma_posterior_is_sampled_with_its_moments() {
    // Gamma(3, 4): mean 3 / 4, sd sqrt(3) / 4.
    let chains = sample_nuts(&Counts { y: vec![0, 1, 0] }, &Nuts { draws: 4000, ..Nuts::default() }).expect("chains");
    let rate = chains.scalar("rate").expect("a latent");
    let error = rate.scalar.sd / rate.effective_sample_size.sqrt();
    assert!((rate.scalar.mean - 0.75).abs() < 4.0 * error, "{rate:?}");
    assert!((rate.scalar.sd / (3.0_f64.sqrt() / 4.0) - 1.0).abs() < 0.06, "{rate:?}");
    assert!(rate.r_hat < 1.01 && rate.effective_sample_size > 1000.0, "{rate:?}");
    assert!(chains.divergences() < 16, "{} divergences", chains.divergences());
    assert_eq!(chains.draws().rate.len(), 16_000);
}

#[test]
fn quantities_are_computed_for_every_draw_and_the_summary_judges_the_chains() {
    let chains = sample_nuts(&line(), &Nuts { draws: 500, ..Nuts::default() }).expect("chains");
    let draws = chains.draws();
    for i in [0, 777, 1999] {
        assert!((draws.fitted[[i, 3]] - (draws.a[i] + draws.b[i] * 2.3)).abs() < 1e-12);
    }
    let text = chains.summary().to_string();
    assert!(text.contains("R-hat") && text.contains("2000 draws"), "{text}");
}

#[test]
fn a_fit_agrees_with_the_chains_of_its_model() {
    let model = line();
    let fit = fit_bbvi(&model, Bbvi::default()).expect("a fit");
    let check = fit.check_with_nuts(&model, &Nuts { draws: 4000, ..Nuts::default() }).expect("a check");
    let (name, worst, _) = &check.scalars[0];
    assert!(worst.abs() < 0.1, "{name}: {worst}\n{check}");
    assert!(check.scalars.iter().all(|(_, _, ratio)| (ratio - 1.0).abs() < 0.1), "{check}");
    assert!(check.to_string().contains("the fit agrees with the chains"), "{check}");
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let sample = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let chains = sample_nuts(&line(), &Nuts { warmup: 100, draws: 20, seed, ..Nuts::default() }).expect("chains");
            chains.draws().a.iter().map(|x| x.to_bits()).collect::<Vec<u64>>()
        })
    };
    let one = sample(1, 3);
    assert_eq!(one, sample(2, 3));
    assert_eq!(one, sample(8, 3));
    assert_ne!(one, sample(1, 4));
}

model! {
    /// A density that is nowhere a number.
    pub Nowhere(y: f64) {
        x ~ Normal(0, 1);
        factor(ln(-1 - x * x));
        y ~ Normal(x, 1);
    }
}

#[test]
fn bad_configurations_and_densities_are_refused_by_name() {
    let text = |config: Nuts| sample_nuts(&line(), &config).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(text(Nuts { chains: 0, ..Nuts::default() }), "`chains` is 0; it must be between 1 and 1000");
    assert_eq!(text(Nuts { draws: 1, ..Nuts::default() }), "`draws` is 1; it must be at least 4");
    let error = sample_nuts(&Nowhere { y: 0.0 }, &Nuts::default()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("no starting point") && error.contains("factor(ln(-1 - x * x))"), "{error}");
}
