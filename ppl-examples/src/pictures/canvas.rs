//! Shapes and letters in pixels and their fractions, on any backend of plotters.

use plotters::coord::Shift;
use plotters::prelude::{Circle, Color, DrawingArea, DrawingAreaErrorKind, DrawingBackend, PathElement, Polygon, RGBColor};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont, IntoTextStyle};

use super::color::{INK, PAPER};
use super::page::FINE;
use super::text::Size;

/// What drawing on a backend returns.
pub(super) type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Plotters divides sizes of letters by this before it writes them into an SVG file.
const LEADING: f64 = 1.24;

/// An area measured in pixels, `[x, y]` from its upper left corner.
pub(super) struct Canvas<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
}

impl<'a, B: DrawingBackend> Canvas<'a, B> {
    /// White paper.
    pub(super) fn new(area: &'a DrawingArea<B, Shift>) -> Result<Self, DrawingAreaErrorKind<B::ErrorType>> {
        area.fill(&PAPER)?;
        Ok(Self { area })
    }

    /// A line through points.
    pub(super) fn line(&self, points: impl IntoIterator<Item = [f64; 2]>, color: RGBColor, width: f64) -> Drawn<B> {
        let points: Vec<_> = points.into_iter().map(fine).collect();
        self.area.draw(&PathElement::new(points, color.stroke_width(length(width).unsigned_abs())))
    }

    /// A filled polygon.
    pub(super) fn polygon(&self, corners: impl IntoIterator<Item = [f64; 2]>, color: RGBColor) -> Drawn<B> {
        self.area.draw(&Polygon::new(corners.into_iter().map(fine).collect::<Vec<_>>(), color.filled()))
    }

    /// A filled circle, of which a little shows what lies below.
    pub(super) fn dot(&self, center: [f64; 2], radius: f64, color: RGBColor) -> Drawn<B> {
        self.area.draw(&Circle::new(fine(center), length(radius), color.mix(0.8).filled()))
    }

    /// A line of text; where it is anchored is told as if it were not turned.
    pub(super) fn text(&self, text: &str, size: Size, at: [f64; 2], anchor: (HPos, VPos), turn: FontTransform) -> Drawn<B> {
        let font = ("monospace", size.em() * FINE as f64 * LEADING).into_font().transform(turn).color(&INK);
        let style = font.pos(Pos::new(anchor.0, anchor.1)).into_text_style(self.area);
        self.area.draw_text(text, &style, fine(at))
    }
}

fn fine(point: [f64; 2]) -> (i32, i32) {
    (length(point[0]), length(point[1]))
}

fn length(pixels: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "lengths on a page")]
    let fine = (pixels * FINE as f64).round() as i32;
    fine
}
