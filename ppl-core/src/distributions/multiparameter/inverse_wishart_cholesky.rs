//! The inverse Wishart distribution, over Cholesky factors.

use rand::Rng;

use super::wishart_factor::{add_partials, bartlett, divergence, factor_entropy, log_density, own_df};
use super::{Multiparameter, lower};
use crate::kernel::Lanes;
use crate::linear_algebra::add_scaled;

/// The distribution of the Cholesky factor `L` of a covariance matrix with an inverse Wishart distribution.
///
/// `log p(L) = log p_InverseWishart(L L^T) + n ln 2 + sum over i = 0 .. n - 1 of (n - i) ln L_ii`, in nats; the scale is `scale_tril scale_tril^T`. No factor
/// is computed: it is faster than [`super::InverseWishart`].
///
/// # Shapes
/// The value and `scale_tril` are lower triangular matrices with positive diagonals; `df` is a number above `n - 1`.
///
/// # Source
/// Stan `inv_wishart_cholesky`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{InverseWishartCholesky, Multiparameter};
/// // Of one row, x = l^2 has the density e^(-1 / x) / x^2, and l the density 2 e^(-1 / l^2) / l^3.
/// let found = InverseWishartCholesky::log_prob(&[2.0], [&[2.0], &[2_f64.sqrt()]]);
/// assert!((found + 0.25 + 4_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InverseWishartCholesky;

impl Multiparameter<2> for InverseWishartCholesky {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [df, scale_tril]: [&[V]; 2]) -> V {
        log_density::<true, true, V>(df[0], scale_tril, value, value.len().isqrt())
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [df, scale_tril]: [&[V]; 2], d_value: &mut [V], [d_df, d_scale_tril]: [&mut [V]; 2]) -> V {
        let n = value.len().isqrt();
        add_partials::<true, true, V>(df[0], scale_tril, value, n, &mut d_df[0], [d_scale_tril, d_value])
    }

    fn sample([df, scale_tril]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let n = value.len().isqrt();
        // L T^-1 with T Bartlett's factor: L T^-1 T^-T L^T is the inverse of a Wishart value.
        let (scale, bartlett) = (lower(scale_tril), bartlett::<true>(df[0], n, rng));
        invert_right(&scale, &bartlett, n, value);
    }

    fn mean([df, scale_tril]: [&[f64]; 2], value: &mut [f64]) -> bool {
        let n = value.len().isqrt();
        let scale = lower(scale_tril);
        if own_df::<true>(df[0], n, 0) <= 1.0 {
            return false;
        }
        // The mean of one over a chi number; what stands below the diagonal of Bartlett's factor has mean zero.
        let each = |j: usize| {
            let half = 0.5 * own_df::<true>(df[0], n, j);
            (f64::lgamma(half - 0.5) - f64::lgamma(half) - 0.5 * std::f64::consts::LN_2).exp()
        };
        value.iter_mut().enumerate().for_each(|(e, x)| *x = scale[e] * each(e % n));
        true
    }

    fn entropy([df, scale_tril]: [&[f64]; 2], length: usize) -> Option<f64> {
        Some(factor_entropy::<true>(df[0], scale_tril, length.isqrt()))
    }

    fn divergence([df, scale_tril]: [&[f64]; 2], [other_df, other]: [&[f64]; 2], _length: usize) -> Option<f64> {
        Some(divergence::<true>([df[0], other_df[0]], &lower(scale_tril), &lower(other)))
    }
}

/// Writes `A B^-1` of two lower triangular matrices.
fn invert_right(a: &[f64], b: &[f64], n: usize, to: &mut [f64]) {
    // Row by row: the solution of x B = a, from its last element.
    to.copy_from_slice(a);
    for row in to.chunks_mut(n.max(1)) {
        for j in (0..n).rev() {
            row[j] /= b[j * n + j];
            let last = row[j];
            let (before, _) = row.split_at_mut(j);
            add_scaled(before, -last, &b[j * n..j * n + j]);
        }
    }
}
