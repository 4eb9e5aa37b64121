//! What generated code asserts, at compile time, of the distributions of users.

use super::{Parameter, Support, Univariate, ValueKind};

/// Compiles if `D` is a distribution of one number with `P` parameters.
///
/// # Panics
/// At compile time, if the constants of `D` disagree with each other.
pub const fn is_univariate<D: Univariate<P>, const P: usize>() {
    assert!(D::EVENT_RANK == 0, "a distribution of one number has EVENT_RANK 0");
    assert!(D::PARAMETERS.len() == P, "PARAMETERS has an entry for each parameter of the density");
}

/// A parameter of a distribution.
///
/// # Panics
/// If there is none of this number.
#[must_use]
pub const fn parameter<D: Univariate<P>, const P: usize>(index: usize) -> Parameter {
    D::PARAMETERS[index]
}

/// Whether two names are the same.
#[must_use]
pub const fn is_name(own: &str, given: &str) -> bool {
    let (own, given) = (own.as_bytes(), given.as_bytes());
    if own.len() != given.len() {
        return false;
    }
    let mut i = 0;
    while i < own.len() {
        if own[i] != given[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether a support is one of some.
#[must_use]
pub const fn is_among(own: Support, some: &[Support]) -> bool {
    let mut i = 0;
    while i < some.len() {
        if own as u8 == some[i] as u8 {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether values of two supports lie in the same set, but for zero.
#[must_use]
pub const fn have_same_values(own: Support, other: Support) -> bool {
    let positive = &[Support::Positive, Support::NonNegative];
    is_among(own, &[other]) || (is_among(own, positive) && is_among(other, positive))
}

/// Whether values are real numbers.
#[must_use]
pub const fn is_continuous(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Continuous)
}

/// Whether a latent can have such values: there is a map from the real line that needs no parameters.
#[must_use]
pub const fn can_be_latent(kind: ValueKind, support: Support) -> bool {
    is_continuous(kind) && is_among(support, &[Support::Real, Support::Positive, Support::NonNegative, Support::Unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_supports_are_compared_by_value() {
        assert!(is_name("loc", "loc") && !is_name("loc", "lox") && !is_name("loc", "lo"));
        assert!(is_among(Support::Unit, &[Support::Positive, Support::Unit]) && !is_among(Support::Real, &[Support::Positive]));
        assert!(have_same_values(Support::NonNegative, Support::Positive) && !have_same_values(Support::Real, Support::Positive));
        assert!(can_be_latent(ValueKind::Continuous, Support::Positive));
        assert!(!can_be_latent(ValueKind::Discrete, Support::Count) && !can_be_latent(ValueKind::Continuous, Support::Simplex));
    }
}
