//! What data are refused for: numbers that are not finite, outside their set, indices outside their axis.

use crate::distributions::Support;
use crate::kernel::Real;
use crate::model::DataError;

/// Refuses `NaN` and infinite data.
///
/// # Errors
/// [`DataError::NotFinite`] names the first such row.
pub fn check_finite<E: Real>(model: &'static str, field: &'static str, values: &[E]) -> Result<(), DataError> {
    match values.iter().position(|x| !x.to_f64().is_finite()) {
        None => Ok(()),
        Some(row) => Err(DataError::NotFinite { model, field, row, value: values[row].to_f64() }),
    }
}

/// Refuses an index expression that leaves its axis.
///
/// # Errors
/// [`DataError::ShiftedIndexOutOfRange`].
pub fn check_index(
    model: &'static str,
    expression: &'static str,
    array: &'static str,
    (lowest, highest): (i64, i64),
    size: usize,
) -> Result<(), DataError> {
    if lowest < 0 || usize::try_from(highest).is_ok_and(|highest| highest >= size) {
        return Err(DataError::ShiftedIndexOutOfRange { model, expression, array, lowest, highest, size });
    }
    Ok(())
}

/// Refuses a parameter outside a set, or outside bounds; probabilities of exactly zero and one are legal.
///
/// # Errors
/// [`DataError::OutsideSupport`].
pub fn check_support(
    model: &'static str,
    field: &'static str,
    row: usize,
    value: f64,
    statement: &'static str,
    set: (Support, f64, f64),
) -> Result<(), DataError> {
    if set.0 == Support::Unit && (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    check_observed(model, field, row, value, statement, set)
}

/// Refuses an observed value outside a set, or outside bounds.
///
/// # Errors
/// [`DataError::OutsideSupport`].
pub fn check_observed(
    model: &'static str,
    field: &'static str,
    row: usize,
    value: f64,
    statement: &'static str,
    (support, lower, upper): (Support, f64, f64),
) -> Result<(), DataError> {
    let inside = match support {
        Support::Interval => value >= lower && value <= upper,
        Support::CountUpTo => Support::Count.contains(value) && value >= lower && value <= upper,
        other => other.contains(value),
    };
    if inside {
        return Ok(());
    }
    let expected = match support {
        Support::Interval | Support::CountUpTo => format!("{support} ({lower} to {upper})"),
        other => other.to_string(),
    };
    Err(DataError::OutsideSupport { model, field, row, value, statement, expected })
}

/// Refuses an empty dimension where there must be elements.
///
/// # Errors
/// [`DataError::Empty`].
pub fn check_not_empty(model: &'static str, dim: &'static str, needed_by: &'static str, size: usize) -> Result<(), DataError> {
    if size == 0 {
        return Err(DataError::Empty { model, dim, needed_by, least: 1 });
    }
    Ok(())
}

/// Refuses a time before the one that comes before it, and what is no time.
///
/// # Errors
/// [`DataError::Time`].
pub fn check_time(model: &'static str, field: &'static str, row: usize, before: f64, time: f64) -> Result<(), DataError> {
    if time >= before && time.is_finite() {
        return Ok(());
    }
    Err(DataError::Time { model, field, row, before, time })
}
