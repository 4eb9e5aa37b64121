//! Dynamic binarization: pixels as probabilities, bits drawn anew at every visit.

use ndarray::{Array2, ArrayRef2};
use ppl_core::random::uniform;

use super::Error;

/// Draws every pixel as a Bernoulli variable with the pixel as its probability: `P(bit = 1) = pixel`.
///
/// The bit of an element depends on the key and on the element's place in `rows` alone: the same key gives the same bits on any
/// number of threads. Take a key for every step, [`step_key(seed, step)`](ppl_core::random::step_key).
///
/// # Shapes
/// `[row, pixel]` in and out.
///
/// # Errors
/// [`Error::Probability`] for the first pixel that is not within 0 and 1 (NaN is not).
///
/// # Source
/// Salakhutdinov & Murray 2008, section 5.2; Burda, Grosse & Salakhutdinov 2015, section 5.1.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use ppl_core::random::step_key;
/// use ppl_examples::images::binarize;
///
/// let bits = binarize(&array![[0.0, 1.0]], step_key(1, 0))?;
/// assert_eq!(bits, array![[0.0, 1.0]]);
/// # Ok::<(), ppl_examples::images::Error>(())
/// ```
pub fn binarize(rows: &ArrayRef2<f32>, key: u64) -> Result<Array2<f32>, Error> {
    if let Some(((row, pixel), &value)) = rows.indexed_iter().find(|(_, value)| !(0.0..=1.0).contains(*value)) {
        return Err(Error::Probability { row, pixel, value });
    }
    let mut bits = rows.to_owned();
    for (counter, pixel) in (0..).zip(&mut bits) {
        *pixel = f32::from(uniform(key, counter) < f64::from(*pixel));
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis};
    use ppl_core::random::step_key;

    use super::binarize;

    #[test]
    fn the_key_names_the_bits() {
        let gray = Array2::from_elem((10, 64), 0.5);
        let bits = |step| binarize(&gray, step_key(3, step)).unwrap();
        assert_eq!(bits(0), bits(0));
        assert_ne!(bits(0), bits(1));
        assert!(bits(0).iter().all(|bit| *bit == 0.0 || *bit == 1.0));
        assert_ne!(bits(0).row(0), bits(0).row(1), "rows have bits of their own");
    }

    #[test]
    fn bits_occur_as_often_as_their_pixels_say() {
        let draws = 20_000;
        let probabilities = [0.0, 0.1, 0.5, 0.9, 1.0];
        let rows = Array2::from_shape_fn((draws, 5), |(_, column)| probabilities[column]);
        let bits = binarize(&rows, step_key(11, 0)).unwrap();
        for (column, p) in bits.axis_iter(Axis(1)).zip(probabilities) {
            let frequency = column.iter().map(|bit| f64::from(*bit)).sum::<f64>() / draws as f64;
            // Four standard errors.
            let tolerance = 4.0 * (f64::from(p) * f64::from(1.0 - p) / draws as f64).sqrt();
            assert!((frequency - f64::from(p)).abs() <= tolerance, "{p}: {frequency}");
        }
    }

    #[test]
    fn the_layout_in_memory_is_no_part_of_the_bits() {
        let gray = Array2::from_shape_fn((6, 9), |(row, column)| (row + column) as f32 / 20.0);
        let columns_first = gray.t().as_standard_layout().to_owned();
        let key = step_key(5, 5);
        assert_eq!(binarize(&gray, key).unwrap(), binarize(&columns_first.t(), key).unwrap());
    }

    #[test]
    fn pixels_that_are_no_probabilities_are_refused_by_row() {
        for (value, said) in [(f32::NAN, "NaN"), (1.5, "1.5"), (-0.25, "-0.25")] {
            let mut rows = Array2::zeros((4, 3));
            rows[[2, 1]] = value;
            let error = binarize(&rows, 0).unwrap_err().to_string();
            assert_eq!(error, format!("row 2, pixel 1: {said} is no probability; scale pixels to [0, 1]"));
        }
    }
}
