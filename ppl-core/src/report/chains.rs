//! The table of draws by chains, with what is known of their convergence.

use std::fmt::{Display, Formatter};

use super::{Scalar, number};
use crate::diagnostics::{effective_sample_size, mean_effective_sample_size, r_hat, tail_effective_sample_size};

/// A scalar over all chains, and how far the chains agree about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainScalar {
    /// Mean, standard deviation and quantiles.
    pub scalar: Scalar,
    /// The Monte Carlo standard error of the mean, in units of the scalar; `NaN` if no draw differs.
    pub standard_error: f64,
    /// The rank-normalized split R-hat: at most 1.01 if the chains agree; `NaN` if no draw differs.
    pub r_hat: f64,
    /// The effective sample size of the middle of the distribution.
    pub effective_sample_size: f64,
    /// The effective sample size of its tails.
    pub tail_effective_sample_size: f64,
}

impl ChainScalar {
    /// Of the draws of all chains, one chain of `draws` after the other.
    #[must_use]
    pub fn of(name: String, variable: &str, values: &[f64], draws: usize) -> Self {
        let chains: Vec<&[f64]> = values.chunks(draws.max(1)).collect();
        let scalar = Scalar::of(name, variable, values);
        ChainScalar {
            standard_error: scalar.sd / mean_effective_sample_size(&chains).sqrt(),
            scalar,
            r_hat: r_hat(&chains),
            effective_sample_size: effective_sample_size(&chains),
            tail_effective_sample_size: tail_effective_sample_size(&chains),
        }
    }

    /// Whether all draws are one number, as of a quantity of data alone: there is nothing to diagnose.
    pub(crate) fn is_constant(&self) -> bool {
        self.r_hat.is_nan() && self.scalar.quantiles[0] == self.scalar.quantiles[4]
    }
}

/// What chains say of themselves; `Display` prints it.
#[derive(Clone, Debug)]
pub struct ChainSummary {
    /// The model.
    pub model: String,
    /// Every scalar.
    pub scalars: Vec<ChainScalar>,
    /// Arrays that are too long for the table: name and length.
    pub hidden: Vec<(String, usize)>,
    /// How many chains.
    pub chains: usize,
    /// The draws of all chains.
    pub draws: usize,
    /// Trajectories whose energy was not conserved.
    pub divergences: usize,
    /// Trajectories that ended at the most doublings, before they turned: right, but slow.
    pub cut_short: usize,
    /// The step size of each chain, in units of its metric.
    pub step_sizes: Vec<f64>,
    /// Gradients of the log density, those of the warmup included.
    pub evaluations: u64,
    /// How long sampling took.
    pub seconds: f64,
    /// What is to be told besides: how accurately differential equations were solved.
    pub notes: Vec<String>,
}

impl ChainSummary {
    /// Whether to believe the draws, and what to do if not, in one sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let trouble = self.disagreement().or_else(|| self.diverged());
        trouble.unwrap_or_else(|| "the chains agree, and the draws can be used".to_owned())
    }

    /// What the chains have not agreed on yet: an R-hat above 1.01, or an effective sample size below 400; none if they agree.
    #[must_use]
    pub fn disagreement(&self) -> Option<String> {
        // Constants have no R-hat, and must not hide those that have.
        let varying = || self.scalars.iter().filter(|own| !own.is_constant());
        if let Some(own) = varying().find(|own| own.r_hat.is_nan()) {
            return Some(format!("draws of `{}` are not finite: give it a narrower prior", own.scalar.name));
        }
        if let Some(own) = varying().max_by(|a, b| a.r_hat.total_cmp(&b.r_hat)).filter(|own| own.r_hat > 1.01) {
            let (name, r_hat) = (&own.scalar.name, own.r_hat);
            return Some(format!("the chains disagree about `{name}` (R-hat {r_hat:.3}): run them longer, or reparameterize"));
        }
        let smaller = |own: &ChainScalar| own.effective_sample_size.min(own.tail_effective_sample_size);
        let fewest = varying().map(|own| (own, smaller(own))).min_by(|a, b| a.1.total_cmp(&b.1));
        fewest
            .filter(|(_, size)| *size < 400.0)
            .map(|(own, size)| format!("`{}` has {size:.0} effective draws, and needs 400: raise `draws`", own.scalar.name))
    }

    /// How many trajectories diverged, and what to do about it; none if no one did.
    #[must_use]
    pub fn diverged(&self) -> Option<String> {
        let (diverged, draws) = (self.divergences, self.draws);
        (diverged > 0).then(|| {
            format!(
                "{diverged} of {draws} trajectories diverged, so that a narrow part of the posterior may be missing: \
                 raise `target_accept`, or write hierarchies non-centred"
            )
        })
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
        for (name, count) in &self.hidden {
            writeln!(f, "  `{name}` has {count} elements: `chains.draws()` has them all")?;
        }
        let steps = self.step_sizes.iter().map(|size| number(*size)).collect::<Vec<_>>().join(", ");
        writeln!(f, "\n  {} chains, {} draws, {} gradients in {:.2} s", self.chains, self.draws, self.evaluations, self.seconds)?;
        writeln!(
            f,
            "  Step sizes {steps}; {} trajectories cut short at `max_depth`; {} divergences",
            self.cut_short, self.divergences
        )?;
        for note in &self.notes {
            writeln!(f, "  Note: {note}")?;
        }
        writeln!(f, "  Verdict: {}", self.verdict())
    }
}
