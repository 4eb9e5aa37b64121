//! The inverse chi-squared distribution: one over a number that has a chi-squared distribution.

use rand::Rng;

use super::{ChiSquared, Cumulative, Gamma, InverseGamma, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The inverse chi-squared distribution: one over a number that has a chi-squared distribution.
///
/// `log p(x) = -(df / 2 + 1) ln x - 1 / (2 x) - (df / 2) ln 2 - lgamma(df / 2)`, in nats.
///
/// Drawn by composition, one over a gamma number of shape `df / 2` and rate `1 / 2`.
///
/// # Source
/// Stan `inv_chi_square`, R `extraDistr::dinvchisq`, scipy `invgamma(a = df / 2, scale = 1 / 2)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, InverseChiSquared};
/// assert!((log_prob::<InverseChiSquared, 1>(1.0, [2.0]) + 1.1931472).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InverseChiSquared;

impl Univariate<1> for InverseChiSquared {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        let inverse = V::constant(1.0) / x;
        let half = V::constant(0.5) * inverse;
        (-x.ln() - half, half * inverse - inverse)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [df]: [V; 1]) -> Partials<V, 1> {
        let half = V::constant(0.5) * df;
        let ln = x.ln();
        Partials { log_prob: -(half * ln), d_value: -(half * (V::constant(1.0) / x)), d_params: [V::constant(-0.5) * ln] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>(params: [V; 1]) -> (V, [V; 1]) {
        ChiSquared::normalizer(params)
    }

    fn sample([df]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        Gamma::sample([0.5 * df, 0.5], rng).recip()
    }

    fn mean([df]: [f64; 1]) -> Option<f64> {
        InverseGamma::mean([0.5 * df, 0.5])
    }

    fn variance([df]: [f64; 1]) -> Option<f64> {
        InverseGamma::variance([0.5 * df, 0.5])
    }

    fn mode([df]: [f64; 1]) -> Option<f64> {
        InverseGamma::mode([0.5 * df, 0.5])
    }

    fn entropy([df]: [f64; 1]) -> Option<f64> {
        InverseGamma::entropy([0.5 * df, 0.5])
    }

    fn divergence([df]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        InverseGamma::divergence([0.5 * df, 0.5], [0.5 * other, 0.5])
    }
}

impl Cumulative<1> for InverseChiSquared {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [df]: [V; 1]) -> Tails<V, 1> {
        let half = V::constant(0.5);
        let [ln_above, ln_below, d_shape] = V::gamma_tails(half * df, half / x);
        Tails { ln_below, ln_above, velocity: [-(half * x * d_shape)] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [df]: [V; 1]) -> V {
        -(probability.mirrored().ln_gamma(V::constant(0.5) * df) + V::constant(std::f64::consts::LN_2))
    }
}
