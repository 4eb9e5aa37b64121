//! The asymmetric Laplace distribution, which falls faster on one side.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::ln_one_minus_exp};
use crate::kernel::Lanes;

/// The asymmetric Laplace distribution, which falls faster on one side.
///
/// `log p(x) = -asymmetry z` above `loc`, `z / asymmetry` below, less `ln scale + ln(asymmetry + 1 / asymmetry)`; `z = (x - loc) / scale`, in nats.
///
/// Drawn by composition, `loc + scale (e / asymmetry - asymmetry f)` of standard exponential `e` and `f`.
///
/// # Source
/// scipy `laplace_asymmetric(kappa = asymmetry, loc, scale)`; Stan's `skew_double_exponential` has another parameterization.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, AsymmetricLaplace};
/// assert!((log_prob::<AsymmetricLaplace, 3>(0.0, [0.0, 1.0, 1.0]) + 0.69314718).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AsymmetricLaplace;

impl Univariate<3> for AsymmetricLaplace {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale, asymmetry]: [V; 3]) -> Partials<V, 3> {
        let one = V::constant(1.0);
        let (inverse, flat) = (one / scale, one / asymmetry);
        let z = (x - loc) * inverse;
        let below = z.lt(V::zero());
        let fall = V::select(below, flat, -asymmetry);
        let d_asymmetry = V::select(below, -(z * flat * flat), -z);
        let slope = fall * inverse;
        Partials { log_prob: fall * z, d_value: slope, d_params: [-slope, -(z * slope), d_asymmetry] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, scale, asymmetry]: [V; 3]) -> (V, [V; 3]) {
        let one = V::constant(1.0);
        let flat = one / asymmetry;
        let ln = scale.ln() + asymmetry.ln() + (flat * flat).ln_1p();
        (ln, [V::zero(), one / scale, (one - flat * flat) / (asymmetry + flat)])
    }

    fn sample([loc, scale, asymmetry]: [f64; 3], rng: &mut dyn Rng) -> f64 {
        let [above, below]: [f64; 2] = std::array::from_fn(|_| rand_distr::Exp1.sample(rng));
        loc + scale * (above / asymmetry - asymmetry * below)
    }

    fn mean([loc, scale, asymmetry]: [f64; 3]) -> Option<f64> {
        Some(loc + scale * (asymmetry.recip() - asymmetry))
    }

    fn variance([_, scale, asymmetry]: [f64; 3]) -> Option<f64> {
        Some(scale.powi(2) * (asymmetry.powi(-2) + asymmetry.powi(2)))
    }

    fn mode([loc, ..]: [f64; 3]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([_, scale, asymmetry]: [f64; 3]) -> Option<f64> {
        Some(1.0 + (scale * (asymmetry + asymmetry.recip())).ln())
    }
}

impl Cumulative<3> for AsymmetricLaplace {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [loc, scale, asymmetry]: [V; 3]) -> Tails<V, 3> {
        let z = (x - loc) / scale;
        let (one, two) = (V::constant(1.0), V::constant(2.0));
        let (square, below) = (asymmetry * asymmetry, z.lt(V::zero()));
        let total = one + square;
        let reach = V::select(below, z / asymmetry, asymmetry * z);
        let near = V::select(below, square.ln() + reach, -reach) - total.ln();
        let far = ln_one_minus_exp(near);
        let d_asymmetry = V::select(below, z, -z) / asymmetry - two / total;
        Tails {
            ln_below: V::select(below, near, far),
            ln_above: V::select(below, far, near),
            velocity: [one, z, scale * d_asymmetry],
        }
    }

    fn quantile(probability: f64, [loc, scale, asymmetry]: [f64; 3]) -> f64 {
        let square = asymmetry.powi(2);
        let below = square / (1.0 + square);
        let z = if probability < below {
            asymmetry * (probability / below).ln()
        } else {
            -((1.0 - probability) * (1.0 + square)).ln() / asymmetry
        };
        loc + scale * z
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [loc, scale, _asymmetry]: [V; 3]) -> V {
        probability.noise.mul_add(scale, loc)
    }
}
