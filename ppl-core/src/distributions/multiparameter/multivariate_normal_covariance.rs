//! The multivariate normal distribution, by its covariance.

use rand::Rng;

use super::multivariate_normal_tril::{MultivariateNormalTril, add_partials, log_density};
use super::{Multiparameter, factor, residual};
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, cholesky, pull_cholesky};

/// The multivariate normal distribution, by its covariance.
///
/// `log p(x) = -(x - loc)^T covariance^-1 (x - loc) / 2 - ln det(covariance) / 2 - n / 2 ln(2 pi)`, in nats.
///
/// # Shapes
/// The value and `loc` are vectors of one length (or `loc` one number), `covariance` a positive definite matrix, of which the lower triangle is read.
///
/// # Source
/// Stan `multi_normal`, scipy `multivariate_normal`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, MultivariateNormalCovariance};
/// let found = MultivariateNormalCovariance::log_prob(&[4.0, 5.0], [&[0.0, 0.0], &[4.0, 2.0, 2.0, 10.0]]);
/// assert!((found + 2.5 + 6_f64.ln() + std::f64::consts::TAU.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultivariateNormalCovariance;

impl Multiparameter<2> for MultivariateNormalCovariance {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [loc, covariance]: [&[V]; 2]) -> V {
        let n = value.len();
        let (mut l, mut z) = (Scratch::new(n * n), Scratch::new(n));
        cholesky(covariance, n, l.all());
        residual(value, loc, z.all());
        log_density(l.all(), z.all())
    }

    #[inline(always)]
    fn partials<V: Lanes>(
        value: &[V],
        [loc, covariance]: [&[V]; 2],
        d_value: &mut [V],
        [d_loc, d_covariance]: [&mut [V]; 2],
    ) -> V {
        let n = value.len();
        let (mut l, mut d_l, mut z) = (Scratch::new(n * n), Scratch::new(n * n), Scratch::new(n));
        let (l, d_l, z) = (l.all(), d_l.all(), z.all());
        cholesky(covariance, n, l);
        residual(value, loc, z);
        let log_prob = log_density(l, z);
        add_partials(l, z, d_value, [d_loc, &mut *d_l]);
        pull_cholesky(l, d_l, n, d_covariance);
        log_prob
    }

    fn sample([loc, covariance]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        MultivariateNormalTril::sample([loc, &factor(covariance)], rng, value);
    }

    fn mean([loc, covariance]: [&[f64]; 2], value: &mut [f64]) -> bool {
        MultivariateNormalTril::mean([loc, covariance], value)
    }

    fn entropy([loc, covariance]: [&[f64]; 2], length: usize) -> Option<f64> {
        MultivariateNormalTril::entropy([loc, &factor(covariance)], length)
    }

    fn divergence([loc, covariance]: [&[f64]; 2], [other_loc, other]: [&[f64]; 2], length: usize) -> Option<f64> {
        MultivariateNormalTril::divergence([loc, &factor(covariance)], [other_loc, &factor(other)], length)
    }
}
