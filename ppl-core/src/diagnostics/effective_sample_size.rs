//! The effective sample size: how many independent draws would tell as much as those of correlated chains.

use super::chains::{constant, halves, moments, normal_scores, quantile};

/// The effective sample size of one scalar, a slice of draws a chain, in the order in which they were drawn: that of the normal
/// scores of their ranks, so that it says how well the chains know the middle of the distribution, also if it has no mean.
/// Below 400 it is too few.
///
/// `N / tau`, with `N` draws in all and the autocorrelation time `tau = 1 + 2 sum of rho[t]`, where the autocorrelations
/// `rho[t]` are those within the halves of chains, less what the halves differ, summed in pairs as long as these are positive,
/// each no larger than the last (Geyer 1992). At most `N log10 N`.
///
/// It is `NaN` if a chain has fewer than 4 draws, a draw is not finite, chains are not of one length, or no draw differs.
///
/// # Source
/// Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Rank-normalization, folding, and localization, equations 10 to 13 and
/// section 4.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::effective_sample_size;
/// // A chain that stays above and below for eight draws each: worth less than 64 independent draws.
/// let chain: Vec<f64> = (0..64).map(|i| f64::from(i / 8 % 2)).collect();
/// assert!(effective_sample_size(&[chain]) < 32.0);
/// ```
#[must_use]
pub fn effective_sample_size<C: AsRef<[f64]>>(chains: &[C]) -> f64 {
    halves(chains).filter(|halves| !constant(halves)).map_or(f64::NAN, |halves| of(&normal_scores(&halves)))
}

/// The effective sample size for the mean: the standard error of the mean of all draws is their standard deviation over the
/// square root of it.
///
/// As [`effective_sample_size`], of the draws themselves instead of their ranks; the distribution must have a variance.
#[must_use]
pub fn mean_effective_sample_size<C: AsRef<[f64]>>(chains: &[C]) -> f64 {
    halves(chains).filter(|halves| !constant(halves)).map_or(f64::NAN, |halves| of(&halves))
}

/// The effective sample size for the tails: the smaller of those for the 5 % and the 95 % quantile. Below 400 it is too few.
///
/// As [`effective_sample_size`], of the indicators of draws up to the quantile.
#[must_use]
pub fn tail_effective_sample_size<C: AsRef<[f64]>>(chains: &[C]) -> f64 {
    let Some(halves) = halves(chains).filter(|halves| !constant(halves)) else { return f64::NAN };
    let mut sorted: Vec<f64> = chains.iter().flat_map(|chain| chain.as_ref().iter().copied()).collect();
    sorted.sort_by(f64::total_cmp);
    let below = |probability| {
        let limit = quantile(&sorted, probability);
        let inside = |half: &Vec<f64>| half.iter().map(|&x| f64::from(u8::from(x <= limit))).collect();
        of(&halves.iter().map(inside).collect::<Vec<Vec<f64>>>())
    };
    below(0.05).min(below(0.95))
}

/// Of halves of chains as they are.
fn of(chains: &[Vec<f64>]) -> f64 {
    let n = chains[0].len();
    let all = (n * chains.len()) as f64;
    if constant(chains) {
        // An indicator that is true of all draws: nothing is left to be known.
        return all;
    }
    let (means, variances): (Vec<f64>, Vec<f64>) = chains.iter().map(|chain| moments(chain)).unzip();
    let within = variances.iter().sum::<f64>() / variances.len() as f64;
    let (_, between) = moments(&means);
    let total = within * (n as f64 - 1.0) / n as f64 + between;
    let centred: Vec<Vec<f64>> =
        chains.iter().zip(&means).map(|(chain, mean)| chain.iter().map(|x| x - mean).collect()).collect();
    let autocorrelation = |lag: usize| {
        let products = |chain: &Vec<f64>| chain.iter().zip(&chain[lag..]).map(|(a, b)| a * b).sum::<f64>();
        1.0 - (within - centred.iter().map(products).sum::<f64>() / all) / total
    };
    // The last pair is never whole: it is negative, or its sum is cut for want of lags; of it, an even lag above zero counts.
    let mut pair = (1.0, autocorrelation(1));
    let (mut sum, mut smallest) = (0.0, f64::INFINITY);
    let mut lag = 2;
    while lag + 2 < n && pair.0 + pair.1 > 0.0 {
        smallest = (pair.0 + pair.1).min(smallest);
        sum += smallest;
        pair = (autocorrelation(lag), autocorrelation(lag + 1));
        lag += 2;
    }
    let time = -1.0 + 2.0 * sum + pair.0.max(0.0);
    all / time.max(all.log10().recip())
}

#[cfg(test)]
mod tests {
    use super::super::chains::examples::autoregressive;
    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found / expected - 1.0).abs() < 1e-9
    }

    /// Numbers of `arviz.ess(x, method="bulk")`, `"tail"` and `"mean"`, `ArviZ` 0.23.4.
    #[test]
    fn effective_sample_sizes_are_those_of_arviz() {
        for (chains, bulk, tail, mean) in [
            (autoregressive(4, 200, 0.5, 0.0, 1), 326.984_893_950_267_4, 382.922_084_570_492_6, 329.385_646_491_554_04),
            (autoregressive(4, 200, 0.9, 0.3, 2), 22.413_497_101_003_42, 66.451_136_095_215_77, 21.807_494_432_308_538),
            (autoregressive(2, 101, 0.0, 0.0, 3), 219.018_788_424_543_89, 232.246_796_130_292_32, 211.624_826_603_449_15),
            (autoregressive(4, 100, -0.6, 0.0, 4), 1_040.823_996_531_185, 397.662_794_646_407_1, 1_040.823_996_531_185),
            (autoregressive(1, 400, 0.3, 0.0, 5), 133.022_750_380_806_68, 360.166_399_513_939_27, 130.077_200_793_097_57),
        ] {
            let found =
                (effective_sample_size(&chains), tail_effective_sample_size(&chains), mean_effective_sample_size(&chains));
            assert!(close(found.0, bulk) && close(found.1, tail) && close(found.2, mean), "{found:?} {bulk} {tail} {mean}");
        }
    }

    #[test]
    fn ties_and_heavy_tails_are_those_of_arviz() {
        let plain = autoregressive(4, 200, 0.5, 0.0, 1);
        let map =
            |f: fn(f64) -> f64| -> Vec<Vec<f64>> { plain.iter().map(|chain| chain.iter().map(|&x| f(x)).collect()).collect() };
        let ties = map(|x| (2.0 * x).round_ties_even());
        assert!(close(effective_sample_size(&ties), 341.430_276_275_974_96), "{}", effective_sample_size(&ties));
        assert!(close(tail_effective_sample_size(&ties), 510.873_036_784_334_6), "{}", tail_effective_sample_size(&ties));
        let heavy = map(|x| (5.0 * x).exp());
        assert!(close(effective_sample_size(&heavy), 326.984_893_950_267_4));
        assert!(close(tail_effective_sample_size(&heavy), 382.922_084_570_492_6));
    }

    /// The autocorrelation time of `x[t] = r x[t - 1] + noise` is `(1 + r) / (1 - r)`.
    #[test]
    fn the_autocorrelation_time_of_an_autoregression_is_found() {
        let chains = autoregressive(4, 20_000, 0.5, 0.0, 9);
        // Known to about five percent from so many draws.
        assert!(
            (mean_effective_sample_size(&chains) * 3.0 / 80_000.0 - 1.0).abs() < 0.1,
            "{}",
            mean_effective_sample_size(&chains)
        );
    }

    #[test]
    fn what_cannot_be_diagnosed_is_not_a_number() {
        assert!(effective_sample_size::<Vec<f64>>(&[]).is_nan());
        assert!(tail_effective_sample_size(&[[3.0; 10]; 2]).is_nan());
        assert!(mean_effective_sample_size(&[[1.0, f64::INFINITY, 2.0, 3.0]]).is_nan());
    }
}
