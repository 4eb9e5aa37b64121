//! The uniform distribution on an interval.

use rand::Rng;
use rand_distr::Distribution as _;

use super::special::within;
use super::{Cumulative, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The uniform distribution on an interval.
///
/// `log p(x) = -ln(upper - lower)`, in nats.
///
/// # Source
/// Stan `uniform`, R `dunif`, scipy `uniform`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Uniform};
/// assert!((log_prob::<Uniform, 2>(1.0, [0.0, 4.0]) + 1.3862944).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Uniform;

impl Univariate<2> for Uniform {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [lower, upper]: [V; 2]) -> Partials<V, 2> {
        Partials { log_prob: within(lower, x, upper, V::zero()), d_value: V::zero(), d_params: [V::zero(); 2] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([lower, upper]: [V; 2]) -> (V, [V; 2]) {
        let width = upper - lower;
        let inverse = V::constant(1.0) / width;
        (width.ln(), [-inverse, inverse])
    }

    #[inline]
    fn sample([lower, upper]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        rand_distr::Uniform::new(lower, upper).map_or(f64::NAN, |d| d.sample(rng))
    }

    fn mean([lower, upper]: [f64; 2]) -> Option<f64> {
        Some(0.5 * (lower + upper))
    }

    fn variance([lower, upper]: [f64; 2]) -> Option<f64> {
        Some((upper - lower).powi(2) / 12.0)
    }

    fn entropy([lower, upper]: [f64; 2]) -> Option<f64> {
        Some((upper - lower).ln())
    }

    fn divergence([lower, upper]: [f64; 2], [other_lower, other_upper]: [f64; 2]) -> Option<f64> {
        let within = other_lower <= lower && upper <= other_upper;
        Some(if within { ((other_upper - other_lower) / (upper - lower)).ln() } else { f64::INFINITY })
    }
}

impl Cumulative<2> for Uniform {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [lower, upper]: [V; 2]) -> Tails<V, 2> {
        let width = upper - lower;
        let below = ((x - lower) / width).max(V::zero()).min(V::constant(1.0));
        let above = ((upper - x) / width).max(V::zero()).min(V::constant(1.0));
        Tails { ln_below: below.ln(), ln_above: above.ln(), velocity: [above, below] }
    }

    #[inline(always)]
    fn ends<V: Lanes>(params: [V; 2]) -> Option<[V; 2]> {
        Some(params)
    }

    /// Its odds are those of the probability.
    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, _params: [V; 2]) -> V {
        probability.ln_below - probability.ln_above
    }

    fn quantile(probability: f64, [lower, upper]: [f64; 2]) -> f64 {
        probability.mul_add(upper - lower, lower)
    }
}
