//! The multivariate normal distribution, by the Cholesky factor of its covariance.

use rand::Rng;

use super::{Multiparameter, lower, place, residual, square_sum, standard_normal};
use crate::distributions::special::LN_SQRT_2PI;
use crate::kernel::Lanes;
use crate::linear_algebra::{
    Scratch, add_scaled, factor_log_det, factor_quad_form, lower_matvec, solve_lower, solve_lower_transposed,
};

/// The multivariate normal distribution, by the Cholesky factor of its covariance: the fastest of its forms.
///
/// `log p(x) = -|z|^2 / 2 - sum of ln L_ii - n / 2 ln(2 pi)` with `L z = x - loc`, in nats; `L` is `scale_tril`.
///
/// # Shapes
/// The value and `loc` are vectors of one length (or `loc` one number), `scale_tril` a lower triangular matrix with positive diagonal.
///
/// # Source
/// Stan `multi_normal_cholesky`, NumPyro `MultivariateNormal(scale_tril=..)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, MultivariateNormalTril};
/// // L z = (4, 5) of z = (2, 1): -5 / 2 - ln 6 - ln 2 pi.
/// let found = MultivariateNormalTril::log_prob(&[4.0, 5.0], [&[0.0, 0.0], &[2.0, 0.0, 1.0, 3.0]]);
/// assert!((found + 2.5 + 6_f64.ln() + std::f64::consts::TAU.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultivariateNormalTril;

/// The log density, of `z = x - loc`, which becomes `L^-1 (x - loc)`.
#[inline(always)]
pub(super) fn log_density<V: Lanes>(l: &[V], z: &mut [V]) -> V {
    let n = z.len();
    let twice = factor_quad_form(l, z) + factor_log_det(l, n);
    V::constant(-0.5).mul_add(twice, V::constant(-LN_SQRT_2PI * n as f64))
}

/// Adds the derivatives of the log density, given `z`.
#[inline(always)]
pub(super) fn add_partials<V: Lanes>(l: &[V], z: &[V], d_value: &mut [V], [d_loc, d_l]: [&mut [V]; 2]) {
    let n = z.len();
    let mut w = Scratch::new(n);
    let w = w.all();
    w.copy_from_slice(z);
    solve_lower_transposed(l, n, w);
    for i in 0..n {
        let at = place(d_loc.len(), i);
        d_value[i] = d_value[i] - w[i];
        d_loc[at] = d_loc[at] + w[i];
        add_scaled(&mut d_l[i * n..], w[i], &z[..=i]);
        d_l[i * n + i] = d_l[i * n + i] - V::constant(1.0) / l[i * n + i];
    }
}

impl Multiparameter<2> for MultivariateNormalTril {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [loc, scale_tril]: [&[V]; 2]) -> V {
        let mut z = Scratch::new(value.len());
        residual(value, loc, z.all());
        log_density(scale_tril, z.all())
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [loc, scale_tril]: [&[V]; 2], d_value: &mut [V], d_params: [&mut [V]; 2]) -> V {
        let mut z = Scratch::new(value.len());
        let z = z.all();
        residual(value, loc, z);
        let log_prob = log_density(scale_tril, z);
        add_partials(scale_tril, z, d_value, d_params);
        log_prob
    }

    fn sample([loc, scale_tril]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let mut z = vec![0.0; value.len()];
        standard_normal(rng, &mut z);
        lower_matvec(&lower(scale_tril), &z, value);
        value.iter_mut().enumerate().for_each(|(i, x)| *x += loc[place(loc.len(), i)]);
    }

    fn mean([loc, _]: [&[f64]; 2], value: &mut [f64]) -> bool {
        value.iter_mut().enumerate().for_each(|(i, x)| *x = loc[place(loc.len(), i)]);
        true
    }

    fn entropy([_, scale_tril]: [&[f64]; 2], length: usize) -> Option<f64> {
        Some((0.5 + LN_SQRT_2PI) * length as f64 + 0.5 * factor_log_det(scale_tril, length))
    }

    fn divergence([loc, scale_tril]: [&[f64]; 2], [other_loc, other]: [&[f64]; 2], length: usize) -> Option<f64> {
        let mut apart: Vec<f64> = (0..length).map(|i| loc[place(loc.len(), i)] - other_loc[place(other_loc.len(), i)]).collect();
        let mut relative = lower(scale_tril);
        solve_lower(other, length, &mut relative);
        let squares = square_sum(&relative) + factor_quad_form(other, &mut apart) - length as f64;
        Some(0.5 * (squares + factor_log_det(other, length) - factor_log_det(scale_tril, length)))
    }
}
