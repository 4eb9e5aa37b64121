//! A prediction with its uncertainty over data.

use std::path::Path;

use super::chart::{Captions, Chart, Entry, Layer, Mark};
use super::check::{count, finite, finite_points, some};
use super::{Error, color};

/// The mean of some numbers, and the ends between which the middle 95 % of them lie: a row of a band.
#[must_use]
pub fn middle(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let (count, left_out) = (values.len(), values.len() / 40);
    let end = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    [values.iter().sum::<f64>() / count as f64, end(left_out), end((count - left_out).saturating_sub(1))]
}

/// Writes a line with a band from `lower` to `upper`, and data over it; `points` may be empty. PNG or SVG, as the path ends; 900 by 540
/// pixels.
///
/// # Shapes
/// `mean`, `lower` and `upper` are as long as `x`.
///
/// # Errors
/// Lengths that differ, fewer than two rows, rows that are not sorted by `x`, a lower bound above the upper one, a value that is not
/// finite, a path of another ending or that cannot be written.
pub fn band<'a>(
    path: impl AsRef<Path>,
    x: &[f64],
    mean: &[f64],
    lower: &[f64],
    upper: &[f64],
    points: &[[f64; 2]],
    captions: impl Into<Captions<'a>>,
) -> Result<(), Error> {
    let path = path.as_ref();
    some(path, "two rows to draw a line through", x.len().saturating_sub(1))?;
    for (what, values) in [("x", x), ("mean", mean), ("lower", lower), ("upper", upper)] {
        count(path, what, x.len(), values.len())?;
        finite(path, what, values.iter().copied().enumerate())?;
    }
    finite_points(path, "points", points)?;
    if let Some(row) = (1..x.len()).find(|row| x[*row] <= x[row - 1]) {
        return Err(Error::Order { path: path.to_owned(), row, value: x[row] });
    }
    if let Some(row) = (0..x.len()).find(|row| lower[*row] > upper[*row]) {
        return Err(Error::Bounds { path: path.to_owned(), row, lower: lower[row], upper: upper[row] });
    }
    let along = |values: &[f64]| -> Vec<[f64; 2]> { x.iter().zip(values).map(|(x, y)| [*x, *y]).collect() };
    let outline = along(lower).into_iter().chain(along(upper).into_iter().rev()).collect();
    let dots = points.iter().map(|point| (*point, color::DATA)).collect();
    let line = color::CLASSES[0];
    let mut legend = vec![
        Entry { name: "mean".to_owned(), mark: Mark::Line, color: line },
        Entry { name: "interval".to_owned(), mark: Mark::Area, color: color::BAND },
    ];
    if !points.is_empty() {
        legend.push(Entry { name: "data".to_owned(), mark: Mark::Dot, color: color::DATA });
    }
    let layers = vec![Layer::Area(outline, color::BAND), Layer::Line(along(mean), line), Layer::Dots(dots, 3.0)];
    Chart { width: 900, height: 540, captions: captions.into(), layers, legend }.save(path)
}

#[cfg(test)]
mod tests {
    use super::band;
    use crate::pictures::png::read;

    #[test]
    fn line_band_and_data_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("band.png");
        band(&path, &[0.0, 1.0], &[0.0, 0.0], &[-1.0, -1.0], &[1.0, 1.0], &[[0.5, 0.5]], "flat").unwrap();
        let picture = read(&path);
        assert_eq!((picture.width, picture.height), (900, 540));
        let count = |rgb: [u8; 3]| picture.rgb.chunks_exact(3).filter(|pixel| *pixel == rgb).count();
        // A band of constant width covers all but the margins of the axes; its line is two pixels wide.
        assert!(count([189, 215, 238]) > 200_000, "{}", count([189, 215, 238]));
        assert!((500..2000).contains(&count([31, 119, 180])), "{}", count([31, 119, 180]));
        band(dir.path().join("band.svg"), &[0.0, 1.0], &[0.0; 2], &[-1.0; 2], &[1.0; 2], &[], "").unwrap();
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("band.png");
        let said = |x: &[f64], mean: &[f64], lower: &[f64], points: &[[f64; 2]]| {
            let error = band(&path, x, mean, lower, &[1.0, 1.0], points, "").unwrap_err();
            error.to_string().split_off(path.to_string_lossy().len())
        };
        let values = "cannot be drawn; values have to be finite and at most 1e100";
        let (x, zero) = ([0.0, 1.0], [0.0, 0.0]);
        assert_eq!(said(&x, &[0.0, f64::NAN], &zero, &[]), format!(": mean, row 1: NaN {values}"));
        assert_eq!(said(&x, &zero, &[-f64::INFINITY, 0.0], &[]), format!(": lower, row 0: -inf {values}"));
        assert_eq!(said(&x, &zero, &zero, &[[0.0, 0.0], [f64::NAN, 0.0]]), format!(": points, row 1: NaN {values}"));
        assert_eq!(said(&x, &[0.0], &zero, &[]), ": mean: 2 expected, got 1");
        assert_eq!(said(&[0.0, 0.0], &zero, &zero, &[]), ": x, row 1: 0 does not lie to the right of row 0; sort the rows by x");
        assert_eq!(said(&x, &zero, &[0.0, 2.0], &[]), ": row 1: the lower bound 2 lies above the upper bound 1");
        assert_eq!(said(&[0.0], &[0.0], &[0.0], &[]), ": there are no two rows to draw a line through");
    }
}
