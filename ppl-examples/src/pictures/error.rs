//! Why a picture was not written.

use std::io;
use std::path::PathBuf;

/// What keeps a picture from being written; rows are counted from 0, and every sentence begins with the path of the picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path ends in none of the formats.
    #[error("{}: the name of this picture has to end in {expected}", path.display())]
    Ending {
        /// The picture.
        path: PathBuf,
        /// The endings there are.
        expected: &'static str,
    },
    /// The file could not be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The picture.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is nothing to draw.
    #[error("{}: there are no {what}", path.display())]
    Empty {
        /// The picture.
        path: PathBuf,
        /// What there are none of.
        what: String,
    },
    /// Lengths or sizes that do not belong together.
    #[error("{}: {what}: {expected} expected, got {found}", path.display())]
    Shape {
        /// The picture.
        path: PathBuf,
        /// What was counted.
        what: String,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// NaN, an infinity, or a number too large to be drawn.
    #[error("{}: {what}, row {row}: {value} cannot be drawn; values have to be finite and at most 1e100", path.display())]
    Value {
        /// The picture.
        path: PathBuf,
        /// Which of the arguments.
        what: String,
        /// The row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A label is none of the ten classes.
    #[error("{}: labels, row {row}: {label}, but classes are 0 to 9", path.display())]
    Label {
        /// The picture.
        path: PathBuf,
        /// The row.
        row: usize,
        /// The label.
        label: u8,
    },
    /// A line does not go on to the right.
    #[error("{}: x, row {row}: {value} does not lie to the right of row {}; sort the rows by x", path.display(), row - 1)]
    Order {
        /// The picture.
        path: PathBuf,
        /// The row.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// A band is upside down.
    #[error("{}: row {row}: the lower bound {lower} lies above the upper bound {upper}", path.display())]
    Bounds {
        /// The picture.
        path: PathBuf,
        /// The row.
        row: usize,
        /// The lower bound.
        lower: f64,
        /// The upper bound.
        upper: f64,
    },
    /// The drawing failed.
    #[error("{}: {reason}", path.display())]
    Draw {
        /// The picture.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
