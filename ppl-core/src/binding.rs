//! Binding a model to its data: sizes found and compared, indices and supports checked, rows laid out.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, RawData};

use crate::bijectors::{Bijector, Bounds};
use crate::distributions::Support;
use crate::indices::Indices;
use crate::kernel::Real;
use crate::model::{Centred, DataError, Dimension, Layout, Missing, SiteKind, Variable};

/// The sizes of the dimensions of a model, as its arrays tell them.
#[derive(Debug)]
pub struct Sizes<'f> {
    model: &'static str,
    dims: Vec<Known>,
    fitted: Option<&'f Layout>,
}

#[derive(Debug, Default)]
struct Known {
    name: &'static str,
    /// The array that told the size first, and the size.
    told: Option<(&'static str, usize)>,
    /// The size that index arrays need, and which of them needs most.
    pointed: Option<(&'static str, usize)>,
    levels: Option<Vec<String>>,
}

impl<'f> Sizes<'f> {
    /// No size known yet; `fitted` is the layout of a fit whose levels new inputs must use.
    #[must_use]
    pub fn new(model: &'static str, dims: &[&'static str], fitted: Option<&'f Layout>) -> Self {
        let known = |&name: &&'static str| {
            let levels = fitted.and_then(|f| f.dims.iter().find(|d| d.name == name)).and_then(|d| d.levels.clone());
            Known { name, levels, ..Known::default() }
        };
        Sizes { model, dims: dims.iter().map(known).collect(), fitted }
    }

    /// An array has this size along a dimension.
    ///
    /// # Errors
    /// [`DataError::SizeMismatch`] if another array said otherwise.
    pub fn axis(&mut self, dim: usize, array: &'static str, size: usize) -> Result<(), DataError> {
        let known = &mut self.dims[dim];
        match known.told {
            Some((first, first_size)) if first_size != size => Err(DataError::SizeMismatch {
                model: self.model,
                dim: known.name,
                first,
                first_size,
                second: array,
                second_size: size,
            }),
            Some(_) => Ok(()),
            None => {
                known.told = Some((array, size));
                Ok(())
            }
        }
    }

    /// An index array points into a dimension. Gives its indices, with the levels of the fit where labels were given.
    ///
    /// # Errors
    /// [`DataError::UnknownLevel`] if a label was not among those of the fit.
    pub fn indices(&mut self, dim: usize, array: &'static str, indices: &Indices) -> Result<Vec<usize>, DataError> {
        let model = self.model;
        let known = &mut self.dims[dim];
        let mut values = indices.values().to_vec();
        if let Some(labels) = indices.levels() {
            match &known.levels {
                None => known.levels = Some(labels.to_vec()),
                Some(levels) if levels.as_slice() == labels => {}
                Some(levels) => {
                    for (row, value) in values.iter_mut().enumerate() {
                        let label = &labels[*value];
                        *value = levels.iter().position(|level| level == label).ok_or_else(|| DataError::UnknownLevel {
                            model,
                            field: array,
                            row,
                            label: label.clone(),
                            dim: known.name,
                        })?;
                    }
                }
            }
        }
        self.points(dim, array, &values);
        Ok(values)
    }

    /// An index array points into a dimension.
    pub fn points(&mut self, dim: usize, array: &'static str, values: &[usize]) {
        let size = values.iter().max().map_or(0, |max| max + 1);
        let known = &mut self.dims[dim];
        if known.pointed.is_none_or(|(_, most)| most < size) {
            known.pointed = Some((array, size));
        }
    }

    /// The size of a dimension: of the arrays over it, or of the fit, or what indices into it need.
    #[must_use]
    pub fn size(&self, dim: usize) -> usize {
        let known = &self.dims[dim];
        if let Some((_, size)) = known.told {
            return size;
        }
        let pointed = known.pointed.map_or(0, |(_, size)| size);
        let levels = known.levels.as_ref().map_or(0, Vec::len);
        let fitted = self.fitted.and_then(|f| f.dims.iter().find(|d| d.name == known.name)).map_or(0, |d| d.size);
        // New rows may mention fewer levels than the fit knows, never more.
        if fitted > 0 { fitted } else { pointed.max(levels) }
    }

    /// Refuses index arrays that point outside their dimension.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`] names the first such row.
    pub fn check_indices(&self, dim: usize, field: &'static str, values: &[usize]) -> Result<(), DataError> {
        let size = self.size(dim);
        match values.iter().position(|&value| value >= size) {
            None => Ok(()),
            Some(row) => Err(DataError::IndexOutOfRange {
                model: self.model,
                field,
                row,
                value: values[row],
                dim: self.dims[dim].name,
                size,
            }),
        }
    }

    /// The dimensions with their sizes and levels.
    #[must_use]
    pub fn dimensions(&self) -> Vec<Dimension> {
        let dimension = |(dim, known): (usize, &Known)| {
            let size = self.size(dim);
            let levels = known.levels.clone().filter(|levels| levels.len() == size);
            Dimension { name: known.name, size, levels }
        };
        self.dims.iter().enumerate().map(dimension).collect()
    }
}

/// The elements of an array with missing values, as they were given before it was laid out.
pub fn given_again(layout: &Layout, name: &str) -> Vec<Option<f64>> {
    let missing = layout.latents().find(|latent| latent.name == name).and_then(|latent| latent.missing.as_ref());
    missing.map(|missing| missing.given.clone()).unwrap_or_default()
}

/// The elements of an array in row-major order, borrowed where they lie so.
pub fn row_major<S, D>(array: &ArrayBase<S, D>) -> Cow<'_, [S::Elem]>
where
    S: Data,
    <S as RawData>::Elem: Clone,
    D: ndarray::Dimension,
{
    match array.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(array.iter().cloned().collect()),
    }
}

/// The sizes of the axes of an array.
pub fn shape<S: RawData, D: ndarray::Dimension>(array: &ArrayBase<S, D>) -> Vec<usize> {
    array.raw_dim().slice().to_vec()
}

/// Refuses `NaN` and infinite data.
///
/// # Errors
/// [`DataError::NotFinite`] names the first such row.
pub fn check_finite<E: Real>(model: &'static str, field: &'static str, values: &[E]) -> Result<(), DataError> {
    match values.iter().position(|x| !x.to_f64().is_finite()) {
        None => Ok(()),
        Some(row) => Err(DataError::NotFinite { model, field, row, value: values[row].to_f64() }),
    }
}

/// Refuses an index expression that leaves its axis.
///
/// # Errors
/// [`DataError::ShiftedIndexOutOfRange`].
pub fn check_index(
    model: &'static str,
    expression: &'static str,
    array: &'static str,
    (lowest, highest): (i64, i64),
    size: usize,
) -> Result<(), DataError> {
    if lowest < 0 || usize::try_from(highest).is_ok_and(|highest| highest >= size) {
        return Err(DataError::ShiftedIndexOutOfRange { model, expression, array, lowest, highest, size });
    }
    Ok(())
}

/// Refuses a parameter outside a set, or outside bounds; probabilities of exactly zero and one are legal.
///
/// # Errors
/// [`DataError::OutsideSupport`].
pub fn check_support(
    model: &'static str,
    field: &'static str,
    row: usize,
    value: f64,
    statement: &'static str,
    set: (Support, f64, f64),
) -> Result<(), DataError> {
    if set.0 == Support::Unit && (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    check_observed(model, field, row, value, statement, set)
}

/// Refuses an observed value outside a set, or outside bounds.
///
/// # Errors
/// [`DataError::OutsideSupport`].
pub fn check_observed(
    model: &'static str,
    field: &'static str,
    row: usize,
    value: f64,
    statement: &'static str,
    (support, lower, upper): (Support, f64, f64),
) -> Result<(), DataError> {
    let inside = match support {
        Support::Interval => value >= lower && value <= upper,
        Support::CountUpTo => Support::Count.contains(value) && value <= upper,
        other => other.contains(value),
    };
    if inside {
        return Ok(());
    }
    let expected = match support {
        Support::Interval | Support::CountUpTo => format!("{support} ({lower} to {upper})"),
        other => other.to_string(),
    };
    Err(DataError::OutsideSupport { model, field, row, value, statement, expected })
}

/// Refuses an empty dimension where there must be elements.
///
/// # Errors
/// [`DataError::Empty`].
pub fn check_not_empty(model: &'static str, dim: &'static str, needed_by: &'static str, size: usize) -> Result<(), DataError> {
    if size == 0 {
        return Err(DataError::Empty { model, dim, needed_by, least: 1 });
    }
    Ok(())
}

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
        });
        self.unconstrained += free;
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
        }
    }

    /// Says that the location and the scale of a latent depend on other latents.
    pub fn centred(&mut self, name: &'static str) {
        if let Some(variable) = self.layout.variables.iter().position(|variable| variable.name == name) {
            self.layout.centred.push(Centred { variable, degree: 0, location: 0..0, scale: 0..0 });
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
            let length = self.layout.variables[centred.variable].rows.len();
            (centred.location, centred.scale) = (take(length), take(length));
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

/// Refuses a vector that is not a simplex.
///
/// # Errors
/// [`DataError::OutsideSupport`].
pub fn check_simplex<E: Real>(
    model: &'static str,
    field: &'static str,
    row: usize,
    values: &[E],
    statement: &'static str,
) -> Result<(), DataError> {
    let outside = |row, value, expected: &str| {
        Err(DataError::OutsideSupport { model, field, row, value, statement, expected: expected.to_owned() })
    };
    for (k, x) in values.iter().enumerate() {
        if x.to_f64() <= 0.0 {
            return outside(row + k, x.to_f64(), "positive, an element of a simplex");
        }
    }
    let sum: f64 = values.iter().map(|x| x.to_f64()).sum();
    if (sum - 1.0).abs() > 1e-6 {
        return outside(row, sum, "a simplex that sums to one (the value given here is the sum)");
    }
    Ok(())
}

/// An array with missing values, as doubles in row-major order.
pub fn given<'a, E: Real + 'a>(values: impl IntoIterator<Item = &'a Option<E>>) -> Vec<Option<f64>> {
    values.into_iter().map(|value| value.map(Real::to_f64)).collect()
}

/// Numbers as doubles.
pub fn numbers<E: Real>(values: &[E]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}
