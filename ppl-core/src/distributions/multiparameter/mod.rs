//! Distributions whose parameters are numbers, vectors and matrices: densities with all derivatives over slices of lanes, and draws.
//!
//! A matrix is a slice in rows. A symmetric matrix, be it a value or a parameter, is read in its lower triangle alone, and its derivatives are those along
//! the two mirrored elements together, added to the lower triangle alone (as everywhere in [`crate::linear_algebra`]). A Cholesky factor is read on and below
//! its diagonal, and its derivatives treat each of these elements as a variable by itself.

mod concrete;
mod dirichlet_multinomial;
mod gaussian_random_walk;
mod inverse_wishart_cholesky;
mod lkj;
mod lkj_cholesky;
mod lkj_correlation;
mod multinomial;
mod multivariate_normal_covariance;
mod multivariate_normal_low_rank;
mod multivariate_normal_precision;
mod multivariate_normal_tril;
mod multivariate_student_t;
mod ordered;
mod ordered_logistic;
mod ordered_probit;
mod wishart;
mod wishart_cholesky;
mod wishart_factor;

use rand::Rng;
use rand_distr::Distribution as _;

pub use concrete::Concrete;
pub use dirichlet_multinomial::DirichletMultinomial;
pub use gaussian_random_walk::GaussianRandomWalk;
pub use inverse_wishart_cholesky::InverseWishartCholesky;
pub use lkj_cholesky::LkjCholesky;
pub use lkj_correlation::LkjCorrelation;
pub use multinomial::Multinomial;
pub use multivariate_normal_covariance::MultivariateNormalCovariance;
pub use multivariate_normal_low_rank::MultivariateNormalLowRank;
pub use multivariate_normal_precision::MultivariateNormalPrecision;
pub use multivariate_normal_tril::MultivariateNormalTril;
pub use multivariate_student_t::MultivariateStudentT;
pub use ordered::{Noise, OrderedBy};
pub use ordered_logistic::{LogisticNoise, OrderedLogistic};
pub use ordered_probit::{NormalNoise, OrderedProbit};
pub use wishart::{InverseWishart, Wishart, WishartOf};
pub use wishart_cholesky::WishartCholesky;

use super::Distribution;
use crate::kernel::Lanes;

/// A distribution of a number, a vector or a matrix, whose parameters are slices: a number (of length one), a vector, or a matrix in rows.
///
/// Where an axis of a vector of parameters is that of the value, one number may stand for a parameter that is the same everywhere.
pub trait Multiparameter<const P: usize>: Distribution {
    /// The log density in nats.
    fn log_prob<V: Lanes>(value: &[V], params: [&[V]; P]) -> V;
    /// Adds the derivatives of the log density, which is returned, to slices of the shapes of value and parameters.
    fn partials<V: Lanes>(value: &[V], params: [&[V]; P], d_value: &mut [V], d_params: [&mut [V]; P]) -> V;
    /// One draw, written to `value`; `NaN` if a parameter is outside its set.
    fn sample(params: [&[f64]; P], rng: &mut dyn Rng, value: &mut [f64]);
    /// Writes the mean, of a category that of its number; whether there is a formula. If not, `value` stays as it is.
    fn mean(_params: [&[f64]; P], _value: &mut [f64]) -> bool {
        false
    }
    /// The entropy in nats, of a continuous distribution the differential one, of values of `length` elements; none where there is no formula.
    fn entropy(_params: [&[f64]; P], _length: usize) -> Option<f64> {
        None
    }
    /// The Kullback-Leibler divergence from this distribution to one of the same family, in nats, of values of `length` elements; none where there is no
    /// formula.
    fn divergence(_params: [&[f64]; P], _other: [&[f64]; P], _length: usize) -> Option<f64> {
        None
    }
}

/// The place of element `k` in a vector, or in one number that stands for all.
#[inline(always)]
fn place(len: usize, k: usize) -> usize {
    if len == 1 { 0 } else { k }
}

/// Writes `value - loc`.
#[inline(always)]
fn residual<V: Lanes>(value: &[V], loc: &[V], to: &mut [V]) {
    for i in 0..value.len() {
        to[i] = value[i] - loc[place(loc.len(), i)];
    }
}

/// Fills a slice with standard normal numbers.
fn standard_normal(rng: &mut dyn Rng, to: &mut [f64]) {
    to.fill_with(|| rand_distr::StandardNormal.sample(rng));
}

/// The square root of a chi-squared number.
fn chi(df: f64, rng: &mut dyn Rng) -> f64 {
    rand_distr::ChiSquared::new(df).map_or(f64::NAN, |d| d.sample(rng).sqrt())
}

/// The lower Cholesky factor, of numbers.
fn factor(a: &[f64]) -> Vec<f64> {
    let mut l = vec![0.0; a.len()];
    crate::linear_algebra::cholesky(a, a.len().isqrt(), &mut l);
    l
}

/// A factor without what stands above its diagonal; all `NaN` if its diagonal is not positive.
fn lower(l: &[f64]) -> Vec<f64> {
    let n = l.len().isqrt();
    let legal = (0..n).all(|i| l[i * n + i] > 0.0);
    let element = |(e, &x): (usize, &f64)| if e % n > e / n { 0.0 } else { x };
    if legal { l.iter().enumerate().map(element).collect() } else { vec![f64::NAN; l.len()] }
}

/// The sum of squares.
fn square_sum(x: &[f64]) -> f64 {
    crate::linear_algebra::dot(x, x)
}

#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant, reason = "printed by another program")]
mod reference;
#[cfg(test)]
mod tests;
