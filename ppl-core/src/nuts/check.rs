//! A fit beside the chains of the same model: by how many standard deviations it is off.

use super::{Nuts, sample_nuts};
use crate::fit::{Fit, FitError};
use crate::model::Model;
use crate::report::ChainSummary;

/// How far a fit is from the draws of chains, scalar by scalar, the worst first.
#[derive(Clone, Debug)]
pub struct NutsCheck {
    /// The name; the error of the mean, in standard deviations of the chains; the ratio of the fit's standard deviation to theirs.
    pub scalars: Vec<(String, f64, f64)>,
    /// The chains, and whether they can be believed.
    pub chains: ChainSummary,
}

impl<M: Model> Fit<M> {
    /// Samples the posterior, and says by how much the fit is off.
    ///
    /// # Errors
    /// As [`sample_nuts`].
    pub fn check_with_nuts(&self, model: &M, config: &Nuts) -> Result<NutsCheck, FitError> {
        let chains = sample_nuts(model, config)?.summary();
        let mut scalars: Vec<(String, f64, f64)> = chains
            .scalars
            .iter()
            .filter_map(|own| {
                let theirs = &own.scalar;
                let fitted = self.scalar(&theirs.name)?;
                Some((theirs.name.clone(), (fitted.mean - theirs.mean) / theirs.sd, fitted.sd / theirs.sd))
            })
            .collect();
        scalars.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        Ok(NutsCheck { scalars, chains })
    }
}

/// How many scalars are printed.
const SHOWN: usize = 10;

impl std::fmt::Display for NutsCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.scalars.iter().take(SHOWN).map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        writeln!(f, "  {:<width$}  error of the mean / sd  ratio of sds", "")?;
        for (name, error, ratio) in self.scalars.iter().take(SHOWN) {
            writeln!(f, "  {name:<width$}  {error:>22.3}  {ratio:>12.3}")?;
        }
        let worst = self.scalars.first().map_or(0.0, |scalar| scalar.1.abs());
        let verdict = match worst {
            x if x < 0.1 => "the fit agrees with the chains",
            x if x < 0.3 => "the means of the fit are near those of the chains; its intervals are approximate",
            _ => "the fit is off: use the chains",
        };
        writeln!(f, "  Largest error {worst:.3} sd: {verdict}")?;
        writeln!(f, "  Chains: {}", self.chains.verdict())
    }
}
