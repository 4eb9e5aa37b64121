//! Small files of every kind of wrongness.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::{IMAGES, LABELS, idx};

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";

fn file(header: &[u32], body: &[u8]) -> Vec<u8> {
    header.iter().flat_map(|word| word.to_be_bytes()).chain(body.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three images of 2 by 3 to learn from, one held out.
fn folder() -> TempDir {
    let dir = TempDir::new().unwrap();
    let pixels: Vec<u8> = (0..18).map(|pixel| pixel * 15).collect();
    write(&dir, TRAIN_IMAGES, &file(&[IMAGES, 3, 2, 3], &pixels));
    write(&dir, TRAIN_LABELS, &file(&[LABELS, 3], &[7, 0, 9]));
    write(&dir, "t10k-images-idx3-ubyte", &file(&[IMAGES, 1, 2, 3], &[255; 6]));
    write(&dir, "t10k-labels-idx1-ubyte", &file(&[LABELS, 1], &[4]));
    dir
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) {
    fs::write(dir.path().join(name), bytes).unwrap();
}

/// What is said when one file of a good folder has these bytes, behind the name of that file.
fn said(name: &str, bytes: &[u8]) -> String {
    let dir = folder();
    fs::remove_file(dir.path().join(name.trim_end_matches(".gz"))).unwrap();
    write(&dir, name, bytes);
    let error = idx(dir.path()).unwrap_err().to_string();
    let rest = error.strip_prefix(&*dir.path().join(name).to_string_lossy());
    rest.unwrap_or_else(|| panic!("{error}: begins with the path of {name}")).replace(&*dir.path().to_string_lossy(), "DIR")
}

#[test]
fn plain_and_compressed_files_are_the_same() {
    let dir = folder();
    let plain = idx(dir.path()).unwrap();
    assert_eq!(plain.train.labels, [7, 0, 9]);
    assert_eq!((plain.train.height, plain.train.width, plain.train.pixels.dim()), (2, 3, (3, 6)));
    assert_eq!(plain.train.pixels[[2, 5]], 1.0, "17 x 15 is 255");
    assert_eq!(plain.train.pixels[[0, 1]], 15.0 / 255.0);
    assert_eq!((plain.test.len(), plain.test.labels[0]), (1, 4));
    for entry in fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>() {
        fs::write(entry.with_extension("gz"), gzip(&fs::read(&entry).unwrap())).unwrap();
        fs::remove_file(entry).unwrap();
    }
    assert_eq!(idx(dir.path()).unwrap(), plain);
}

#[test]
fn a_missing_folder_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("none");
    assert_eq!(idx(&path).unwrap_err().to_string(), format!("{}: there is no such folder", path.display()));
}

#[test]
fn a_missing_file_is_named_in_both_spellings() {
    let dir = folder();
    let path = dir.path().join(TRAIN_LABELS);
    fs::remove_file(&path).unwrap();
    let expected = format!("neither {0} nor {0}.gz is there", path.display());
    assert_eq!(idx(dir.path()).unwrap_err().to_string(), expected);
}

#[test]
fn truncated_files_say_how_much_is_there() {
    let images = file(&[IMAGES, 3, 2, 3], &[1; 17]);
    assert_eq!(said(TRAIN_IMAGES, &images), ": truncated: 34 bytes expected, 33 found");
    assert_eq!(said(TRAIN_IMAGES, &images[..10]), ": truncated: 16 bytes expected, 10 found");
    assert_eq!(said(TRAIN_IMAGES, &[]), ": truncated: 16 bytes expected, 0 found");
    assert_eq!(said(TRAIN_LABELS, &file(&[LABELS, 3], &[1])), ": truncated: 11 bytes expected, 9 found");
    let claims = file(&[IMAGES, u32::MAX, 1024, 1024], &[1; 5]);
    assert_eq!(said(TRAIN_IMAGES, &claims), ": truncated: 4503599626321936 bytes expected, 21 found");
}

#[test]
fn files_of_another_kind_are_told_by_their_magic_number() {
    assert_eq!(
        said(TRAIN_IMAGES, &file(&[LABELS, 3], &[1, 2, 3])),
        ": a file of images begins with the magic number 0x00000803, this one with 0x00000801"
    );
    assert_eq!(
        said(TRAIN_LABELS, b"<html>404</html>"),
        ": a file of labels begins with the magic number 0x00000801, this one with 0x3c68746d"
    );
}

#[test]
fn dimensions_that_no_image_has_are_refused() {
    for (sizes, said_of_them) in [
        ([0, 2, 3], "0 images of 2 x 3 pixels"),
        ([3, 0, 3], "3 images of 0 x 3 pixels"),
        ([3, 2, 5000], "3 images of 2 x 5000 pixels"),
    ] {
        let error = said(TRAIN_IMAGES, &file(&[IMAGES, sizes[0], sizes[1], sizes[2]], &[0; 18]));
        assert_eq!(error, format!(": the header tells of {said_of_them}; sides of 1 to 1024 and at least one image are read"));
    }
    let dir = folder();
    write(&dir, TRAIN_IMAGES, &file(&[IMAGES, 3, 3, 2], &[0; 18]));
    let error = idx(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with(": images of 3 x 2 pixels, but those held out are of 2 x 3"), "{error}");
}

#[test]
fn every_image_has_a_label() {
    let error = said(TRAIN_IMAGES, &file(&[IMAGES, 2, 2, 3], &[0; 12]));
    assert_eq!(error, format!(" has 2 images, but DIR/{TRAIN_LABELS} has 3 labels"));
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let error = said(TRAIN_LABELS, &file(&[LABELS, 3], &[1, 2, 3, 4, 5]));
    assert_eq!(error, ": 11 bytes expected, 13 found: something stands behind the end");
    let gz = format!("{TRAIN_LABELS}.gz");
    let error = said(&gz, &gzip(&file(&[LABELS, 3], &[1, 2, 3, 4])));
    assert_eq!(error, ": 11 bytes expected, 12 found: something stands behind the end");
}

#[test]
fn labels_above_nine_are_refused_by_row() {
    assert_eq!(said(TRAIN_LABELS, &file(&[LABELS, 3], &[9, 10, 0])), ", row 1: label 10, but classes are 0 to 9");
}

#[test]
fn corrupt_compression_is_told_apart_from_wrong_contents() {
    let name = format!("{TRAIN_IMAGES}.gz");
    let good = gzip(&file(&[IMAGES, 3, 2, 3], &(0..18).collect::<Vec<u8>>()));
    let mut checksum = good.clone();
    let place = checksum.len() - 6;
    checksum[place] ^= 1;
    let mut garbage = good.clone();
    garbage.extend(b"garbage");
    for bytes in [&good[..good.len() - 9], &good[..5], &checksum, &garbage, b"not compressed at all"] {
        let error = said(&name, bytes);
        assert!(error.starts_with(": the gzip data are corrupt or cut off ("), "{error}");
    }
}

#[test]
fn mnist_is_what_it_is_said_to_be() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist");
    if !dir.is_dir() {
        println!("skipped: {} is not there", dir.display());
        return;
    }
    let mnist = idx(dir).unwrap();
    assert_eq!((mnist.train.len(), mnist.test.len(), mnist.train.height, mnist.train.width), (60_000, 10_000, 28, 28));
    assert_eq!(mnist.train.labels[..5], [5, 0, 4, 1, 9]);
    // The mean and standard deviation of the training pixels that are published everywhere: 0.1307 and 0.3081.
    let count = mnist.train.pixels.len() as f64;
    let mean = mnist.train.pixels.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    let square = mnist.train.pixels.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / count;
    assert!((mean - 0.1307).abs() < 1e-4 && ((square - mean * mean).sqrt() - 0.3081).abs() < 1e-4, "{mean}");
}
