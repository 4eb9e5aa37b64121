//! The summary of a fit: a table of scalars, the ELBO, and what to think of it.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use super::params::{Param, Table};
use crate::diagnostics::{CORRECTABLE, StopReason, Tried, Weighted};

/// The posterior of one scalar, by draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scalar {
    /// The name of the element: `theta[3]`.
    pub name: String,
    /// The name of its array: `theta`.
    pub variable: String,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
    /// The 5, 25, 50, 75 and 95 % quantiles.
    pub quantiles: [f64; 5],
}

impl Scalar {
    /// Of equally weighted draws.
    #[must_use]
    pub fn of(name: String, variable: &str, draws: &[f64]) -> Self {
        Scalar::weighted(name, variable, draws, &vec![1.0; draws.len()])
    }

    /// Of draws and a weight for each, not all zero.
    #[must_use]
    pub fn weighted(name: String, variable: &str, draws: &[f64], weights: &[f64]) -> Self {
        let Weighted { mean, sd, quantiles } = Weighted::of(draws, weights);
        Scalar { name, variable: variable.to_owned(), mean, sd, quantiles }
    }
}

/// What a fit says of itself; `Display` prints it.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The model.
    pub model: String,
    /// Every scalar.
    pub scalars: Vec<Scalar>,
    /// Arrays that are too long for the table: name and length.
    pub hidden: Vec<(String, usize)>,
    /// The parameters, element after element.
    pub params: Vec<Param>,
    /// The ELBO in nats and its standard error.
    pub elbo: (f64, f64),
    /// The Pareto shape of the importance weights.
    pub pareto_k: f64,
    /// Whether some latents are discrete and drawn: neither mixtures nor chains take these.
    pub discrete: bool,
    /// If the table is of importance-weighted draws: how many equally weighted ones say as much, and how many there are.
    pub weighted: Option<(f64, usize)>,
    /// How many times as far as by the guide these draws were spread.
    pub widening: f64,
    /// Why the fit stopped.
    pub stop_reason: StopReason,
    /// The families of guides that were tried.
    pub tried: Vec<Tried>,
    /// How many steps were taken.
    pub steps: usize,
    /// How long they took.
    pub seconds: f64,
    /// What happened on the way.
    pub notes: Vec<String>,
}

/// Elements of one array that the printed table shows.
const SHOWN: usize = 40;

impl Summary {
    /// What to think of the fit, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        let k = self.pareto_k;
        if k.is_nan() {
            "the guide could not be compared with the posterior".to_owned()
        } else if k < 0.5 && self.widening > 1.0 {
            "good: weighted draws cover the posterior, whose tails are heavier than those of the guide".to_owned()
        } else if k < 0.5 {
            "good: the guide covers the posterior".to_owned()
        } else if k < CORRECTABLE {
            "ok: means and scales can be used; tails may be too light".to_owned()
        } else {
            let advice = if self.discrete {
                "sum a discrete latent that has bounds out instead of drawing it, `sum k in K ~ .. { .. }`: its values and what they depend on are \
                 independent in the guide"
            } else {
                "try `Family::Mixture { components: 16, full_rank: true }`, or put the fit beside `check_with_nuts`"
            };
            format!(
                "do not trust the scales: the posterior has tails or bends that the guide misses, and the means are better than the standard \
                 deviations; {advice}"
            )
        }
    }
}

/// A number with about four digits.
pub(super) fn number(x: f64) -> String {
    let magnitude = x.abs();
    if x == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&magnitude) {
        let decimals = if magnitude >= 100.0 {
            1
        } else if magnitude >= 10.0 {
            2
        } else {
            3
        };
        format!("{x:.decimals$}")
    } else {
        format!("{x:.2e}")
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mut rows = vec![["", "mean", "sd", "5 %", "50 %", "95 %"].map(str::to_owned)];
        let mut shown = (String::new(), 0);
        let mut left_out: Vec<(String, usize)> = Vec::new();
        for scalar in &self.scalars {
            if shown.0 != scalar.variable {
                shown = (scalar.variable.clone(), 0);
            }
            shown.1 += 1;
            if shown.1 > SHOWN {
                match left_out.last_mut() {
                    Some((name, count)) if *name == scalar.variable => *count += 1,
                    _ => left_out.push((scalar.variable.clone(), 1)),
                }
                continue;
            }
            let [low, _, middle, _, high] = scalar.quantiles;
            rows.push([scalar.name.clone(), number(scalar.mean), number(scalar.sd), number(low), number(middle), number(high)]);
        }
        let widths: Vec<usize> = (0..6).map(|c| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0)).collect();
        writeln!(f, "{}", self.model)?;
        // Maximum likelihood: nothing was drawn.
        let drawn = !(self.scalars.is_empty() && self.hidden.is_empty());
        for row in rows.iter().filter(|_| drawn) {
            write!(f, "  {:<width$}", row[0], width = widths[0])?;
            for (cell, width) in row[1..].iter().zip(&widths[1..]) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        for (name, count) in &left_out {
            writeln!(f, "  .. and {count} more of `{name}`: `fit.scalar(\"{name}[..]\")`, or `fit.draws(&model, n)`")?;
        }
        for (name, count) in &self.hidden {
            writeln!(
                f,
                "  `{name}` has {count} elements: `fit.summary_of(&model, \"{name}\")`, or `fit.draws_of(&model, n, &[\"{name}\"])`"
            )?;
        }
        write!(f, "{}", Table(&self.params))?;
        writeln!(f)?;
        if let Some(best) = self.tried.iter().max_by(|a, b| a.elbo.total_cmp(&b.elbo)) {
            write!(f, "  Guide     {}", best.family)?;
            for other in self.tried.iter().filter(|other| *other != best) {
                write!(f, " ({}: ELBO {:.3}, Pareto k {:.2})", other.family, other.elbo, other.pareto_k)?;
            }
            writeln!(f)?;
        }
        writeln!(f, "  ELBO      {:.3} +- {:.3} nats", self.elbo.0, self.elbo.1)?;
        if drawn {
            writeln!(f, "  Pareto k  {:.2}, {}", self.pareto_k, self.verdict())?;
        }
        if let (Some((effective, draws)), true) = (self.weighted, drawn) {
            let spread =
                if self.widening > 1.0 { format!("spread {:.2} times as far, and ", self.widening) } else { String::new() };
            writeln!(
                f,
                "  Draws     {spread}corrected by Pareto-smoothed importance weights, {effective:.0} effective of {draws}"
            )?;
        }
        writeln!(f, "  Steps     {} in {:.3} s, {}", self.steps, self.seconds, self.stop_reason)?;
        for note in &self.notes {
            writeln!(f, "  Note      {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_evenly_spaced_draws_are_where_they_should_be() {
        let scalar = Scalar::of("x".to_owned(), "x", &(0..101).map(f64::from).collect::<Vec<_>>());
        assert!((scalar.mean - 50.0).abs() < 1e-12);
        assert_eq!(scalar.quantiles, [5.0, 25.0, 50.0, 75.0, 95.0]);
    }
}
