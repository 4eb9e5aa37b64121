//! Vectors that a guide draws together: of the family of the posterior of linear regressions.

use ndarray::Array2;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// A line for each group, of known noise.
    pub Lines(y: [f64; N], x: [f64; N, P], group: [in G; N]) {
        for g in G {
            beta[g, P] ~ Normal(0, 2);
        }
        for n in N {
            y[n] ~ Normal(dot(x[n], beta[group[n]]), 0.5);
        }
    }
}

guide! {
    /// Of each group the coefficients together.
    pub OfLines for Lines() {
        param m[G, P]: real = 0;
        param l[G, P, P]: covariance_cholesky = 1;
        for g in G {
            beta[g, P] ~ MultivariateNormal(m[g], scale_tril = l[g]);
        }
    }
}

fn lines() -> (Lines, Vec<usize>) {
    let group: Vec<usize> = (0..24).map(|n| n % 2).collect();
    let x = Array2::from_shape_fn((24, 3), |(n, p)| {
        [1.0, uniform(1, n as u64), uniform(1, n as u64) + 0.4 * uniform(2, n as u64)][p]
    });
    let y =
        (0..24).map(|n| x[[n, 1]] - 0.5 * x[[n, 2]] + group[n] as f64 + 0.5 * normal_quantile(uniform(3, n as u64))).collect();
    (Lines { y, x, group: group.clone().into() }, group)
}

/// The lower Cholesky factor.
fn cholesky(a: &Array2<f64>) -> Array2<f64> {
    let n = a.nrows();
    let mut l = Array2::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let rest = a[[i, j]] - (0..j).map(|k| l[[i, k]] * l[[j, k]]).sum::<f64>();
            l[[i, j]] = if i == j { rest.sqrt() } else { rest / l[[j, j]] };
        }
    }
    l
}

/// The inverse of a lower triangle.
fn inverse(l: &Array2<f64>) -> Array2<f64> {
    let n = l.nrows();
    let mut out = Array2::zeros((n, n));
    for j in 0..n {
        for i in j..n {
            let rest = f64::from(u8::from(i == j)) - (j..i).map(|k| l[[i, k]] * out[[k, j]]).sum::<f64>();
            out[[i, j]] = rest / l[[i, i]];
        }
    }
    out
}

#[test]
fn a_normal_posterior_of_vectors_is_found_exactly() -> Outcome {
    let (model, group) = lines();
    let fit = fit_guide(&model, &OfLines, Bbvi::default())?;
    println!("{}", fit.summary());
    let mut evidence = 0.0;
    for g in 0..2 {
        let rows: Vec<usize> = (0..24).filter(|&n| group[n] == g).collect();
        // The precision of the posterior is x^T x / 0.25 + 1 / 4, and its mean that times x^T y / 0.25.
        let precision = Array2::from_shape_fn((3, 3), |(i, j)| {
            rows.iter().map(|&n| 4.0 * model.x[[n, i]] * model.x[[n, j]]).sum::<f64>() + if i == j { 0.25 } else { 0.0 }
        });
        let l = cholesky(&precision);
        let inverse = inverse(&l);
        let covariance = inverse.t().dot(&inverse);
        let right: Vec<f64> = (0..3).map(|i| rows.iter().map(|&n| 4.0 * model.x[[n, i]] * model.y[n]).sum()).collect();
        let mean = covariance.dot(&ndarray::Array1::from(right.clone()));
        let factor = cholesky(&covariance);
        for i in 0..3 {
            let found = fit.guide_param(&format!("m[{g}, {i}]")).ok_or("m")?;
            assert!((found - mean[i]).abs() < 3e-3, "{g}, {i}: {found} {}", mean[i]);
            for j in 0..=i {
                let found = fit.guide_param(&format!("l[{g}, {i}, {j}]")).ok_or("l")?;
                assert!((found - factor[[i, j]]).abs() < 1e-2, "{g}, {i}, {j}: {found} {}", factor[[i, j]]);
            }
        }
        let quadratic: f64 = rows.iter().map(|&n| 4.0 * model.y[n].powi(2)).sum::<f64>()
            - right.iter().zip(&mean).map(|(r, m)| r * m).sum::<f64>();
        let volume = 2.0 * (0..3).map(|i| l[[i, i]].ln()).sum::<f64>() + 3.0 * 4.0_f64.ln();
        let noise = rows.len() as f64 * (std::f64::consts::TAU * 0.25).ln();
        evidence -= 0.5 * (quadratic + volume + noise);
    }
    assert!((fit.elbo().0 - evidence).abs() < 1e-3 + 3.0 * fit.elbo().1, "{:?} {evidence}", fit.elbo());
    Ok(())
}

#[test]
fn groups_are_taken_in_batches() -> Outcome {
    let (model, _) = lines();
    let whole = fit_guide(&model, &OfLines, Bbvi::default())?;
    let fit = fit_guide(&model, &OfLines, Bbvi { minibatch: Some(Minibatch::of("G", 1)), ..Bbvi::default() })?;
    assert!((fit.elbo().0 - whole.elbo().0).abs() < 0.05, "{:?} {:?}", fit.elbo(), whole.elbo());
    Ok(())
}
