//! The data of a fit: batches of rows, checked and binarized.

use super::{AmortizedError, BoundRows, RowInput};
use crate::kernel::Real;
use crate::model::Model;
use crate::random::{step_key, uniform};

/// Copies rows of an input; or, with a key, Bernoulli draws of which its numbers are the probabilities.
///
/// # Shapes
/// `to: [row][column]`.
pub(super) fn copy_rows<E: Real>(input: &RowInput<'_, E>, rows: &[usize], draws: Option<u64>, to: &mut [E]) {
    let columns = input.columns;
    for (&row, to) in rows.iter().zip(to.chunks_exact_mut(columns.max(1))) {
        let from = &input.data[row * columns..(row + 1) * columns];
        match draws.filter(|_| !input.binary) {
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

/// Whether there are rows, of the right lengths, of finite numbers; of probabilities where they are to be binarized.
pub(super) fn check<R: Model>(bound: &BoundRows<'_, R>, model: &'static str, probabilities: bool) -> Result<(), AmortizedError> {
    if bound.rows == 0 {
        return Err(AmortizedError::NoRows { model });
    }
    for input in &bound.inputs {
        if input.data.len() != bound.rows * input.columns {
            let expected = format!("{} rows of {}", bound.rows, input.columns);
            return Err(AmortizedError::Shape { what: format!("`{}`", input.name), got: vec![input.data.len()], expected });
        }
        let wrong = |x: f64| !x.is_finite() || (probabilities && !(0.0..=1.0).contains(&x));
        if let Some(at) = input.data.iter().position(|x| wrong(x.to_f64())) {
            return Err(AmortizedError::Input {
                input: input.name,
                row: at / input.columns,
                column: at % input.columns,
                value: input.data[at].to_f64(),
                expected: if probabilities { "a probability, 0 to 1" } else { "finite" },
            });
        }
    }
    Ok(())
}

/// Shuffles by a key: the same key gives the same order (Fisher & Yates).
pub(super) fn shuffle(key: u64, rows: &mut [usize]) {
    for i in (1..rows.len()).rev() {
        let at = uniform(key, i as u64) * (i + 1) as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to i")]
        let other = (at as usize).min(i);
        rows.swap(i, other);
    }
}
