//! The digits that ship with the project.

use std::fs::File;
use std::path::Path;

use csv::ReaderBuilder;
use flate2::read::MultiGzDecoder;
use ndarray::Array2;

use super::{Error, Images};

const SIDE: usize = 8;
const INK: u8 = 16;

/// 1797 handwritten digits of 8 by 8 pixels, by 13 writers: the test half of "Optical Recognition of Handwritten Digits".
///
/// # Errors
/// Where the folder of the crate's sources is gone, or its file was changed.
///
/// # Source
/// E. Alpaydin & C. Kaynak 1998, UCI Machine Learning Repository, CC BY 4.0.
pub fn digits() -> Result<Images, Error> {
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.csv.gz")))
}

/// Images from a compressed table: 64 pixels of 0 to 16 and the label in each row.
fn read(path: &Path) -> Result<Images, Error> {
    let file = File::open(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let mut table = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(MultiGzDecoder::new(file));
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (row, cells) in table.deserialize::<Vec<u8>>().enumerate() {
        let cells = cells.map_err(|error| from_csv(path, row, error))?;
        let wrong = |reason| Error::Table { path: path.to_owned(), row, reason };
        let [image @ .., label] = cells.as_slice() else { return Err(wrong("no cells".to_owned())) };
        if image.len() != SIDE * SIDE {
            return Err(wrong(format!("{} cells, but 64 pixels and a label are 65", cells.len())));
        }
        if let Some(pixel) = image.iter().find(|pixel| **pixel > INK) {
            return Err(wrong(format!("a pixel of {pixel}, but ink is {INK}")));
        }
        if *label > 9 {
            return Err(Error::Label { path: path.to_owned(), row, label: *label });
        }
        pixels.extend(image.iter().map(|pixel| f32::from(*pixel) / f32::from(INK)));
        labels.push(*label);
    }
    let pixels = Array2::from_shape_vec((labels.len(), SIDE * SIDE), pixels).map_err(|error| Error::Table {
        path: path.to_owned(),
        row: labels.len(),
        reason: error.to_string(),
    })?;
    Ok(Images { pixels, labels, height: SIDE, width: SIDE })
}

/// An error of the file is one of its compression, any other one of a cell.
fn from_csv(path: &Path, row: usize, error: csv::Error) -> Error {
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::Gzip { path: path.to_owned(), source },
        _ => Error::Table { path: path.to_owned(), row, reason },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::{digits, read};

    #[test]
    fn the_file_that_ships_is_the_published_one() {
        let images = digits().unwrap();
        assert_eq!((images.len(), images.pixels.dim(), images.height, images.width), (1797, (1797, 64), 8, 8));
        // The numbers of each digit in the test half, from the repository's description of the data.
        let mut counts = [0; 10];
        images.labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert!(images.pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        assert_eq!(images.pixels.iter().copied().fold(0.0, f32::max), 1.0);
        // The second row of the first image: 0 0 13 15 10 15 5 0.
        assert_eq!(
            images.pixels.row(0).to_vec()[8..16].iter().map(|x| x * 16.0).collect::<Vec<_>>(),
            [0.0, 0.0, 13.0, 15.0, 10.0, 15.0, 5.0, 0.0]
        );
    }

    #[test]
    fn rows_that_are_not_pixels_and_a_label_are_named() {
        let good = format!("{}3\n", "0,".repeat(64));
        for (second, said) in [
            ("1,2,3\n".to_owned(), "row 1: 3 cells, but 64 pixels and a label are 65"),
            (format!("17,{}3\n", "0,".repeat(63)), "row 1: a pixel of 17, but ink is 16"),
            (format!("{}10\n", "0,".repeat(64)), "row 1: label 10, but classes are 0 to 9"),
            (format!("x,{}3\n", "0,".repeat(63)), "row 1: CSV deserialize error"),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut encoder = GzEncoder::new(file.as_file(), Compression::fast());
            encoder.write_all(format!("{good}{second}").as_bytes()).unwrap();
            encoder.finish().unwrap();
            let error = read(file.path()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(error.contains(&*file.path().to_string_lossy()), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_compressed_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0,0,0,plain text that goes on\n").unwrap();
        let error = read(file.path()).unwrap_err().to_string();
        assert!(error.contains("gzip"), "{error}");
    }
}
