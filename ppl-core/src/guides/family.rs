//! The families of guides, as a choice and as what a fit keeps.

use serde::{Deserialize, Serialize};

use super::{
    Blocks, Flow, FlowKind, FullRank, Guide, LowRank, MeanField, Mixture, Native, OwnGuide, Whitened, WithDiscrete, WithPoints,
};
use crate::kernel::Real;

/// Which guides a fit tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// The full rank, up to 300 unconstrained dimensions; else, or where its Pareto k is above one, mean-field; then, where the Pareto k of the best is
    /// above 0.7, independent latents of families on their own supports ([`Native`]), where draws are more like these, and mixtures of 4 and 16, while that pays and `Bbvi::search_time` lasts. The best bound wins.
    #[default]
    Auto,
    /// The mode alone, on the unconstrained space: the maximum a posteriori. Its ELBO is the log density there, and not a bound.
    Map,
    /// The Gaussian of the mode and the curvature there: Laplace's approximation.
    Laplace,
    /// Independent Gaussians: [`MeanField`].
    MeanField,
    /// Independent blocks of dimensions, a site each, or as `Bbvi::blocks` joins them: [`Blocks`].
    Blocks,
    /// A Gaussian of low rank plus diagonal: [`LowRank`], in units of the curvature; one of full rank where that has no more parameters.
    LowRank {
        /// The number of columns, 1 to 100.
        rank: usize,
    },
    /// A Gaussian of any covariance: [`FullRank`].
    FullRank,
    /// So many Gaussians: [`Mixture`], in the units of the best single one.
    Mixture {
        /// How many, 1 to 64.
        components: usize,
        /// Whether each has any covariance, or independent dimensions.
        full_rank: bool,
    },
    /// A normalizing flow that begins as the best Gaussian ([`FullRank`]; of independent dimensions, beyond 300): of any shape, but slower by far. See [`Flow`].
    ///
    /// A step takes four times [`samples`](crate::fit::Bbvi::samples) and has the length of a twentieth of [`step`](crate::fit::Bbvi::step), of a fortieth for
    /// splines; the fit is done when the ELBO no longer rises by more than its Monte Carlo error and [`tolerance`](crate::fit::Bbvi::tolerance) nats, also after
    /// the steps were halved four times.
    Flow(FlowKind),
}

/// A guide of one of the families, which can be saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FittedGuide {
    /// Independent Gaussians.
    MeanField(MeanField),
    /// A Gaussian of any covariance.
    FullRank(FullRank),
    /// Independent blocks.
    Blocks(Blocks),
    /// Low rank plus diagonal.
    LowRank(Whitened<LowRank>),
    /// Several Gaussians.
    Mixture(Whitened<Mixture>),
    /// Independent latents of families on their own supports.
    Native(Native),
    /// A normalizing flow in the units of a Gaussian.
    Flow(Box<Whitened<Flow>>),
    /// One of these for all but the probabilities of discrete latents, which are points.
    WithPoints(Box<WithPoints>),
    /// One of these for all but the discrete latents that are drawn, which have tables.
    WithDiscrete(Box<WithDiscrete>),
    /// One of a user's type.
    Own(OwnGuide),
}

impl FittedGuide {
    /// The guide over an element.
    #[must_use]
    pub fn guide<E: Real>(&self) -> &dyn Guide<E> {
        match self {
            FittedGuide::MeanField(guide) => guide,
            FittedGuide::FullRank(guide) => guide,
            FittedGuide::Blocks(guide) => guide,
            FittedGuide::LowRank(guide) => guide,
            FittedGuide::Mixture(guide) => guide,
            FittedGuide::Native(guide) => guide,
            FittedGuide::Flow(guide) => guide.as_ref(),
            FittedGuide::WithPoints(guide) => guide.as_ref(),
            FittedGuide::WithDiscrete(guide) => guide.as_ref(),
            FittedGuide::Own(guide) => guide.guide(),
        }
    }

    /// The guide, to be changed.
    pub fn guide_mut<E: Real>(&mut self) -> &mut dyn Guide<E> {
        match self {
            FittedGuide::MeanField(guide) => guide,
            FittedGuide::FullRank(guide) => guide,
            FittedGuide::Blocks(guide) => guide,
            FittedGuide::LowRank(guide) => guide,
            FittedGuide::Mixture(guide) => guide,
            FittedGuide::Native(guide) => guide,
            FittedGuide::Flow(guide) => guide.as_mut(),
            FittedGuide::WithPoints(guide) => guide.as_mut(),
            FittedGuide::WithDiscrete(guide) => guide.as_mut(),
            FittedGuide::Own(guide) => guide.guide_mut(),
        }
    }

    /// The number of unconstrained dimensions.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        match self {
            FittedGuide::Own(guide) => guide.dimensions(),
            _ => Guide::<f64>::dimensions(self.guide()),
        }
    }

    /// The name of the family.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            FittedGuide::MeanField(guide) if guide.log_scale().is_empty() => "mode".to_owned(),
            FittedGuide::MeanField(_) => "mean-field Gaussian".to_owned(),
            FittedGuide::Blocks(guide) => format!("Gaussian of {} blocks", guide.members().count()),
            FittedGuide::LowRank(guide) => format!("Gaussian of rank {} plus diagonal", guide.inner().rank()),
            FittedGuide::FullRank(_) => "full-rank Gaussian".to_owned(),
            FittedGuide::WithPoints(guide) => guide.guide().name(),
            FittedGuide::WithDiscrete(guide) => format!("{} and tables of discrete latents", guide.inner().name()),
            FittedGuide::Own(guide) => guide.name().to_owned(),
            FittedGuide::Mixture(guide) => format!("mixture of {} Gaussians", guide.inner().components()),
            FittedGuide::Flow(guide) => guide.inner().kind().name().to_owned(),
            FittedGuide::Native(guide) => {
                let mut families: Vec<String> = guide.families().map(|family| format!("{family:?}")).collect();
                families.dedup();
                format!("independent latents of families {}", families.join(", "))
            }
        }
    }
}
