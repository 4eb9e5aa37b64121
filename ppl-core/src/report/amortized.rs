//! The summary of an amortized fit: what is the same for all rows, the bound, and how near the guide of the rows is to their posterior.

use std::fmt::{Display, Formatter};

use super::params::Table;
use super::{Param, Scalar, number};

/// The Pareto shapes of the importance weights of some rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowWeights {
    /// How many rows were looked at.
    pub rows: usize,
    /// The median of their shapes.
    pub median: f64,
    /// The largest.
    pub worst: f64,
    /// Of how many rows it is above 0.7, or not a number.
    pub bad: usize,
}

/// What an amortized fit says of itself; `Display` prints it. Bounds and divergences are means over rows, in nats.
#[derive(Clone, Debug)]
pub struct AmortizedSummary {
    /// The model.
    pub model: &'static str,
    /// The rows of data.
    pub rows: usize,
    /// How many of them were held out.
    pub held_out_rows: usize,
    /// The latents and quantities that are the same for all rows.
    pub scalars: Vec<Scalar>,
    /// The parameters that are the same for all rows.
    pub params: Vec<Param>,
    /// The bound over the last tenth of the epochs, and its standard error.
    pub bound: (f64, f64),
    /// Whether the bound still rose at the end.
    pub rises: bool,
    /// The bound of the rows held out.
    pub held_out: Option<f64>,
    /// The divergence of the guide from the prior.
    pub divergence: f64,
    /// Of each latent of rows, how many of its elements are used, and how many there are.
    pub active: Vec<(&'static str, usize, usize)>,
    /// How near the guide of rows is to their posterior; none where rows have no latents.
    pub weights: Option<RowWeights>,
    /// Why the fit stopped.
    pub stopped: String,
    /// How many epochs it took.
    pub epochs: usize,
    /// How many steps.
    pub steps: usize,
    /// How long.
    pub seconds: f64,
}

/// Scalars that the printed table shows.
const SHOWN: usize = 40;

impl AmortizedSummary {
    /// What to think of the fit, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        let guide = match self.weights {
            None => "rows have no latents: the bound is what was maximised".to_owned(),
            Some(RowWeights { rows, bad, .. }) if 20 * bad <= rows => {
                "good: the guide covers the posteriors of nearly all rows".to_owned()
            }
            Some(RowWeights { rows, bad, .. }) => format!(
                "the guide misses the posteriors of {bad} of {rows} rows: bounds are loose and draws of latents not to be trusted there; take a larger network \
                 for the guide, more epochs, or `AmortizedObjective::ImportanceWeighted`"
            ),
        };
        if self.rises {
            format!("the bound still rose at the end: take more `epochs`, or a larger `rate`; {guide}")
        } else {
            guide
        }
    }
}

impl Display for AmortizedSummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let of_held_out =
            if self.held_out_rows == 0 { String::new() } else { format!(", {} of them held out", self.held_out_rows) };
        writeln!(f, "{}: {} rows{of_held_out}", self.model, self.rows)?;
        if !self.scalars.is_empty() {
            let header = ["", "mean", "sd", "5 %", "50 %", "95 %"].map(str::to_owned);
            let row = |s: &Scalar| {
                let [low, _, middle, _, high] = s.quantiles;
                [s.name.clone(), number(s.mean), number(s.sd), number(low), number(middle), number(high)]
            };
            let rows: Vec<[String; 6]> = std::iter::once(header).chain(self.scalars.iter().take(SHOWN).map(row)).collect();
            let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..6).map(width).collect();
            writeln!(f)?;
            for row in &rows {
                write!(f, "  {:<width$}", row[0], width = widths[0])?;
                for column in 1..6 {
                    write!(f, "  {:>width$}", row[column], width = widths[column])?;
                }
                writeln!(f)?;
            }
            if let Some(left) = self.scalars.len().checked_sub(SHOWN).filter(|left| *left > 0) {
                writeln!(f, "  .. and {left} more: `fit.global_latents()`")?;
            }
        }
        write!(f, "{}", Table(&self.params))?;
        writeln!(f)?;
        let (bound, error) = self.bound;
        writeln!(f, "bound {} +- {} a row, divergence {}", number(bound), number(error), number(self.divergence))?;
        if let Some(held_out) = self.held_out {
            writeln!(f, "bound of the rows held out {}", number(held_out))?;
        }
        for (name, used, all) in &self.active {
            writeln!(f, "`{name}`: {used} of {all} units used")?;
        }
        if let Some(RowWeights { rows, median, worst, bad }) = self.weights {
            writeln!(f, "Pareto k of {rows} rows: median {median:.2}, largest {worst:.2}, above 0.7 in {bad}")?;
        }
        writeln!(f, "{} epochs, {} steps, {:.1} s: {}", self.epochs, self.steps, self.seconds, self.stopped)?;
        write!(f, "{}", self.verdict())
    }
}
