//! Letters: their sizes, where lines break, and their pixels (Noto Sans Mono, rastered beforehand).

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use plotters::style::RGBColor;

use super::png::Pixels;

/// Titles are larger than all else.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Size {
    Label,
    Title,
}

impl Size {
    fn raster(self) -> RasterHeight {
        match self {
            Self::Label => RasterHeight::Size20,
            Self::Title => RasterHeight::Size24,
        }
    }

    /// Pixels from letter to letter.
    pub(super) fn advance(self) -> usize {
        get_raster_width(FontWeight::Regular, self.raster())
    }

    /// Pixels from line to line.
    pub(super) fn line(self) -> usize {
        self.raster().val()
    }

    /// Pixels a letter is high, as typographers count.
    pub(super) fn em(self) -> f64 {
        0.73 * self.line() as f64
    }
}

/// Breaks a text into lines of at most so many letters: between words, or within one that is longer.
pub(super) fn lines(text: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.len() <= letters => {
                line.push(' ');
                line.extend(word);
            }
            _ => {
                while word.len() > letters {
                    lines.push(word.drain(..letters.max(1)).collect());
                }
                lines.push(word.into_iter().collect());
            }
        }
    }
    lines
}

/// Draws a line of text from its upper left corner on; upward, it is turned to the left by a right angle around its lower left corner.
pub(super) fn draw(pixels: &mut Pixels, text: &str, size: Size, color: RGBColor, corner: (i32, i32), upward: bool) {
    for (index, letter) in (0..).zip(text.chars()) {
        let known = get_raster(letter, FontWeight::Regular, size.raster());
        let Some(glyph) = known.or_else(|| get_raster('?', FontWeight::Regular, size.raster())) else { continue };
        let advance = i64::try_from(glyph.width()).unwrap_or(0);
        for (row, line) in (0..).zip(glyph.rows()) {
            for (column, cover) in (0..).zip(line) {
                let along = index * advance + column;
                let (x, y) = if upward { (row, -along) } else { (along, row) };
                let place = (usize::try_from(i64::from(corner.0) + x), usize::try_from(i64::from(corner.1) + y));
                if let (Ok(x), Ok(y)) = place
                    && x < pixels.width
                    && y < pixels.height
                {
                    blend(pixels.at(x, y), color, f64::from(*cover) / 255.0);
                }
            }
        }
    }
}

/// Lays a colour over a pixel.
pub(super) fn blend(pixel: &mut [u8], color: RGBColor, cover: f64) {
    for (below, above) in pixel.iter_mut().zip([color.0, color.1, color.2]) {
        let mixed = f64::from(*below) * (1.0 - cover) + f64::from(above) * cover;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
        let mixed = mixed.round() as u8;
        *below = mixed;
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_break_between_words_and_within_long_ones() {
        assert_eq!(lines("one two three", 7), ["one two", "three"]);
        assert_eq!(lines("a considerable word", 8), ["a", "consider", "able", "word"]);
        assert_eq!(lines("  ", 8), Vec::<String>::new());
    }
}
