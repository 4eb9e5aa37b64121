//! The concrete distribution: simplexes that, the lower the temperature, are the nearer to a corner.

use rand::Rng;

use super::{Multiparameter, place};
use crate::distributions::special::open01;
use crate::kernel::Lanes;

/// The concrete distribution, or Gumbel-softmax: the softmax of `(logits_k + g_k) / temperature`, with `g_k` standard Gumbel numbers.
///
/// `log p(x) = lgamma(K) + (K - 1) ln temperature + sum of (y_k - ln x_k) - K ln(sum of e^y_k)` with `y_k = logits_k - temperature ln x_k`, in nats. As the
/// temperature falls to zero, a draw becomes a corner of the simplex, that of a category with these logits; up to `1 / (K - 1)` the density has no mode
/// within.
///
/// Drawn as above, a smooth function of the temperature and the logits: `d ln x_k / d logits_j = ([k = j] - x_j) / temperature`. A draw that is below the
/// smallest normal number is that number.
///
/// # Shapes
/// The value and the logits are vectors of one length `K` (one number is a logit for every element), the temperature a number.
///
/// # Source
/// Maddison, Mnih & Teh 2017, The Concrete Distribution, definition 1; Jang, Gu & Poole 2017, Categorical Reparameterization with Gumbel-Softmax.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Concrete, Multiparameter};
/// // Of two equal logits at temperature one it is uniform.
/// assert!(Concrete::log_prob::<f64>(&[0.2, 0.8], [&[1.0], &[0.0, 0.0]]).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Concrete;

/// `y_k`, their largest, and the sum of `e^(y_k - largest)`.
#[inline(always)]
fn exponents<V: Lanes>(value: &[V], temperature: V, logits: &[V], y: &mut [V]) -> (V, V) {
    let mut largest = V::constant(f64::NEG_INFINITY);
    for k in 0..value.len() {
        y[k] = logits[place(logits.len(), k)] - temperature * value[k].ln();
        largest = largest.max(y[k]);
    }
    let mut sum = V::zero();
    for k in 0..value.len() {
        sum = sum + (y[k] - largest).exp();
    }
    (largest, sum)
}

/// The log density, of what [`exponents`] found.
#[inline(always)]
fn log_density<V: Lanes>(value: &[V], temperature: V, y: &[V], (largest, sum): (V, V)) -> V {
    let size = V::constant(value.len() as f64);
    let mut log_prob = size.lgamma() + (size - V::constant(1.0)) * temperature.ln() - size * sum.ln();
    for k in 0..value.len() {
        log_prob = log_prob + ((y[k] - largest) - value[k].ln());
    }
    log_prob
}

impl Multiparameter<2> for Concrete {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [temperature, logits]: [&[V]; 2]) -> V {
        let mut y = vec![V::zero(); value.len()];
        let found = exponents(value, temperature[0], logits, &mut y);
        log_density(value, temperature[0], &y, found)
    }

    #[inline(always)]
    fn partials<V: Lanes>(
        value: &[V],
        [temperature, logits]: [&[V]; 2],
        d_value: &mut [V],
        [d_temperature, d_logits]: [&mut [V]; 2],
    ) -> V {
        let (one, size) = (V::constant(1.0), V::constant(value.len() as f64));
        let mut y = vec![V::zero(); value.len()];
        let (largest, sum) = exponents(value, temperature[0], logits, &mut y);
        let log_prob = log_density(value, temperature[0], &y, (largest, sum));
        d_temperature[0] = d_temperature[0] + (size - one) / temperature[0];
        for k in 0..value.len() {
            let d_y = one - size * ((y[k] - largest).exp() / sum);
            let at = place(logits.len(), k);
            d_logits[at] = d_logits[at] + d_y;
            d_temperature[0] = d_temperature[0] - d_y * value[k].ln();
            d_value[k] = d_value[k] - (one + temperature[0] * d_y) / value[k];
        }
        log_prob
    }

    fn sample([temperature, logits]: [&[f64]; 2], rng: &mut dyn Rng, value: &mut [f64]) {
        let mut largest = f64::NEG_INFINITY;
        for k in 0..value.len() {
            let gumbel = -(-open01(rng).ln()).ln();
            value[k] = (logits[place(logits.len(), k)] + gumbel) / temperature[0];
            largest = largest.max(value[k]);
        }
        if !(temperature[0] > 0.0 && largest.is_finite()) {
            value.fill(f64::NAN);
            return;
        }
        let mut sum = 0.0;
        for x in value.iter_mut() {
            *x = (*x - largest).exp();
            sum += *x;
        }
        value.iter_mut().for_each(|x| *x = (*x / sum).max(f64::MIN_POSITIVE));
    }
}
