//! MNIST, Fashion-MNIST and others in the same files.

mod file;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::{Error, Images, Split};
use file::Source;

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;
const LARGEST_SIDE: u32 = 1024;

/// Reads the four files of MNIST, Fashion-MNIST or others of ten classes from a folder: `train-images-idx3-ubyte`,
/// `train-labels-idx1-ubyte` and the two that begin with `t10k`, each plain or compressed with the further ending `.gz`. Where both
/// are there, the plain one is read.
///
/// Pixels are scaled from 0 to 255 to 0 to 1.
///
/// # Errors
/// Names the file that is missing, cut off, too long, of another kind, or does not belong to its labels.
///
/// # Source
/// Y. `LeCun`, C. Cortes & C. Burges, "The MNIST database of handwritten digits", section on file formats.
///
/// # Examples
/// ```no_run
/// let mnist = ppl_examples::images::idx("data/mnist")?;
/// assert_eq!(mnist.train.len(), 60_000);
/// # Ok::<(), ppl_examples::images::Error>(())
/// ```
pub fn idx(dir: impl AsRef<Path>) -> Result<Split, Error> {
    let dir = dir.as_ref();
    if !dir.is_dir() {
        return Err(Error::NoFolder { path: dir.to_owned() });
    }
    let test = labelled(dir, "t10k")?;
    let train = labelled(dir, "train")?;
    if (train.height, train.width) != (test.height, test.width) {
        return Err(Error::Sizes { path: dir.to_owned(), train: (train.height, train.width), test: (test.height, test.width) });
    }
    Ok(Split { train, test })
}

/// One half: images and their labels.
fn labelled(dir: &Path, half: &str) -> Result<Images, Error> {
    let (labels_path, labels) = labels(dir, &format!("{half}-labels-idx1-ubyte"))?;
    let (path, pixels, height, width) = images(dir, &format!("{half}-images-idx3-ubyte"))?;
    if pixels.nrows() != labels.len() {
        return Err(Error::Count { path, images: pixels.nrows(), labels_path, labels: labels.len() });
    }
    Ok(Images { pixels, labels, height, width })
}

fn images(dir: &Path, name: &str) -> Result<(PathBuf, Array2<f32>, usize, usize), Error> {
    let mut source = Source::open(dir, name)?;
    let [count, height, width] = source.header(IMAGES, "images")?;
    let side = 1..=LARGEST_SIDE;
    if count == 0 || !side.contains(&height) || !side.contains(&width) {
        return Err(Error::Dimensions { path: source.path, count, height, width, limit: LARGEST_SIDE });
    }
    let area = u64::from(height) * u64::from(width);
    let bytes = source.rest(u64::from(count) * area)?;
    let pixels: Vec<f32> = bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect();
    let (height, width) = (height as usize, width as usize);
    let shape = (count as usize, height * width);
    let found = pixels.len() as u64;
    match Array2::from_shape_vec(shape, pixels) {
        Ok(pixels) => Ok((source.path, pixels, height, width)),
        Err(_) => Err(Error::Truncated { path: source.path, expected: u64::from(count) * area, found }),
    }
}

fn labels(dir: &Path, name: &str) -> Result<(PathBuf, Vec<u8>), Error> {
    let mut source = Source::open(dir, name)?;
    let [count] = source.header(LABELS, "labels")?;
    let labels = source.rest(u64::from(count))?;
    match labels.iter().position(|label| *label > 9) {
        Some(row) => Err(Error::Label { path: source.path, row, label: labels[row] }),
        None => Ok((source.path, labels)),
    }
}
