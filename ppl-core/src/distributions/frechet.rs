//! The Frechet distribution of maxima with heavy tails.

use rand::Rng;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{EULER, open01},
};
use crate::kernel::Lanes;

/// The Frechet distribution of maxima with heavy tails.
///
/// `log p(x) = ln shape - ln scale - (1 + shape) ln(x / scale) - (x / scale)^-shape`, in nats.
///
/// Drawn by its inverse cdf, `scale (-ln u)^(-1 / shape)`.
///
/// # Source
/// Stan `frechet`, R `evd::dfrechet`, scipy `invweibull(c = shape, scale)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Frechet};
/// assert!((log_prob::<Frechet, 2>(1.0, [2.0, 1.0]) + 0.30685282).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Frechet;

impl Univariate<2> for Frechet {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [shape, scale]: [V; 2]) -> Partials<V, 2> {
        let ln = x.ln() - scale.ln();
        let power = (-(shape * ln)).exp();
        let one = V::constant(1.0);
        let rest = one - power;
        let slope = shape * rest;
        Partials {
            log_prob: -(shape * ln) - power,
            d_value: -(slope * (one / x)),
            d_params: [-(ln * rest), slope * (one / scale)],
        }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([shape, _scale]: [V; 2]) -> (V, [V; 2]) {
        (-shape.ln(), [V::constant(-1.0) / shape, V::zero()])
    }

    fn sample([shape, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        scale * (-open01(rng).ln()).powf(-shape.recip())
    }

    fn mean([shape, scale]: [f64; 2]) -> Option<f64> {
        (shape > 1.0).then(|| scale * f64::lgamma(1.0 - shape.recip()).exp())
    }

    fn variance([shape, scale]: [f64; 2]) -> Option<f64> {
        let moment = |order: f64| f64::lgamma(1.0 - order / shape).exp();
        (shape > 2.0).then(|| scale.powi(2) * (moment(2.0) - moment(1.0).powi(2)))
    }

    fn mode([shape, scale]: [f64; 2]) -> Option<f64> {
        Some(scale * (shape / (1.0 + shape)).powf(shape.recip()))
    }

    fn entropy([shape, scale]: [f64; 2]) -> Option<f64> {
        Some(1.0 + EULER / shape + EULER + (scale / shape).ln())
    }
}

impl Cumulative<2> for Frechet {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [shape, scale]: [V; 2]) -> Tails<V, 2> {
        let (ln, ratio) = ((x / scale).ln(), x / scale);
        Tails::from_below(-(-(shape * ln)).exp(), [-(x * ln / shape), ratio])
    }

    fn quantile(probability: f64, [shape, scale]: [f64; 2]) -> f64 {
        scale * (-probability.ln()).powf(-shape.recip())
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [shape, scale]: [V; 2]) -> V {
        scale.ln() - (-probability.ln_below).ln() / shape
    }
}
