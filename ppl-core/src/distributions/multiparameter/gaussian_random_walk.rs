//! The Gaussian random walk.

use rand::Rng;

use super::{Multiparameter, standard_normal};
use crate::distributions::special::LN_SQRT_2PI;
use crate::kernel::Lanes;

/// The Gaussian random walk from zero: `x_0 ~ Normal(0, scale)`, `x_t ~ Normal(x_{t - 1}, scale)`.
///
/// `log p(x) = -sum of (x_t - x_{t - 1})^2 / (2 scale^2) - n ln scale - n / 2 ln(2 pi)` with `x_{-1} = 0`, in nats.
///
/// # Shapes
/// The value is a vector, `scale` a number.
///
/// # Source
/// NumPyro `GaussianRandomWalk`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{GaussianRandomWalk, Multiparameter};
/// // Steps of 2 and -2 of scale 2.
/// let found = GaussianRandomWalk::log_prob(&[2.0, 0.0], [&[2.0]]);
/// assert!((found + 1.0 + 4_f64.ln() + std::f64::consts::TAU.ln()).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussianRandomWalk;

impl Multiparameter<1> for GaussianRandomWalk {
    #[inline(always)]
    fn log_prob<V: Lanes>(value: &[V], [scale]: [&[V]; 1]) -> V {
        let inverse = V::constant(1.0) / scale[0];
        let (mut square, mut before) = (V::zero(), V::zero());
        for t in 0..value.len() {
            let step = (value[t] - before) * inverse;
            square = step.mul_add(step, square);
            before = value[t];
        }
        let count = value.len() as f64;
        V::constant(-0.5) * square - V::constant(count) * scale[0].ln() - V::constant(LN_SQRT_2PI * count)
    }

    #[inline(always)]
    fn partials<V: Lanes>(value: &[V], [scale]: [&[V]; 1], d_value: &mut [V], [d_scale]: [&mut [V]; 1]) -> V {
        let inverse = V::constant(1.0) / scale[0];
        let n = value.len();
        let (mut square, mut before) = (V::zero(), V::zero());
        for t in 0..n {
            let step = (value[t] - before) * inverse;
            square = step.mul_add(step, square);
            before = value[t];
            let own = step * inverse;
            d_value[t] = d_value[t] - own;
            if t > 0 {
                d_value[t - 1] = d_value[t - 1] + own;
            }
        }
        let count = V::constant(n as f64);
        d_scale[0] = d_scale[0] + (square - count) * inverse;
        V::constant(-0.5) * square - count * scale[0].ln() - V::constant(LN_SQRT_2PI * n as f64)
    }

    fn sample([scale]: [&[f64]; 1], rng: &mut dyn Rng, value: &mut [f64]) {
        standard_normal(rng, value);
        let scale = if scale[0] > 0.0 { scale[0] } else { f64::NAN };
        let mut sum = 0.0;
        for x in value {
            sum += scale * *x;
            *x = sum;
        }
    }

    fn mean(_: [&[f64]; 1], value: &mut [f64]) -> bool {
        value.fill(0.0);
        true
    }

    fn entropy([scale]: [&[f64]; 1], length: usize) -> Option<f64> {
        Some((0.5 + LN_SQRT_2PI + scale[0].ln()) * length as f64)
    }

    fn divergence([scale]: [&[f64]; 1], [other]: [&[f64]; 1], length: usize) -> Option<f64> {
        let ratio = scale[0] / other[0];
        Some((0.5 * (ratio * ratio - 1.0) - ratio.ln()) * length as f64)
    }
}
