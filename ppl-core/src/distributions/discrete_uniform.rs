//! The uniform distribution on whole numbers.

use rand::Rng;

use super::{Cumulative, Partials, Tails, Univariate, special::open01};
use crate::kernel::Lanes;

/// The uniform distribution on the whole numbers from `lower` to `upper`, both of them among these.
///
/// `log p(x) = -ln(upper - lower + 1)`, in nats.
///
/// # Source
/// Stan `discrete_range(lower, upper)`, R `extraDistr::ddunif(min, max)`, scipy `randint(low = lower, high = upper + 1)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, DiscreteUniform};
/// // A die
/// assert!((log_prob::<DiscreteUniform, 2>(3.0, [1.0, 6.0]) + 1.7917595).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DiscreteUniform;

/// How many numbers there are.
fn size(lower: f64, upper: f64) -> f64 {
    upper - lower + 1.0
}

impl Univariate<2> for DiscreteUniform {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [lower, upper]: [V; 2]) -> Partials<V, 2> {
        let log_prob = V::select(lower.le(x) & x.le(upper), V::zero(), V::constant(f64::NEG_INFINITY));
        Partials { log_prob, d_value: V::zero(), d_params: [V::zero(); 2] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([lower, upper]: [V; 2]) -> (V, [V; 2]) {
        ((upper - lower + V::constant(1.0)).ln(), [V::zero(); 2])
    }

    fn sample([lower, upper]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        if lower > upper {
            return f64::NAN;
        }
        (lower + (open01(rng) * size(lower, upper)).floor()).min(upper)
    }

    fn mean([lower, upper]: [f64; 2]) -> Option<f64> {
        Some(0.5 * (lower + upper))
    }

    fn variance([lower, upper]: [f64; 2]) -> Option<f64> {
        Some((size(lower, upper).powi(2) - 1.0) / 12.0)
    }

    fn entropy([lower, upper]: [f64; 2]) -> Option<f64> {
        Some(size(lower, upper).ln())
    }

    fn divergence([lower, upper]: [f64; 2], [other_lower, other_upper]: [f64; 2]) -> Option<f64> {
        let within = other_lower <= lower && upper <= other_upper;
        Some(if within { (size(other_lower, other_upper) / size(lower, upper)).ln() } else { f64::INFINITY })
    }
}

impl Cumulative<2> for DiscreteUniform {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [lower, upper]: [V; 2]) -> Tails<V, 2> {
        let (zero, one) = (V::zero(), V::constant(1.0));
        let size = upper - lower + one;
        let below = ((x - lower + one) / size).max(zero).min(one);
        let above = ((upper - x) / size).max(zero).min(one);
        Tails { ln_below: below.ln(), ln_above: above.ln(), velocity: [zero; 2] }
    }
}
