//! The Pareto shape of importance weights.

/// The shape `k` of the generalized Pareto distribution fitted to the largest importance weights; `NaN` with fewer than 25 of them.
///
/// Below 0.5 the weights have a finite variance; above 0.7 the guide misses mass of the posterior, and neither it nor
/// importance sampling from it should be trusted.
///
/// # Source
/// Vehtari, Simpson, Gelman, Yao & Gabry 2024, Pareto smoothed importance sampling; the fit: Zhang & Stephens 2009, with
/// the weak prior of the former.
#[must_use]
pub fn pareto_k(log_weights: &[f64]) -> f64 {
    generalized_pareto(log_weights).map_or(f64::NAN, |tail| tail.shape)
}

/// The generalized Pareto distribution of the largest weights, relative to the very largest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// How many weights it is fitted to.
    pub(super) count: usize,
    /// The logarithm of the largest weight.
    pub(super) largest: f64,
    /// The largest weight below the tail.
    pub(super) cutoff: f64,
    /// The scale of the excesses over the cutoff.
    pub(super) scale: f64,
    /// `k`
    pub(super) shape: f64,
}

/// Fits the tail; none with fewer than 25 weights.
pub(super) fn generalized_pareto(log_weights: &[f64]) -> Option<Tail> {
    let n = log_weights.len();
    let mut sorted: Vec<f64> = log_weights.iter().copied().filter(|w| !w.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let count = ((0.2 * n as f64).min(3.0 * (n as f64).sqrt())).ceil() as usize;
    if sorted.len() < 25 || count < 5 || count >= sorted.len() {
        return None;
    }
    let largest = sorted[sorted.len() - 1];
    let tail = Tail { count, largest, cutoff: f64::NAN, scale: f64::NAN, shape: f64::INFINITY };
    if !largest.is_finite() {
        return Some(tail);
    }
    let cutoff = (sorted[sorted.len() - count - 1] - largest).exp();
    let excess: Vec<f64> = sorted[sorted.len() - count..].iter().map(|w| (w - largest).exp() - cutoff).collect();
    if excess[count - 1] <= 0.0 || excess.iter().all(|&x| x <= 1e-300) {
        // All weights alike: the guide is the posterior.
        return Some(Tail { shape: f64::NEG_INFINITY, ..tail });
    }
    let (shape, scale) = fit(&excess);
    Some(Tail { cutoff, scale, shape, ..tail })
}

/// The posterior means of shape and scale, of sorted excesses.
fn fit(x: &[f64]) -> (f64, f64) {
    let n = x.len();
    let count = n as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let grid = 30 + count.sqrt().floor() as usize;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let quartile = x[((count / 4.0 + 0.5).floor() as usize).max(1) - 1].max(1e-300);
    let theta: Vec<f64> =
        (1..=grid).map(|j| 1.0 / x[n - 1] + (1.0 - (grid as f64 / (j as f64 - 0.5)).sqrt()) / 3.0 / quartile).collect();
    let mean_ln = |b: f64| x.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / count;
    let profile: Vec<f64> = theta
        .iter()
        .map(|&b| {
            let k = mean_ln(b);
            count * ((-b / k).ln() - k - 1.0)
        })
        .collect();
    let weights: Vec<f64> =
        profile.iter().map(|own| 1.0 / profile.iter().map(|other| (other - own).exp()).sum::<f64>()).collect();
    let total: f64 = weights.iter().filter(|w| w.is_finite()).sum();
    let b = theta.iter().zip(&weights).filter(|(_, w)| w.is_finite()).map(|(b, w)| b * w / total).sum::<f64>();
    let k = mean_ln(b);
    // A prior of the shape worth ten observations at one half.
    ((k * count + 0.5 * 10.0) / (count + 10.0), -k / b)
}

#[cfg(test)]
mod tests {
    use super::pareto_k;

    /// Quantiles of a Pareto distribution of shape `k`, as log weights.
    fn pareto(k: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| -k * (1.0 - (i as f64 + 0.5) / n as f64).ln()).collect()
    }

    #[test]
    fn the_shape_of_a_pareto_distribution_is_found() {
        for k in [0.2, 0.5, 0.9] {
            let found = pareto_k(&pareto(k, 4000));
            assert!((found - k).abs() < 0.06, "{k}: {found}");
        }
    }

    #[test]
    fn equal_weights_have_no_tail() {
        assert!(pareto_k(&[0.3; 100]) < 0.0);
    }
}
