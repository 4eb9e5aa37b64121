//! The multinomial distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::Multiparameter;
use crate::distributions::of_probability;
use crate::distributions::special::times_ln;
use crate::kernel::Lanes;

/// The multinomial distribution: how many of a number of trials fall into each category.
///
/// `log p(x) = lgamma(trials + 1) - sum of lgamma(x_k + 1) + sum of x_k ln probs_k`, in nats; minus infinity where the counts do not sum to the trials.
///
/// # Shapes
/// The value and the probabilities are vectors of one length, `trials` a number.
///
/// # Source
/// Stan `multinomial`, scipy `multinomial`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multinomial, Multiparameter};
/// // 3 ways to have one success among three trials: 3 * 1/4 * (3/4)^2.
/// let found = Multinomial::log_prob(&[1.0, 2.0], [&[3.0], &[0.25, 0.75]]);
/// assert!((found - (27.0_f64 / 64.0).ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Multinomial;

/// The counts' part of the density, and their sum.
#[inline(always)]
pub(super) fn orders<V: Lanes>(value: &[V], trials: V) -> (V, V) {
    let (mut ln, mut total) = (trials.ln_factorial(), V::zero());
    for k in 0..value.len() {
        ln = ln - value[k].ln_factorial();
        total = total + value[k];
    }
    (ln, total)
}

/// Minus infinity where the counts do not sum to the trials.
#[inline(always)]
pub(super) fn of_all<V: Lanes>(total: V, trials: V, log_prob: V) -> V {
    V::select(total.eq(trials), log_prob, V::constant(f64::NEG_INFINITY))
}

impl Multiparameter<2> for Multinomial {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [trials, probs]: [&[V]; 2]) -> V {
        let (mut log_prob, total) = orders(value, trials[0]);
        for k in 0..value.len() {
            // No count says nothing of a logarithm that would be infinite.
            let none = value[k].eq(V::zero());
            log_prob = log_prob + of_probability(probs[k], V::select(none, V::zero(), value[k] * probs[k].ln()));
        }
        of_all(total, trials[0], log_prob)
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [trials, probs]: [&[V]; 2], _d_value: &mut [V], [_d_trials, d_probs]: [&mut [V]; 2]) -> V {
        let (mut log_prob, total) = orders(value, trials[0]);
        for k in 0..value.len() {
            let none = value[k].eq(V::zero());
            log_prob = log_prob + of_probability(probs[k], V::select(none, V::zero(), value[k] * probs[k].ln()));
            d_probs[k] = d_probs[k] + V::select(none, V::zero(), value[k] / probs[k]);
        }
        of_all(total, trials[0], log_prob)
    }

    fn sample([trials, probs]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        if !(trials[0] >= 0.0 && probs.iter().all(|prob| (0.0..=1.0).contains(prob))) {
            value.fill(f64::NAN);
            return;
        }
        let mut left = trials[0];
        let mut rest: f64 = probs.iter().sum();
        for (k, x) in value.iter_mut().enumerate() {
            // The last takes what is left.
            let prob = if k + 1 == probs.len() { 1.0 } else { (probs[k] / rest).min(1.0) };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let count = rand_distr::Binomial::new(left as u64, prob).map_or(f64::NAN, |d| d.sample(rng) as f64);
            *x = count;
            left -= count;
            rest -= probs[k];
        }
    }

    fn mean([trials, probs]: [&[f64]; 2], value: &mut [f64]) -> bool {
        value.iter_mut().zip(probs).for_each(|(x, prob)| *x = trials[0] * prob);
        true
    }

    fn divergence([trials, probs]: [&[f64]; 2], [other_trials, other]: [&[f64]; 2], _length: usize) -> Option<f64> {
        let each: f64 = probs.iter().zip(other).map(|(&p, &q)| times_ln(p, p / q)).sum();
        (trials[0] == other_trials[0]).then_some(trials[0] * each)
    }
}
