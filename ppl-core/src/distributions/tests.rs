//! Laws over the registry: a distribution is tested by being listed.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::reference::{REFERENCE, TRUNCATED};
use super::{Cauchy, Entry, Normal, Parts, REGISTRY, Sampler, ScalarSampler, StudentT, Support, Truncated};

fn entry(name: &str) -> &'static Entry {
    REGISTRY.iter().find(|entry| entry.name == name).expect("the reference is of the catalogue")
}

#[test]
fn densities_are_those_of_the_reference() {
    for &(name, params, value, expected) in REFERENCE {
        let found = entry(name).sampler.log_prob(&[value], params);
        assert!(
            (found - expected).abs() < 1e-11 * (1.0 + expected.abs()),
            "{name}{params:?} at {value}: {found}, expected {expected}"
        );
    }
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

/// Compares the partials of the parts with central differences.
fn check_partials(name: &str, parts: &dyn Parts, params: &[f64], value: f64, discrete: bool, tolerance: f64) {
    let compare = |what: &str, found: f64, f: &dyn Fn(f64) -> f64, x: f64| {
        if !x.is_finite() {
            return;
        }
        let h = 1e-5 * (1.0 + x.abs()) * 0.1;
        let numeric = (f(x + h) - f(x - h)) / (2.0 * h);
        assert!(
            (found - numeric).abs() < tolerance * (1.0 + numeric.abs()),
            "{name}{params:?} at {value}, {what}: {found} {numeric}"
        );
    };
    let (_, kernel) = parts.kernel(value, params);
    if !discrete {
        compare("d base", parts.base(value).1, &|x| parts.base(x).0, value);
        compare("d value", kernel[0], &|x| parts.kernel(x, params).0, value);
    }
    let (_, normalizer) = parts.normalizer(params);
    for i in 0..params.len() {
        let with = |x: f64| {
            let mut changed = params.to_vec();
            changed[i] = x;
            changed
        };
        if !(discrete && name.starts_with("Binomial") && i == 0) {
            compare(&format!("d kernel / d parameter {i}"), kernel[i + 1], &|x| parts.kernel(value, &with(x)).0, params[i]);
            compare(&format!("d normalizer / d parameter {i}"), normalizer[i], &|x| parts.normalizer(&with(x)).0, params[i]);
        }
    }
}

#[test]
fn partials_are_finite_differences() {
    for &(name, params, value, _) in REFERENCE {
        let known = entry(name);
        let discrete = matches!(known.support, Support::Binary | Support::Count | Support::CountUpTo);
        if let Some(parts) = known.parts {
            check_partials(name, parts, params, value, discrete, 2e-6);
        }
    }
    for &(name, params, value, _) in TRUNCATED {
        let parts: &dyn Parts = match name {
            "Normal" => &ScalarSampler::<Truncated<Normal>, 4>::NEW,
            "Cauchy" => &ScalarSampler::<Truncated<Cauchy>, 4>::NEW,
            _ => &ScalarSampler::<Truncated<StudentT>, 5>::NEW,
        };
        check_partials(name, parts, params, value, false, 2e-5);
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

/// The share of draws below each of some points, against the density summed or integrated numerically.
#[test]
fn draws_have_the_distribution_of_the_density() {
    let mut rng = StdRng::seed_from_u64(11);
    let mut seen: Vec<&str> = Vec::new();
    for &(name, params, ..) in REFERENCE {
        let known = entry(name);
        let key = name;
        if seen.iter().filter(|n| **n == key).count() > 0 && params.len() > 2 {
            continue;
        }
        seen.push(key);
        let draws: Vec<f64> = (0..20_000)
            .map(|_| {
                let mut value = [0.0];
                known.sampler.sample(params, &mut rng, &mut value).expect("the parameters are legal");
                value[0]
            })
            .collect();
        let mut sorted = draws.clone();
        sorted.sort_by(f64::total_cmp);
        let discrete = matches!(known.support, Support::Binary | Support::Count | Support::CountUpTo);
        for share in [0.1, 0.5, 0.9] {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let point = sorted[(share * 20_000.0) as usize];
            let (low, high) = (sorted[200], point);
            let expected = if discrete {
                let mut total = 0.0;
                let mut k = 0.0;
                while k <= point {
                    total += known.sampler.log_prob(&[k], params).exp();
                    k += 1.0;
                }
                total
            } else {
                // Between the first percentile and the point, where every density here is smooth enough for Simpson's rule.
                // Positive numbers are integrated over their logarithms, where a pole at zero is flat.
                let n = 2000;
                let logs = low > 0.0 && (known.support == Support::Positive || name == "Beta" && params[0] < 1.0);
                let (from, to) = if logs { (low.ln(), high.ln()) } else { (low, high) };
                let h = (to - from) / f64::from(n);
                (0..=n)
                    .map(|i| {
                        let weight = if i == 0 || i == n {
                            1.0
                        } else if i % 2 == 1 {
                            4.0
                        } else {
                            2.0
                        };
                        let at = from + h * f64::from(i);
                        let (x, slope) = if logs { (at.exp(), at.exp()) } else { (at, 1.0) };
                        weight * slope * known.sampler.log_prob(&[x], params).exp()
                    })
                    .sum::<f64>()
                    * h
                    / 3.0
            };
            let found = if discrete {
                draws.iter().filter(|x| **x <= point).count() as f64 / 20_000.0
            } else {
                draws.iter().filter(|x| **x > low && **x <= high).count() as f64 / 20_000.0
            };
            // Five standard errors.
            assert!((found - expected).abs() < 5.0 * 0.5 / 20_000.0_f64.sqrt(), "{name}{params:?}: {found} of {expected}");
        }
    }
}

#[test]
fn parameters_outside_their_supports_are_refused_by_name() {
    let mut rng = StdRng::seed_from_u64(1);
    for known in REGISTRY {
        for (i, parameter) in known.sampler.parameters().iter().enumerate() {
            if parameter.support != Support::Positive || known.parts.is_none() {
                continue;
            }
            let mut params = vec![0.5; known.sampler.parameters().len()];
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
