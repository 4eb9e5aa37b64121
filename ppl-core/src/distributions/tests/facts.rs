//! What is told of distributions beside their densities, against quadrature of the densities and against draws.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::entry;
use crate::distributions::reference::REFERENCE;
use crate::distributions::{
    Bound, CategoricalLogits, CategoricalProbs, Cauchy, Dirichlet, Flat, FlatPositive, HalfCauchy, HalfStudentT, InverseGamma,
    Normal, Sampler, ScalarSampler, StudentT, Support, Truncated, VectorSampler,
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
                agrees(&format!("cdf at {x}"), name, params, sampler.cdf(x, params), below);
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
fn quantiles_are_the_inverse_of_the_cdf() {
    for (name, params) in cases() {
        let sampler = entry(name).sampler;
        for probability in [1e-8, 0.003, 0.25, 0.5, 0.77, 0.999] {
            let Some(x) = sampler.quantile(probability, params) else { continue };
            let back = sampler.cdf(x, params).expect("what has an inverse is there");
            assert!((back / probability - 1.0).abs() < 1e-7, "{name}{params:?}: {back} of {probability} at {x}");
        }
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
    none(&ScalarSampler::<Truncated<Normal>, 4>::NEW, &[0.0, 1.0, -1.0, 1.0]);
}
