//! Means, standard deviations and quantiles of weighted draws.

/// The posterior of one scalar, by weighted draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
    /// The 5, 25, 50, 75 and 95 % quantiles.
    pub quantiles: [f64; 5],
}

impl Weighted {
    /// Of a column of draws and a weight for each, not all zero; they need not sum to one. Not finite where the draws are not.
    #[must_use]
    pub(crate) fn of(column: &[f64], weights: &[f64]) -> Self {
        let mean = mean(column, weights);
        Weighted { mean, sd: sd(column, weights, mean), quantiles: quantiles(column, weights, LEVELS) }
    }
}

/// The quantiles of a summary.
const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// `sum_s w_s x_s / sum_s w_s`
pub(super) fn mean(column: &[f64], weights: &[f64]) -> f64 {
    column.iter().zip(weights).map(|(x, w)| w * x).sum::<f64>() / weights.iter().sum::<f64>()
}

/// `sqrt(sum_s w_s (x_s - mean)^2 / (W - sum_s w_s^2 / W))` with `W = sum_s w_s`: the sample standard deviation if all weights are equal.
pub(super) fn sd(column: &[f64], weights: &[f64], mean: f64) -> f64 {
    let (total, squares) = weights.iter().fold((0.0, 0.0), |(total, squares), w| (total + w, squares + w * w));
    let spread: f64 = column.iter().zip(weights).map(|(x, w)| w * (x - mean).powi(2)).sum();
    (spread / (total - squares / total)).sqrt()
}

/// The values in order stand at the middle of their weights, the first at probability zero and the last at one, with lines between.
pub(super) fn quantiles<const N: usize>(column: &[f64], weights: &[f64], probabilities: [f64; N]) -> [f64; N] {
    // Draws without weight have no place between the others.
    let mut points: Vec<(f64, f64)> = column.iter().copied().zip(weights.iter().copied()).filter(|(_, w)| *w > 0.0).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut reached = 0.0;
    let middles: Vec<f64> = points
        .iter()
        .map(|(_, w)| {
            reached += w;
            reached - 0.5 * w
        })
        .collect();
    let (Some(first), Some(last)) = (middles.first(), middles.last()) else { return [f64::NAN; N] };
    probabilities.map(|p| {
        let place = first + p * (last - first);
        let above = middles.partition_point(|&middle| middle < place).clamp(1, middles.len().max(2) - 1);
        let (Some(low), Some(high)) = (points.get(above - 1), points.get(above)) else { return points[0].0 };
        let fraction = (place - middles[above - 1]) / (middles[above] - middles[above - 1]);
        low.0 + (high.0 - low.0) * fraction.clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_of_weight_two_counts_as_two_draws_and_the_scale_of_weights_does_not_matter() {
        let (column, weights) = ([3.0, 1.0, 2.0, 7.0], [1.0, 2.0, 1.0, 0.0]);
        let found = Weighted::of(&column, &weights);
        // Of 1, 1, 2, 3 the mean is 7 / 4; W - sum w^2 / W = 4 - 6 / 4.
        assert_eq!(found.mean, 1.75);
        assert!((found.sd.powi(2) - (2.0 * 0.5625 + 0.0625 + 1.5625) / 2.5).abs() < 1e-12);
        let same = Weighted::of(&column, &weights.map(|w| 0.25 * w));
        assert_eq!(found, same);
        let equal = Weighted::of(&[4.0, 1.0, 2.0, 3.0], &[1.0; 4]);
        assert_eq!((equal.mean, equal.quantiles[2]), (2.5, 2.5));
        assert!((equal.sd.powi(2) - 5.0 / 3.0).abs() < 1e-12);
    }
}
