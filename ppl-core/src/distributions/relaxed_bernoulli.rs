//! The relaxed Bernoulli distribution: a number between zero and one that, the lower the temperature, is the nearer to zero or one.

use rand::Rng;

use super::{Cumulative, Logistic, Partials, Probability, Tails, Univariate, special::open01};
use crate::kernel::{Lanes, softplus_and_sigmoid};

/// The relaxed Bernoulli distribution, the binary concrete one: the sigmoid of a logistic number, `sigmoid((logit + l) / temperature)`.
///
/// `log p(x) = ln temperature - z - 2 ln(1 + e^-z) - ln x - ln(1 - x)` with `z = temperature logit x - logit`, in nats. As the temperature falls to zero, a draw
/// becomes a Bernoulli one of that logit; up to one the density has no mode between zero and one.
///
/// Drawn by its inverse cdf: a smooth function of both parameters.
///
/// # Source
/// Maddison, Mnih & Teh 2017, The Concrete Distribution, appendix B; Jang, Gu & Poole 2017; NumPyro and Pyro `RelaxedBernoulli`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, RelaxedBernoulli};
/// // At temperature one and logit zero it is uniform.
/// assert!(log_prob::<RelaxedBernoulli, 2>(0.2, [1.0, 0.0]).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RelaxedBernoulli;

impl Univariate<2> for RelaxedBernoulli {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        let one = V::constant(1.0);
        (-(x.ln() + (-x).ln_1p()), one / (one - x) - one / x)
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [temperature, logit]: [V; 2]) -> Partials<V, 2> {
        let one = V::constant(1.0);
        let odds = x.ln() - (-x).ln_1p();
        let z = temperature * odds - logit;
        // As the logistic density, on the side where the exponential is small.
        let size = z.abs();
        let (softplus, sigmoid) = softplus_and_sigmoid(-size);
        let slope = -(-size).exp_m1() * (one - sigmoid);
        let slope = V::select(z.lt(V::zero()), -slope, slope);
        Partials {
            log_prob: -size - (softplus + softplus),
            d_value: -(slope * temperature / (x * (one - x))),
            d_params: [-(slope * odds), slope],
        }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([temperature, _logit]: [V; 2]) -> (V, [V; 2]) {
        (-temperature.ln(), [-(V::constant(1.0) / temperature), V::zero()])
    }

    fn sample([temperature, logit]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        ((logit + f64::logit(open01(rng))) / temperature).sigmoid()
    }
}

impl Cumulative<2> for RelaxedBernoulli {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [temperature, logit]: [V; 2]) -> Tails<V, 2> {
        let (one, odds) = (V::constant(1.0), x.logit());
        let z = temperature * odds - logit;
        let slope = x * (one - x) / temperature;
        Tails { ln_below: -(-z).softplus(), ln_above: -z.softplus(), velocity: [-(slope * odds), slope] }
    }

    fn quantile(probability: f64, [temperature, logit]: [f64; 2]) -> f64 {
        (Logistic::quantile(probability, [logit, 1.0]) / temperature).sigmoid()
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [temperature, logit]: [V; 2]) -> V {
        (logit + (probability.ln_below - probability.ln_above)) / temperature
    }
}
