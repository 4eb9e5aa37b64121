//! The No-U-Turn sampler on generated log joints: against closed forms, and as a check of fits.

use ppl_core::prelude::*;
use ppl_tests::models::eight_schools;

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

model! {
    /// A normal mean with a known scale: conjugate.
    pub Mean(y: [f64; N]) {
        mu ~ Normal(0, 10);
        y[N] ~ Normal(mu, 2);
    }
}

#[test]
fn a_conjugate_normal_is_sampled_within_its_standard_errors() {
    let chains =
        sample_nuts(&Mean { y: vec![1.0, 2.0, 4.0, 0.5, 3.5] }, &Nuts { draws: 4000, ..Nuts::default() }).expect("chains");
    let precision: f64 = 0.01 + 5.0 / 4.0;
    let (loc, sd) = (11.0 / 4.0 / precision, precision.sqrt().recip());
    let mu = chains.scalar("mu").expect("a latent");
    // Four standard errors; of the standard deviation of a normal, those of the mean over the square root of two.
    assert!((mu.scalar.mean - loc).abs() < 4.0 * mu.standard_error, "{mu:?} {loc}");
    assert!((mu.scalar.sd - sd).abs() < 4.0 * mu.standard_error, "{mu:?} {sd}");
    assert!((mu.scalar.quantiles[4] - (loc + 1.644_854 * sd)).abs() < 8.0 * mu.standard_error, "{mu:?}");
    assert!(mu.standard_error < 0.02 * sd && chains.divergences() == 0, "{mu:?}");
    assert!(chains.summary().verdict().contains("can be used"), "{}", chains.summary());
}

/// Means and standard deviations of the 10 000 reference draws of posteriordb, `eight_schools-eight_schools_noncentered`.
#[test]
fn eight_schools_has_the_moments_of_the_reference_draws() {
    let model = eight_schools();
    let chains = sample_nuts(&model, &Nuts { draws: 4000, target_accept: 0.95, ..Nuts::default() }).expect("chains");
    for (name, mean, sd) in [
        ("mu", 4.4105, 3.3093),
        ("tau", 3.6021, 3.1985),
        ("theta[0]", 6.1505, 5.6159),
        ("theta[1]", 4.9396, 4.6456),
        ("theta[2]", 3.9059, 5.2807),
        ("theta[3]", 4.7960, 4.7709),
        ("theta[4]", 3.6144, 4.6147),
        ("theta[5]", 4.0511, 4.7962),
        ("theta[6]", 6.3172, 5.0029),
        ("theta[7]", 4.8840, 5.3177),
    ] {
        let own = chains.scalar(name).expect("a scalar");
        // The reference draws are thinned to independence: their mean has a standard error of a hundredth of the deviation.
        let error = own.standard_error.hypot(sd / 100.0);
        assert!((own.scalar.mean - mean).abs() < 4.0 * error, "{own:?}: {mean}");
        assert!((own.scalar.sd / sd - 1.0).abs() < 0.1, "{own:?}: {sd}");
    }
    assert!(chains.summary().scalars.iter().all(|own| own.r_hat < 1.01), "{}", chains.summary());
}

#[test]
fn the_step_size_obeys_the_target_and_trajectories_cut_short_are_counted() {
    let sample = |config: Nuts| sample_nuts(&line(), &Nuts { draws: 200, ..config }).expect("chains").summary();
    let (short, long) = (sample(Nuts { target_accept: 0.95, ..Nuts::default() }), sample(Nuts::default()));
    let mean = |sizes: &[f64]| sizes.iter().sum::<f64>() / sizes.len() as f64;
    assert!(short.step_sizes.len() == 4 && mean(&short.step_sizes) < 0.8 * mean(&long.step_sizes), "{short}{long}");
    assert_eq!(long.cut_short, 0, "{long}");
    let cut = sample(Nuts { max_depth: 1, ..Nuts::default() });
    assert!(cut.cut_short > 400 && cut.to_string().contains("cut short at `max_depth`"), "{cut}");
}

model! {
    /// Two modes that no trajectory crosses between, and a quantity that does not vary.
    pub Modes(scale: f64) {
        let known = 2 * scale;
        x ~ Normal(0, 20);
        factor(log_sum_exp(-(x - 10) * (x - 10) / 0.02, -(x + 10) * (x + 10) / 0.02));
    }
}

#[test]
fn a_constant_does_not_hide_chains_that_disagree() {
    let chains = sample_nuts(&Modes { scale: 1.0 }, &Nuts { chains: 8, ..Nuts::default() }).expect("chains");
    assert!(chains.scalar("known").expect("a quantity").r_hat.is_nan());
    let text = chains.summary().to_string();
    assert!(text.contains("the chains disagree about `x`"), "{text}");
}

#[test]
fn chains_start_from_initial_values() {
    let start = |x: f64| Nuts { warmup: 200, draws: 100, initial: vec![("x".to_owned(), vec![x])], ..Nuts::default() };
    for mode in [-10.0, 10.0] {
        let chains = sample_nuts(&Modes { scale: 1.0 }, &start(mode)).expect("chains");
        let x = chains.scalar("x").expect("a latent");
        assert!((x.scalar.mean - mode).abs() < 0.5, "{x:?}");
    }
}

model! {
    /// Nothing to infer.
    pub Known(x: [f64; N]) {
        for n in N {
            let twice[n] = 2 * x[n];
        }
        factor(0);
    }
}

#[test]
fn a_model_without_latents_has_its_quantities() {
    let chains = sample_nuts(&Known { x: vec![1.0, 2.5] }, &Nuts { chains: 2, draws: 4, ..Nuts::default() }).expect("chains");
    assert_eq!(chains.draws().twice.shape(), [8, 2]);
    assert_eq!(chains.scalar("twice[1]").expect("a quantity").scalar.mean, 5.0);
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
    assert!(check.scalars[0].distance() < 0.1, "{check}");
    assert!(check.scalars.windows(2).all(|pair| pair[0].distance() >= pair[1].distance()), "the worst first");
    assert!(check.scalars.iter().all(|own| own.standard_error < 0.03), "{check}");
    assert!(check.to_string().contains("the fit agrees with the chains"), "{check}");
}

#[test]
fn a_fit_is_not_judged_by_chains_that_are_too_short() {
    let fit = fit_bbvi(&line(), Bbvi::default()).expect("a fit");
    let check = fit.check_with_nuts(&line(), &Nuts { draws: 20, ..Nuts::default() }).expect("a check");
    assert!(check.verdict().starts_with("the fit cannot be judged by these chains"), "{check}");
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
    assert_eq!(text(Nuts { draws: 1, ..Nuts::default() }), "`draws` is 1; it must be between 4 and 1 000 000 000");
    assert_eq!(text(Nuts { target_accept: 1.0, ..Nuts::default() }), "`target_accept` is 1; it must be between 0.5 and 0.999");
    let initial = |name: &str, values: &[f64]| Nuts { initial: vec![(name.to_owned(), values.to_vec())], ..Nuts::default() };
    assert!(text(initial("c", &[1.0])).contains("`c`, which is neither a latent nor a parameter of the model (`a`, `b`, `s`)"));
    assert!(text(initial("s", &[-1.0])).contains("the initial value -1 of `s` is outside its support"));
    let error = sample_nuts(&Nowhere { y: 0.0 }, &Nuts::default()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("no starting point") && error.contains("factor(ln(-1 - x * x))"), "{error}");
}
