//! A fit beside the chains of the same model: by how many standard deviations it is off.

use super::{Nuts, sample_held};
use crate::fit::{Fit, FitError};
use crate::model::Model;
use crate::report::ChainSummary;

/// A scalar of a fit beside that of chains.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The name of the element: `theta[3]`.
    pub name: String,
    /// The mean of the fit less that of the chains, in standard deviations of the chains.
    pub error: f64,
    /// The Monte Carlo standard error of the chains' mean, in the same unit: what of the error may be theirs.
    pub standard_error: f64,
    /// The standard deviation of the fit over that of the chains.
    pub sd_ratio: f64,
}

impl Compared {
    /// How far the fit is off, by location or by scale: the larger of `|error|` and `|ln sd_ratio|`.
    #[must_use]
    pub fn distance(&self) -> f64 {
        self.error.abs().max(self.sd_ratio.ln().abs())
    }
}

/// How far a fit is from the draws of chains; `Display` prints it.
#[derive(Clone, Debug)]
pub struct NutsCheck {
    /// Scalar by scalar, the worst first; those that are one number in all draws are left out.
    pub scalars: Vec<Compared>,
    /// The chains, and whether they can be believed.
    pub chains: ChainSummary,
}

impl<M: Model> Fit<M> {
    /// Samples the posterior, parameters being held where the fit left them, and says by how much the fit is off.
    ///
    /// # Errors
    /// As [`sample_nuts`](super::sample_nuts), but for [`FitError::SamplerParameter`]; [`FitError::OtherSizes`].
    pub fn check_with_nuts(&self, model: &M, config: &Nuts) -> Result<NutsCheck, FitError> {
        let bound = self.bind(model)?;
        let chains = sample_held::<M>(&*bound, config, &self.held(&*bound)?)?.summary();
        let compare = |own: &crate::report::ChainScalar| {
            let theirs = &own.scalar;
            let fitted = self.scalar(&theirs.name)?;
            let error = (fitted.mean - theirs.mean) / theirs.sd;
            let standard_error = own.standard_error / theirs.sd;
            Some(Compared { name: theirs.name.clone(), error, standard_error, sd_ratio: fitted.sd / theirs.sd })
        };
        let varying = chains.scalars.iter().filter(|own| !own.is_constant());
        let mut scalars: Vec<Compared> = varying.filter_map(compare).collect();
        scalars.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        Ok(NutsCheck { scalars, chains })
    }
}

impl NutsCheck {
    /// What to think of the fit, in one sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        if let Some(disagreement) = self.chains.disagreement() {
            return format!("the fit cannot be judged by these chains: {disagreement}");
        }
        let error = self.scalars.iter().map(|own| own.error.abs()).fold(0.0, f64::max);
        let ratio = self.scalars.iter().map(|own| own.sd_ratio.ln().abs()).fold(0.0, f64::max).exp();
        let words = if error < 0.1 && ratio < 1.1 {
            "the fit agrees with the chains"
        } else if error < 0.3 {
            "the means of the fit are near those of the chains; its intervals are approximate"
        } else {
            "the fit is off: use the chains"
        };
        let but = self.chains.diverged().map_or(String::new(), |diverged| format!("; but {diverged}"));
        format!("largest error of a mean {error:.3} sd, largest ratio of sds {ratio:.2} (or one over it): {words}{but}")
    }
}

/// How many scalars are printed.
const SHOWN: usize = 10;

impl std::fmt::Display for NutsCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.scalars.iter().take(SHOWN).map(|own| own.name.chars().count()).max().unwrap_or(0);
        writeln!(f, "  {:<width$}  error of the mean / sd  +- of the chains  ratio of sds", "")?;
        for own in self.scalars.iter().take(SHOWN) {
            let Compared { name, error, standard_error, sd_ratio } = own;
            writeln!(f, "  {name:<width$}  {error:>22.3}  {standard_error:>16.3}  {sd_ratio:>12.3}")?;
        }
        if self.scalars.len() > SHOWN {
            writeln!(f, "  .. and {} more that are nearer", self.scalars.len() - SHOWN)?;
        }
        writeln!(f, "  Verdict: {}", self.verdict())
    }
}
