//! Leave-one-out cross-validation, WAIC and calibration of fits, against closed forms and quadrature.
#![forbid(unsafe_code)]

use ppl_core::diagnostics::DiagnosticError;
use ppl_core::prelude::*;
use ppl_tests::models::{EightSchools, EightSchoolsInputs, EightSchoolsPredictive, eight_schools};

model! {
    /// A normal mean with a known scale: conjugate.
    pub Mean(y: [f64; N]) {
        mu ~ Normal(0, 10);
        for n in N {
            y[n] ~ Normal(mu, 2);
        }
    }
}

/// `log p(y_i | y_-i)` of the conjugate model: a normal about the posterior mean of the others.
fn exact(y: &[f64]) -> Vec<f64> {
    let without = |i: usize| {
        let precision = 0.01 + (y.len() - 1) as f64 / 4.0;
        let mean = (y.iter().sum::<f64>() - y[i]) / 4.0 / precision;
        let variance = 4.0 + precision.recip();
        -0.5 * (y[i] - mean).powi(2) / variance - 0.5 * (std::f64::consts::TAU * variance).ln()
    };
    (0..y.len()).map(without).collect()
}

#[test]
fn a_conjugate_normal_has_the_leave_one_out_densities_of_its_closed_form() {
    let y: Vec<f64> = (0..20).map(|i| 3.0 + 2.0 * f64::from(i * 7 % 20 - 10) / 6.0).collect();
    let model = Mean { y: y.clone() };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let loo = fit.loo(&model).unwrap();
    for (row, exact) in loo.pointwise.iter().zip(exact(&y)) {
        assert!((row.elpd_loo - exact).abs() < 3e-3, "{}: {} {exact}", row.name, row.elpd_loo);
    }
    let total: f64 = exact(&y).iter().sum();
    assert!((loo.elpd_loo().value - total).abs() < 0.02, "{} {total}", loo.elpd_loo().value);
    // One parameter that the data determine.
    assert!((loo.p_loo().value - 0.9).abs() < 0.25, "{}", loo.p_loo().value);
    assert_eq!((loo.bad_rows(), loo.model.as_str(), loo.pointwise[3].name.as_str()), (0, "Mean", "y[3]"));
    let waic = fit.waic(&model).unwrap();
    assert!((waic.elpd_waic().value - total).abs() < 0.05, "{} {total}", waic.elpd_waic().value);
    assert!(waic.to_string().contains("believe it"), "{waic}");
}

#[test]
fn the_matrix_of_a_fit_gives_the_same_as_the_fit() {
    let model = Mean { y: vec![1.0, 2.0, 4.0, 0.5, 3.5] };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let (matrix, ratios) = (fit.log_likelihood(&model, 4000).unwrap(), fit.log_ratios(&model, 4000).unwrap());
    assert_eq!(matrix.values.shape(), [4000, 5]);
    assert_eq!((matrix.factors.len(), matrix.factors[0].site, matrix.factors[0].rows.clone()), (1, "y", 0..5));
    assert_eq!(matrix.factors[0].statement, "y[n] ~ Normal(mu, 2)");
    let by_hand = ppl_core::diagnostics::Loo::new(&matrix.values, &ratios).unwrap();
    assert_eq!(by_hand.elpd_loo(), fit.loo(&model).unwrap().elpd_loo());
    // The draws of the matrix are those of the guide.
    let mu = fit.proposals(&model, 4000).unwrap().mu;
    let density = |s: usize, y: f64| -0.5 * ((y - mu[s]) / 2.0).powi(2) - (2.0 * std::f64::consts::TAU.sqrt()).ln();
    assert!((0..4000).all(|s| (matrix.values[[s, 2]] - density(s, 4.0)).abs() < 1e-12));
}

#[test]
fn weights_mend_what_independent_normals_miss() {
    let model = eight_schools();
    let fit = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() }).unwrap();
    let (weights, scalars) = fit.weighted_scalars(&model, 16_000).unwrap();
    assert!(weights.reliable() && weights.effective_sample_size > 2000.0, "{weights:?}");
    // Means and standard deviations by quadrature over mu and tau, theta given them in closed form.
    for (name, mean, sd) in [("mu", 4.3968, 3.3177), ("tau", 3.5977, 3.2200), ("theta[0]", 6.2119, 5.5931)] {
        let found = scalars.iter().find(|scalar| scalar.name == name).unwrap();
        assert!((found.weighted.mean - mean).abs() < 0.06 * sd, "{found:?}");
        assert!((found.weighted.sd / sd - 1.0).abs() < 0.08, "{found:?}");
        // The guide itself is farther off.
        assert!((fit.raw().scalar(name).unwrap().sd / sd - 1.0).abs() > (found.weighted.sd / sd - 1.0).abs());
        assert!(found.mean_pareto_k >= weights.pareto_k && found.sd_pareto_k >= weights.pareto_k);
    }
}

model! {
    /// A density that is no number below zero.
    pub Tilted() {
        x ~ Normal(3, 1);
        factor(ln(x));
    }
}

#[test]
fn a_draw_where_the_density_is_no_number_has_no_weight_and_the_others_are_weighted() {
    let model = Tilted {};
    let fit = fit_bbvi(&model, Bbvi { family: Family::Laplace, ..Bbvi::default() }).unwrap();
    let (draws, ratios) = (fit.proposals(&model, 16_000).unwrap(), fit.log_ratios(&model, 16_000).unwrap());
    let outside = draws.x.iter().filter(|x| **x < 0.0).count();
    assert!(outside > 0, "the guide reaches below zero");
    assert!(draws.x.iter().zip(&ratios).all(|(x, ratio)| (*x < 0.0) == (*ratio == f64::NEG_INFINITY) && !ratio.is_nan()));
    // The density is x Normal(x; 3, 1): the mean is 10 / 3 but for what lies below zero, 1e-3 of it.
    let weights = fit.importance_weights(&model, 16_000).unwrap();
    assert!((weights.mean(&draws.x.to_vec()).unwrap() - 10.0 / 3.0).abs() < 0.02);
    assert!((fit.scalar("x").unwrap().mean - 10.0 / 3.0).abs() < 0.02);
    assert!(fit.draws(&model, 4000).unwrap().x.iter().all(|x| *x >= 0.0));
}

model! {
    /// Latents that are independent, and two whose sum is measured.
    pub Sum(y: [f64; N], total: f64, K: usize) {
        a[N] ~ Normal(0, 1);
        b[K] ~ Normal(0, 1);
        total ~ Normal(b[0] + b[1], 1);
        for n in N {
            y[n] ~ Normal(a[n], 1);
        }
    }
}

#[test]
fn each_latent_has_a_pareto_k_of_its_own_and_those_that_the_guide_misses_have_the_largest() {
    use ppl_core::diagnostics::pareto_k;
    let model = Sum { y: vec![0.5, -1.0, 2.0], total: 1.0, K: 2 };
    // The correlation of b is -1/2, which independent Gaussians miss; the weights have the shape 1/2 of their tail.
    let fit = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() }).unwrap();
    let (weights, scalars) = fit.weighted_scalars(&model, 4000).unwrap();
    let names: Vec<&str> = scalars.iter().map(|scalar| scalar.name.as_str()).collect();
    assert_eq!(names, ["a[0]", "a[1]", "a[2]", "b[0]", "b[1]"]);
    let largest = |of: &str| {
        let own = scalars.iter().filter(|scalar| scalar.variable == of);
        own.fold([f64::NEG_INFINITY; 2], |[mean, sd], x| [mean.max(x.mean_pareto_k), sd.max(x.sd_pareto_k)])
    };
    let ([mean_a, sd_a], [mean_b, sd_b]) = (largest("a"), largest("b"));
    assert!(weights.pareto_k <= mean_a && mean_a < mean_b && sd_a < sd_b, "{scalars:?}");
    // By hand: the shape of the ratios, and of both tails of what they are multiplied by.
    let (draws, ratios) = (fit.proposals(&model, 4000).unwrap(), fit.log_ratios(&model, 4000).unwrap());
    let columns = (0..3).map(|n| draws.a.column(n).to_vec()).chain((0..2).map(|k| draws.b.column(k).to_vec()));
    for (scalar, column) in scalars.iter().zip(columns) {
        let mean = weights.mean(&column).unwrap();
        let tail = |sign: f64| {
            let products = column.iter().zip(&ratios).map(|(x, r)| (sign * (x - mean)).max(0.0).ln() + r);
            pareto_k(&products.collect::<Vec<_>>())
        };
        let by_hand = weights.pareto_k.max(tail(1.0)).max(tail(-1.0));
        assert!((scalar.mean_pareto_k - by_hand).abs() < 1e-9, "{scalar:?} {by_hand}");
    }
}

#[test]
fn eight_schools_agree_with_quadrature() {
    let model = eight_schools();
    let loo = fit_bbvi(&model, Bbvi::default()).unwrap().loo(&model).unwrap();
    // Quadrature over mu and tau, theta integrated in closed form: the trapezoid in mu, the midpoint rule in the quantile of
    // tau, the same to seven digits with 1000 and with 4000 points.
    let exact = [
        -4.887_784_769_7,
        -3.422_188_116_2,
        -3.856_234_317_5,
        -3.462_385_117_9,
        -3.455_897_167_1,
        -3.482_577_671_7,
        -4.230_350_979_1,
        -3.944_456_744_6,
    ];
    for (row, exact) in loo.pointwise.iter().zip(exact) {
        assert!((row.elpd_loo - exact).abs() < 0.06, "{}: {} {exact}, k {}", row.name, row.elpd_loo, row.pareto_k);
    }
    assert!((loo.elpd_loo().value - exact.iter().sum::<f64>()).abs() < 0.15, "{loo}");
    // Or half as many more, where they are spread further than the guide.
    assert!(loo.draws == 4000 || loo.draws == 6016, "{}", loo.draws);
}

model! {
    /// Two observed arrays, one of them over a shifted range and in a nest, with names.
    pub Nested(y: [f64; N, T], count: [u64; N], g: [in C; N]) {
        level[C] ~ Normal(0, 1);
        for n in N {
            count[n] ~ Poisson(positive(level[g[n]]));
            for t in 1..T {
                y[n, t] ~ Normal(level[g[n]] + 0.5 * y[n, t - 1], 1);
            }
        }
    }
}

#[test]
fn rows_are_named_by_their_elements_and_cover_every_observed_statement() {
    let model = Nested {
        y: Array2::from_shape_fn((3, 3), |(n, t)| 0.3 * n as f64 - 0.2 * t as f64),
        count: vec![1, 0, 2],
        g: Indices::from_labels(["red", "blue", "red"]),
    };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let matrix = fit.log_likelihood(&model, 70).unwrap();
    let draws = fit.proposals(&model, 70).unwrap();
    let expected = ["count[0]", "count[1]", "count[2]", "y[0, 1]", "y[0, 2]", "y[1, 1]", "y[1, 2]", "y[2, 1]", "y[2, 2]"];
    assert_eq!(matrix.names, expected);
    for s in 0..70 {
        let (mean, y) = (draws.level[[s, 1]] + 0.5 * model.y[[1, 1]], model.y[[1, 2]]);
        let by_hand = -0.5 * (y - mean).powi(2) - 0.5 * std::f64::consts::TAU.ln();
        assert!((matrix.values[[s, 6]] - by_hand).abs() < 1e-12);
    }
}

model! {
    /// Single precision.
    pub Single(y: [f32; N]) {
        mu ~ Normal(0, 10);
        for n in N {
            y[n] ~ Normal(mu, 2);
        }
    }
}

#[test]
fn single_precision_predicts_as_double_precision_does() {
    let y = [1.0_f32, 2.0, 4.0, 0.5, 3.5, 2.5, 1.5, 3.0];
    let model = Single { y: y.to_vec() };
    let loo = fit_bbvi(&model, Bbvi::default()).unwrap().loo(&model).unwrap();
    let y: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
    for (row, exact) in loo.pointwise.iter().zip(exact(&y)) {
        assert!((row.elpd_loo - exact).abs() < 0.01, "{}: {} {exact}", row.name, row.elpd_loo);
    }
}

#[test]
fn what_has_no_rows_or_too_few_draws_is_an_error_with_a_way_out() {
    let empty = Mean { y: Vec::new() };
    let fit = fit_bbvi(&empty, Bbvi::default()).unwrap();
    let none = |error| matches!(error, Err(FitError::Diagnostic(DiagnosticError::NoRows { .. })));
    assert!(none(fit.loo(&empty).map(|_| ())) && none(fit.waic(&empty).map(|_| ())));
    assert_eq!(fit.log_likelihood(&empty, 10).unwrap().values.shape(), [10, 0]);
    let few = fit.importance_weights(&empty, 1).unwrap_err();
    assert!(few.to_string().contains("at least 25 draws, and there are 1"), "{few}");
    let many = fit.log_likelihood(&Mean { y: vec![1.0] }, 0).unwrap();
    assert_eq!(many.values.shape(), [0, 1]);
}

#[test]
fn a_better_model_is_told_apart() {
    let y32: Vec<f32> = (0_i16..200).map(|i| 3.0 + 2.0 * f32::from(i * 7 % 20 - 10) / 6.0).collect();
    let y: Vec<f64> = y32.iter().map(|&y| f64::from(y)).collect();
    let right = Mean { y: y.clone() };
    let wrong = Far { y };
    let right = fit_bbvi(&right, Bbvi::default()).unwrap().loo(&right).unwrap();
    let wrong = fit_bbvi(&wrong, Bbvi::default()).unwrap().loo(&wrong).unwrap();
    let comparison = right.compare(&wrong).unwrap();
    assert_eq!(comparison.verdict(), "the first model predicts better");
    assert!(comparison.to_string().contains("Mean less Far"), "{comparison}");
    // The same model in another precision predicts alike.
    let same = Single { y: y32 };
    let same = fit_bbvi(&same, Bbvi::default()).unwrap().loo(&same).unwrap();
    assert!(right.compare(&same).unwrap().elpd_difference.abs() < 0.1);
}

model! {
    /// The mean held where the data are not.
    pub Far(y: [f64; N]) {
        mu ~ Normal(0, 0.01);
        for n in N {
            y[n] ~ Normal(mu, 2);
        }
    }
}

#[test]
fn a_conjugate_normal_is_calibrated_and_a_fit_to_other_data_is_not() {
    let inputs = MeanInputs { N: 5 };
    let honest = |simulated: &MeanPredictive| Mean { y: simulated.y.row(0).to_vec() };
    let calibration = calibrate(&inputs, honest, &Bbvi::default(), 100).unwrap();
    assert_eq!((calibration.replications, calibration.scalars.len()), (100, 1));
    let mu = &calibration.scalars[0];
    // Uniform ranks: the mean has the standard error 0.029, twelve times the variance 0.089.
    assert!((mu.mean() - 0.5).abs() < 0.1 && (mu.spread() - 1.0).abs() < 0.3, "{calibration}");
    assert_eq!(calibration.biased().count(), 0, "{calibration}");
    let shifted = |simulated: &MeanPredictive| Mean { y: simulated.y.row(0).iter().map(|y| y + 1.0).collect() };
    let calibration = calibrate(&inputs, shifted, &Bbvi::default(), 100).unwrap();
    assert_eq!(calibration.verdict(), "fits put `mu` too high");
}

#[test]
fn fits_of_eight_schools_are_too_narrow_in_tau() {
    // Yao et al. 2018: mean-field fits of eight schools miss the tails of tau.
    let sigma = eight_schools().sigma;
    let with_data = |simulated: &EightSchoolsPredictive| EightSchools { y: simulated.y.row(0).to_vec(), sigma: sigma.clone() };
    let calibration = calibrate(
        &EightSchoolsInputs { sigma: sigma.clone() },
        with_data,
        &Bbvi { seed: 1, family: Family::MeanField, ..Bbvi::default() },
        200,
    )
    .unwrap();
    assert!(calibration.narrow().any(|scalar| scalar.name == "tau"), "{calibration}");
    assert!(calibration.verdict().contains("too narrow"), "{calibration}");
}

#[test]
fn calibration_says_what_it_cannot_do() {
    let wrong_size = |simulated: &MeanPredictive| Mean { y: simulated.y.row(0).to_vec() };
    assert!(calibrate(&MeanInputs { N: 5 }, wrong_size, &Bbvi { samples: 0, ..Bbvi::default() }, 3).is_err());
    let error = calibrate(&MeanInputs { N: 5 }, wrong_size, &Bbvi::default(), 0).unwrap_err();
    assert!(matches!(error, FitError::Diagnostic(DiagnosticError::TooFewDraws { draws: 0, .. })), "{error}");
    // A model that cannot be fitted is counted, and with no other there is nothing to report.
    let broken = |_: &MeanPredictive| Mean { y: vec![f64::NAN] };
    assert!(calibrate(&MeanInputs { N: 5 }, broken, &Bbvi::default(), 2).is_err());
    let sometimes = |simulated: &MeanPredictive| {
        let y = simulated.y.row(0).to_vec();
        Mean { y: if y[0] > 0.0 { y } else { vec![f64::NAN] } }
    };
    let calibration = calibrate(&MeanInputs { N: 5 }, sometimes, &Bbvi::default(), 20).unwrap();
    assert_eq!(calibration.replications + calibration.failures.len(), 20);
    assert!(!calibration.failures.is_empty() && calibration.failures[0].contains("`y[0]` is NaN"), "{calibration}");
}
