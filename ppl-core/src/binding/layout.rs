//! Latents, parameters, quantities and observed arrays laid out over rows, and where parameters start.

use super::checks::check_observed;
use crate::bijectors::{Bijector, BijectorError, Bounds};
use crate::distributions::Support;
use crate::model::{Centred, DataError, Dimension, Layout, Missing, SiteKind, Values, Variable};

/// Lays out latents and quantities over the rows of a workspace, and observed arrays over predictions.
#[derive(Debug)]
pub struct LayoutBuilder {
    layout: Layout,
    unconstrained: usize,
    observed: usize,
}

impl LayoutBuilder {
    /// An empty layout over known dimensions.
    #[must_use]
    pub fn new(model: &'static str, dims: Vec<Dimension>) -> Self {
        let layout = Layout { model, dims, ..Layout::default() };
        LayoutBuilder { layout, unconstrained: 0, observed: 0 }
    }

    fn shape(&self, dims: &[usize]) -> Vec<usize> {
        dims.iter().map(|&dim| self.layout.dims[dim].size).collect()
    }

    /// Adds an array that is given but for some missing values, which are latent; all are missing if there are none.
    ///
    /// # Errors
    /// [`DataError::NotFinite`], [`DataError::OutsideSupport`]: of a given element.
    pub fn partly_given(
        &mut self,
        (name, statement): (&'static str, &'static str),
        dims: &[usize],
        support: Support,
        bounds: Option<&Bounds>,
        mut given: Vec<Option<f64>>,
    ) -> Result<(), DataError> {
        let model = self.layout.model;
        let length: usize = self.shape(dims).iter().product();
        given.resize(length, None);
        let of = |elements: &[usize]| bounds.map(|bounds| bounds.of(elements));
        for (row, value) in given.iter().enumerate().filter_map(|(row, value)| value.map(|value| (row, value))) {
            if !value.is_finite() {
                return Err(DataError::NotFinite { model, field: name, row, value });
            }
            let own = of(&[row]).unwrap_or_default();
            let end = |bound: Option<Vec<f64>>, none: f64| bound.and_then(|bound| bound.first().copied()).unwrap_or(none);
            let set = (support, end(own.lower, f64::NEG_INFINITY), end(own.upper, f64::INFINITY));
            check_observed(model, name, row, value, statement, set)?;
        }
        let elements: Vec<usize> = (0..length).filter(|&i| given[i].is_none()).collect();
        let bounds = of(&elements);
        self.latent(name, dims, support, bounds);
        if let Some(variable) = self.layout.variables.last_mut() {
            self.unconstrained -= variable.unconstrained.len();
            variable.unconstrained.end = variable.unconstrained.start + elements.len();
            self.unconstrained += elements.len();
            variable.missing = Some(Missing { given, elements, rows: 0..0 });
        }
        Ok(())
    }

    /// Adds a latent; `bounds` holds one number, or one per element, each.
    pub fn latent(&mut self, name: &'static str, dims: &[usize], support: Support, bounds: Option<Bounds>) {
        self.unknown(name, SiteKind::Latent, dims, support, bounds);
    }

    /// Adds a parameter, after all latents.
    pub fn parameter(&mut self, name: &'static str, dims: &[usize], support: Support, bounds: Option<Bounds>) {
        self.unknown(name, SiteKind::Parameter, dims, support, bounds);
    }

    fn unknown(&mut self, name: &'static str, kind: SiteKind, dims: &[usize], support: Support, bounds: Option<Bounds>) {
        let shape = self.shape(dims);
        let first = self.unconstrained;
        let length: usize = shape.iter().product();
        let bijector = Bijector::for_support(support, shape.last().copied().unwrap_or(1), bounds);
        let free = bijector.unconstrained_len(length);
        self.layout.variables.push(Variable {
            name,
            kind,
            dims: dims.to_vec(),
            shape,
            rows: first..first + length,
            unconstrained: first..first + free,
            bijector,
            initial: Vec::new(),
            missing: None,
            values: None,
        });
        self.unconstrained += free;
    }

    /// Adds a discrete latent that is drawn, after all parameters.
    pub fn drawn(&mut self, name: &'static str, dims: &[usize], values: Values) {
        self.unknown(name, SiteKind::Latent, dims, Support::Real, None);
        if let Some(variable) = self.layout.variables.last_mut() {
            variable.values = Some(values);
        }
    }

    /// Checks that there is something between the bounds of every latent; where a parameter starts is checked to be there.
    ///
    /// # Errors
    /// [`DataError::Bounds`]: of the first element of which it is not so.
    pub fn check_bounds(&self) -> Result<(), DataError> {
        for variable in self.layout.latents() {
            let Bijector::Interval(bounds) = &variable.bijector else { continue };
            if let Err(BijectorError::Interval { element, lower, upper }) = bounds.check() {
                let row = variable.missing.as_ref().map_or(element, |missing| missing.elements[element]);
                return Err(DataError::Bounds { model: self.layout.model, name: variable.name, row, lower, upper });
            }
        }
        Ok(())
    }

    /// Adds a quantity.
    pub fn quantity(&mut self, name: &'static str, dims: &[usize]) {
        let variable = self.plain(name, SiteKind::Quantity, dims, 0);
        self.layout.variables.push(variable);
    }

    /// Adds an observed array and gives its first element.
    pub fn observed(&mut self, name: &'static str, dims: &[usize]) -> usize {
        let first = self.observed;
        let variable = self.plain(name, SiteKind::Observed, dims, first);
        self.observed = variable.rows.end;
        self.layout.observed.push(variable);
        first
    }

    fn plain(&self, name: &'static str, kind: SiteKind, dims: &[usize], first: usize) -> Variable {
        let shape = self.shape(dims);
        let length: usize = shape.iter().product();
        Variable {
            name,
            kind,
            dims: dims.to_vec(),
            shape,
            rows: first..first + length,
            unconstrained: self.unconstrained..self.unconstrained,
            bijector: Bijector::Identity,
            initial: Vec::new(),
            missing: None,
            values: None,
        }
    }

    /// Adds an input of the model of a row.
    pub fn input(&mut self, name: &'static str, dims: &[usize]) {
        let variable = self.plain(name, SiteKind::Observed, dims, 0);
        self.layout.inputs.push(variable);
    }

    /// Says that the location and the scale of a latent of this family depend on other latents, or that a guide draws it from the family with so many parameters.
    pub fn centred(&mut self, name: &'static str, family: &'static str, parameters: usize) {
        if let Some(variable) = self.layout.variables.iter().position(|variable| variable.name == name) {
            let events = self.layout.variables[variable].rows.len();
            self.layout.centred.push(Centred { variable, family, degree: 0, events, parameters: vec![0..1; parameters] });
        }
    }

    /// As [`LayoutBuilder::centred`], of vectors or matrices that have so many axes, each with parameters over these dimensions.
    pub fn centred_over(&mut self, name: &'static str, family: &'static str, event_rank: usize, parameters: &[&[usize]]) {
        let sizes: Vec<usize> =
            parameters.iter().map(|dims| dims.iter().map(|&dim| self.layout.dims[dim].size).product()).collect();
        self.centred(name, family, parameters.len());
        if let Some(centred) = self.layout.centred.last_mut() {
            let shape = &self.layout.variables[centred.variable].shape;
            centred.events = shape[..shape.len().saturating_sub(event_rank)].iter().product();
            // How many there are of each event, until all have their rows.
            centred.parameters.iter_mut().zip(sizes).for_each(|(rows, size)| *rows = 0..size);
        }
    }

    /// The layout: the unconstrained numbers come first, and with them the latents and parameters that equal them; then the others, in order.
    #[must_use]
    pub fn finish(mut self) -> Layout {
        for (i, centred) in self.layout.centred.iter_mut().enumerate() {
            centred.degree = self.unconstrained + i;
        }
        let mut next = self.unconstrained + self.layout.centred.len();
        let mut take = |length: usize| {
            next += length;
            next - length..next
        };
        for kind in [SiteKind::Latent, SiteKind::Parameter, SiteKind::Quantity] {
            for variable in self.layout.variables.iter_mut().filter(|v| v.kind == kind) {
                let identity = kind != SiteKind::Quantity && variable.bijector == Bijector::Identity;
                if let Some(missing) = &mut variable.missing {
                    missing.rows = if identity { variable.unconstrained.clone() } else { take(missing.elements.len()) };
                }
                if !identity || variable.missing.is_some() {
                    variable.rows = take(variable.rows.len());
                }
            }
        }
        for centred in &mut self.layout.centred {
            let events = centred.events;
            centred.parameters.iter_mut().for_each(|rows| *rows = take(events * rows.len()));
        }
        for input in &mut self.layout.inputs {
            input.rows = take(input.rows.len());
        }
        self.layout
    }
}

/// Says where a parameter starts, element after element.
///
/// # Errors
/// [`DataError::Start`] names the first element outside the support.
pub fn start_from(
    layout: &mut Layout,
    name: &str,
    support: Support,
    statement: &'static str,
    values: &[f64],
) -> Result<(), DataError> {
    let Some(at) = layout.variables.iter().position(|variable| variable.name == name) else { return Ok(()) };
    let variable = &layout.variables[at];
    match variable.bijector.inverse(values) {
        Ok(initial) => layout.variables[at].initial = initial,
        Err(element) => {
            let (name, value) = (layout.element_name(variable, element), values[element]);
            return Err(DataError::Start { model: layout.model, name, value, statement, expected: support.to_string() });
        }
    }
    Ok(())
}
