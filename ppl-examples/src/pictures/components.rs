//! Points that belong to several components, each in the mixture of their colours.

use std::path::Path;

use plotters::style::RGBColor;

use super::chart::{Captions, Chart, Entry, Layer, Mark};
use super::check::{count, finite, finite_points, some};
use super::{Error, color};

/// Writes points in the mixture of ten colours by their probabilities, and an outline for each component. PNG or SVG, as the path ends; 820 by 720 pixels.
///
/// # Shapes
/// `probabilities` has a row for each point, and in it a number for each of the `outlines`, ten at most.
///
/// # Errors
/// No points, rows of another number or length, more than ten components, a coordinate or a probability that is not finite, a path of another ending or that
/// cannot be written.
pub fn components<'a>(
    path: impl AsRef<Path>,
    points: &[[f64; 2]],
    probabilities: &[Vec<f64>],
    outlines: &[Vec<[f64; 2]>],
    captions: impl Into<Captions<'a>>,
) -> Result<(), Error> {
    let path = path.as_ref();
    some(path, "points", points.len())?;
    count(path, "probabilities", points.len(), probabilities.len())?;
    finite_points(path, "points", points)?;
    let classes = color::CLASSES.get(..outlines.len());
    let classes = classes.ok_or_else(|| Error::Label { path: path.to_owned(), row: 0, label: u8::MAX })?;
    let mut dots = Vec::with_capacity(points.len());
    for (point, own) in points.iter().zip(probabilities) {
        count(path, "probabilities of a point", outlines.len(), own.len())?;
        finite(path, "probabilities", own.iter().copied().enumerate())?;
        dots.push((*point, mixed(own, classes)));
    }
    let radius = if points.len() > 3000 { 2.0 } else { 3.5 };
    let mut layers = vec![Layer::Dots(dots, radius)];
    for (outline, color) in outlines.iter().zip(classes) {
        finite_points(path, "outlines", outline)?;
        layers.push(Layer::Line(outline.clone(), *color));
    }
    let legend = (0..).zip(classes).map(|(k, color): (usize, _)| Entry { name: k.to_string(), mark: Mark::Dot, color: *color });
    Chart { width: 820, height: 720, captions: captions.into(), layers, legend: legend.collect() }.save(path)
}

/// The mean of colours by their shares.
fn mixed(shares: &[f64], colors: &[RGBColor]) -> RGBColor {
    let total: f64 = shares.iter().sum();
    let mean = |of: fn(&RGBColor) -> u8| {
        let sum: f64 = shares.iter().zip(colors).map(|(share, color)| share * f64::from(of(color))).sum();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of bytes")]
        let byte = (sum / total).round().clamp(0.0, 255.0) as u8;
        byte
    };
    RGBColor(mean(|color| color.0), mean(|color| color.1), mean(|color| color.2))
}

#[cfg(test)]
mod tests {
    use super::{components, mixed};
    use crate::pictures::color::CLASSES;

    #[test]
    fn a_point_between_two_components_has_a_colour_between_theirs() {
        let half = mixed(&[0.5, 0.5], &CLASSES[..2]);
        assert_eq!((half.0, half.1, half.2), (143, 123, 97));
        let dir = tempfile::tempdir().unwrap();
        let square = vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
        let path = dir.path().join("components.svg");
        components(&path, &[[0.0, 0.5], [1.0, 1.0]], &[vec![0.5, 0.5], vec![1.0, 0.0]], &[square.clone(), square], "two")
            .unwrap();
        assert!(std::fs::read_to_string(path).unwrap().contains("#8F7B61"));
    }

    #[test]
    fn probabilities_of_another_number_are_refused() {
        let path = std::env::temp_dir().join("never.png");
        let error = components(&path, &[[0.0, 0.0]], &[vec![1.0]], &[vec![], vec![]], "two").unwrap_err();
        assert!(error.to_string().contains("probabilities of a point"), "{error}");
    }
}
