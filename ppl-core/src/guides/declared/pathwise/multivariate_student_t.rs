//! Vectors of Student's t: each standardized element, given those before it, has a Student t distribution of its own.

use super::Pathwise;
use super::base::Base;
use super::multivariate_normal::shift;
use crate::distributions::MultivariateStudentT;
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, lower_matvec, pull_lower_matvec, solve_lower};

/// How far an element is stretched by the sum of the squares of those before it.
#[inline(always)]
fn stretch<V: Lanes>(df: V, square: V, k: usize) -> V {
    ((df + square) / (df + V::constant(k as f64))).sqrt()
}

/// `x = loc + L y` with `y_k = sqrt((df + y_0^2 + .. + y_(k - 1)^2) / (df + k)) t_k`, and `t_k` of Student's t of `df + k` degrees of freedom.
///
/// # Source
/// The conditional distributions: Ding 2016, *On the conditional distribution of the multivariate t distribution* (arXiv:1604.00561).
impl Pathwise<3> for MultivariateStudentT {
    const BASE: Option<Base> = Some(Base::StudentT);

    fn offset(number: usize, _of: usize) -> Option<f64> {
        Some(number as f64)
    }

    #[inline(always)]
    fn draw<V: Lanes>(t: &[V], [df, loc, scale_tril]: [&[V]; 3], u: &mut [V]) {
        let mut y = Scratch::new(u.len());
        let mut square = V::zero();
        for k in 0..u.len() {
            let own = stretch(df[0], square, k) * t[k];
            y.all()[k] = own;
            square = own.mul_add(own, square);
        }
        lower_matvec(scale_tril, y.all(), u);
        shift(loc, u);
    }

    #[inline(always)]
    fn base<V: Lanes>(u: &[V], [df, loc, scale_tril]: [&[V]; 3], t: &mut [V]) {
        for i in 0..u.len() {
            t[i] = u[i] - loc[i];
        }
        solve_lower(scale_tril, u.len(), t);
        let mut square = V::zero();
        for k in 0..u.len() {
            let own = t[k];
            t[k] = own / stretch(df[0], square, k);
            square = own.mul_add(own, square);
        }
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        t: &[V],
        u: &[V],
        [df, _, scale_tril]: [&[V]; 3],
        d_u: &[V],
        [d_df, d_loc, d_scale_tril]: [&mut [V]; 3],
        d_t: &mut [V],
    ) {
        let (n, df, one) = (u.len(), df[0], V::constant(1.0));
        let (mut y, mut d_y, mut before) = (Scratch::new(n), Scratch::new(n), Scratch::new(n + 1));
        let (y, d_y, before) = (y.all(), d_y.all(), before.all());
        for k in 0..n {
            y[k] = stretch(df, before[k], k) * t[k];
            before[k + 1] = y[k].mul_add(y[k], before[k]);
            d_loc[k] = d_loc[k] + d_u[k];
        }
        pull_lower_matvec(scale_tril, y, d_u, d_scale_tril, d_y);
        let mut d_square = V::zero();
        for k in (0..n).rev() {
            let adjoint = d_y[k] + (d_square + d_square) * y[k];
            d_t[k] = adjoint * stretch(df, before[k], k);
            // Half of what the stretch has of the logarithm of its square.
            let half = V::constant(0.5) * adjoint * y[k];
            let all = df + before[k];
            d_df[0] = d_df[0] + half * (one / all - one / (df + V::constant(k as f64)));
            d_square = d_square + half / all;
        }
    }
}
