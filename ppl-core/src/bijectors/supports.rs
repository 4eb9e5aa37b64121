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

    /// The first of so many elements whose values are others than those of another map; none if all are the same.
    pub(crate) fn differs(&self, other: &Bijector, elements: usize) -> Option<usize> {
        if self == other {
            return None;
        }
        let (Some(own), Some(other)) = (self.bounds(), other.bounds()) else { return Some(0) };
        (0..elements.max(1)).find(|&element| own.at(element) != other.at(element))
    }

    /// The bounds of maps onto intervals, of which the whole line is one.
    fn bounds(&self) -> Option<Bounds> {
        let between = |lower: Option<f64>, upper: Option<f64>| {
            let [lower, upper] = [lower, upper].map(|bound| bound.map(|bound| vec![bound]));
            Some(Bounds { lower, upper })
        };
        match self {
            Bijector::Identity => between(None, None),
            Bijector::Exp => between(Some(0.0), None),
            Bijector::Sigmoid => between(Some(0.0), Some(1.0)),
            Bijector::Interval(bounds) => Some(bounds.clone()),
            _ => None,
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
