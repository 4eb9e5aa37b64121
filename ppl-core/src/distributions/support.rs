//! The sets in which values and parameters lie.

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
    /// Lower triangular matrices with rows of length one and a positive diagonal.
    CorrelationCholesky,
    /// Lower triangular matrices with a positive diagonal.
    CovarianceCholesky,
    /// Symmetric positive definite matrices with ones on the diagonal.
    Correlation,
    /// Symmetric positive definite matrices.
    PositiveDefinite,
    /// Zero or one.
    Binary,
    /// 0, 1, 2, ...
    Count,
    /// 0, 1, ..., up to a parameter (the trials of a binomial, the categories of a categorical less one); perhaps from another one on.
    CountUpTo,
    /// ..., -1, 0, 1, ...
    Integer,
}

impl Support {
    /// Whether a number lies in the set; of a set of vectors or matrices, whether an element can.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        match self {
            Support::Real | Support::Interval | Support::Ordered | Support::CovarianceCholesky | Support::PositiveDefinite => {
                value.is_finite()
            }
            Support::CorrelationCholesky | Support::Correlation => (-1.0..=1.0).contains(&value),
            Support::Positive | Support::PositiveOrdered => value > 0.0 && value.is_finite(),
            Support::NonNegative => value >= 0.0 && value.is_finite(),
            Support::Unit | Support::Simplex => value > 0.0 && value < 1.0,
            Support::Binary => value == 0.0 || value == 1.0,
            Support::Count | Support::CountUpTo => value >= 0.0 && value.is_finite() && value.fract() == 0.0,
            Support::Integer => value.is_finite() && value.fract() == 0.0,
        }
    }
}

impl std::fmt::Display for Support {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Support::Real => "a finite number",
            Support::Positive => "positive",
            Support::NonNegative => "zero or positive",
            Support::Unit => "between 0 and 1",
            Support::Interval => "within its bounds",
            Support::Simplex => "a simplex: positive, summing to one",
            Support::Ordered => "increasing",
            Support::PositiveOrdered => "positive and increasing",
            Support::CorrelationCholesky => {
                "a Cholesky factor of a correlation matrix: lower triangular, rows of length one, positive diagonal"
            }
            Support::CovarianceCholesky => "a Cholesky factor of a covariance matrix: lower triangular, positive diagonal",
            Support::Correlation => "a correlation matrix: symmetric, positive definite, ones on the diagonal",
            Support::PositiveDefinite => "a covariance matrix: symmetric, positive definite",
            Support::Binary => "0 or 1",
            Support::Count => "a whole number from 0 on",
            Support::CountUpTo => "a whole number within its bounds",
            Support::Integer => "a whole number",
        })
    }
}
