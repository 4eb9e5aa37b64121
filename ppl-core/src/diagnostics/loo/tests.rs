//! Against `ArviZ` 0.21.0 (`loo`, `waic`, `compare`, `psislw`), whose variances over rows and draws have the divisors `n` and `S`.

use ndarray::Array2;

use super::super::Waic;
use super::super::reference::{log_likelihood, log_ratios};
use super::*;

const EQUAL: [f64; 400] = [0.0; 400];

fn close(found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    for (i, (a, b)) in found.into_iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{i}: {a} {b}");
    }
}

#[test]
fn draws_of_the_posterior_give_what_arviz_gives() {
    let loo = Loo::new(&log_likelihood(0.0), &EQUAL).unwrap();
    let elpd = [
        -1.7156059544496554,
        -1.0307504595824213,
        -0.9526710831800136,
        -0.9953690791495102,
        -1.139075753756976,
        -1.5945914716468064,
        -2.9228983111761897,
        -8.272104890836305,
    ];
    let shapes = [
        0.19080102331518028,
        0.24457752811673272,
        0.20696245791011741,
        0.3746965851271027,
        0.3518517944492139,
        0.4251003824473812,
        0.4092090263967926,
        0.6521621750875839,
    ];
    close(loo.pointwise.iter().map(|row| row.elpd_loo), &elpd);
    close(loo.pointwise.iter().map(|row| row.pareto_k), &shapes);
    let (total, p) = (loo.elpd_loo(), loo.p_loo());
    let error = 6.585061382830615 * (8.0_f64 / 7.0).sqrt();
    close([total.value, total.standard_error, p.value], &[-18.623067003777876, error, 2.1790974141742296]);
    close([loo.threshold(), loo.looic().value], &[0.6156891065798796, 2.0 * 18.623067003777876]);
    assert_eq!((loo.bad_rows(), loo.worst_row().unwrap().name.as_str()), (1, "row 7"));
    assert!(loo.verdict().starts_with("do not believe 1 of 8 rows, row 7"), "{}", loo.verdict());
}

#[test]
fn draws_of_a_guide_are_weighted_by_their_ratios() {
    // `ArviZ`: `psislw(log_ratios - log_likelihood)`, and `logsumexp` of its weights plus the log likelihood.
    let loo = Loo::new(&log_likelihood(0.0), &log_ratios()).unwrap();
    let elpd = [
        -1.8006879891107124,
        -1.0613131794772723,
        -0.9472347167584996,
        -0.9752100129561843,
        -1.0959898667326362,
        -1.5110560836078468,
        -2.7624905433359945,
        -7.929569774221445,
    ];
    close(loo.pointwise.iter().map(|row| row.elpd_loo), &elpd);
    close([loo.pointwise[7].pareto_k, loo.guide_pareto_k], &[0.628912883557603, 0.0736986880884685]);
    // The ratios are known up to a constant.
    let shifted: Vec<f64> = log_ratios().iter().map(|r| r - 1234.5).collect();
    close(Loo::new(&log_likelihood(0.0), &shifted).unwrap().pointwise.iter().map(|row| row.elpd_loo), &elpd);
}

#[test]
fn waic_is_that_of_arviz_with_the_sample_variance() {
    let waic = Waic::new(&log_likelihood(0.0), &EQUAL).unwrap();
    let p = 2.075167397348414 * 400.0 / 399.0;
    close([waic.p_waic().value], &[p]);
    close([waic.elpd_waic().value], &[-18.519136986952063 + 2.075167397348414 - p]);
    close([waic.waic().value], &[-2.0 * waic.elpd_waic().value]);
    assert_eq!(waic.bad_rows(), 1);
    assert!(waic.verdict().contains("1 of 8 rows have a p_waic above 0.4"), "{}", waic.verdict());
}

#[test]
fn a_comparison_is_that_of_arviz_with_the_sample_variance() {
    let of = |shift| Loo::new(&log_likelihood(shift), &EQUAL).unwrap();
    let comparison = of(0.3).compare(&of(0.0)).unwrap();
    let error = 1.4358910773768834 * (8.0_f64 / 7.0).sqrt();
    close([comparison.elpd_difference, comparison.standard_error], &[1.7826462155006935, error]);
    assert!(comparison.verdict().contains("alike"));
    let fewer = Loo::new(&Array2::zeros((400, 3)), &EQUAL).unwrap();
    assert_eq!(of(0.0).compare(&fewer), Err(DiagnosticError::RowsDiffer { left: 8, right: 3 }));
}

#[test]
fn what_cannot_be_computed_is_an_error_with_its_place() {
    assert!(matches!(Loo::new(&Array2::zeros((400, 0)), &EQUAL), Err(DiagnosticError::NoRows { .. })));
    assert!(matches!(Waic::new(&Array2::zeros((400, 0)), &EQUAL), Err(DiagnosticError::NoRows { .. })));
    assert!(matches!(Loo::new(&Array2::zeros((1, 3)), &[0.0]), Err(DiagnosticError::TooFewDraws { draws: 1, .. })));
    assert!(matches!(Loo::new(&Array2::zeros((0, 0)), &[]), Err(DiagnosticError::TooFewDraws { draws: 0, .. })));
    assert!(matches!(Loo::new(&Array2::zeros((400, 3)), &[0.0]), Err(DiagnosticError::Length { got: 1, .. })));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut matrix = log_likelihood(0.0);
        matrix[[17, 3]] = bad;
        let place = |error| matches!(error, Err(DiagnosticError::LogLikelihood { row, draw: 17, .. }) if row == "row 3");
        assert!(place(Loo::new(&matrix, &EQUAL).map(|_| ())));
        assert!(place(Waic::new(&matrix, &EQUAL).map(|_| ())));
    }
}

#[test]
fn a_single_row_has_no_standard_error_and_a_bad_guide_no_believer() {
    let loo = Loo::new(&Array2::from_elem((100, 1), -1.0), &[0.0; 100]).unwrap();
    assert!(loo.elpd_loo().standard_error.is_nan());
    let mut ratios = [0.0; 100];
    ratios[3] = 500.0;
    let loo = Loo::new(&Array2::from_elem((100, 4), -1.0), &ratios).unwrap();
    assert!(loo.verdict().contains("the guide misses mass"), "{}", loo.verdict());
}

#[test]
fn rows_whose_weights_are_bounded_are_those_of_arviz() {
    // `ArviZ` 0.23.4: `loo` and `waic` of log densities that are a wave.
    let row = |row: usize, s: usize| -1.0 - 0.1 * row as f64 + 0.5 * (1.0 + 1.7 * s as f64 + 0.9 * row as f64).sin();
    let matrix = Array2::from_shape_fn((400, 8), |(s, i)| row(i, s));
    let loo = Loo::new(&matrix, &EQUAL).unwrap();
    let elpd = loo.elpd_loo();
    assert!((elpd.value - -11.292295019477574).abs() < 1e-6, "{elpd:?}");
    assert!((elpd.standard_error - 0.6487776476518062 * (8.0_f64 / 7.0).sqrt()).abs() < 1e-6, "{elpd:?}");
    assert!((loo.p_loo().value - 0.9855195502648364).abs() < 1e-6, "{:?}", loo.p_loo());
    let third = &loo.pointwise[3];
    assert!(
        (third.elpd_loo - -1.36194305717925).abs() < 1e-7 && (third.pareto_k - -1.4957364090893943).abs() < 1e-7,
        "{third:?}"
    );
    let waic = Waic::new(&matrix, &EQUAL).unwrap();
    assert!((waic.elpd_waic().value - -11.306821574862907).abs() < 0.003, "{:?}", waic.elpd_waic());
}

#[test]
fn models_of_other_rows_are_refused_and_the_same_model_is_no_better() {
    let loo = |n: usize| Loo::new(&log_likelihood(0.0).slice_move(ndarray::s![.., ..n]), &EQUAL).unwrap();
    let same = loo(8).compare(&loo(8)).unwrap();
    assert_eq!((same.elpd_difference, same.standard_error), (0.0, 0.0));
    let error = loo(8).compare(&loo(7)).unwrap_err().to_string();
    assert_eq!(error, "one model has 8 observed rows and the other 7; only predictions of the same rows can be compared");
}
