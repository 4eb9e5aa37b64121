//! Covariance matrices of Wishart distributions: the factor of the scale times Bartlett's, or over it.

use super::base::Base;
use super::{Pathwise, triangle_rows};
use crate::distributions::multiparameter::WishartOf;
use crate::distributions::{InverseWishartCholesky, Multiparameter, WishartCholesky};
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, cholesky, pull_cholesky};

/// What the degrees of freedom of the square of an element of the diagonal of Bartlett's factor are more than those of the distribution; none below the diagonal.
fn offset<const INVERSE: bool>(number: usize, of: usize) -> Option<f64> {
    let n = triangle_rows(of);
    let i = triangle_rows(number);
    (place(i, i) == number).then(|| -((if INVERSE { n - 1 - i } else { i }) as f64))
}

/// The place of an element of the lower triangle along its rows.
#[inline(always)]
fn place(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// `T = L A` with `L` the factor of the scale and `A` Bartlett's: standard normal below the diagonal, chi distributed on it; of an inverse `T = L A^-1`. The
/// unconstrained numbers are the lower triangle of `T`, of its diagonal the logarithms; the base is that of `A`, of its diagonal the logarithms of the squares.
#[inline(always)]
fn draw<const INVERSE: bool, V: Lanes>(base: &[V], l: &[V], u: &mut [V]) {
    let n = triangle_rows(u.len());
    let mut a = Scratch::new(n * n);
    let a = a.all();
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = base[place(i, j)];
        }
        let half = V::constant(0.5) * base[place(i, i)];
        a[i * n + i] = half.exp();
        u[place(i, i)] = l[i * n + i].ln() + if INVERSE { -half } else { half };
    }
    for i in 0..n {
        if INVERSE {
            // Row by row: the solution of t A = l, from its last element.
            let mut t = Scratch::new(i + 1);
            let t = t.all();
            for j in (0..=i).rev() {
                let mut rest = l[i * n + j];
                for k in j + 1..=i {
                    rest = rest - t[k] * a[k * n + j];
                }
                t[j] = rest / a[j * n + j];
                if j < i {
                    u[place(i, j)] = t[j];
                }
            }
        } else {
            for j in 0..i {
                let mut sum = V::zero();
                for k in j..=i {
                    sum = l[i * n + k].mul_add(a[k * n + j], sum);
                }
                u[place(i, j)] = sum;
            }
        }
    }
}

/// Sets the logarithms of the squares of the diagonal of Bartlett's factor, beside its other elements.
#[inline(always)]
fn base<const INVERSE: bool, V: Lanes>(u: &[V], l: &[V], noise: &mut [V]) {
    let n = triangle_rows(u.len());
    for i in 0..n {
        let half = u[place(i, i)] - l[i * n + i].ln();
        let half = if INVERSE { -half } else { half };
        noise[place(i, i)] = half + half;
    }
}

/// Adds to the derivatives by the lower triangle of the factor of the scale, and by the base where it is not normal.
#[inline(always)]
fn pull<const INVERSE: bool, V: Lanes>(base: &[V], u: &[V], l: &[V], d_u: &[V], d_l: &mut [V], d_base: &mut [V]) {
    let n = triangle_rows(u.len());
    let (mut a, mut d_a, mut t, mut d_t) = (Scratch::new(n * n), Scratch::new(n * n), Scratch::new(n * n), Scratch::new(n * n));
    let (a, d_a, t, d_t) = (a.all(), d_a.all(), t.all(), d_t.all());
    for i in 0..n {
        for j in 0..i {
            (a[i * n + j], t[i * n + j], d_t[i * n + j]) = (base[place(i, j)], u[place(i, j)], d_u[place(i, j)]);
        }
        let own = u[place(i, i)].exp();
        (t[i * n + i], d_t[i * n + i]) = (own, d_u[place(i, i)] / own);
        a[i * n + i] = if INVERSE { l[i * n + i] / own } else { own / l[i * n + i] };
    }
    for i in 0..n {
        if INVERSE {
            // The adjoint of l, of which t = l A^-1: by forward substitution over the adjoint of t.
            for j in 0..=i {
                let mut rest = d_t[i * n + j];
                for k in 0..j {
                    rest = rest - d_t[i * n + k] * a[j * n + k];
                }
                d_t[i * n + j] = rest / a[j * n + j];
            }
            for j in 0..=i {
                let own = d_t[i * n + j];
                d_l[i * n + j] = d_l[i * n + j] + own;
                for k in j..=i {
                    d_a[k * n + j] = d_a[k * n + j] - t[i * n + k] * own;
                }
            }
        } else {
            for j in 0..=i {
                let own = d_t[i * n + j];
                for k in j..=i {
                    d_l[i * n + k] = own.mul_add(a[k * n + j], d_l[i * n + k]);
                    d_a[k * n + j] = own.mul_add(l[i * n + k], d_a[k * n + j]);
                }
            }
        }
    }
    for i in 0..n {
        d_base[place(i, i)] = V::constant(0.5) * d_a[i * n + i] * a[i * n + i];
    }
}

macro_rules! by_factor {
    ($name:ident, $inverse:literal) => {
        /// # Source
        /// Bartlett 1933.
        impl Pathwise<2> for $name {
            const BASE: Option<Base> = Some(Base::ChiSquared);

            fn offset(number: usize, of: usize) -> Option<f64> {
                offset::<$inverse>(number, of)
            }

            #[inline(always)]
            fn draw<V: Lanes>(base: &[V], [_, scale_tril]: [&[V]; 2], u: &mut [V]) {
                draw::<$inverse, V>(base, scale_tril, u);
            }

            #[inline(always)]
            fn base<V: Lanes>(u: &[V], [_, scale_tril]: [&[V]; 2], noise: &mut [V]) {
                base::<$inverse, V>(u, scale_tril, noise);
            }

            #[inline(always)]
            fn pull<V: Lanes>(
                base: &[V],
                u: &[V],
                [_, scale_tril]: [&[V]; 2],
                d_u: &[V],
                [_, d_scale_tril]: [&mut [V]; 2],
                d_base: &mut [V],
            ) {
                pull::<$inverse, V>(base, u, scale_tril, d_u, d_scale_tril, d_base);
            }
        }
    };
}

by_factor!(WishartCholesky, false);
by_factor!(InverseWishartCholesky, true);

/// A matrix by its factor, of which the unconstrained numbers are the same.
impl<const INVERSE: bool> Pathwise<2> for WishartOf<INVERSE>
where
    Self: Multiparameter<2>,
{
    const BASE: Option<Base> = Some(Base::ChiSquared);

    fn offset(number: usize, of: usize) -> Option<f64> {
        offset::<INVERSE>(number, of)
    }

    #[inline(always)]
    fn draw<V: Lanes>(base: &[V], [_, scale]: [&[V]; 2], u: &mut [V]) {
        let mut l = Scratch::new(scale.len());
        cholesky(scale, triangle_rows(u.len()), l.all());
        draw::<INVERSE, V>(base, l.all(), u);
    }

    #[inline(always)]
    fn base<V: Lanes>(u: &[V], [_, scale]: [&[V]; 2], noise: &mut [V]) {
        let mut l = Scratch::new(scale.len());
        cholesky(scale, triangle_rows(u.len()), l.all());
        base::<INVERSE, V>(u, l.all(), noise);
    }

    #[inline(always)]
    fn pull<V: Lanes>(base: &[V], u: &[V], [_, scale]: [&[V]; 2], d_u: &[V], [_, d_scale]: [&mut [V]; 2], d_base: &mut [V]) {
        let n = triangle_rows(u.len());
        let (mut l, mut d_l) = (Scratch::new(scale.len()), Scratch::new(scale.len()));
        cholesky(scale, n, l.all());
        pull::<INVERSE, V>(base, u, l.all(), d_u, d_l.all(), d_base);
        pull_cholesky(l.all(), d_l.all(), n, d_scale);
    }
}
