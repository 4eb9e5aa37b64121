//! The colours of the pictures.

use plotters::style::RGBColor;

pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(super) const INK: RGBColor = RGBColor(38, 38, 38);
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);
pub(super) const DATA: RGBColor = RGBColor(60, 60, 60);
pub(super) const BAND: RGBColor = RGBColor(189, 215, 238);

/// Ten colours that are told apart: those of Tableau 10, in its order.
pub(super) const CLASSES: [RGBColor; 10] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(214, 39, 40),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
    RGBColor(127, 127, 127),
    RGBColor(188, 189, 34),
    RGBColor(23, 190, 207),
];
