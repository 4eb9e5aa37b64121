//! Pareto-smoothed importance sampling: weights that turn draws of the guide into draws of the posterior, and whether they can.

use super::DiagnosticError;
use super::generalized_pareto::Tail;
use crate::random::step_key;

/// Fewer draws than this have too short a tail for a Pareto shape.
pub const LEAST_DRAWS: usize = 25;

/// The Pareto shape from which on weights cannot correct a guide with any number of draws that one would wait for.
///
/// # Source
/// Vehtari, Simpson, Gelman, Yao & Gabry 2024, Pareto smoothed importance sampling.
pub const CORRECTABLE: f64 = 0.7;

/// The shape `k` of the generalized Pareto distribution fitted to the largest importance weights; `NaN` with fewer than 25 of them.
///
/// Below 0.5 the weights have a finite variance; above 0.7 the guide misses mass of the posterior, and neither it nor
/// importance sampling from it should be trusted. Equal weights have no tail, and the shape `-inf`.
///
/// # Source
/// Vehtari, Simpson, Gelman, Yao & Gabry 2024, Pareto smoothed importance sampling; the fit: Zhang & Stephens 2009, with
/// the weak prior of the former.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::pareto_k;
/// // Quantiles of a Pareto distribution of shape 0.5, on the log scale.
/// let log_weights: Vec<f64> = (0..4000).map(|i| -0.5 * (1.0 - (f64::from(i) + 0.5) / 4000.0).ln()).collect();
/// assert!((pareto_k(&log_weights) - 0.5).abs() < 0.06);
/// ```
#[must_use]
pub fn pareto_k(log_weights: &[f64]) -> f64 {
    let mut known: Vec<f64> = log_weights.iter().copied().filter(|w| !w.is_nan()).collect();
    if known.len() < LEAST_DRAWS {
        return f64::NAN;
    }
    let largest = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        return f64::INFINITY;
    }
    smooth(&mut known, largest)
}

/// Weights of the tail, relative to the largest, that are so near each other differ by rounding alone.
const ALIKE: f64 = 1e-10;

/// The shape above which an estimate from `draws` weighted draws is not to be trusted: `min(1 - 1 / log10(draws), 0.7)`.
///
/// # Source
/// Vehtari et al. 2024, the threshold that depends on the sample size.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::pareto_k_threshold;
/// assert!((pareto_k_threshold(100) - 0.5).abs() < 1e-12);
/// assert!((pareto_k_threshold(4000) - 0.7).abs() < 1e-12);
/// ```
#[must_use]
pub fn pareto_k_threshold(draws: usize) -> f64 {
    (1.0 - 1.0 / (draws as f64).log10()).min(CORRECTABLE)
}

/// How many draws bring a shape below the threshold: `10^(1 / (1 - max(0, k)))`; infinite from a shape of one on.
///
/// # Source
/// Vehtari et al. 2024: the relation of [`pareto_k_threshold`], solved for the number of draws.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::draws_needed;
/// assert!((draws_needed(0.5) - 100.0).abs() < 1e-9);
/// assert!(draws_needed(1.2).is_infinite());
/// ```
#[must_use]
pub fn draws_needed(pareto_k: f64) -> f64 {
    if pareto_k >= 1.0 { f64::INFINITY } else { 10_f64.powf(1.0 / (1.0 - pareto_k.max(0.0))) }
}

/// Smooths the tail of log weights, none of them `NaN`, in place, and returns its shape; the largest becomes zero.
fn smooth(log_weights: &mut [f64], largest: f64) -> f64 {
    log_weights.iter_mut().for_each(|w| *w -= largest);
    let weights: Vec<f64> = log_weights.iter().map(|w| w.exp()).collect();
    let Some(tail) = Tail::right(&weights, f64::MIN_POSITIVE) else { return f64::NAN };
    if 1.0 - tail.cutoff < ALIKE {
        // The guide is the posterior, up to rounding.
        return f64::NEG_INFINITY;
    }
    // With fewer than five weights above the cutoff these few are everything.
    let Some(fitted) = tail.fit(&weights) else { return f64::INFINITY };
    if !fitted.shape.is_finite() {
        return f64::INFINITY;
    }
    let count = tail.indices.len() as f64;
    for (rank, &at) in tail.indices.iter().enumerate() {
        let smoothed = fitted.quantile((rank as f64 + 0.5) / count) + tail.cutoff;
        // No weight is made larger than the largest that was seen.
        log_weights[at] = smoothed.ln().min(0.0);
    }
    fitted.shape
}

/// Pareto-smoothed, normalized importance weights of draws.
///
/// With log ratios `r_s = log p(theta_s, y) - log q(theta_s)`, in nats and up to a constant, `sum_s w_s h(theta_s)` estimates
/// the posterior mean of `h`: the largest ratios are replaced by the expected order statistics of a generalized
/// Pareto distribution fitted to them, cut at the largest ratio, and all are divided by their sum.
///
/// # Source
/// Vehtari, Simpson, Gelman, Yao & Gabry 2024, Pareto smoothed importance sampling.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::PsisWeights;
/// // Draws of the posterior itself: every weight is 1 / 100.
/// let weights = PsisWeights::new(&[3.0; 100])?;
/// assert!((weights.log_weights[7] - 0.01_f64.ln()).abs() < 1e-12);
/// assert!((weights.effective_sample_size - 100.0).abs() < 1e-9);
/// assert!(weights.pareto_k < 0.0);
/// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PsisWeights {
    /// The logarithms of the weights, whose sum is one.
    pub log_weights: Vec<f64>,
    /// The shape of the tail of the ratios before they were smoothed: see [`pareto_k`].
    pub pareto_k: f64,
    /// `1 / sum_s w_s^2`: how many equally weighted draws are worth as much.
    pub effective_sample_size: f64,
}

impl PsisWeights {
    /// Of log ratios, one for each draw; a ratio of `-inf` is that of a draw without weight.
    ///
    /// # Errors
    /// [`DiagnosticError::TooFewDraws`] of fewer than 25, [`DiagnosticError::NotFinite`] if a ratio is `NaN` or `inf`,
    /// [`DiagnosticError::NoWeight`] if all are `-inf`.
    pub fn new(log_ratios: &[f64]) -> Result<Self, DiagnosticError> {
        let draws = log_ratios.len();
        if draws < LEAST_DRAWS {
            return Err(DiagnosticError::TooFewDraws { quantity: "Pareto smoothing", draws, least: LEAST_DRAWS });
        }
        if let Some(draw) = log_ratios.iter().position(|r| r.is_nan() || *r == f64::INFINITY) {
            return Err(DiagnosticError::NotFinite { quantity: "the log ratio", draw, value: log_ratios[draw] });
        }
        let largest = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return Err(DiagnosticError::NoWeight);
        }
        let mut log_weights = log_ratios.to_vec();
        let pareto_k = smooth(&mut log_weights, largest);
        let log_total = log_weights.iter().map(|w| w.exp()).sum::<f64>().ln();
        log_weights.iter_mut().for_each(|w| *w -= log_total);
        let squares: f64 = log_weights.iter().map(|w| (2.0 * w).exp()).sum();
        Ok(PsisWeights { log_weights, pareto_k, effective_sample_size: squares.recip() })
    }

    /// The weights, whose sum is one.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        self.log_weights.iter().map(|w| w.exp()).collect()
    }

    /// Whether the shape is below [`pareto_k_threshold`] of this number of draws.
    #[must_use]
    pub fn reliable(&self) -> bool {
        self.pareto_k <= pareto_k_threshold(self.log_weights.len())
    }

    /// Whether to believe what is computed with the weights, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        let needed = draws_needed(self.pareto_k);
        if self.reliable() {
            format!(
                "weighted draws can be believed: {:.0} of {} count in full",
                self.effective_sample_size,
                self.log_weights.len()
            )
        } else if self.pareto_k < CORRECTABLE {
            format!("there are too few draws for the tail of the weights: take {:.0} or more", needed.ceil())
        } else {
            "weights cannot mend this fit: the guide misses mass of the posterior".to_owned()
        }
    }

    /// The indices of `count` draws of equal weight, in ascending order: draw `s` appears `count w_s` times, rounded up or down,
    /// and that often on average, so that resampling adds no bias and less noise than independent choices.
    ///
    /// The seed decides the one random number that systematic resampling needs.
    ///
    /// # Source
    /// Kitagawa 1996, Monte Carlo filter and smoother, appendix (systematic resampling).
    ///
    /// # Examples
    /// ```
    /// use ppl_core::diagnostics::PsisWeights;
    /// // Of equal weights every draw appears once.
    /// let weights = PsisWeights::new(&[0.0; 50])?;
    /// assert_eq!(weights.resample(50, 7), (0..50).collect::<Vec<_>>());
    /// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
    /// ```
    #[must_use]
    pub fn resample(&self, count: usize, seed: u64) -> Vec<usize> {
        // 52 bits, centred in their cell: strictly between zero and one.
        let start = ((step_key(seed, count as u64) >> 12) as f64 + 0.5) * 2.220_446_049_250_313e-16;
        let weights = self.weights();
        let (mut draw, mut reached) = (0, weights.first().copied().unwrap_or(0.0));
        (0..count)
            .map(|i| {
                let position = (i as f64 + start) / count as f64;
                while reached < position && draw + 1 < weights.len() {
                    draw += 1;
                    reached += weights[draw];
                }
                draw
            })
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, reason = "printed by another program")]
mod tests;
