//! A fit beside the reference draws: errors of means in standard deviations, and ratios of standard deviations.

use std::fmt::Write;

use serde_json::json;

use crate::database::Reference;
use crate::models::{Check, Entry, Fitted};

/// One JSON line.
pub(crate) fn json(entry: &Entry, fitted: &Fitted) -> String {
    let family = &fitted.tried[0].family;
    let (guide, coordinates) = match family.strip_suffix(" of residuals") {
        Some(family) => (family, "residuals"),
        None => (family.as_str(), "as written"),
    };
    let params: serde_json::Map<String, serde_json::Value> =
        fitted.params.iter().map(|(name, scalar)| (name.clone(), json!([scalar.mean, scalar.sd]))).collect();
    json!({
        "posterior": entry.posterior,
        "guide": guide.trim_end_matches(" Gaussian").replace('-', "_"),
        "coordinates": coordinates,
        "seconds": fitted.seconds,
        "elbo": fitted.elbo.0,
        "params": params,
    })
    .to_string()
}

/// A table.
pub(crate) fn table(entry: &Entry, fitted: &Fitted, reference: Option<&Reference>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", entry.posterior);
    let _ = writeln!(
        out,
        "  ELBO {:.3} +- {:.3} nats, Pareto k {:.2}, {:.3} s, {}",
        fitted.elbo.0, fitted.elbo.1, fitted.pareto_k, fitted.seconds, fitted.stop
    );
    for tried in &fitted.tried {
        let _ =
            writeln!(out, "  {}: ELBO {:.3}, Pareto k {:.2}, {} steps", tried.family, tried.elbo, tried.pareto_k, tried.steps);
    }
    if let Some(check) = &fitted.check {
        let _ = writeln!(out, "{}", check.text);
    }
    let Some(reference) = reference else {
        let _ = writeln!(out, "  no reference draws; mean and sd:");
        for (name, scalar) in fitted.params.iter().filter(|(name, _)| !name.starts_with("alpha[")) {
            let _ = writeln!(out, "  {name:<12} {:>10.4} {:>9.4}", scalar.mean, scalar.sd);
        }
        let _ = writeln!(out);
        return out;
    };
    let optimum = optimum(fitted, reference);
    let _ = writeln!(out, "  {:<12} {:>10} {:>10} {:>8} {:>9} {:>8}", "", "mean", "reference", "error/sd", "sd ratio", "optimum");
    let (mut worst, mut product, mut count) = (0.0_f64, 0.0_f64, 0);
    for (i, (name, scalar)) in fitted.params.iter().enumerate() {
        let Some(draws) = reference.get(name) else { continue };
        let (mean, sd) = moments(draws);
        let error = (scalar.mean - mean) / sd;
        worst = worst.max(error.abs());
        product += (scalar.sd / sd).ln();
        count += 1;
        let best = optimum.as_ref().map_or(String::new(), |all| format!("{:.3}", all[i]));
        let _ = writeln!(out, "  {name:<12} {:>10.4} {mean:>10.4} {error:>8.3} {:>9.3} {best:>8}", scalar.mean, scalar.sd / sd);
    }
    let _ =
        writeln!(out, "  overall: largest error {worst:.3} sd, mean sd ratio {:.3}\n", (product / f64::from(count.max(1))).exp());
    if let Some(check) = &fitted.check {
        let _ = writeln!(out, "{}\n", chains(check, reference));
    }
    out
}

/// Chains beside the reference draws, which are thinned until they are nearly independent: both have errors.
fn chains(check: &Check, reference: &Reference) -> String {
    let errors = check.params.iter().filter_map(|(name, own)| {
        let draws = reference.get(name)?;
        let (mean, sd) = moments(draws);
        let error = (own.scalar.mean - mean).abs();
        Some((error / sd, error / own.standard_error.hypot(sd / (draws.len() as f64).sqrt())))
    });
    let (error, standard) = errors.fold((0.0_f64, 0.0_f64), |worst, own| (worst.0.max(own.0), worst.1.max(own.1)));
    format!("  chains: largest error {error:.3} sd, {standard:.1} standard errors")
}

fn moments(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    (mean, (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// The ratio `1 / sqrt((Sigma^-1)_ii) / sd_i` of the best independent normals on a Gaussian posterior with the covariance of
/// the reference draws; known where the parameters of the table are all there are.
fn optimum(fitted: &Fitted, reference: &Reference) -> Option<Vec<f64>> {
    let n = fitted.params.len();
    if n > 12 || fitted.params.iter().any(|(name, _)| !reference.contains_key(name) || name.starts_with("theta[")) {
        return None;
    }
    let draws: Vec<&Vec<f64>> = fitted.params.iter().map(|(name, _)| &reference[name]).collect();
    let moments: Vec<(f64, f64)> = draws.iter().map(|d| moments(d)).collect();
    let count = draws[0].len();
    let mut correlation = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..n {
            let sum: f64 = (0..count).map(|s| (draws[i][s] - moments[i].0) * (draws[j][s] - moments[j].0)).sum();
            correlation[i][j] = sum / ((count - 1) as f64 * moments[i].1 * moments[j].1);
        }
    }
    let inverse = invert(correlation)?;
    Some((0..n).map(|i| 1.0 / inverse[i][i].sqrt()).collect())
}

/// Gauss-Jordan elimination.
fn invert(mut a: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = a.len();
    let mut b: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for k in 0..n {
        let pivot = (k..n).max_by(|&x, &y| a[x][k].abs().total_cmp(&a[y][k].abs()))?;
        a.swap(k, pivot);
        b.swap(k, pivot);
        let divisor = a[k][k];
        if divisor == 0.0 {
            return None;
        }
        for j in 0..n {
            a[k][j] /= divisor;
            b[k][j] /= divisor;
        }
        for i in (0..n).filter(|&i| i != k) {
            let factor = a[i][k];
            for j in 0..n {
                a[i][j] -= factor * a[k][j];
                b[i][j] -= factor * b[k][j];
            }
        }
    }
    Some(b)
}
