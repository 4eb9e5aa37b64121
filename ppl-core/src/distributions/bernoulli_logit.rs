//! The Bernoulli distribution of a log odds.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Tails, Univariate};
use crate::kernel::{Lanes, softplus_and_sigmoid};

/// The Bernoulli distribution of a log odds.
///
/// `log p(x) = x logit - ln(1 + e^logit)`, in nats.
///
/// # Source
/// Stan `bernoulli_logit`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, BernoulliLogit};
/// assert!((log_prob::<BernoulliLogit, 1>(1.0, [0.0]) + 0.6931472).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BernoulliLogit;

impl Univariate<1> for BernoulliLogit {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [logit]: [V; 1]) -> Partials<V, 1> {
        let (softplus, sigmoid) = softplus_and_sigmoid(logit);
        Partials { log_prob: x * logit - softplus, d_value: logit, d_params: [x - sigmoid] }
    }

    fn sample([logit]: [f64; 1], rng: &mut dyn Rng) -> f64 {
        let u: f64 = rand_distr::StandardUniform.sample(rng);
        f64::from(u8::from(u < Lanes::sigmoid(logit)))
    }

    fn mean([logit]: [f64; 1]) -> Option<f64> {
        Some(logit.sigmoid())
    }

    fn variance([logit]: [f64; 1]) -> Option<f64> {
        Some(logit.sigmoid() * (-logit).sigmoid())
    }

    fn mode([logit]: [f64; 1]) -> Option<f64> {
        Some(f64::from(logit > 0.0))
    }

    fn entropy([logit]: [f64; 1]) -> Option<f64> {
        Some(logit.softplus() - logit * logit.sigmoid())
    }

    fn divergence([logit]: [f64; 1], [other]: [f64; 1]) -> Option<f64> {
        Some((logit - other) * logit.sigmoid() + other.softplus() - logit.softplus())
    }
}

impl Cumulative<1> for BernoulliLogit {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [logit]: [V; 1]) -> Tails<V, 1> {
        let none = x.lt(V::constant(1.0));
        let nothing = V::constant(f64::NEG_INFINITY);
        Tails {
            ln_below: V::select(none, -logit.softplus(), V::zero()),
            ln_above: V::select(none, -(-logit).softplus(), nothing),
            velocity: [V::select(none, logit.sigmoid(), V::zero())],
        }
    }
}
