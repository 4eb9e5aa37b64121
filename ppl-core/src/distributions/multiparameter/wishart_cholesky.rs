//! The Wishart distribution, over Cholesky factors.

use rand::Rng;

use super::wishart_factor::{add_partials, bartlett, divergence, factor_entropy, log_density, own_df};
use super::{Multiparameter, lower};
use crate::kernel::Lanes;
use crate::linear_algebra::matmul;

/// The distribution of the Cholesky factor `L` of a covariance matrix with a Wishart distribution.
///
/// `log p(L) = log p_Wishart(L L^T) + n ln 2 + sum over i = 0 .. n - 1 of (n - i) ln L_ii`, in nats; the scale is `scale_tril scale_tril^T`. No factor is
/// computed: it is faster than [`super::Wishart`].
///
/// # Shapes
/// The value and `scale_tril` are lower triangular matrices with positive diagonals; `df` is a number above `n - 1`.
///
/// # Source
/// Stan `wishart_cholesky`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, WishartCholesky};
/// // Of one row, x = l^2 has the density e^-x, and l the density 2 l e^(-l^2).
/// let found = WishartCholesky::log_prob(&[2.0], [&[2.0], &[0.5_f64.sqrt()]]);
/// assert!((found + 4.0 - 4_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WishartCholesky;

impl Multiparameter<2> for WishartCholesky {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [df, scale_tril]: [&[V]; 2]) -> V {
        log_density::<false, true, V>(df[0], scale_tril, value, value.len().isqrt())
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [df, scale_tril]: [&[V]; 2], d_value: &mut [V], [d_df, d_scale_tril]: [&mut [V]; 2]) -> V {
        let n = value.len().isqrt();
        add_partials::<false, true, V>(df[0], scale_tril, value, n, &mut d_df[0], [d_scale_tril, d_value])
    }

    fn sample([df, scale_tril]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let n = value.len().isqrt();
        matmul(&lower(scale_tril), &bartlett::<false>(df[0], n, rng), [n, n, n], value);
    }

    fn mean([df, scale_tril]: [&[f64]; 2], value: &mut [f64]) -> bool {
        let n = value.len().isqrt();
        let scale = lower(scale_tril);
        // The mean of a chi number; what stands below the diagonal of Bartlett's factor has mean zero.
        let each = |j: usize| {
            let half = 0.5 * own_df::<false>(df[0], n, j);
            (f64::lgamma(half + 0.5) - f64::lgamma(half) + 0.5 * std::f64::consts::LN_2).exp()
        };
        value.iter_mut().enumerate().for_each(|(e, x)| *x = scale[e] * each(e % n));
        true
    }

    fn entropy([df, scale_tril]: [&[f64]; 2], length: usize) -> Option<f64> {
        Some(factor_entropy::<false>(df[0], scale_tril, length.isqrt()))
    }

    fn divergence([df, scale_tril]: [&[f64]; 2], [other_df, other]: [&[f64]; 2], _length: usize) -> Option<f64> {
        Some(divergence::<false>([df[0], other_df[0]], &lower(scale_tril), &lower(other)))
    }
}
