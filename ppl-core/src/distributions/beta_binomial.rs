//! The beta-binomial distribution: successes of trials whose probability has a beta distribution.

use rand::Rng;

use super::special::within;
use super::{Beta, BinomialProb, Cumulative, Partials, Tails, Univariate, cumulative::tails_by_summing};
use crate::kernel::Lanes;

/// The beta-binomial distribution: successes of trials whose probability has a beta distribution.
///
/// `log p(x) = ln choose(trials, x) + ln B(x + alpha, trials - x + beta) - ln B(alpha, beta)`, in nats.
///
/// Drawn by composition, a binomial number of a probability that has a beta distribution.
///
/// # Source
/// Stan `beta_binomial`, R `extraDistr::dbbinom`, scipy `betabinom(n, a, b)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, BetaBinomial};
/// assert!((log_prob::<BetaBinomial, 3>(1.0, [2.0, 1.0, 1.0]) + 1.0986123).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BetaBinomial;

impl Univariate<3> for BetaBinomial {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [trials, alpha, beta]: [V; 3]) -> Partials<V, 3> {
        let rest = trials - x;
        let choose = -rest.ln_factorial();
        let (a, d_alpha) = (x + alpha).lgamma_and_digamma();
        let (b, d_beta) = (rest + beta).lgamma_and_digamma();
        let log_prob = within(V::zero(), x, trials, choose + a + b);
        Partials { log_prob, d_value: V::zero(), d_params: [V::zero(), d_alpha, d_beta] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([trials, alpha, beta]: [V; 3]) -> (V, [V; 3]) {
        let (ln, [d_alpha, d_beta]) = Beta::normalizer([alpha, beta]);
        let (lgamma, digamma) = (trials + alpha + beta).lgamma_and_digamma();
        let choose = trials.ln_factorial();
        (ln + lgamma - choose, [V::zero(), d_alpha + digamma, d_beta + digamma])
    }

    fn sample([trials, alpha, beta]: [f64; 3], rng: &mut dyn Rng) -> f64 {
        BinomialProb::sample([trials, super::Beta::sample([alpha, beta], rng)], rng)
    }

    fn mean([trials, alpha, beta]: [f64; 3]) -> Option<f64> {
        Some(trials * alpha / (alpha + beta))
    }

    fn variance([trials, alpha, beta]: [f64; 3]) -> Option<f64> {
        let sum = alpha + beta;
        Some(trials * alpha * beta * (sum + trials) / (sum.powi(2) * (sum + 1.0)))
    }
}

impl Cumulative<3> for BetaBinomial {
    fn tails<V: Lanes>(x: V, params: [V; 3]) -> Tails<V, 3> {
        tails_by_summing::<Self, V, 3>(x, params, |[trials, ..]| [0.0, trials])
    }
}
