//! The data of a fit: batches of rows, checked and binarized.

use super::{AmortizedError, BoundRows, RowInput};
use crate::distributions::Support;
use crate::kernel::Real;
use crate::model::Model;
use crate::random::{step_key, uniform};

/// Whether the values of an input are yes or no, so that numbers between may be their probabilities.
fn is_binary<E: Real>(input: &RowInput<'_, E>) -> bool {
    input.observed.is_some_and(|(support, _)| support == Support::Binary)
}

/// Copies rows of an input; or, with a key, Bernoulli draws of which the numbers of a binary one are the probabilities.
///
/// # Shapes
/// `to: [row][column]`.
pub(super) fn copy_rows<E: Real>(input: &RowInput<'_, E>, rows: &[usize], draws: Option<u64>, to: &mut [E]) {
    let columns = input.columns;
    for (&row, to) in rows.iter().zip(to.chunks_exact_mut(columns.max(1))) {
        let from = &input.data[row * columns..(row + 1) * columns];
        match draws.filter(|_| is_binary(input)) {
            None => to.copy_from_slice(from),
            Some(key) => {
                let key = step_key(key, row as u64);
                for (column, (x, p)) in to.iter_mut().zip(from).enumerate() {
                    let one = uniform(key, column as u64) < p.to_f64();
                    *x = E::from_f64(f64::from(u8::from(one)));
                }
            }
        }
    }
}

/// Whether there are rows, of the right lengths, of values in the supports of their distributions; of probabilities where these are binarized.
pub(super) fn check<R: Model>(bound: &BoundRows<'_, R>, model: &'static str, binarized: bool) -> Result<(), AmortizedError> {
    if bound.rows == 0 {
        return Err(AmortizedError::NoRows { model });
    }
    for input in &bound.inputs {
        if input.data.len() != bound.rows.saturating_mul(input.columns) {
            let expected = format!("{} rows of {}", bound.rows, input.columns);
            return Err(AmortizedError::Shape { what: format!("`{}`", input.name), got: vec![input.data.len()], expected });
        }
        let probabilities = binarized && is_binary(input);
        let (support, statement) = input.observed.unwrap_or((Support::Real, ""));
        let right = |x: f64| if probabilities { (0.0..=1.0).contains(&x) } else { x.is_finite() && support.contains(x) };
        if let Some(at) = input.data.iter().position(|x| !right(x.to_f64())) {
            let expected = match support {
                _ if probabilities => "a probability, 0 to 1".to_owned(),
                Support::Real => "finite".to_owned(),
                Support::Binary => format!("{support} by `{statement}`; probabilities take `binarize: Binarize::Stochastic`"),
                _ => format!("{support} by `{statement}`"),
            };
            let (row, column) = (at / input.columns, at % input.columns);
            return Err(AmortizedError::Input { input: input.name, row, column, value: input.data[at].to_f64(), expected });
        }
    }
    Ok(())
}
