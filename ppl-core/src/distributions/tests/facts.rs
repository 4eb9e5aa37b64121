//! What is told of distributions beside their densities, against quadrature of the densities and against draws.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::entry;
use crate::distributions::reference::REFERENCE;
use crate::distributions::reference_tails::TAILS;
use crate::distributions::{
    Bound, CategoricalLogits, CategoricalProbs, Cauchy, Dirichlet, Flat, FlatPositive, HalfCauchy, HalfStudentT, InverseGamma,
    REGISTRY, Sampler, ScalarSampler, StudentT, Support, Truncated, VectorSampler,
};

/// Each distribution with each of its parameters in the reference.
fn cases() -> Vec<(&'static str, &'static [f64])> {
    let mut all: Vec<(&str, &[f64])> = Vec::new();
    for &(name, params, ..) in REFERENCE {
        // A fifth of it lies below the smallest double.
        let underflows = (name, params) == ("Gamma", &[0.01, 1.0]);
        if !underflows && !all.contains(&(name, params)) {
            all.push((name, params));
        }
    }
    all
}

fn draws(sampler: &dyn Sampler, params: &[f64], count: usize) -> Vec<f64> {
    let mut rng = StdRng::seed_from_u64(11);
    let mut all = vec![0.0; count];
    sampler.sample(params, &mut rng, &mut all).expect("the parameters are legal");
    all.sort_by(f64::total_cmp);
    all
}

/// A distribution as weighted points: a rule of quadrature times the density.
struct Points {
    /// Values, log densities, weights that include the density.
    all: Vec<(f64, f64, f64)>,
    discrete: bool,
}

impl Points {
    /// By the trapezoidal rule after a double exponential change of variable (Takahasi & Mori 1974), around the quartiles of draws; counts are summed.
    fn of(name: &str, params: &[f64]) -> Self {
        let known = entry(name);
        let log_prob = |x: f64| known.sampler.log_prob(&[x], params);
        let end = |bound| match bound {
            Bound::Infinite => None,
            Bound::Number(x) => Some(x),
            Bound::Parameter(place) => Some(params[place]),
        };
        let [lower, upper] = known.bounds.map(end);
        if let Some((first, last)) = match known.support {
            Support::Binary => Some((0, 1)),
            Support::CountUpTo => Some((0, 60)),
            Support::Count => Some((0, 3000)),
            Support::Integer => Some((-3000, 3000)),
            _ => None,
        } {
            // What lies outside the bounds may not be asked for.
            let within = |x: &f64| lower.is_none_or(|lower| lower <= *x) && upper.is_none_or(|upper| *x <= upper);
            let points = (first..=last).map(f64::from).filter(within).map(|x| (x, log_prob(x)));
            let all = points.map(|(x, ln)| (x, ln, ln.exp())).filter(|(.., weight)| *weight > 0.0).collect();
            return Points { all, discrete: true };
        }
        let sorted = draws(known.sampler, params, 2000);
        let (middle, width) = (sorted[1000], sorted[1500] - sorted[500]);
        let step = 1.0 / 1024.0;
        let mut all = Vec::new();
        for i in -5000..=5000 {
            let t = f64::from(i) * step;
            let (inner, d_inner) = (0.5 * std::f64::consts::PI * t.sinh(), 0.5 * std::f64::consts::PI * t.cosh());
            let (x, slope) = match (known.support, lower, upper) {
                (Support::Positive, ..) => (middle * inner.exp(), middle * inner.exp() * d_inner),
                (_, Some(lower), None) => {
                    let above = (middle - lower) * inner.exp();
                    (lower + above, above * d_inner)
                }
                (Support::Unit, ..) | (_, Some(_), Some(_)) => {
                    let (lower, upper) = (lower.unwrap_or(0.0), upper.unwrap_or(1.0));
                    let share = 1.0 / (1.0 + (-2.0 * inner).exp());
                    let width = upper - lower;
                    (lower + width * share, width * share * (1.0 - share) * 2.0 * d_inner)
                }
                // A kink of the density is a node.
                _ => {
                    let center = known.sampler.mode(params).unwrap_or(middle);
                    (center + width * inner.sinh(), width * inner.cosh() * d_inner)
                }
            };
            let ln = log_prob(x);
            let weight = step * slope * ln.exp();
            if weight.is_finite() && weight > 0.0 {
                all.push((x, ln, weight));
            }
        }
        Points { all, discrete: false }
    }

    fn mean(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        self.all.iter().map(|&(x, ln, weight)| weight * of(x, ln)).sum()
    }
}

/// That a formula agrees with quadrature.
fn agrees(what: &str, name: &str, params: &[f64], found: Option<f64>, expected: f64) {
    if let Some(found) = found {
        assert!(
            (found - expected).abs() < 2e-5 * (1.0 + expected.abs()),
            "the {what} of {name}{params:?} is {found}, but {expected} by quadrature"
        );
    }
}

#[test]
fn facts_are_those_of_quadrature() {
    for (name, params) in cases() {
        let (sampler, points) = (entry(name).sampler, Points::of(name, params));
        agrees("mass", name, params, Some(1.0), points.mean(|_, _| 1.0));
        let mut mean = [0.0];
        let mean = sampler.mean(params, &mut mean).then_some(mean[0]);
        let by_quadrature = points.mean(|x, _| x);
        agrees("mean", name, params, mean, by_quadrature);
        if let Some(variance) = sampler.variance(params) {
            // Where the fourth moment is large or infinite the tail is beyond the last points.
            let square = points.mean(|x, _| (x - by_quadrature).powi(2));
            agrees("variance", name, params, Some(variance), square);
        }
        agrees("entropy", name, params, sampler.entropy(params), points.mean(|_, ln| -ln));
        let other: Vec<f64> = params.iter().enumerate().map(|(i, x)| moved(name, i, *x)).collect();
        let divergence = sampler.divergence(params, &other);
        agrees("divergence", name, params, divergence, points.mean(|x, ln| ln - sampler.log_prob(&[x], &other)));
        agrees("divergence from itself", name, params, sampler.divergence(params, params), 0.0);
        let mut below = 0.0;
        for (index, &(x, _, weight)) in points.all.iter().enumerate() {
            // Up to a node, half of its own weight belongs to the numbers below it.
            below += if points.discrete { weight } else { 0.5 * weight };
            if index % (1 + points.all.len() / 50) == 0 {
                let known = entry(name).quantiles.expect("it is proper");
                agrees(&format!("cdf at {x}"), name, params, Some(known.cdf(x, params)), below);
            }
            below += if points.discrete { 0.0 } else { 0.5 * weight };
        }
    }
}

/// Another parameter of the same distribution.
fn moved(name: &str, index: usize, x: f64) -> f64 {
    match (name, index) {
        ("BinomialProb" | "BinomialLogit" | "BetaBinomial" | "NegativeBinomialProb", 0) => x,
        ("Uniform" | "LogUniform" | "Pareto", 0) => x - 0.5 * x.abs(),
        ("DiscreteUniform", 0) => (x - 1.0).max(0.0),
        ("DiscreteUniform" | "Erlang" | "Hypergeometric", _) if x.fract() == 0.0 => x + 1.0,
        ("BernoulliProb" | "BinomialProb" | "NegativeBinomialProb" | "Geometric", _) => 0.9 * x,
        _ => x + 0.2 * x.abs() + 0.01,
    }
}

#[test]
fn every_proper_distribution_of_one_number_has_a_distribution_function() {
    for known in REGISTRY.iter().filter(|known| known.parts.is_some()) {
        assert_eq!(known.quantiles.is_some(), !known.name.starts_with("Flat"), "{}", known.name);
    }
}

#[test]
fn quantiles_are_the_inverse_of_the_cdf() {
    for (name, params) in cases() {
        let (known, support) = (entry(name).quantiles.expect("it is proper"), entry(name).support);
        for probability in [1e-8, 0.003, 0.25, 0.5, 0.77, 0.999] {
            let x = known.quantile(probability, params);
            if is_discrete(support) {
                let (before, up_to) = (known.cdf(x - 1.0, params), known.cdf(x, params));
                assert!(
                    before < probability && probability <= up_to,
                    "{name}{params:?}: {before} {up_to} of {probability} at {x}"
                );
            } else {
                let back = known.cdf(x, params);
                assert!((back / probability - 1.0).abs() < 1e-7, "{name}{params:?}: {back} of {probability} at {x}");
            }
        }
        assert!(known.quantile(1.1, params).is_nan() && known.quantile(f64::NAN, params).is_nan(), "{name}");
        assert!((known.cdf(f64::INFINITY, params) - 1.0).abs() < 1e-15 && known.cdf(f64::NEG_INFINITY, params) == 0.0, "{name}");
    }
}

#[test]
fn distribution_functions_and_velocities_are_those_of_the_reference() {
    for &(name, params, x, below, above, velocities) in TAILS {
        let known = entry(name).quantiles.expect("it is proper");
        let (ln_below, ln_above, found) = known.tails(x, params);
        let close = |what: &str, found: f64, expected: f64, tolerance: f64| {
            assert!(
                (found - expected).abs() < tolerance * (1.0 + expected.abs()),
                "{name}{params:?} at {x}, {what}: {found}, expected {expected}"
            );
        };
        // The digits of the normalizer are lost where the parameters are large.
        let tolerance = 1e-12 * (1.0 + params.iter().fold(0.0, |most: f64, param| most.max(param.abs().sqrt())));
        close("ln below", ln_below, below, tolerance);
        close("ln above", ln_above, above, tolerance);
        for (found, &expected) in found.iter().zip(velocities) {
            close("velocity", *found, expected, 1e-10);
        }
        let single = known.single_tails(x, params);
        if below.min(above) > -60.0 && x.abs() > 1e-30 && x.abs() < 1e5 && params[0] < 1e4 {
            close("ln below in single precision", single.0, below, 2e-4);
            close("ln above in single precision", single.1, above, 2e-4);
        }
    }
}

/// Whether a support is one of whole numbers.
fn is_discrete(support: Support) -> bool {
    matches!(support, Support::Binary | Support::Count | Support::CountUpTo | Support::Integer)
}

/// A step for a difference in a parameter.
fn nearby(param: f64) -> f64 {
    1e-6 * if param == 0.0 { 1.0 } else { param.abs() }
}

/// The parameters with one of them changed.
fn with(params: &[f64], index: usize, value: f64) -> Vec<f64> {
    let mut changed = params.to_vec();
    changed[index] = value;
    changed
}

#[test]
fn velocities_are_the_derivatives_of_the_distribution_function() {
    for (name, params) in cases() {
        let known = entry(name).quantiles.expect("it is proper");
        let sampler = entry(name).sampler;
        let discrete = is_discrete(entry(name).support);
        let width = known.quantile(0.75, params) - known.quantile(0.25, params);
        for probability in [1e-6, 0.01, 0.2, 0.5, 0.8, 0.99, 0.999_999] {
            let x = known.quantile(probability, params);
            // A step in a parameter may pass a number that is near a bound.
            let near_bound = entry(name).support == Support::Interval && !(0.005..0.995).contains(&probability);
            if near_bound || !(sampler.log_prob(&[x], params).is_finite()) {
                continue;
            }
            let (ln_below, ln_above, velocity) = known.tails(x, params);
            assert!((ln_below.exp() + ln_above.exp() - 1.0).abs() < 1e-9, "{name}{params:?} at {x}: {ln_below} {ln_above}");
            let density = sampler.log_prob(&[x], params).exp();
            for i in 0..params.len() {
                if sampler.parameters()[i].support == Support::Count {
                    assert!(velocity[i] == 0.0, "{name}");
                    continue;
                }
                let h = nearby(params[i]);
                // Where the smaller tail is.
                let tail = |theta: f64| {
                    let (below, above, _) = known.tails(x, &with(params, i, theta));
                    if ln_below < ln_above { -below.exp() } else { above.exp() }
                };
                let numeric = (tail(params[i] + h) - tail(params[i] - h)) / (2.0 * h) / density;
                // Of an angle, whose distribution function is a difference, what is rounded is of the size of one.
                let size = if name == "VonMises" { 1.0 } else { tail(params[i]).abs() };
                let rounding = 1e-14 * size / (h * density);
                let scale = if discrete { 1.0 + numeric.abs() } else { numeric.abs() + 1e-3 * width };
                assert!(
                    (velocity[i] - numeric).abs() < 1e-5 * scale + rounding,
                    "{name}{params:?} at {x}, parameter {i}: {} {numeric}",
                    velocity[i]
                );
            }
        }
    }
}

/// Expectations whose derivatives are compared: the function, its derivative, and where it is defined.
type Expectation = (&'static str, fn(f64) -> f64, fn(f64) -> f64);

const EXPECTATIONS: [Expectation; 3] = [("x", |x| x, |_| 1.0), ("x^2", |x| x * x, |x| 2.0 * x), ("ln x", f64::ln, f64::recip)];

/// Whether the mean and the variance of a gradient exist: moments of heavy tails do not.
fn has_moments(name: &str, params: &[f64], of: &str) -> bool {
    let heaviness = match name {
        "Cauchy" | "HalfCauchy" => 1.0,
        "StudentT" | "HalfStudentT" | "Frechet" | "InverseGamma" => params[0],
        "InverseChiSquared" => 0.5 * params[0],
        "FisherSnedecor" => 0.5 * params[1],
        "BetaPrime" | "Pareto" => params[1],
        _ => f64::INFINITY,
    };
    match of {
        "x" => heaviness > 2.2,
        "x^2" => heaviness > 4.4,
        _ => true,
    }
}

/// Law 4: the gradient of an expectation by draws that move, and by the score function: mean and variance of each, by quadrature.
#[test]
fn moved_draws_have_the_derivatives_of_expectations() {
    let mut table = Vec::new();
    for (name, params) in cases() {
        let known = entry(name);
        let (Some(quantiles), parts) = (known.quantiles, known.parts.expect("of one number")) else { continue };
        if is_discrete(known.support) {
            continue;
        }
        let points = Points::of(name, params);
        let positive = points.all.iter().all(|&(x, ..)| x > 0.0);
        let velocities: Vec<Vec<f64>> = points.all.iter().map(|&(x, ..)| quantiles.tails(x, params).2).collect();
        for (of, value, slope) in EXPECTATIONS {
            if (of == "ln x" && !positive) || !has_moments(name, params, of) {
                continue;
            }
            for i in (0..params.len()).filter(|&i| known.sampler.parameters()[i].support != Support::Count) {
                let h = 1e-4 * if params[i] == 0.0 { 1.0 } else { params[i].abs() };
                // The expectation with one parameter changed: by the same points, with their quantiles moved.
                let expected = |theta: f64| {
                    let moved = with(params, i, theta);
                    Points::of(name, &moved).mean(|x, _| value(x))
                };
                let exact = (expected(params[i] + h) - expected(params[i] - h)) / (2.0 * h);
                let pathwise = |of: &dyn Fn(f64) -> f64| -> f64 {
                    points.all.iter().zip(&velocities).map(|(&(x, _, weight), v)| weight * of(v[i] * slope(x))).sum()
                };
                let mean = pathwise(&|gradient| gradient);
                let center = points.mean(|x, _| value(x));
                let spread = points.mean(|x, _| (value(x) - center).powi(2)).sqrt();
                let scale = exact.abs() + spread / (1.0 + params[i].abs());
                assert!((mean - exact).abs() < 2e-4 * scale, "{name}{params:?}, d E[{of}] / d parameter {i}: {mean}, {exact}");
                let variance = pathwise(&|gradient| (gradient - mean).powi(2));
                if known.support == Support::Interval || name == "VonMises" {
                    // The support moves too: the score function has no gradient of it.
                    continue;
                }
                let (_, normalizer) = parts.normalizer(params);
                let score = |x: f64| value(x) * (parts.kernel(x, params).1[i + 1] - normalizer[i]);
                let score_mean = points.mean(|x, _| score(x));
                table.push((name, params, i, of, variance, points.mean(|x, _| (score(x) - score_mean).powi(2))));
            }
        }
    }
    for (name, params, i, of, pathwise, score) in &table {
        println!("| {name}{params:?} | {} | {of} | {pathwise:.3e} | {score:.3e} |", entry(name).sampler.parameters()[*i].name);
    }
    for (name, params, i, of, pathwise, score) in table {
        assert!(
            pathwise <= score,
            "{name}{params:?}, d E[{of}] / d parameter {i}: {pathwise} by draws that move, {score} by the score"
        );
    }
}

#[test]
fn modes_are_the_largest_densities() {
    for (name, params) in cases() {
        let sampler = entry(name).sampler;
        let Some(mode) = sampler.mode(params) else { continue };
        // A pole or an end of the support is not in it.
        let at = |x: f64| Some(sampler.log_prob(&[x], params)).filter(|ln| !ln.is_nan()).unwrap_or(f64::NEG_INFINITY);
        let highest = at(mode).max(at(mode + 1e-12));
        for &(x, ln, _) in &Points::of(name, params).all {
            assert!(ln <= highest + 1e-9, "the density of {name}{params:?} is larger at {x} than at {mode}: {ln}, {highest}");
        }
    }
}

#[test]
fn draws_have_the_distribution() {
    for (name, params) in cases() {
        let known = entry(name);
        let points = Points::of(name, params);
        let sorted = draws(known.sampler, params, 20_000);
        // Kolmogorov's statistic; of counts it is smaller than its distribution says. A level of one in a million.
        let (mut next, mut below, mut largest) = (0, 0.0, 0.0_f64);
        for &(x, _, weight) in &points.all {
            below += if points.discrete { weight } else { 0.5 * weight };
            while next < sorted.len() && sorted[next] <= x {
                next += 1;
            }
            largest = largest.max((below - next as f64 / sorted.len() as f64).abs());
            below += if points.discrete { 0.0 } else { 0.5 * weight };
        }
        assert!(largest * 20_000.0_f64.sqrt() < 2.7, "{name}{params:?}: {largest}");
    }
}

#[test]
fn means_of_vectors_and_categories_are_those_of_draws() {
    let check = |sampler: &dyn Sampler, params: &[f64], elements: usize| {
        let (draws, mut rng) = (40_000, StdRng::seed_from_u64(1));
        let (mut sum, mut squares, mut value) = (vec![0.0; elements], vec![0.0; elements], vec![0.0; elements]);
        for _ in 0..draws {
            sampler.sample(params, &mut rng, &mut value).expect("parameters in their supports");
            for k in 0..elements {
                sum[k] += value[k];
                squares[k] += value[k] * value[k];
            }
        }
        assert!(sampler.mean(params, &mut value), "{sampler:?} has a mean");
        for k in 0..elements {
            let mean = sum[k] / f64::from(draws);
            let error = ((squares[k] / f64::from(draws) - mean * mean) / f64::from(draws)).sqrt();
            assert!((mean - value[k]).abs() < 5.0 * error, "{sampler:?} {params:?}: {mean} and {}, {error}", value[k]);
        }
    };
    check(&VectorSampler::<CategoricalProbs>::NEW, &[0.2, 0.5, 0.3], 1);
    check(&VectorSampler::<CategoricalLogits>::NEW, &[0.2, -1.5, 0.3], 1);
    check(&VectorSampler::<Dirichlet>::NEW, &[0.5, 2.0, 1.0], 3);
}

#[test]
fn where_there_is_no_mean_none_is_given() {
    let none = |sampler: &dyn Sampler, params: &[f64]| assert!(!sampler.mean(params, &mut [0.0]), "{sampler:?} {params:?}");
    none(&ScalarSampler::<Cauchy, 2>::NEW, &[0.0, 1.0]);
    none(&ScalarSampler::<HalfCauchy, 1>::NEW, &[1.0]);
    none(&ScalarSampler::<StudentT, 3>::NEW, &[1.0, 0.0, 1.0]);
    none(&ScalarSampler::<HalfStudentT, 2>::NEW, &[0.7, 1.0]);
    none(&ScalarSampler::<InverseGamma, 2>::NEW, &[1.0, 1.0]);
    none(&ScalarSampler::<Flat, 0>::NEW, &[]);
    none(&ScalarSampler::<FlatPositive, 0>::NEW, &[]);
    none(&ScalarSampler::<Truncated<StudentT>, 5>::NEW, &[4.0, 0.0, 1.0, -1.0, 1.0]);
}
