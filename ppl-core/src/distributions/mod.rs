//! The catalogue of distributions: density with partials, support, draws and parameter checks.
//!
//! # Speed
//! The goal for a log density with all its partials, of 100 000 elements whose value and one parameter vary, is 1.5 ns an element on AVX-512, and 3 ns more
//! for each special function that varies with them (`exp`, `ln`, `lgamma`, `digamma` ..); none where it needs an incomplete gamma or beta function
//! (truncated and censored gamma or beta numbers). Measured on AVX-512 (an Intel server, one core, shared with others;
//! in a quiet minute three quarters of it): all 53 are within it.
//!
//! | time / goal | distributions |
//! |---|---|
//! | 0.1 to 0.3 | counts, up to 255 by a table of factorials (`Poisson`, `Binomial`, `Hypergeometric`), one exponential or logarithm (`Gumbel`, `LogNormal`, `Exponential`) |
//! | 0.3 to 0.6 | most; the median is 0.37 |
//! | 0.6 to 0.7 | `Normal`, `Laplace` and `AsymmetricLaplace` (1 ns, what four arrays of 100 000 numbers take to be read and written), `FisherSnedecor`, `Censored` of `Normal` |
//! | 0.7 to 0.8, the worst | `SkewNormal`, `Truncated` of `Normal` |
//!
//! With half the lanes, on AVX2 (the same processor, `PPL_SIMD=avx2`), where the goal is not one:
//!
//! | time / goal | distributions |
//! |---|---|
//! | 0.1 to 1.0 | the 38 others of 53; the median is 0.82 |
//! | 1.0 to 1.2 | `HalfStudentT`, `Beta`, `BetaPrime`, `BetaBinomial`, `LogUniform`, `ChiSquared`, `Weibull`, `Frechet`, `RelaxedBernoulli`, `Kumaraswamy` |
//! | 1.3 to 1.7 | `FisherSnedecor`, `ZeroInflated`, `Truncated` of `Normal`, `SkewNormal`, and `Censored` of `Normal`, the worst |
//!
//! `cargo bench -p ppl-core --bench catalogue` prints the table of all, with their special functions; `--bench draws` that of draws beside `rand_distr`.
//!
//! # Independent draws
//! What Pyro calls `Independent` is an axis: `x[n, D] ~ Normal(loc, 1)` are draws that are independent, and the log density of the row is their sum.

pub mod assertions;
mod asymmetric_laplace;
mod bernoulli_logit;
mod bernoulli_prob;
mod beta;
mod beta_binomial;
mod beta_prime;
mod binomial_logit;
mod binomial_prob;
mod categorical_logits;
mod categorical_probs;
mod cauchy;
mod censored;
mod chi_squared;
mod cumulative;
mod dirichlet;
mod discrete_uniform;
mod erlang;
mod exponential;
mod fisher_snedecor;
mod flat;
mod flat_positive;
mod frechet;
mod gamma;
mod geometric;
mod gompertz;
mod gumbel;
mod half_cauchy;
mod half_normal;
mod half_student_t;
mod hypergeometric;
mod inverse_chi_squared;
mod inverse_gamma;
mod kumaraswamy;
mod laplace;
mod log_normal;
mod log_uniform;
mod logistic;
mod logit_normal;
pub mod multiparameter;
mod negative_binomial;
mod negative_binomial_prob;
mod normal;
mod pareto;
mod poisson_log;
mod poisson_rate;
mod quantile;
mod rayleigh;
mod registry;
mod relaxed_bernoulli;
mod sampler;
mod samplers;
mod skellam;
mod skellam_terms;
mod skew_normal;
mod special;
mod student_t;
mod support;
mod transformed;
mod triangular;
mod truncated;
mod uniform;
mod von_mises;
mod weibull;
mod zero_inflated;

use rand::Rng;

pub use asymmetric_laplace::AsymmetricLaplace;
pub use bernoulli_logit::BernoulliLogit;
pub use bernoulli_prob::BernoulliProb;
pub use beta::Beta;
pub use beta_binomial::BetaBinomial;
pub use beta_prime::BetaPrime;
pub use binomial_logit::BinomialLogit;
pub use binomial_prob::BinomialProb;
pub use categorical_logits::CategoricalLogits;
pub use categorical_probs::CategoricalProbs;
pub use cauchy::Cauchy;
pub use censored::Censored;
pub use chi_squared::ChiSquared;
pub use cumulative::{Cumulative, Tails, cdf, quantile};
pub use dirichlet::Dirichlet;
pub use discrete_uniform::DiscreteUniform;
pub use erlang::Erlang;
pub use exponential::Exponential;
pub use fisher_snedecor::FisherSnedecor;
pub use flat::Flat;
pub use flat_positive::FlatPositive;
pub use frechet::Frechet;
pub use gamma::Gamma;
pub use geometric::Geometric;
pub use gompertz::Gompertz;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use half_student_t::HalfStudentT;
pub use hypergeometric::Hypergeometric;
pub use inverse_chi_squared::InverseChiSquared;
pub use inverse_gamma::InverseGamma;
pub use kumaraswamy::Kumaraswamy;
pub use laplace::Laplace;
pub use log_normal::LogNormal;
pub use log_uniform::LogUniform;
pub use logistic::Logistic;
pub use logit_normal::LogitNormal;
pub use multiparameter::{
    Concrete, DirichletMultinomial, GaussianRandomWalk, InverseWishart, InverseWishartCholesky, LkjCholesky, LkjCorrelation,
    Multinomial, Multiparameter, MultivariateNormalCovariance, MultivariateNormalLowRank, MultivariateNormalPrecision,
    MultivariateNormalTril, MultivariateStudentT, OrderedLogistic, OrderedProbit, Wishart, WishartCholesky,
};
pub use negative_binomial::NegativeBinomial;
pub use negative_binomial_prob::NegativeBinomialProb;
pub use normal::Normal;
pub use pareto::Pareto;
pub use poisson_log::PoissonLog;
pub use poisson_rate::PoissonRate;
pub use quantile::Probability;
pub(crate) use quantile::{Answer, Density, Place, STEPS, Search, Wanted, answer, place, start};
pub use rayleigh::Rayleigh;
pub use registry::{Bound, Entry, Parts, Quantiles, REGISTRY};
pub use relaxed_bernoulli::RelaxedBernoulli;
pub use sampler::{SampleError, Sampler};
pub use samplers::{ArraySampler, Mixed, ScalarSampler, Sorted, VectorSampler, flatten};
pub use skellam::Skellam;
pub use skew_normal::SkewNormal;
pub use student_t::StudentT;
pub use support::Support;
pub use transformed::{ByExp, BySigmoid, BySoftplus, Increasing, Transformed};
pub use triangular::Triangular;
pub use truncated::Truncated;
pub use uniform::Uniform;
pub use von_mises::VonMises;
pub use weibull::Weibull;
pub use zero_inflated::ZeroInflated;

use crate::kernel::Lanes;

/// What kind of value a distribution is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A real number, or a vector of them.
    Continuous,
    /// A whole number.
    Discrete,
}

/// A parameter of a distribution: its name in the language and the set it must lie in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The name by which a model may give it.
    pub name: &'static str,
    /// Where it must lie.
    pub support: Support,
}

/// What is known of a distribution without any value: its words in the language.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a distribution",
    label = "a distribution implements `Distribution` and `Univariate`",
    note = "write `impl Distribution for {Self}` with its names and supports, and `#[ppl_core::distribution] impl Univariate<P> for {Self}`"
)]
pub trait Distribution {
    /// The name in the language.
    const NAME: &'static str;
    /// Names and supports of the parameters, in order.
    const PARAMETERS: &'static [Parameter];
    /// The names of the parameters that a wrapper adds to those of the distribution that it wraps.
    const ADDED: &'static [&'static str] = &[];
    /// Whether values are real or whole numbers.
    const KIND: ValueKind;
    /// 0 for a number, 1 for a vector.
    const EVENT_RANK: usize;
    /// Where values lie.
    const SUPPORT: Support;
}

/// A log density (in nats) with its partial derivatives.
#[derive(Clone, Copy, Debug)]
pub struct Partials<V, const P: usize> {
    /// The log density, or the part of it that is asked for.
    pub log_prob: V,
    /// Its derivative with respect to the value.
    pub d_value: V,
    /// Its derivatives with respect to the parameters, in order.
    pub d_params: [V; P],
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a distribution of one number with {P} parameters",
    label = "the model gives it {P} parameters",
    note = "`#[ppl_core::distribution] impl Univariate<P> for {Self}` states how many it has; their names and supports stand in `Distribution::PARAMETERS`"
)]
/// A distribution of one number: `log p(x | theta) = base(x) + kernel(x, theta) - normalizer(theta)`, in nats.
///
/// # Examples
/// A distribution of one's own works in `model!` as those of the catalogue do: names, number and supports of its parameters and the kind of its
/// values are checked when the model is compiled. With [`Cumulative`] it can be truncated and censored as well.
///
/// ```
/// use ppl_core::distributions::{Cumulative, Distribution, Parameter, Partials, Support, Tails, Univariate, ValueKind};
/// use ppl_core::prelude::*;
///
/// /// The hyperbolic secant distribution: `log p(x) = -ln(2 scale) - ln cosh(pi z / 2)` with `z = (x - loc) / scale`, in nats.
/// #[derive(Debug)]
/// pub struct Secant;
///
/// impl Distribution for Secant {
///     const NAME: &'static str = "Secant";
///     const PARAMETERS: &'static [Parameter] =
///         &[Parameter { name: "loc", support: Support::Real }, Parameter { name: "scale", support: Support::Positive }];
///     const KIND: ValueKind = ValueKind::Continuous;
///     const EVENT_RANK: usize = 0;
///     const SUPPORT: Support = Support::Real;
/// }
///
/// #[ppl_core::distribution]
/// impl Univariate<2> for Secant {
///     fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
///         let half = V::constant(std::f64::consts::FRAC_PI_2);
///         let z = (x - loc) / scale;
///         // ln cosh a = |a| + ln(1 + e^(-2 |a|)) - ln 2
///         let a = (half * z).abs();
///         let ln_cosh = a + (V::constant(-2.0) * a).exp().ln_1p() - V::constant(std::f64::consts::LN_2);
///         let slope = half * (half * z).tanh() / scale;
///         Partials { log_prob: -ln_cosh, d_value: -slope, d_params: [slope, z * slope] }
///     }
///
///     fn normalizer<V: Lanes>([_, scale]: [V; 2]) -> (V, [V; 2]) {
///         ((V::constant(2.0) * scale).ln(), [V::zero(), V::constant(1.0) / scale])
///     }
///
///     fn sample([loc, scale]: [f64; 2], rng: &mut dyn rand::Rng) -> f64 {
///         let u = ((rng.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
///         loc + scale * (u * std::f64::consts::FRAC_PI_2).tan().ln() / std::f64::consts::FRAC_PI_2
///     }
/// }
///
/// impl Cumulative<2> for Secant {
///     fn tails<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Tails<V, 2> {
///         let z = (x - loc) / scale;
///         let odds = |z: V| (V::constant(std::f64::consts::FRAC_PI_2) * z).exp().atan() * V::constant(std::f64::consts::FRAC_2_PI);
///         Tails { ln_below: odds(z).ln(), ln_above: odds(-z).ln(), velocity: [V::constant(1.0), z] }
///     }
/// }
///
/// model! {
///     pub Ceiling(y: [f64; N]) {
///         mu ~ Secant(loc = 0, scale = 2);
///         for n in N {
///             y[n] ~ Censored(Secant(mu, 1), upper = 3);
///         }
///     }
/// }
///
/// let fit = fit_bbvi(&Ceiling { y: vec![1.9, 3.0, 2.4, 3.0, 3.0, 2.8, 1.2, 3.0] }, Bbvi::default())?;
/// // Half of the numbers are at the ceiling: the location is near it.
/// assert!((fit.scalar("mu").map_or(0.0, |mu| mu.mean) - 2.8).abs() < 0.5);
/// # Ok::<(), FitError>(())
/// ```
pub trait Univariate<const P: usize>: Distribution {
    /// The part that depends on the value alone, and its derivative: computed once where the value is data.
    #[inline(always)]
    fn base<V: Lanes>(_x: V) -> (V, V) {
        (V::zero(), V::zero())
    }
    /// The part that depends on value and parameters.
    fn kernel<V: Lanes>(x: V, params: [V; P]) -> Partials<V, P>;
    /// The part that depends on the parameters alone, and its derivatives: computed at the loop level of the parameters.
    #[inline(always)]
    fn normalizer<V: Lanes>(_params: [V; P]) -> (V, [V; P]) {
        (V::zero(), [V::zero(); P])
    }
    /// Whether it integrates to one, and so can be drawn from.
    const PROPER: bool = true;
    /// One draw; `NaN` if a parameter is outside its support.
    fn sample(params: [f64; P], rng: &mut dyn Rng) -> f64;
    /// The mean; none where there is none, or no formula.
    fn mean(_params: [f64; P]) -> Option<f64> {
        None
    }
    /// The variance; none where there is none, or no formula.
    fn variance(_params: [f64; P]) -> Option<f64> {
        None
    }
    /// A number of the largest density; none where the density has no bound, many have it, or there is no formula.
    fn mode(_params: [f64; P]) -> Option<f64> {
        None
    }
    /// The entropy in nats, of a continuous distribution the differential one; none where there is no formula.
    fn entropy(_params: [f64; P]) -> Option<f64> {
        None
    }
    /// The Kullback-Leibler divergence from this distribution to one of the same family, in nats; none where there is no formula.
    fn divergence(_params: [f64; P], _other: [f64; P]) -> Option<f64> {
        None
    }
}

/// `NaN` where what should be a probability is none: a term that it is not in would hide that.
#[inline(always)]
fn of_probability<V: Lanes>(prob: V, log_prob: V) -> V {
    V::select(V::zero().le(prob) & prob.le(V::constant(1.0)), log_prob, V::constant(f64::NAN))
}

/// The log density of one number, whole, in nats.
pub fn log_prob<D: Univariate<P>, const P: usize>(value: f64, params: [f64; P]) -> f64 {
    ln_density::<D, f64, P>(value, params)
}

/// The same over lanes.
#[inline(always)]
fn ln_density<D: Univariate<P>, V: Lanes, const P: usize>(value: V, params: [V; P]) -> V {
    D::base(value).0 + D::kernel(value, params).log_prob - D::normalizer(params).0
}

/// A vector operand of a density: rows of lanes, data, or one number repeated.
pub trait Vector<V: Lanes> {
    /// How many elements.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Element `k`, counted from zero.
    fn get(&self, k: usize) -> V;
}

/// Where the derivatives of a density of vectors are added.
pub trait VectorAdjoints<V: Lanes> {
    /// Adds to the derivative with respect to element `k` of the value.
    fn add_value(&mut self, k: usize, derivative: V);
    /// Adds to the derivative with respect to element `k` of the parameter.
    fn add_parameter(&mut self, k: usize, derivative: V);
}

/// A distribution whose one parameter is a vector, over vectors or (`EVENT_RANK == 0`: a vector of length one) over numbers.
pub trait Multivariate: Distribution {
    /// The log density in nats.
    fn log_prob<V: Lanes>(value: &impl Vector<V>, parameter: &impl Vector<V>) -> V;
    /// Adds `weight` times the derivatives of the log density, which is returned.
    fn accumulate<V: Lanes>(
        value: &impl Vector<V>,
        parameter: &impl Vector<V>,
        weight: V,
        adjoints: &mut impl VectorAdjoints<V>,
    ) -> V;
    /// One draw, written to `value`.
    fn sample(parameter: &[f64], rng: &mut dyn Rng, value: &mut [f64]);
    /// Writes the mean, of a category that of its number; whether there is a formula. If not, `value` stays as it is.
    fn mean(_parameter: &[f64], _value: &mut [f64]) -> bool {
        false
    }
}

#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant, reason = "printed by another program")]
mod reference;
#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant, reason = "printed by another program")]
mod reference_tails;
#[cfg(test)]
#[allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant, reason = "printed by another program")]
mod reference_truncated;
#[cfg(test)]
mod tests;
