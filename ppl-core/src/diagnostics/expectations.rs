//! Expectations under the weights of draws: moments and quantiles, and whether the weights serve them.

use super::generalized_pareto::Tail;
use super::weighted::{mean, quantiles, sd};
use super::{DiagnosticError, PsisWeights, Weighted};

impl PsisWeights {
    /// The mean, the standard deviation and the quantiles of a column of draws under the weights.
    ///
    /// # Errors
    /// [`DiagnosticError::Length`] unless there is a value for each weight, [`DiagnosticError::NotFinite`] if one is not finite.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::diagnostics::PsisWeights;
    /// let column: Vec<f64> = (0..101).map(f64::from).collect();
    /// let weighted = PsisWeights::new(&[0.0; 101])?.summarize(&column)?;
    /// assert!((weighted.mean - 50.0).abs() < 1e-9);
    /// assert!((weighted.quantiles[0] - 5.0).abs() < 1e-9);
    /// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
    /// ```
    pub fn summarize(&self, column: &[f64]) -> Result<Weighted, DiagnosticError> {
        self.check(column)?;
        Ok(Weighted::of(column, &self.weights()))
    }

    /// `sum_s w_s x_s`.
    ///
    /// # Errors
    /// As of [`PsisWeights::summarize`].
    pub fn mean(&self, column: &[f64]) -> Result<f64, DiagnosticError> {
        self.check(column)?;
        Ok(mean(column, &self.weights()))
    }

    /// `sqrt(sum_s w_s (x_s - mean)^2 / (1 - sum_s w_s^2))`, the sample standard deviation if all weights are equal; `NaN` if one
    /// draw has all the weight.
    ///
    /// # Errors
    /// As of [`PsisWeights::summarize`].
    pub fn sd(&self, column: &[f64]) -> Result<f64, DiagnosticError> {
        self.check(column)?;
        let weights = self.weights();
        Ok(sd(column, &weights, mean(column, &weights)))
    }

    /// Quantiles: the values in order stand at the middle of their weights, the first of them at probability zero and the last at
    /// one, with straight lines between; the usual sample quantiles if all weights are equal.
    ///
    /// # Errors
    /// As of [`PsisWeights::summarize`]; [`DiagnosticError::Probability`] if one is not between zero and one.
    pub fn quantiles<const N: usize>(&self, column: &[f64], probabilities: [f64; N]) -> Result<[f64; N], DiagnosticError> {
        self.check(column)?;
        if let Some(index) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(DiagnosticError::Probability { index, value: probabilities[index] });
        }
        Ok(quantiles(column, &self.weights(), probabilities))
    }

    /// The Pareto shape that decides whether the weighted mean of a column can be trusted: the largest of those of the ratios `r`
    /// that the weights were made of, and of both tails of `h r`, where `h` is the column less its weighted mean.
    ///
    /// For the standard deviation, give the squared distances from the mean.
    ///
    /// # Source
    /// Vehtari et al. 2024, diagnostics of expectations. There `h` is not centred; here it is, so that the shape does not change
    /// with the origin.
    ///
    /// # Errors
    /// As of [`PsisWeights::summarize`], and [`DiagnosticError::Length`] unless there is a log ratio for each weight.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::diagnostics::PsisWeights;
    /// // Equal weights, and values with light tails.
    /// let column: Vec<f64> = (0..200).map(f64::from).collect();
    /// let ratios = [0.0; 200];
    /// assert!(PsisWeights::new(&ratios)?.expectation_pareto_k(&column, &ratios)? < 0.5);
    /// # Ok::<(), ppl_core::diagnostics::DiagnosticError>(())
    /// ```
    pub fn expectation_pareto_k(&self, column: &[f64], log_ratios: &[f64]) -> Result<f64, DiagnosticError> {
        let mean = self.mean(column)?;
        if log_ratios.len() != column.len() {
            return Err(DiagnosticError::Length { quantity: "log ratios", expected: column.len(), got: log_ratios.len() });
        }
        let largest = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let products: Vec<f64> = column.iter().zip(log_ratios).map(|(x, r)| (x - mean) * (r - largest).exp()).collect();
        let mirrored: Vec<f64> = products.iter().map(|x| -x).collect();
        let shape = |tail: &[f64]| {
            let found = Tail::right(tail, f64::NEG_INFINITY).and_then(|found| found.fit(tail));
            // A constant has no tail.
            found.map_or(f64::NEG_INFINITY, |fitted| fitted.shape)
        };
        Ok(self.pareto_k.max(shape(&products)).max(shape(&mirrored)))
    }

    fn check(&self, column: &[f64]) -> Result<(), DiagnosticError> {
        let draws = self.log_weights.len();
        if column.len() != draws {
            return Err(DiagnosticError::Length { quantity: "values", expected: draws, got: column.len() });
        }
        match column.iter().position(|x| !x.is_finite()) {
            Some(draw) => Err(DiagnosticError::NotFinite { quantity: "the value", draw, value: column[draw] }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(of: impl Fn(f64) -> f64) -> PsisWeights {
        PsisWeights::new(&(0..1000).map(|i| of(f64::from(i) / 999.0)).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn weights_that_fall_linearly_turn_a_uniform_into_a_beta() {
        // Uniform draws weighted by 1 - x are draws of Beta(1, 2): mean 1/3, variance 1/18, median 1 - sqrt(1/2).
        let column: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
        let weights = PsisWeights::new(&column.iter().map(|x| (1.0 - x).ln()).collect::<Vec<_>>()).unwrap();
        let weighted = weights.summarize(&column).unwrap();
        assert!((weighted.mean - 1.0 / 3.0).abs() < 2e-3, "{weighted:?}");
        assert!((weighted.sd - (1.0_f64 / 18.0).sqrt()).abs() < 2e-3, "{weighted:?}");
        assert!((weighted.quantiles[2] - (1.0 - 0.5_f64.sqrt())).abs() < 2e-3, "{weighted:?}");
    }

    #[test]
    fn quantiles_are_ordered_within_the_column_and_draws_without_weight_do_not_move_them() {
        let column: Vec<f64> = (0..1000).map(|i| f64::from(i * 379 % 1000)).collect();
        let found = weights(|x| 4.0 * x).quantiles(&column, [0.0, 0.1, 0.5, 0.9, 1.0]).unwrap();
        assert!(found.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!((found[0], found[4]), (0.0, 999.0));
        let half = |i: usize| if i < 500 { 0.0 } else { f64::NEG_INFINITY };
        let ratios: Vec<f64> = (0..1000).map(half).collect();
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let found = PsisWeights::new(&ratios).unwrap().summarize(&values).unwrap();
        assert!((found.quantiles[2] - 249.5).abs() < 1e-9 && (found.mean - 249.5).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn columns_of_another_length_and_values_that_are_not_finite_are_refused() {
        let weights = weights(|x| x);
        assert!(matches!(weights.summarize(&[1.0]), Err(DiagnosticError::Length { expected: 1000, got: 1, .. })));
        let mut column = vec![0.0; 1000];
        column[17] = f64::NAN;
        assert!(matches!(weights.mean(&column), Err(DiagnosticError::NotFinite { draw: 17, .. })));
        assert!(matches!(weights.quantiles(&[0.0; 1000], [1.5]), Err(DiagnosticError::Probability { index: 0, .. })));
    }
}
