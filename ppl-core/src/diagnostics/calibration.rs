//! Variational simulation-based calibration: where true parameters lie among the draws of fits to data simulated from them.

use super::DiagnosticError;

/// The part of draws below the truth, those that equal it counted half; `NaN` without draws.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::rank_probability;
/// assert_eq!(rank_probability(2.0, [1.0, 2.0, 3.0, 0.0]), 0.625);
/// ```
#[must_use]
pub fn rank_probability(truth: f64, draws: impl IntoIterator<Item = f64>) -> f64 {
    let (mut halves, mut count) = (0_u32, 0_u32);
    for draw in draws {
        count += 1;
        halves += 2 * u32::from(draw < truth) + u32::from(draw == truth);
    }
    f64::from(halves) / f64::from(2 * count)
}

/// Whether rank probabilities are symmetric about one half, as they are if the posterior mean of a parameter is right on average.
///
/// The statistic is that of Kolmogorov and Smirnov between the probabilities and their mirror images,
/// `sup_x |F(x) - F'(x)|` with `F'` of `1 - p`. The two samples are not independent, so that the usual table rejects about twice
/// too often; given the distances from one half the statistic is the farthest point of a random walk of fair signs, whose
/// distribution is computed exactly.
///
/// # Source
/// Yao, Vehtari, Simpson & Gelman 2018, Yes, but did it work?: evaluating variational inference, algorithm 2; the null
/// distribution: Butler 1969, A test for symmetry using the sample distribution function.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::Symmetry;
/// // Four of four above one half: D = 1, which two of the sixteen patterns of signs reach.
/// let symmetry = Symmetry::of(&[0.6, 0.7, 0.8, 0.9])?;
/// assert_eq!(symmetry.statistic, 1.0);
/// assert!((symmetry.p_value - 0.125).abs() < 1e-12);
/// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Symmetry {
    /// The largest distance of the two distribution functions, between zero and one.
    pub statistic: f64,
    /// The probability of so large a distance if the distribution is symmetric.
    pub p_value: f64,
}

impl Symmetry {
    /// Of rank probabilities, one for each replication.
    ///
    /// # Errors
    /// [`DiagnosticError::TooFewDraws`] without any, [`DiagnosticError::Probability`] if one is not between zero and one.
    pub fn of(probabilities: &[f64]) -> Result<Self, DiagnosticError> {
        if probabilities.is_empty() {
            return Err(DiagnosticError::TooFewDraws { quantity: "the test of symmetry", draws: 0, least: 1 });
        }
        if let Some(index) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(DiagnosticError::Probability { index, value: probabilities[index] });
        }
        let mut distances: Vec<f64> = probabilities.iter().map(|p| p - 0.5).filter(|x| *x != 0.0).collect();
        distances.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
        let (mut walk, mut farthest) = (0_isize, 0_usize);
        for (i, x) in distances.iter().enumerate() {
            walk += if *x > 0.0 { 1 } else { -1 };
            // Equal distances are one step of both distribution functions; `1e-12` is the rounding of `p - 0.5`.
            let tied = distances.get(i + 1).is_some_and(|next| x.abs() - next.abs() < 1e-12);
            if !tied {
                farthest = farthest.max(walk.unsigned_abs());
            }
        }
        let statistic = farthest as f64 / probabilities.len() as f64;
        Ok(Symmetry { statistic, p_value: reach_probability(distances.len(), farthest) })
    }
}

/// The probability that a walk of so many fair steps of length one gets at least so far from zero, on either side.
fn reach_probability(steps: usize, distance: usize) -> f64 {
    if distance == 0 {
        return 1.0;
    }
    // The places from `1 - distance` to `distance - 1`, with a wall on either side.
    let mut inside = vec![0.0; 2 * distance + 1];
    inside[distance] = 1.0;
    for _ in 0..steps {
        let mut next = vec![0.0; inside.len()];
        for at in 1..2 * distance {
            next[at] = 0.5 * (inside[at - 1] + inside[at + 1]);
        }
        inside = next;
    }
    1.0 - inside.iter().sum::<f64>()
}

/// The calibration of one scalar.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibratedScalar {
    /// The name of the element: `theta[3]`.
    pub name: String,
    /// Of each replication, the part of draws below the truth.
    pub probabilities: Vec<f64>,
    /// Whether they are symmetric about one half.
    pub symmetry: Symmetry,
}

impl CalibratedScalar {
    /// Of rank probabilities, one for each replication.
    ///
    /// # Errors
    /// As of [`Symmetry::of`].
    pub fn new(name: String, probabilities: Vec<f64>) -> Result<Self, DiagnosticError> {
        let symmetry = Symmetry::of(&probabilities)?;
        Ok(CalibratedScalar { name, probabilities, symmetry })
    }

    /// The mean of the probabilities: above one half if fits lie below the truth.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.probabilities.iter().sum::<f64>() / self.probabilities.len() as f64
    }

    /// The sample variance of the probabilities, times twelve: one if the widths of the fits are right, above one if they are
    /// too narrow, below one if they are too wide; `NaN` of a single replication.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.probabilities.iter().map(|p| (p - mean).powi(2)).sum();
        12.0 * squares / (self.probabilities.len() as f64 - 1.0)
    }
}

/// How well fits to simulated data find the parameters that the data were simulated from.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The name of the model.
    pub model: String,
    /// How many fits there are.
    pub replications: usize,
    /// The latents and quantities, in the order of the model.
    pub scalars: Vec<CalibratedScalar>,
    /// Why fits failed, one line for each that did; they are not among the replications.
    pub failures: Vec<String>,
}

impl Calibration {
    /// The scalars that fits put too low or too high: symmetry is rejected at 5 % among all scalars together (Bonferroni).
    pub fn biased(&self) -> impl Iterator<Item = &CalibratedScalar> {
        let level = 0.05 / self.scalars.len().max(1) as f64;
        self.scalars.iter().filter(move |scalar| scalar.symmetry.p_value < level)
    }

    /// The scalars whose fits are too narrow: their spread is four standard errors above one, `sqrt(0.8 / n)` each.
    pub fn narrow(&self) -> impl Iterator<Item = &CalibratedScalar> {
        let limit = 1.0 + 4.0 * (0.8 / self.replications.max(1) as f64).sqrt();
        self.scalars.iter().filter(move |scalar| scalar.spread() > limit)
    }

    /// Whether to believe fits of this model, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        let biased: Vec<String> = self
            .biased()
            .take(5)
            .map(|scalar| format!("`{}` too {}", scalar.name, if scalar.mean() > 0.5 { "low" } else { "high" }))
            .collect();
        let narrow: Vec<String> = self.narrow().take(5).map(|scalar| format!("`{}`", scalar.name)).collect();
        let and_more = |all: usize, shown: usize| if all > shown { format!(" and {} more", all - shown) } else { String::new() };
        let mut found = Vec::new();
        if !biased.is_empty() {
            found.push(format!("fits put {}{}", biased.join(", "), and_more(self.biased().count(), biased.len())));
        }
        if !narrow.is_empty() {
            found.push(format!("fits of {}{} are too narrow", narrow.join(", "), and_more(self.narrow().count(), narrow.len())));
        }
        if found.is_empty() {
            found.push(format!("no fit is off to one side or too narrow, as far as {} replications tell", self.replications));
        }
        found.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_null_distribution_is_that_of_all_patterns_of_signs() {
        let steps = 10;
        for distance in 0..=steps {
            let patterns = (0_u32..1 << steps).filter(|bits| {
                let mut walk = 0_i32;
                let farthest = (0..steps).map(|i| {
                    walk += if bits >> i & 1 == 1 { 1 } else { -1 };
                    walk.unsigned_abs()
                });
                farthest.max().unwrap_or(0) as usize >= distance
            });
            let expected = patterns.count() as f64 / f64::from(1 << steps);
            assert!((reach_probability(steps, distance) - expected).abs() < 1e-12, "{distance}: {expected}");
        }
    }

    #[test]
    fn the_statistic_is_the_distance_of_the_distribution_functions() {
        // scipy 1.17.1, `ks_2samp(p, 1 - p).statistic` of p = (0.37 j^2 + 0.11) mod 1 for j = 1 to 25, and of its square.
        let p: Vec<f64> = (1..=25).map(|j| (0.37 * f64::from(j * j) + 0.11) % 1.0).collect();
        let squared: Vec<f64> = p.iter().map(|p| p * p).collect();
        assert!((Symmetry::of(&p).unwrap().statistic - 0.28).abs() < 1e-12);
        assert!((Symmetry::of(&squared).unwrap().statistic - 0.6).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert!(matches!(Symmetry::of(&[]), Err(DiagnosticError::TooFewDraws { draws: 0, .. })));
        assert!(matches!(Symmetry::of(&[0.5, 1.5]), Err(DiagnosticError::Probability { index: 1, .. })));
        assert!(matches!(Symmetry::of(&[f64::NAN]), Err(DiagnosticError::Probability { index: 0, .. })));
        assert!(rank_probability(0.0, []).is_nan());
        // All at one half: nothing speaks against symmetry.
        assert_eq!(Symmetry::of(&[0.5; 9]).unwrap(), Symmetry { statistic: 0.0, p_value: 1.0 });
    }

    #[test]
    fn a_biased_scalar_is_named_with_its_direction_and_a_calibrated_one_is_not() {
        let uniform: Vec<f64> = (0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect();
        let low: Vec<f64> = uniform.iter().map(|p| p.sqrt()).collect();
        let calibration = Calibration {
            model: "M".to_owned(),
            replications: 100,
            scalars: vec![
                CalibratedScalar::new("a".to_owned(), uniform).unwrap(),
                CalibratedScalar::new("b".to_owned(), low).unwrap(),
            ],
            failures: Vec::new(),
        };
        assert_eq!(calibration.verdict(), "fits put `b` too low");
        assert!((calibration.scalars[0].spread() - 1.01).abs() < 1e-3);
        let ends: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 0.05 } else { 0.95 }).collect();
        let scalars = vec![CalibratedScalar::new("c".to_owned(), ends).unwrap()];
        assert_eq!(Calibration { scalars, ..calibration }.verdict(), "fits of `c` are too narrow");
    }
}
