//! The asymmetric Laplace distribution, which falls faster on one side.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Partials, Univariate};
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

    fn cdf(x: f64, [loc, scale, asymmetry]: [f64; 3]) -> Option<f64> {
        let (z, square) = ((x - loc) / scale, asymmetry.powi(2));
        let below = square / (1.0 + square);
        Some(if z < 0.0 { below * (z / asymmetry).exp() } else { 1.0 - (-asymmetry * z).exp() / (1.0 + square) })
    }

    fn quantile(probability: f64, [loc, scale, asymmetry]: [f64; 3]) -> Option<f64> {
        let square = asymmetry.powi(2);
        let below = square / (1.0 + square);
        let z = if probability < below {
            asymmetry * (probability / below).ln()
        } else {
            -((1.0 - probability) * (1.0 + square)).ln() / asymmetry
        };
        Some(loc + scale * z)
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
