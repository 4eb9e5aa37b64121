//! Gray images as tiles: a grid of them, and inputs above their reconstructions.

use std::path::Path;

use ndarray::ArrayRef2;

use super::check::{count, finite, some};
use super::png::{Pixels, ends_in};
use super::{Error, color};

/// The sides that pictures stay within, where one pixel an image pixel does.
const WITHIN: usize = 1200;
/// The most pixels a side of an image pixel.
const LARGEST_FACTOR: usize = 12;
/// Between tiles, and around them.
const GAP: usize = 2;
/// Around pairs of input and reconstruction.
const WIDE_GAP: usize = 12;
const SEPARATOR: [u8; 3] = [112, 112, 112];
const PAPER: [u8; 3] = [color::PAPER.0, color::PAPER.1, color::PAPER.2];

/// Writes images as a grid, row by row from the top left, with thin separators: 0 is black, 1 is white, values outside are drawn as
/// the nearer of these. Each image pixel becomes a square of as many pixels as keep the picture within 1200 by 1200, at most 12 a side.
///
/// # Shapes
/// `images` is `[image, height * width]`.
///
/// # Errors
/// A path that does not end in `png` or cannot be written, no images or no columns, images of another size, a value that is not
/// finite.
pub fn grid(path: impl AsRef<Path>, images: &ArrayRef2<f32>, columns: usize, height: usize, width: usize) -> Result<(), Error> {
    let path = path.as_ref();
    checked(path, "images", images, columns, height * width)?;
    let rows = images.nrows().div_ceil(columns);
    let factor = factor([columns * width, rows * height], [columns + 1, rows + 1].map(|gaps| gaps * GAP));
    let (across, down) = (width * factor + GAP, height * factor + GAP);
    let mut picture = Pixels::filled(columns * across + GAP, rows * down + GAP, PAPER);
    for (index, image) in images.outer_iter().enumerate() {
        let corner = (index % columns * across, index / columns * down);
        tile(&mut picture, corner, factor, width, image.iter().copied());
    }
    picture.save(path)
}

/// Writes inputs with their reconstructions right below them, in pairs of rows with white space between the pairs; gray values and
/// sizes as in [`grid`].
///
/// # Shapes
/// Both are `[image, height * width]`.
///
/// # Errors
/// As [`grid`]'s, and different numbers of inputs and reconstructions.
pub fn beside(
    path: impl AsRef<Path>,
    inputs: &ArrayRef2<f32>,
    reconstructions: &ArrayRef2<f32>,
    columns: usize,
    height: usize,
    width: usize,
) -> Result<(), Error> {
    let path = path.as_ref();
    checked(path, "inputs", inputs, columns, height * width)?;
    count(path, "reconstructions", inputs.nrows(), reconstructions.nrows())?;
    checked(path, "reconstructions", reconstructions, columns, height * width)?;
    let pairs = inputs.nrows().div_ceil(columns);
    let between = [(columns + 1) * GAP + 2 * WIDE_GAP, pairs * (3 * GAP + WIDE_GAP) + WIDE_GAP];
    let factor = factor([columns * width, 2 * pairs * height], between);
    let (across, down) = (width * factor + GAP, height * factor + GAP);
    let pair = 2 * down + GAP + WIDE_GAP;
    let mut picture = Pixels::filled(columns * across + GAP + 2 * WIDE_GAP, pairs * pair + WIDE_GAP, PAPER);
    for (index, (input, reconstruction)) in inputs.outer_iter().zip(reconstructions.outer_iter()).enumerate() {
        let (x, y) = (WIDE_GAP + index % columns * across, WIDE_GAP + index / columns * pair);
        tile(&mut picture, (x, y), factor, width, input.iter().copied());
        tile(&mut picture, (x, y + down), factor, width, reconstruction.iter().copied());
    }
    picture.save(path)
}

fn checked(path: &Path, what: &str, images: &ArrayRef2<f32>, columns: usize, area: usize) -> Result<(), Error> {
    if !ends_in(path, "png") {
        return Err(Error::Ending { path: path.to_owned(), expected: ".png" });
    }
    some(path, what, images.len())?;
    some(path, "columns", columns)?;
    count(path, format!("pixels of each of the {what}"), area, images.ncols())?;
    finite(path, what, images.indexed_iter().map(|((row, _), value)| (row, f64::from(*value))))
}

/// Pixels a side of an image pixel, from the image pixels and the gaps along both sides.
fn factor(tiles: [usize; 2], gaps: [usize; 2]) -> usize {
    let fits = |side: usize| WITHIN.saturating_sub(gaps[side]) / tiles[side];
    fits(0).min(fits(1)).clamp(1, LARGEST_FACTOR)
}

/// One image with its separators, from the corner of the separators on.
fn tile(picture: &mut Pixels, corner: (usize, usize), factor: usize, width: usize, image: impl ExactSizeIterator<Item = f32>) {
    let (across, down) = (width * factor, image.len() / width * factor);
    for y in 0..down + 2 * GAP {
        for x in 0..across + 2 * GAP {
            picture.at(corner.0 + x, corner.1 + y).copy_from_slice(&SEPARATOR);
        }
    }
    for (index, value) in image.enumerate() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
        let gray = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let (left, top) = (corner.0 + GAP + index % width * factor, corner.1 + GAP + index / width * factor);
        for y in top..top + factor {
            for x in left..left + factor {
                picture.at(x, y).fill(gray);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::{beside, grid};
    use crate::pictures::png::read;

    #[test]
    fn tiles_stand_where_they_should() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grid.png");
        // Three images of 1 by 2 in two columns: twelve pixels a side of each, gaps of two.
        grid(&path, &array![[0.0, 1.0], [0.2, 0.4], [7.0, -7.0]], 2, 1, 2).unwrap();
        let mut picture = read(&path);
        assert_eq!((picture.width, picture.height), (2 + 2 * 26, 2 + 2 * 14));
        assert_eq!(picture.at(0, 0), [112; 3], "a separator");
        assert_eq!(picture.at(2, 2), [0; 3]);
        assert_eq!(picture.at(25, 13), [255; 3]);
        assert_eq!(picture.at(28, 2), [51; 3]);
        assert_eq!(picture.at(40, 2), [102; 3]);
        assert_eq!(picture.at(2, 16), [255; 3], "values above one are white");
        assert_eq!(picture.at(25, 27), [0; 3], "values below zero are black");
        assert_eq!(picture.at(40, 20), [255; 3], "paper, where there is no image");
    }

    #[test]
    fn reconstructions_stand_below_their_inputs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("beside.PNG");
        beside(&path, &array![[0.0], [0.2], [0.4]], &array![[1.0], [0.8], [0.6]], 2, 1, 1).unwrap();
        let mut picture = read(&path);
        // Two columns of 12, three gaps of 2, margins of 12; two pairs of 2 x 12 with three gaps of 2, and three margins of 12.
        assert_eq!((picture.width, picture.height), (54, 96));
        for (x, y, gray) in [(14, 14, 0), (14, 28, 255), (28, 14, 51), (28, 28, 204), (14, 56, 102), (14, 70, 153), (28, 56, 255)]
        {
            assert_eq!(picture.at(x, y), [gray; 3], "{x}, {y}");
        }
    }

    #[test]
    fn many_images_stay_within_the_largest_side() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("many.png");
        grid(&path, &Array2::zeros((400, 784)), 20, 28, 28).unwrap();
        let picture = read(&path);
        assert_eq!((picture.width, picture.height), (20 * 58 + 2, 20 * 58 + 2));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grid.png");
        let good = array![[0.0, 1.0], [0.2, 0.4]];
        let bad = array![[0.0, 1.0], [0.2, f32::NAN]];
        let said = |result: Result<(), super::Error>| {
            let error = result.unwrap_err().to_string();
            error
                .strip_prefix(&*dir.path().to_string_lossy())
                .unwrap_or_else(|| panic!("{error}: begins with the path"))
                .to_owned()
        };
        assert_eq!(
            said(grid(&path, &bad, 2, 1, 2)),
            "/grid.png: images, row 1: NaN cannot be drawn; values have to be finite and at most 1e100"
        );
        assert!(said(beside(&path, &good, &bad, 2, 1, 2)).starts_with("/grid.png: reconstructions, row 1: NaN"));
        assert_eq!(
            said(beside(&path, &good, &good.slice(ndarray::s![..1, ..]), 2, 1, 2)),
            "/grid.png: reconstructions: 2 expected, got 1"
        );
        assert_eq!(said(grid(&path, &good, 2, 2, 2)), "/grid.png: pixels of each of the images: 4 expected, got 2");
        assert_eq!(said(grid(&path, &good, 0, 1, 2)), "/grid.png: there are no columns");
        assert_eq!(said(grid(&path, &Array2::zeros((0, 2)), 2, 1, 2)), "/grid.png: there are no images");
        assert!(!path.exists(), "nothing is written where something is refused");
        let svg = dir.path().join("grid.svg");
        assert_eq!(said(grid(svg, &good, 2, 1, 2)), "/grid.svg: the name of this picture has to end in .png");
        let nowhere = dir.path().join("none/grid.png");
        assert!(said(grid(nowhere, &good, 2, 1, 2)).starts_with("/none/grid.png: "));
    }
}
