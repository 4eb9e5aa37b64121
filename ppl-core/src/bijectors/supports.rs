//! Which bijector leads to which support.

use super::{Bijector, Bounds};
use crate::distributions::Support;

impl Bijector {
    /// The map onto a support; `length` is that of the last axis.
    #[must_use]
    pub fn for_support(support: Support, length: usize, bounds: Option<Bounds>) -> Self {
        match support {
            Support::Positive | Support::NonNegative => Bijector::Exp,
            Support::Unit => Bijector::Sigmoid,
            Support::Interval => match bounds.unwrap_or_default() {
                Bounds { lower: None, upper: None } => Bijector::Identity,
                bounds => Bijector::Interval(bounds),
            },
            Support::Simplex => Bijector::Simplex { length },
            Support::Ordered => Bijector::Ordered { length },
            Support::PositiveOrdered => Bijector::PositiveOrdered { length },
            Support::CorrelationCholesky => Bijector::CorrelationCholesky { size: length },
            Support::Correlation => Bijector::Correlation { size: length },
            Support::CovarianceCholesky => Bijector::CovarianceCholesky { size: length },
            Support::PositiveDefinite => Bijector::Covariance { size: length },
            Support::Real | Support::Binary | Support::Count | Support::CountUpTo | Support::Integer => Bijector::Identity,
        }
    }

    /// The set that it leads to; of a chain, that of its last link.
    #[must_use]
    pub fn range(&self) -> Support {
        match self {
            Bijector::Identity | Bijector::Affine(_) | Bijector::Permutation(_) => Support::Real,
            Bijector::Exp | Bijector::Softplus => Support::Positive,
            Bijector::Sigmoid => Support::Unit,
            Bijector::Interval(_) => Support::Interval,
            Bijector::Simplex { .. } | Bijector::SoftmaxCentered { .. } => Support::Simplex,
            Bijector::Ordered { .. } => Support::Ordered,
            Bijector::PositiveOrdered { .. } => Support::PositiveOrdered,
            Bijector::CorrelationCholesky { .. } => Support::CorrelationCholesky,
            Bijector::Correlation { .. } => Support::Correlation,
            Bijector::CovarianceCholesky { .. } => Support::CovarianceCholesky,
            Bijector::Covariance { .. } => Support::PositiveDefinite,
            Bijector::Chain(chain) => chain.links().last().map_or(Support::Real, Bijector::range),
        }
    }
}
