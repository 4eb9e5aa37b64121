//! Pixels into a PNG file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use png::{BitDepth, ColorType, Encoder, EncodingError};

use super::Error;

/// Rows of pixels from the top, red, green and blue.
pub(super) struct Pixels {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
}

impl Pixels {
    /// Pixels of one colour.
    pub(super) fn filled(width: usize, height: usize, color: [u8; 3]) -> Self {
        Self { width, height, rgb: color.repeat(width * height) }
    }

    /// The three numbers of a pixel.
    pub(super) fn at(&mut self, x: usize, y: usize) -> &mut [u8] {
        let place = 3 * (y * self.width + x);
        &mut self.rgb[place..place + 3]
    }

    /// Writes the file, over one that is there.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        self.write(path).map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let side = |length: usize| u32::try_from(length).map_err(|_| io::Error::other("the picture is too large for a PNG file"));
        let (width, height) = (side(self.width)?, side(self.height)?);
        let mut file = BufWriter::new(File::create(path)?);
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(into_io)?;
        writer.write_image_data(&self.rgb).map_err(into_io)?;
        writer.finish().map_err(into_io)?;
        file.flush()
    }
}

fn into_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// Whether the path ends so, in small or capital letters.
pub(super) fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Size and pixels of a file, for tests.
#[cfg(test)]
pub(super) fn read(path: &Path) -> Pixels {
    let mut reader = png::Decoder::new(io::BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut rgb).unwrap();
    assert_eq!((frame.color_type, frame.bit_depth), (ColorType::Rgb, BitDepth::Eight));
    Pixels { width: frame.width as usize, height: frame.height as usize, rgb }
}
