//! The LKJ distribution over Cholesky factors of correlation matrices.

use rand::Rng;

use super::Multiparameter;
use super::lkj::{draw, ln_integral, mean_ln_diagonal, shape};
use crate::distributions::special::ln_beta;
use crate::kernel::Lanes;

/// The distribution of Lewandowski, Kurowicka and Joe over the Cholesky factors `L` of correlation matrices `R = L L^T`.
///
/// `log p(L) = sum over i = 1 .. n - 1 of (n - 1 - i + 2 (concentration - 1)) ln L_ii - ln c`, in nats, with `c` the integral of
/// `det(R)^(concentration - 1)` over correlation matrices: [`super::LkjCorrelation`] with the Jacobian of `R = L L^T`. Of concentration one, all
/// correlation matrices are equally probable; of more, those near the identity.
///
/// # Shapes
/// The value is a matrix, lower triangular with rows of length one; the concentration a number. The diagonal alone is read, since the density is a function
/// of it, and so derivatives are those of the diagonal; that rows have length one is the affair of the map onto such factors.
///
/// # Source
/// Lewandowski, Kurowicka and Joe 2009, *Generating random correlation matrices based on vines and extended onion method*; Stan `lkj_corr_cholesky`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{LkjCholesky, Multiparameter};
/// // Of two variables and concentration one, the correlation is uniform between -1 and 1.
/// let found = LkjCholesky::log_prob(&[1.0, 0.0, 0.6, 0.8], [&[1.0]]);
/// assert!((found + 2_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LkjCholesky;

/// What the exponent of `L_ii` is besides twice the concentration less one.
#[inline(always)]
fn extra(n: usize, i: usize) -> f64 {
    (n - 1 - i) as f64
}

impl Multiparameter<1> for LkjCholesky {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [concentration]: [&[V]; 1]) -> V {
        let n = value.len().isqrt();
        let less = concentration[0] - V::constant(1.0);
        let twice = less + less;
        let mut log_prob = -ln_integral(concentration[0], n).0;
        for i in 1..n {
            log_prob = (twice + V::constant(extra(n, i))).mul_add(value[i * n + i].ln(), log_prob);
        }
        log_prob
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [concentration]: [&[V]; 1], d_value: &mut [V], [d_concentration]: [&mut [V]; 1]) -> V {
        let n = value.len().isqrt();
        let less = concentration[0] - V::constant(1.0);
        let twice = less + less;
        let (ln_integral, d_integral) = ln_integral(concentration[0], n);
        let mut log_prob = -ln_integral;
        let mut sum = V::zero();
        for i in 1..n {
            let exponent = twice + V::constant(extra(n, i));
            let diagonal = value[i * n + i];
            let ln = diagonal.ln();
            sum = sum + ln;
            log_prob = exponent.mul_add(ln, log_prob);
            d_value[i * n + i] = d_value[i * n + i] + exponent / diagonal;
        }
        d_concentration[0] = d_concentration[0] + (sum + sum) - d_integral;
        log_prob
    }

    fn sample([concentration]: [&[f64]; 1], rng: &mut dyn Rng, value: &mut [f64]) {
        draw(concentration[0], value.len().isqrt(), rng, value);
    }

    fn mean([concentration]: [&[f64]; 1], value: &mut [f64]) -> bool {
        let n = value.len().isqrt();
        value.fill(0.0);
        for i in 0..n {
            // Each factor of L_ii^2 has a beta distribution of this shape and 1/2.
            let each = |j: usize| {
                let shape = shape(concentration[0], n, j);
                ln_beta(shape + 0.5, 0.5) - ln_beta(shape, 0.5)
            };
            value[i * n + i] = (0..i).map(each).sum::<f64>().exp();
        }
        true
    }

    fn entropy([concentration]: [&[f64]; 1], length: usize) -> Option<f64> {
        let n = length.isqrt();
        let each = |i: usize| (2.0 * (concentration[0] - 1.0) + extra(n, i)) * mean_ln_diagonal(concentration[0], n, i);
        Some(ln_integral(concentration[0], n).0 - (1..n).map(each).sum::<f64>())
    }

    fn divergence([concentration]: [&[f64]; 1], [other]: [&[f64]; 1], length: usize) -> Option<f64> {
        let n = length.isqrt();
        // The mean of ln det R is the derivative of the logarithm of its integral.
        let (own, mean_ln_det) = ln_integral(concentration[0], n);
        Some((concentration[0] - other[0]) * mean_ln_det - own + ln_integral(other[0], n).0)
    }
}
