//! The catalogue of distributions: density with partials, support, draws and parameter checks.

use rand::Rng;

use crate::kernel::Lanes;

/// What kind of value a distribution is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A real number, or a vector of them.
    Continuous,
    /// A whole number.
    Discrete,
}

/// The set in which a value or a parameter lies.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Support {
    /// Every finite real number.
    Real,
    /// Real numbers above zero.
    Positive,
    /// Real numbers from zero on.
    NonNegative,
    /// Real numbers strictly between zero and one.
    Unit,
    /// Real numbers between two of the distribution's parameters (lower and upper).
    Interval,
    /// Vectors of positive numbers that sum to one.
    Simplex,
    /// Vectors that increase.
    Ordered,
    /// Vectors of positive numbers that increase.
    PositiveOrdered,
    /// Zero or one.
    Binary,
    /// 0, 1, 2, ...
    Count,
    /// 0, 1, ..., up to a parameter (the trials of a binomial, the categories of a categorical less one).
    CountUpTo,
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
pub trait Distribution {
    /// The name in the language.
    const NAME: &'static str;
    /// Names and supports of the parameters, in order.
    const PARAMETERS: &'static [Parameter];
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

/// A distribution of one number: `log p(x | theta) = base(x) + kernel(x, theta) - normalizer(theta)`, in nats.
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
    /// One draw.
    fn sample(params: [f64; P], rng: &mut dyn Rng) -> f64;
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
}
/// thin
#[derive(Debug)]
pub struct Normal;
impl Distribution for Normal { const NAME: &'static str = "Normal"; const PARAMETERS: &'static [Parameter] = &[]; const KIND: ValueKind = ValueKind::Continuous; const EVENT_RANK: usize = 0; const SUPPORT: Support = Support::Real; }
impl Univariate<2> for Normal {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> { let inv = V::constant(1.0) / scale; let z = (x - loc) * inv; let d = z * inv; Partials { log_prob: V::constant(-0.5) * z * z, d_value: -d, d_params: [d, z * d] } }
    #[inline(always)]
    fn normalizer<V: Lanes>([_, scale]: [V; 2]) -> (V, [V; 2]) { (scale.ln() + V::constant(0.918_938_533_204_672_7), [V::zero(), V::constant(1.0) / scale]) }
    fn sample(p: [f64; 2], rng: &mut dyn Rng) -> f64 { use rand_distr::Distribution as _; let z: f64 = rand_distr::StandardNormal.sample(rng); p[0] + p[1] * z }
}
/// thin
#[derive(Debug)]
pub struct HalfNormal;
impl Distribution for HalfNormal { const NAME: &'static str = "Normal"; const PARAMETERS: &'static [Parameter] = &[]; const KIND: ValueKind = ValueKind::Continuous; const EVENT_RANK: usize = 0; const SUPPORT: Support = Support::Positive; }
impl Univariate<1> for HalfNormal {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [scale]: [V; 1]) -> Partials<V, 1> { let inv = V::constant(1.0) / scale; let z = x * inv; let d = z * inv; Partials { log_prob: V::constant(-0.5) * z * z, d_value: -d, d_params: [z * d] } }
    #[inline(always)]
    fn normalizer<V: Lanes>([scale]: [V; 1]) -> (V, [V; 1]) { (scale.ln() + V::constant(0.225_791_352_644_727_4), [V::constant(1.0) / scale]) }
    fn sample(p: [f64; 1], rng: &mut dyn Rng) -> f64 { use rand_distr::Distribution as _; let z: f64 = rand_distr::StandardNormal.sample(rng); (p[0] * z).abs() }
}
/// s
#[derive(Debug)]
pub struct ScalarSampler<D, const P: usize>(std::marker::PhantomData<fn() -> D>);
impl<D, const P: usize> ScalarSampler<D, P> { /// new
 pub const NEW: Self = ScalarSampler(std::marker::PhantomData); }
impl<D: Univariate<P> + std::fmt::Debug, const P: usize> crate::model::Sampler for ScalarSampler<D, P> {
    fn name(&self) -> &'static str { D::NAME }
    fn parameters(&self) -> &'static [Parameter] { D::PARAMETERS }
    fn log_prob(&self, v: &[f64], p: &[f64]) -> f64 { let p: [f64; P] = p.try_into().unwrap(); D::kernel(v[0], p).log_prob - D::normalizer(p).0 + D::base(v[0]).0 }
    fn sample(&self, p: &[f64], rng: &mut dyn Rng, v: &mut [f64]) -> Result<(), crate::model::SampleError> { v[0] = D::sample(p.try_into().unwrap(), rng); Ok(()) }
}
impl std::fmt::Display for Support { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") } }
impl Support { /// c
 pub fn contains(&self, _x: f64) -> bool { true } }
