//! Parameters of every support: their layout, their gradients, and no Jacobian.

use ppl_core::model::SiteKind;
use ppl_core::prelude::*;
use ppl_tests::{check_model, log_density};

use crate::Likelihood;

model! {
    /// Every support, in scalars and arrays, in and outside of loops, beside latents that have rows of their own.
    pub Supports(y: [f64; N], g: [in C; N], high: [f64; C], first: [f64; K], D: usize) {
        s ~ HalfNormal(1);
        param a: real = -0.5;
        param b[C]: positive = 1 + C;
        param p: unit = 0.25;
        for c in C {
            let half = high[c] / 2;
            param q[c]: interval(-1, high[c]) = half;
            param w[c, K]: simplex = 1 / K;
        }
        z ~ Beta(2, 2);
        param o[K]: ordered = first;
        for d in D {
            param e[d]: positive_ordered = d + 1;
        }
        param r[0]: interval(lower = 0, upper = 1) = 0.5;
        for c in 1..C {
            param r[c]: interval(upper = 2 * c, lower = c) = 1.5 * c;
        }
        u[C] ~ Normal(a, b[0]);
        let scale = s * b[0];
        for n in N {
            let loc = a * p + q[g[n]] + dot(w[g[n]], o) + u[g[n]] + r[g[n]];
            y[n] ~ Normal(loc, scale * (1 + z));
        }
        factor(sum(e) - sum(d in D => e[d] * e[d]));
    }
}

pub(crate) fn supports() -> Supports {
    Supports { y: vec![0.3, -1.0, 2.2, 0.7], g: vec![0, 1, 1, 0].into(), high: vec![2.0, 5.0], first: vec![-1.0, 0.0, 2.5], D: 2 }
}

#[test]
fn gradients_of_every_support_are_those_of_differences() {
    let model = supports();
    let bound = model.bind().unwrap();
    check_model(&*bound);
    let layout = bound.layout();
    let names: Vec<&str> = layout.parameters().map(|parameter| parameter.name).collect();
    assert_eq!(names, ["a", "b", "p", "q", "w", "o", "e", "r"]);
    assert_eq!(layout.points(), 1 + 2 + 1 + 2 + 4 + 3 + 2 + 2);
    // They come last among the unconstrained numbers.
    let first = layout.unconstrained() - layout.points();
    assert!(layout.latents().all(|latent| latent.unconstrained.end <= first));
    assert!(layout.parameters().all(|parameter| parameter.unconstrained.start >= first));
    assert_eq!(Supports::GRAPH.sites[1].kind, SiteKind::Parameter);
    let read = |site: usize| Supports::GRAPH.factors.iter().any(|factor| factor.reads.iter().any(|read| read.site == site));
    assert!((0..Supports::GRAPH.sites.len()).filter(|&site| Supports::GRAPH.sites[site].kind == SiteKind::Parameter).all(read));
}

model! {
    /// Sets of matrices: one for all, and one for each of some groups, from a number on the diagonal or from data.
    pub Matrices(y: [f64; N, P], z: [f64; N, P], g: [in C; N], first: [f64; P, P]) {
        mu[P] ~ Normal(0, 3);
        param l[P, P]: covariance_cholesky = 1.5;
        param s[P, P]: covariance = first;
        param o[P, P]: correlation_cholesky = 1;
        for c in C {
            param r[c, P, P]: correlation = 1;
        }
        let scaled[P, P] = matmul(l, o);
        for n in N {
            y[n, P] ~ MultivariateNormal(mu, scale_tril = l);
            z[n, P] ~ MultivariateNormal(mu, covariance = s);
            factor(-0.5 * sum(p in P => (y[n, p] - sum(q in P => r[g[n], p, q] * scaled[q, p])).powi(2)));
        }
    }
}

fn matrices() -> Matrices {
    let number = |n: usize, p: usize| (1.7 * n as f64 + 2.3 * p as f64).sin();
    Matrices {
        y: Array2::from_shape_fn((6, 3), |(n, p)| number(n, p)),
        z: Array2::from_shape_fn((6, 3), |(n, p)| 2.0 * number(p, n)),
        g: vec![0, 1, 1, 0, 1, 0].into(),
        first: ndarray::arr2(&[[2.0, 0.3, 0.0], [0.3, 1.0, -0.2], [0.0, -0.2, 0.5]]),
    }
}

#[test]
fn gradients_of_sets_of_matrices_are_those_of_differences() {
    let model = matrices();
    let bound = model.bind().unwrap();
    check_model(&*bound);
    let layout = bound.layout();
    assert_eq!(layout.points(), 6 + 6 + 3 + 2 * 3);
    let start = |name: &str| {
        let parameter = layout.parameters().find(|parameter| parameter.name == name).unwrap();
        parameter.bijector.forward_and_log_det(&parameter.initial).unwrap().0
    };
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(near(&start("l"), &[1.5, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0, 1.5]));
    assert!(near(&start("s"), model.first.as_slice().unwrap()));
    assert!(near(&start("o"), &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]));
    let no_covariance = Matrices { first: ndarray::arr2(&[[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), ..matrices() };
    assert!(matches!(no_covariance.bind().err(), Some(DataError::Start { name, .. }) if name.starts_with("s[")));
}

model! {
    /// A Gaussian whose covariance is the most likely one.
    pub MostLikely(y: [f64; N, P]) {
        param mu[P]: real = 0;
        param l[P, P]: covariance_cholesky = 1;
        for n in N {
            y[n, P] ~ MultivariateNormal(mu, scale_tril = l);
        }
    }
}

#[test]
fn the_most_likely_covariance_is_that_of_the_data() {
    let y = Array2::from_shape_fn((40, 2), |(n, p)| {
        let z = |i: usize| ppl_core::random::normal_quantile(ppl_core::random::uniform(5, i as u64));
        if p == 0 { 1.0 + 2.0 * z(n) } else { -0.5 + 1.2 * z(n) + 0.7 * z(100 + n) }
    });
    let mean: Vec<f64> = y.columns().into_iter().map(|column| column.mean().unwrap()).collect();
    let covariance = |p: usize, q: usize| {
        y.rows().into_iter().map(|row| (row[p] - mean[p]) * (row[q] - mean[q])).sum::<f64>() / y.nrows() as f64
    };
    let fit = fit_bbvi(&MostLikely { y: y.clone() }, Bbvi::default()).unwrap();
    let found = |name: &str| fit.params().iter().find(|param| param.name == name).unwrap().value;
    let l = covariance(0, 0).sqrt();
    let below = covariance(1, 0) / l;
    for (name, exact) in [("l[0, 0]", l), ("l[1, 0]", below), ("l[1, 1]", (covariance(1, 1) - below * below).sqrt())] {
        assert!((found(name) - exact).abs() < 2e-3, "{name}: {} {exact}", found(name));
    }
}

#[test]
fn a_parameter_has_no_jacobian() {
    let model = Likelihood { y: vec![0.3, 1.0] };
    let bound = model.bind().unwrap();
    let u: Vec<f64> = [0.2_f64, -0.7].iter().flat_map(|&x| [x; 8]).collect();
    let (value, gradient) = log_density(&*bound, &u, &bound.unit_weights(8));
    let sigma = (-0.7_f64).exp();
    let log_normal = |y: f64| -0.5 * (((y - 0.2) / sigma).powi(2) + std::f64::consts::TAU.ln()) + 0.7;
    assert!((value[0] - log_normal(0.3) - log_normal(1.0)).abs() < 1e-12, "{}", value[0]);
    // The derivative by ln sigma.
    let slope = (0.01 + 0.64) / (sigma * sigma) - 2.0;
    assert!((gradient[8] - slope).abs() < 1e-12, "{} {slope}", gradient[8]);
    let mut log_det = vec![0.0; 8];
    let mut work = bound.workspace(8);
    work.u_mut().copy_from_slice(&u);
    bound.constrain(&mut work, &mut log_det);
    assert_eq!(log_det, vec![0.0; 8]);
}
