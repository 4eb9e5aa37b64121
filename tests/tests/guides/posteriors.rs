//! Posteriors on intervals and of vectors and matrices that are of a family of the catalogue: a guide of that family finds them and the evidence.

use ndarray::{Array2, array};
use ppl_core::kernel::Lanes;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// That a guide has found the evidence, and parameters to so many parts in a hundred.
fn check<M: Model>(fit: &Fit<M>, parameters: &[(&str, f64)], log_evidence: f64) {
    println!("{:?} exact {log_evidence}, parameters {:?}, {:.2?}", fit.elbo(), fit.guide_params(), fit.pareto_k());
    let (elbo, error) = fit.elbo();
    assert!((elbo - log_evidence).abs() < 2e-3 + 3.0 * error, "{elbo} +- {error}, exact {log_evidence}");
    for &(name, expected) in parameters {
        let found = fit.guide_param(name).expect("a parameter");
        assert!((found - expected).abs() < 0.01 * (1.0 + expected.abs()), "{name}: {found}, exact {expected}");
    }
}

model! {
    /// A mean between bounds.
    pub Bounded(y: [f64; N], high: f64) {
        theta ~ Uniform(-1, high);
        for n in N {
            y[n] ~ Normal(theta, 1.5);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfBounded for Bounded() {
        param m: real = 0;
        param s: positive = 1;
        theta ~ Truncated(Normal(m, s), lower = -1, upper = high);
    }
}

#[test]
fn a_truncated_guide_finds_a_truncated_posterior() -> Outcome {
    let y = vec![2.4, 1.1, 3.0, 2.2, 0.7, 2.9];
    let density = |theta: f64| y.iter().map(|y| -0.5 * ((y - theta) / 1.5_f64).powi(2)).sum::<f64>().exp();
    let cells = 20_000;
    let (mut mass, mut first) = (0.0, 0.0);
    for i in 0..cells {
        let theta = -1.0 + 3.0 * (f64::from(i) + 0.5) / f64::from(cells);
        mass += density(theta) * 3.0 / f64::from(cells);
        first += theta * density(theta) * 3.0 / f64::from(cells);
    }
    let log_evidence = (mass / 3.0).ln() - y.len() as f64 * (1.5_f64.ln() + 0.5 * std::f64::consts::TAU.ln());
    let fit = fit_guide(&Bounded { y, high: 2.0 }, &OfBounded, Bbvi::default())?;
    check(&fit, &[], log_evidence);
    let theta = fit.scalar("theta").ok_or("theta")?;
    assert!((theta.mean - first / mass).abs() < 0.01, "{theta:?}, exact {}", first / mass);
    Ok(())
}

fn lower(a: &Array2<f64>) -> Array2<f64> {
    let n = a.nrows();
    let mut l = Array2::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let rest = a[[i, j]] - (0..j).map(|k| l[[i, k]] * l[[j, k]]).sum::<f64>();
            l[[i, j]] = if i == j { f64::sqrt(rest) } else { rest / l[[j, j]] };
        }
    }
    l
}

fn inverse(a: &Array2<f64>) -> Array2<f64> {
    let det = a[[0, 0]] * a[[1, 1]] - a[[0, 1]] * a[[1, 0]];
    array![[a[[1, 1]], -a[[0, 1]]], [-a[[1, 0]], a[[0, 0]]]] / det
}

fn ln_det(a: &Array2<f64>) -> f64 {
    (a[[0, 0]] * a[[1, 1]] - a[[0, 1]] * a[[1, 0]]).ln()
}

/// The logarithm of the integral of an inverse Wishart density of two rows without its normalizer.
fn ln_integral(df: f64, scale: &Array2<f64>) -> f64 {
    let multigamma = 0.5 * std::f64::consts::PI.ln() + Lanes::lgamma(0.5 * df) + Lanes::lgamma(0.5 * (df - 1.0));
    df * 2.0_f64.ln() + multigamma - 0.5 * df * ln_det(scale)
}

model! {
    /// Vectors of an unknown precision.
    pub Precisions(y: [f64; N, P], scale: [f64; P, P]) {
        precision[P, P] ~ Wishart(5, scale);
        for n in N {
            y[n, P] ~ MultivariateNormal(0, precision = precision);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfPrecisions for Precisions() {
        param more: positive = 4;
        param v[P, P]: covariance = 0.3;
        precision[P, P] ~ Wishart(1 + more, v);
    }
}

model! {
    /// Vectors of an unknown covariance.
    pub Covariances(y: [f64; N, P], scale: [f64; P, P]) {
        covariance[P, P] ~ InverseWishart(5, scale);
        for n in N {
            y[n, P] ~ MultivariateNormal(0, covariance);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfCovariances for Covariances() {
        param more: positive = 4;
        param v[P, P]: covariance = 3;
        covariance[P, P] ~ InverseWishart(1 + more, v);
    }
}

model! {
    /// The same by factors.
    pub Factors(y: [f64; N, P], scale_tril: [f64; P, P]) {
        chol[P, P] ~ InverseWishartCholesky(5, scale_tril);
        for n in N {
            y[n, P] ~ MultivariateNormal(0, scale_tril = chol);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfFactors for Factors() {
        param more: positive = 4;
        param l[P, P]: covariance_cholesky = 2;
        chol[P, P] ~ InverseWishartCholesky(1 + more, l);
    }
}

fn vectors() -> (Array2<f64>, Array2<f64>) {
    let z = |n: usize, p: u64| normal_quantile(uniform(p, n as u64));
    let y = Array2::from_shape_fn((12, 2), |(n, p)| if p == 0 { z(n, 1) } else { 0.8 * z(n, 1) + 0.5 * z(n, 2) });
    (y.clone(), y.t().dot(&y))
}

#[test]
fn wishart_guides_find_precisions() -> Outcome {
    let (y, squares) = vectors();
    let scale = array![[0.5, 0.1], [0.1, 0.4]];
    let posterior = inverse(&(inverse(&scale) + squares));
    // The integral of a Wishart density is that of the inverse one of the inverse scale.
    let log_evidence =
        ln_integral(17.0, &inverse(&posterior)) - ln_integral(5.0, &inverse(&scale)) - 12.0 * std::f64::consts::TAU.ln();
    let fit = fit_guide(&Precisions { y, scale }, &OfPrecisions, Bbvi::default())?;
    let v = |i: usize, j: usize| posterior[[i, j]];
    check(&fit, &[("v[0, 0]", v(0, 0)), ("v[1, 0]", v(1, 0)), ("v[1, 1]", v(1, 1))], log_evidence);
    let more = fit.guide_param("more").ok_or("more")?;
    assert!((more / 16.0 - 1.0).abs() < 0.01, "{more}");
    Ok(())
}

#[test]
fn inverse_wishart_guides_find_covariances() -> Outcome {
    let (y, squares) = vectors();
    let scale = array![[2.0, 0.3], [0.3, 1.5]];
    let posterior = &scale + &squares;
    let log_evidence = ln_integral(17.0, &posterior) - ln_integral(5.0, &scale) - 12.0 * std::f64::consts::TAU.ln();
    let fit = fit_guide(&Covariances { y: y.clone(), scale: scale.clone() }, &OfCovariances, Bbvi::default())?;
    check(&fit, &[], log_evidence);
    let close = |found: Option<f64>, expected: f64| {
        let found = found.expect("a parameter");
        assert!((found / expected - 1.0).abs() < 0.02, "{found}, exact {expected}");
    };
    close(fit.guide_param("more"), 16.0);
    close(fit.guide_param("v[1, 0]"), posterior[[1, 0]]);
    let fit = fit_guide(&Factors { y, scale_tril: lower(&scale) }, &OfFactors, Bbvi::default())?;
    check(&fit, &[], log_evidence);
    close(fit.guide_param("more"), 16.0);
    close(fit.guide_param("l[1, 1]"), lower(&posterior)[[1, 1]]);
    Ok(())
}

model! {
    /// Priors of which nothing is seen, and correlations with a factor that makes them another one of their family.
    pub Priors(l: [f64; P, P], lean: [f64; K], at: [f64; G], weights: [f64; G], T: usize) {
        beta[P] ~ MultivariateStudentT(6, 0.5, l);
        walk[T] ~ GaussianRandomWalk(0.7);
        share[K] ~ Concrete(0.8, lean);
        cut[K] ~ Ordered(Normal(1, 0.5));
        mu ~ Mixture(weights, g in G => Normal(at[g], 0.6));
        nu ~ Mixture(weights, Normal(-2, 0.5), StudentT(6, 2, 0.7));
        omega[P, P] ~ LkjCholesky(2);
        factor(3 * sum(p in P => ln(omega[p, p])));
    }
}

guide! {
    /// The same families.
    pub OfPriors for Priors() {
        param df: positive = 3;
        param loc[P]: real = 0;
        param tril[P, P]: covariance_cholesky = 1;
        param step: positive = 1;
        param temperature: positive = 1;
        param tilt[K]: real = 0;
        param m: real = 0;
        param s: positive = 1;
        param w[G]: simplex = 0.5;
        param mean[G]: real = 0;
        param sd: positive = 0.8;
        param v[G]: simplex = 0.5;
        param at_nu: real = 1;
        param sd_nu: positive = 1;
        param concentration: positive = 1;
        beta[P] ~ MultivariateStudentT(df, loc, tril);
        walk[T] ~ GaussianRandomWalk(step);
        share[K] ~ Concrete(temperature, tilt);
        cut[K] ~ Ordered(Normal(m, s));
        mu ~ Mixture(w, g in G => Normal(mean[g] + 0.7 * at[g], sd));
        nu ~ Mixture(v, Normal(-at_nu, sd_nu), StudentT(6, 2, 0.7));
        omega[P, P] ~ LkjCholesky(concentration);
    }
}

#[test]
fn priors_are_found_by_guides_of_their_families() -> Outcome {
    let l = array![[0.8, 0.0], [-0.3, 1.4]];
    let model = Priors { l, lean: vec![-1.0, 0.5, 2.0], at: vec![-1.5, 1.5], weights: vec![0.3, 0.7], T: 4 };
    let fit = fit_guide(&model, &OfPriors, Bbvi::default())?;
    // Of two rows the density of a correlation of concentration e is (1 - r^2)^(e - 1) / c.
    let ln_c = |e: f64| 2.0 * Lanes::lgamma(e) - Lanes::lgamma(2.0 * e) + (2.0 * e - 1.0) * 2.0_f64.ln();
    check(&fit, &[], ln_c(3.5) - ln_c(2.0));
    let of_vectors =
        [("loc[0]", 0.5), ("tril[0, 0]", 0.8), ("tril[1, 0]", -0.3), ("tril[1, 1]", 1.4), ("step", 0.7), ("temperature", 0.8)];
    let of_numbers =
        [("m", 1.0), ("s", 0.5), ("w[0]", 0.3), ("mean[1]", 0.45), ("sd", 0.6), ("v[0]", 0.3), ("at_nu", 2.0), ("sd_nu", 0.5)];
    for (name, expected) in of_vectors.into_iter().chain(of_numbers).chain([("concentration", 3.5)]) {
        let found = fit.guide_param(name).ok_or(name)?;
        assert!((found - expected).abs() < 0.03 * (1.0 + expected.abs()), "{name}: {found}, exact {expected}");
    }
    // Degrees of freedom make little difference.
    assert!((fit.guide_param("df").ok_or("df")? / 6.0 - 1.0).abs() < 0.15);
    Ok(())
}
