//! Pictures of images, of points with labels, of predictions with their uncertainty, and of curves.
//!
//! Tiles are written as PNG; what has axes as PNG or SVG, as the path ends. Nothing is asked of the system: letters come with the
//! program.

mod axis;
mod band;
mod canvas;
mod chart;
mod check;
mod color;
mod components;
mod curve;
mod error;
mod frame;
mod page;
mod png;
mod scatter;
mod text;
mod tiles;

pub use band::{band, middle};
pub use chart::Captions;
pub use components::components;
pub use curve::curve;
pub use error::Error;
pub use scatter::scatter;
pub use tiles::{beside, grid};
