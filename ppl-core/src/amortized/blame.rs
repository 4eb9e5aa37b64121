//! What is not finite first, of a row whose bound is not.

use super::BadQuantity;
use super::divergence::ClosedForm;
use super::engine::Engine;
use super::tiles::Tile;
use crate::kernel::Real;
use crate::model::{Layout, Workspace};

impl<E: Real> Engine<'_, E> {
    /// What is not finite first in a lane of a tile, in the order of evaluation.
    pub(super) fn blame(&self, lane: usize, closed: Option<&ClosedForm>, inputs: &[Vec<E>], tile: &mut Tile<E>) -> BadQuantity {
        let (lanes, row) = (tile.shape.lanes, tile.first + lane % tile.shape.batch);
        for (input, data) in self.data.iter().zip(inputs).filter(|(input, _)| !input.shared) {
            let own = &data[row * input.columns..(row + 1) * input.columns];
            if let Some(at) = own.iter().position(|x| !x.to_f64().is_finite()) {
                return BadQuantity { name: format!("{}[{at}]", input.name), value: own[at].to_f64() };
            }
        }
        let of_guide = bad_variable(self.guide.layout(), &tile.guide.work, lane, true);
        if let Some(bad) = of_guide.or_else(|| bad_variable(self.model.layout(), &tile.model.work, lane, false)) {
            return bad;
        }
        if !tile.guide.log[lane].is_finite() {
            return BadQuantity { name: "log density of the guide".to_owned(), value: tile.guide.log[lane] };
        }
        if let Some((name, value)) = closed.and_then(|closed| closed.first_bad(self, lane, tile)) {
            return BadQuantity { name, value };
        }
        let graph = self.model.graph();
        for (factor, known) in graph.factors.iter().enumerate() {
            let rows = self.model.factor_rows(factor);
            let mut out = vec![E::default(); rows * lanes];
            self.model.log_prob_rows(factor, 0..rows, &mut tile.model.work, &mut out);
            if let Some(bad) = out.iter().skip(lane).step_by(lanes).find(|x| !x.to_f64().is_finite()) {
                return BadQuantity { name: known.text.to_owned(), value: bad.to_f64() };
            }
        }
        BadQuantity { name: "the sum of all terms".to_owned(), value: tile.ratios[lane] }
    }
}

/// The first number of a layout that is not finite in a lane: of a guide, results, locations, scales and latents; of a model, all but what is observed.
fn bad_variable<E: Real>(layout: &Layout, work: &Workspace<E>, lane: usize, guide: bool) -> Option<BadQuantity> {
    let at = |row: usize| work.values[row * work.samples + lane].to_f64();
    let parameters =
        layout.parameters().flat_map(|v| v.rows.clone().enumerate().map(move |(i, row)| (layout.element_name(v, i), row)));
    let located = layout.centred.iter().flat_map(|centred| {
        let v = &layout.variables[centred.variable];
        let of = move |what: &'static str, rows: std::ops::Range<usize>| {
            rows.enumerate().map(move |(i, row)| (format!("{what} of {}", layout.element_name(v, i)), row))
        };
        let what = |at: usize| if centred.family.ends_with("Normal") { ["location", "scale"][at.min(1)] } else { "a parameter" };
        centred.parameters.iter().enumerate().flat_map(move |(at, rows)| of(what(at), rows.clone()))
    });
    let located = located.filter(|_| guide);
    let latents = layout.latents().flat_map(|v| v.rows.clone().enumerate().map(move |(i, row)| (layout.element_name(v, i), row)));
    let mut all = parameters.chain(located).chain(latents);
    all.find(|(_, row)| !at(*row).is_finite()).map(|(name, row)| BadQuantity { name, value: at(row) })
}
