//! The negative binomial distribution of a mean and a dispersion.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, PoissonRate, Tails, Univariate};
use crate::kernel::Lanes;

/// The negative binomial distribution of a mean and a dispersion.
///
/// `log p(x) = lgamma(x + d) - lgamma(d) - lgamma(x + 1) + x ln(m / (m + d)) + d ln(d / (m + d))` with mean `m` and dispersion `d`; the variance is `m + m^2 / d`, in nats.
///
/// # Source
/// Stan `neg_binomial_2`, R `dnbinom(mu, size)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, NegativeBinomial};
/// assert!((log_prob::<NegativeBinomial, 2>(0.0, [1.0, 1.0]) + 0.6931472).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NegativeBinomial;

impl Univariate<2> for NegativeBinomial {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [mean, dispersion]: [V; 2]) -> Partials<V, 2> {
        let total = mean + dispersion;
        let count = x + dispersion;
        let (lgamma, digamma) = count.lgamma_and_digamma();
        let ln_total = total.ln();
        let ratio = count / total;
        let log_prob = lgamma + x * mean.ln() - count * ln_total;
        Partials { log_prob, d_value: V::zero(), d_params: [x / mean - ratio, digamma - ln_total - ratio] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_mean, dispersion]: [V; 2]) -> (V, [V; 2]) {
        let (lgamma, digamma) = dispersion.lgamma_and_digamma();
        let ln = dispersion.ln();
        (lgamma - dispersion * ln, [V::zero(), digamma - ln - V::constant(1.0)])
    }

    fn sample([mean, dispersion]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        let rate: f64 = rand_distr::Gamma::new(dispersion, mean / dispersion).map_or(f64::NAN, |d| d.sample(rng));
        PoissonRate::sample([rate], rng)
    }

    fn mean([mean, _]: [f64; 2]) -> Option<f64> {
        Some(mean)
    }

    fn variance([mean, dispersion]: [f64; 2]) -> Option<f64> {
        Some(mean + mean.powi(2) / dispersion)
    }

    fn mode([mean, dispersion]: [f64; 2]) -> Option<f64> {
        Some((mean * (1.0 - dispersion.recip())).floor().max(0.0))
    }
}

impl Cumulative<2> for NegativeBinomial {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [mean, dispersion]: [V; 2]) -> Tails<V, 2> {
        let total = mean + dispersion;
        let (prob, rest) = (dispersion / total, mean / total);
        let [ln_below, ln_above, d_alpha, _] = V::beta_tails(dispersion, x + V::constant(1.0), prob, rest);
        let ratio = (dispersion + x) / total;
        Tails { ln_below, ln_above, velocity: [ratio, ratio * (mean * d_alpha - rest / prob)] }
    }
}
