//! The categorical distribution of probabilities.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Multivariate, Vector, VectorAdjoints};
use crate::kernel::Lanes;

/// The categorical distribution over `0, 1, .., K - 1`, of probabilities.
///
/// `log p(x) = ln probs_x`, in nats.
///
/// # Shapes
/// The value is a number (a vector of length one), the parameter a vector of length K.
///
/// # Source
/// Stan `categorical` (which counts from one).
#[derive(Clone, Copy, Debug)]
pub struct CategoricalProbs;

/// The element of a vector that a number points to.
#[inline(always)]
pub(super) fn pick<V: Lanes>(value: V, vector: &impl Vector<V>) -> V {
    let mut picked = V::zero();
    for k in 0..vector.len() {
        picked = V::select(value.eq(V::constant(k as f64)), vector.get(k), picked);
    }
    picked
}

/// A draw from unnormalized probabilities.
#[allow(clippy::cast_precision_loss)]
pub(super) fn draw(weights: impl Iterator<Item = f64> + Clone, rng: &mut dyn Rng) -> f64 {
    let total: f64 = weights.clone().sum();
    let uniform: f64 = rand_distr::StandardUniform.sample(rng);
    let mut left = uniform * total;
    let mut last = 0;
    for (k, weight) in weights.enumerate() {
        last = k;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last as f64
}

impl Multivariate for CategoricalProbs {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &impl Vector<V>, probs: &impl Vector<V>) -> V {
        pick(value.get(0), probs).ln()
    }

    #[inline(always)]
    fn accumulate<V: Lanes>(
        value: &impl Vector<V>,
        probs: &impl Vector<V>,
        weight: V,
        adjoints: &mut impl VectorAdjoints<V>,
    ) -> V {
        let value = value.get(0);
        let prob = pick(value, probs);
        let d = weight / prob;
        for k in 0..probs.len() {
            adjoints.add_parameter(k, V::select(value.eq(V::constant(k as f64)), d, V::zero()));
        }
        prob.ln()
    }

    fn sample(probs: &[f64], rng: &mut dyn Rng, value: &mut [f64]) {
        value[0] = draw(probs.iter().copied(), rng);
    }

    fn mean(parameter: &[f64], value: &mut [f64]) -> bool {
        value.fill(mean_number(parameter.iter().copied()));
        true
    }
}

/// The mean number of a category, of weights that need not sum to one.
pub(super) fn mean_number(weights: impl Iterator<Item = f64>) -> f64 {
    let (sum, total) =
        weights.enumerate().fold((0.0, 0.0), |(sum, total), (k, weight)| (sum + k as f64 * weight, total + weight));
    sum / total
}
