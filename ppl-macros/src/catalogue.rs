//! The catalogue: every distribution of the language with its parameters, supports and event shape; ppl-core's registry is made from it.

use std::f64::consts::PI;

use Bound::{Infinite, Number, Parameter};

/// The set in which a value or a parameter lies; the names are those of `ppl_core::distributions::Support`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    Real,
    Positive,
    Unit,
    Interval,
    Simplex,
    Ordered,
    PositiveOrdered,
    CorrelationCholesky,
    CovarianceCholesky,
    Correlation,
    PositiveDefinite,
    Binary,
    Count,
    CountUpTo,
    Integer,
}

/// One end of where values lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    /// There is none.
    Infinite,
    /// A constant.
    Number(f64),
    /// A parameter, by its place.
    Parameter(usize),
}

/// The axes of a value or a parameter, by their names: none of a number, one of a vector, two of a matrix. The same name is the same dimension.
pub(crate) type Axes = &'static [&'static str];

/// Whether a density is over numbers or vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `Univariate<P>`: a number, with numbers as parameters.
    Univariate,
    /// `Multivariate`: one parameter, a vector; the value is a vector if `event_rank` is 1.
    Multivariate,
    /// `Multiparameter<P>`: parameters and value are numbers, vectors or matrices.
    Multiparameter,
}

/// One parameterization of a distribution.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The word of the language: `Bernoulli`.
    pub name: &'static str,
    /// The type in `ppl_core::distributions`: `BernoulliLogit`.
    pub rust: &'static str,
    /// Names and supports of the parameters, in order.
    pub parameters: &'static [(&'static str, Support)],
    /// Whether values are whole numbers.
    pub discrete: bool,
    /// 0 for a number, 1 for a vector.
    pub event_rank: usize,
    /// Where values lie.
    pub support: Support,
    /// Between which numbers values lie; of a density on the whole line that is periodic, between which a latent lies.
    pub bounds: [Bound; 2],
    /// Number or vector.
    pub shape: Shape,
    /// The axes of the value.
    pub axes: Axes,
    /// The axes of the parameters, in order.
    pub parameter_axes: &'static [Axes],
    /// Which parameters the normalizer depends on.
    pub normalizer: &'static [usize],
    /// Whether `base` is not zero.
    pub base: bool,
}

impl Entry {
    /// Whether the density integrates to one. A proper distribution of one number has a distribution function.
    pub(crate) fn is_proper(&self) -> bool {
        !self.name.starts_with("Flat")
    }

    /// Whether values, or a latent, lie between bounds.
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounds != [Infinite, Infinite]
    }
}

/// A distribution in one line: word and type, parameters, support of the value with its bounds, what the normalizer reads, whether there is a base.
macro_rules! entry {
    (@shape univariate) => { Shape::Univariate };
    (@shape multivariate) => { Shape::Multivariate };
    (@discrete continuous) => { false };
    (@discrete discrete) => { true };
    (@base with_base) => { true };
    (@base no_base) => { false };
    (@parameter_axes univariate $parameter:ident) => { &[] };
    (@parameter_axes multivariate $parameter:ident) => { &["K"] };
    ($kind:ident multiparameter $name:literal as $rust:literal ($($parameter:ident: $set:ident $axes:expr),*) -> $support:ident $value_axes:expr) => {
        Entry {
            name: $name,
            rust: $rust,
            parameters: &[$((stringify!($parameter), Support::$set)),*],
            discrete: entry!(@discrete $kind),
            event_rank: { const AXES: Axes = &$value_axes; AXES.len() },
            support: Support::$support,
            shape: Shape::Multiparameter,
            bounds: [Infinite, Infinite],
            axes: &$value_axes,
            parameter_axes: &[$(&$axes),*],
            normalizer: &[],
            base: false,
        }
    };
    (@bounds) => { [Infinite, Infinite] };
    (@bounds $low:expr, $high:expr) => { [$low, $high] };
    ($kind:ident $shape:ident $name:literal as $rust:literal ($($parameter:ident: $set:ident),*) -> $support:ident $([$($bounds:tt)*])?, $rank:literal,
     normalizer [$($reads:literal),*], $base:ident) => {
        Entry {
            name: $name,
            rust: $rust,
            parameters: &[$((stringify!($parameter), Support::$set)),*],
            discrete: entry!(@discrete $kind),
            event_rank: $rank,
            support: Support::$support,
            bounds: entry!(@bounds $($($bounds)*)?),
            shape: entry!(@shape $shape),
            axes: if $rank == 0 { &[] } else { &["K"] },
            parameter_axes: &[$(entry!(@parameter_axes $shape $parameter)),*],
            normalizer: &[$($reads),*],
            base: entry!(@base $base),
        }
    };
}

/// All parameterizations; the first of a name is the positional one.
#[rustfmt::skip]
pub(crate) const CATALOGUE: &[Entry] = &[
    entry!(continuous univariate "Normal" as "Normal" (loc: Real, scale: Positive) -> Real, 0, normalizer [1], no_base),
    entry!(continuous univariate "HalfNormal" as "HalfNormal" (scale: Positive) -> Positive, 0, normalizer [0], no_base),
    entry!(continuous univariate "LogNormal" as "LogNormal" (loc: Real, scale: Positive) -> Positive, 0, normalizer [1], with_base),
    entry!(continuous univariate "StudentT" as "StudentT" (df: Positive, loc: Real, scale: Positive) -> Real, 0, normalizer [0, 2], no_base),
    entry!(continuous univariate "HalfStudentT" as "HalfStudentT" (df: Positive, scale: Positive) -> Positive, 0, normalizer [0, 1], no_base),
    entry!(continuous univariate "Cauchy" as "Cauchy" (loc: Real, scale: Positive) -> Real, 0, normalizer [1], no_base),
    entry!(continuous univariate "HalfCauchy" as "HalfCauchy" (scale: Positive) -> Positive, 0, normalizer [0], no_base),
    entry!(continuous univariate "Laplace" as "Laplace" (loc: Real, scale: Positive) -> Real, 0, normalizer [1], no_base),
    entry!(continuous univariate "AsymmetricLaplace" as "AsymmetricLaplace" (loc: Real, scale: Positive, asymmetry: Positive) -> Real, 0, normalizer [1, 2], no_base),
    entry!(continuous univariate "Logistic" as "Logistic" (loc: Real, scale: Positive) -> Real, 0, normalizer [1], no_base),
    entry!(continuous univariate "Gumbel" as "Gumbel" (loc: Real, scale: Positive) -> Real, 0, normalizer [1], no_base),
    entry!(continuous univariate "SkewNormal" as "SkewNormal" (loc: Real, scale: Positive, shape: Real) -> Real, 0, normalizer [1], no_base),
    entry!(continuous univariate "Exponential" as "Exponential" (rate: Positive) -> Positive, 0, normalizer [0], no_base),
    entry!(continuous univariate "Gamma" as "Gamma" (shape: Positive, rate: Positive) -> Positive, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "Erlang" as "Erlang" (shape: Count, rate: Positive) -> Positive, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "InverseGamma" as "InverseGamma" (shape: Positive, scale: Positive) -> Positive, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "ChiSquared" as "ChiSquared" (df: Positive) -> Positive, 0, normalizer [0], with_base),
    entry!(continuous univariate "InverseChiSquared" as "InverseChiSquared" (df: Positive) -> Positive, 0, normalizer [0], with_base),
    entry!(continuous univariate "FisherSnedecor" as "FisherSnedecor" (df1: Positive, df2: Positive) -> Positive, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "BetaPrime" as "BetaPrime" (alpha: Positive, beta: Positive) -> Positive, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "Weibull" as "Weibull" (shape: Positive, scale: Positive) -> Positive, 0, normalizer [0], with_base),
    entry!(continuous univariate "Frechet" as "Frechet" (shape: Positive, scale: Positive) -> Positive, 0, normalizer [0], with_base),
    entry!(continuous univariate "Rayleigh" as "Rayleigh" (scale: Positive) -> Positive, 0, normalizer [0], with_base),
    entry!(continuous univariate "Gompertz" as "Gompertz" (shape: Positive, rate: Positive) -> Positive, 0, normalizer [0, 1], no_base),
    entry!(continuous univariate "Beta" as "Beta" (alpha: Positive, beta: Positive) -> Unit, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "Kumaraswamy" as "Kumaraswamy" (alpha: Positive, beta: Positive) -> Unit, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "LogitNormal" as "LogitNormal" (loc: Real, scale: Positive) -> Unit, 0, normalizer [1], with_base),
    entry!(continuous univariate "RelaxedBernoulli" as "RelaxedBernoulli" (temperature: Positive, logit: Real) -> Unit, 0, normalizer [0], with_base),
    entry!(continuous univariate "Uniform" as "Uniform" (lower: Real, upper: Real) -> Interval[Parameter(0), Parameter(1)], 0, normalizer [0, 1], no_base),
    entry!(continuous univariate "LogUniform" as "LogUniform" (lower: Positive, upper: Positive) -> Interval[Parameter(0), Parameter(1)], 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "Triangular" as "Triangular" (lower: Real, upper: Real, peak: Real) -> Interval[Parameter(0), Parameter(1)], 0, normalizer [0, 1], no_base),
    entry!(continuous univariate "Pareto" as "Pareto" (lower: Positive, shape: Positive) -> Interval[Parameter(0), Infinite], 0, normalizer [1], with_base),
    entry!(continuous univariate "VonMises" as "VonMises" (loc: Real, concentration: Positive) -> Real[Number(-PI), Number(PI)], 0, normalizer [1], no_base),
    entry!(continuous univariate "Flat" as "Flat" () -> Real, 0, normalizer [], no_base),
    entry!(continuous univariate "FlatPositive" as "FlatPositive" () -> Positive, 0, normalizer [], no_base),
    entry!(continuous multivariate "Dirichlet" as "Dirichlet" (concentration: Positive) -> Simplex, 1, normalizer [], no_base),
    entry!(discrete univariate "Bernoulli" as "BernoulliProb" (prob: Unit) -> Binary, 0, normalizer [], no_base),
    entry!(discrete univariate "Bernoulli" as "BernoulliLogit" (logit: Real) -> Binary, 0, normalizer [], no_base),
    entry!(discrete univariate "Binomial" as "BinomialProb" (trials: Count, prob: Unit) -> CountUpTo[Number(0.0), Parameter(0)], 0, normalizer [0], with_base),
    entry!(discrete univariate "Binomial" as "BinomialLogit" (trials: Count, logit: Real) -> CountUpTo[Number(0.0), Parameter(0)], 0, normalizer [0], with_base),
    entry!(discrete univariate "Poisson" as "PoissonRate" (rate: Positive) -> Count, 0, normalizer [], with_base),
    entry!(discrete univariate "Poisson" as "PoissonLog" (log_rate: Real) -> Count, 0, normalizer [], with_base),
    entry!(discrete univariate "NegativeBinomial" as "NegativeBinomial" (mean: Positive, dispersion: Positive) -> Count, 0, normalizer [1], with_base),
    entry!(discrete univariate "NegativeBinomial" as "NegativeBinomialProb" (successes: Positive, prob: Unit) -> Count, 0, normalizer [0, 1], with_base),
    entry!(discrete univariate "Geometric" as "Geometric" (prob: Unit) -> Count, 0, normalizer [], no_base),
    entry!(discrete univariate "BetaBinomial" as "BetaBinomial" (trials: Count, alpha: Positive, beta: Positive) -> CountUpTo[Number(0.0), Parameter(0)], 0, normalizer [0, 1, 2], with_base),
    entry!(discrete univariate "Hypergeometric" as "Hypergeometric" (draws: Count, successes: Count, failures: Count) -> CountUpTo[Number(0.0), Parameter(0)], 0, normalizer [0, 1, 2], with_base),
    entry!(discrete univariate "DiscreteUniform" as "DiscreteUniform" (lower: Count, upper: Count) -> CountUpTo[Parameter(0), Parameter(1)], 0, normalizer [0, 1], no_base),
    entry!(discrete univariate "Skellam" as "Skellam" (rate1: Positive, rate2: Positive) -> Integer, 0, normalizer [], no_base),
    entry!(discrete multivariate "Categorical" as "CategoricalProbs" (probs: Simplex) -> CountUpTo, 0, normalizer [], no_base),
    entry!(discrete multivariate "Categorical" as "CategoricalLogits" (logits: Real) -> CountUpTo, 0, normalizer [], no_base),
    entry!(continuous multiparameter "MultivariateNormal" as "MultivariateNormalCovariance" (loc: Real ["N"], covariance: PositiveDefinite ["N", "N"]) -> Real ["N"]),
    entry!(continuous multiparameter "MultivariateNormal" as "MultivariateNormalTril" (loc: Real ["N"], scale_tril: CovarianceCholesky ["N", "N"]) -> Real ["N"]),
    entry!(continuous multiparameter "MultivariateNormal" as "MultivariateNormalPrecision" (loc: Real ["N"], precision: PositiveDefinite ["N", "N"]) -> Real ["N"]),
    entry!(continuous multiparameter "MultivariateNormal" as "MultivariateNormalLowRank" (loc: Real ["N"], factor: Real ["N", "R"], diagonal: Positive ["N"]) -> Real ["N"]),
    entry!(continuous multiparameter "MultivariateStudentT" as "MultivariateStudentT" (df: Positive [], loc: Real ["N"], scale_tril: CovarianceCholesky ["N", "N"]) -> Real ["N"]),
    entry!(continuous multiparameter "GaussianRandomWalk" as "GaussianRandomWalk" (scale: Positive []) -> Real ["N"]),
    entry!(continuous multiparameter "LkjCholesky" as "LkjCholesky" (concentration: Positive []) -> CorrelationCholesky ["N", "N"]),
    entry!(continuous multiparameter "LkjCorrelation" as "LkjCorrelation" (concentration: Positive []) -> Correlation ["N", "N"]),
    entry!(continuous multiparameter "Wishart" as "Wishart" (df: Positive [], scale: PositiveDefinite ["N", "N"]) -> PositiveDefinite ["N", "N"]),
    entry!(continuous multiparameter "InverseWishart" as "InverseWishart" (df: Positive [], scale: PositiveDefinite ["N", "N"]) -> PositiveDefinite ["N", "N"]),
    entry!(continuous multiparameter "WishartCholesky" as "WishartCholesky" (df: Positive [], scale_tril: CovarianceCholesky ["N", "N"]) -> CovarianceCholesky ["N", "N"]),
    entry!(continuous multiparameter "InverseWishartCholesky" as "InverseWishartCholesky" (df: Positive [], scale_tril: CovarianceCholesky ["N", "N"]) -> CovarianceCholesky ["N", "N"]),
    entry!(continuous multiparameter "Concrete" as "Concrete" (temperature: Positive [], logits: Real ["K"]) -> Simplex ["K"]),
    entry!(discrete multiparameter "Multinomial" as "Multinomial" (trials: Count [], probs: Simplex ["K"]) -> Count ["K"]),
    entry!(discrete multiparameter "DirichletMultinomial" as "DirichletMultinomial" (trials: Count [], concentration: Positive ["K"]) -> Count ["K"]),
    entry!(discrete multiparameter "OrderedLogistic" as "OrderedLogistic" (predictor: Real [], cutpoints: Ordered ["K"]) -> CountUpTo []),
    entry!(discrete multiparameter "OrderedProbit" as "OrderedProbit" (predictor: Real [], cutpoints: Ordered ["K"]) -> CountUpTo []),
];

/// What a latent on a support may be drawn from in a guide: the proper continuous distributions of one number on it.
pub(crate) fn on_support(support: Support) -> impl Iterator<Item = &'static Entry> {
    let is_one = |entry: &&Entry| entry.shape == Shape::Univariate && !entry.discrete && entry.is_proper();
    CATALOGUE.iter().filter(is_one).filter(move |entry| entry.support == support && !entry.is_bounded())
}

/// The parameterizations of a name.
pub(crate) fn entries(name: &str) -> impl Iterator<Item = &'static Entry> {
    CATALOGUE.iter().filter(move |entry| entry.name == name)
}

/// An operation on arrays: `let y[N] = matvec(a, x);`.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The word of the language.
    pub name: &'static str,
    /// The type in `ppl_core::linear_algebra`.
    pub rust: &'static str,
    /// Names and axes of the operands, in order.
    pub operands: &'static [(&'static str, Axes)],
    /// The axes of the result.
    pub axes: Axes,
}

impl Operation {
    /// Whether a trailing number may be left out: it is zero.
    pub(crate) fn is_optional(&self, operand: usize) -> bool {
        self.operands[operand].0 == "jitter"
    }
}

macro_rules! operation {
    ($name:literal as $rust:literal ($($operand:ident $axes:expr),*) -> $result:expr) => {
        Operation { name: $name, rust: $rust, operands: &[$((stringify!($operand), &$axes)),*], axes: &$result }
    };
}

/// All operations; where a name stands several times, the axes of the operands choose.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    operation!("cholesky" as "Cholesky" (matrix ["N", "N"]) -> ["N", "N"]),
    operation!("matvec" as "Matvec" (matrix ["M", "N"], vector ["N"]) -> ["M"]),
    operation!("matmul" as "Matmul" (left ["M", "N"], right ["N", "P"]) -> ["M", "P"]),
    operation!("solve_lower" as "SolveLower" (factor ["N", "N"], vector ["N"]) -> ["N"]),
    operation!("solve_lower_transposed" as "SolveLowerTransposed" (factor ["N", "N"], vector ["N"]) -> ["N"]),
    operation!("factor_product" as "FactorProduct" (factor ["N", "N"]) -> ["N", "N"]),
    operation!("squared_exponential" as "SquaredExponentialCovariance" (x ["N"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("squared_exponential" as "SquaredExponentialCovariance" (x ["N", "D"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("matern12" as "Matern12Covariance" (x ["N"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("matern12" as "Matern12Covariance" (x ["N", "D"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("matern32" as "Matern32Covariance" (x ["N"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("matern32" as "Matern32Covariance" (x ["N", "D"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("matern52" as "Matern52Covariance" (x ["N"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
    operation!("matern52" as "Matern52Covariance" (x ["N", "D"], amplitude [], length_scale [], jitter []) -> ["N", "N"]),
];

/// The operations of a name.
pub(crate) fn operations(name: &str) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(move |operation| operation.name == name)
}
