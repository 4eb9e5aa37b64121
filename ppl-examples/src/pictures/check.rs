//! What is asked of numbers before they are drawn.

use std::path::Path;

use super::Error;

/// Beyond this, differences of values need not be finite.
const LARGEST: f64 = 1e100;

/// Refuses NaN, infinities and numbers too large, by row.
pub(super) fn finite(path: &Path, what: &str, values: impl Iterator<Item = (usize, f64)>) -> Result<(), Error> {
    for (row, value) in values {
        if value.is_nan() || value.abs() > LARGEST {
            return Err(Error::Value { path: path.to_owned(), what: what.to_owned(), row, value });
        }
    }
    Ok(())
}

/// Refuses points with a coordinate that cannot be drawn.
pub(super) fn finite_points(path: &Path, what: &str, points: &[[f64; 2]]) -> Result<(), Error> {
    finite(path, what, points.iter().enumerate().flat_map(|(row, point)| point.map(|value| (row, value))))
}

/// Refuses a count that is not the expected one.
pub(super) fn count(path: &Path, what: impl Into<String>, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Shape { path: path.to_owned(), what: what.into(), expected, found })
}

/// Refuses nothing at all.
pub(super) fn some(path: &Path, what: impl Into<String>, count: usize) -> Result<(), Error> {
    if count > 0 { Ok(()) } else { Err(Error::Empty { path: path.to_owned(), what: what.into() }) }
}
