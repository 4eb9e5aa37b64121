//! The room of a chart: captions, axes and legend around, layers within; lengths are in pixels.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{Canvas, Drawn};
use super::chart::{Chart, Layer, Mark};
use super::color::{GRID, INK};
use super::text::{Size, lines};

/// Around everything.
const MARGIN: f64 = 14.0;
/// Between things that belong together.
const GAP: f64 = 8.0;
/// What a line of the legend begins with.
const SWATCH: f64 = 34.0;
/// Letters of a line of the legend.
const NAME: usize = 20;

/// All text of a chart in lines, its axes, and the box of its layers.
struct Frame {
    title: Vec<String>,
    caption_x: Vec<String>,
    caption_y: Vec<String>,
    names: Vec<Vec<String>>,
    x: Axis,
    y: Axis,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Draws all of a chart.
pub(super) fn draw<B: DrawingBackend>(chart: &Chart<'_>, area: &DrawingArea<B, Shift>) -> Drawn<B> {
    let (frame, canvas) = (Frame::of(chart), Canvas::new(area)?);
    frame.axes(&canvas)?;
    for layer in &chart.layers {
        frame.layer(&canvas, layer)?;
    }
    frame.border(&canvas)?;
    frame.captions(&canvas, chart)?;
    frame.legend(&canvas, chart)
}

impl Frame {
    /// Text takes what it needs, layers the rest.
    fn of(chart: &Chart<'_>) -> Self {
        let (width, height) = (chart.width as f64, chart.height as f64);
        let (letter, line) = (Size::Label.advance() as f64, Size::Label.line() as f64);
        let captions = &chart.captions;
        let title = lines(captions.title, chart.width * 9 / 10 / Size::Title.advance());
        let caption_x = lines(captions.x, chart.width * 7 / 10 / Size::Label.advance());
        let caption_y = lines(captions.y, chart.height * 7 / 10 / Size::Label.advance());
        let names: Vec<_> = chart.legend.iter().map(|entry| lines(&entry.name, NAME)).collect();
        let longest = names.iter().flatten().map(|line| line.chars().count()).max();
        let block = |lines: &[String], line: f64| if lines.is_empty() { 0.0 } else { lines.len() as f64 * line + GAP };
        let values = |side: usize| chart.layers.iter().flat_map(Layer::points).map(move |point| point[side]);

        let y = Axis::over(values(1), usize::MAX);
        let left = MARGIN + block(&caption_y, line) + y.widest() as f64 * letter + GAP;
        // Without a legend, the last label of the horizontal axis may reach over its end.
        let right = width - MARGIN - longest.map_or(3.0 * letter, |longest| 2.0 * GAP + SWATCH + longest as f64 * letter);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "letters on a page")]
        let x = Axis::over(values(0), ((right - left) / letter) as usize);
        let top = MARGIN + block(&title, Size::Title.line() as f64);
        let bottom = height - MARGIN - block(&caption_x, line) - line - GAP;
        Self { title, caption_x, caption_y, names, x, y, left, right, top, bottom }
    }

    /// Where a point lies on the page.
    fn place(&self, point: [f64; 2]) -> [f64; 2] {
        let (x, y) = (self.x.place(point[0]), self.y.place(point[1]));
        [self.left + x * (self.right - self.left), self.bottom - y * (self.bottom - self.top)]
    }

    /// Lines of the grid and their labels.
    fn axes<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Drawn<B> {
        for (value, label) in &self.x.ticks {
            let [x, _] = self.place([*value, self.y.low]);
            canvas.line([[x, self.top], [x, self.bottom]], GRID, 1.0)?;
            canvas.text(label, Size::Label, [x, self.bottom + GAP], (HPos::Center, VPos::Top), FontTransform::None)?;
        }
        for (value, label) in &self.y.ticks {
            let [_, y] = self.place([self.x.low, *value]);
            canvas.line([[self.left, y], [self.right, y]], GRID, 1.0)?;
            canvas.text(label, Size::Label, [self.left - GAP, y], (HPos::Right, VPos::Center), FontTransform::None)?;
        }
        Ok(())
    }

    fn layer<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>, layer: &Layer) -> Drawn<B> {
        match layer {
            Layer::Area(points, color) => canvas.polygon(points.iter().map(|point| self.place(*point)), *color),
            Layer::Line(points, color) => canvas.line(points.iter().map(|point| self.place(*point)), *color, 2.0),
            Layer::Dots(points, radius) => {
                points.iter().try_for_each(|(point, color)| canvas.dot(self.place(*point), *radius, *color))
            }
        }
    }

    fn border<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Drawn<B> {
        let (left, right, top, bottom) = (self.left, self.right, self.top, self.bottom);
        canvas.line([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], INK, 1.0)
    }

    fn captions<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>, chart: &Chart<'_>) -> Drawn<B> {
        let (across, down) = (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom));
        let line = Size::Label.line() as f64;
        for (index, text) in (0..).map(f64::from).zip(&self.title) {
            let at = [chart.width as f64 / 2.0, MARGIN + index * Size::Title.line() as f64];
            canvas.text(text, Size::Title, at, (HPos::Center, VPos::Top), FontTransform::None)?;
        }
        for (index, text) in (0..).map(f64::from).zip(self.caption_x.iter().rev()) {
            let at = [across, chart.height as f64 - MARGIN - (index + 1.0) * line];
            canvas.text(text, Size::Label, at, (HPos::Center, VPos::Top), FontTransform::None)?;
        }
        for (index, text) in (0..).map(f64::from).zip(&self.caption_y) {
            let at = [MARGIN + index * line, down];
            canvas.text(text, Size::Label, at, (HPos::Center, VPos::Top), FontTransform::Rotate270)?;
        }
        Ok(())
    }

    /// Names to the right of the box.
    fn legend<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>, chart: &Chart<'_>) -> Drawn<B> {
        let line = Size::Label.line() as f64;
        let (left, mut top) = (self.right + 2.0 * GAP, self.top);
        for (entry, name) in chart.legend.iter().zip(&self.names) {
            let (end, middle) = (left + SWATCH - GAP, top + line / 2.0);
            match entry.mark {
                Mark::Area => {
                    let (above, below) = (middle - 6.0, middle + 6.0);
                    canvas.polygon([[left, above], [end, above], [end, below], [left, below]], entry.color)?;
                }
                Mark::Line => canvas.line([[left, middle], [end, middle]], entry.color, 2.0)?,
                Mark::Dot => canvas.dot([f64::midpoint(left, end), middle], 5.0, entry.color)?,
            }
            for text in name {
                let at = [left + SWATCH, top + line / 2.0];
                canvas.text(text, Size::Label, at, (HPos::Left, VPos::Center), FontTransform::None)?;
                top += line;
            }
            top += GAP / 2.0;
        }
        Ok(())
    }
}
