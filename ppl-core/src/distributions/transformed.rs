//! Distributions of a number that an increasing map makes of another one.

use std::fmt::Debug;
use std::marker::PhantomData;

use rand::Rng;

use super::{Cumulative, Distribution, Parameter, Partials, Probability, Support, Tails, Univariate, ValueKind};
use crate::kernel::Lanes;

/// An increasing map of the real line, as a density needs it.
pub trait Increasing: Copy + Debug + 'static {
    /// The word in the language.
    const WORD: &'static str;
    /// Where its values lie: positive, or between zero and one.
    const SUPPORT: Support;
    /// The number that the map makes of `x`.
    fn forward(x: f64) -> f64;
    /// Its unconstrained number: the logarithm of a positive one, the log odds of one between zero and one.
    fn unconstrained<V: Lanes>(x: V) -> V;
    /// The number `x` of which the map makes `y`, `dx / dy`, `ln (dx / dy)` and the derivative of that.
    fn inverse<V: Lanes>(y: V) -> [V; 4];
    /// The mean of `ln (dy / dx)` of numbers `x` of a mean, where that is all it depends on.
    fn mean_ln_slope(_mean: f64) -> Option<f64> {
        None
    }
}

/// `y = e^x`
#[derive(Clone, Copy, Debug)]
pub struct ByExp;

impl Increasing for ByExp {
    const WORD: &'static str = "exp";
    const SUPPORT: Support = Support::Positive;

    fn mean_ln_slope(mean: f64) -> Option<f64> {
        Some(mean)
    }

    fn forward(x: f64) -> f64 {
        x.exp()
    }

    #[inline(always)]
    fn unconstrained<V: Lanes>(x: V) -> V {
        x
    }

    #[inline(always)]
    fn inverse<V: Lanes>(y: V) -> [V; 4] {
        let (ln, inverse) = (y.ln(), V::constant(1.0) / y);
        [ln, inverse, -ln, -inverse]
    }
}

/// `y = 1 / (1 + e^-x)`
#[derive(Clone, Copy, Debug)]
pub struct BySigmoid;

impl Increasing for BySigmoid {
    const WORD: &'static str = "sigmoid";
    const SUPPORT: Support = Support::Unit;

    fn forward(x: f64) -> f64 {
        x.sigmoid()
    }

    #[inline(always)]
    fn unconstrained<V: Lanes>(x: V) -> V {
        x
    }

    #[inline(always)]
    fn inverse<V: Lanes>(y: V) -> [V; 4] {
        let one = V::constant(1.0);
        let (of_y, of_rest) = (one / y, one / (one - y));
        let (ln, ln_rest) = (y.ln(), (-y).ln_1p());
        [ln - ln_rest, of_y * of_rest, -(ln + ln_rest), of_rest - of_y]
    }
}

/// `y = ln(1 + e^x)`
#[derive(Clone, Copy, Debug)]
pub struct BySoftplus;

impl Increasing for BySoftplus {
    const WORD: &'static str = "softplus";
    const SUPPORT: Support = Support::Positive;

    fn forward(x: f64) -> f64 {
        x.softplus()
    }

    #[inline(always)]
    fn unconstrained<V: Lanes>(x: V) -> V {
        V::select(x.lt(V::constant(-30.0)), x, x.softplus().ln())
    }

    #[inline(always)]
    fn inverse<V: Lanes>(y: V) -> [V; 4] {
        let one = V::constant(1.0);
        // 1 - e^-y
        let rest = -(-y).exp_m1();
        let (ln, inverse) = (rest.ln(), one / rest);
        [y + ln, inverse, -ln, one - inverse]
    }
}

/// What an increasing map makes of the numbers of a distribution over the real line.
///
/// `log p(y) = log p_D(x) + ln (dx / dy)` with `x` the number of which the map makes `y`, in nats.
///
/// Drawn by mapping a draw of the distribution.
///
/// # Source
/// The change of variables; TFP and NumPyro `TransformedDistribution`.
///
/// # Examples
/// The exponential of a normal number is log-normal:
/// ```
/// use ppl_core::distributions::{log_prob, ByExp, LogNormal, Normal, Transformed};
/// let both = [log_prob::<Transformed<Normal, ByExp>, 2>(0.7, [0.3, 2.0]), log_prob::<LogNormal, 2>(0.7, [0.3, 2.0])];
/// assert!((both[0] - both[1]).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transformed<D, M>(PhantomData<fn() -> (D, M)>);

impl<D: Distribution, M: Increasing> Distribution for Transformed<D, M> {
    const NAME: &'static str = "Transformed";
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;
    const KIND: ValueKind = ValueKind::Continuous;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = M::SUPPORT;
}

impl<D: Univariate<P>, M: Increasing, const P: usize> Univariate<P> for Transformed<D, M> {
    #[inline(always)]
    fn base<V: Lanes>(y: V) -> (V, V) {
        let [x, slope, ln_slope, d_ln_slope] = M::inverse(y);
        let (base, d_base) = D::base(x);
        (base + ln_slope, d_base.mul_add(slope, d_ln_slope))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(y: V, params: [V; P]) -> Partials<V, P> {
        let [x, slope, ..] = M::inverse(y);
        let own = D::kernel(x, params);
        Partials { d_value: own.d_value * slope, ..own }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>(params: [V; P]) -> (V, [V; P]) {
        D::normalizer(params)
    }

    const PROPER: bool = D::PROPER;

    fn sample(params: [f64; P], rng: &mut dyn Rng) -> f64 {
        M::forward(D::sample(params, rng))
    }

    fn entropy(params: [f64; P]) -> Option<f64> {
        Some(D::entropy(params)? + M::mean_ln_slope(D::mean(params)?)?)
    }

    fn divergence(params: [f64; P], other: [f64; P]) -> Option<f64> {
        // No map that can be undone changes it.
        D::divergence(params, other)
    }
}

impl<D: Cumulative<P>, M: Increasing, const P: usize> Cumulative<P> for Transformed<D, M> {
    #[inline(always)]
    fn tails<V: Lanes>(y: V, params: [V; P]) -> Tails<V, P> {
        let [x, slope, ..] = M::inverse(y);
        let tails = D::tails(x, params);
        let mut velocity = tails.velocity;
        for moved in &mut velocity {
            *moved = *moved / slope;
        }
        Tails { velocity, ..tails }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, params: [V; P]) -> V {
        M::unconstrained(D::guess(probability, params))
    }

    fn quantile(probability: f64, params: [f64; P]) -> f64 {
        M::forward(D::quantile(probability, params))
    }
}
