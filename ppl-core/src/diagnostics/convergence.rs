//! Whether chains agree, and how many independent draws they are worth: rank-normalized split R-hat and effective sample sizes.

use crate::random::normal_quantile;

/// The rank-normalized split R-hat of some chains of one scalar, the larger of that of the draws and of their distances from the
/// median: below 1.01 the chains agree. `NaN` with fewer than four draws a chain.
///
/// # Source
/// Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Rank-normalization, folding, and localization, equations 3 and 14.
#[must_use]
pub fn r_hat(chains: &[Vec<f64>]) -> f64 {
    let halves = split(chains);
    let mut all: Vec<f64> = halves.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let median = match all.len() {
        0 => return f64::NAN,
        n if n % 2 == 1 => all[n / 2],
        n => 0.5 * (all[n / 2 - 1] + all[n / 2]),
    };
    let folded: Vec<Vec<f64>> = halves.iter().map(|half| half.iter().map(|x| (x - median).abs()).collect()).collect();
    basic_r_hat(&rank_normalized(&halves)).max(basic_r_hat(&rank_normalized(&folded)))
}

/// The effective sample size for the middle of the distribution: of the ranks.
///
/// # Source
/// As [`r_hat`], section 4.
#[must_use]
pub fn effective_sample_size(chains: &[Vec<f64>]) -> f64 {
    basic_effective_sample_size(&rank_normalized(&split(chains)))
}

/// The effective sample size for the tails: the smaller of those of the indicators of the 5 % and the 95 % quantile.
///
/// # Source
/// As [`r_hat`], section 4.3.
#[must_use]
pub fn tail_effective_sample_size(chains: &[Vec<f64>]) -> f64 {
    let halves = split(chains);
    let mut all: Vec<f64> = halves.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    if all.is_empty() {
        return f64::NAN;
    }
    let of = |p: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let quantile = all[((all.len() - 1) as f64 * p).floor() as usize];
        let below: Vec<Vec<f64>> =
            halves.iter().map(|half| half.iter().map(|x| f64::from(u8::from(*x <= quantile))).collect()).collect();
        basic_effective_sample_size(&below)
    };
    of(0.05).min(of(0.95))
}

/// Each chain in two halves; of an odd number of draws the middle one is left out.
fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    chains
        .iter()
        .flat_map(|chain| {
            let half = chain.len() / 2;
            [chain[..half].to_vec(), chain[chain.len() - half..].to_vec()]
        })
        .collect()
}

/// Each draw replaced by the normal quantile of its rank among all; ties share the mean of their ranks.
fn rank_normalized(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let length = chains.first().map_or(0, Vec::len);
    let all: Vec<f64> = chains.iter().flatten().copied().collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&a, &b| all[a].total_cmp(&all[b]));
    let mut scores = vec![0.0; all.len()];
    let mut first = 0;
    while first < order.len() {
        let mut last = first;
        while last + 1 < order.len() && all[order[last + 1]] == all[order[first]] {
            last += 1;
        }
        let rank = 0.5 * (first + last) as f64 + 1.0;
        let score = normal_quantile((rank - 0.375) / (all.len() as f64 + 0.25));
        order[first..=last].iter().for_each(|&i| scores[i] = score);
        first = last + 1;
    }
    scores.chunks(length.max(1)).map(<[f64]>::to_vec).collect()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    let own = mean(x);
    x.iter().map(|x| (x - own).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)
}

fn basic_r_hat(chains: &[Vec<f64>]) -> f64 {
    let n = chains.first().map_or(0, Vec::len) as f64;
    if n < 2.0 {
        return f64::NAN;
    }
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let within = chains.iter().map(|chain| variance(chain)).sum::<f64>() / chains.len() as f64;
    ((variance(&means) + within * (n - 1.0) / n) / within).sqrt()
}

/// Geyer's initial monotone sequence over the autocorrelations of all chains.
fn basic_effective_sample_size(chains: &[Vec<f64>]) -> f64 {
    let (m, n) = (chains.len(), chains.first().map_or(0, Vec::len));
    if n < 4 {
        return f64::NAN;
    }
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let autocovariance = |lag: usize| {
        let of = |(chain, mean): (&Vec<f64>, &f64)| {
            chain.iter().zip(&chain[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n as f64
        };
        chains.iter().zip(&means).map(of).sum::<f64>() / m as f64
    };
    let count = n as f64;
    let within = autocovariance(0) * count / (count - 1.0);
    let total = within * (count - 1.0) / count + if m > 1 { variance(&means) } else { 0.0 };
    if total == 0.0 {
        return (m * n) as f64;
    }
    let correlation = |lag: usize| 1.0 - (within - autocovariance(lag)) / total;
    // Sums of pairs of neighbours, as long as they are positive, made monotone.
    let (mut lag, mut sum, mut smallest) = (1, 0.0, f64::INFINITY);
    let mut pair = 1.0 + correlation(1);
    while lag + 2 < n && pair > 0.0 {
        smallest = smallest.min(pair);
        sum += smallest;
        pair = correlation(lag + 1) + correlation(lag + 2);
        lag += 2;
    }
    // The last even term improves the estimate where chains are antithetic.
    let last = if lag > 1 { correlation(lag - 1).max(0.0) } else { 0.0 };
    let tau = (2.0 * sum - 1.0 + last).max(1.0 / (m as f64 * count).log10());
    m as f64 * count / tau
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chains of an autoregression with numbers that any language can make.
    fn chains() -> Vec<Vec<f64>> {
        let mut state = 12345_u64;
        let mut uniform = || {
            state = (state * 1_103_515_245 + 12345) % 2_147_483_648;
            f64::from(u32::try_from(state).expect("below 2^31")) / 2_147_483_648.0 - 0.5
        };
        (0..4)
            .map(|_| {
                let mut x = 0.0;
                (0..200)
                    .map(|_| {
                        x = 0.6 * x + uniform();
                        x
                    })
                    .collect()
            })
            .collect()
    }

    /// `ArviZ` 0.23.4: `rhat`, `ess` (bulk) and `ess(method="tail")` of the same chains.
    #[test]
    fn chains_are_judged_as_arviz_does() {
        let chains = chains();
        for (found, expected, tolerance) in [
            (r_hat(&chains), 1.006_148_671_153_417_6, 1e-6),
            (effective_sample_size(&chains), 204.338_039_254_040_4, 1e-6),
            (tail_effective_sample_size(&chains), 445.634_833_146_260_6, 1e-6),
        ] {
            assert!((found - expected).abs() < tolerance, "{found}, ArviZ {expected}");
        }
    }

    #[test]
    fn chains_that_disagree_are_seen() {
        let mut chains = chains();
        chains[0].iter_mut().for_each(|x| *x += 2.0);
        assert!(r_hat(&chains) > 1.3);
        let mut wide = self::chains();
        wide[1].iter_mut().for_each(|x| *x *= 5.0);
        assert!(r_hat(&wide) > 1.05, "scales that differ are seen by the folded draws: {}", r_hat(&wide));
        assert!(r_hat(&[vec![1.0]]).is_nan() && effective_sample_size(&[vec![1.0, 2.0]]).is_nan());
    }
}
