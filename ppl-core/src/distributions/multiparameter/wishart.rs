//! The Wishart distribution and its inverse, over covariance matrices.

use rand::Rng;

use super::wishart_factor::{add_partials, divergence, entropy, log_density};
use super::{InverseWishartCholesky, Multiparameter, WishartCholesky, factor};
use crate::distributions::Distribution;
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, cholesky, factor_log_det, factor_product, pull_cholesky};

/// The Wishart distribution over covariance matrices, of mean `df scale`.
///
/// `log p(X) = (df - n - 1) / 2 ln det X - tr(scale^-1 X) / 2 - df n / 2 ln 2 - df / 2 ln det(scale) - ln gamma_n(df / 2)`, in nats, with `gamma_n` the
/// multivariate gamma function; a density of the elements on and below the diagonal.
///
/// # Shapes
/// The value and the scale are positive definite matrices, of which the lower triangles are read; `df` is a number above `n - 1`.
///
/// # Source
/// Stan `wishart`, scipy `wishart`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, Wishart};
/// // Of one row it is the gamma distribution of shape df / 2 and rate 1 / (2 scale): here e^-x.
/// let found: f64 = Wishart::log_prob(&[3.0], [&[2.0], &[0.5]]);
/// assert!((found + 3.0).abs() < 1e-14);
/// ```
pub type Wishart = WishartOf<false>;

/// The inverse Wishart distribution over covariance matrices, of mean `scale / (df - n - 1)`.
///
/// `log p(X) = df / 2 ln det(scale) - df n / 2 ln 2 - ln gamma_n(df / 2) - (df + n + 1) / 2 ln det X - tr(scale X^-1) / 2`, in nats, with `gamma_n` the
/// multivariate gamma function; a density of the elements on and below the diagonal.
///
/// # Shapes
/// The value and the scale are positive definite matrices, of which the lower triangles are read; `df` is a number above `n - 1`.
///
/// # Source
/// Stan `inv_wishart`, scipy `invwishart`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{InverseWishart, Multiparameter};
/// // Of one row it is the inverse gamma distribution of shape df / 2 and scale scale / 2: here e^(-1 / x) / x^2.
/// let found = InverseWishart::log_prob(&[0.5], [&[2.0], &[2.0]]);
/// assert!((found + 2.0 - 4_f64.ln()).abs() < 1e-14);
/// ```
pub type InverseWishart = WishartOf<true>;

/// [`Wishart`], or [`InverseWishart`].
#[derive(Clone, Copy, Debug)]
pub struct WishartOf<const INVERSE: bool>;

impl<const INVERSE: bool> Multiparameter<2> for WishartOf<INVERSE>
where
    Self: Distribution,
{
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [df, scale]: [&[V]; 2]) -> V {
        let n = value.len().isqrt();
        let (mut x, mut s) = (Scratch::new(n * n), Scratch::new(n * n));
        cholesky(value, n, x.all());
        cholesky(scale, n, s.all());
        log_density::<INVERSE, false, V>(df[0], s.all(), x.all(), n)
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [df, scale]: [&[V]; 2], d_value: &mut [V], [d_df, d_scale]: [&mut [V]; 2]) -> V {
        let n = value.len().isqrt();
        let (mut x, mut s) = (Scratch::new(n * n), Scratch::new(n * n));
        let (mut d_x, mut d_s) = (Scratch::new(n * n), Scratch::new(n * n));
        let (x, s, d_x, d_s) = (x.all(), s.all(), d_x.all(), d_s.all());
        cholesky(value, n, x);
        cholesky(scale, n, s);
        let log_prob = add_partials::<INVERSE, false, V>(df[0], s, x, n, &mut d_df[0], [&mut *d_s, &mut *d_x]);
        pull_cholesky(x, d_x, n, d_value);
        pull_cholesky(s, d_s, n, d_scale);
        log_prob
    }

    fn sample([df, scale]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let n = value.len().isqrt();
        let mut l = vec![0.0; n * n];
        let draw = if INVERSE { InverseWishartCholesky::sample } else { WishartCholesky::sample };
        draw([df, &factor(scale)], rng, &mut l);
        factor_product(&l, n, value);
    }

    fn mean([df, scale]: [&[f64]; 2], value: &mut [f64]) -> bool {
        let less = df[0] - value.len().isqrt() as f64 - 1.0;
        if INVERSE && less <= 0.0 {
            return false;
        }
        let times = if INVERSE { less.recip() } else { df[0] };
        value.iter_mut().zip(scale).for_each(|(x, s)| *x = times * s);
        true
    }

    fn entropy([df, scale]: [&[f64]; 2], length: usize) -> Option<f64> {
        let n = length.isqrt();
        Some(entropy::<INVERSE>(df[0], factor_log_det(&factor(scale), n), n))
    }

    fn divergence([df, scale]: [&[f64]; 2], [other_df, other]: [&[f64]; 2], _length: usize) -> Option<f64> {
        Some(divergence::<INVERSE>([df[0], other_df[0]], &factor(scale), &factor(other)))
    }
}
