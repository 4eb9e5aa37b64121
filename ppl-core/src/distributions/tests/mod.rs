//! Laws over the registry: a distribution is tested by being listed.

mod facts;
mod made;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::reference::REFERENCE;
use super::reference_truncated::TRUNCATED;
use super::{Bound, Cauchy, Entry, Normal, Parameter, Parts, REGISTRY, Sampler, ScalarSampler, StudentT, Support, Truncated};
use crate::kernel::Lanes;

fn entry(name: &str) -> &'static Entry {
    REGISTRY.iter().find(|entry| entry.name == name).expect("the reference is of the catalogue")
}

#[test]
fn densities_are_those_of_the_reference() {
    for &(name, params, value, expected) in REFERENCE {
        let known = entry(name);
        let parts = known.parts.expect("the reference is of numbers");
        let found = known.sampler.log_prob(&[value], params);
        assert!(
            (found - expected).abs() < 1e-12 * digits(parts, params, value, expected),
            "{name}{params:?} at {value}: {found}, expected {expected}, off by {:e}",
            found - expected
        );
        let single = f64::from(parts.single(value, params));
        // In single precision the value and the parameters are rounded too, which moves the density along its derivatives.
        let (_, kernel) = parts.kernel(value, params);
        let (_, normalizer) = parts.normalizer(params);
        let moved: f64 = params.iter().enumerate().map(|(i, param)| (param * (kernel[i + 1] - normalizer[i])).abs()).sum();
        let moved = moved + (value * (kernel[0] + parts.base(value).1)).abs();
        assert!(
            (single - expected).abs() < 1e-6 * (moved + digits(parts, params, value, expected)),
            "{name}{params:?} at {value}: {single} in single precision, expected {expected}"
        );
    }
}

/// The size of the largest part of a log density: the parts are added, and its digits are theirs. Normalizers are differences of logarithms of gamma functions.
fn digits(parts: &dyn Parts, params: &[f64], value: f64, whole: f64) -> f64 {
    let gammas = params.iter().map(|param| Lanes::lgamma(1.0 + param.abs())).fold(0.0, f64::max);
    [1.0, whole, gammas, parts.base(value).0, parts.kernel(value, params).0, parts.normalizer(params).0]
        .into_iter()
        .fold(0.0, |most: f64, part| most.max(part.abs()))
}

#[test]
fn truncated_densities_are_those_of_the_reference_also_in_the_tail() {
    for &(name, params, value, expected) in TRUNCATED {
        let sampler: &dyn Sampler = match name {
            "Normal" => &ScalarSampler::<Truncated<Normal>, 4>::NEW,
            "Cauchy" => &ScalarSampler::<Truncated<Cauchy>, 4>::NEW,
            _ => &ScalarSampler::<Truncated<StudentT>, 5>::NEW,
        };
        let found = sampler.log_prob(&[value], params);
        assert!(
            (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
            "{name}{params:?} at {value}: {found}, expected {expected}"
        );
    }
}

/// A step for a central difference of a number in a set, small beside the distance to its ends.
fn step(support: Support, x: f64) -> f64 {
    match support {
        Support::Positive => 1e-6 * x.abs(),
        Support::Unit => 1e-4 * x.min(1.0 - x),
        _ => 1e-6 * (1.0 + x.abs()),
    }
}

/// Compares the partials of the parts with central differences.
fn check_partials(sampler: &dyn Sampler, parts: &dyn Parts, params: &[f64], value: f64, support: Support, tolerance: f64) {
    let compare = |what: &str, found: f64, f: &dyn Fn(f64) -> f64, x: f64, support: Support| {
        if !x.is_finite() {
            return;
        }
        let h = step(support, x);
        let numeric = (f(x + h) - f(x - h)) / (2.0 * h);
        assert!(
            (found - numeric).abs() < tolerance * (1.0 + numeric.abs()),
            "{sampler:?}{params:?} at {value}, {what}: {found} {numeric}"
        );
    };
    let (_, kernel) = parts.kernel(value, params);
    if !matches!(support, Support::Binary | Support::Count | Support::CountUpTo | Support::Integer) {
        compare("d base", parts.base(value).1, &|x| parts.base(x).0, value, support);
        compare("d value", kernel[0], &|x| parts.kernel(x, params).0, value, support);
    }
    let (_, normalizer) = parts.normalizer(params);
    for i in 0..params.len() {
        let with = |x: f64| {
            let mut changed = params.to_vec();
            changed[i] = x;
            changed
        };
        let own = sampler.parameters().get(i).map_or(Support::Real, |parameter| parameter.support);
        if own != Support::Count {
            let what = format!("d kernel / d parameter {i}");
            compare(&what, kernel[i + 1], &|x| parts.kernel(value, &with(x)).0, params[i], own);
            let what = format!("d normalizer / d parameter {i}");
            compare(&what, normalizer[i], &|x| parts.normalizer(&with(x)).0, params[i], own);
        }
    }
}

#[test]
fn every_distribution_of_one_number_is_in_the_reference() {
    for known in REGISTRY.iter().filter(|known| known.parts.is_some() && !known.name.starts_with("Flat")) {
        assert!(REFERENCE.iter().any(|(name, ..)| *name == known.name), "{}", known.name);
    }
}

#[test]
fn partials_are_finite_differences() {
    for &(name, params, value, _) in REFERENCE {
        let known = entry(name);
        if let Some(parts) = known.parts {
            check_partials(known.sampler, parts, params, value, known.support, 4e-6);
        }
    }
    for &(name, params, value, _) in TRUNCATED {
        let (sampler, parts): (&dyn Sampler, &dyn Parts) = match name {
            "Normal" => (&ScalarSampler::<Truncated<Normal>, 4>::NEW, &ScalarSampler::<Truncated<Normal>, 4>::NEW),
            "Cauchy" => (&ScalarSampler::<Truncated<Cauchy>, 4>::NEW, &ScalarSampler::<Truncated<Cauchy>, 4>::NEW),
            _ => (&ScalarSampler::<Truncated<StudentT>, 5>::NEW, &ScalarSampler::<Truncated<StudentT>, 5>::NEW),
        };
        check_partials(sampler, parts, params, value, Support::Interval, 2e-5);
    }
}

#[test]
fn normalizers_read_only_the_parameters_that_the_catalogue_lists() {
    for &(name, params, ..) in REFERENCE {
        let known = entry(name);
        let Some(parts) = known.parts else { continue };
        let (value, partials) = parts.normalizer(params);
        for i in (0..params.len()).filter(|i| !known.normalizer.contains(i)) {
            let mut changed = params.to_vec();
            changed[i] *= 1.5;
            assert_eq!(parts.normalizer(&changed).0.to_bits(), value.to_bits(), "{name}, parameter {i}");
            assert_eq!(partials[i], 0.0, "{name}, parameter {i}");
        }
    }
}

#[test]
fn bases_are_zero_where_the_catalogue_says_so() {
    let without =
        ["Normal", "HalfNormal", "StudentT", "HalfStudentT", "Cauchy", "HalfCauchy", "Laplace", "Exponential", "Uniform"];
    for name in without {
        let parts = entry(name).parts.expect("a distribution of one number");
        assert_eq!(parts.base(0.7), (0.0, 0.0), "{name}");
    }
}

/// Bounds that are parameters may differ between the components of a mixture: what is impossible in one is possible in another.
#[test]
fn nothing_lies_beyond_bounds_that_are_parameters() {
    let mut seen = Vec::new();
    for &(name, params, ..) in REFERENCE {
        let known = entry(name);
        for (place, beyond) in known.bounds.into_iter().zip([-1.0, 1.0]) {
            let Bound::Parameter(place) = place else { continue };
            let log_prob = known.sampler.log_prob(&[params[place] + beyond], params);
            // What lies below a positive bound may lie outside the distribution for any.
            assert!(log_prob == f64::NEG_INFINITY || params[place] + beyond <= 0.0, "{name}{params:?}: {log_prob}");
            seen.push(name);
        }
    }
    seen.dedup();
    assert!(seen.len() >= 9, "{seen:?}");
}

#[test]
fn parameters_outside_their_supports_are_refused_by_name() {
    let mut rng = StdRng::seed_from_u64(1);
    for known in REGISTRY {
        for (i, parameter) in known.sampler.parameters().iter().enumerate() {
            if parameter.support != Support::Positive || known.parts.is_none() {
                continue;
            }
            let legal = |parameter: &Parameter| if parameter.support == Support::Count { 9.0 } else { 0.5 };
            let mut params: Vec<f64> = known.sampler.parameters().iter().map(legal).collect();
            params[i] = -1.0;
            let error = known.sampler.sample(&params, &mut rng, &mut [0.0]).expect_err("a negative scale");
            assert!(error.to_string().contains(parameter.name), "{error}");
        }
    }
    let flat = entry("Flat").sampler.sample(&[], &mut rng, &mut [0.0]).expect_err("a flat prior has no draws");
    assert!(flat.to_string().contains("Flat"));
}

#[test]
fn truncated_draws_lie_between_their_bounds_and_have_the_right_mean() {
    let mut rng = StdRng::seed_from_u64(3);
    let sampler = ScalarSampler::<Truncated<Normal>, 4>::NEW;
    let mut sum = 0.0;
    for _ in 0..4000 {
        let mut value = [0.0];
        sampler.sample(&[0.0, 1.0, 0.0, f64::INFINITY], &mut rng, &mut value).expect("legal");
        assert!(value[0] >= 0.0);
        sum += value[0];
    }
    // The mean of the half normal is sqrt(2 / pi); the standard error here is 0.0095.
    assert!((sum / 4000.0 - 0.797_884_56).abs() < 0.04);
}

#[test]
fn counts_of_every_rate_are_drawn_as_often_as_the_density_says() {
    const DRAWS: f64 = 200_000.0;
    let known = entry("PoissonRate").sampler;
    // Among them that from which on another way of drawing is taken.
    for rate in [0.4_f64, 11.9, 12.0, 17.3, 50.0, 1234.5, 1e5] {
        let mut draws = vec![0.0; 200_000];
        known.sample(&[rate], &mut StdRng::seed_from_u64(29), &mut draws).expect("a legal rate");
        draws.sort_by(f64::total_cmp);
        // Pearson's statistic, of groups of counts of which some hundred draws are expected.
        let (mut statistic, mut groups, mut expected, mut begin, mut rest) = (0.0, 0.0_f64, 0.0, 0, DRAWS);
        let mut count = 0.0;
        while rest > 100.0 {
            expected += DRAWS * known.log_prob(&[count], &[rate]).exp();
            count += 1.0;
            if expected > 100.0 {
                let end = draws.partition_point(|&draw| draw < count);
                statistic += ((end - begin) as f64 - expected).powi(2) / expected;
                (groups, rest, expected, begin) = (groups + 1.0, rest - expected, 0.0, end);
            }
        }
        // The last group is all the others.
        statistic += ((draws.len() - begin) as f64 - rest).powi(2) / rest.max(1.0);
        // Five standard deviations and what such statistics are skewed by: a level of one in a million or so.
        assert!(statistic < groups + 5.0 * (2.0 * groups).sqrt() + 10.0, "{rate}: {statistic} of {groups} groups");
    }
    // Counts of large rates are all but normal: mean and variance, at five standard errors.
    for rate in [1e6, 1e12] {
        let mut draws = vec![0.0; 200_000];
        known.sample(&[rate], &mut StdRng::seed_from_u64(31), &mut draws).expect("a legal rate");
        let mean = draws.iter().sum::<f64>() / DRAWS;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / DRAWS;
        assert!((mean - rate).abs() < 5.0 * (rate / DRAWS).sqrt(), "{rate}: mean {mean}");
        assert!((variance / rate - 1.0).abs() < 5.0 * (2.0 / DRAWS).sqrt(), "{rate}: variance {variance}");
    }
}

#[test]
fn vectors_have_the_densities_of_their_formulas() {
    // scipy.stats.dirichlet.logpdf([0.2, 0.3, 0.5], [1.5, 2.0, 0.7]) by the formula with mpmath's loggamma.
    let dirichlet = entry("Dirichlet").sampler.log_prob(&[0.2, 0.3, 0.5], &[1.5, 2.0, 0.7]);
    let lgamma = crate::kernel::Lanes::lgamma;
    let by_hand = 0.5 * 0.2_f64.ln() + 0.3_f64.ln() - 0.3 * 0.5_f64.ln() + lgamma(4.2) - lgamma(1.5) - lgamma(2.0) - lgamma(0.7);
    assert!((dirichlet - by_hand).abs() < 1e-13);
    assert!((entry("CategoricalProbs").sampler.log_prob(&[1.0], &[0.2, 0.8]) - 0.8_f64.ln()).abs() < 1e-15);
    let logits = entry("CategoricalLogits").sampler.log_prob(&[2.0], &[1.0, 2.0, 3.0]);
    assert!((logits - (3.0 - (1.0_f64.exp() + 2.0_f64.exp() + 3.0_f64.exp()).ln())).abs() < 1e-14);
}

#[test]
fn a_parameter_outside_its_support_is_never_a_number() {
    let mut wrong = Vec::new();
    for &(name, params, value, _) in REFERENCE {
        let known = entry(name);
        for (i, parameter) in known.sampler.parameters().iter().enumerate() {
            let outside: &[f64] = match parameter.support {
                Support::Positive => &[-1e-3, -0.5, -1.5, -2.5, -7.25, -30.5],
                Support::Unit => &[-0.25, 1.25, -3.5],
                _ => continue,
            };
            for &bad in outside {
                let mut params = params.to_vec();
                if let Some(param) = params.get_mut(i) {
                    *param = bad;
                }
                let found = known.sampler.log_prob(&[value], &params);
                if found.is_finite() {
                    wrong.push(format!("{name}{params:?} at {value}: {found}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
