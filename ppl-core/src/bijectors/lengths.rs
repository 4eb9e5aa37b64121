//! Names of bijectors, and the lengths of their events.

use super::Bijector;
use super::factor::{below_diagonal, elements};

impl Bijector {
    /// The name of the variant.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Bijector::Identity => "Identity",
            Bijector::Exp => "Exp",
            Bijector::Softplus => "Softplus",
            Bijector::Sigmoid => "Sigmoid",
            Bijector::Affine(_) => "Affine",
            Bijector::Interval(_) => "Interval",
            Bijector::Simplex { .. } => "Simplex",
            Bijector::SoftmaxCentered { .. } => "SoftmaxCentered",
            Bijector::Ordered { .. } => "Ordered",
            Bijector::PositiveOrdered { .. } => "PositiveOrdered",
            Bijector::CorrelationCholesky { .. } => "CorrelationCholesky",
            Bijector::Correlation { .. } => "Correlation",
            Bijector::CovarianceCholesky { .. } => "CovarianceCholesky",
            Bijector::Covariance { .. } => "Covariance",
            Bijector::Permutation(_) => "Permutation",
            Bijector::Chain(_) => "Chain",
        }
    }

    /// How many elements are mapped together: one where each is mapped by itself.
    #[must_use]
    pub fn event_len(&self) -> usize {
        self.event_lens().1
    }

    /// The unconstrained numbers and the elements of an event.
    pub(super) fn event_lens(&self) -> (usize, usize) {
        match self {
            Bijector::Identity
            | Bijector::Exp
            | Bijector::Softplus
            | Bijector::Sigmoid
            | Bijector::Affine(_)
            | Bijector::Interval(_) => (1, 1),
            Bijector::Simplex { length } | Bijector::SoftmaxCentered { length } => (length.saturating_sub(1), *length),
            Bijector::Ordered { length } | Bijector::PositiveOrdered { length } => (*length, *length),
            Bijector::CorrelationCholesky { size } | Bijector::Correlation { size } => (below_diagonal(*size), elements(*size)),
            Bijector::CovarianceCholesky { size } | Bijector::Covariance { size } => {
                (below_diagonal(*size).saturating_add(*size), elements(*size))
            }
            Bijector::Permutation(permutation) => (permutation.order().len(), permutation.order().len()),
            Bijector::Chain(chain) => chain.event(),
        }
    }

    /// How many unconstrained numbers stand for `constrained` elements.
    #[must_use]
    pub fn unconstrained_len(&self, constrained: usize) -> usize {
        match self.event_lens() {
            (_, 0) => constrained,
            (free, length) => constrained / length * free,
        }
    }
}
