//! The one table of bijectors and their maps.

use super::Bijector;
use super::correlation_cholesky::CorrelationCholesky;
use super::covariance_cholesky::CovarianceCholesky;
use super::element::{Exp, Identity, Sigmoid};
use super::factor::{Factors, Products};
use super::map::{Each, Map};
use super::ordered::Ordered;
use super::simplex::Simplex;
use super::softmax_centered::SoftmaxCentered;
use super::softplus::Softplus;

/// What is done with a map, whichever it is.
pub(super) trait Visit {
    /// What that gives.
    type Output;
    /// Does it.
    fn visit<M: Map>(self, map: M) -> Self::Output;
}

impl Bijector {
    /// Does something with the map.
    #[inline(always)]
    pub(super) fn visit<T: Visit>(&self, what: T) -> T::Output {
        match self {
            Bijector::Identity => what.visit(Each(|_| Identity)),
            Bijector::Exp => what.visit(Each(|_| Exp)),
            Bijector::Softplus => what.visit(Each(|_| Softplus)),
            Bijector::Sigmoid => what.visit(Each(|_| Sigmoid)),
            Bijector::Affine(affine) => what.visit(Each(|_| *affine)),
            Bijector::Interval(bounds) => what.visit(bounds),
            Bijector::Simplex { length } => what.visit(Simplex { length: *length }),
            Bijector::SoftmaxCentered { length } => what.visit(SoftmaxCentered { length: *length }),
            Bijector::Ordered { length } => what.visit(Ordered { length: *length, positive: false }),
            Bijector::PositiveOrdered { length } => what.visit(Ordered { length: *length, positive: true }),
            Bijector::CorrelationCholesky { size } => what.visit(Factors(CorrelationCholesky { size: *size })),
            Bijector::Correlation { size } => what.visit(Products(CorrelationCholesky { size: *size })),
            Bijector::CovarianceCholesky { size } => what.visit(Factors(CovarianceCholesky { size: *size })),
            Bijector::Covariance { size } => what.visit(Products(CovarianceCholesky { size: *size })),
            Bijector::Permutation(permutation) => what.visit(permutation),
            Bijector::Chain(chain) => what.visit(chain),
        }
    }

    /// Does something with the map if it is one that many models have, which their kernels inline; else the rest.
    #[inline(always)]
    pub(super) fn visit_inlined<T: Visit>(&self, what: T, rest: impl FnOnce(T) -> T::Output) -> T::Output {
        match self {
            Bijector::Identity => what.visit(Each(|_| Identity)),
            Bijector::Exp => what.visit(Each(|_| Exp)),
            Bijector::Sigmoid => what.visit(Each(|_| Sigmoid)),
            Bijector::Interval(bounds) => what.visit(bounds),
            Bijector::Simplex { length } => what.visit(Simplex { length: *length }),
            Bijector::Ordered { length } => what.visit(Ordered { length: *length, positive: false }),
            Bijector::PositiveOrdered { length } => what.visit(Ordered { length: *length, positive: true }),
            _ => rest(what),
        }
    }
}
