//! The table of draws by chains, with what is known of their convergence.

use std::fmt::{Display, Formatter};

use super::{Scalar, number};
use crate::diagnostics::{effective_sample_size, r_hat, tail_effective_sample_size};

/// A scalar over all chains, and how far the chains agree about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainScalar {
    /// Mean, standard deviation and quantiles.
    pub scalar: Scalar,
    /// The rank-normalized split R-hat: below 1.01 the chains agree.
    pub r_hat: f64,
    /// The effective sample size of the middle of the distribution.
    pub effective_sample_size: f64,
    /// The effective sample size of its tails.
    pub tail_effective_sample_size: f64,
}

impl ChainScalar {
    /// Of the draws of all chains, and of each.
    #[must_use]
    pub fn of(name: String, variable: &str, draws: Vec<f64>, chains: &[Vec<f64>]) -> Self {
        ChainScalar {
            scalar: Scalar::of(name, variable, draws),
            r_hat: r_hat(chains),
            effective_sample_size: effective_sample_size(chains),
            tail_effective_sample_size: tail_effective_sample_size(chains),
        }
    }
}

/// What chains say of themselves; `Display` prints it.
#[derive(Clone, Debug)]
pub struct ChainSummary {
    /// The model.
    pub model: String,
    /// Every scalar.
    pub scalars: Vec<ChainScalar>,
    /// Trajectories whose energy was not conserved.
    pub divergences: usize,
    /// The draws of all chains.
    pub draws: usize,
    /// How long sampling took.
    pub seconds: f64,
}

impl ChainSummary {
    /// Whether to believe the draws, in one sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let worst = |of: fn(&ChainScalar) -> f64| self.scalars.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
        if let Some(own) = worst(|scalar| scalar.r_hat).filter(|own| own.r_hat > 1.01) {
            let (name, r_hat) = (&own.scalar.name, own.r_hat);
            return format!("the chains disagree about `{name}` (R-hat {r_hat:.3}): run them longer, or reparameterize");
        }
        if self.divergences > 0 {
            return format!(
                "{} trajectories diverged: some part of the posterior is not reached; reparameterize",
                self.divergences
            );
        }
        if let Some(own) = worst(|s| -s.effective_sample_size).filter(|own| own.effective_sample_size < 400.0) {
            return format!("few effective draws of `{}` ({:.0}): run longer", own.scalar.name, own.effective_sample_size);
        }
        "the chains agree, and the draws can be used".to_owned()
    }
}

/// How many elements of an array are printed.
const SHOWN: usize = 8;

impl Display for ChainSummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.model)?;
        let width = self.scalars.iter().map(|own| own.scalar.name.chars().count()).max().unwrap_or(0).min(30);
        writeln!(
            f,
            "  {:<width$}  {:>9} {:>9} {:>9} {:>9} {:>7} {:>8} {:>8}",
            "", "mean", "sd", "5 %", "95 %", "R-hat", "ESS", "tail"
        )?;
        let mut shown = ("", 0);
        for own in &self.scalars {
            shown = if shown.0 == own.scalar.variable { (shown.0, shown.1 + 1) } else { (&own.scalar.variable, 1) };
            if shown.1 <= SHOWN {
                let s = &own.scalar;
                writeln!(
                    f,
                    "  {:<width$}  {:>9} {:>9} {:>9} {:>9} {:>7.3} {:>8.0} {:>8.0}",
                    s.name,
                    number(s.mean),
                    number(s.sd),
                    number(s.quantiles[0]),
                    number(s.quantiles[4]),
                    own.r_hat,
                    own.effective_sample_size,
                    own.tail_effective_sample_size
                )?;
            }
        }
        writeln!(f, "\n  {} draws in {:.2} s, {} divergences: {}", self.draws, self.seconds, self.divergences, self.verdict())
    }
}
