//! The multivariate Student t distribution.

use rand::Rng;

use super::{Multiparameter, MultivariateNormalTril, chi, place, residual};
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, add_scaled, factor_log_det, factor_quad_form, solve_lower_transposed};

/// The multivariate Student t distribution, by the Cholesky factor of its scale matrix.
///
/// `log p(x) = lgamma((df + n) / 2) - lgamma(df / 2) - n / 2 ln(df pi) - sum of ln L_ii - (df + n) / 2 ln(1 + |z|^2 / df)` with `L z = x - loc`, in nats;
/// `L` is `scale_tril`. Its covariance, where `df > 2`, is `df / (df - 2) L L^T`.
///
/// # Shapes
/// The value and `loc` are vectors of one length (or `loc` one number), `df` a number, `scale_tril` a lower triangular matrix with positive diagonal.
///
/// # Source
/// Stan `multi_student_t_cholesky`, scipy `multivariate_t`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, MultivariateStudentT};
/// // Of two numbers at their location: 1 / (2 pi), whatever the degrees of freedom.
/// let found = MultivariateStudentT::log_prob(&[1.0, 2.0], [&[3.0], &[1.0, 2.0], &[1.0, 0.0, 0.0, 1.0]]);
/// assert!((found + std::f64::consts::TAU.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultivariateStudentT;

/// `ln pi`
const LN_PI: f64 = 1.144_729_885_849_400_2;

impl Multiparameter<3> for MultivariateStudentT {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [df, loc, scale_tril]: [&[V]; 3]) -> V {
        let n = value.len();
        let mut z = Scratch::new(n);
        residual(value, loc, z.all());
        let square = factor_quad_form(scale_tril, z.all());
        let half = V::constant(0.5);
        let (df, size) = (df[0], V::constant(0.5 * n as f64));
        let above = half.mul_add(df, size);
        let kernel = above * (square / df).ln_1p() + half * factor_log_det(scale_tril, n);
        above.lgamma() - (half * df).lgamma() - size * (df.ln() + V::constant(LN_PI)) - kernel
    }

    #[inline(always)]
    fn partials<V: Lanes>(
        value: &[V],
        [df, loc, scale_tril]: [&[V]; 3],
        d_value: &mut [V],
        [d_df, d_loc, d_scale_tril]: [&mut [V]; 3],
    ) -> V {
        let n = value.len();
        let (mut z, mut w) = (Scratch::new(n), Scratch::new(n));
        let (z, w) = (z.all(), w.all());
        residual(value, loc, z);
        let square = factor_quad_form(scale_tril, z);
        w.copy_from_slice(z);
        solve_lower_transposed(scale_tril, n, w);
        let half = V::constant(0.5);
        let (df, size) = (df[0], V::constant(0.5 * n as f64));
        let above = half.mul_add(df, size);
        let ln = (square / df).ln_1p();
        let ratio = (above + above) / (df + square);
        let (upper, d_upper) = above.lgamma_and_digamma();
        let (lower, d_lower) = (half * df).lgamma_and_digamma();
        d_df[0] = d_df[0] + half * (d_upper - d_lower - ln + ratio * square / df) - size / df;
        for i in 0..n {
            let own = ratio * w[i];
            let at = place(d_loc.len(), i);
            d_value[i] = d_value[i] - own;
            d_loc[at] = d_loc[at] + own;
            add_scaled(&mut d_scale_tril[i * n..], own, &z[..=i]);
            d_scale_tril[i * n + i] = d_scale_tril[i * n + i] - V::constant(1.0) / scale_tril[i * n + i];
        }
        let kernel = above * ln + half * factor_log_det(scale_tril, n);
        upper - lower - size * (df.ln() + V::constant(LN_PI)) - kernel
    }

    fn sample([df, loc, scale_tril]: [&[f64]; 3], rng: &mut dyn Rng, value: &mut [f64]) {
        MultivariateNormalTril::sample([&[0.0], scale_tril], rng, value);
        let stretch = df[0].sqrt() / chi(df[0], rng);
        value.iter_mut().enumerate().for_each(|(i, x)| *x = stretch.mul_add(*x, loc[place(loc.len(), i)]));
    }

    fn mean([df, loc, scale_tril]: [&[f64]; 3], value: &mut [f64]) -> bool {
        df[0] > 1.0 && MultivariateNormalTril::mean([loc, scale_tril], value)
    }

    fn entropy([df, _, scale_tril]: [&[f64]; 3], length: usize) -> Option<f64> {
        let (half, size) = (0.5 * df[0], 0.5 * length as f64);
        let above = half + size;
        let spread = size * (df[0].ln() + LN_PI) + f64::lgamma(half) - f64::lgamma(above);
        Some(spread + 0.5 * factor_log_det(scale_tril, length) + above * (above.digamma() - half.digamma()))
    }
}
