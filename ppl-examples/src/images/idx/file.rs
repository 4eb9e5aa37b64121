//! One file, plain or compressed: its header, and all that has to follow.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::images::Error;

/// An open file that is read from its beginning to its end.
pub(super) struct Source {
    /// Its name, for errors.
    pub(super) path: PathBuf,
    bytes: Box<dyn Read>,
    /// Bytes read so far.
    read: u64,
    compressed: bool,
}

impl Source {
    /// Opens a file under its name, or under its name with `.gz`.
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self, Error> {
        let (plain, gz) = (dir.join(name), dir.join(format!("{name}.gz")));
        let (path, compressed) = match (plain.exists(), gz.exists()) {
            (true, _) => (plain, false),
            (false, true) => (gz, true),
            (false, false) => return Err(Error::NoFile { plain, compressed: gz }),
        };
        match File::open(&path) {
            Ok(file) if compressed => {
                Ok(Self { path, bytes: Box::new(MultiGzDecoder::new(BufReader::new(file))), read: 0, compressed })
            }
            Ok(file) => Ok(Self { path, bytes: Box::new(BufReader::new(file)), read: 0, compressed }),
            Err(source) => Err(Error::Unreadable { path, source }),
        }
    }

    /// The magic number, checked, and the sizes behind it: all big-endian.
    pub(super) fn header<const SIZES: usize>(&mut self, expected: u32, kind: &'static str) -> Result<[u32; SIZES], Error> {
        let length = 4 + 4 * SIZES as u64;
        let bytes = self.take(length)?;
        let mut words = bytes.chunks_exact(4).map(|word| word.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)));
        if let Some(found) = words.next().filter(|found| *found != expected) {
            return Err(Error::Magic { path: self.path.clone(), kind, expected, found });
        }
        if self.read < length {
            return Err(Error::Truncated { path: self.path.clone(), expected: length, found: self.read });
        }
        let mut sizes = [0; SIZES];
        sizes.iter_mut().zip(words).for_each(|(size, word)| *size = word);
        Ok(sizes)
    }

    /// Everything behind the header, which has to be of this length.
    pub(super) fn rest(&mut self, length: u64) -> Result<Vec<u8>, Error> {
        let expected = self.read + length;
        let bytes = self.take(length)?;
        // Reading to the end also compares the checksum.
        let further = io::copy(&mut self.bytes, &mut io::sink()).map_err(|source| self.unreadable(source))?;
        let (path, found) = (self.path.clone(), self.read + further);
        match found.cmp(&expected) {
            std::cmp::Ordering::Less => Err(Error::Truncated { path, expected, found }),
            std::cmp::Ordering::Greater => Err(Error::Trailing { path, expected, found }),
            std::cmp::Ordering::Equal => Ok(bytes),
        }
    }

    /// At most so many of the next bytes; memory grows with what is there, not with what a header claims.
    fn take(&mut self, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let result = self.bytes.by_ref().take(length).read_to_end(&mut bytes);
        self.read += result.map_err(|source| self.unreadable(source))? as u64;
        Ok(bytes)
    }

    fn unreadable(&self, source: io::Error) -> Error {
        let path = self.path.clone();
        if self.compressed { Error::Gzip { path, source } } else { Error::Unreadable { path, source } }
    }
}
