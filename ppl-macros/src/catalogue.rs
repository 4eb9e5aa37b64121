//! The catalogue: every distribution of the language with its parameters, supports and event shape; ppl-core's registry is made from it.

/// The set in which a value or a parameter lies; the names are those of `ppl_core::distributions::Support`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    Real,
    Positive,
    NonNegative,
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

/// All parameterizations; the first of a name is the positional one.
pub(crate) const CATALOGUE: &[Entry] = &[Entry {
    name: "Normal",
    rust: "Normal",
    parameters: &[("loc", Support::Real), ("scale", Support::Positive)],
    discrete: false,
    event_rank: 0,
    support: Support::Real,
    shape: Shape::Univariate,
    normalizer: &[1],
    base: false,
}, Entry { name: "HalfNormal", rust: "HalfNormal", parameters: &[("scale", Support::Positive)], discrete: false, event_rank: 0, support: Support::Positive, shape: Shape::Univariate, normalizer: &[0], base: false }];

/// The parameterizations of a name.
pub(crate) fn entries(name: &str) -> impl Iterator<Item = &'static Entry> {
    CATALOGUE.iter().filter(move |entry| entry.name == name)
}
