//! The data of a fit: whether rows are as many and as long as they should be, of values that their distributions have.

use super::transform::Transform;
use super::{AmortizedError, RowInput};
use crate::distributions::Support;
use crate::kernel::Real;

/// Whether the values of an input are yes or no.
pub(super) fn is_binary<E: Real>(input: &RowInput<'_, E>) -> bool {
    input.observed.is_some_and(|(support, _)| support == Support::Binary)
}

/// Whether an input may have a value.
pub(super) fn fits<E: Real>(input: &RowInput<'_, E>, x: f64) -> bool {
    let support = input.observed.map_or(Support::Real, |(support, _)| support);
    let category = |size: usize| x >= 0.0 && x < size as f64 && x.fract() == 0.0;
    x.is_finite() && support.contains(x) && input.categories.is_none_or(|(size, _)| category(size))
}

/// What the values of an input must be, in words.
pub(super) fn expected<E: Real>(input: &RowInput<'_, E>) -> String {
    if let Some((size, dim)) = input.categories {
        return format!("an index into `{dim}`, which has size {size} (0 to {})", size.saturating_sub(1));
    }
    match input.observed {
        None | Some((Support::Real, _)) => "finite".to_owned(),
        Some((support, statement)) => format!("{support} by `{statement}`"),
    }
}

/// Whether there are rows, of the right lengths, of values in the supports of their distributions; of such values as the transforms take.
pub(super) fn check<E: Real>(
    model: &'static str,
    count: usize,
    inputs: &[RowInput<'_, E>],
    transforms: &[Transform],
) -> Result<(), AmortizedError> {
    if count == 0 {
        return Err(AmortizedError::NoRows { model });
    }
    transforms.iter().try_for_each(|transform| transform.check(inputs))?;
    for input in inputs {
        let rows = if input.shared { 1 } else { count };
        if input.data.len() != rows.saturating_mul(input.columns) {
            let expected = format!("{rows} rows of {}", input.columns);
            return Err(AmortizedError::Shape { what: format!("`{}`", input.name), got: vec![input.data.len()], expected });
        }
        // Of what is always changed the model sees no value as it is.
        let changed = transforms.iter().find(|transform| transform.input() == input.name && transform.is_always());
        let probabilities = changed.is_some_and(Transform::takes_probabilities);
        let right = |x: f64| match changed {
            None => fits(input, x),
            Some(_) if probabilities => (0.0..=1.0).contains(&x),
            Some(_) => x.is_finite(),
        };
        if let Some(at) = input.data.iter().position(|x| !right(x.to_f64())) {
            let expected = match changed {
                _ if probabilities => "a probability, 0 to 1".to_owned(),
                Some(_) => "finite".to_owned(),
                None if is_binary(input) => {
                    format!("{}; probabilities take `Transform::binarize({:?})`", expected(input), input.name)
                }
                None => expected(input),
            };
            let (row, column) = (at / input.columns, at % input.columns);
            return Err(AmortizedError::Input { input: input.name, row, column, value: input.data[at].to_f64(), expected });
        }
    }
    Ok(())
}
