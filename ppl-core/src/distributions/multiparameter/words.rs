//! What is known of the distributions of several parameters without any value: their words in the language.

use super::super::{Distribution, Parameter, ValueKind};
use super::{
    DirichletMultinomial, GaussianRandomWalk, InverseWishart, InverseWishartCholesky, LkjCholesky, LkjCorrelation, Multinomial,
    MultivariateNormalCovariance, MultivariateNormalLowRank, MultivariateNormalPrecision, MultivariateNormalTril,
    MultivariateStudentT, OrderedLogistic, OrderedProbit, Support, Wishart, WishartCholesky,
};

/// `Type = "Word"(parameter: Support, ..) -> Support, rank, kind;`. Of a matrix the support is that of an element.
macro_rules! words {
    ($($distribution:ident = $name:literal($($parameter:ident: $support:ident),*) -> $value:ident, $rank:literal, $kind:ident;)*) => {
        $(
            impl Distribution for $distribution {
                const NAME: &'static str = $name;
                const PARAMETERS: &'static [Parameter] =
                    &[$(Parameter { name: stringify!($parameter), support: Support::$support }),*];
                const KIND: ValueKind = ValueKind::$kind;
                const EVENT_RANK: usize = $rank;
                const SUPPORT: Support = Support::$value;
            }
        )*
    };
}

words! {
    MultivariateNormalTril = "MultivariateNormal"(loc: Real, scale_tril: Real) -> Real, 1, Continuous;
    MultivariateNormalCovariance = "MultivariateNormal"(loc: Real, covariance: Real) -> Real, 1, Continuous;
    MultivariateNormalPrecision = "MultivariateNormal"(loc: Real, precision: Real) -> Real, 1, Continuous;
    MultivariateNormalLowRank = "MultivariateNormal"(loc: Real, factor: Real, diagonal: Positive) -> Real, 1, Continuous;
    MultivariateStudentT = "MultivariateStudentT"(df: Positive, loc: Real, scale_tril: Real) -> Real, 1, Continuous;
    GaussianRandomWalk = "GaussianRandomWalk"(scale: Positive) -> Real, 1, Continuous;
    LkjCholesky = "LkjCholesky"(concentration: Positive) -> Real, 2, Continuous;
    LkjCorrelation = "LkjCorrelation"(concentration: Positive) -> Real, 2, Continuous;
    Wishart = "Wishart"(df: Positive, scale: Real) -> Real, 2, Continuous;
    InverseWishart = "InverseWishart"(df: Positive, scale: Real) -> Real, 2, Continuous;
    WishartCholesky = "WishartCholesky"(df: Positive, scale_tril: Real) -> Real, 2, Continuous;
    InverseWishartCholesky = "InverseWishartCholesky"(df: Positive, scale_tril: Real) -> Real, 2, Continuous;
    Multinomial = "Multinomial"(trials: Count, probs: Simplex) -> Count, 1, Discrete;
    DirichletMultinomial = "DirichletMultinomial"(trials: Count, concentration: Positive) -> Count, 1, Discrete;
    OrderedLogistic = "OrderedLogistic"(predictor: Real, cutpoints: Ordered) -> CountUpTo, 0, Discrete;
    OrderedProbit = "OrderedProbit"(predictor: Real, cutpoints: Ordered) -> CountUpTo, 0, Discrete;
}
