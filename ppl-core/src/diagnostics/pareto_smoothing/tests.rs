//! Against `ArviZ` 0.21.0 (`psislw`) and closed forms.

use super::super::reference::{draws, log_ratios};
use super::*;

/// Quantiles of a Pareto distribution of shape `k`, as log weights.
fn pareto(k: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| -k * (1.0 - (i as f64 + 0.5) / n as f64).ln()).collect()
}

#[test]
fn the_shape_of_a_pareto_distribution_is_found() {
    for k in [0.2, 0.5, 0.9] {
        let found = pareto_k(&pareto(k, 4000));
        assert!((found - k).abs() < 0.06, "{k}: {found}");
    }
}

#[test]
fn weights_are_those_of_arviz() {
    let weights = PsisWeights::new(&log_ratios()).unwrap();
    assert!((weights.pareto_k - 0.0736986880884685).abs() < 1e-10, "{}", weights.pareto_k);
    assert!((pareto_k(&log_ratios()) - 0.0736986880884685).abs() < 1e-10);
    assert!((weights.effective_sample_size - 363.5339029078454).abs() < 1e-7);
    let first = [-6.429447973220696, -5.932220221138701, -6.10408355900422, -5.466574644340447];
    assert!(weights.log_weights.iter().zip(first).all(|(a, b)| (a - b).abs() < 1e-10), "{:?}", &weights.log_weights[..4]);
    let mut sorted = weights.log_weights.clone();
    sorted.sort_by(f64::total_cmp);
    let last = [-5.2516763194493405, -5.184257999241165, -5.119111783312827];
    assert!(sorted[397..].iter().zip(last).all(|(a, b)| (a - b).abs() < 1e-10), "{:?}", &sorted[397..]);
    let locations: Vec<f64> = draws().into_iter().map(|(location, _)| location).collect();
    assert!((weights.mean(&locations).unwrap() - 0.06511516518856855).abs() < 1e-10);
}

#[test]
fn equal_weights_stay_equal_and_have_no_tail() {
    assert!(pareto_k(&[0.3; 100]) < 0.0);
    // Nor have those that differ by rounding alone, as of a guide that is the posterior.
    let rounded: Vec<f64> = (0..2000).map(|i| -30.0 + 4e-15 * f64::from(i * 7 % 3)).collect();
    assert_eq!(PsisWeights::new(&rounded).unwrap().pareto_k, f64::NEG_INFINITY);
    let weights = PsisWeights::new(&[-7.0; 64]).unwrap();
    assert!(weights.log_weights.iter().all(|w| (w + 64.0_f64.ln()).abs() < 1e-12));
    assert!(weights.reliable());
}

#[test]
fn one_draw_with_all_the_weight_is_an_infinite_shape() {
    let mut ratios = vec![-2000.0; 100];
    ratios[40] = 0.0;
    let weights = PsisWeights::new(&ratios).unwrap();
    assert_eq!(weights.pareto_k, f64::INFINITY);
    assert!((weights.effective_sample_size - 1.0).abs() < 1e-9);
    assert!(!weights.reliable());
    assert_eq!(weights.resample(3, 1), [40, 40, 40]);
}

#[test]
fn draws_without_weight_are_allowed_and_what_is_not_finite_is_refused() {
    let mut ratios = log_ratios();
    ratios[5] = f64::NEG_INFINITY;
    assert_eq!(PsisWeights::new(&ratios).unwrap().weights()[5], 0.0);
    for bad in [f64::NAN, f64::INFINITY] {
        ratios[5] = bad;
        assert!(matches!(PsisWeights::new(&ratios), Err(DiagnosticError::NotFinite { draw: 5, .. })));
    }
    assert_eq!(PsisWeights::new(&[f64::NEG_INFINITY; 30]), Err(DiagnosticError::NoWeight));
    for draws in [0, 1, 24] {
        assert!(matches!(PsisWeights::new(&vec![0.0; draws]), Err(DiagnosticError::TooFewDraws { least: 25, .. })));
        assert!(pareto_k(&vec![0.0; draws]).is_nan());
    }
}

#[test]
fn the_threshold_and_the_draws_that_are_needed_undo_each_other() {
    for draws in [50, 100, 400, 2000] {
        assert!((draws_needed(pareto_k_threshold(draws)) - draws as f64).abs() < 1e-6 * draws as f64);
    }
}

#[test]
fn resampling_gives_each_draw_its_share_rounded_up_or_down_and_on_average_exactly() {
    let weights = PsisWeights::new(&log_ratios()).unwrap();
    let (count, seeds) = (1000, 400);
    let mut totals = vec![0.0; 400];
    for seed in 0..seeds {
        let mut own = vec![0.0; 400];
        weights.resample(count, seed).into_iter().for_each(|draw| own[draw] += 1.0);
        for ((own, weight), total) in own.iter().zip(weights.weights()).zip(&mut totals) {
            assert!((own - 1000.0 * weight).abs() < 1.0 + 1e-9, "{own} {weight}");
            *total += own;
        }
    }
    // The standard error of an average is at most 0.5 / sqrt(400); 400 averages stay within 4.5 of them.
    for (total, weight) in totals.iter().zip(weights.weights()) {
        assert!((total / 400.0 - 1000.0 * weight).abs() < 4.5 * 0.025);
    }
    assert_eq!(weights.resample(10, 3), weights.resample(10, 3));
    assert!(weights.resample(0, 3).is_empty());
}

#[test]
fn heavy_values_make_an_expectation_worse_than_its_weights() {
    let expectation = |column: &[f64], ratios: &[f64]| PsisWeights::new(ratios)?.expectation_pareto_k(column, ratios);
    // Quantiles of a Pareto distribution of shape 0.9 under equal weights: the tail is that of the values.
    let values: Vec<f64> = pareto(0.9, 4000).iter().map(|x| x.exp()).collect();
    let found = expectation(&values, &vec![0.0; 4000]).unwrap();
    assert!((found - 0.9).abs() < 0.06, "{found}");
    let mirrored: Vec<f64> = values.iter().map(|x| 7.0 - x).collect();
    let same = expectation(&mirrored, &vec![0.0; 4000]).unwrap();
    assert!((found - same).abs() < 1e-9);
    // A constant has the shape of the weights.
    let constant = expectation(&[3.0; 400], &log_ratios()).unwrap();
    assert!((constant - pareto_k(&log_ratios())).abs() < 1e-9);
}

#[test]
fn the_largest_weights_become_quantiles_and_the_others_keep_their_ratios() {
    // A Pareto tail of shape 0.6, shuffled.
    let n = 1000_u32;
    let ratios: Vec<f64> = (0..n).map(|i| -0.6 * (1.0 - (f64::from(i * 377 % n) + 0.5) / f64::from(n)).ln()).collect();
    let smoothed = PsisWeights::new(&ratios).unwrap();
    assert!((smoothed.pareto_k - 0.6).abs() < 0.1, "{}", smoothed.pareto_k);
    assert!((smoothed.weights().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let (a, b) = (0, 500);
    assert!(ratios[a] < 1.0 && ratios[b] < 1.0);
    assert!(((smoothed.log_weights[a] - smoothed.log_weights[b]) - (ratios[a] - ratios[b])).abs() < 1e-12);
    // The tail is that of the same distribution, so that its quantiles are near the ratios themselves.
    let at = ratios.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
    let lost = (smoothed.log_weights[at] - smoothed.log_weights[a]) - (ratios[at] - ratios[a]);
    assert!(lost <= 1e-12 && lost > -0.3, "{lost}");
}

/// Shapes and log weights of `ArviZ` 0.23.4 (`arviz.psislw`) for the same ratios, a light and a heavy tail.
#[test]
fn light_and_heavy_tails_are_those_of_arviz() {
    let n = 400_u32;
    let ratios = |light: bool| -> Vec<f64> {
        (0..n)
            .map(|i| {
                let (wave, share) = ((1.0 + 1.7 * f64::from(i)).sin(), (f64::from(i * 37 % n) + 0.5) / f64::from(n));
                if light { 1.5 * wave + 0.8 * (3.0 * share).ln_1p() } else { -0.8 * (-share).ln_1p() + 0.2 * wave }
            })
            .collect()
    };
    let arviz = [
        (
            true,
            -0.41421037612619427,
            [-5.955240716425622, -6.381102831186125, -7.91731106180296, -4.985329996989228, -5.1936033017975065],
        ),
        (
            false,
            0.7708515693754907,
            [-7.169992211224698, -7.175058999410231, -6.856802639532834, -6.5846461384071935, -5.328940884368412],
        ),
    ];
    for (light, k, expected) in arviz {
        let smoothed = PsisWeights::new(&ratios(light)).unwrap();
        assert!((smoothed.pareto_k - k).abs() < 1e-9, "{} {k}", smoothed.pareto_k);
        for (at, expected) in [0, 1, 17, 200, 399].into_iter().zip(expected) {
            assert!((smoothed.log_weights[at] - expected).abs() < 1e-9, "{at}: {} {expected}", smoothed.log_weights[at]);
        }
    }
}

#[test]
fn resampling_takes_a_draw_as_often_as_its_weight_says() {
    let log_weights = [0.5_f64, 0.25, 0.125, 0.125].map(f64::ln).to_vec();
    let weights = PsisWeights { log_weights, pareto_k: 0.1, effective_sample_size: 2.9 };
    for seed in 0..20 {
        assert_eq!(weights.resample(8, seed), [0, 0, 0, 0, 1, 1, 2, 3]);
        assert_eq!(weights.resample(3, seed).len(), 3);
    }
}

#[test]
fn a_weighted_mean_is_that_of_the_target() {
    // Draws of Normal(0, 1), target Normal(0.5, 1): log ratio 0.5 x - 1/8.
    let mut x = vec![0.0_f64; 4096];
    crate::random::antithetic_normals(3, 4096, &mut x);
    let weights = PsisWeights::new(&x.iter().map(|x| 0.5 * x - 0.125).collect::<Vec<_>>()).unwrap();
    let mean = weights.mean(&x).unwrap();
    assert!((mean - 0.5).abs() < 0.06, "{mean}");
}
