//! Chains as their diagnostics see them: cut in halves, and replaced by the normal scores of their ranks.

use crate::random::normal_quantile;

/// The fewest draws of a chain that can be diagnosed.
const FEWEST: usize = 4;

/// The first and the last half of each chain, the middle draw of an odd length left out; none if the chains are too short,
/// not of one length, or not finite.
///
/// A chain that drifts has halves that differ, as two chains do that have not met.
pub(super) fn halves<C: AsRef<[f64]>>(chains: &[C]) -> Option<Vec<Vec<f64>>> {
    let draws = chains.first()?.as_ref().len();
    let good = |chain: &C| chain.as_ref().len() == draws && chain.as_ref().iter().all(|x| x.is_finite());
    if draws < FEWEST || !chains.iter().all(good) {
        return None;
    }
    let half = draws / 2;
    Some(chains.iter().map(AsRef::as_ref).flat_map(|chain| [chain[..half].to_vec(), chain[draws - half..].to_vec()]).collect())
}

/// Whether all draws of all chains are the same number.
pub(super) fn constant(chains: &[Vec<f64>]) -> bool {
    let mut draws = chains.iter().flatten();
    let first = draws.next();
    draws.all(|x| Some(x) == first)
}

/// The normal scores of the ranks among all draws, ties sharing their mean rank: `Phi^-1((rank - 3/8) / (count + 1/4))`.
pub(super) fn normal_scores(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let flat: Vec<f64> = chains.concat();
    let count = flat.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| flat[a].total_cmp(&flat[b]));
    let mut scores = vec![0.0; count];
    let mut begin = 0;
    while begin < count {
        let tied = order[begin..].iter().take_while(|&&i| flat[i] == flat[order[begin]]).count();
        // Ranks count from one: those of a tie are begin + 1 to begin + tied.
        let rank = begin as f64 + f64::midpoint(1.0, tied as f64);
        let score = normal_quantile((rank - 0.375) / (count as f64 + 0.25));
        order[begin..begin + tied].iter().for_each(|&i| scores[i] = score);
        begin += tied;
    }
    let mut rest = scores.as_slice();
    let mut own = |chain: &Vec<f64>| {
        let (first, other) = rest.split_at(chain.len());
        rest = other;
        first.to_vec()
    };
    chains.iter().map(&mut own).collect()
}

/// The mean, and the variance with the divisor `n - 1`.
pub(super) fn moments(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    (mean, draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

/// The quantile of sorted draws, linear between them.
pub(super) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let at = probability * (sorted.len() - 1) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let low = at.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * at.fract()
}

/// Chains for the tests of the diagnostics, made alike here and where the reference numbers come from.
#[cfg(test)]
pub(super) mod examples {
    /// `x[t] = correlation * x[t - 1] + noise`, plus `shift` times the number of the chain. The noise is the sum of four
    /// uniform numbers, each less one half, of the generator `s = (1103515245 s + 12345) mod 2^31`.
    pub(crate) fn autoregressive(chains: usize, draws: usize, correlation: f64, shift: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut state = seed;
        let mut make = |chain: usize| {
            let mut x = 0.0;
            let mut next = || {
                let mut noise = 0.0;
                for _ in 0..4 {
                    state = (state * 1_103_515_245 + 12345) % 2_147_483_648;
                    noise += state as f64 / 2_147_483_648.0 - 0.5;
                }
                x = correlation * x + noise;
                x + shift * chain as f64
            };
            (0..draws).map(|_| next()).collect()
        };
        (0..chains).map(&mut make).collect()
    }

    #[test]
    fn the_chains_are_those_of_the_reference_numbers() {
        let chains = autoregressive(4, 200, 0.5, 0.0, 1);
        assert_eq!((chains[0][0], chains[3][199]), (-0.467_203_215_695_917_6, -0.522_363_817_388_408_9));
    }
}
