//! Which estimator of the gradient: for all latents, or for one by name.

use serde::{Deserialize, Serialize};

use crate::guides::Guide;
use crate::kernel::Real;

/// How the gradient of the ELBO in the parameters of a latent's guide is estimated; each block of a guide may have its own.
///
/// The variances of all of them at the same points stand at [`crate::estimators`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Estimator {
    /// Along the path of the draws, where they are a differentiable function of the guide's parameters: whole or without the derivative of `log q`, whichever
    /// is measured to be quieter. Else the score function with all that lessens its variance.
    #[default]
    Auto,
    /// Along the path of the draws, with the whole derivative: the reparameterization gradient.
    Reparameterization,
    /// As [`Estimator::Reparameterization`]; a mixture's samples then choose their component, and move with the parameters by implicit reparameterization, instead
    /// of being strata: with many times the noise, in steps a tenth as long, but bounds of several samples can be had of mixtures so.
    ImplicitReparameterization,
    /// Along the path of the draws, without the derivative of `log q` by its own parameters, which is zero on average.
    StickingTheLanding,
    /// `E[grad log q (log p - log q)]`: it needs no derivative of the model, and has far more variance. Of the ELBO alone.
    ScoreFunction {
        /// What a block's draws are weighed with.
        rao_blackwell: RaoBlackwell,
        /// What is subtracted.
        baseline: Baseline,
    },
}

impl Estimator {
    /// The score function with all that lessens its variance at next to no cost.
    pub const SCORE_FUNCTION: Estimator =
        Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::Measured, baseline: Baseline::LeaveOneOut };

    /// Whether it is the score function.
    #[must_use]
    pub fn is_score_function(self) -> bool {
        matches!(self, Estimator::ScoreFunction { .. })
    }
}

/// The estimator of each block of a guide: of the first of its dimensions that has another than [`Estimator::Auto`]; the score function where draws
/// have no path.
pub(crate) fn of_blocks<E: Real>(guide: &dyn Guide<E>, of: impl Fn(usize) -> Estimator) -> Vec<Estimator> {
    let first = |members: &Vec<usize>| members.iter().map(|&i| of(i)).find(|e| *e != Estimator::Auto).unwrap_or_default();
    let whole = |baseline| Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::Off, baseline };
    let possible = |(block, chosen): (usize, Estimator)| match chosen {
        _ if !chosen.is_score_function() && guide.has_path(block) => chosen,
        Estimator::ScoreFunction { baseline, .. } if !guide.is_last(block) => whole(baseline),
        Estimator::ScoreFunction { .. } => chosen,
        _ if guide.is_last(block) => Estimator::SCORE_FUNCTION,
        _ => whole(Baseline::LeaveOneOut),
    };
    guide.blocks().iter().map(first).enumerate().map(possible).collect()
}

/// Whether a block's draws are weighed only with what depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RaoBlackwell {
    /// With the whole `log p - log q`, whose noise goes to zero as the guide comes near the posterior.
    Off,
    /// With the factors of the block's Markov blanket and its own log q: far from the posterior, and without a baseline, much the quieter.
    ///
    /// # Source
    /// Ranganath, Gerrish & Blei 2014, Black box variational inference, equation 6.
    On,
    /// For each block with the one of the two that varied less in earlier steps.
    Measured,
}

/// The control variate of the score function: a multiple of `grad log q`, whose expectation is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Baseline {
    /// Nothing is subtracted.
    None,
    /// For each parameter the multiple that leaves the least variance, `Cov(f, h) / Var(h)` with `h = grad log q` and `f = h (log p - log q)`, as
    /// learned from earlier steps, so that it is independent of the samples it is applied to.
    ///
    /// # Source
    /// Ranganath, Gerrish & Blei 2014, Black box variational inference, equations 9 and 10.
    Optimal,
    /// For each sample the mean of what the others weigh; it is the gradient of the variance of the log ratio, and needs two samples.
    ///
    /// # Source
    /// Salimans & Knowles 2014; Kool, van Hoof & Welling 2019; as the gradient of a variance (`VarGrad`): Richter et al. 2020.
    LeaveOneOut,
}
