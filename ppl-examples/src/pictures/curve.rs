//! Curves by name: a bound over steps, an error over sizes.

use std::path::Path;

use super::chart::{Captions, Chart, Entry, Layer, Mark};
use super::check::{finite_points, some};
use super::{Error, color};

/// Writes series as lines through their points in the order given, ten colours in turn, with a legend of their names. PNG or SVG, as
/// the path ends; 900 by 540 pixels.
///
/// # Errors
/// No series or one without points, a coordinate that is not finite, a path of another ending or that cannot be written.
pub fn curve<'a>(
    path: impl AsRef<Path>,
    series: &[(&str, Vec<[f64; 2]>)],
    captions: impl Into<Captions<'a>>,
) -> Result<(), Error> {
    let path = path.as_ref();
    some(path, "series", series.len())?;
    let (mut layers, mut legend) = (Vec::new(), Vec::new());
    for ((name, points), color) in series.iter().zip(color::CLASSES.into_iter().cycle()) {
        some(path, format!("points in series `{name}`"), points.len())?;
        finite_points(path, &format!("series `{name}`"), points)?;
        layers.push(Layer::Line(points.clone(), color));
        legend.push(Entry { name: (*name).to_owned(), mark: Mark::Line, color });
    }
    Chart { width: 900, height: 540, captions: captions.into(), layers, legend }.save(path)
}

#[cfg(test)]
mod tests {
    use super::curve;
    use crate::pictures::Captions;
    use crate::pictures::png::read;

    #[test]
    fn curves_of_any_kind_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let long = "a name that is much longer than the room beside the chart ".repeat(3);
        for (index, points) in
            [vec![[1.0, 2.0]], vec![[0.0, 1e100], [1.0, -1e100]], vec![[0.0, 1e-300]; 3]].into_iter().enumerate()
        {
            for ending in ["png", "svg"] {
                let path = dir.path().join(format!("curve{index}.{ending}"));
                let captions = Captions { title: &long, x: &long, y: &long };
                curve(&path, &[(&long, points.clone()), ("", points.clone())], captions).unwrap();
                if ending == "png" {
                    let picture = read(&path);
                    assert_eq!((picture.width, picture.height), (900, 540));
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curve.svg");
        let said = |series: &[(&str, Vec<[f64; 2]>)]| {
            curve(&path, series, "").unwrap_err().to_string().split_off(path.to_string_lossy().len())
        };
        assert_eq!(
            said(&[("a", vec![[0.0, 0.0]]), ("b", vec![[0.0, 0.0], [1.0, f64::NAN]])]),
            ": series `b`, row 1: NaN cannot be drawn; values have to be finite and at most 1e100"
        );
        assert_eq!(said(&[("a", vec![])]), ": there are no points in series `a`");
        assert_eq!(said(&[]), ": there are no series");
        assert!(!path.exists());
    }
}
