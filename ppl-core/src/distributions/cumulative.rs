//! Distribution functions: how much lies below and above a number, and how a draw moves with the parameters.
//!
//! A draw is a differentiable function of the parameters: [`Tails::velocity`], exact for every continuous distribution of one number, whether it is drawn
//! by its inverse cdf, by location and scale, by composition or by rejection. The variance of one draw's gradient of an expectation, beside that of the score
//! function, by quadrature (`cargo test -p ppl-core --lib moved_draws -- --nocapture` prints all):
//!
//! | distribution | parameter | of the mean of | moved draw | score function |
//! |---|---|---|---|---|
//! | `Normal(0.3, 1.7)` | loc | x | 0 | 2 |
//! | `Normal(0.3, 1.7)` | scale | x | 1 | 10 |
//! | `HalfNormal(1.7)` | scale | x | 0.36 | 9.4 |
//! | `LogNormal(0.3, 1.7)` | loc | x | 5.6e+02 | 2.5e+03 |
//! | `LogNormal(0.3, 1.7)` | scale | x | 7.3e+03 | 3.7e+04 |
//! | `StudentT(4.0, 0.3, 1.7)` | df | x | 0.16 | 1.3 |
//! | `StudentT(4.0, 0.3, 1.7)` | loc | x | 0 | 1.2 |
//! | `StudentT(4.0, 0.3, 1.7)` | scale | x | 2 | 11 |
//! | `HalfStudentT(4.0, 1.7)` | df | x | 0.14 | 1.3 |
//! | `HalfStudentT(4.0, 1.7)` | scale | x | 1 | 10 |
//! | `HalfCauchy(1.7)` | scale | ln x | 0 | 0.48 |
//! | `Laplace(0.3, 1.7)` | loc | x | 0 | 1 |
//! | `Laplace(0.3, 1.7)` | scale | x | 2 | 14 |
//! | `AsymmetricLaplace(0.3, 1.7, 0.6)` | loc | x | 0 | 1 |
//! | `AsymmetricLaplace(0.3, 1.7, 0.6)` | scale | x | 3.1 | 30 |
//! | `AsymmetricLaplace(0.3, 1.7, 0.6)` | asymmetry | x | 19 | 3e+02 |
//! | `Logistic(0.3, 1.7)` | loc | x | 0 | 1.4 |
//! | `Logistic(0.3, 1.7)` | scale | x | 3.3 | 25 |
//! | `Gumbel(0.3, 1.7)` | loc | x | 0 | 1.7 |
//! | `Gumbel(0.3, 1.7)` | scale | x | 1.6 | 16 |
//! | `SkewNormal(0.3, 1.7, 4.0)` | loc | x | 0 | 2.7 |
//! | `SkewNormal(0.3, 1.7, 4.0)` | scale | x | 0.4 | 11 |
//! | `SkewNormal(0.3, 1.7, 4.0)` | shape | x | 0.0014 | 0.0033 |
//! | `Exponential(1.7)` | rate | x | 0.12 | 1.6 |
//! | `Gamma(0.3, 1.7)` | shape | x | 0.37 | 2 |
//! | `Gamma(0.3, 1.7)` | rate | x | 0.036 | 0.28 |
//! | `InverseGamma(0.3, 1.7)` | shape | ln x | 1.2e+02 | 1.8e+03 |
//! | `InverseGamma(0.3, 1.7)` | scale | ln x | 0 | 0.51 |
//! | `ChiSquared(1.3)` | df | x | 0.46 | 4.4 |
//! | `InverseChiSquared(1.3)` | df | ln x | 1.3 | 17 |
//! | `FisherSnedecor(3.0, 7.0)` | df1 | x | 0.04 | 0.23 |
//! | `FisherSnedecor(3.0, 7.0)` | df2 | x | 0.12 | 0.85 |
//! | `BetaPrime(0.5, 1.3)` | alpha | ln x | 13 | 2.2e+02 |
//! | `BetaPrime(0.5, 1.3)` | beta | ln x | 0.12 | 3.1 |
//! | `Weibull(0.7, 1.4)` | shape | x | 67 | 6.3e+02 |
//! | `Weibull(0.7, 1.4)` | scale | x | 3.4 | 28 |
//! | `Frechet(0.7, 1.4)` | shape | ln x | 6.9 | 67 |
//! | `Frechet(0.7, 1.4)` | scale | ln x | 0 | 0.86 |
//! | `Rayleigh(1.7)` | scale | x | 0.43 | 22 |
//! | `Gompertz(0.4, 0.9)` | shape | x | 0.44 | 29 |
//! | `Gompertz(0.4, 0.9)` | rate | x | 0.59 | 36 |
//! | `Beta(0.5, 1.3)` | alpha | x | 0.046 | 0.33 |
//! | `Beta(0.5, 1.3)` | beta | x | 0.013 | 0.22 |
//! | `Kumaraswamy(0.5, 1.3)` | alpha | x | 0.06 | 0.41 |
//! | `Kumaraswamy(0.5, 1.3)` | beta | x | 0.02 | 0.28 |
//! | `LogitNormal(0.3, 1.7)` | loc | x | 0.0053 | 0.13 |
//! | `LogitNormal(0.3, 1.7)` | scale | x | 0.0097 | 0.31 |

use super::special::{WIDEST, first_whole, from_doubles, invert, ln_one_minus_exp, to_doubles};
use super::{Probability, Support, Univariate, ValueKind};
use crate::kernel::Lanes;

/// Where a number stands in a distribution.
#[derive(Clone, Copy, Debug)]
pub struct Tails<V, const P: usize> {
    /// `ln P(X <= x)`
    pub ln_below: V,
    /// `ln P(X > x)`
    pub ln_above: V,
    /// `-(dF / d theta) / p(x)` for each parameter. Of a continuous distribution it is `dx / d theta` where the probability below `x` stays what it is:
    /// the derivative of a draw (implicit reparameterization, Figurnov, Mohamed & Mnih 2018). Zero for counts that are parameters.
    pub velocity: [V; P],
}

impl<V: Lanes, const P: usize> Tails<V, P> {
    /// Of what is known below the number.
    #[inline(always)]
    pub fn from_below(ln_below: V, velocity: [V; P]) -> Self {
        Tails { ln_below, ln_above: ln_one_minus_exp(ln_below), velocity }
    }

    /// Of what is known above the number.
    #[inline(always)]
    pub fn from_above(ln_above: V, velocity: [V; P]) -> Self {
        Tails { ln_below: ln_one_minus_exp(ln_above), ln_above, velocity }
    }

    /// Of the mirrored number.
    #[inline(always)]
    #[must_use]
    pub fn mirrored(self) -> Self {
        Tails { ln_below: self.ln_above, ln_above: self.ln_below, ..self }
    }
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` has no distribution function",
    label = "it cannot be truncated, censored or drawn by a guide",
    note = "`impl Cumulative<P> for {Self}` says how much lies below and above a number"
)]
/// A distribution of one number whose distribution function is known: it can be truncated and censored, and its draws have derivatives.
pub trait Cumulative<const P: usize>: Univariate<P> + Sized {
    /// The ends of the values, of a distribution on an interval, of which one may be infinite; of an angle, whose density is periodic, those of a turn.
    #[inline(always)]
    fn ends<V: Lanes>(_params: [V; P]) -> Option<[V; 2]> {
        None
    }

    /// Where a number of the support stands, of a distribution of counts a whole one.
    fn tails<V: Lanes>(x: V, params: [V; P]) -> Tails<V, P>;

    /// A number near the quantile, on the unconstrained scale (the logarithm of a positive number, the log odds of one between zero and one): the steps that find a
    /// draw of a guide begin there, and from far away they are many.
    #[inline(always)]
    fn guess<V: Lanes>(_probability: Probability<V>, _params: [V; P]) -> V {
        V::zero()
    }

    /// Mean, variance and entropy of the numbers between two bounds, where there is a formula.
    fn between(_params: [f64; P], _bounds: [f64; 2]) -> Option<[f64; 3]> {
        None
    }

    /// What [`quantile`] is, of a probability between zero and one.
    fn quantile(probability: f64, params: [f64; P]) -> f64 {
        let first = first_of_support(Self::SUPPORT);
        if Self::KIND == ValueKind::Discrete {
            return first_whole(first, |k| cdf::<Self, P>(k, params) >= probability);
        }
        let last = if Self::SUPPORT == Support::Unit { 1.0 } else { f64::INFINITY };
        invert(probability, first, last, |x| cdf::<Self, P>(x, params))
    }
}

/// The first number of a support.
fn first_of_support(support: Support) -> f64 {
    match support {
        Support::Real | Support::Interval | Support::Integer => f64::NEG_INFINITY,
        _ => 0.0,
    }
}

/// The probability of a number up to `x`, which is any.
pub fn cdf<D: Cumulative<P>, const P: usize>(x: f64, params: [f64; P]) -> f64 {
    let x = if D::KIND == ValueKind::Discrete { x.floor() } else { x };
    Standing::<f64, P>::of::<D>(x, params).tails.ln_below.exp()
}

/// The number up to which another one is with this probability, of counts the first one up to which it is at least that; `NaN` of what is no probability.
pub fn quantile<D: Cumulative<P>, const P: usize>(probability: f64, params: [f64; P]) -> f64 {
    if (0.0..=1.0).contains(&probability) { D::quantile(probability, params) } else { f64::NAN }
}

/// A number that may lie outside the support: its tails, and the log density where it is inside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<V, const P: usize> {
    pub(super) tails: Tails<V, P>,
    /// `-inf` outside.
    pub(super) ln_density: V,
}

impl<V: Lanes, const P: usize> Standing<V, P> {
    #[inline(always)]
    pub(super) fn of<D: Cumulative<P>>(x: V, params: [V; P]) -> Self {
        let (zero, one, nothing) = (V::zero(), V::constant(1.0), V::constant(f64::NEG_INFINITY));
        let first = V::constant(first_of_support(D::SUPPORT));
        let (below, above) = match D::SUPPORT {
            Support::Real | Support::Interval | Support::Integer => (x.eq(nothing), V::constant(f64::INFINITY).eq(x)),
            Support::Unit => (x.le(first), one.le(x)),
            Support::Positive | Support::NonNegative => (x.le(first), V::constant(f64::INFINITY).eq(x)),
            _ => (x.lt(first), V::constant(f64::INFINITY).eq(x)),
        };
        // Outside, the formulas are asked about a number inside, and not believed.
        let inside = if D::SUPPORT == Support::Unit { V::constant(0.5) } else { one };
        let x = V::select(below | above, inside, x);
        let tails = D::tails(x, params);
        let ln_density = super::ln_density::<D, V, P>(x, params);
        let ln_below = V::select(below, nothing, V::select(above, zero, tails.ln_below));
        let ln_above = V::select(above, nothing, V::select(below, zero, tails.ln_above));
        // An end of an interval that the parameters give is known by its probabilities.
        let nowhere = ln_below.eq(nothing) | ln_above.eq(nothing);
        let ln_density = V::select(nowhere, nothing, ln_density);
        Standing { tails: Tails { ln_below, ln_above, velocity: tails.velocity }, ln_density }
    }
}

/// The tails of a distribution of counts between two numbers, by adding up: for distributions without a formula, a lane at a time.
pub(super) fn tails_by_summing<D: Univariate<P>, V: Lanes, const P: usize>(
    x: V,
    params: [V; P],
    range: impl Fn([f64; P]) -> [f64; 2],
) -> Tails<V, P> {
    let mut lanes = [[0.0; WIDEST]; 2];
    let mut velocities = [[0.0; WIDEST]; P];
    let (x, params) = (to_doubles(x), params.map(to_doubles));
    for lane in 0..V::WIDTH {
        let params: [f64; P] = std::array::from_fn(|i| params[i][lane]);
        let x = x[lane];
        let [first, last] = range(params);
        let (_, d_normalizer) = D::normalizer(params);
        let (mut mass, mut moved) = ([0.0; 2], [0.0; P]);
        let mut k = first;
        while k <= last {
            let above = usize::from(k > x);
            let density = super::log_prob::<D, P>(k, params).exp();
            mass[above] += density;
            if above == 0 {
                let d_params = D::kernel(k, params).d_params;
                for i in 0..P {
                    moved[i] += density * (d_params[i] - d_normalizer[i]);
                }
            }
            k += 1.0;
        }
        let density = super::log_prob::<D, P>(x, params).exp();
        for side in 0..2 {
            lanes[side][lane] = mass[side].ln();
        }
        for i in 0..P {
            velocities[i][lane] = if x < last { -moved[i] / density } else { 0.0 };
        }
    }
    Tails {
        ln_below: from_doubles(&lanes[0]),
        ln_above: from_doubles(&lanes[1]),
        velocity: std::array::from_fn(|i| from_doubles(&velocities[i])),
    }
}
