//! The generalized Pareto distribution of what exceeds a cutoff: its fit to the right tail of some values, and its quantiles.

/// The most values of the right tail: `min(S / 5, 3 sqrt(S))`, rounded up (Vehtari et al. 2024).
pub(super) fn tail_length(values: usize) -> usize {
    let count = values as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let length = (0.2 * count).min(3.0 * count.sqrt()).ceil() as usize;
    length
}

/// The values above a cutoff.
#[derive(Debug)]
pub(super) struct Tail {
    /// Where they stand, from the smallest to the largest.
    pub(super) indices: Vec<usize>,
    /// The largest value below them.
    pub(super) cutoff: f64,
}

impl Tail {
    /// The right tail of some values, none of them `NaN`, above at least `floor`; values that equal the cutoff are not in it.
    pub(super) fn right(values: &[f64], floor: f64) -> Option<Self> {
        let below = values.len().checked_sub(tail_length(values.len()) + 1)?;
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.select_nth_unstable_by(below, |&a, &b| values[a].total_cmp(&values[b]));
        let cutoff = values[order[below]].max(floor);
        let mut indices: Vec<usize> = order[below + 1..].iter().copied().filter(|&i| values[i] > cutoff).collect();
        // Ties by place, so that the order is one alone.
        indices.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
        Some(Tail { indices, cutoff })
    }

    /// The distribution of the excesses over the cutoff; none of fewer than five.
    pub(super) fn fit(&self, values: &[f64]) -> Option<GeneralizedPareto> {
        let excesses: Vec<f64> = self.indices.iter().map(|&i| values[i] - self.cutoff).collect();
        (excesses.len() >= 5).then(|| GeneralizedPareto::fit(&excesses))
    }
}

/// `Pr(X > x) = (1 + shape x / scale)^(-1 / shape)` for positive `x`.
#[derive(Clone, Copy, Debug)]
pub(super) struct GeneralizedPareto {
    pub(super) shape: f64,
    pub(super) scale: f64,
}

impl GeneralizedPareto {
    /// Of positive excesses in ascending order: the posterior mean of Zhang & Stephens 2009, with the weak prior on the shape
    /// of Vehtari et al. 2024, which is worth ten observations at one half.
    fn fit(excesses: &[f64]) -> Self {
        let n = excesses.len();
        let count = n as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
        let grid = 30 + count.sqrt().floor() as usize;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let quartile = excesses[((count / 4.0 + 0.5).floor() as usize).max(1) - 1].max(1e-300);
        // `b` is minus the shape over the scale.
        let candidates: Vec<f64> = (1..=grid)
            .map(|j| 1.0 / excesses[n - 1] + (1.0 - (grid as f64 / (j as f64 - 0.5)).sqrt()) / 3.0 / quartile)
            .collect();
        let shape_of = |b: f64| excesses.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / count;
        let profile: Vec<f64> = candidates
            .iter()
            .map(|&b| {
                let shape = shape_of(b);
                count * ((-b / shape).ln() - shape - 1.0)
            })
            .collect();
        let weights: Vec<f64> =
            profile.iter().map(|own| 1.0 / profile.iter().map(|other| (other - own).exp()).sum::<f64>()).collect();
        let total: f64 = weights.iter().filter(|w| w.is_finite()).sum();
        let b = candidates.iter().zip(&weights).filter(|(_, w)| w.is_finite()).map(|(b, w)| b * w / total).sum::<f64>();
        let shape = shape_of(b);
        GeneralizedPareto { shape: (shape * count + 0.5 * 10.0) / (count + 10.0), scale: -shape / b }
    }

    /// The quantile of a probability.
    pub(super) fn quantile(self, probability: f64) -> f64 {
        let survival = (-probability).ln_1p();
        if self.shape.abs() < f64::EPSILON {
            return -self.scale * survival;
        }
        self.scale * (-self.shape * survival).exp_m1() / self.shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_shape_one_are_those_of_the_closed_form() {
        // x = scale ((1 - p)^-1 - 1) / 1, and for shape zero x = -scale ln(1 - p).
        let heavy = GeneralizedPareto { shape: 1.0, scale: 2.0 };
        assert!((heavy.quantile(0.75) - 6.0).abs() < 1e-12);
        let exponential = GeneralizedPareto { shape: 0.0, scale: 2.0 };
        assert!((exponential.quantile(0.5) - 2.0 * 2.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn the_tail_is_sorted_and_leaves_ties_with_the_cutoff_out() {
        let mut values = vec![1.0; 30];
        values[3] = 5.0;
        values[20] = 2.0;
        let tail = Tail::right(&values, 0.0).unwrap();
        assert_eq!((tail.indices, tail.cutoff), (vec![20, 3], 1.0));
        assert!(Tail::right(&[], 0.0).is_none());
    }
}
