//! The concrete distribution, one element of the simplex after the other.

use super::Pathwise;
use crate::distributions::{Concrete, Probability};
use crate::kernel::Lanes;
use crate::linear_algebra::Scratch;

/// The logarithms `y_k` of the elements of the simplex over the last one. Of `K` of them `e^(-temperature y_k + logits_k - logits_(K - 1))` are ratios of exponential
/// numbers to one of them; given those before it, a ratio exceeds `r` with the probability `(s / (s + r))^(k + 1)`, `s` being one and the sum of those before it.
#[inline(always)]
fn logarithms<V: Lanes>(noise: &[V], [temperature, logits]: [&[V]; 2], y: &mut [V]) {
    let last = logits[logits.len() - 1];
    let mut ln_sum = V::zero();
    for k in 0..noise.len() {
        let ln_growth = -Probability::below(noise[k]).ln_above / V::constant((k + 1) as f64);
        let ln_ratio = ln_sum + ln_growth.exp_m1().ln();
        y[k] = (logits[k] - last - ln_ratio) / temperature[0];
        ln_sum = ln_sum + ln_growth;
    }
    y[noise.len()] = V::zero();
}

/// Writes, for each element, the logarithm of the sum of what stands after it.
#[inline(always)]
fn ln_after<V: Lanes>(y: &[V], after: &mut [V]) {
    let mut sum = y[y.len() - 1];
    for k in (0..y.len() - 1).rev() {
        after[k] = sum;
        let most = sum.max(y[k]);
        sum = most + ((sum - most).exp() + (y[k] - most).exp()).ln();
    }
}

/// # Source
/// Maddison, Mnih & Teh 2017: a draw is linear in the logits; the ratios of exponential numbers are Lomax distributed (Arnold 2015, *Pareto Distributions*).
impl Pathwise<2> for Concrete {
    #[inline(always)]
    fn draw<V: Lanes>(noise: &[V], params: [&[V]; 2], u: &mut [V]) {
        let free = u.len();
        let (mut y, mut after) = (Scratch::new(free + 1), Scratch::new(free + 1));
        logarithms(noise, params, y.all());
        ln_after(y.all(), after.all());
        for k in 0..free {
            u[k] = y.all()[k] - after.all()[k] + V::constant(((free - k) as f64).ln());
        }
    }

    #[inline(always)]
    fn pull<V: Lanes>(
        noise: &[V],
        u: &[V],
        params: [&[V]; 2],
        d_u: &[V],
        [d_temperature, d_logits]: [&mut [V]; 2],
        _d_base: &mut [V],
    ) {
        let free = u.len();
        let (mut y, mut after, mut d_y) = (Scratch::<V>::new(free + 1), Scratch::<V>::new(free + 1), Scratch::<V>::new(free + 1));
        let (y, after, d_y) = (y.all(), after.all(), d_y.all());
        logarithms(noise, params, y);
        ln_after(y, after);
        let inverse = V::constant(1.0) / params[0][0];
        for k in 0..free {
            d_y[k] = d_y[k] + d_u[k];
            for j in k + 1..free {
                d_y[j] = d_y[j] - d_u[k] * (y[j] - after[k]).exp();
            }
        }
        for k in 0..free {
            let own = d_y[k] * inverse;
            d_logits[k] = d_logits[k] + own;
            d_logits[free] = d_logits[free] - own;
            d_temperature[0] = d_temperature[0] - own * y[k];
        }
    }
}
