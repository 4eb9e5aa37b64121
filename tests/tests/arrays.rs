//! Vectors and matrices in the language: multivariate distributions, Cholesky factors, products, solves, covariances.
#![forbid(unsafe_code)]

use ndarray::{Array2, array};
use ppl_core::prelude::*;
use ppl_tests::check_model;

model! {
    /// Correlated varying slopes (Statistical Rethinking, 2nd edition, chapter 14).
    pub VaryingSlopes(y: [f64; N], x: [f64; N, P], group: [in G; N]) {
        mu[P] ~ Normal(0, 1);
        tau[P] ~ HalfNormal(1);
        omega[P, P] ~ LkjCholesky(2);
        sigma ~ HalfNormal(1);
        for p in P {
            for q in P {
                let scale[p, q] = tau[p] * omega[p, q];
            }
        }
        for g in G {
            beta[g, P] ~ MultivariateNormal(mu, scale_tril = scale);
        }
        for n in N {
            y[n] ~ Normal(dot(x[n], beta[group[n]]), sigma);
        }
    }
}

model! {
    /// The same, non-centred: slopes are products of the factor with standard normal vectors.
    pub NonCentredSlopes(y: [f64; N], x: [f64; N, P], group: [in G; N]) {
        omega[P, P] ~ LkjCholesky(2);
        for g in G {
            z[g, P] ~ Normal(0, 1);
            let beta[g, P] = matvec(omega, z[g]);
        }
        let correlation[P, P] = factor_product(omega);
        for n in N {
            y[n] ~ Normal(dot(x[n], beta[group[n]]), 1);
        }
    }
}

fn slopes() -> (Vec<f64>, Array2<f64>, Vec<usize>) {
    (vec![0.4, -1.0, 2.0, 0.3], array![[1.0, 0.2, -1.0], [1.0, -0.4, 0.3], [1.0, 1.5, 0.0], [1.0, 0.1, 0.7]], vec![0, 1, 1, 0])
}

#[test]
fn slopes_are_correlated() {
    let (y, x, group) = slopes();
    check_model(&*VaryingSlopes { y: y.clone(), x: x.clone(), group: group.clone().into() }.bind().unwrap());
    check_model(&*NonCentredSlopes { y, x, group: group.into() }.bind().unwrap());
}

model! {
    /// Gaussian-process regression with the noise on the diagonal.
    pub GaussianProcess(x: [f64; N], y: [f64; N]) {
        length_scale ~ Gamma(25, 4);
        amplitude ~ HalfNormal(2);
        noise ~ HalfNormal(1);
        let covariance[N, N] = squared_exponential(x, amplitude, length_scale, jitter = noise);
        let scale[N, N] = cholesky(covariance);
        y[N] ~ MultivariateNormal(0, scale_tril = scale);
    }
}

model! {
    /// The same by its covariance, and a latent process in several dimensions observed through counts.
    pub Processes(x: [f64; N], y: [f64; N], places: [f64; M, D], c: [u64; M]) {
        length_scale ~ Gamma(25, 4);
        amplitude ~ HalfNormal(2);
        let covariance[N, N] = matern32(x, amplitude, length_scale, 0.1);
        y[N] ~ MultivariateNormal(0, covariance);
        z[M] ~ Normal(0, 1);
        let between[M, M] = matern52(places, amplitude, length_scale, 0.001);
        let root[M, M] = cholesky(between);
        let f[M] = matvec(root, z);
        for m in M {
            c[m] ~ Poisson(log_rate = f[m]);
        }
        let back[M] = solve_lower(root, f);
        let other[M] = solve_lower_transposed(root, z);
        let product[M, M] = matmul(root, between);
        let rough[N, N] = matern12(y, amplitude, 1);
        factor(sum(back) - 0.1 * sum(other) + 0.01 * product[1, 0] - rough[2, 0]);
    }
}

fn process() -> (Vec<f64>, Vec<f64>) {
    (vec![-1.0, 0.2, 0.9, 2.5], vec![0.3, -0.2, 1.1, 0.4])
}

#[test]
fn processes_have_covariances() {
    let (x, y) = process();
    check_model(&*GaussianProcess { x: x.clone(), y: y.clone() }.bind().unwrap());
    let places = array![[0.0, 1.0], [0.5, -1.0], [2.0, 0.3]];
    check_model(&*Processes { x, y, places, c: vec![0, 2, 1] }.bind().unwrap());
}

model! {
    /// A process whose covariance is one only where no point stands twice.
    pub WithoutJitter(x: [f64; N], y: [f64; N]) {
        length_scale ~ InverseGamma(5, 5);
        let covariance[N, N] = squared_exponential(x, 1, length_scale);
        let root[N, N] = cholesky(covariance);
        y[N] ~ MultivariateNormal(0, scale_tril = root);
    }
}

#[test]
fn a_quantity_that_is_no_covariance_is_named() {
    let model = WithoutJitter { x: vec![0.3, 0.3, 0.9], y: vec![0.1, -0.4, 0.2] };
    let Err(error) = fit_bbvi(&model, Bbvi::default()) else { panic!("a singular matrix has no factor of positive diagonal") };
    let error = error.to_string();
    println!("{error}");
    assert!(error.contains("y[N] ~ MultivariateNormal(0, scale_tril = root)"), "{error}");
}

model! {
    /// Every distribution of vectors and matrices.
    pub Matrices(data: [f64; P], counts: [u64; K], others: [u64; K], grade: [u64; N], level: [u64; N], K: usize, C: usize, R: usize) {
        s ~ HalfNormal(1);
        omega[P, P] ~ LkjCorrelation(1.5);
        w[P, P] ~ Wishart(s + 6, omega);
        v[P, P] ~ InverseWishart(7, w);
        let tril[P, P] = cholesky(omega);
        l[P, P] ~ WishartCholesky(s + 5, tril);
        m[P, P] ~ InverseWishartCholesky(6, l);
        a[P] ~ MultivariateNormal(0, covariance = w);
        b[P] ~ MultivariateNormal(a, precision = v);
        c[P] ~ MultivariateStudentT(s + 3, a, m);
        f[P, R] ~ Normal(0, 1);
        d[P] ~ Exponential(1);
        data[P] ~ MultivariateNormal(b, factor = f, diagonal = d);
        walk[K] ~ GaussianRandomWalk(s);
        theta[K] ~ Dirichlet(2);
        counts[K] ~ Multinomial(7, theta);
        others[K] ~ DirichletMultinomial(5, s);
        cut[C] ~ Ordered(Normal(0, 2));
        for n in N {
            grade[n] ~ OrderedLogistic(walk[0] + sum(c), cut);
            level[n] ~ OrderedProbit(walk[1], cut);
        }
    }
}

#[test]
fn every_distribution_of_vectors_and_matrices() {
    let model = Matrices {
        data: vec![0.2, -0.4, 1.0],
        counts: vec![3, 0, 4],
        others: vec![1, 4, 0],
        grade: vec![0, 2, 1],
        level: vec![2, 0, 1],
        K: 3,
        C: 2,
        R: 2,
    };
    check_model(&*model.bind().unwrap());
}

#[test]
fn a_fit_finds_the_correlation_of_slopes() {
    // Two coefficients a group, correlated by 0.8, from seeded normal numbers.
    use rand::{RngExt as _, SeedableRng};
    let mut rng = rand::rngs::StdRng::seed_from_u64(4);
    let mut normal = || (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * (std::f64::consts::TAU * rng.random::<f64>()).cos();
    let (groups, each) = (60, 12);
    let (mut y, mut x, mut group) = (Vec::new(), Vec::new(), Vec::new());
    for g in 0..groups {
        let (a, b) = (normal(), normal());
        let (intercept, slope) = (1.0 + 0.7 * a, -0.5 + 0.9 * (0.8 * a + 0.6 * b));
        for _ in 0..each {
            let predictor = normal();
            x.extend([1.0, predictor]);
            y.push(intercept + slope * predictor + 0.5 * normal());
            group.push(g);
        }
    }
    let x = Array2::from_shape_vec((groups * each, 2), x).unwrap();
    let model = VaryingSlopes { y, x, group: group.into() };
    let fit = fit_bbvi(&model, Bbvi { seed: 1, ..Bbvi::default() }).unwrap();
    let draws = fit.draws(&model, 2000).unwrap();
    let mean = |of: &dyn Fn(usize) -> f64| (0..2000).map(of).sum::<f64>() / 2000.0;
    let correlation = mean(&|d| draws.omega[[d, 1, 0]]);
    let scales = [mean(&|d| draws.tau[[d, 0]]), mean(&|d| draws.tau[[d, 1]])];
    // The standard error of a correlation of 60 pairs is 0.05.
    assert!((correlation - 0.8).abs() < 0.2, "{correlation}");
    assert!((scales[0] - 0.7).abs() < 0.2 && (scales[1] - 0.9).abs() < 0.25, "{scales:?}");
    assert!((mean(&|d| draws.sigma[d]) - 0.5).abs() < 0.05);
    // The first row of the factor is not random.
    assert!((mean(&|d| draws.omega[[d, 0, 0]]) - 1.0).abs() < 1e-12 && draws.omega[[0, 0, 1]] == 0.0);
}
