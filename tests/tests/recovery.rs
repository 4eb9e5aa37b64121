//! Fits against posteriors known in closed form, and all that a fit can be asked.
#![forbid(unsafe_code)]

use ppl_core::prelude::*;

model! {
    /// A normal mean with a known scale: conjugate.
    pub Mean(y: [f64; N]) {
        mu ~ Normal(0, 10);
        for n in N {
            y[n] ~ Normal(mu, 2);
        }
    }
}

fn mean() -> Mean {
    Mean { y: vec![1.0, 2.0, 4.0, 0.5, 3.5] }
}

#[test]
fn a_conjugate_normal_is_recovered_with_its_evidence() {
    let fit = fit_bbvi(&mean(), Bbvi::default()).unwrap();
    let precision: f64 = 0.01 + 5.0 / 4.0;
    let (loc, sd) = (11.0 / 4.0 / precision, precision.sqrt().recip());
    let mu = fit.scalar("mu").unwrap();
    assert!((mu.mean - loc).abs() < 0.01 * sd, "{} {loc}", mu.mean);
    assert!((mu.sd / sd - 1.0).abs() < 0.01, "{} {sd}", mu.sd);
    // The ELBO of the exact posterior is the evidence: ln of a multivariate normal density.
    let y = mean().y;
    let squares: f64 = y.iter().map(|y| y * y).sum();
    let evidence = -2.5 * (std::f64::consts::TAU * 4.0).ln()
        - 0.5 * (100.0_f64 * precision).ln()
        - 0.5 * (squares / 4.0 - loc * loc * precision);
    assert!((fit.elbo().0 - evidence).abs() < 0.01, "{} {evidence}", fit.elbo().0);
    assert_eq!(*fit.stop_reason(), StopReason::Converged);
    assert!(fit.pareto_k() < 0.5);
}

model! {
    /// A regression whose coefficients correlate.
    pub Line(x: [f64; N], y: [f64; N]) {
        a ~ Normal(0, 100);
        b ~ Normal(0, 100);
        for n in N {
            y[n] ~ Normal(a + b * x[n], 1);
        }
    }
}

#[test]
fn the_mean_field_optimum_of_a_correlated_normal_is_reached() {
    // Predictors far from zero: the correlation of intercept and slope is -0.9998.
    let x: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i) * 0.1).collect();
    let y: Vec<f64> = x.iter().map(|x| 3.0 + 0.2 * x).collect();
    let (n, sum, squares): (f64, f64, f64) = (50.0, x.iter().sum(), x.iter().map(|x| x * x).sum());
    // The guide alone: importance weights would correct it.
    let fit = fit_bbvi(&Line { x, y }, Bbvi { family: Family::MeanField, ..Bbvi::default() }).unwrap().raw();
    let prior = 1e-4;
    let (a, b) = (fit.scalar("a").unwrap(), fit.scalar("b").unwrap());
    assert!((a.sd * (n + prior).sqrt() - 1.0).abs() < 0.02, "{}", a.sd);
    assert!((b.sd * (squares + prior).sqrt() - 1.0).abs() < 0.02, "{}", b.sd);
    // The posterior sd of the slope itself is 1 / sqrt(squares - sum^2 / n).
    let sd = (squares - sum * sum / n).sqrt().recip();
    assert!((b.mean - 0.2).abs() < 0.05 * sd + 1e-3, "{}", b.mean);
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let fit = |seed| fit_bbvi(&mean(), Bbvi { seed, ..Bbvi::default() }).unwrap();
    assert_eq!(fit(1).scalar("mu"), fit(1).scalar("mu"));
    assert_eq!(fit(1).elbo().0.to_bits(), fit(1).elbo().0.to_bits());
    assert_ne!(fit(1).scalar("mu"), fit(2).scalar("mu"));
}

#[test]
fn a_saved_fit_is_the_same_and_another_models_file_is_refused() {
    let dir = std::env::temp_dir().join(format!("ppl-fit-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("mean.json");
    let fit = fit_bbvi(&mean(), Bbvi::default()).unwrap();
    fit.save(&path).unwrap();
    let loaded = Fit::<Mean>::load(&path).unwrap();
    assert_eq!(loaded.scalar("mu"), fit.scalar("mu"));
    assert_eq!(loaded.draws(&mean(), 10).unwrap().mu, fit.draws(&mean(), 10).unwrap().mu);

    let other = Fit::<Line>::load(&path).unwrap_err().to_string();
    assert!(other.contains("`Mean`") && other.contains("`Line`"), "{other}");
    std::fs::write(&path, "{\"format\":1,\"fit\":").unwrap();
    assert!(Fit::<Mean>::load(&path).unwrap_err().to_string().contains("cut short"));
    std::fs::write(&path, "{\"format\":99}").unwrap();
    assert!(Fit::<Mean>::load(&path).unwrap_err().to_string().contains("format 99"));
    assert!(Fit::<Mean>::load(dir.join("none.json")).is_err());
    std::fs::remove_dir_all(&dir).unwrap();
}

model! {
    /// Groups with names.
    pub Named(y: [f64; N], x: [f64; N], g: [in C; N]) {
        slope ~ Normal(0, 1);
        sigma ~ HalfNormal(1);
        for c in C {
            level[c] ~ Normal(0, 5);
        }
        for n in N {
            y[n] ~ Normal(level[g[n]] + slope * x[n], sigma);
        }
    }
}

#[test]
fn draws_and_predictions_have_names_shapes_and_the_levels_of_the_fit() {
    let labels = ["red", "blue", "red", "green", "blue", "green"];
    let model =
        Named { y: vec![1.0, 5.1, 1.1, -3.0, 5.0, -2.9], x: vec![0.0, 0.1, 0.2, 0.0, 0.1, 0.2], g: Indices::from_labels(labels) };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    assert!((fit.scalar("level[green]").unwrap().mean + 2.9).abs() < 0.5);
    let draws = fit.draws(&model, 500).unwrap();
    assert_eq!(draws.slope.shape(), [500]);
    assert_eq!(draws.level.shape(), [500, 3]);
    // New rows in another order of levels: labels decide, not numbers.
    let new = NamedInputs { x: vec![0.0, 0.0], g: Indices::from_labels(["green", "red"]) };
    let predicted = fit.predict(&new, 2000).unwrap();
    assert_eq!(predicted.y.shape(), [2000, 2]);
    let mean = |column: usize| predicted.y.column(column).sum() / 2000.0;
    assert!((mean(0) + 2.9).abs() < 0.5 && (mean(1) - 1.0).abs() < 0.5, "{} {}", mean(0), mean(1));
    let unknown = NamedInputs { x: vec![0.0], g: Indices::from_labels(["violet"]) };
    assert!(fit.predict(&unknown, 10).unwrap_err().to_string().contains("`violet`"));
    let replicated = fit.posterior_predictive(&model, 100).unwrap();
    assert_eq!(replicated.y.shape(), [100, 6]);

    let (prior, data) = prior_predictive::<Named>(&NamedInputs { x: vec![1.0; 3], g: vec![0, 1, 1].into() }, 4000, 5).unwrap();
    let variance = prior.level.column(1).mapv(|x| x * x).sum() / 4000.0;
    assert!((variance / 25.0 - 1.0).abs() < 0.12, "{variance}");
    assert_eq!(data.y.shape(), [4000, 3]);
}

model! {
    /// A flat prior has no draws.
    pub Flatness(y: [f64; N]) {
        mu ~ Flat;
        s ~ FlatPositive;
        for n in N {
            y[n] ~ Normal(mu, s);
        }
    }
}

#[test]
fn a_flat_prior_fits_and_refuses_prior_draws_by_name() {
    let model = Flatness { y: vec![1.0, 2.0, 3.0, 2.5, 1.5, 2.2] };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    assert!((fit.scalar("mu").unwrap().mean - 12.2 / 6.0).abs() < 0.05);
    let error = prior_predictive::<Flatness>(&FlatnessInputs { N: 3 }, 10, 0).unwrap_err().to_string();
    assert!(error.contains("mu ~ Flat"), "{error}");
}

model! {
    /// A scale that can become negative.
    pub Broken(y: [f64; N]) {
        a ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(0, 0.0 * a - positive(a) * positive(a) - 1);
        }
    }
}

#[test]
fn a_log_density_that_is_never_finite_names_statement_row_and_operands() {
    let error = fit_bbvi(&Broken { y: vec![1.0] }, Bbvi::default()).expect_err("a negative scale");
    let message = error.to_string();
    assert!(message.contains("y[n] ~ Normal") && message.contains("row 0") && message.contains("scale = -1"), "{message}");
    let _: Box<dyn std::error::Error + Send + Sync> = error.into();
}

#[test]
fn configurations_out_of_range_and_wrong_initial_values_are_refused() {
    let message = |config: Bbvi| fit_bbvi(&mean(), config).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(message(Bbvi { samples: 0, ..Bbvi::default() }).contains("`samples` is 0"));
    assert!(message(Bbvi { tolerance: -1.0, ..Bbvi::default() }).contains("`tolerance`"));
    assert!(message(Bbvi { initial: vec![("nu".into(), vec![1.0])], ..Bbvi::default() }).contains("`mu`"));
    assert!(message(Bbvi { initial: vec![("mu".into(), vec![1.0, 2.0])], ..Bbvi::default() }).contains("1 elements"));
}

#[test]
fn observers_are_told_of_every_step() {
    let trace = Trace::every(10);
    let fit = fit_bbvi(&mean(), Bbvi { observers: vec![Box::new(trace.clone())], ..Bbvi::default() }).unwrap();
    let data = trace.data();
    assert_eq!(data.steps.len(), fit.steps().div_ceil(10));
    assert!(data.elbo.iter().all(|x| x.is_finite()));
}

model! {
    /// Single precision.
    pub Single(y: [f32; N], x: [f32; N, P]) {
        b[P] ~ Normal(0, 1);
        s ~ HalfNormal(1);
        for n in N {
            y[n] ~ Normal(dot(x[n], b), s);
        }
    }
}

#[test]
fn single_precision_fits_as_double_precision_does() {
    let x = Array2::from_shape_fn((200, 2), |(i, j)| ((i * (j + 3)) % 17) as f32 / 17.0 - 0.5);
    let y: Vec<f32> =
        x.rows().into_iter().enumerate().map(|(i, r)| 0.7 * r[0] - 0.4 * r[1] + 0.05 * ((i % 5) as f32 - 2.0)).collect();
    let fit = fit_bbvi(&Single { y, x }, Bbvi::default()).unwrap();
    assert!((fit.scalar("b[0]").unwrap().mean - 0.7).abs() < 0.03);
    assert!((fit.scalar("b[1]").unwrap().mean + 0.4).abs() < 0.03);
}

/// The posterior of a line through correlated predictors: mean and standard deviations of intercept and slope.
fn line_posterior(x: &[f64], y: &[f64]) -> [(f64, f64); 2] {
    let (n, sum, squares): (f64, f64, f64) = (x.len() as f64 + 1e-4, x.iter().sum(), x.iter().map(|x| x * x).sum::<f64>() + 1e-4);
    let (b, c): (f64, f64) = (y.iter().sum(), x.iter().zip(y).map(|(x, y)| x * y).sum());
    let det = n * squares - sum * sum;
    [((squares * b - sum * c) / det, (squares / det).sqrt()), ((n * c - sum * b) / det, (n / det).sqrt())]
}

#[test]
fn a_correlated_normal_is_found_exactly_by_the_full_rank_in_a_few_hundred_steps() {
    let x: Vec<f64> = (0..50).map(|i| 10.0 + f64::from(i) * 0.1).collect();
    let y: Vec<f64> = x.iter().map(|x| 3.0 + 0.2 * x + (7.0 * x).sin()).collect();
    let expected = line_posterior(&x, &y);
    let fit = fit_bbvi(&Line { x, y }, Bbvi::default()).unwrap();
    assert_eq!(fit.tried()[0].family, "full-rank Gaussian");
    assert!(fit.steps() < 1000, "{}", fit.steps());
    for (name, (mean, sd)) in ["a", "b"].iter().zip(expected) {
        let found = fit.scalar(name).unwrap();
        assert!((found.mean - mean).abs() < 0.05 * sd, "{name}: {} and {mean}", found.mean);
        assert!((found.sd / sd - 1.0).abs() < 0.05, "{name}: {} and {sd}", found.sd);
    }
    let tried = fit.tried();
    assert!(tried.len() == 1 && fit.pareto_k() < 0.3, "{tried:?}");
}

model! {
    /// Counts with a gamma prior of their rate: the posterior is a gamma distribution.
    pub Counts(y: [u64; N]) {
        rate ~ Gamma(2, 1);
        y[N] ~ Poisson(rate);
    }
}

#[test]
fn importance_weights_correct_a_skewed_posterior_and_the_raw_guide_is_kept() {
    let model = Counts { y: vec![0, 1, 0] };
    // Gamma(3, 4) has mean 3 / 4, sd sqrt(3) / 4 and fifth percentile 0.2044 (R: qgamma(0.05, 3, 4)).
    let fit = fit_bbvi(&model, Bbvi { draws: 20_000, ..Bbvi::default() }).unwrap();
    let (rate, sd) = (fit.scalar("rate").unwrap(), 3.0_f64.sqrt() / 4.0);
    assert!((rate.mean - 0.75).abs() < 0.04 * sd, "{rate:?}");
    assert!((rate.sd / sd - 1.0).abs() < 0.04, "{rate:?}");
    assert!((rate.quantiles[0] - 0.2044).abs() < 0.02, "{rate:?}");
    assert!(fit.summary().to_string().contains("corrected by Pareto-smoothed importance weights"));
    let raw = fit.raw();
    assert!(raw.scalar("rate") != fit.scalar("rate") && raw.summary().weighted.is_none());
    // Draws are weighted by resampling, for the same rows and for new ones.
    let draws = fit.draws(&model, 20_000).unwrap().rate;
    assert!((draws.mean().unwrap() - 0.75).abs() < 0.04 * sd, "{}", draws.mean().unwrap());
    let new = fit.predict(&CountsInputs { N: 1 }, 20_000).unwrap();
    assert!((new.y.mean().unwrap() - 0.75).abs() < 0.03, "{}", new.y.mean().unwrap());
}

#[test]
fn leave_one_out_is_that_of_the_conjugate_normal() {
    let y = vec![1.0, 2.0, 3.5, 0.2, 1.1, 2.4, 2.0, 1.7];
    let model = Mean { y: y.clone() };
    let fit = fit_bbvi(&model, Bbvi { draws: 8000, ..Bbvi::default() }).unwrap();
    let loo = fit.loo(&model).unwrap();
    // Without row i the posterior of mu is Normal(m, v), and y[i] is predicted by Normal(m, v + 4).
    let log_normal = |y: f64, m: f64, v: f64| -0.5 * ((y - m).powi(2) / v + v.ln() + std::f64::consts::TAU.ln());
    let v = 1.0 / (y.len() as f64 / 4.0 + 0.01);
    let m = v * y.iter().sum::<f64>() / 4.0;
    let mut parameters: f64 = y.iter().map(|y| log_normal(*y, m, v + 4.0)).sum();
    for (i, found) in loo.pointwise.iter().enumerate() {
        let v = 1.0 / ((y.len() as f64 - 1.0) / 4.0 + 0.01);
        let m = v * (y.iter().sum::<f64>() - y[i]) / 4.0;
        let expected = log_normal(y[i], m, v + 4.0);
        parameters -= expected;
        assert!((found.elpd_loo - expected).abs() < 0.01, "{i}: {found:?} {expected}");
    }
    assert!((loo.p_loo().value - parameters).abs() < 0.01, "{:?} {parameters}", loo.p_loo());
    let waic = fit.waic(&model).unwrap();
    assert!((loo.elpd_loo().value - waic.elpd_waic().value).abs() < 0.1);
    assert_eq!((loo.draws, loo.pointwise[2].name.as_str()), (8000, "y[2]"));
    assert!(loo.to_string().contains("0 of 8 rows above 0.70"), "{loo}");
}

model! {
    /// Two levels of which the data see the sum alone, under flat priors.
    pub Twins(y: [f64; N]) {
        a ~ Flat();
        b ~ Flat();
        for n in N {
            y[n] ~ Normal(a + b, 1);
        }
    }
}

#[test]
fn a_direction_that_nothing_determines_is_named() -> Result<(), FitError> {
    let fit = fit_bbvi(&Twins { y: vec![1.0, 2.0, 0.5] }, Bbvi::default())?;
    let notes = fit.notes().join("; ");
    assert!(notes.contains("not identified: neither data nor priors tell") && notes.contains("`a` - `b`"), "{notes}");
    Ok(())
}

model! {
    /// A hierarchy as written: the density rises without end as the scale goes to zero.
    pub Funnel(y: [f64; J]) {
        tau ~ Uniform(0, 10);
        for j in J {
            theta[j] ~ Normal(0, tau);
            y[j] ~ Normal(theta[j], 10);
        }
    }
}

#[test]
fn a_scale_that_collapses_is_named_and_the_fit_goes_on() -> Result<(), FitError> {
    let model = Funnel { y: vec![1.0, -2.0, 0.5, 0.1, 0.7] };
    let fit = fit_bbvi(&model, Bbvi { family: Family::Laplace, ..Bbvi::default() })?;
    let notes = fit.notes().join("; ");
    assert!(notes.contains("no usable mode: it rises without end in `tau`"), "{notes}");
    assert!(fit_bbvi(&model, Bbvi::default())?.elbo().0.is_finite());
    Ok(())
}
