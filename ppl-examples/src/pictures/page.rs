//! A page of pixels to draw on: shapes are drawn finely and averaged, so that edges are smooth; letters are laid over them at last.

use std::convert::Infallible;

use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};

use super::color;
use super::png::Pixels;
use super::text::{self, Size};

/// Fine pixels along a side of a pixel; everything handed to plotters is measured in them.
pub(super) const FINE: usize = 3;

/// Fine pixels, and the letters for later.
pub(super) struct Page {
    fine: Pixels,
    letters: Vec<Letters>,
}

struct Letters {
    text: String,
    size: Size,
    color: RGBColor,
    corner: (i32, i32),
    upward: bool,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Page {
    /// White paper, of a size in pixels.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let paper = [color::PAPER.0, color::PAPER.1, color::PAPER.2];
        Self { fine: Pixels::filled(width * FINE, height * FINE, paper), letters: Vec::new() }
    }

    /// Averages the fine pixels, and draws the letters.
    pub(super) fn into_pixels(mut self) -> Pixels {
        let (width, height) = (self.fine.width / FINE, self.fine.height / FINE);
        let mut pixels = Pixels::filled(width, height, [0; 3]);
        for y in 0..height {
            for x in 0..width {
                let mut sums = [0_usize; 3];
                for place in 0..FINE * FINE {
                    let fine = self.fine.at(x * FINE + place % FINE, y * FINE + place / FINE);
                    sums.iter_mut().zip(fine).for_each(|(sum, value)| *sum += usize::from(*value));
                }
                for (value, sum) in pixels.at(x, y).iter_mut().zip(sums) {
                    *value = u8::try_from(sum / (FINE * FINE)).unwrap_or(u8::MAX);
                }
            }
        }
        for letters in &self.letters {
            text::draw(&mut pixels, &letters.text, letters.size, letters.color, letters.corner, letters.upward);
        }
        pixels
    }

    /// Colours the fine pixels of a box that a shape contains.
    fn fill(&mut self, from: [i32; 2], to: [i32; 2], color: BackendColor, contains: impl Fn(f64, f64) -> bool) {
        for y in from[1]..=to[1] {
            for x in from[0]..=to[0] {
                if contains(f64::from(x), f64::from(y)) {
                    self.dot((x, y), color);
                }
            }
        }
    }

    fn dot(&mut self, (x, y): BackendCoord, color: BackendColor) {
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
            && x < self.fine.width
            && y < self.fine.height
        {
            let (r, g, b) = color.rgb;
            text::blend(self.fine.at(x, y), RGBColor(r, g, b), color.alpha);
        }
    }
}

impl DrawingBackend for &mut Page {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        (side(self.fine.width), side(self.fine.height))
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.dot(point, color);
        Ok(())
    }

    /// Each segment with round ends: joints are as wide as the line, however sharp.
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let radius = f64::from(style.stroke_width()) / 2.0;
        #[expect(clippy::cast_possible_truncation, reason = "a few pixels")]
        let around = radius.ceil() as i32;
        let mut last: Option<BackendCoord> = None;
        for to in path {
            let from = last.unwrap_or(to);
            let (start, way) = ([f64::from(from.0), f64::from(from.1)], [f64::from(to.0 - from.0), f64::from(to.1 - from.1)]);
            let square = (way[0] * way[0] + way[1] * way[1]).max(1.0);
            let low = [from.0.min(to.0) - around, from.1.min(to.1) - around];
            let high = [from.0.max(to.0) + around, from.1.max(to.1) + around];
            self.fill(low, high, style.color(), |x, y| {
                let t = (((x - start[0]) * way[0] + (y - start[1]) * way[1]) / square).clamp(0.0, 1.0);
                (x - start[0] - t * way[0]).hypot(y - start[1] - t * way[1]) <= radius
            });
            last = Some(to);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, _: bool) -> Drawn {
        let (around, center) = (i32::try_from(radius).unwrap_or(0), [center.0, center.1]);
        let [x0, y0] = center.map(f64::from);
        self.fill(center.map(|at| at - around), center.map(|at| at + around), style.color(), |x, y| {
            (x - x0).hypot(y - y0) <= f64::from(radius)
        });
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, pos: BackendCoord) -> Drawn {
        let fine = FINE as f64;
        let size = if style.size() > 1.3 * fine * Size::Label.em() { Size::Title } else { Size::Label };
        let side = |length: usize| i32::try_from(length).unwrap_or(0);
        let along = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => -side(text.chars().count() * size.advance() / 2),
            HPos::Right => -side(text.chars().count() * size.advance()),
        };
        let across = match style.anchor().v_pos {
            VPos::Top => 0,
            VPos::Center => -side(size.line() / 2),
            VPos::Bottom => -side(size.line()),
        };
        let upward = matches!(style.transform(), FontTransform::Rotate270);
        let (dx, dy) = if upward { (across, -along) } else { (along, across) };
        let corner = (pos.0 / side(FINE) + dx, pos.1 / side(FINE) + dy);
        let (r, g, b) = style.color().rgb;
        self.letters.push(Letters { text: text.to_owned(), size, color: RGBColor(r, g, b), corner, upward });
        Ok(())
    }
}
