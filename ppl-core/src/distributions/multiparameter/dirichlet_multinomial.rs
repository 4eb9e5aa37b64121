//! The Dirichlet-multinomial distribution.

use rand::Rng;

use super::multinomial::{of_all, orders};
use super::{Multinomial, Multiparameter, place};
use crate::distributions::{Dirichlet, Multivariate};
use crate::kernel::Lanes;

/// The Dirichlet-multinomial distribution: counts of trials whose probabilities have a Dirichlet distribution.
///
/// `log p(x) = lgamma(trials + 1) - sum of lgamma(x_k + 1) + lgamma(a) - lgamma(a + trials) + sum of (lgamma(a_k + x_k) - lgamma(a_k))`, with `a_k` the
/// concentration and `a` its sum, in nats; minus infinity where the counts do not sum to the trials.
///
/// # Shapes
/// The value and the concentration are vectors of one length (one number is a concentration for every element), `trials` a number.
///
/// # Source
/// Stan `dirichlet_multinomial`, scipy `dirichlet_multinomial`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{DirichletMultinomial, Multiparameter};
/// // Of two categories with concentrations one, all four outcomes of three trials have the same probability.
/// let found = DirichletMultinomial::log_prob(&[1.0, 2.0], [&[3.0], &[1.0, 1.0]]);
/// assert!((found + 4_f64.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DirichletMultinomial;

impl Multiparameter<2> for DirichletMultinomial {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [trials, concentration]: [&[V]; 2]) -> V {
        let (mut log_prob, total) = orders(value, trials[0]);
        let mut sum = V::zero();
        for k in 0..value.len() {
            let a = concentration[place(concentration.len(), k)];
            sum = sum + a;
            log_prob = log_prob + ((a + value[k]).lgamma() - a.lgamma());
        }
        of_all(total, trials[0], log_prob + (sum.lgamma() - (sum + trials[0]).lgamma()))
    }

    #[inline(always)]
    fn partials<V: Lanes>(
        value: &[V],
        [trials, concentration]: [&[V]; 2],
        _d_value: &mut [V],
        [_d_trials, d_concentration]: [&mut [V]; 2],
    ) -> V {
        let (mut log_prob, total) = orders(value, trials[0]);
        let mut sum = V::zero();
        for k in 0..value.len() {
            sum = sum + concentration[place(concentration.len(), k)];
        }
        let (before, d_before) = sum.lgamma_and_digamma();
        let (after, d_after) = (sum + trials[0]).lgamma_and_digamma();
        for k in 0..value.len() {
            let at = place(concentration.len(), k);
            let (own, d_own) = concentration[at].lgamma_and_digamma();
            let (with, d_with) = (concentration[at] + value[k]).lgamma_and_digamma();
            log_prob = log_prob + (with - own);
            d_concentration[at] = d_concentration[at] + (d_with - d_own) + (d_before - d_after);
        }
        of_all(total, trials[0], log_prob + (before - after))
    }

    fn sample([trials, concentration]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let each: Vec<f64> = (0..value.len()).map(|k| concentration[place(concentration.len(), k)]).collect();
        let mut probs = vec![f64::NAN; value.len()];
        if each.iter().all(|&a| a > 0.0) {
            Dirichlet::sample(&each, rng, &mut probs);
        }
        Multinomial::sample([trials, &probs], rng, value);
    }

    fn mean([trials, concentration]: [&[f64]; 2], value: &mut [f64]) -> bool {
        Dirichlet::mean(concentration, value);
        value.iter_mut().for_each(|x| *x *= trials[0]);
        true
    }
}
