//! Why images could not be had.

use std::io;
use std::path::PathBuf;

/// What is wrong with files of images, or with what was asked of them; rows are counted from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such folder.
    #[error("{}: there is no such folder", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file is there neither plain nor compressed.
    #[error("neither {} nor {} is there", plain.display(), compressed.display())]
    NoFile {
        /// The name of the plain file.
        plain: PathBuf,
        /// The name of the compressed file.
        compressed: PathBuf,
    },
    /// The operating system does not give the file.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no gzip file, was cut off, or has other contents than its checksum says.
    #[error("{}: the gzip data are corrupt or cut off ({source}); fetch the file again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decompressor says.
        source: io::Error,
    },
    /// The file begins otherwise than a file of this kind.
    #[error("{}: a file of {kind} begins with the magic number {expected:#010x}, this one with {found:#010x}", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// What is looked for: images or labels.
        kind: &'static str,
        /// The magic number of that kind.
        expected: u32,
        /// The first four bytes.
        found: u32,
    },
    /// The file ends early.
    #[error("{}: truncated: {expected} bytes expected, {found} found", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that header and images or labels take.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The file goes on behind its last image or label.
    #[error("{}: {expected} bytes expected, {found} found: something stands behind the end", path.display())]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes that header and images or labels take.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The header tells of no images, or of images of no or of absurd size.
    #[error("{}: the header tells of {count} images of {height} x {width} pixels; sides of 1 to {limit} and at least one image are read", path.display())]
    Dimensions {
        /// The file.
        path: PathBuf,
        /// Images by the header.
        count: u32,
        /// Height by the header.
        height: u32,
        /// Width by the header.
        width: u32,
        /// The largest side.
        limit: u32,
    },
    /// Images to learn from and images held out are of different sizes.
    #[error("{}: images of {} x {} pixels, but those held out are of {} x {}", path.display(), train.0, train.1, test.0, test.1)]
    Sizes {
        /// The folder.
        path: PathBuf,
        /// Height and width of what is learned from.
        train: (usize, usize),
        /// Height and width of what is held out.
        test: (usize, usize),
    },
    /// Not every image has its label.
    #[error("{} has {images} images, but {} has {labels} labels", path.display(), labels_path.display())]
    Count {
        /// The file of images.
        path: PathBuf,
        /// Images in it.
        images: usize,
        /// The file of labels.
        labels_path: PathBuf,
        /// Labels in it.
        labels: usize,
    },
    /// A label is none of the ten classes.
    #[error("{}, row {row}: label {label}, but classes are 0 to 9", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The row.
        row: usize,
        /// The label.
        label: u8,
    },
    /// A row of a table is not pixels and a label.
    #[error("{}, row {row}: {reason}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The row.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// An image was asked for that there is not.
    #[error("row {row} was asked for, but there are {images} images (rows are counted from 0)")]
    Row {
        /// The row.
        row: usize,
        /// How many images there are.
        images: usize,
    },
    /// A part to hold out that is no part, or everything.
    #[error("a fraction of {test_fraction} of {images} images leaves one half empty; take one between 0 and 1")]
    Fraction {
        /// The fraction.
        test_fraction: f64,
        /// How many images there are.
        images: usize,
    },
    /// A pixel is no probability.
    #[error("row {row}, pixel {pixel}: {value} is no probability; scale pixels to [0, 1]")]
    Probability {
        /// The row.
        row: usize,
        /// The pixel in it.
        pixel: usize,
        /// Its value.
        value: f32,
    },
}
