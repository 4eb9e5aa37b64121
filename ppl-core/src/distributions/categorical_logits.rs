//! The categorical distribution of unnormalized log probabilities.

use rand::Rng;

use super::categorical_probs::mean_number;
use super::categorical_probs::{draw, pick};
use super::{Multivariate, Vector, VectorAdjoints};
use crate::kernel::Lanes;

/// The categorical distribution over `0, 1, .., K - 1`, of log probabilities up to a constant.
///
/// `log p(x) = logits_x - ln sum of e^logits_k`, in nats.
///
/// # Shapes
/// The value is a number (a vector of length one), the parameter a vector of length K.
///
/// # Source
/// Stan `categorical_logit` (which counts from one).
#[derive(Clone, Copy, Debug)]
pub struct CategoricalLogits;

/// `ln sum of e^logits_k`: the largest is found first, so that each logit costs one exponential.
#[inline(always)]
fn log_sum_exp<V: Lanes>(logits: &impl Vector<V>) -> V {
    let infinity = V::constant(f64::NEG_INFINITY);
    let mut largest = infinity;
    for k in 0..logits.len() {
        largest = largest.max(logits.get(k));
    }
    // Where all are `-inf` there is nothing to rescale.
    let nothing = largest.eq(infinity);
    let shift = V::select(nothing, V::zero(), largest);
    let mut sum = V::zero();
    for k in 0..logits.len() {
        sum = sum + (logits.get(k) - shift).exp();
    }
    V::select(nothing, infinity, shift + sum.ln())
}

impl Multivariate for CategoricalLogits {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &impl Vector<V>, logits: &impl Vector<V>) -> V {
        pick(value.get(0), logits) - log_sum_exp(logits)
    }

    #[inline(always)]
    fn accumulate<V: Lanes>(
        value: &impl Vector<V>,
        logits: &impl Vector<V>,
        weight: V,
        adjoints: &mut impl VectorAdjoints<V>,
    ) -> V {
        let value = value.get(0);
        let total = log_sum_exp(logits);
        let mut picked = V::zero();
        for k in 0..logits.len() {
            let logit = logits.get(k);
            let chosen = value.eq(V::constant(k as f64));
            picked = V::select(chosen, logit, picked);
            let indicator = V::select(chosen, V::constant(1.0), V::zero());
            adjoints.add_parameter(k, weight * (indicator - (logit - total).exp()));
        }
        picked - total
    }

    fn sample(logits: &[f64], rng: &mut dyn Rng, value: &mut [f64]) {
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        value[0] = draw(logits.iter().map(|x| (x - largest).exp()), rng);
    }

    fn mean(parameter: &[f64], value: &mut [f64]) -> bool {
        let most = parameter.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        value.fill(mean_number(parameter.iter().map(|logit| (logit - most).exp())));
        true
    }
}
