//! Normal vectors: `x = loc + L noise` with a lower triangular `L` and `L L^T` the covariance.

use super::Pathwise;
use crate::distributions::{
    MultivariateNormalCovariance, MultivariateNormalLowRank, MultivariateNormalPrecision, MultivariateNormalTril,
};
use crate::kernel::Lanes;
use crate::linear_algebra::{
    Scratch, add_scaled, cholesky, dot, lower_matvec, pull_cholesky, pull_solve_lower_transposed, solve_lower_transposed,
};

/// Adds the location.
#[inline(always)]
pub(super) fn shift<V: Lanes>(loc: &[V], u: &mut [V]) {
    for i in 0..u.len() {
        u[i] = u[i] + loc[i];
    }
}

/// Adds to the derivatives by the location and by the factor.
#[inline(always)]
fn pull_factor<V: Lanes>(noise: &[V], d_u: &[V], d_loc: &mut [V], d_l: &mut [V]) {
    let n = d_u.len();
    for i in 0..n {
        d_loc[i] = d_loc[i] + d_u[i];
        add_scaled(&mut d_l[i * n..], d_u[i], &noise[..=i]);
    }
}

impl Pathwise<2> for MultivariateNormalTril {
    #[inline(always)]
    fn draw<V: Lanes>(noise: &[V], [loc, scale_tril]: [&[V]; 2], u: &mut [V]) {
        lower_matvec(scale_tril, noise, u);
        shift(loc, u);
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        noise: &[V],
        _u: &[V],
        _params: [&[V]; 2],
        d_u: &[V],
        [d_loc, d_scale_tril]: [&mut [V]; 2],
        _d_base: &mut [V],
    ) {
        pull_factor(noise, d_u, d_loc, d_scale_tril);
    }
}

impl Pathwise<2> for MultivariateNormalCovariance {
    #[inline(always)]
    fn draw<V: Lanes>(noise: &[V], [loc, covariance]: [&[V]; 2], u: &mut [V]) {
        let mut l = Scratch::new(covariance.len());
        cholesky(covariance, u.len(), l.all());
        lower_matvec(l.all(), noise, u);
        shift(loc, u);
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        noise: &[V],
        u: &[V],
        [_, covariance]: [&[V]; 2],
        d_u: &[V],
        [d_loc, d_covariance]: [&mut [V]; 2],
        _d_base: &mut [V],
    ) {
        let (mut l, mut d_l) = (Scratch::new(covariance.len()), Scratch::new(covariance.len()));
        cholesky(covariance, u.len(), l.all());
        pull_factor(noise, d_u, d_loc, d_l.all());
        pull_cholesky(l.all(), d_l.all(), u.len(), d_covariance);
    }
}

/// `x = loc + L^-T noise`, `L` being the factor of the precision.
impl Pathwise<2> for MultivariateNormalPrecision {
    #[inline(always)]
    fn draw<V: Lanes>(noise: &[V], [loc, precision]: [&[V]; 2], u: &mut [V]) {
        let mut l = Scratch::new(precision.len());
        cholesky(precision, u.len(), l.all());
        u.copy_from_slice(noise);
        solve_lower_transposed(l.all(), noise.len(), u);
        shift(loc, u);
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        _noise: &[V],
        u: &[V],
        [loc, precision]: [&[V]; 2],
        d_u: &[V],
        [d_loc, d_precision]: [&mut [V]; 2],
        _d_base: &mut [V],
    ) {
        let n = u.len();
        let (mut l, mut d_l) = (Scratch::new(n * n), Scratch::new(n * n));
        let (mut x, mut d_x, mut of_noise) = (Scratch::new(n), Scratch::new(n), Scratch::new(n));
        cholesky(precision, n, l.all());
        for i in 0..n {
            x.all()[i] = u[i] - loc[i];
            d_loc[i] = d_loc[i] + d_u[i];
        }
        d_x.all().copy_from_slice(d_u);
        pull_solve_lower_transposed(l.all(), n, x.all(), d_x.all(), d_l.all(), of_noise.all());
        pull_cholesky(l.all(), d_l.all(), n, d_precision);
    }
}

/// The covariance of few factors and a diagonal.
#[inline(always)]
fn covariance<V: Lanes>(factor: &[V], diagonal: &[V], to: &mut [V]) {
    let n = diagonal.len();
    let rank = factor.len().checked_div(n).unwrap_or(0);
    for i in 0..n {
        for j in 0..=i {
            to[i * n + j] = dot(&factor[i * rank..(i + 1) * rank], &factor[j * rank..(j + 1) * rank]);
        }
        to[i * n + i] = to[i * n + i] + diagonal[i];
    }
}

/// By the whole covariance: there is as much noise as there are elements.
impl Pathwise<3> for MultivariateNormalLowRank {
    #[inline(always)]
    fn draw<V: Lanes>(noise: &[V], [loc, factor, diagonal]: [&[V]; 3], u: &mut [V]) {
        let mut a = Scratch::new(u.len() * u.len());
        covariance(factor, diagonal, a.all());
        MultivariateNormalCovariance::draw(noise, [loc, a.all()], u);
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        noise: &[V],
        u: &[V],
        [loc, factor, diagonal]: [&[V]; 3],
        d_u: &[V],
        [d_loc, d_factor, d_diagonal]: [&mut [V]; 3],
        d_base: &mut [V],
    ) {
        let n = u.len();
        let rank = factor.len().checked_div(n).unwrap_or(0);
        let (mut a, mut d_a) = (Scratch::new(n * n), Scratch::new(n * n));
        covariance(factor, diagonal, a.all());
        MultivariateNormalCovariance::pull(noise, u, [loc, a.all()], d_u, [d_loc, d_a.all()], d_base);
        for i in 0..n {
            for j in 0..=i {
                let own = d_a.all()[i * n + j];
                add_scaled(&mut d_factor[i * rank..], own, &factor[j * rank..(j + 1) * rank]);
                add_scaled(&mut d_factor[j * rank..], own, &factor[i * rank..(i + 1) * rank]);
            }
            d_diagonal[i] = d_diagonal[i] + d_a.all()[i * n + i];
        }
    }
}
