//! The binomial distribution of a log odds.

use rand::Rng;
use rand_distr::Distribution as _;

use super::special::within;
use super::{BernoulliLogit, BinomialProb, Cumulative, Partials, Tails, Univariate, binomial_prob::binomial_tails};
use crate::kernel::{Lanes, softplus_and_sigmoid};

/// The binomial distribution of a log odds.
///
/// `log p(x) = ln(trials choose x) + x logit - trials ln(1 + e^logit)`, in nats.
///
/// # Source
/// Stan `binomial_logit`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, BinomialLogit};
/// assert!((log_prob::<BinomialLogit, 2>(1.0, [2.0, 0.0]) + 0.6931472).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BinomialLogit;

impl Univariate<2> for BinomialLogit {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [trials, logit]: [V; 2]) -> Partials<V, 2> {
        let choose = -(trials - x).ln_factorial();
        let (softplus, sigmoid) = softplus_and_sigmoid(logit);
        let log_prob = within(V::zero(), x, trials, choose + x * logit - trials * softplus);
        Partials { log_prob, d_value: V::zero(), d_params: [V::zero(), x - trials * sigmoid] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([trials, _logit]: [V; 2]) -> (V, [V; 2]) {
        (-trials.ln_factorial(), [V::zero(); 2])
    }

    fn sample([trials, logit]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a checked count")]
        let n = trials as u64;
        rand_distr::Binomial::new(n, Lanes::sigmoid(logit)).map_or(f64::NAN, |d| d.sample(rng) as f64)
    }

    fn mean([trials, logit]: [f64; 2]) -> Option<f64> {
        Some(trials * logit.sigmoid())
    }

    fn variance([trials, logit]: [f64; 2]) -> Option<f64> {
        Some(trials * logit.sigmoid() * (-logit).sigmoid())
    }

    fn mode([trials, logit]: [f64; 2]) -> Option<f64> {
        BinomialProb::mode([trials, logit.sigmoid()])
    }

    fn divergence([trials, logit]: [f64; 2], [other_trials, other]: [f64; 2]) -> Option<f64> {
        let one = BernoulliLogit::divergence([logit], [other]);
        one.filter(|_| trials == other_trials).map(|one| trials * one)
    }
}

impl Cumulative<2> for BinomialLogit {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [trials, logit]: [V; 2]) -> Tails<V, 2> {
        let (prob, rest) = (logit.sigmoid(), (-logit).sigmoid());
        let (ln_below, ln_above) = binomial_tails(x, trials, prob, rest);
        Tails { ln_below, ln_above, velocity: [V::zero(), (trials - x).max(V::zero()) * prob] }
    }
}
