//! Discrete latents of rows: where they are, how the guide draws them, and what of its gradient is theirs.

mod check;
mod draw;
mod score;
mod softmax;

use std::ops::Range;

use ndarray::Array2;

use super::engine::Engine;
use super::plan::wiring;
use super::tiles::Tile;
use super::{AmortizedError, DrawnLatent};
use crate::kernel::Real;
use crate::model::{Graph, Layout};

pub(super) use check::check;
pub(super) use draw::Way;
use softmax::Shape;

/// A discrete latent of a row: an input of the rows of model and guide, which the engine fills.
#[derive(Clone, Debug)]
pub(super) struct Discrete {
    pub(super) name: &'static str,
    /// The rows of its values in the workspace of the model, a row for each element.
    pub(super) model: Range<usize>,
    /// As these, of the guide.
    pub(super) guide: Range<usize>,
    /// The factors of the guide that are its density.
    pub(super) factors: Vec<usize>,
    /// As many numbers as an index has values, if it is one.
    pub(super) categories: Option<usize>,
    /// The rows of the guide that hold its logits, where a network gives these.
    pub(super) logits: Option<Range<usize>>,
    /// What networks are given of it: rows of [`Tile::hot`].
    pub(super) hot: Range<usize>,
    /// Rows of [`Tile::probabilities`], of each element one for each value; empty without logits.
    pub(super) probabilities: Range<usize>,
    /// The first of its elements among those of all.
    pub(super) first: usize,
    /// Whether statements of the model read its value, beside the one that it is drawn from.
    pub(super) model_reads: bool,
    /// As this, of the guide.
    pub(super) guide_reads: bool,
}

impl Discrete {
    /// The values of an element, where there are logits.
    pub(super) fn values(&self) -> Option<usize> {
        self.logits.as_ref().map(|_| self.categories.unwrap_or(2))
    }

    /// That numbers given for it are values of it.
    pub(super) fn check(&self, array: &Array2<f64>) -> Result<(), AmortizedError> {
        let most = self.categories.map_or(f64::INFINITY, |categories| categories as f64 - 1.0);
        let is_value = |x: f64| x >= 0.0 && x.fract() == 0.0 && x <= most;
        match array.indexed_iter().find(|(_, x)| !is_value(**x)) {
            None => Ok(()),
            Some(((row, column), &value)) => {
                let expected = match self.categories {
                    Some(categories) => format!("a whole number from 0 to {}", categories.saturating_sub(1)),
                    None => "a whole number, at least 0".to_owned(),
                };
                Err(AmortizedError::Input { input: self.name, row, column, value, expected })
            }
        }
    }

    /// The shape of its probabilities, where there are logits.
    fn shape(&self, lanes: usize) -> Option<Shape> {
        let (elements, values) = (self.elements(), self.values()?);
        Some(Shape { elements, values, binary: self.categories.is_none(), lanes })
    }

    pub(super) fn elements(&self) -> usize {
        self.model.len()
    }

    /// Finds the discrete latents of a model in its guide.
    pub(super) fn resolve(
        of_model: (&[DrawnLatent], &Layout),
        of_guide: (&[DrawnLatent], &Layout, &'static Graph),
    ) -> Result<Vec<Self>, AmortizedError> {
        let ((drawn, model), (own, guide, graph)) = (of_model, of_guide);
        let mut all: Vec<Discrete> = Vec::with_capacity(drawn.len());
        for latent in drawn {
            let rows = |layout: &Layout| layout.inputs.iter().find(|v| v.name == latent.name).map(|v| v.rows.clone());
            let found = own.iter().find(|known| known.name == latent.name);
            let (Some(of_model), Some(of_guide), Some(found)) = (rows(model), rows(guide), found) else {
                return wiring(
                    guide.model,
                    format!("`{}` of `{}` has no distribution in the guide; give it one", latent.name, model.model),
                );
            };
            let is_own = |site: Option<usize>| site.is_some_and(|site| graph.sites[site].name == latent.name);
            let factors = (0..graph.factors.len()).filter(|&factor| is_own(graph.factors[factor].site)).collect();
            let elements = of_model.len();
            let size = elements * latent.categories.unwrap_or(1);
            let logits = found.logits.and_then(|logits| guide.parameters().find(|v| v.name == logits)).map(|v| v.rows.clone());
            let logits = logits.filter(|rows| rows.len() == size);
            let (hot, probabilities, first) = all.last().map_or((0, 0, 0), |before: &Discrete| {
                (before.hot.end, before.probabilities.end, before.first + before.elements())
            });
            let values = if logits.is_some() { elements * latent.categories.unwrap_or(2) } else { 0 };
            all.push(Discrete {
                name: latent.name,
                model: of_model,
                guide: of_guide,
                factors,
                categories: latent.categories,
                logits,
                hot: hot..hot + size,
                probabilities: probabilities..probabilities + values,
                first,
                model_reads: latent.is_read,
                guide_reads: found.is_read,
            });
        }
        Ok(all)
    }

    /// Puts a value of an element in the places of a lane.
    pub(super) fn put<E: Real>(&self, element: usize, lane: usize, value: usize, tile: &mut Tile<E>) {
        let lanes = tile.shape.lanes;
        let number = E::from_f64(value as f64);
        tile.model.work.values[(self.model.start + element) * lanes + lane] = number;
        tile.guide.work.values[(self.guide.start + element) * lanes + lane] = number;
        match self.categories {
            Some(categories) => {
                for category in 0..categories {
                    let one = E::from_f64(f64::from(category == value));
                    tile.hot[(self.hot.start + element * categories + category) * lanes + lane] = one;
                }
            }
            None => tile.hot[(self.hot.start + element) * lanes + lane] = number,
        }
    }
}

impl<E: Real> Engine<'_, E> {
    /// The values that the first discrete latents of a row can have together; none without logits, or where there are more than can be counted.
    pub(super) fn combinations(&self, first: usize) -> Option<usize> {
        self.discretes[..first].iter().try_fold(1_usize, |all, discrete| {
            let of_one = discrete.values()?.checked_pow(u32::try_from(discrete.elements()).ok()?)?;
            all.checked_mul(of_one)
        })
    }

    /// All latents of a row, discrete ones last: name, rows of the workspace of the model, and axes.
    pub(super) fn latents(&self) -> impl Iterator<Item = (&'static str, Range<usize>, &[usize])> {
        let layout = self.model.layout();
        let is_drawn = |name: &str| self.discretes.iter().any(|discrete| discrete.name == name);
        layout
            .latents()
            .chain(layout.inputs.iter().filter(move |v| is_drawn(v.name)))
            .map(|v| (v.name, v.rows.clone(), &v.shape[..]))
    }

    /// The elements of all discrete latents.
    pub(super) fn discrete_elements(&self) -> usize {
        self.discretes.iter().map(Discrete::elements).sum()
    }
}
