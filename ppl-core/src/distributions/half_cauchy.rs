//! The Cauchy distribution of location zero, folded to the positive numbers.

use std::f64::consts::{FRAC_2_PI, PI};

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The Cauchy distribution of location zero, folded to the positive numbers.
///
/// `log p(x) = -ln(1 + (x / scale)^2) - ln(pi scale / 2)`, in nats.
///
/// # Source
/// Stan `cauchy(0, scale)` with `lower = 0`, scipy `halfcauchy`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, HalfCauchy};
/// assert!((log_prob::<HalfCauchy, 1>(0.0, [1.0]) + 0.4515827).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HalfCauchy;

impl Univariate<1> for HalfCauchy {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [scale]: [V; 1]) -> Partials<V, 1> {
        let inverse = V::constant(1.0) / scale;
        let z = x * inverse;
        let square = z * z;
        let d = (z + z) / (V::constant(1.0) + square) * inverse;
        Partials { log_prob: -square.ln_1p(), d_value: -d, d_params: [z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([scale]: [V; 1]) -> (V, [V; 1]) {
        (scale.ln() + V::constant(0.451_582_705_289_454_9), [V::constant(1.0) / scale])
    }

    fn sample([scale]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        rand_distr::Cauchy::new(0.0, scale).map_or(f64::NAN, |d| d.sample(rng).abs())
    }

    fn mode(_: [f64; 1]) -> Option<f64> {
        Some(0.0)
    }

    fn entropy([scale]: [f64; 1]) -> Option<f64> {
        Some((2.0 * PI * scale).ln())
    }
}

impl Cumulative<1> for HalfCauchy {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [scale]: [V; 1]) -> Tails<V, 1> {
        let z = x / scale;
        let share = V::constant(FRAC_2_PI);
        let ln_above = (share * (V::constant(1.0) / z).atan()).ln();
        Tails { ln_below: (share * z.atan()).ln(), ln_above, velocity: [z] }
    }

    fn quantile(probability: f64, [scale]: [f64; 1]) -> f64 {
        scale * (0.5 * PI * probability).tan()
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [scale]: [V; 1]) -> V {
        probability.ln_below - probability.ln_above + scale.ln()
    }
}
