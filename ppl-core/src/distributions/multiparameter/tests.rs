//! Laws over one list: a distribution of several parameters is tested by being listed.

use std::marker::PhantomData;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::{Parameter, ValueKind};
use super::reference::{REFERENCE, Row};
use super::*;
use crate::distributions::Support;
use crate::distributions::registry::MULTIPARAMETER;
use crate::kernel::Real;

/// A distribution as an object.
trait Law: Sync {
    fn parameters(&self) -> &'static [Parameter];
    fn kind(&self) -> ValueKind;
    fn log_prob(&self, value: &[f64], params: &[&[f64]]) -> f64;
    /// The log density of arguments in single precision, computed in it and in double precision.
    fn single(&self, value: &[f64], params: &[&[f64]]) -> [f64; 2];
    /// The log density and the derivatives: of the value, of the first parameter, ..
    fn partials(&self, value: &[f64], params: &[&[f64]]) -> (f64, Vec<Vec<f64>>);
    fn sample(&self, params: &[&[f64]], rng: &mut StdRng, value: &mut [f64]);
    fn mean(&self, params: &[&[f64]], value: &mut [f64]) -> bool;
    fn entropy(&self, params: &[&[f64]], length: usize) -> Option<f64>;
    fn divergence(&self, params: &[&[f64]], other: &[&[f64]], length: usize) -> Option<f64>;
}

struct Listed<D, const P: usize>(PhantomData<fn() -> D>);

fn array<'a, V, const P: usize>(params: &[&'a [V]]) -> [&'a [V]; P] {
    std::array::from_fn(|i| params[i])
}

/// What the derivatives are added to.
const BEFORE: f64 = 0.5;

fn partials_of<D: Multiparameter<P>, V: Lanes, const P: usize>(value: &[V], params: &[&[V]]) -> (V, Vec<Vec<V>>) {
    let mut d_value = vec![V::constant(BEFORE); value.len()];
    let mut d_params: Vec<Vec<V>> = params.iter().map(|param| vec![V::constant(BEFORE); param.len()]).collect();
    let mut each = d_params.iter_mut();
    let slices: [&mut [V]; P] = std::array::from_fn(|_| each.next().expect("as many").as_mut_slice());
    let log_prob = D::partials(value, array::<V, P>(params), &mut d_value, slices);
    d_params.insert(0, d_value);
    (log_prob, d_params)
}

impl<D: Multiparameter<P>, const P: usize> Law for Listed<D, P> {
    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn kind(&self) -> ValueKind {
        D::KIND
    }

    fn log_prob(&self, value: &[f64], params: &[&[f64]]) -> f64 {
        D::log_prob(value, array::<f64, P>(params))
    }

    fn single(&self, value: &[f64], params: &[&[f64]]) -> [f64; 2] {
        let rounded = |own: &[f64]| -> Vec<f32> { own.iter().map(|&x| f32::from_f64(x)).collect() };
        let back = |own: &Vec<f32>| -> Vec<f64> { own.iter().map(|&x| f64::from(x)).collect() };
        let (value, params) = (rounded(value), params.iter().map(|param| rounded(param)).collect::<Vec<Vec<f32>>>());
        let slices: Vec<&[f32]> = params.iter().map(Vec::as_slice).collect();
        let found = D::log_prob(&value, array::<f32, P>(&slices));
        let params: Vec<Vec<f64>> = params.iter().map(back).collect();
        let slices: Vec<&[f64]> = params.iter().map(Vec::as_slice).collect();
        [f64::from(found), D::log_prob(&back(&value), array::<f64, P>(&slices))]
    }

    fn partials(&self, value: &[f64], params: &[&[f64]]) -> (f64, Vec<Vec<f64>>) {
        let (log_prob, mut partials) = partials_of::<D, f64, P>(value, params);
        partials.iter_mut().flatten().for_each(|d| *d -= BEFORE);
        (log_prob, partials)
    }

    fn sample(&self, params: &[&[f64]], rng: &mut StdRng, value: &mut [f64]) {
        D::sample(array::<f64, P>(params), rng, value);
    }

    fn mean(&self, params: &[&[f64]], value: &mut [f64]) -> bool {
        D::mean(array::<f64, P>(params), value)
    }

    fn entropy(&self, params: &[&[f64]], length: usize) -> Option<f64> {
        D::entropy(array::<f64, P>(params), length)
    }

    fn divergence(&self, params: &[&[f64]], other: &[&[f64]], length: usize) -> Option<f64> {
        D::divergence(array::<f64, P>(params), array::<f64, P>(other), length)
    }
}

macro_rules! listed {
    ($($distribution:ident with $count:literal,)*) => {
        const LISTED: &[(&str, &dyn Law)] = &[$((stringify!($distribution), &Listed::<$distribution, $count>(PhantomData))),*];
    };
}

listed! {
    MultivariateNormalTril with 2,
    MultivariateNormalCovariance with 2,
    MultivariateNormalPrecision with 2,
    MultivariateNormalLowRank with 3,
    MultivariateStudentT with 3,
    GaussianRandomWalk with 1,
    LkjCholesky with 1,
    LkjCorrelation with 1,
    Wishart with 2,
    InverseWishart with 2,
    WishartCholesky with 2,
    InverseWishartCholesky with 2,
    Multinomial with 2,
    DirichletMultinomial with 2,
    Concrete with 2,
    OrderedLogistic with 2,
    OrderedProbit with 2,
}

fn law(name: &str) -> &'static dyn Law {
    LISTED.iter().find(|(listed, _)| *listed == name).expect("the reference is of the list").1
}

#[test]
fn every_distribution_of_the_catalogue_is_listed_and_in_the_reference() {
    for name in MULTIPARAMETER {
        assert!(LISTED.iter().any(|(listed, _)| listed == name), "{name}");
        assert!(REFERENCE.iter().any(|(known, ..)| known == name), "{name}");
    }
    assert_eq!(LISTED.len(), MULTIPARAMETER.len());
}

#[test]
fn densities_are_those_of_the_reference() {
    for &(name, value, params, expected) in REFERENCE {
        let law = law(name);
        let found = law.log_prob(value, params);
        let off = (found - expected).abs();
        assert!(
            off < 1e-12 * expected.abs().max(1.0),
            "{name}{params:?} at {value:?}: {found}, expected {expected}, off {off:e}"
        );
        assert_eq!(found.to_bits(), law.partials(value, params).0.to_bits(), "{name}{params:?} at {value:?}: with partials");
    }
}

#[test]
fn densities_in_single_precision_are_near() {
    for &(name, value, params, _) in REFERENCE {
        let law = law(name);
        let (_, partials) = law.partials(value, params);
        let arguments = value.iter().chain(params.iter().copied().flatten());
        let moved: f64 = partials.iter().flatten().zip(arguments).map(|(d, x)| (d * x).abs()).sum();
        let [found, expected] = law.single(value, params);
        let near = (found - expected).abs() < 1e-5 * (1.0 + expected.abs() + moved);
        assert!(near || found == expected, "{name}{params:?} at {value:?}: {found}, expected {expected}");
    }
}

#[test]
fn partials_are_finite_differences() {
    for &(name, value, params, _) in REFERENCE {
        let law = law(name);
        let (_, partials) = law.partials(value, params);
        let all: Vec<&[f64]> = std::iter::once(value).chain(params.iter().copied()).collect();
        for (i, own) in all.iter().enumerate() {
            let counts =
                if i == 0 { law.kind() == ValueKind::Discrete } else { law.parameters()[i - 1].support == Support::Count };
            if counts {
                assert!(partials[i].iter().all(|&d| d == 0.0), "{name}: counts have no derivatives");
                continue;
            }
            for k in 0..own.len() {
                // No derivative at the end of the interval of a probability.
                if own[k] == 0.0 && name == "Multinomial" {
                    continue;
                }
                let positive = if i > 0 { law.parameters()[i - 1].support == Support::Positive } else { name == "Concrete" };
                let h = if positive { 1e-4 * own[k].abs() } else { 2e-6 * (1.0 + own[k].abs()) };
                let h = if name == "OrderedLogistic" && own.len() == 2 { 1e-13 } else { h };
                let moved = |by: f64| {
                    let mut changed: Vec<Vec<f64>> = all.iter().map(|x| x.to_vec()).collect();
                    changed[i][k] += by;
                    let params: Vec<&[f64]> = changed[1..].iter().map(Vec::as_slice).collect();
                    (changed[i][k], law.log_prob(&changed[0], &params))
                };
                let ((above, high), (below, low)) = (moved(h), moved(-h));
                let numeric = (high - low) / (above - below);
                let found = partials[i][k];
                let tolerance = if own.len() == 2 && name == "OrderedLogistic" { 1e-2 } else { 1e-6 };
                let size = 1.0 + numeric.abs() + 1e-4 * high.abs();
                assert!(
                    (found - numeric).abs() < tolerance * size,
                    "{name}{params:?} at {value:?}, argument {i}, element {k}: {found} {numeric}"
                );
            }
        }
    }
}

/// The rows of the reference of different parameters, without the extreme ones.
fn settings() -> Vec<&'static Row> {
    let mut kept: Vec<&Row> = Vec::new();
    for row in REFERENCE {
        let ordered = row.0.starts_with("Ordered") && (row.2[0][0].abs() > 5.0 || row.2[1].len() == 2);
        // Drawn matrices of few degrees of freedom are so near to singular ones that their smallest eigenvalue has no digits; their factors do.
        let singular = row.0.ends_with("Wishart") && row.1.len() > 1 && row.2[0][0] < row.1.len().isqrt() as f64;
        let extreme = ordered || singular;
        let again = kept.iter().any(|known| known.0 == row.0 && known.2 == row.2 && known.1.len() == row.1.len());
        if !extreme && !again {
            kept.push(row);
        }
    }
    kept
}

/// The mean of numbers and its standard error.
fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

const DRAWS: usize = 4000;

fn draws(law: &dyn Law, params: &[&[f64]], length: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut value = vec![0.0; length];
    (0..DRAWS)
        .map(|_| {
            law.sample(params, &mut rng, &mut value);
            value.clone()
        })
        .collect()
}

/// Within five standard errors (there are some thousands of comparisons), and what rounding leaves.
#[track_caller]
fn near(what: &str, numbers: &[f64], expected: f64) {
    let (mean, error) = mean_and_error(numbers);
    assert!(
        (mean - expected).abs() < 5.0 * error + 1e-9 * (1.0 + expected.abs()),
        "{what}: {mean} +- {error}, expected {expected}"
    );
}

#[test]
fn draws_have_the_mean_the_entropy_and_a_score_of_mean_zero() {
    for (seed, &&(name, value, params, _)) in settings().iter().enumerate() {
        let law = law(name);
        let what = format!("{name}{params:?}");
        let drawn = draws(law, params, value.len(), seed as u64);
        // Of few degrees of freedom the mean has no variance.
        let heavy = name.contains("StudentT") && params[0][0] < 3.0
            || name.starts_with("Inverse") && params[0][0] < value.len().isqrt() as f64 + 3.0;
        let mut mean = vec![f64::NAN; value.len()];
        if law.mean(params, &mut mean) && !heavy {
            for k in 0..value.len() {
                near(&format!("{what}, mean of {k}"), &drawn.iter().map(|x| x[k]).collect::<Vec<f64>>(), mean[k]);
            }
        }
        if let Some(entropy) = law.entropy(params, value.len()) {
            let surprise: Vec<f64> = drawn.iter().map(|x| -law.log_prob(x, params)).collect();
            near(&format!("{what}, entropy"), &surprise, entropy);
        }
        // Probabilities are not free: their score has a mean.
        if name == "Multinomial" {
            continue;
        }
        let scores: Vec<Vec<Vec<f64>>> = drawn.iter().map(|x| law.partials(x, params).1).collect();
        for (i, param) in params.iter().enumerate() {
            for k in 0..param.len() {
                let each: Vec<f64> = scores.iter().map(|score| score[i + 1][k]).collect();
                near(&format!("{what}, score of parameter {i}, element {k}"), &each, 0.0);
            }
        }
    }
}

#[test]
fn divergences_are_mean_differences_of_log_densities() {
    let settings = settings();
    let mut compared = Vec::new();
    for (seed, &&(name, value, params, _)) in settings.iter().enumerate() {
        let law = law(name);
        let same = |row: &&&Row| {
            row.0 == name
                && row.1.len() == value.len()
                && row.2.iter().zip(params).all(|(a, b)| a.len() == b.len())
                && row.2 != params
        };
        assert!(law.divergence(params, params, value.len()).is_none_or(|own| own.abs() < 1e-9), "{name}: from itself");
        let Some(&&(_, _, other, _)) = settings.iter().find(same) else { continue };
        let Some(divergence) = law.divergence(params, other, value.len()) else { continue };
        let drawn = draws(law, params, value.len(), seed as u64);
        let ratio: Vec<f64> = drawn.iter().map(|x| law.log_prob(x, params) - law.log_prob(x, other)).collect();
        near(&format!("{name}{params:?} to {other:?}"), &ratio, divergence);
        compared.push(name);
    }
    for name in ["GaussianRandomWalk", "LkjCholesky", "LkjCorrelation", "Wishart", "InverseWishartCholesky", "OrderedProbit"] {
        assert!(compared.contains(&name), "{name}");
    }
}

#[test]
fn normal_divergences_of_all_forms_are_mean_differences_of_log_densities() {
    let (l, m) = ([1.2, 0.0, 0.4, 0.8], [0.9, 0.0, -0.3, 1.1]);
    let (a, b) = ([1.44, 0.48, 0.48, 0.8], [0.81, -0.27, -0.27, 1.3]);
    let (here, there) = ([0.3, -0.2], [-0.1, 0.5]);
    let (f, g, d, e) = ([0.5, -1.0], [1.2, 0.2], [0.7, 0.4], [0.9, 0.6]);
    let cases: [(&str, [&[&[f64]]; 2]); 4] = [
        ("MultivariateNormalTril", [&[&here, &l], &[&there, &m]]),
        ("MultivariateNormalCovariance", [&[&here, &a], &[&there, &b]]),
        ("MultivariateNormalPrecision", [&[&here, &a], &[&there, &b]]),
        ("MultivariateNormalLowRank", [&[&here, &f, &d], &[&there, &g, &e]]),
    ];
    for (name, [own, other]) in cases {
        let law = law(name);
        let drawn = draws(law, own, 2, 5);
        let ratio: Vec<f64> = drawn.iter().map(|x| law.log_prob(x, own) - law.log_prob(x, other)).collect();
        near(name, &ratio, law.divergence(own, other, 2).expect("closed"));
    }
}

#[test]
fn draws_of_vectors_have_the_covariance_of_their_parameters() {
    let (l, a) = ([1.2, 0.0, 0.4, 0.8], [1.44, 0.48, 0.48, 0.8]);
    let det = 1.44 * 0.8 - 0.48 * 0.48;
    let cases: [(&str, &[&[f64]], [f64; 3]); 5] = [
        ("MultivariateNormalTril", &[&[0.3, -1.0], &l], [1.44, 0.48, 0.8]),
        ("MultivariateNormalCovariance", &[&[0.3, -1.0], &a], [1.44, 0.48, 0.8]),
        ("MultivariateNormalPrecision", &[&[0.3, -1.0], &a], [0.8 / det, -0.48 / det, 1.44 / det]),
        ("MultivariateNormalLowRank", &[&[0.3, -1.0], &[1.0, -0.5], &[0.2, 0.3]], [1.2, -0.5, 0.55]),
        ("MultivariateStudentT", &[&[12.0], &[0.3, -1.0], &l], [1.44 * 1.2, 0.48 * 1.2, 0.8 * 1.2]),
    ];
    for (name, params, expected) in cases {
        let drawn = draws(law(name), params, 2, 7);
        for ((i, j), expected) in [(0, 0), (1, 0), (1, 1)].into_iter().zip(expected) {
            let products: Vec<f64> = drawn.iter().map(|x| (x[i] - [0.3, -1.0][i]) * (x[j] - [0.3, -1.0][j])).collect();
            near(&format!("{name} {i} {j}"), &products, expected);
        }
    }
}

#[test]
fn counts_are_drawn_as_often_as_their_probability_says_and_all_sum_to_one() {
    let cases: [(&str, &[&[f64]]); 2] =
        [("Multinomial", &[&[4.0], &[0.2, 0.5, 0.3]]), ("DirichletMultinomial", &[&[4.0], &[0.4, 2.0, 1.1]])];
    for (name, params) in cases {
        let law = law(name);
        let drawn = draws(law, params, 3, 2);
        let mut total = 0.0;
        for a in 0..=4 {
            for b in 0..=4 - a {
                let value = [f64::from(a), f64::from(b), f64::from(4 - a - b)];
                let prob = law.log_prob(&value, params).exp();
                total += prob;
                let hits: Vec<f64> = drawn.iter().map(|x| if x[..] == value { 1.0 } else { 0.0 }).collect();
                let error = (prob * (1.0 - prob) / DRAWS as f64).sqrt();
                assert!((mean_and_error(&hits).0 - prob).abs() < 5.0 * error, "{name} {value:?}");
            }
        }
        assert!((total - 1.0).abs() < 1e-13, "{name}: {total}");
        assert_eq!(law.log_prob(&[1.0, 1.0, 1.0], params), f64::NEG_INFINITY, "{name}: counts that do not sum to the trials");
    }
}

#[test]
fn categories_have_probabilities_that_sum_to_one() {
    for name in ["OrderedLogistic", "OrderedProbit"] {
        let law = law(name);
        for predictor in [-30.0, -2.0, 0.0, 0.7, 25.0] {
            let params: [&[f64]; 2] = [&[predictor], &[-1.5, 0.2, 0.9]];
            let total: f64 = (0..4).map(|k| law.log_prob(&[f64::from(k)], &params).exp()).sum();
            assert!((total - 1.0).abs() < 1e-14, "{name} {predictor}: {total}");
        }
        let params: [&[f64]; 2] = [&[0.3], &[-1.5, 0.2, 0.9]];
        for outside in [-1.0, 4.0, 0.5] {
            assert_eq!(law.log_prob(&[outside], &params), f64::NEG_INFINITY, "{name} at {outside}");
        }
        assert!(law.log_prob(&[1.0], &[&[0.3], &[0.9, 0.2]]).is_nan(), "{name}: cutpoints that fall");
    }
}

#[test]
fn a_parameter_outside_its_set_gives_no_number_and_no_draw() {
    let negative = [-1.0, 0.0, 0.5, 1.0];
    let indefinite = [1.0, 2.0, 2.0, 1.0];
    let identity = [1.0, 0.0, 0.0, 1.0];
    let cases: [(&str, usize, &[&[f64]]); 17] = [
        ("MultivariateNormalTril", 2, &[&[0.0, 0.0], &negative]),
        ("MultivariateNormalCovariance", 2, &[&[0.0, 0.0], &indefinite]),
        ("MultivariateNormalPrecision", 2, &[&[0.0, 0.0], &indefinite]),
        ("MultivariateNormalLowRank", 2, &[&[0.0, 0.0], &[0.1, 0.1], &[-1.0, 1.0]]),
        ("MultivariateStudentT", 2, &[&[-1.5], &[0.0, 0.0], &identity]),
        ("MultivariateStudentT", 2, &[&[1.5], &[0.0, 0.0], &negative]),
        ("GaussianRandomWalk", 2, &[&[-1.0]]),
        ("LkjCholesky", 4, &[&[-0.2]]),
        ("LkjCorrelation", 4, &[&[-0.2]]),
        ("Wishart", 4, &[&[0.9], &identity]),
        ("Wishart", 4, &[&[4.0], &indefinite]),
        ("InverseWishart", 4, &[&[0.9], &identity]),
        ("WishartCholesky", 4, &[&[4.0], &negative]),
        ("InverseWishartCholesky", 4, &[&[0.9], &identity]),
        ("Multinomial", 2, &[&[2.0], &[-0.5, 1.5]]),
        ("DirichletMultinomial", 2, &[&[2.0], &[-0.5, 1.5]]),
        ("Concrete", 2, &[&[-0.5], &[0.3, 1.5]]),
    ];
    for (name, length, params) in cases {
        let law = law(name);
        let value: &[f64] = if length == 4 { &[1.0, 0.0, 0.3, 0.9] } else { &[1.0, 1.0] };
        assert!(law.log_prob(value, params).is_nan(), "{name}{params:?}");
        let mut drawn = vec![0.0; length];
        law.sample(params, &mut StdRng::seed_from_u64(1), &mut drawn);
        assert!(drawn.iter().any(|x| x.is_nan()), "{name}{params:?}: {drawn:?}");
    }
}

#[test]
fn drawn_matrices_are_what_they_should_be() {
    for (name, params) in [
        ("LkjCholesky", vec![vec![0.7]]),
        ("LkjCorrelation", vec![vec![0.7]]),
        ("Wishart", vec![vec![2.5], vec![1.0, 0.2, 0.1, 0.2, 0.9, 0.0, 0.1, 0.0, 0.8]]),
        ("InverseWishartCholesky", vec![vec![2.5], vec![1.0, 0.0, 0.0, 0.2, 0.9, 0.0, 0.1, 0.0, 0.8]]),
    ] {
        let params: Vec<&[f64]> = params.iter().map(Vec::as_slice).collect();
        for x in draws(law(name), &params, 9, 4).iter().take(200) {
            let correlation = name.starts_with("Lkj");
            if name.ends_with("Cholesky") {
                assert_eq!((x[1], x[2], x[5]), (0.0, 0.0, 0.0), "{name}");
                assert!(x[0] > 0.0 && x[4] > 0.0 && x[8] > 0.0, "{name}");
                let lengths = (0..3).map(|i| square_sum(&x[3 * i..3 * i + 3]));
                assert!(!correlation || lengths.into_iter().all(|length| (length - 1.0).abs() < 1e-12), "{name}: {x:?}");
            } else {
                assert!(x[1] == x[3] && x[2] == x[6] && x[5] == x[7], "{name}");
                assert!(!correlation || (x[0], x[4], x[8]) == (1.0, 1.0, 1.0), "{name}");
            }
        }
    }
}
