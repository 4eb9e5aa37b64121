//! Points in the plane, coloured by class.

use std::path::Path;

use super::chart::{Captions, Chart, Entry, Layer, Mark};
use super::check::{count, finite_points, some};
use super::{Error, color};

/// Writes points in ten colours, one for each label, with a legend of the labels that occur. PNG or SVG, as the path ends; 820 by 720
/// pixels.
///
/// `captions` may be a title alone: a text.
///
/// # Errors
/// No points, another number of labels, labels above 9, a coordinate that is not finite, a path of another ending or that cannot be
/// written.
pub fn scatter<'a>(
    path: impl AsRef<Path>,
    points: &[[f64; 2]],
    labels: &[u8],
    captions: impl Into<Captions<'a>>,
) -> Result<(), Error> {
    let path = path.as_ref();
    some(path, "points", points.len())?;
    count(path, "labels", points.len(), labels.len())?;
    finite_points(path, "points", points)?;
    let mut dots = Vec::with_capacity(points.len());
    for (row, (point, label)) in points.iter().zip(labels).enumerate() {
        match color::CLASSES.get(usize::from(*label)) {
            Some(color) => dots.push((*point, *color)),
            None => return Err(Error::Label { path: path.to_owned(), row, label: *label }),
        }
    }
    let occurring = (0..).zip(color::CLASSES).filter(|(label, _)| labels.contains(label));
    let legend = occurring.map(|(label, color)| Entry { name: label.to_string(), mark: Mark::Dot, color }).collect();
    // Many points are drawn smaller.
    let radius = if points.len() > 3000 { 2.0 } else { 3.5 };
    let chart = Chart { width: 820, height: 720, captions: captions.into(), layers: vec![Layer::Dots(dots, radius)], legend };
    chart.save(path)
}

#[cfg(test)]
mod tests {
    use super::scatter;
    use crate::pictures::color::CLASSES;
    use crate::pictures::png::read;

    #[test]
    fn points_have_the_colours_of_their_labels() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scatter.png");
        scatter(&path, &[[0.0, 0.0], [1.0, 1.0], [2.0, 0.5]], &[3, 0, 3], "title").unwrap();
        let picture = read(&path);
        assert_eq!((picture.width, picture.height), (820, 720));
        let pixels: Vec<[u8; 3]> = picture.rgb.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect();
        // The gray of class 7 is also one of the edges of letters.
        for (label, color) in CLASSES.iter().enumerate().filter(|(label, _)| *label != 7) {
            // Dots are drawn with an opacity of 0.8 on white.
            let on_white = [color.0, color.1, color.2].map(|x| 0.8 * f64::from(x) + 51.0);
            let near = |rgb: &&[u8; 3]| rgb.iter().zip(on_white).all(|(x, y)| (f64::from(*x) - y).abs() < 1.0);
            // Two dots and one in the legend, of 38 and 78 pixels; those at their edges, 19 and 28, are mixed with paper.
            let expected = match label {
                3 => 88..=154,
                0 => 69..=116,
                _ => 0..=0,
            };
            let found = pixels.iter().filter(near).count();
            assert!(expected.contains(&found), "label {label}: {found} pixels");
        }
    }

    #[test]
    fn letters_in_a_vector_picture_are_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scatter.svg");
        scatter(&path, &[[0.0, 0.0], [1.0, 1.0]], &[3, 0], "A & B").unwrap();
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written.starts_with("<svg width=\"820\" height=\"720\" viewBox=\"0 0 2460 2160\""), "{}", &written[..80]);
        assert!(written.contains("A &amp; B") && written.contains("<circle") && written.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scatter.png");
        let said = |points: &[[f64; 2]], labels: &[u8]| {
            scatter(&path, points, labels, "").unwrap_err().to_string().split_off(path.to_string_lossy().len())
        };
        let values = "cannot be drawn; values have to be finite and at most 1e100";
        assert_eq!(said(&[[0.0, 1.0], [1.0, f64::NAN]], &[0, 1]), format!(": points, row 1: NaN {values}"));
        assert_eq!(said(&[[f64::INFINITY, 1.0]], &[0]), format!(": points, row 0: inf {values}"));
        assert_eq!(said(&[[0.0, 1.0]], &[10]), ": labels, row 0: 10, but classes are 0 to 9");
        assert_eq!(said(&[[0.0, 1.0]], &[1, 2]), ": labels: 1 expected, got 2");
        assert_eq!(said(&[], &[]), ": there are no points");
        let error = scatter(dir.path().join("a.gif"), &[[0.0, 1.0]], &[1], "").unwrap_err().to_string();
        assert!(error.ends_with("a.gif: the name of this picture has to end in .png or .svg"), "{error}");
        let error = scatter(dir.path().join("none/a.svg"), &[[0.0, 1.0]], &[1], "").unwrap_err().to_string();
        assert!(error.contains("none/a.svg: "), "{error}");
    }
}
