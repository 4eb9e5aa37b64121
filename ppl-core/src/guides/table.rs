//! A distribution of one discrete latent: a table of its values, which parameters tilt.

use serde::{Deserialize, Serialize};

/// Up to so many values each has a parameter of its own; more of them are tilted by two.
const EACH: usize = 16;
/// The most that a parameter is moved by at once, and that its changes are measured by.
const STEP: f64 = 4.0;
const CHANGE: f64 = 1e6;

/// `q(v) = softmax(base(v) + theta . t(v))` over consecutive values `v`: an exponential family, whose base is a first guess of `ln q`.
///
/// The statistics `t` of up to 16 values are one for each of them; of more values, the first two moments of the base: what one latent of many values says of its place
/// and of its spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The first value.
    first: f64,
    /// Unnormalized log probabilities, with `-inf` as the least number there is.
    base: Vec<f64>,
    /// Of many values: the mean and the standard deviation of the base.
    moments: Option<[f64; 2]>,
}

impl Table {
    /// The table of values from a first one on, with their unnormalized log probabilities; `-inf` where one is impossible.
    ///
    /// # Panics
    /// If no value is possible.
    #[must_use]
    pub fn new(first: f64, log_probs: &[f64]) -> Self {
        let most = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(most.is_finite(), "some value is possible");
        let base: Vec<f64> = log_probs.iter().map(|x| if x.is_nan() { f64::MIN } else { (x - most).max(f64::MIN) }).collect();
        let mut table = Table { first, base, moments: None };
        if table.base.len() > EACH {
            let probs = table.probs(&vec![0.0; table.base.len()]);
            let center = mean(&probs, |at| at as f64);
            let variance = mean(&probs, |at| (at as f64 - center).powi(2));
            // What is certain has the spread of a rounding.
            table.moments = Some([first + center, variance.sqrt().max(0.3)]);
        }
        table
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.len()
    }

    /// Whether there are none: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.base.is_empty()
    }

    /// The first value.
    #[must_use]
    pub fn first(&self) -> f64 {
        self.first
    }

    /// How many parameters tilt it.
    #[must_use]
    pub fn parameters(&self) -> usize {
        if self.moments.is_some() { 2 } else { self.base.len() }
    }

    /// The two statistics of a value among many: near the base uncorrelated, of variance one.
    fn statistics(&self, at: usize) -> [f64; 2] {
        let [mean, sd] = self.moments.unwrap_or([0.0, 1.0]);
        let t = (self.first + at as f64 - mean) / sd;
        [t, (t * t - 1.0) * std::f64::consts::FRAC_1_SQRT_2]
    }

    /// The log probabilities of all values, in nats.
    #[must_use]
    pub fn log_probs(&self, theta: &[f64]) -> Vec<f64> {
        let tilt = |at: usize| match self.moments {
            None => theta[at],
            Some(_) => self.statistics(at).iter().zip(theta).map(|(t, theta)| t * theta).sum(),
        };
        let mut all: Vec<f64> = self
            .base
            .iter()
            .enumerate()
            .map(|(at, base)| if *base > f64::MIN { base + tilt(at) } else { f64::NEG_INFINITY })
            .collect();
        let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = all.iter().map(|x| (x - most).exp()).sum();
        let normalizer = most + total.ln();
        all.iter_mut().for_each(|x| *x -= normalizer);
        all
    }

    /// The probabilities of all values.
    #[must_use]
    pub fn probs(&self, theta: &[f64]) -> Vec<f64> {
        self.log_probs(theta).into_iter().map(f64::exp).collect()
    }

    /// Where a value stands in the table.
    #[must_use]
    pub fn place(&self, value: f64) -> Option<usize> {
        let at = value - self.first;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place that is one")]
        (at >= 0.0 && at < self.base.len() as f64 && at.fract() == 0.0).then_some(at as usize)
    }

    /// The value below which lies a probability: cumulative probabilities are given.
    #[must_use]
    pub fn quantile(&self, cumulative: &[f64], below: f64) -> f64 {
        let total = cumulative.last().copied().unwrap_or(1.0);
        let at = cumulative.partition_point(|sum| *sum <= below * total);
        self.first + at.min(self.base.len() - 1) as f64
    }

    /// Adds to `gradient` the derivative by the parameters of `sum of weights(v) ln q(v)`.
    pub fn pull(&self, probs: &[f64], weights: &[f64], gradient: &mut [f64]) {
        let total: f64 = weights.iter().sum();
        let each = weights.iter().zip(probs).map(|(weight, prob)| weight - total * prob);
        if self.moments.is_none() {
            gradient.iter_mut().zip(each).for_each(|(g, x)| *g += x);
            return;
        }
        for (at, x) in each.enumerate().filter(|(_, x)| *x != 0.0) {
            gradient.iter_mut().zip(self.statistics(at)).for_each(|(g, t)| *g += t * x);
        }
    }

    /// The inverse square roots of the Fisher information of the parameters, but steps that are no leaps.
    pub fn units(&self, probs: &[f64], units: &mut [f64]) {
        self.tolerances(probs, units);
        units.iter_mut().for_each(|unit| *unit = unit.min(STEP));
    }

    /// The inverse square roots of the Fisher information of the parameters: of what is all but certain they are large.
    pub fn tolerances(&self, probs: &[f64], units: &mut [f64]) {
        let unit = |variance: f64| variance.max(0.0).sqrt().recip().min(CHANGE);
        if self.moments.is_none() {
            units.iter_mut().zip(probs).for_each(|(u, p)| *u = unit(p * (1.0 - p)));
            return;
        }
        for (k, u) in units.iter_mut().enumerate() {
            let center = mean(probs, |at| self.statistics(at)[k]);
            *u = unit(mean(probs, |at| (self.statistics(at)[k] - center).powi(2)));
        }
    }

    /// The entropy in nats; its derivative by the parameters is added to `gradient`.
    pub fn entropy(&self, log_probs: &[f64], gradient: Option<&mut [f64]>) -> f64 {
        let probs: Vec<f64> = log_probs.iter().map(|x| x.exp()).collect();
        let entropy = -mean(&probs, |at| log_probs[at]);
        if let Some(gradient) = gradient {
            // d H / d theta = -Cov(t, ln q).
            let weights: Vec<f64> =
                probs.iter().zip(log_probs).map(|(p, ln)| if *p > 0.0 { -p * (ln + entropy) } else { 0.0 }).collect();
            self.pull(&probs, &weights, gradient);
        }
        entropy
    }
}

/// The mean of a number for each place.
fn mean(probs: &[f64], of: impl Fn(usize) -> f64) -> f64 {
    probs.iter().enumerate().map(|(at, prob)| if *prob > 0.0 { prob * of(at) } else { 0.0 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of few values and one of many, with parameters.
    fn all() -> [(Table, Vec<f64>); 2] {
        let few = Table::new(2.0, &[0.3, f64::NEG_INFINITY, -1.0, 0.5]);
        let log_poisson = |v: u32| f64::from(v) * 3.0 - (1..=v).map(|k| f64::from(k).ln()).sum::<f64>();
        let many = Table::new(4.0, &(4..60).map(log_poisson).collect::<Vec<_>>());
        [(few, vec![0.2, 0.0, -0.4, 0.1]), (many, vec![0.3, -0.2])]
    }

    #[test]
    fn probabilities_sum_to_one_and_what_is_impossible_stays_so() {
        for (table, theta) in all() {
            assert!((table.probs(&theta).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let (few, theta) = &all()[0];
        assert_eq!(few.probs(theta)[1], 0.0);
        // e^0.5, e^-1.4 and e^0.6 over their sum.
        let sum = 0.5_f64.exp() + (-1.4_f64).exp() + 0.6_f64.exp();
        assert!((few.probs(theta)[3] - 0.6_f64.exp() / sum).abs() < 1e-12);
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        for (table, theta) in all() {
            let weights: Vec<f64> =
                table.probs(&theta).iter().enumerate().map(|(at, p)| if *p > 0.0 { (at as f64).sin() } else { 0.0 }).collect();
            let value = |theta: &[f64]| -> [f64; 2] {
                let ln = table.log_probs(theta);
                let weighted = weights.iter().zip(&ln).map(|(w, ln)| if *w == 0.0 { 0.0 } else { w * ln }).sum();
                [weighted, table.entropy(&ln, None)]
            };
            let mut found = [vec![0.0; theta.len()], vec![0.0; theta.len()]];
            table.pull(&table.probs(&theta), &weights, &mut found[0]);
            table.entropy(&table.log_probs(&theta), Some(&mut found[1]));
            for k in 0..theta.len() {
                let at = |h: f64| {
                    let mut moved = theta.clone();
                    moved[k] += h;
                    value(&moved)
                };
                let (above, below) = (at(1e-5), at(-1e-5));
                for which in 0..2 {
                    let numeric = (above[which] - below[which]) / 2e-5;
                    assert!((numeric - found[which][k]).abs() < 1e-7, "{which} {k}: {numeric} {}", found[which][k]);
                }
            }
        }
    }

    #[test]
    fn units_are_those_of_the_fisher_information() {
        for (table, theta) in all() {
            let probs = table.probs(&theta);
            let mut units = vec![0.0; theta.len()];
            table.units(&probs, &mut units);
            for (k, unit) in units.iter().enumerate() {
                // The variance of the score of a value.
                let information: f64 = (0..table.len())
                    .filter(|at| probs[*at] > 0.0)
                    .map(|at| {
                        let mut one = vec![0.0; table.len()];
                        one[at] = 1.0;
                        let mut score = vec![0.0; theta.len()];
                        table.pull(&probs, &one, &mut score);
                        probs[at] * score[k].powi(2)
                    })
                    .sum();
                if information > 0.1 {
                    assert!((unit - information.sqrt().recip()).abs() < 1e-9, "{unit} {information}");
                }
            }
        }
    }

    #[test]
    fn quantiles_are_values_of_the_table() {
        let table = Table::new(3.0, &[0.0, 0.0, 0.0, 0.0]);
        let cumulative = [0.25, 0.5, 0.75, 1.0];
        let drawn = [0.0, 0.24, 0.26, 0.51, 0.999, 1.0].map(|below| table.quantile(&cumulative, below));
        assert_eq!(drawn, [3.0, 3.0, 4.0, 5.0, 6.0, 6.0]);
    }
}
