//! Distributions that are made of others: truncated, censored, zero-inflated, transformed ones and mixtures.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::check_partials;
use crate::distributions::{
    ByExp, BySigmoid, BySoftplus, Censored, Cumulative, Exponential, Gamma, LogNormal, LogitNormal, Mixed, NegativeBinomial,
    Normal, Parts, PoissonRate, Quantiles, Sampler, ScalarSampler, StudentT, Support, Transformed, Truncated, Univariate,
    ZeroInflated, cdf, log_prob,
};

const INFINITY: f64 = f64::INFINITY;

/// Compares the derivatives with differences.
fn check<D: Univariate<P>, const P: usize>(params: [f64; P], value: f64, support: Support) {
    let all = &ScalarSampler::<D, P>::NEW;
    check_partials(all as &dyn Sampler, all as &dyn Parts, &params, value, support, 2e-5);
}

/// Compares the derivatives of the log density of a count in some parameters with differences.
fn check_counts<D: Univariate<P>, const P: usize>(params: [f64; P], value: f64, moved: usize) {
    let all = &ScalarSampler::<D, P>::NEW;
    let (kernel, normalizer) = (all.kernel(value, &params).1, all.normalizer(&params).1);
    for i in 0..moved {
        let h = 1e-6 * params[i];
        let at = |theta: f64| {
            let mut changed = params;
            changed[i] = theta;
            log_prob::<D, P>(value, changed)
        };
        let (found, numeric) = (kernel[i + 1] - normalizer[i], (at(params[i] + h) - at(params[i] - h)) / (2.0 * h));
        assert!((found - numeric).abs() < 1e-6 * (1.0 + numeric.abs()), "{all:?}{params:?} at {value}, {i}: {found} {numeric}");
    }
    for i in moved..P {
        assert!(kernel[i + 1] == 0.0 && normalizer[i] == 0.0, "{all:?}, {i}");
    }
}

/// Compares tails with sums of densities, and velocities with differences, at some numbers.
fn check_tails<D: Cumulative<P>, const P: usize>(params: [f64; P], values: &[f64], discrete: bool, moved: &[usize]) {
    let all = &ScalarSampler::<D, P>::NEW;
    for &x in values {
        let (ln_below, ln_above, velocity) = all.tails(x, &params);
        assert!((ln_below.exp() + ln_above.exp() - 1.0).abs() < 1e-12, "{all:?} at {x}");
        let h = 1e-6;
        if !discrete {
            let numeric = (cdf::<D, P>(x + h, params) - cdf::<D, P>(x - h, params)) / (2.0 * h);
            assert!((numeric - log_prob::<D, P>(x, params).exp()).abs() < 1e-6 * (1.0 + numeric), "{all:?} at {x}: {numeric}");
        }
        for &i in moved {
            let at = |theta: f64| {
                let mut changed = params;
                changed[i] = theta;
                cdf::<D, P>(x, changed)
            };
            let numeric = -(at(params[i] + h) - at(params[i] - h)) / (2.0 * h) / log_prob::<D, P>(x, params).exp();
            assert!(
                (velocity[i] - numeric).abs() < 1e-5 * (1.0 + numeric.abs()),
                "{all:?} at {x}, {i}: {} {numeric}",
                velocity[i]
            );
        }
    }
}

fn draws(sampler: &dyn Sampler, params: &[f64], count: usize) -> Vec<f64> {
    let mut all = vec![0.0; count];
    sampler.sample(params, &mut StdRng::seed_from_u64(5), &mut all).expect("legal parameters");
    all
}

/// Kolmogorov's statistic of draws, at a level of one in a million.
fn check_draws<D: Cumulative<P>, const P: usize>(params: [f64; P]) {
    let mut sorted = draws(&ScalarSampler::<D, P>::NEW, &params, 4000);
    sorted.sort_by(f64::total_cmp);
    let mut largest = 0.0_f64;
    for (i, &x) in sorted.iter().enumerate() {
        // Of equal draws the last one.
        if sorted.get(i + 1).is_none_or(|&next| next > x) {
            largest = largest.max((cdf::<D, P>(x, params) - (i + 1) as f64 / 4000.0).abs());
        }
    }
    assert!(largest * 4000.0_f64.sqrt() < 2.7, "{:?}{params:?}: {largest}", ScalarSampler::<D, P>::NEW);
}

#[test]
fn any_distribution_with_a_distribution_function_is_truncated() {
    // P(1 < x < 3) of an exponential of rate 0.5
    let mass = (-0.5_f64).exp() - (-1.5_f64).exp();
    let found = log_prob::<Truncated<Exponential>, 3>(2.0, [0.5, 1.0, 3.0]);
    let names = [0, 1, 2, 3].map(|place| ScalarSampler::<Truncated<Exponential>, 3>::NEW.parameter_name(place));
    assert_eq!(names, ["rate", "lower", "upper", "parameter 4"]);
    assert!((found - (0.5_f64.ln() - 1.0 - mass.ln())).abs() < 1e-13);
    for (lower, upper) in [(-1.0_f64, 3.0), (0.5, INFINITY), (2.0, 2.5), (30.0, 31.0)] {
        let inside = if upper == INFINITY { lower + 1.0 } else { 0.5 * (lower.max(0.0) + upper) };
        check::<Truncated<Gamma>, 4>([2.5, 1.3, lower, upper], inside, Support::Interval);
        check_draws::<Truncated<Gamma>, 4>([2.5, 1.3, lower, upper]);
    }
    check_tails::<Truncated<Gamma>, 4>([2.5, 1.3, 0.5, 4.0], &[0.6, 1.7, 3.9], false, &[0, 1, 2, 3]);
    check_tails::<Truncated<StudentT>, 5>([4.0, 0.3, 1.1, -1.0, 2.0], &[-0.9, 0.2, 1.9], false, &[0, 1, 2, 3, 4]);
    // Nothing is left of it.
    assert!(log_prob::<Truncated<Gamma>, 4>(1.0, [2.5, 1.3, 3.0, 2.0]).is_nan());
}

#[test]
fn truncated_counts_keep_their_bounds_and_sum_to_one() {
    type Cut = Truncated<PoissonRate>;
    for (lower, upper) in [(1.0, INFINITY), (0.0, 3.0), (2.0, 4.0), (-5.0, 2.0), (40.0, 44.0)] {
        let params = [3.1, lower, upper];
        let sum: f64 =
            (0..200_u8).map(f64::from).filter(|k| *k >= lower && *k <= upper).map(|k| log_prob::<Cut, 3>(k, params).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-11, "{lower} {upper}: {sum}");
        check_counts::<Cut, 3>(params, lower.max(0.0) + 1.0, 1);
        check_draws::<Cut, 3>(params);
    }
    check_tails::<Cut, 3>([3.1, 1.0, 6.0], &[1.0, 3.0, 5.0], true, &[0]);
}

#[test]
fn censored_numbers_have_the_probability_of_their_tail() {
    type Cut = Censored<Normal>;
    let params = [0.3, 1.7, -1.0, 2.0];
    assert!((log_prob::<Cut, 4>(-1.0, params) - cdf::<Normal, 2>(-1.0, [0.3, 1.7]).ln()).abs() < 1e-13);
    assert!((log_prob::<Cut, 4>(2.0, params) - (1.0 - cdf::<Normal, 2>(2.0, [0.3, 1.7])).ln()).abs() < 1e-13);
    assert!((log_prob::<Cut, 4>(0.5, params) - log_prob::<Normal, 2>(0.5, [0.3, 1.7])).abs() < 1e-15);
    let all = &ScalarSampler::<Cut, 4>::NEW;
    for value in [-1.0, 0.5, 2.0] {
        let (_, partials) = all.kernel(value, &params);
        for i in 0..2 {
            let at = |theta: f64| {
                let mut changed = params;
                changed[i] = theta;
                log_prob::<Cut, 4>(value, changed)
            };
            let numeric = (at(params[i] + 1e-6) - at(params[i] - 1e-6)) / 2e-6;
            assert!((partials[i + 1] - numeric).abs() < 1e-8, "at {value}, {i}");
        }
        assert!(partials[3] == 0.0 && partials[4] == 0.0);
    }
    // 40 scales out, the probability is e^-804, and its derivative finite.
    let (far, partials) = all.kernel(40.0, &[0.0, 1.0, -INFINITY, 40.0]);
    assert!((far + 804.608_442_013_754).abs() < 1e-6 && (partials[1] - 40.024_968_847).abs() < 1e-6, "{far} {partials:?}");
    let drawn = draws(all, &params, 4000);
    let share = drawn.iter().filter(|&&x| x == 2.0).count() as f64 / 4000.0;
    assert!((share - (1.0 - cdf::<Normal, 2>(2.0, [0.3, 1.7]))).abs() < 0.03 && drawn.iter().all(|x| (-1.0..=2.0).contains(x)));
}

#[test]
fn censored_counts_sum_to_one() {
    let params = [2.5, 1.0, 4.0];
    let sum: f64 = (1..=4_u8).map(|k| log_prob::<Censored<PoissonRate>, 3>(f64::from(k), params).exp()).sum();
    assert!((sum - 1.0).abs() < 1e-13, "{sum}");
    for value in [1.0, 2.0, 4.0] {
        check_counts::<Censored<PoissonRate>, 3>(params, value, 1);
    }
}

#[test]
fn zero_inflated_counts_sum_to_one_and_have_their_moments() {
    type Inflated = ZeroInflated<NegativeBinomial>;
    let params = [3.1, 1.5, 0.35];
    let all: Vec<f64> = (0..2000_u16).map(|k| log_prob::<Inflated, 3>(f64::from(k), params).exp()).collect();
    let moment = |power: i32| -> f64 { all.iter().enumerate().map(|(k, p)| p * (k as f64).powi(power)).sum() };
    assert!((moment(0) - 1.0).abs() < 1e-12);
    let mean = Inflated::mean(params).expect("the mean of counts");
    assert!((mean - moment(1)).abs() < 1e-9);
    assert!((Inflated::variance(params).expect("their variance") - (moment(2) - mean * mean)).abs() < 1e-8);
    for value in [0.0, 1.0, 7.0] {
        check_counts::<Inflated, 3>(params, value, 3);
        check_counts::<ZeroInflated<PoissonRate>, 2>([60.0, 1e-3], value, 2);
    }
    // A count without any of its own, and a gate that is closed or open.
    assert!((log_prob::<ZeroInflated<PoissonRate>, 2>(0.0, [2.0, 0.0]) + 2.0).abs() < 1e-14);
    assert_eq!(log_prob::<ZeroInflated<PoissonRate>, 2>(0.0, [2.0, 1.0]), 0.0);
    let drawn = draws(&ScalarSampler::<Inflated, 3>::NEW, &params, 8000);
    let (average, zeros) = (drawn.iter().sum::<f64>() / 8000.0, drawn.iter().filter(|&&x| x == 0.0).count() as f64 / 8000.0);
    assert!((average - mean).abs() < 0.2 && (zeros - all[0]).abs() < 0.03, "{average} {zeros}");
}

#[test]
fn transformed_numbers_have_the_densities_of_their_names() {
    for y in [0.01, 0.3, 0.97] {
        let pairs = [
            (log_prob::<Transformed<Normal, ByExp>, 2>(y, [0.3, 1.7]), log_prob::<LogNormal, 2>(y, [0.3, 1.7])),
            (log_prob::<Transformed<Normal, BySigmoid>, 2>(y, [0.3, 1.7]), log_prob::<LogitNormal, 2>(y, [0.3, 1.7])),
        ];
        for (found, expected) in pairs {
            assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "at {y}: {found} {expected}");
        }
        check::<Transformed<StudentT, BySoftplus>, 3>([4.0, 0.3, 1.1], y, Support::Positive);
        check::<Transformed<StudentT, ByExp>, 3>([4.0, 0.3, 1.1], y, Support::Positive);
        check::<Transformed<StudentT, BySigmoid>, 3>([4.0, 0.3, 1.1], y, Support::Unit);
    }
    check_tails::<Transformed<StudentT, BySoftplus>, 3>([4.0, 0.3, 1.1], &[0.1, 0.8, 3.0], false, &[0, 1, 2]);
    check_draws::<Transformed<StudentT, BySoftplus>, 3>([4.0, 0.3, 1.1]);
}

#[test]
fn mixtures_keep_the_digits_of_a_component_that_dominates() {
    let mixed = Mixed::Each(&ScalarSampler::<Normal, 2>::NEW);
    let params = [0.3, 0.7, -2.0, 0.5, 1.0, 1.5];
    let density = |x: f64| 0.3 * log_prob::<Normal, 2>(x, [-2.0, 0.5]).exp() + 0.7 * log_prob::<Normal, 2>(x, [1.0, 1.5]).exp();
    for x in [-3.0, 0.0, 4.0] {
        assert!((mixed.log_prob(&[x], &params) - density(x).ln()).abs() < 1e-13);
    }
    // Both densities underflow here.
    let far = mixed.log_prob(&[100.0], &params);
    assert!((far - (0.7_f64.ln() + log_prob::<Normal, 2>(100.0, [1.0, 1.5]))).abs() < 1e-9);
    let listed = [&ScalarSampler::<Normal, 2>::NEW as &dyn Sampler, &ScalarSampler::<Exponential, 1>::NEW];
    let unlike = Mixed::Listed(&listed);
    let own = [0.3, 0.7, -2.0, 0.5, 1.5];
    let expected =
        (0.3 * log_prob::<Normal, 2>(0.4, [-2.0, 0.5]).exp() + 0.7 * log_prob::<Exponential, 1>(0.4, [1.5]).exp()).ln();
    assert!((unlike.log_prob(&[0.4], &own) - expected).abs() < 1e-13);
    let mut mean = [0.0];
    assert!(unlike.mean(&own, &mut mean) && (mean[0] - (0.7 / 1.5 - 0.6)).abs() < 1e-15);
    let drawn = draws(&unlike, &own, 8000);
    assert!((drawn.iter().sum::<f64>() / 8000.0 - mean[0]).abs() < 0.07);
    assert!(mixed.mean(&params, &mut mean) && (mean[0] - 0.1).abs() < 1e-15);
    let drawn = draws(&mixed, &params, 8000);
    assert!((drawn.iter().sum::<f64>() / 8000.0 - 0.1).abs() < 0.11);
    let error =
        mixed.sample(&[-0.3, 1.3, 0.0, 1.0, 0.0, 1.0], &mut StdRng::seed_from_u64(1), &mut [0.0]).expect_err("a negative weight");
    assert!(error.to_string().contains("weights"), "{error}");
}

/// Mean, variance and entropy of a density between two ends, by the midpoint rule.
fn by_quadrature(ends: [f64; 2], ln: impl Fn(f64) -> f64) -> [f64; 3] {
    let (steps, width) = (200_000, ends[1] - ends[0]);
    let points = || (0..steps).map(|i| ends[0] + width * (f64::from(i) + 0.5) / f64::from(steps));
    let mean_of = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points().map(|x| (x, ln(x))).map(|(x, ln)| ln.exp() * of(x, ln)).sum::<f64>() * width / f64::from(steps)
    };
    let mean = mean_of(&|x, _| x);
    [mean, mean_of(&|x, _| (x - mean).powi(2)), mean_of(&|_, ln| -ln)]
}

#[test]
fn moments_of_truncated_and_mapped_normals_are_those_of_quadrature() {
    type Cut = Truncated<Normal>;
    type Mapped = Transformed<StudentT, ByExp>;
    for params in [
        [0.0, 1.0, -1.0, 2.0],
        [0.5, 2.0, 1.0, 1.5],
        [0.0, 1.0, 5.0, 8.0],
        [1.0, 0.7, f64::NEG_INFINITY, 0.2],
        [0.0, 1.0, -3.0, f64::INFINITY],
    ] {
        let ends = [params[2].max(params[0] - 12.0 * params[1]), params[3].min(params[0] + 12.0 * params[1])];
        let expected = by_quadrature(ends, |x| log_prob::<Cut, 4>(x, params));
        let found = [Cut::mean(params), Cut::variance(params), Cut::entropy(params)];
        for (found, expected) in found.into_iter().zip(expected) {
            let found = found.expect("there is a formula");
            assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{params:?}: {found} {expected}");
        }
        let mode = Cut::mode(params).expect("there is one");
        let highest = log_prob::<Cut, 4>(mode.clamp(ends[0] + 1e-12, ends[1] - 1e-12), params);
        assert!(
            (0..100)
                .all(|i| log_prob::<Cut, 4>(ends[0] + (ends[1] - ends[0]) * (f64::from(i) + 0.5) / 100.0, params)
                    <= highest + 1e-9)
        );
    }
    let params = [6.0, 0.3, 0.2];
    let [.., expected] = by_quadrature([1e-9, 60.0], |y| log_prob::<Mapped, 3>(y, params));
    let found = Mapped::entropy(params).expect("there is a formula");
    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
}
