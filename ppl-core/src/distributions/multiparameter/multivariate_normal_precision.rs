//! The multivariate normal distribution, by its precision.

use rand::Rng;

use super::{Multiparameter, MultivariateNormalTril, factor, place, residual, square_sum, standard_normal};
use crate::distributions::special::LN_SQRT_2PI;
use crate::kernel::Lanes;
use crate::linear_algebra::{
    Scratch, add_scaled, cholesky, dot, factor_log_det, lower_matvec, matvec_transposed, pull_cholesky, solve_lower,
    solve_lower_transposed,
};

/// The multivariate normal distribution, by its precision, the inverse of its covariance.
///
/// `log p(x) = -(x - loc)^T precision (x - loc) / 2 + ln det(precision) / 2 - n / 2 ln(2 pi)`, in nats.
///
/// # Shapes
/// The value and `loc` are vectors of one length (or `loc` one number), `precision` a positive definite matrix, of which the lower triangle is read.
///
/// # Source
/// Stan `multi_normal_prec`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, MultivariateNormalPrecision};
/// // (1, 1) of the precision ((4, 2), (2, 10)): -18 / 2 + ln 6 - ln 2 pi.
/// let found = MultivariateNormalPrecision::log_prob(&[1.0, 1.0], [&[0.0, 0.0], &[4.0, 2.0, 2.0, 10.0]]);
/// assert!((found + 9.0 - 6_f64.ln() + std::f64::consts::TAU.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultivariateNormalPrecision;

/// The log density, of the residual and the factor of the precision; writes `y = L^T residual`.
#[inline(always)]
fn log_density<V: Lanes>(l: &[V], residual: &[V], y: &mut [V]) -> V {
    let n = residual.len();
    matvec_transposed(l, residual, y);
    let twice = factor_log_det(l, n) - dot(y, y);
    V::constant(0.5).mul_add(twice, V::constant(-LN_SQRT_2PI * n as f64))
}

impl Multiparameter<2> for MultivariateNormalPrecision {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [loc, precision]: [&[V]; 2]) -> V {
        let n = value.len();
        let (mut l, mut r, mut y) = (Scratch::new(n * n), Scratch::new(n), Scratch::new(n));
        cholesky(precision, n, l.all());
        residual(value, loc, r.all());
        log_density(l.all(), r.all(), y.all())
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [loc, precision]: [&[V]; 2], d_value: &mut [V], [d_loc, d_precision]: [&mut [V]; 2]) -> V {
        let n = value.len();
        let (mut l, mut d_l) = (Scratch::new(n * n), Scratch::new(n * n));
        let (mut r, mut y, mut w) = (Scratch::new(n), Scratch::new(n), Scratch::new(n));
        let (l, d_l, r, y, w) = (l.all(), d_l.all(), r.all(), y.all(), w.all());
        cholesky(precision, n, l);
        residual(value, loc, r);
        let log_prob = log_density(l, r, y);
        // w = precision (x - loc)
        lower_matvec(l, y, w);
        for i in 0..n {
            let at = place(d_loc.len(), i);
            d_value[i] = d_value[i] - w[i];
            d_loc[at] = d_loc[at] + w[i];
            add_scaled(&mut d_precision[i * n..], -r[i], &r[..i]);
            d_precision[i * n + i] = d_precision[i * n + i] - V::constant(0.5) * r[i] * r[i];
            d_l[i * n + i] = V::constant(1.0) / l[i * n + i];
        }
        pull_cholesky(l, d_l, n, d_precision);
        log_prob
    }

    fn sample([loc, precision]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        standard_normal(rng, value);
        solve_lower_transposed(&factor(precision), value.len(), value);
        value.iter_mut().enumerate().for_each(|(i, x)| *x += loc[place(loc.len(), i)]);
    }

    fn mean([loc, precision]: [&[f64]; 2], value: &mut [f64]) -> bool {
        MultivariateNormalTril::mean([loc, precision], value)
    }

    fn entropy([_, precision]: [&[f64]; 2], length: usize) -> Option<f64> {
        Some((0.5 + LN_SQRT_2PI) * length as f64 - 0.5 * factor_log_det(&factor(precision), length))
    }

    fn divergence([loc, precision]: [&[f64]; 2], [other_loc, other]: [&[f64]; 2], length: usize) -> Option<f64> {
        let (own, other) = (factor(precision), factor(other));
        let apart: Vec<f64> = (0..length).map(|i| loc[place(loc.len(), i)] - other_loc[place(other_loc.len(), i)]).collect();
        let mut stretched = vec![0.0; length];
        matvec_transposed(&other, &apart, &mut stretched);
        // tr(other own^-1) = |own_factor^-1 other_factor|^2
        let mut relative = other.clone();
        solve_lower(&own, length, &mut relative);
        let squares = square_sum(&relative) + square_sum(&stretched) - length as f64;
        Some(0.5 * (squares + factor_log_det(&own, length) - factor_log_det(&other, length)))
    }
}
