//! A chart as data, layer over layer, and its file in either format.

use std::path::Path;

use plotters::prelude::{IntoDrawingArea, SVGBackend};
use plotters::style::RGBColor;

use super::Error;
use super::frame::draw;
use super::page::{FINE, Page};
use super::png::ends_in;

/// What is written around a chart; a text alone is its title, and what is empty takes no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captions<'a> {
    /// Above the chart.
    pub title: &'a str,
    /// Below the horizontal axis.
    pub x: &'a str,
    /// Beside the vertical axis.
    pub y: &'a str,
}

impl<'a> From<&'a str> for Captions<'a> {
    fn from(title: &'a str) -> Self {
        Self { title, ..Self::default() }
    }
}

/// What is drawn over a pair of axes.
pub(super) enum Layer {
    /// A polygon, filled.
    Area(Vec<[f64; 2]>, RGBColor),
    /// Points that are joined.
    Line(Vec<[f64; 2]>, RGBColor),
    /// Points, each of its own colour, with a radius in pixels.
    Dots(Vec<([f64; 2], RGBColor)>, f64),
}

impl Layer {
    /// All points, for the ranges of the axes.
    pub(super) fn points(&self) -> Box<dyn Iterator<Item = [f64; 2]> + '_> {
        match self {
            Self::Area(points, _) | Self::Line(points, _) => Box::new(points.iter().copied()),
            Self::Dots(points, _) => Box::new(points.iter().map(|(point, _)| *point)),
        }
    }
}

/// How a line of the legend shows its colour.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Area,
    Line,
    Dot,
}

/// A line of the legend.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) mark: Mark,
    pub(super) color: RGBColor,
}

/// A chart of one size; later layers lie above earlier ones.
pub(super) struct Chart<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) captions: Captions<'a>,
    pub(super) layers: Vec<Layer>,
    pub(super) legend: Vec<Entry>,
}

impl Chart<'_> {
    /// Writes a PNG or an SVG file, as the path ends.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        if ends_in(path, "png") {
            let mut page = Page::new(self.width, self.height);
            draw(self, &(&mut page).into_drawing_area()).map_err(|error| failed(path, &error))?;
            page.into_pixels().save(path)
        } else if ends_in(path, "svg") {
            let written = self.svg().map_err(|error| failed(path, &error))?;
            std::fs::write(path, written).map_err(|source| Error::Write { path: path.to_owned(), source })
        } else {
            Err(Error::Ending { path: path.to_owned(), expected: ".png or .svg" })
        }
    }

    /// Drawn in fine pixels, shown in whole ones.
    fn svg(&self) -> Result<String, impl ToString> {
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let fine = (side(self.width * FINE), side(self.height * FINE));
        let mut written = String::new();
        let result = draw(self, &SVGBackend::with_string(&mut written, fine).into_drawing_area());
        let sides = |(width, height): (u32, u32)| format!("width=\"{width}\" height=\"{height}\"");
        result.map(|()| written.replacen(&sides(fine), &sides((side(self.width), side(self.height))), 1))
    }
}

fn failed(path: &Path, error: &impl ToString) -> Error {
    Error::Draw { path: path.to_owned(), reason: error.to_string() }
}
