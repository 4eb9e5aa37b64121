//! What EM was made for: principal components beside their closed form, a mixture beside EM itself.

use ppl_core::prelude::*;

model! {
    /// Probabilistic principal components: loadings, means and noise are points.
    pub Components(y: [f64; N, D], first: [f64; D, K]) {
        for d in D {
            for k in K {
                param w[d, k]: real = first[d, k];
            }
            param loc[d]: real = 0;
        }
        param sigma: positive = 1;
        z[N, K] ~ Normal(0, 1);
        for n in N {
            for d in D {
                y[n, d] ~ Normal(loc[d] + sum(k in K => w[d, k] * z[n, k]), sigma);
            }
        }
    }
}

/// The leading eigenvalues of a symmetric matrix with their vectors, by powers and deflation.
fn leading(matrix: &Array2<f64>, count: usize) -> Vec<(f64, Vec<f64>)> {
    let n = matrix.nrows();
    let mut rest = matrix.clone();
    let mut found = Vec::new();
    for _ in 0..count {
        let mut x: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * i as f64).collect();
        let mut value = 0.0;
        for _ in 0..5000 {
            let next: Vec<f64> = rest.rows().into_iter().map(|row| row.iter().zip(&x).map(|(a, b)| a * b).sum()).collect();
            value = next.iter().map(|x| x * x).sum::<f64>().sqrt();
            x = next.iter().map(|x| x / value).collect();
        }
        for i in 0..n {
            for j in 0..n {
                rest[[i, j]] -= value * x[i] * x[j];
            }
        }
        found.push((value, x));
    }
    found
}

/// Tipping & Bishop 1999, Probabilistic principal component analysis, equations 7 and 8: the noise is what the leading eigenvalues leave on average.
#[test]
fn principal_components_are_those_of_the_closed_form() {
    let (rows, columns) = (50, 5);
    let y = Array2::from_shape_fn((rows, columns), |(n, d)| {
        let (n, d) = (n as f64, d as f64);
        (d + 1.0) * 0.7 * (1.1 * n).sin() + (2.0 - d) * 0.6 * (2.3 * n).cos() + 0.4 * (n * n + 3.0 * n * d).sin() + d
    });
    let mean: Array1<f64> = y.columns().into_iter().map(|column| column.mean().unwrap()).collect();
    let centred = &y - &mean;
    let covariance = centred.t().dot(&centred) / rows as f64;
    for factors in [1, 2] {
        let leading = leading(&covariance, factors);
        let left: f64 = covariance.diag().sum() - leading.iter().map(|(value, _)| value).sum::<f64>();
        let noise = left / (columns - factors) as f64;
        let log_det: f64 = leading.iter().map(|(value, _)| value.ln()).sum::<f64>() + (columns - factors) as f64 * noise.ln();
        let top = -0.5 * rows as f64 * (columns as f64 * (std::f64::consts::TAU.ln() + 1.0) + log_det);
        let first =
            Array2::from_shape_fn((columns, factors), |(d, k)| if k == 0 { 0.3 + 0.1 * d as f64 } else { 1.0 - 0.4 * d as f64 });
        let fit = fit_bbvi(&Components { y: y.clone(), first }, Bbvi::default()).unwrap();
        assert!((fit.param("sigma").unwrap() - noise.sqrt()).abs() < 1e-3, "{:?} {}", fit.params(), noise.sqrt());
        assert!((fit.elbo().0 - top).abs() < 0.01 + 4.0 * fit.elbo().1, "{:?} {top}", fit.elbo());
        for d in 0..columns {
            assert!((fit.param(&format!("loc[{d}]")).unwrap() - mean[d]).abs() < 2e-3);
        }
        // Rotations of the loadings are all the same; the covariance that they make is not.
        let w = |d: usize, k: usize| fit.param(&format!("w[{d}, {k}]")).unwrap();
        for d in 0..columns {
            for e in 0..columns {
                let found: f64 = (0..factors).map(|k| w(d, k) * w(e, k)).sum();
                let expected: f64 = leading.iter().map(|(value, x)| (value - noise) * x[d] * x[e]).sum();
                assert!((found - expected).abs() < 5e-3, "{factors} factors, {d} {e}: {found} {expected}");
            }
        }
    }
}

model! {
    /// A mixture whose weights, means and scales are points: what EM was made for.
    pub Mixture(y: [f64; N], K: usize) {
        param w[K]: simplex = 1 / K;
        for k in K {
            param mu[k]: ordered = 4 * k;
            param sigma[k]: positive = 1;
        }
        for n in N {
            factor(log_sum_exp(k in K => ln(w[k]) + Normal(mu[k], sigma[k]).log_prob(y[n])));
        }
    }
}

/// Two thousand iterations of EM, from the start of the model.
fn em(y: &[f64]) -> ([f64; 2], [f64; 2], [f64; 2]) {
    let (mut w, mut mu, mut sigma) = ([0.5; 2], [0.0, 4.0], [1.0; 2]);
    for _ in 0..2000 {
        let joint = |k: usize, y: f64| w[k] / sigma[k] * (-0.5 * ((y - mu[k]) / sigma[k]).powi(2)).exp();
        let shares: Vec<[f64; 2]> = y
            .iter()
            .map(|&y| {
                let (a, b) = (joint(0, y), joint(1, y));
                [a / (a + b), b / (a + b)]
            })
            .collect();
        let total = [0, 1].map(|k| shares.iter().map(|r| r[k]).sum::<f64>());
        let means = [0, 1].map(|k| shares.iter().zip(y).map(|(r, y)| r[k] * y).sum::<f64>() / total[k]);
        sigma = [0, 1].map(|k| (shares.iter().zip(y).map(|(r, y)| r[k] * (y - means[k]).powi(2)).sum::<f64>() / total[k]).sqrt());
        (w, mu) = (total.map(|t| t / y.len() as f64), means);
    }
    (w, mu, sigma)
}

#[test]
fn a_mixture_of_points_is_where_em_ends() {
    let y: Vec<f64> =
        (0..60).map(|i| if i % 3 == 0 { 4.0 + (f64::from(i) * 0.7).sin() } else { (f64::from(i) * 1.3).cos() }).collect();
    let (w, mu, sigma) = em(&y);
    let fit = fit_bbvi(&Mixture { y, K: 2 }, Bbvi::default()).unwrap();
    for k in 0..2 {
        for (name, expected) in [("w", w[k]), ("mu", mu[k]), ("sigma", sigma[k])] {
            let found = fit.param(&format!("{name}[{k}]")).unwrap();
            assert!((found - expected).abs() < 2e-3, "{name}[{k}]: {found} {expected}");
        }
    }
}
