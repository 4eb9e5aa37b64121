//! The catalogue: every distribution of the language with its parameters, supports and event shape; ppl-core's registry is made from it.

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
    Binary,
    Count,
    CountUpTo,
}

/// Whether a density is over numbers or vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `Univariate<P>`: a number, with numbers as parameters.
    Univariate,
    /// `Multivariate`: one parameter, a vector; the value is a vector if `event_rank` is 1.
    Multivariate,
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
    /// Number or vector.
    pub shape: Shape,
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
}

/// A distribution in one line: word and type, parameters, support of the value, what the normalizer reads, whether there is a base.
macro_rules! entry {
    (@shape univariate) => { Shape::Univariate };
    (@shape multivariate) => { Shape::Multivariate };
    (@discrete continuous) => { false };
    (@discrete discrete) => { true };
    (@base with_base) => { true };
    (@base no_base) => { false };
    ($kind:ident $shape:ident $name:literal as $rust:literal ($($parameter:ident: $set:ident),*) -> $support:ident, $rank:literal,
     normalizer [$($reads:literal),*], $base:ident) => {
        Entry {
            name: $name,
            rust: $rust,
            parameters: &[$((stringify!($parameter), Support::$set)),*],
            discrete: entry!(@discrete $kind),
            event_rank: $rank,
            support: Support::$support,
            shape: entry!(@shape $shape),
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
    entry!(continuous univariate "Uniform" as "Uniform" (lower: Real, upper: Real) -> Interval, 0, normalizer [0, 1], no_base),
    entry!(continuous univariate "LogUniform" as "LogUniform" (lower: Positive, upper: Positive) -> Interval, 0, normalizer [0, 1], with_base),
    entry!(continuous univariate "Triangular" as "Triangular" (lower: Real, upper: Real, peak: Real) -> Interval, 0, normalizer [0, 1], no_base),
    entry!(continuous univariate "Flat" as "Flat" () -> Real, 0, normalizer [], no_base),
    entry!(continuous univariate "FlatPositive" as "FlatPositive" () -> Positive, 0, normalizer [], no_base),
    entry!(continuous multivariate "Dirichlet" as "Dirichlet" (concentration: Positive) -> Simplex, 1, normalizer [], no_base),
    entry!(discrete univariate "Bernoulli" as "BernoulliProb" (prob: Unit) -> Binary, 0, normalizer [], no_base),
    entry!(discrete univariate "Bernoulli" as "BernoulliLogit" (logit: Real) -> Binary, 0, normalizer [], no_base),
    entry!(discrete univariate "Binomial" as "BinomialProb" (trials: Count, prob: Unit) -> CountUpTo, 0, normalizer [0], with_base),
    entry!(discrete univariate "Binomial" as "BinomialLogit" (trials: Count, logit: Real) -> CountUpTo, 0, normalizer [0], with_base),
    entry!(discrete univariate "Poisson" as "PoissonRate" (rate: Positive) -> Count, 0, normalizer [], with_base),
    entry!(discrete univariate "Poisson" as "PoissonLog" (log_rate: Real) -> Count, 0, normalizer [], with_base),
    entry!(discrete univariate "NegativeBinomial" as "NegativeBinomial" (mean: Positive, dispersion: Positive) -> Count, 0, normalizer [1], with_base),
    entry!(discrete univariate "Geometric" as "Geometric" (prob: Unit) -> Count, 0, normalizer [], no_base),
    entry!(discrete univariate "BetaBinomial" as "BetaBinomial" (trials: Count, alpha: Positive, beta: Positive) -> CountUpTo, 0, normalizer [0, 1, 2], with_base),
    entry!(discrete multivariate "Categorical" as "CategoricalProbs" (probs: Simplex) -> CountUpTo, 0, normalizer [], no_base),
    entry!(discrete multivariate "Categorical" as "CategoricalLogits" (logits: Real) -> CountUpTo, 0, normalizer [], no_base),
];

/// What a latent on a support may be drawn from in a guide: the proper continuous distributions of one number on it.
pub(crate) fn on_support(support: Support) -> impl Iterator<Item = &'static Entry> {
    let is_one = |entry: &&Entry| entry.shape == Shape::Univariate && !entry.discrete && entry.is_proper();
    CATALOGUE.iter().filter(is_one).filter(move |entry| entry.support == support)
}

/// The parameterizations of a name.
pub(crate) fn entries(name: &str) -> impl Iterator<Item = &'static Entry> {
    CATALOGUE.iter().filter(move |entry| entry.name == name)
}
