//! The LKJ distribution over correlation matrices.

use rand::Rng;

use super::lkj::{draw, ln_integral};
use super::{LkjCholesky, Multiparameter};
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, cholesky, factor_log_det, factor_product, pull_cholesky, pull_factor_log_det};

/// The distribution of Lewandowski, Kurowicka and Joe over correlation matrices.
///
/// `log p(R) = (concentration - 1) ln det R - ln c`, in nats, with `c` the integral of `det(R)^(concentration - 1)` over correlation matrices; a density of the
/// elements below the diagonal. A model is faster with [`LkjCholesky`].
///
/// # Shapes
/// The value is a positive definite matrix with ones on the diagonal, of which the lower triangle is read; the concentration a number.
///
/// # Source
/// Lewandowski, Kurowicka and Joe 2009, *Generating random correlation matrices based on vines and extended onion method*; Stan `lkj_corr`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{LkjCorrelation, Multiparameter};
/// // Of two variables and concentration two: 3 / 4 (1 - r^2).
/// let found = LkjCorrelation::log_prob(&[1.0, 0.6, 0.6, 1.0], [&[2.0]]);
/// assert!((found - 0.48_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LkjCorrelation;

impl Multiparameter<1> for LkjCorrelation {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [concentration]: [&[V]; 1]) -> V {
        let n = value.len().isqrt();
        let mut l = Scratch::new(n * n);
        cholesky(value, n, l.all());
        (concentration[0] - V::constant(1.0)) * factor_log_det(l.all(), n) - ln_integral(concentration[0], n).0
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [concentration]: [&[V]; 1], d_value: &mut [V], [d_concentration]: [&mut [V]; 1]) -> V {
        let n = value.len().isqrt();
        let (mut l, mut d_l) = (Scratch::new(n * n), Scratch::new(n * n));
        let (l, d_l) = (l.all(), d_l.all());
        cholesky(value, n, l);
        let ln_det = factor_log_det(l, n);
        let less = concentration[0] - V::constant(1.0);
        pull_factor_log_det(l, n, less, d_l);
        pull_cholesky(l, d_l, n, d_value);
        let (ln_integral, d_integral) = ln_integral(concentration[0], n);
        d_concentration[0] = d_concentration[0] + ln_det - d_integral;
        less * ln_det - ln_integral
    }

    fn sample([concentration]: [&[f64]; 1], rng: &mut dyn Rng, value: &mut [f64]) {
        let n = value.len().isqrt();
        let mut l = vec![0.0; n * n];
        draw(concentration[0], n, rng, &mut l);
        factor_product(&l, n, value);
        (0..n).for_each(|i| value[i * n + i] = if concentration[0] > 0.0 { 1.0 } else { f64::NAN });
    }

    fn mean(_: [&[f64]; 1], value: &mut [f64]) -> bool {
        let n = value.len().isqrt();
        value.fill(0.0);
        (0..n).for_each(|i| value[i * n + i] = 1.0);
        true
    }

    fn entropy([concentration]: [&[f64]; 1], length: usize) -> Option<f64> {
        let (ln, mean_ln_det) = ln_integral(concentration[0], length.isqrt());
        Some(ln - (concentration[0] - 1.0) * mean_ln_det)
    }

    fn divergence(params: [&[f64]; 1], other: [&[f64]; 1], length: usize) -> Option<f64> {
        LkjCholesky::divergence(params, other, length)
    }
}
