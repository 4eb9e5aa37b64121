//! Families of latents on their own supports, as they are asked for and as fits find them.
#![forbid(unsafe_code)]

use ppl_core::fit::ConfigError;
use ppl_core::guides::FittedGuide;
use ppl_core::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn ln_gamma(x: f64) -> f64 {
    ppl_core::kernel::functions::lgamma(x)
}

model! {
    /// Rates of few events, each with the same prior.
    pub Rates(y: [u64; J]) {
        for j in J {
            rate[j] ~ Gamma(0.5, 0.5);
            y[j] ~ Poisson(rate[j]);
        }
    }
}

fn rates() -> (Rates, f64) {
    let y: Vec<u64> = vec![0, 0, 1, 0, 3, 0, 0, 2, 0, 1, 0, 0];
    let of = |y: &u64| {
        let y = *y as f64;
        0.5 * 0.5_f64.ln() - ln_gamma(0.5) + ln_gamma(0.5 + y) - (0.5 + y) * 1.5_f64.ln() - ln_gamma(y + 1.0)
    };
    let evidence = y.iter().map(of).sum();
    (Rates { y }, evidence)
}

#[test]
fn rates_of_few_events_are_gamma_without_a_word() -> Outcome {
    let (model, evidence) = rates();
    let fit = fit_bbvi(&model, Bbvi::default())?;
    println!("{:?}", fit.tried());
    assert!(matches!(fit.guide(), FittedGuide::Native(_)), "{:?}", fit.tried());
    let (elbo, error) = fit.elbo();
    assert!((elbo - evidence).abs() < 0.01 + 3.0 * error && fit.pareto_k() < 0.3, "{elbo} {evidence}, {}", fit.pareto_k());
    // Gamma(0.5, 1.5) and Gamma(3.5, 1.5)
    for (name, shape) in [("rate[0]", 0.5_f64), ("rate[4]", 3.5)] {
        let found = fit.scalar(name).ok_or("reported")?;
        let (mean, sd) = (shape / 1.5, shape.sqrt() / 1.5);
        assert!((found.mean - mean).abs() < 0.05 * sd && (found.sd / sd - 1.0).abs() < 0.05, "{name}: {found:?}");
    }
    // A Gaussian of the logarithms is what it was before.
    let gaussian = fit_bbvi(&model, Bbvi { search_time: std::time::Duration::ZERO, ..Bbvi::default() })?;
    println!("{evidence}: native {elbo}, Gaussian {:?} k {}", gaussian.elbo(), gaussian.pareto_k());
    assert!(gaussian.elbo().0 < elbo - 0.5);
    Ok(())
}

model! {
    /// Latents on every support, each with a posterior of its own family.
    pub Conjugates(count: u64, successes: u64, y: [f64; N], k: [in K; M], angle: [f64; M]) {
        rate ~ Gamma(2, 1);
        count ~ Poisson(rate);
        prob ~ Beta(1.5, 2);
        successes ~ Binomial(7, prob);
        variance ~ InverseGamma(2, 1.5);
        for n in N {
            y[n] ~ Normal(0, sqrt(variance));
        }
        share[K] ~ Dirichlet(0.7);
        direction ~ VonMises(0.5, 0.8);
        for m in M {
            k[m] ~ Categorical(share);
            angle[m] ~ VonMises(direction, 2);
        }
    }
}

/// `ln (2 pi I0(x))` by the trapezoidal rule, which is exact to rounding for a periodic function.
fn ln_circle(x: f64) -> f64 {
    let at = |k: u32| (x * (f64::from(k) * std::f64::consts::TAU / 256.0).cos()).exp();
    ((0..256).map(at).sum::<f64>() * std::f64::consts::TAU / 256.0).ln()
}

fn conjugates() -> (Conjugates, f64) {
    let model = Conjugates {
        count: 1,
        successes: 6,
        y: vec![0.4, -1.1, 0.3],
        k: vec![0, 2, 2, 0, 2].into(),
        angle: vec![0.4, 1.6, -0.3, 2.2, 1.1],
    };
    let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let of_rate = -ln_gamma(2.0) + ln_gamma(3.0) - 3.0 * 2.0_f64.ln();
    let of_prob = ln_beta(7.5, 3.0) - ln_beta(1.5, 2.0) + 7.0_f64.ln();
    let scale: f64 = 1.5 + 0.5 * model.y.iter().map(|y| y * y).sum::<f64>();
    let of_variance = 2.0 * 1.5_f64.ln() - ln_gamma(2.0) + ln_gamma(3.5) - 3.5 * scale.ln() - 1.5 * std::f64::consts::TAU.ln();
    let of_share = ln_gamma(2.1) - ln_gamma(7.1) + ln_gamma(2.7) + ln_gamma(0.7) + ln_gamma(3.7) - 3.0 * ln_gamma(0.7);
    let (mut cos, mut sin) = (0.8 * 0.5_f64.cos(), 0.8 * 0.5_f64.sin());
    for y in &model.angle {
        cos += 2.0 * y.cos();
        sin += 2.0 * y.sin();
    }
    let of_direction = ln_circle(sin.hypot(cos)) - ln_circle(0.8) - 5.0 * ln_circle(2.0);
    (model, of_rate + of_prob + of_variance + of_share + of_direction)
}

#[test]
fn families_that_are_asked_for_are_found_exactly() -> Outcome {
    let (model, evidence) = conjugates();
    let families = [
        ("rate", NativeFamily::Gamma),
        ("prob", NativeFamily::Beta),
        ("variance", NativeFamily::InverseGamma),
        ("share", NativeFamily::Dirichlet),
        ("direction", NativeFamily::VonMises),
    ];
    let families = families.map(|(name, family)| (name.to_owned(), family)).to_vec();
    let fit = fit_bbvi(&model, Bbvi { families: families.clone(), ..Bbvi::default() })?;
    println!("{}", fit.summary());
    let (elbo, error) = fit.elbo();
    assert!((elbo - evidence).abs() < 0.01 + 3.0 * error && fit.pareto_k() < 0.3, "{elbo} {evidence}, k {}", fit.pareto_k());
    let rate = fit.scalar("rate").ok_or("reported")?;
    assert!((rate.mean - 1.5).abs() < 0.03 && (rate.sd - 3.0_f64.sqrt() / 2.0).abs() < 0.03);
    let share = fit.scalar("share[2]").ok_or("reported")?;
    assert!((share.mean - 3.7 / 7.1).abs() < 0.01);
    // Saved and read, it draws the same.
    let path = std::env::temp_dir().join(format!("ppl-natives-{}.json", std::process::id()));
    fit.save(&path)?;
    let read: Fit<Conjugates> = Fit::load(&path)?;
    std::fs::remove_file(&path)?;
    assert_eq!(read.draws(&model, 10)?.rate, fit.draws(&model, 10)?.rate);
    // By stochastic steps it comes to the same.
    let config = Bbvi { families, estimator: Estimator::StickingTheLanding, max_steps: 5000, ..Bbvi::default() };
    let climbed = fit_bbvi(&model, config)?;
    assert!((climbed.elbo().0 - evidence).abs() < 0.02, "{:?} {evidence}", climbed.elbo());
    Ok(())
}

model! {
    /// A rate of two causes, which the data do not tell apart.
    pub Causes(y: [u64; N]) {
        a ~ Gamma(0.6, 0.1);
        b ~ Gamma(0.6, 0.1);
        y[N] ~ Poisson(a + b);
    }
}

#[test]
fn latents_that_depend_on_each_other_are_not_taken_apart() -> Outcome {
    let fit = fit_bbvi(&Causes { y: vec![12, 9, 14, 11, 10, 13] }, Bbvi::default())?;
    println!("{:?}", fit.tried());
    assert!(!fit.tried().iter().any(|tried| tried.family.contains("independent latents")), "{:?}", fit.tried());
    Ok(())
}

model! {
    /// Categories and counts of many rows.
    pub Many(k: [in K; N], y: [u64; N]) {
        share[K] ~ Dirichlet(0.5);
        rate ~ Gamma(2, 1);
        for n in N {
            k[n] ~ Categorical(share);
            y[n] ~ Poisson(rate);
        }
    }
}

/// Stochastic variational inference of Hoffman, Blei, Wang & Paisley 2013: natural gradients over batches, by the schedule of Robbins and Monro.
#[test]
fn natural_steps_over_batches_find_a_conjugate_posterior() -> Outcome {
    let rows = 2000;
    let u = |which: u64, n: usize| ppl_core::random::uniform(which, n as u64);
    let k: Vec<usize> = (0..rows).map(|n| [0.6, 0.9, 2.0].iter().position(|end| u(1, n) < *end).unwrap_or(0)).collect();
    let y: Vec<u64> =
        (0..rows).map(|n| [0.22, 0.56, 0.81, 0.93, 2.0].iter().position(|end| u(2, n) < *end).unwrap_or(0) as u64).collect();
    let counts: Vec<f64> = (0..3).map(|own| k.iter().filter(|k| **k == own).count() as f64).collect();
    let total = y.iter().sum::<u64>() as f64;
    let (n, all) = (rows as f64, counts.iter().sum::<f64>());
    let of_share = ln_gamma(1.5) - ln_gamma(1.5 + all) + counts.iter().map(|c| ln_gamma(0.5 + c) - ln_gamma(0.5)).sum::<f64>();
    let of_rate =
        ln_gamma(2.0 + total) - (2.0 + total) * (1.0 + n).ln() - y.iter().map(|y| ln_gamma(*y as f64 + 1.0)).sum::<f64>();
    let model = Many { k: k.into(), y };
    let families = vec![("share".to_owned(), NativeFamily::Dirichlet), ("rate".to_owned(), NativeFamily::Gamma)];
    let config = Bbvi {
        families,
        minibatch: Some(Minibatch::of("N", 100)),
        optimizer: Optimizer::NaturalGradient { delay: 30.0, forgetting: 0.7 },
        max_steps: 4000,
        ..Bbvi::default()
    };
    let fit = fit_bbvi(&model, config)?;
    println!("{}", fit.summary());
    let (elbo, error) = fit.elbo();
    assert!((elbo - of_share - of_rate).abs() < 0.05 + 3.0 * error, "{elbo} {}", of_share + of_rate);
    let share = fit.scalar("share[0]").ok_or("reported")?;
    let mean = (0.5 + counts[0]) / (1.5 + all);
    let sd = (mean * (1.0 - mean) / (2.5 + all)).sqrt();
    assert!((share.mean - mean).abs() < 0.2 * sd && (share.sd / sd - 1.0).abs() < 0.1, "{share:?}, exactly {mean} +- {sd}");
    Ok(())
}

model! {
    /// A location with heavy tails, and a scale in single precision.
    pub Tails(y: [f32; N]) {
        param shift: real = 0;
        loc ~ StudentT(2, 0, 1);
        scale ~ Gamma(2, 1);
        y[N] ~ Normal(loc + shift, scale);
    }
}

#[test]
fn points_single_precision_and_latents_without_a_name_go_with_them() -> Outcome {
    let model = Tails { y: vec![1.5, 2.5, 1.8, 2.2] };
    let of = |families: &[(&str, NativeFamily)]| {
        let families = families.iter().map(|(name, family)| ((*name).to_owned(), *family)).collect();
        fit_bbvi(&model, Bbvi { families, ..Bbvi::default() })
    };
    let (one, both) =
        (of(&[("loc", NativeFamily::StudentT)])?, of(&[("loc", NativeFamily::StudentT), ("scale", NativeFamily::Gamma)])?);
    for fit in [&one, &both] {
        let sum = fit.scalar("loc").ok_or("reported")?.mean + fit.param("shift").ok_or("a parameter")?;
        assert!((sum - 2.0).abs() < 0.1, "{sum}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_asked_for_is_said() -> Outcome {
    let (model, _) = rates();
    let refused = |config: Bbvi| match fit_bbvi(&model, config) {
        Err(FitError::Config(error)) => Ok(error),
        other => Err(format!("{other:?}")),
    };
    let of = |name: &str, family| vec![(name.to_owned(), family)];
    let unknown = refused(Bbvi { families: of("pace", NativeFamily::Gamma), ..Bbvi::default() })?;
    assert!(matches!(&unknown, ConfigError::UnknownNative { name, .. } if name == "pace"), "{unknown}");
    let support = refused(Bbvi { families: of("rate", NativeFamily::Beta), ..Bbvi::default() })?;
    assert_eq!(support.to_string(), "Beta is not on the support of `rate`; on it are Normal, Gamma, InverseGamma");
    let both = Bbvi { families: of("rate", NativeFamily::Gamma), family: Family::FullRank, ..Bbvi::default() };
    assert_eq!(refused(both)?, ConfigError::NativeAlone);
    Ok(())
}
