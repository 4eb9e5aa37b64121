//! The Dirichlet distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Multivariate, Vector, VectorAdjoints};
use crate::kernel::Lanes;

/// The Dirichlet distribution over simplexes.
///
/// `log p(x) = sum of (a_k - 1) ln x_k + lgamma(sum of a_k) - sum of lgamma(a_k)`, in nats, with `a` the concentration.
///
/// # Shapes
/// The value and the concentration are vectors of one length; one number is a concentration for every element.
///
/// # Source
/// Stan `dirichlet`, scipy `dirichlet`.
#[derive(Clone, Copy, Debug)]
pub struct Dirichlet;

impl Multivariate for Dirichlet {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &impl Vector<V>, concentration: &impl Vector<V>) -> V {
        let (mut log_prob, mut total) = (V::zero(), V::zero());
        for k in 0..value.len() {
            let a = concentration.get(k);
            total = total + a;
            log_prob = log_prob + (a - V::constant(1.0)) * value.get(k).ln() - a.lgamma();
        }
        log_prob + total.lgamma()
    }

    #[inline(always)]
    fn accumulate<V: Lanes>(
        value: &impl Vector<V>,
        concentration: &impl Vector<V>,
        weight: V,
        adjoints: &mut impl VectorAdjoints<V>,
    ) -> V {
        let mut total = V::zero();
        for k in 0..value.len() {
            total = total + concentration.get(k);
        }
        let (mut log_prob, d_total) = total.lgamma_and_digamma();
        for k in 0..value.len() {
            let (x, a) = (value.get(k), concentration.get(k));
            let less = a - V::constant(1.0);
            let ln = x.ln();
            let (lgamma, digamma) = a.lgamma_and_digamma();
            log_prob = log_prob + less * ln - lgamma;
            adjoints.add_value(k, weight * less / x);
            adjoints.add_parameter(k, weight * (ln - digamma + d_total));
        }
        log_prob
    }

    fn sample(concentration: &[f64], rng: &mut dyn Rng, value: &mut [f64]) {
        // Normalized gamma variables; of shape a + 1 and then scaled by u^(1 / a) in logarithms, since small shapes underflow.
        let mut largest = f64::NEG_INFINITY;
        for (x, &a) in value.iter_mut().zip(concentration) {
            let gamma: f64 = rand_distr::Gamma::new(a + 1.0, 1.0).map_or(f64::NAN, |d| d.sample(rng));
            let u: f64 = rand_distr::OpenClosed01.sample(rng);
            *x = gamma.ln() + u.ln() / a;
            largest = largest.max(*x);
        }
        let mut total = 0.0;
        for x in value.iter_mut() {
            *x = (*x - largest).exp();
            total += *x;
        }
        value.iter_mut().for_each(|x| *x /= total);
    }

    fn mean(parameter: &[f64], value: &mut [f64]) -> bool {
        // One number is a concentration for every element.
        let concentration = |k: usize| parameter.get(k).or(parameter.first()).copied().unwrap_or(f64::NAN);
        let total: f64 = (0..value.len()).map(concentration).sum();
        value.iter_mut().enumerate().for_each(|(k, mean)| *mean = concentration(k) / total);
        true
    }
}
