//! Names, shapes and rows of what a bound model computes.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SiteKind;
use crate::bijectors::Bijector;

/// Names, shapes and rows of everything that a bound model computes.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The name of the model.
    pub model: &'static str,
    /// The dimensions with their sizes and, where an index array carries them, the names of their levels.
    pub dims: Vec<Dimension>,
    /// The latents, then the parameters, then discrete latents that are drawn, then the quantities, each over its own rows of the workspace.
    pub variables: Vec<Variable>,
    /// The observed arrays, each over its own elements of a prediction.
    pub observed: Vec<Variable>,
    /// The latents whose location and scale depend on other latents, in the order of the model.
    pub centred: Vec<Centred>,
    /// Of the model of a row, what is data: each over its own rows of the workspace, after all others, which whoever drives the model fills.
    pub inputs: Vec<Variable>,
}

/// A latent whose location and scale depend on other latents: it may be guided through its standardized residual. In a guide, any latent that it draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Centred {
    /// Which of [`Layout::variables`].
    pub variable: usize,
    /// The name of the family of its distribution, as models write it: `Normal`.
    pub family: &'static str,
    /// The row that is kept for the degree of centring: after the unconstrained numbers.
    pub degree: usize,
    /// How many numbers, vectors or matrices it is: parameters belong to each.
    pub events: usize,
    /// The rows of the location and of the scale, an element each; of what a guide draws otherwise, those of each parameter of the family.
    pub parameters: Vec<Range<usize>>,
}

impl Centred {
    /// The rows of the location.
    #[must_use]
    pub fn location(&self) -> Range<usize> {
        self.parameters.first().cloned().unwrap_or_default()
    }

    /// The rows of the scale.
    #[must_use]
    pub fn scale(&self) -> Range<usize> {
        self.parameters.get(1).cloned().unwrap_or_default()
    }
}

/// A dimension at run time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dimension {
    /// Its name in the model.
    pub name: &'static str,
    /// Its size.
    pub size: usize,
    /// The names of its levels, if known.
    pub levels: Option<Arc<[String]>>,
}

/// A latent, a parameter, a quantity or an observed array at run time.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name in the model.
    pub name: &'static str,
    /// What it is.
    pub kind: SiteKind,
    /// Its axes, as indices into [`Layout::dims`].
    pub dims: Vec<usize>,
    /// The sizes of its axes.
    pub shape: Vec<usize>,
    /// Its rows in the workspace (elements of a prediction, for an observed array); those of a latent or a parameter on the whole real
    /// line are its unconstrained rows.
    pub rows: Range<usize>,
    /// Its rows in the unconstrained space, those of parameters after those of latents; empty for all others.
    pub unconstrained: Range<usize>,
    /// From the unconstrained rows to the rows; the identity unless it is a latent or a parameter.
    pub bijector: Bijector,
    /// Of a parameter, the unconstrained numbers that it starts from; empty where these come from data that are to be predicted.
    pub initial: Vec<f64>,
    /// Of an array with missing values, which these are.
    pub missing: Option<Missing>,
    /// Of a discrete latent that is drawn: the values that it may have.
    pub values: Option<Values>,
}

/// The values that a discrete latent may have: whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// The first.
    pub from: usize,
    /// The one after the last, if there is a last one that sizes and numbers tell.
    pub to: Option<usize>,
}

impl Values {
    /// Whether a number is one of them.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        value.fract() == 0.0 && value >= self.from as f64 && self.to.is_none_or(|to| value < to as f64)
    }
}

/// The missing values of an array that is otherwise given: they are latent, and the array is laid out whole, given elements being
/// constants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Missing {
    /// The elements as given.
    pub given: Vec<Option<f64>>,
    /// The elements that are missing, counted from zero.
    pub elements: Vec<usize>,
    /// The rows of the workspace where the bijector leaves them, one after the other.
    pub rows: Range<usize>,
}

impl Variable {
    /// The elements that are inferred or computed: all of them, or those that are missing.
    #[must_use]
    pub fn elements(&self) -> Vec<usize> {
        self.missing.as_ref().map_or_else(|| (0..self.rows.len()).collect(), |missing| missing.elements.clone())
    }
}

impl Layout {
    /// The number of unconstrained dimensions.
    #[must_use]
    pub fn unconstrained(&self) -> usize {
        self.variables.iter().map(|v| v.unconstrained.len()).sum()
    }

    /// How many of the unconstrained dimensions, the last ones before discrete latents that are drawn, are points: maximised, not integrated over.
    #[must_use]
    pub fn points(&self) -> usize {
        self.variables
            .iter()
            .filter(|v| matches!(v.kind, SiteKind::Parameter | SiteKind::Degree))
            .map(|v| v.unconstrained.len())
            .sum()
    }

    /// The dimensions of discrete latents that are drawn, which are the last ones: each is the value itself.
    #[must_use]
    pub fn discrete(&self) -> Range<usize> {
        let count: usize = self.drawn().map(|v| v.unconstrained.len()).sum();
        let all = self.unconstrained();
        all - count..all
    }

    /// Discrete latents that are drawn, in the order of the model.
    pub fn drawn(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|v| v.values.is_some())
    }

    /// The unconstrained numbers that fits start from: those of parameters as the model says, the first value of discrete latents, zero for others.
    #[must_use]
    pub fn start(&self) -> Vec<f64> {
        let mut u = vec![0.0; self.unconstrained()];
        for (variable, values) in self.drawn().filter_map(|variable| Some((variable, variable.values?))) {
            u[variable.unconstrained.clone()].fill(values.from as f64);
        }
        for parameter in self.parameters() {
            u[parameter.unconstrained.clone()].copy_from_slice(&parameter.initial);
        }
        u
    }

    /// The number of rows of a workspace: unconstrained numbers, other latents, quantities.
    #[must_use]
    pub fn rows(&self) -> usize {
        let ends = self.variables.iter().flat_map(|v| [v.rows.end, v.missing.as_ref().map_or(0, |missing| missing.rows.end)]);
        let rows = |centred: &Centred| centred.parameters.iter().map(|rows| rows.end).max().unwrap_or(0);
        let centred = self.centred.iter().flat_map(|centred| [centred.degree + 1, rows(centred)]);
        let inputs = self.inputs.iter().map(|input| input.rows.end);
        ends.chain(centred).chain(inputs).max().unwrap_or(0).max(self.unconstrained())
    }

    /// The first row of a latent, a parameter or a quantity, counted in the order of [`Layout::variables`].
    #[must_use]
    pub fn first_row(&self, variable: usize) -> usize {
        self.variables[variable].rows.start
    }

    /// The name of the element that an unconstrained dimension belongs to; of the array, where one element has several.
    #[must_use]
    pub fn unconstrained_name(&self, dimension: usize) -> String {
        let Some(variable) = self.variables.iter().find(|v| v.unconstrained.contains(&dimension)) else { return String::new() };
        let elements = variable.elements();
        if elements.len() == variable.unconstrained.len() && variable.kind != SiteKind::Degree {
            self.element_name(variable, elements[dimension - variable.unconstrained.start])
        } else {
            variable.name.to_owned()
        }
    }

    /// The number of observed elements.
    #[must_use]
    pub fn observed_elements(&self) -> usize {
        self.observed.iter().map(|v| v.rows.len()).sum()
    }

    /// All that has unconstrained dimensions, in their order.
    pub fn guided(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|v| !v.unconstrained.is_empty())
    }

    /// The latents, in the order of the model.
    pub fn latents(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|v| v.kind == SiteKind::Latent)
    }

    /// The parameters, in the order of the model.
    pub fn parameters(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|v| v.kind == SiteKind::Parameter)
    }

    /// The latents and the parameters: all that is found from the data.
    pub fn unknowns(&self) -> impl Iterator<Item = &Variable> {
        self.latents().chain(self.parameters())
    }

    /// The name of one element: `mu`, `theta[3]`, `alpha[AITKIN]`; elements are counted from zero, the last axis fastest.
    #[must_use]
    pub fn element_name(&self, variable: &Variable, element: usize) -> String {
        if variable.shape.is_empty() {
            return variable.name.to_owned();
        }
        let mut rest = element;
        let mut index = Vec::new();
        for (&dim, &size) in variable.dims.iter().zip(&variable.shape).rev() {
            let at = rest % size;
            rest /= size;
            let level = self.dims.get(dim).and_then(|d| d.levels.as_ref()).and_then(|l| l.get(at));
            index.push(level.cloned().unwrap_or_else(|| at.to_string()));
        }
        index.reverse();
        format!("{}[{}]", variable.name, index.join(", "))
    }
}
