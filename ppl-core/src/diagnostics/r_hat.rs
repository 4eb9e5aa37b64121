//! R-hat: whether chains that started apart have come to the same distribution.

use super::chains::{constant, halves, moments, normal_scores, quantile};

/// The rank-normalized split R-hat of one scalar, a slice of draws a chain, in the order in which they were drawn.
///
/// The ratio of the standard deviation of all draws to that within chains: one if the chains agree. Draws above 1.01 should
/// not be used. It is the larger of two: one of the draws (do the chains agree on the location?) and one of their distances
/// from the median (on the scale?), `sqrt(((n - 1) / n W + B) / W)`, where `W` is the mean variance within the halves of
/// chains, `B` the variance of their means, `n` their length, and draws are replaced by the normal scores of their ranks.
///
/// It is `NaN` if a chain has fewer than 4 draws, a draw is not finite, chains are not of one length, or no draw differs.
/// One chain is compared with itself, half with half, which finds drifts only.
///
/// # Source
/// Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Rank-normalization, folding, and localization, equations 3, 4 and 14.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::r_hat;
/// // Two chains that never met.
/// let apart = [[0.0, 1.0, 0.0, 1.0, 0.0, 1.0], [5.0, 6.0, 5.0, 6.0, 5.0, 6.0]];
/// assert!(r_hat(&apart) > 1.5);
/// ```
#[must_use]
pub fn r_hat<C: AsRef<[f64]>>(chains: &[C]) -> f64 {
    let Some(halves) = halves(chains) else { return f64::NAN };
    if constant(&halves) {
        return f64::NAN;
    }
    let mut sorted = halves.concat();
    sorted.sort_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5);
    let folded: Vec<Vec<f64>> = halves.iter().map(|half| half.iter().map(|x| (x - median).abs()).collect()).collect();
    // Distances that are all alike (of two values) say nothing of scales: `max` passes over the `NaN`.
    ratio(&normal_scores(&halves)).max(ratio(&normal_scores(&folded)))
}

/// The ratio of the standard deviation of all draws to that within chains.
fn ratio(chains: &[Vec<f64>]) -> f64 {
    let (means, variances): (Vec<f64>, Vec<f64>) = chains.iter().map(|chain| moments(chain)).unzip();
    spread_ratio(chains[0].len() as f64, &means, &variances)
}

/// The same of chains of `n` draws each, from their means and variances.
pub(crate) fn spread_ratio(n: f64, means: &[f64], variances: &[f64]) -> f64 {
    let within = variances.iter().sum::<f64>() / variances.len() as f64;
    let (_, between) = moments(means);
    (((n - 1.0) / n * within + between) / within).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::chains::examples::autoregressive;
    use super::r_hat;

    /// Numbers of `arviz.rhat(x, method="rank")`, `ArviZ` 0.23.4.
    #[test]
    fn r_hat_is_that_of_arviz() {
        for (chains, expected) in [
            (autoregressive(4, 200, 0.5, 0.0, 1), 1.011_503_851_324_823_1),
            (autoregressive(4, 200, 0.9, 0.3, 2), 1.142_896_892_076_654_2),
            (autoregressive(2, 101, 0.0, 0.0, 3), 0.998_272_110_448_906_6),
            (autoregressive(4, 100, -0.6, 0.0, 4), 1.004_191_205_796_243_7),
        ] {
            assert!((r_hat(&chains) - expected).abs() < 1e-12, "{} {expected}", r_hat(&chains));
        }
    }

    #[test]
    fn ties_share_their_rank_as_in_arviz() {
        let mut chains = autoregressive(4, 200, 0.5, 0.0, 1);
        chains.iter_mut().flatten().for_each(|x| *x = (2.0 * *x).round_ties_even());
        assert!((r_hat(&chains) - 1.010_146_375_862_430_5).abs() < 1e-12, "{}", r_hat(&chains));
    }

    #[test]
    fn heavy_tails_do_not_matter() {
        let mut chains = autoregressive(4, 200, 0.5, 0.0, 1);
        let plain = r_hat(&chains);
        chains.iter_mut().flatten().for_each(|x| *x = (5.0 * *x).exp());
        // The location is that of ranks alone; the scale, which is not, is the smaller of the two here.
        assert!((r_hat(&chains) - plain).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_diagnosed_is_not_a_number() {
        assert!(r_hat::<Vec<f64>>(&[]).is_nan());
        assert!(r_hat(&[[1.0, 2.0, 3.0]]).is_nan(), "too short");
        assert!(r_hat(&[[1.0; 8]; 2]).is_nan(), "constant");
        assert!(r_hat(&[[1.0, 2.0, f64::NAN, 4.0]]).is_nan(), "not finite");
        assert!(r_hat(&[vec![0.0, 1.0, 2.0, 3.0], vec![0.0; 5]]).is_nan(), "lengths");
        assert_eq!(r_hat(&[[1.0; 8], [2.0; 8]]), f64::INFINITY, "two chains that never moved");
    }
}
