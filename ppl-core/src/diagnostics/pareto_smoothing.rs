//! Pareto-smoothed importance sampling: weights whose largest are replaced by the quantiles of the distribution fitted to them.

use super::pareto_k::generalized_pareto;

/// Normalized importance weights, and how far to trust them.
#[derive(Clone, Debug, PartialEq)]
pub struct Smoothed {
    /// The logarithms of the weights, which sum to one.
    pub log_weights: Vec<f64>,
    /// The Pareto shape of the ratios; `NaN` with too few of them, and then nothing was smoothed.
    pub pareto_k: f64,
}

impl Smoothed {
    /// The number of equally weighted draws that would say as much: `1 / sum of squared weights`.
    #[must_use]
    pub fn effective_sample_size(&self) -> f64 {
        1.0 / self.log_weights.iter().map(|w| (2.0 * w).exp()).sum::<f64>()
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        self.log_weights.iter().map(|w| w.exp()).collect()
    }

    /// How often each draw is taken when `count` are resampled: systematically, so that a draw of weight `w` is taken `count w` times
    /// but for one. `start` in `[0, 1)` says where the comb begins.
    ///
    /// # Source
    /// Kitagawa 1996, Monte Carlo filter and smoother, appendix.
    #[must_use]
    pub fn resample(&self, count: usize, start: f64) -> Vec<usize> {
        let (mut sum, mut taken) = (0.0, 0);
        let last = self.log_weights.len().saturating_sub(1);
        let mut counts = vec![0; self.log_weights.len()];
        for (i, w) in self.log_weights.iter().enumerate() {
            sum += w.exp();
            while taken < count && (i == last || taken as f64 + start < sum * count as f64) {
                counts[i] += 1;
                taken += 1;
            }
        }
        counts
    }
}

/// Smooths the importance ratios `log p - log q` of some draws.
///
/// # Source
/// Vehtari, Simpson, Gelman, Yao & Gabry 2024, Pareto smoothed importance sampling, algorithm 1.
#[must_use]
pub fn smooth(log_ratios: &[f64]) -> Smoothed {
    let mut log_weights = log_ratios.to_vec();
    // A ratio that is no number has no weight.
    log_weights.iter_mut().filter(|w| w.is_nan()).for_each(|w| *w = f64::NEG_INFINITY);
    let fitted = generalized_pareto(&log_weights);
    if let Some(tail) = &fitted
        && tail.shape.is_finite()
    {
        let mut order: Vec<usize> = (0..log_weights.len()).collect();
        order.sort_by(|&a, &b| log_weights[a].total_cmp(&log_weights[b]));
        let count = tail.count;
        for (rank, &i) in order[order.len() - count..].iter().enumerate() {
            let p = (rank as f64 + 0.5) / count as f64;
            // Of weights relative to the largest, so that none exceeds one.
            let quantile = tail.cutoff + tail.scale * ((-tail.shape * (-p).ln_1p()).exp_m1()) / tail.shape;
            log_weights[i] = tail.largest + quantile.ln().min(0.0);
        }
    }
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = log_weights.iter().map(|w| (w - largest).exp()).sum();
    log_weights.iter_mut().for_each(|w| *w -= largest + sum.ln());
    Smoothed { log_weights, pareto_k: fitted.map_or(f64::NAN, |tail| tail.shape) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_weights_become_quantiles_and_the_others_keep_their_ratios() {
        // A Pareto tail of shape 0.6, shuffled.
        let n = 1000_u32;
        let ratios: Vec<f64> = (0..n).map(|i| -0.6 * (1.0 - (f64::from(i * 377 % n) + 0.5) / f64::from(n)).ln()).collect();
        let smoothed = smooth(&ratios);
        assert!((smoothed.pareto_k - 0.6).abs() < 0.1, "{}", smoothed.pareto_k);
        assert!((smoothed.weights().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let (a, b) = (0, 500);
        assert!(ratios[a] < 1.0 && ratios[b] < 1.0);
        assert!(((smoothed.log_weights[a] - smoothed.log_weights[b]) - (ratios[a] - ratios[b])).abs() < 1e-12);
        // The tail is that of the same distribution, so that its quantiles are near the ratios themselves.
        let at = ratios.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        let lost = (smoothed.log_weights[at] - smoothed.log_weights[a]) - (ratios[at] - ratios[a]);
        assert!(lost <= 1e-12 && lost > -0.3, "{lost}");
    }

    /// Shapes and log weights of `ArviZ` 0.23.4 (`arviz.psislw`) for the same ratios.
    #[test]
    fn shapes_and_weights_are_those_of_arviz() {
        let n = 400_u32;
        let ratios = |light: bool| -> Vec<f64> {
            (0..n)
                .map(|i| {
                    let (wave, share) = ((1.0 + 1.7 * f64::from(i)).sin(), (f64::from(i * 37 % n) + 0.5) / f64::from(n));
                    if light { 1.5 * wave + 0.8 * (3.0 * share).ln_1p() } else { -0.8 * (-share).ln_1p() + 0.2 * wave }
                })
                .collect()
        };
        let arviz = [
            (
                true,
                -0.414_210_376_126_194_27,
                [
                    -5.955_240_716_425_622,
                    -6.381_102_831_186_125,
                    -7.917_311_061_802_96,
                    -4.985_329_996_989_228,
                    -5.193_603_301_797_506_5,
                ],
            ),
            (
                false,
                0.770_851_569_375_490_7,
                [
                    -7.169_992_211_224_698,
                    -7.175_058_999_410_231,
                    -6.856_802_639_532_834,
                    -6.584_646_138_407_193_5,
                    -5.328_940_884_368_412,
                ],
            ),
        ];
        for (light, k, expected) in arviz {
            let smoothed = smooth(&ratios(light));
            assert!((smoothed.pareto_k - k).abs() < 1e-9, "{} {k}", smoothed.pareto_k);
            for (at, expected) in [0, 1, 17, 200, 399].into_iter().zip(expected) {
                assert!((smoothed.log_weights[at] - expected).abs() < 1e-9, "{at}: {} {expected}", smoothed.log_weights[at]);
            }
        }
    }

    #[test]
    fn equal_ratios_have_equal_weights_and_a_ratio_that_is_no_number_none() {
        let smoothed = smooth(&[0.3; 100]);
        assert!((smoothed.effective_sample_size() - 100.0).abs() < 1e-9);
        let some = smooth(&[0.0, f64::NAN, 0.0]);
        assert_eq!(some.weights(), [0.5, 0.0, 0.5]);
        assert!(some.pareto_k.is_nan());
    }

    #[test]
    fn resampling_takes_a_draw_as_often_as_its_weight_says() {
        let smoothed = Smoothed { log_weights: [0.5_f64, 0.25, 0.125, 0.125].map(f64::ln).to_vec(), pareto_k: 0.1 };
        assert_eq!(smoothed.resample(8, 0.5), [4, 2, 1, 1]);
        assert_eq!(smoothed.resample(3, 0.9).iter().sum::<usize>(), 3);
    }

    #[test]
    fn a_weighted_mean_is_that_of_the_target() {
        // Draws of Normal(0, 1), target Normal(0.5, 1): log ratio 0.5 x - 1/8.
        let mut x = vec![0.0_f64; 4096];
        crate::random::antithetic_normals(3, 4096, &mut x);
        let smoothed = smooth(&x.iter().map(|x| 0.5 * x - 0.125).collect::<Vec<_>>());
        let mean: f64 = x.iter().zip(smoothed.weights()).map(|(x, w)| x * w).sum();
        assert!((mean - 0.5).abs() < 0.06, "{mean}");
    }
}
