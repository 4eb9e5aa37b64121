//! Images with labels: read from files, split into halves, taken by rows, binarized as they are drawn.

mod binarize;
mod digits;
mod error;
mod idx;

use ndarray::{Array2, Axis};
use ppl_core::random::{step_key, uniform};

pub use binarize::binarize;
pub use digits::digits;
pub use error::Error;
pub use idx::idx;

/// Gray images of one size and the class of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// `[image, height * width]`: pixels row by row from the top, 0 (paper) to 1 (ink).
    pub pixels: Array2<f32>,
    /// The class of each image.
    pub labels: Vec<u8>,
    /// Rows of pixels of an image.
    pub height: usize,
    /// Columns of pixels of an image.
    pub width: usize,
}

/// Images to learn from, and images held out.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What is learned from.
    pub train: Images,
    /// What is held out.
    pub test: Images,
}

impl Images {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The same of ink and paper alone: pixels above one half are one, all others zero.
    #[must_use]
    pub fn inked(self) -> Self {
        Images { pixels: self.pixels.mapv(|pixel| f32::from(u8::from(pixel > 0.5))), ..self }
    }

    /// The images at these positions, in this order; a position may occur more than once.
    ///
    /// # Errors
    /// [`Error::Row`] where there is no such image.
    pub fn rows(&self, rows: &[usize]) -> Result<Self, Error> {
        if let Some(&row) = rows.iter().find(|row| **row >= self.len()) {
            return Err(Error::Row { row, images: self.len() });
        }
        Ok(Self {
            pixels: self.pixels.select(Axis(0), rows),
            labels: rows.iter().map(|row| self.labels[*row]).collect(),
            height: self.height,
            width: self.width,
        })
    }

    /// Holds out a part of the images, drawn without replacement: `test_fraction` of them, rounded. Both halves stay in the order
    /// of the file, and the same seed holds out the same images.
    ///
    /// # Errors
    /// [`Error::Fraction`] where the fraction is not within 0 and 1, or one half would be empty.
    pub fn split(&self, test_fraction: f64, seed: u64) -> Result<Split, Error> {
        let held_out = (test_fraction * self.len() as f64).round();
        if !(held_out >= 1.0 && held_out < self.len() as f64) {
            return Err(Error::Fraction { test_fraction, images: self.len() });
        }
        let key = step_key(seed, 0);
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|a, b| uniform(key, *a as u64).total_cmp(&uniform(key, *b as u64)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to the number of images")]
        let (test, train) = order.split_at_mut(held_out as usize);
        test.sort_unstable();
        train.sort_unstable();
        Ok(Split { train: self.rows(train)?, test: self.rows(test)? })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::{Error, Images};

    fn numbered(count: u8) -> Images {
        let pixels = Array2::from_shape_fn((usize::from(count), 2), |(row, column)| (row * 2 + column) as f32);
        Images { pixels, labels: (0..count).collect(), height: 1, width: 2 }
    }

    #[test]
    fn halves_are_disjoint_complete_and_of_the_sizes_asked_for() {
        let images = numbered(20);
        let split = images.split(0.25, 7).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (15, 5));
        let mut all: Vec<u8> = split.train.labels.iter().chain(&split.test.labels).copied().collect();
        all.sort_unstable();
        assert_eq!(all, images.labels);
        for half in [&split.train, &split.test] {
            for (row, label) in half.labels.iter().enumerate() {
                assert_eq!(half.pixels[[row, 1]], f32::from(2 * label + 1), "a label stays with its pixels");
            }
        }
    }

    #[test]
    fn a_seed_names_the_split() {
        let images = numbered(100);
        assert_eq!(images.split(0.5, 1).unwrap(), images.split(0.5, 1).unwrap());
        assert_ne!(images.split(0.5, 1).unwrap().test.labels, images.split(0.5, 2).unwrap().test.labels);
    }

    #[test]
    fn fractions_that_leave_a_half_empty_are_refused() {
        for fraction in [0.0, 1.0, -0.1, 1.5, 0.01, f64::NAN] {
            let error = numbered(10).split(fraction, 0).unwrap_err();
            assert!(matches!(error, Error::Fraction { images: 10, .. }), "{fraction}: {error}");
        }
    }

    #[test]
    fn rows_are_taken_in_the_order_asked_for() {
        let taken = numbered(5).rows(&[4, 0, 4]).unwrap();
        assert_eq!(taken.labels, [4, 0, 4]);
        assert_eq!(taken.pixels.row(1).to_vec(), [0.0, 1.0]);
        assert!(numbered(5).rows(&[]).unwrap().is_empty());
        let error = numbered(5).rows(&[1, 5]).unwrap_err().to_string();
        assert_eq!(error, "row 5 was asked for, but there are 5 images (rows are counted from 0)");
    }
}
