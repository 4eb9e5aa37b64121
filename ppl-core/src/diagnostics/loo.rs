//! How well a model predicts what it has not seen: leave-one-out cross-validation by Pareto-smoothed importance sampling, and WAIC.

use super::{Smoothed, smooth};

/// Expected log predictive densities of the rows of the data, each as if it had been left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Loo {
    /// The names of the rows: statement and row.
    pub rows: Vec<String>,
    /// The log predictive density of each row given the others, in nats.
    pub pointwise: Vec<f64>,
    /// The Pareto shape of the importance ratios of each row: above 0.7 its value cannot be trusted.
    pub pareto_k: Vec<f64>,
    /// The log predictive density of each row given all, in nats.
    pub in_sample: Vec<f64>,
}

/// The widely applicable information criterion: what leave-one-out is approximated by from the variance of log densities.
#[derive(Clone, Debug, PartialEq)]
pub struct Waic {
    /// The log predictive density of each row, less the variance of its log density, in nats.
    pub pointwise: Vec<f64>,
    /// The variance of the log density of each row: above 0.4 its value cannot be trusted.
    pub variance: Vec<f64>,
}

/// The difference of two models of the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The expected log predictive density of the first less that of the second, in nats: above zero the first predicts better.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// Two models that cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a model of {first} rows cannot be compared with one of {second}: both must predict the same data")]
pub struct OtherRows {
    /// The rows of the first.
    pub first: usize,
    /// The rows of the second.
    pub second: usize,
}

/// `log sum exp`
fn log_sum_exp(x: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = x.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_finite() { largest + x.map(|x| (x - largest).exp()).sum::<f64>().ln() } else { largest }
}

/// The sum of pointwise values, and its standard error: the spread of the rows times the root of their number.
fn sum_and_error(pointwise: &[f64]) -> (f64, f64) {
    let n = pointwise.len() as f64;
    let (sum, mean) = (pointwise.iter().sum::<f64>(), pointwise.iter().sum::<f64>() / n);
    let variance = pointwise.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (sum, (n * variance).sqrt())
}

impl Loo {
    /// Of the log densities of each row (`[row][draw]`) and the importance ratios of the draws, `log p(theta, y) - log q(theta)` (zero for
    /// draws of the posterior itself): leaving a row out divides its density out of the ratio.
    ///
    /// # Source
    /// Vehtari, Gelman & Gabry 2017, Practical Bayesian model evaluation; ratios of approximate posteriors: Magnusson et al. 2019,
    /// equation 8.
    #[must_use]
    pub fn new(rows: Vec<String>, log_density: &[Vec<f64>], log_ratios: &[f64]) -> Self {
        let all = smooth(log_ratios);
        let (mut pointwise, mut pareto_k, mut in_sample) = (Vec::new(), Vec::new(), Vec::new());
        for own in log_density {
            let ratios: Vec<f64> = log_ratios.iter().zip(own).map(|(ratio, log_density)| ratio - log_density).collect();
            let without = smooth(&ratios);
            pareto_k.push(without.pareto_k);
            pointwise.push(predictive(&without, own));
            in_sample.push(predictive(&all, own));
        }
        Loo { rows, pointwise, pareto_k, in_sample }
    }

    /// The expected log predictive density of as many new rows, and its standard error, in nats.
    #[must_use]
    pub fn elpd(&self) -> (f64, f64) {
        sum_and_error(&self.pointwise)
    }

    /// The effective number of parameters: what is lost by leaving rows out.
    #[must_use]
    pub fn effective_parameters(&self) -> f64 {
        self.in_sample.iter().sum::<f64>() - self.pointwise.iter().sum::<f64>()
    }

    /// This model less another one of the same rows.
    ///
    /// # Errors
    /// [`OtherRows`].
    ///
    /// # Source
    /// Vehtari, Gelman & Gabry 2017, equation 24.
    pub fn compare(&self, other: &Loo) -> Result<Comparison, OtherRows> {
        if self.pointwise.len() != other.pointwise.len() {
            return Err(OtherRows { first: self.pointwise.len(), second: other.pointwise.len() });
        }
        let differences: Vec<f64> = self.pointwise.iter().zip(&other.pointwise).map(|(a, b)| a - b).collect();
        let (difference, standard_error) = sum_and_error(&differences);
        Ok(Comparison { difference, standard_error })
    }
}

/// `log sum of weight x density`
fn predictive(weights: &Smoothed, log_density: &[f64]) -> f64 {
    log_sum_exp(weights.log_weights.iter().zip(log_density).map(|(w, l)| w + l))
}

impl std::fmt::Display for Loo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (elpd, error) = self.elpd();
        writeln!(f, "  elpd      {elpd:.2} +- {error:.2} nats over {} rows", self.pointwise.len())?;
        writeln!(f, "  p         {:.2} effective parameters", self.effective_parameters())?;
        let mut bad: Vec<usize> = (0..self.pareto_k.len()).filter(|&i| self.pareto_k[i] > 0.7).collect();
        bad.sort_by(|&a, &b| self.pareto_k[b].total_cmp(&self.pareto_k[a]));
        if bad.is_empty() {
            return writeln!(f, "  Pareto k  below 0.7 for all rows: the estimate can be used");
        }
        writeln!(f, "  Pareto k  above 0.7 for {} rows, whose own values are too high: leave them out and fit again", bad.len())?;
        for i in bad.iter().take(5) {
            writeln!(f, "            {:.2} at {}", self.pareto_k[*i], self.rows[*i])?;
        }
        Ok(())
    }
}

impl Waic {
    /// Of the log densities of each row (`[row][draw]`) and the importance ratios of the draws.
    ///
    /// # Source
    /// Watanabe 2010; Vehtari, Gelman & Gabry 2017, equations 11 and 12.
    #[must_use]
    pub fn new(log_density: &[Vec<f64>], log_ratios: &[f64]) -> Self {
        let all = smooth(log_ratios);
        let weights = all.weights();
        let (mut pointwise, mut variances) = (Vec::new(), Vec::new());
        for own in log_density {
            let mean: f64 = own.iter().zip(&weights).map(|(l, w)| l * w).sum();
            let n = own.len() as f64;
            let variance = own.iter().zip(&weights).map(|(l, w)| w * (l - mean).powi(2)).sum::<f64>() * n / (n - 1.0).max(1.0);
            pointwise.push(predictive(&all, own) - variance);
            variances.push(variance);
        }
        Waic { pointwise, variance: variances }
    }

    /// The expected log predictive density, and its standard error, in nats.
    #[must_use]
    pub fn elpd(&self) -> (f64, f64) {
        sum_and_error(&self.pointwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log densities of eight rows under 400 draws, by a formula that any language can follow.
    fn log_density() -> Vec<Vec<f64>> {
        (0..8)
            .map(|row| {
                (0..400)
                    .map(|s| -1.0 - 0.1 * f64::from(row) + 0.5 * (1.0 + 1.7 * f64::from(s) + 0.9 * f64::from(row)).sin())
                    .collect()
            })
            .collect()
    }

    /// `ArviZ` 0.23.4: `loo` and `waic`, pointwise, of the same log likelihood.
    #[test]
    fn values_are_those_of_arviz() {
        let (rows, ratios) = (vec![String::new(); 8], vec![0.0; 400]);
        let loo = Loo::new(rows, &log_density(), &ratios);
        let (elpd, error) = loo.elpd();
        assert!(
            (elpd - (-11.292_295_019_477_574)).abs() < 1e-6
                && (error - 0.648_777_647_651_806_2).abs() < 0.08 * 0.648_777_647_651_806_2,
            "{elpd} {error}"
        );
        assert!((loo.effective_parameters() - 0.985_519_550_264_836_4).abs() < 1e-6, "{}", loo.effective_parameters());
        assert!(
            (loo.pointwise[3] - (-1.361_943_057_179_25)).abs() < 1e-7
                && (loo.pareto_k[3] - (-1.495_736_409_089_394_3)).abs() < 1e-7,
            "{:?}",
            loo.pareto_k
        );
        let waic = Waic::new(&log_density(), &ratios);
        assert!((waic.elpd().0 - (-11.306_821_574_862_907)).abs() < 0.003, "{:?}", waic.elpd());
    }

    #[test]
    fn models_of_other_rows_are_refused_and_the_same_model_is_no_better() {
        let loo = |n: usize| Loo::new(vec![String::new(); n], &log_density()[..n], &[0.0; 400]);
        assert_eq!(loo(8).compare(&loo(8)), Ok(Comparison { difference: 0.0, standard_error: 0.0 }));
        let error = loo(8).compare(&loo(7)).map_err(|error| error.to_string());
        assert_eq!(error, Err("a model of 8 rows cannot be compared with one of 7: both must predict the same data".to_owned()));
    }
}
