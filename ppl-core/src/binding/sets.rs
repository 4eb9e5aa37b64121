//! Checks of data that are vectors or matrices: values, and parameters of distributions.

use crate::distributions::Support;
use crate::kernel::Real;
use crate::linear_algebra::cholesky;
use crate::model::DataError;

/// Refuses an observed vector or matrix outside a set, in which a simplex has no element that is zero.
///
/// # Errors
/// [`DataError::OutsideSupport`], with the first element that is wrong.
pub fn check_observed_array<E: Real>(
    model: &'static str,
    field: &'static str,
    row: usize,
    values: &[E],
    statement: &'static str,
    support: Support,
) -> Result<(), DataError> {
    if support == Support::Simplex
        && let Some(k) = values.iter().position(|x| x.to_f64() <= 0.0)
    {
        let (row, value, expected) = (row + k, values[k].to_f64(), "positive, an element of a simplex".to_owned());
        return Err(DataError::OutsideSupport { model, field, row, value, statement, expected });
    }
    check_array(model, field, row, values, statement, support)
}

/// Refuses a vector, or a matrix in rows, outside a set: a parameter.
///
/// # Errors
/// [`DataError::OutsideSupport`], with the first element that is wrong.
pub fn check_array<E: Real>(
    model: &'static str,
    field: &'static str,
    row: usize,
    values: &[E],
    statement: &'static str,
    support: Support,
) -> Result<(), DataError> {
    let values: Vec<f64> = values.iter().map(|x| x.to_f64()).collect();
    match outside(&values, support) {
        None => Ok(()),
        Some((at, value, expected)) => {
            Err(DataError::OutsideSupport { model, field, row: row + at, value, statement, expected: expected.to_owned() })
        }
    }
}

/// The first element of an array that is not as the set wants it: its place, a number that tells what is wrong, and what is expected.
fn outside(values: &[f64], support: Support) -> Option<(usize, f64, &'static str)> {
    let n = values.len().isqrt();
    let at = |i: usize, j: usize| values[i * n + j];
    let first = |wrong: &dyn Fn(usize) -> bool, expected: &'static str| {
        (0..values.len()).find(|&k| wrong(k)).map(|k| (k, values[k], expected))
    };
    let finite = || first(&|k| !values[k].is_finite(), "a finite number");
    let triangular = || {
        finite()
            .or_else(|| first(&|k| k % n > k / n && values[k] != 0.0, "lower triangular: zero above the diagonal"))
            .or_else(|| first(&|k| k % n == k / n && values[k] <= 0.0, "a Cholesky factor: positive on the diagonal"))
    };
    let definite = || {
        let apart = |k: usize| (values[k] - at(k % n, k / n)).abs() > 1e-8 * (values[k].abs() + at(k % n, k / n).abs());
        let mut factor = vec![0.0; values.len()];
        finite().or_else(|| first(&apart, "a symmetric matrix")).or_else(|| {
            cholesky(values, n, &mut factor);
            let bad = (0..n).find(|&i| factor[i * n + i].is_nan())?;
            Some((bad * n + bad, at(bad, bad), "a positive definite matrix"))
        })
    };
    match support {
        Support::Simplex => {
            let sum: f64 = values.iter().sum();
            first(&|k| values[k].is_nan() || values[k] < 0.0, "zero or positive, an element of a simplex").or_else(|| {
                let wrong = (sum - 1.0).abs() > 1e-6;
                wrong.then_some((0, sum, "a simplex that sums to one (the value given here is the sum)"))
            })
        }
        Support::Ordered | Support::PositiveOrdered => finite()
            .or_else(|| first(&|k| k > 0 && values[k] <= values[k - 1], "increasing"))
            .or_else(|| first(&|k| support == Support::PositiveOrdered && values[k] <= 0.0, "positive")),
        Support::PositiveDefinite => definite(),
        Support::Correlation => {
            let ones = |k: usize| k % n == k / n && (values[k] - 1.0).abs() > 1e-8;
            definite().or_else(|| first(&ones, "a correlation matrix: one on the diagonal"))
        }
        Support::CovarianceCholesky => triangular(),
        Support::CorrelationCholesky => triangular().or_else(|| {
            let square = |i: usize| (0..n).map(|j| at(i, j).powi(2)).sum::<f64>();
            let row = (0..n).find(|&i| (square(i) - 1.0).abs() > 1e-8)?;
            Some((row * n, square(row), "a row of length one (the value given here is the sum of squares)"))
        }),
        set => first(&|k| !set.contains(values[k]), "an element of the set of the distribution"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_element_that_is_wrong_is_named() {
        let wrong = |values: &[f64], support| outside(values, support).map(|(at, value, _)| (at, value));
        assert_eq!(wrong(&[0.2, 0.8], Support::Simplex), None);
        assert_eq!(wrong(&[0.2, -0.1, 0.9], Support::Simplex), Some((1, -0.1)));
        assert_eq!(wrong(&[0.5, 0.6], Support::Simplex), Some((0, 1.1)));
        assert_eq!(wrong(&[0.1, 0.3, 0.3], Support::Ordered), Some((2, 0.3)));
        assert_eq!(wrong(&[2.0, 0.5, 0.5, 1.0], Support::PositiveDefinite), None);
        assert_eq!(wrong(&[2.0, 0.5, 0.6, 1.0], Support::PositiveDefinite), Some((1, 0.5)));
        assert_eq!(wrong(&[1.0, 2.0, 2.0, 1.0], Support::PositiveDefinite), Some((3, 1.0)));
        assert_eq!(wrong(&[1.0, f64::NAN, 2.0, 1.0], Support::PositiveDefinite).map(|(at, _)| at), Some(1));
        assert_eq!(wrong(&[1.0, 0.5, 0.5, 1.1], Support::Correlation), Some((3, 1.1)));
        assert_eq!(wrong(&[1.0, 0.5, 0.5, 1.1], Support::CovarianceCholesky), Some((1, 0.5)));
        assert_eq!(wrong(&[1.0, 0.0, 0.5, -1.0], Support::CovarianceCholesky), Some((3, -1.0)));
        assert_eq!(wrong(&[1.0, 0.0, 0.6, 0.8], Support::CorrelationCholesky), None);
        assert_eq!(wrong(&[1.0, 0.0, 0.5, 0.5], Support::CorrelationCholesky), Some((2, 0.5)));
        assert_eq!(wrong(&[3.0, -1.0], Support::Positive), Some((1, -1.0)));
    }
}
