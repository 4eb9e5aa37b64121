//! Inference that is written for this one model: normals of variance one around means with a normal prior, all equally probable.
//!
//! Each of the three is what a person derives and writes by hand; the black box knows none of it.

use ndarray::{Array2, ArrayView1};
use ppl_core::random::uniform;

/// What is known of the means and of the rows.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The means: `[component][axis]`.
    pub(crate) means: Array2<f64>,
    /// The variance of each mean; zero for a point.
    pub(crate) variances: Vec<f64>,
    /// The probability of each component, row by row.
    pub(crate) probabilities: Array2<f64>,
    /// The ELBO, or of points the log density, in nats.
    pub(crate) value: f64,
    /// Passes over the data.
    pub(crate) passes: usize,
}

/// Data, and the scale of the prior of the means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem<'a> {
    pub(crate) x: &'a Array2<f64>,
    pub(crate) spread: f64,
}

/// The change of the value at which a method is done, in nats.
const DONE: f64 = 1e-8;
/// The most passes.
const MOST: usize = 5000;

impl Problem<'_> {
    /// The probabilities of the components of a row given the means, and the logarithm of their sum.
    fn probabilities(&self, row: &ArrayView1<'_, f64>, known: &Known) -> (Vec<f64>, f64) {
        let axes = self.x.ncols() as f64;
        let log = |k: usize| {
            let squares: f64 = row.iter().zip(known.means.row(k)).map(|(x, m)| (x - m).powi(2)).sum();
            -(known.means.nrows() as f64).ln() - 0.5 * (axes * (std::f64::consts::TAU.ln() + known.variances[k]) + squares)
        };
        let logs: Vec<f64> = (0..known.means.nrows()).map(log).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        (logs.iter().map(|log| (log - most).exp() / total).collect(), most + total.ln())
    }

    /// Sets the probabilities of all rows to the best ones, and the value to that of the whole.
    fn assign(&self, known: &mut Known) {
        known.value = 0.0;
        for (n, row) in self.x.rows().into_iter().enumerate() {
            let (own, log) = self.probabilities(&row, known);
            known.probabilities.row_mut(n).iter_mut().zip(own).for_each(|(to, p)| *to = p);
            known.value += log;
        }
        // The prior of the means, and the entropy where they are distributed.
        let prior = self.spread * self.spread;
        for (mean, variance) in known.means.rows().into_iter().zip(&known.variances) {
            for m in mean {
                known.value -= 0.5 * ((std::f64::consts::TAU * prior).ln() + (m * m + variance) / prior);
                if *variance > 0.0 {
                    known.value += 0.5 * (1.0 + (std::f64::consts::TAU * variance).ln());
                }
            }
        }
    }

    fn begin(&self, start: &Array2<f64>) -> Known {
        let (rows, values) = (self.x.nrows(), start.nrows());
        let probabilities = Array2::zeros((rows, values));
        Known { means: start.clone(), variances: vec![0.0; values], probabilities, value: f64::NEG_INFINITY, passes: 0 }
    }

    /// Passes until the value no longer changes; `distributed` tells whether the means have variances.
    fn ascend(&self, start: &Array2<f64>, distributed: bool) -> Known {
        let mut known = self.begin(start);
        loop {
            let before = known.value;
            self.assign(&mut known);
            known.passes += 1;
            if (known.value - before).abs() < DONE || known.passes == MOST {
                return known;
            }
            let sums = known.probabilities.t().dot(self.x);
            for k in 0..start.nrows() {
                let variance = 1.0 / (self.spread.powi(-2) + known.probabilities.column(k).sum());
                known.means.row_mut(k).assign(&(&sums.row(k) * variance));
                known.variances[k] = if distributed { variance } else { 0.0 };
            }
        }
    }

    /// Expectation maximization: the most probable means (Dempster, Laird & Rubin 1977).
    pub(crate) fn expectation_maximization(&self, start: &Array2<f64>) -> Known {
        self.ascend(start, false)
    }

    /// Coordinate ascent on the ELBO of independent factors (Blei, Kucukelbir & `McAuliffe` 2017, algorithm 2).
    pub(crate) fn coordinate_ascent(&self, start: &Array2<f64>) -> Known {
        self.ascend(start, true)
    }

    /// Stochastic variational inference: natural gradients over 64 rows, with steps `(t + 10)^-0.7` (Hoffman, Blei, Wang & Paisley 2013, figure 4).
    pub(crate) fn stochastic(&self, start: &Array2<f64>, steps: usize) -> Known {
        let (rows, batch) = (self.x.nrows(), 64.min(self.x.nrows()));
        let mut known = self.begin(start);
        // Natural parameters: precision, and precision times mean.
        let mut precisions = vec![rows as f64 / start.nrows() as f64; start.nrows()];
        let mut weighted = Array2::from_shape_fn(start.dim(), |(k, d)| precisions[k] * start[[k, d]]);
        for step in 0..steps {
            let (mut counts, mut sums) = (vec![0.0; start.nrows()], Array2::<f64>::zeros(start.dim()));
            for i in 0..batch {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row below the number of rows")]
                let row = (uniform(17, (step * batch + i) as u64) * rows as f64) as usize;
                let (own, _) = self.probabilities(&self.x.row(row), &known);
                for (k, p) in own.into_iter().enumerate() {
                    counts[k] += p;
                    sums.row_mut(k).scaled_add(p, &self.x.row(row));
                }
            }
            let (rho, scale) = ((step as f64 + 10.0).powf(-0.7), rows as f64 / batch as f64);
            for k in 0..start.nrows() {
                precisions[k] = (1.0 - rho) * precisions[k] + rho * (self.spread.powi(-2) + scale * counts[k]);
                known.variances[k] = 1.0 / precisions[k];
                for d in 0..start.ncols() {
                    weighted[[k, d]] = (1.0 - rho) * weighted[[k, d]] + rho * scale * sums[[k, d]];
                    known.means[[k, d]] = weighted[[k, d]] / precisions[k];
                }
            }
        }
        self.assign(&mut known);
        known.passes = (steps * batch).div_ceil(rows);
        known
    }
}
