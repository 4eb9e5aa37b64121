//! The geometric distribution: failures before the first success.

use rand::Rng;

use super::{Cumulative, Partials, Tails, Univariate, of_probability, special::open01};
use crate::kernel::Lanes;

/// The geometric distribution: failures before the first success.
///
/// `log p(x) = ln prob + x ln(1 - prob)`, in nats.
///
/// Drawn from its inverse cdf.
///
/// # Source
/// R `dgeom`, torch `Geometric`; scipy's `geom` counts the success too.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Geometric};
/// assert!((log_prob::<Geometric, 1>(1.0, [0.5]) + 1.3862944).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Geometric;

impl Univariate<1> for Geometric {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [prob]: [V; 1]) -> Partials<V, 1> {
        // No failure says nothing of the logarithm that would be infinite.
        let (zero, one) = (V::zero(), V::constant(1.0));
        let none = x.eq(zero);
        let failures = V::select(none, zero, x * (-prob).ln_1p());
        let d_prob = V::constant(1.0) / prob - V::select(none, zero, x / (one - prob));
        Partials { log_prob: of_probability(prob, prob.ln() + failures), d_value: zero, d_params: [d_prob] }
    }

    fn sample([prob]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        if (2.0 / 3.0..=1.0).contains(&prob) {
            // Of so few trials, each.
            let mut failures = 0.0;
            while prob < open01(rng) {
                failures += 1.0;
            }
            return failures;
        }
        (open01(rng).ln() / (-prob).ln_1p()).floor()
    }

    fn mean([prob]: [f64; 1]) -> Option<f64> {
        Some((1.0 - prob) / prob)
    }

    fn variance([prob]: [f64; 1]) -> Option<f64> {
        Some((1.0 - prob) / prob.powi(2))
    }

    fn mode(_: [f64; 1]) -> Option<f64> {
        Some(0.0)
    }

    fn entropy([prob]: [f64; 1]) -> Option<f64> {
        let rest = 1.0 - prob;
        Some(-(rest * (-prob).ln_1p() + prob * prob.ln()) / prob)
    }

    fn divergence([prob]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Some((prob / other).ln() + (1.0 - prob) / prob * ((1.0 - prob) / (1.0 - other)).ln())
    }
}

impl Cumulative<1> for Geometric {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [prob]: [V; 1]) -> Tails<V, 1> {
        let more = x + V::constant(1.0);
        Tails::from_above(more * (-prob).ln_1p(), [-(more / prob)])
    }
}
