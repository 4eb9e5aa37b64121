//! The chi-squared distribution: the sum of the squares of so many normal numbers.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Gamma, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The chi-squared distribution: the sum of the squares of so many normal numbers.
///
/// `log p(x) = (df / 2 - 1) ln x - x / 2 - (df / 2) ln 2 - lgamma(df / 2)`, in nats.
///
/// Drawn by composition, a gamma number of shape `df / 2` and rate `1 / 2`.
///
/// # Source
/// Stan `chi_square`, R `dchisq`, scipy `chi2`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, ChiSquared};
/// assert!((log_prob::<ChiSquared, 1>(1.0, [2.0]) + 1.1931472).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ChiSquared;

impl Univariate<1> for ChiSquared {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln() - V::constant(0.5) * x, V::constant(-0.5) - V::constant(1.0) / x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [df]: [V; 1]) -> Partials<V, 1> {
        let half = V::constant(0.5) * df;
        let ln = x.ln();
        Partials { log_prob: half * ln, d_value: half * (V::constant(1.0) / x), d_params: [V::constant(0.5) * ln] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([df]: [V; 1]) -> (V, [V; 1]) {
        let half = V::constant(0.5) * df;
        let (lgamma, digamma) = half.lgamma_and_digamma();
        let ln_2 = V::constant(std::f64::consts::LN_2);
        (half.mul_add(ln_2, lgamma), [V::constant(0.5) * (ln_2 + digamma)])
    }

    #[inline]
    fn sample([df]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        rand_distr::ChiSquared::new(df).map_or(f64::NAN, |d| d.sample(rng))
    }

    fn mean([df]: [f64; 1]) -> Option<f64> {
        Gamma::mean([0.5 * df, 0.5])
    }

    fn variance([df]: [f64; 1]) -> Option<f64> {
        Gamma::variance([0.5 * df, 0.5])
    }

    fn mode([df]: [f64; 1]) -> Option<f64> {
        Gamma::mode([0.5 * df, 0.5])
    }

    fn entropy([df]: [f64; 1]) -> Option<f64> {
        Gamma::entropy([0.5 * df, 0.5])
    }

    fn divergence([df]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Gamma::divergence([0.5 * df, 0.5], [0.5 * other, 0.5])
    }
}

impl Cumulative<1> for ChiSquared {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [df]: [V; 1]) -> Tails<V, 1> {
        let half = V::constant(0.5);
        let [ln_below, ln_above, d_shape] = V::gamma_tails(half * df, half * x);
        Tails { ln_below, ln_above, velocity: [half * x * d_shape] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [df]: [V; 1]) -> V {
        probability.ln_gamma(V::constant(0.5) * df) + V::constant(std::f64::consts::LN_2)
    }
}
