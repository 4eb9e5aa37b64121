//! What inference may know of a model: its graph, its layout, and its log joint density with the derivative.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;

use crate::bijectors::Bijector;
use crate::distributions::{Sampler, Support};
use crate::kernel::Real;

/// What `model!` implements.
pub trait Model {
    /// `f32` if any real array of the model is, else `f64`.
    type Element: Real;
    /// The arguments that are never left of `~`: what predictions for new rows need.
    type Inputs;
    /// Draws of latents and quantities, a field each, the first axis being the draw.
    type Draws;
    /// Draws of the observed arrays, a field each, the first axis being the draw.
    type Predictive;
    /// Sites, factors, and who reads whom.
    const GRAPH: &'static Graph;
    /// The generated log joint: the very tokens that are compiled, formatted.
    const EXPANSION: &'static str;

    /// Checks the data and computes what depends on data alone.
    ///
    /// # Errors
    /// [`DataError`] names the field, the row, the value and what was expected.
    fn bind(&self) -> Result<Box<dyn LogJoint<Self::Element> + '_>, DataError>;

    /// Checks new inputs, whose observed arrays are to be predicted; levels and sizes are those of `fitted`, if there is a fit.
    /// Only [`LogJoint::walk`] may be called on the result: there are no observed data to evaluate.
    ///
    /// # Errors
    /// [`DataError`] names the field, the row, the value and what was expected.
    fn bind_inputs<'m>(
        inputs: &'m Self::Inputs,
        fitted: Option<&Layout>,
    ) -> Result<Box<dyn LogJoint<Self::Element> + 'm>, DataError>;

    /// Gives draws their names and shapes. `columns` holds, draw after draw, the rows of the layout.
    fn collect_draws(layout: &Layout, draws: usize, columns: &[f64]) -> Self::Draws;

    /// Gives predictions their names and shapes. `columns` holds, draw after draw, the observed elements of the layout.
    fn collect_predictive(layout: &Layout, draws: usize, columns: &[f64]) -> Self::Predictive;
}

/// The model as a graph, known at compile time.
#[derive(Debug)]
pub struct Graph {
    /// The name of the model.
    pub name: &'static str,
    /// The names of the dimensions.
    pub dims: &'static [&'static str],
    /// Which dimensions can be taken a batch at a time: one for each.
    pub plates: &'static [Plate],
    /// Latents, quantities and observed arrays, in the order of the model.
    pub sites: &'static [Site],
    /// The terms of the log joint density, in the order of the model.
    pub factors: &'static [Factor],
}

/// A dimension, as a plate.
#[derive(Debug)]
pub struct Plate {
    /// Why it cannot be taken in batches; none if its elements are independent given what is not over it.
    pub refused: Option<&'static str>,
    /// The factors that run over it.
    pub factors: &'static [usize],
}

/// Some elements of a plate, which stand for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'r> {
    /// Which of [`Graph::dims`].
    pub plate: usize,
    /// How many elements it has.
    pub size: usize,
    /// Which of them are taken, each once.
    pub rows: &'r [usize],
}

impl Batch<'_> {
    /// How many elements of the plate each of the batch stands for: `N / B`.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.size as f64 / self.rows.len() as f64
    }

    /// The size that a dimension has in the batch.
    #[must_use]
    pub fn size(&self, dim: usize, size: usize) -> usize {
        if dim == self.plate { self.rows.len() } else { size }
    }

    /// The elements of an array that are in the batch; its axes are dimensions and sizes, the last fastest.
    #[must_use]
    pub fn array<'a, T: Copy>(&self, all: &'a [T], axes: &[(usize, usize)]) -> Cow<'a, [T]> {
        let Some(axis) = axes.iter().position(|(dim, _)| *dim == self.plate) else { return Cow::Borrowed(all) };
        let size = |axes: &[(usize, usize)]| axes.iter().map(|(_, size)| size).product::<usize>();
        let (outer, own, inner) = (size(&axes[..axis]), axes[axis].1, size(&axes[axis + 1..]));
        let mut some = Vec::with_capacity(outer * self.rows.len() * inner);
        for first in 0..outer {
            for row in self.rows {
                some.extend_from_slice(&all[(first * own + row) * inner..][..inner]);
            }
        }
        Cow::Owned(some)
    }

    /// The dimensions with their sizes in the batch; names of levels are left out.
    #[must_use]
    pub fn dimensions(&self, layout: &Layout) -> Vec<Dimension> {
        let sized =
            |(dim, known): (usize, &Dimension)| Dimension { name: known.name, size: self.size(dim, known.size), levels: None };
        layout.dims.iter().enumerate().map(sized).collect()
    }

    /// The unconstrained dimensions that the batch has, in its own order.
    #[must_use]
    pub fn unconstrained(&self, layout: &Layout) -> Vec<usize> {
        let mut dimensions = Vec::new();
        for latent in layout.guided() {
            let all: Vec<usize> = latent.unconstrained.clone().collect();
            // The last axis has fewer unconstrained numbers than elements where it is a simplex.
            let mut axes: Vec<(usize, usize)> = latent.dims.iter().copied().zip(latent.shape.iter().copied()).collect();
            let elements: usize = latent.shape.iter().product();
            if let (Some((_, last)), true) = (axes.last_mut(), elements != all.len() && latent.missing.is_none()) {
                *last = all.len() * *last / elements;
            }
            dimensions.extend_from_slice(&self.array(&all, &axes));
        }
        dimensions
    }
}

/// Why a model cannot be taken in batches.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A name that is no dimension.
    #[error("`{name}` is not a dimension of `{model}`; those that can be taken in batches are {known}")]
    Unknown {
        /// The model.
        model: &'static str,
        /// The name.
        name: String,
        /// The dimensions that can be.
        known: String,
    },
    /// A dimension whose elements depend on each other.
    #[error("`{model}` cannot be taken in batches of `{plate}`: {reason}; dimensions that can be: {known}")]
    Refused {
        /// The model.
        model: &'static str,
        /// The dimension.
        plate: &'static str,
        /// Why.
        reason: &'static str,
        /// The dimensions that can be.
        known: String,
    },
}

impl Graph {
    /// The dimension of this name, if it can be taken in batches.
    ///
    /// # Errors
    /// [`BatchError`] says why not, and which can be.
    pub fn plate(&self, name: &str) -> Result<usize, BatchError> {
        let possible = self.dims.iter().zip(self.plates).filter(|(_, plate)| plate.refused.is_none());
        let names: Vec<String> = possible.map(|(dim, _)| format!("`{dim}`")).collect();
        let (model, known) = (self.name, if names.is_empty() { "none".to_owned() } else { names.join(", ") });
        let Some(plate) = self.dims.iter().position(|dim| *dim == name) else {
            return Err(BatchError::Unknown { model, name: name.to_owned(), known });
        };
        match self.plates[plate].refused {
            Some(reason) => Err(BatchError::Refused { model, plate: self.dims[plate], reason, known }),
            None => Ok(plate),
        }
    }
}

/// What a name left of `~` or `let` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// Not given: to be inferred.
    Latent,
    /// Maximised rather than integrated over: a point of every guide, without a density and without a Jacobian.
    Parameter,
    /// Computed from others, and reported.
    Quantity,
    /// Given as data.
    Observed,
    /// How far a location-scale latent is guided as written (1) or through its standardized residual (0).
    Degree,
}

/// A name left of `~` or `let`.
#[derive(Debug)]
pub struct Site {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: SiteKind,
    /// The set of its values (of the distribution, as a parameter states it, or `Real` for a quantity).
    pub support: Support,
    /// 1 if its last axis is one event (a simplex, an ordered vector).
    pub event_rank: usize,
}

/// A term of the log joint density.
#[derive(Debug)]
pub struct Factor {
    /// The statement as written, for messages: `log_radon[n] ~ Normal(at_home, sigma)`.
    pub text: &'static str,
    /// The site left of `~`; none for `factor(..)`.
    pub site: Option<usize>,
    /// The latents and parameters it reads and through which index.
    pub reads: &'static [Read],
}

/// How a factor reads a latent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Which site.
    pub site: usize,
    /// Which elements a row reads.
    pub owner: Owner,
}

/// Which elements of a latent a row of a factor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Any of them.
    Every,
    /// The one of the same row.
    SameRow,
    /// The one that an index array names.
    Gathered(&'static str),
}

/// Names, shapes and rows of everything that a bound model computes.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The name of the model.
    pub model: &'static str,
    /// The dimensions with their sizes and, where an index array carries them, the names of their levels.
    pub dims: Vec<Dimension>,
    /// The latents, then the parameters, then the quantities, each over its own rows of the workspace.
    pub variables: Vec<Variable>,
    /// The observed arrays, each over its own elements of a prediction.
    pub observed: Vec<Variable>,
    /// The latents whose location and scale depend on other latents, in the order of the model.
    pub centred: Vec<Centred>,
}

/// A latent whose location and scale depend on other latents: it may be guided through its standardized residual.
#[derive(Clone, Debug, PartialEq)]
pub struct Centred {
    /// Which of [`Layout::variables`].
    pub variable: usize,
    /// The row that is kept for the degree of centring: after the unconstrained numbers.
    pub degree: usize,
    /// The rows of the location, an element each.
    pub location: Range<usize>,
    /// The rows of the scale.
    pub scale: Range<usize>,
}

/// A dimension at run time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dimension {
    /// Its name in the model.
    pub name: &'static str,
    /// Its size.
    pub size: usize,
    /// The names of its levels, if known.
    pub levels: Option<Vec<String>>,
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

    /// How many of the unconstrained dimensions, the last ones, are points: maximised, not integrated over.
    #[must_use]
    pub fn points(&self) -> usize {
        self.variables
            .iter()
            .filter(|v| matches!(v.kind, SiteKind::Parameter | SiteKind::Degree))
            .map(|v| v.unconstrained.len())
            .sum()
    }

    /// The unconstrained numbers that fits start from: those of parameters as the model says, zero for latents.
    #[must_use]
    pub fn start(&self) -> Vec<f64> {
        let mut u = vec![0.0; self.unconstrained()];
        for parameter in self.parameters() {
            u[parameter.unconstrained.clone()].copy_from_slice(&parameter.initial);
        }
        u
    }

    /// The number of rows of a workspace: unconstrained numbers, other latents, quantities.
    #[must_use]
    pub fn rows(&self) -> usize {
        let ends = self.variables.iter().flat_map(|v| [v.rows.end, v.missing.as_ref().map_or(0, |missing| missing.rows.end)]);
        let centred = self.centred.iter().flat_map(|centred| [centred.degree + 1, centred.location.end, centred.scale.end]);
        ends.chain(centred).max().unwrap_or(0).max(self.unconstrained())
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

/// The buffers of an evaluation: made once, used at every step without allocating.
///
/// The first rows are the unconstrained space (and room for degrees of centring); the constrained latents that differ from their unconstrained numbers follow, then
/// the quantities. A latent on the whole real line is its own unconstrained number, so it has no rows but these and is never copied.
#[derive(Clone, Debug)]
pub struct Workspace<E> {
    /// The number of Monte Carlo samples, a multiple of [`Real::LANE_MULTIPLE`].
    pub samples: usize,
    /// The number of unconstrained dimensions.
    pub unconstrained: usize,
    /// The values of all rows: `[row][sample]`.
    pub values: Vec<E>,
    /// The derivative of the log joint with respect to each row of `values`.
    pub adjoints: Vec<E>,
    /// Unconstrained numbers that were overwritten by what they stand for, to be put back.
    pub kept: Vec<E>,
    /// The buffers of the parts of a plate that run in parallel.
    pub partitions: Vec<Partition<E>>,
}

impl<E> Workspace<E> {
    /// The unconstrained numbers: `[dimension][sample]`.
    #[must_use]
    pub fn u(&self) -> &[E] {
        &self.values[..self.unconstrained * self.samples]
    }

    /// The unconstrained numbers, to be written.
    pub fn u_mut(&mut self) -> &mut [E] {
        &mut self.values[..self.unconstrained * self.samples]
    }

    /// The derivative of the log density with respect to the unconstrained numbers, after [`LogJoint::log_density`].
    #[must_use]
    pub fn gradient(&self) -> &[E] {
        &self.adjoints[..self.unconstrained * self.samples]
    }

    /// The unconstrained numbers, and the derivative with respect to them, to be used up by a pullback.
    pub fn u_and_gradient_mut(&mut self) -> (&[E], &mut [E]) {
        let lanes = self.unconstrained * self.samples;
        (&self.values[..lanes], &mut self.adjoints[..lanes])
    }

    /// The derivative with respect to the unconstrained numbers, to be used up by a pullback.
    pub fn gradient_mut(&mut self) -> &mut [E] {
        &mut self.adjoints[..self.unconstrained * self.samples]
    }
}

/// The buffers of one part of a plate.
#[derive(Clone, Debug, Default)]
pub struct Partition<E> {
    /// Matrix products of a block of rows: `[row][column][sample]`, product after product.
    pub products: Vec<E>,
    /// The derivative of the log joint with respect to `products`.
    pub product_adjoints: Vec<E>,
    /// As [`Workspace::adjoints`], of this part alone; empty if there is but one part.
    pub adjoints: Vec<E>,
    /// The log density per sample.
    pub log_joint: Vec<f64>,
}

/// The weight of each factor, a product of plate scale, KL weight and cotangents: `[sample]` per factor.
#[derive(Clone, Debug)]
pub struct Weights<E> {
    /// A row of `samples` lanes per factor of the graph.
    pub factors: Vec<E>,
    /// The weight of `log |dz / du|` of each latent and of its derivative: `[latent][sample]`.
    pub log_det: Vec<E>,
    /// The number of samples.
    pub samples: usize,
    /// For some factors, a weight per row and sample instead: the factor, and `[row][sample]`.
    pub rows: Vec<(usize, Vec<E>)>,
}

/// What a walk over the statements of a model does at each of them.
pub trait Visitor {
    /// Meets one element of a statement `site ~ distribution(parameters)` and gives its value: the present one, or a draw.
    fn visit(&mut self, statement: &Statement<'_>, value: &mut [f64]);

    /// Meets one element of a `factor(..)` statement.
    fn factor(&mut self, _factor: usize, _row: usize, _value: f64) {}

    /// Is told, by [`LogJoint::reads`] alone, which rows of latents a row of a factor depends on: increasing, each once.
    fn reads(&mut self, _factor: usize, _row: usize, _latents: &[usize]) {}
}

/// One element of a statement, met with the values of its parameters.
#[derive(Debug)]
pub struct Statement<'a> {
    /// Which factor of the graph.
    pub factor: usize,
    /// Which element of the factor, counted in the order of evaluation.
    pub row: usize,
    /// What the site is.
    pub kind: SiteKind,
    /// The distribution.
    pub distribution: &'a dyn Sampler,
    /// The values of its parameters.
    pub params: &'a [f64],
}

/// The log joint density of a model bound to its data, object-safe: all that the engine calls.
///
/// Values are rows of lanes, `[element][sample]`, the sample fastest. `u` is unconstrained, `z` (in the workspace) constrained.
pub trait LogJoint<E: Real>: Sync {
    /// Sites and factors.
    fn graph(&self) -> &'static Graph;
    /// Names, shapes and rows.
    fn layout(&self) -> &Layout;
    /// Buffers for `samples` Monte Carlo samples, a multiple of [`Real::LANE_MULTIPLE`].
    fn workspace(&self, samples: usize) -> Workspace<E>;
    /// Every weight one; of a batch `N / B` for what it stands for.
    fn unit_weights(&self, samples: usize) -> Weights<E>;
    /// Computes the constrained latents of the workspace's unconstrained numbers; adds `log |dz / du|` to `log_det` (`[sample]`).
    fn constrain(&self, work: &mut Workspace<E>, log_det: &mut [f64]);
    /// From constrained latents (as in the workspace, one sample) to unconstrained ones.
    ///
    /// # Errors
    /// The index into [`Layout::variables`] and the element that lie outside the support.
    fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)>;
    /// Sets `log_joint` (`[sample]`, summed in f64, in nats) to the weighted log joint density of the workspace's latents
    /// (constrained, without Jacobian) and the workspace's adjoints to its derivative.
    fn accumulate(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_joint: &mut [f64]);
    /// Computes all quantities from the latents of the workspace.
    fn complete(&self, work: &mut Workspace<E>);
    /// The number of rows of a factor.
    fn factor_rows(&self, factor: usize) -> usize;
    /// Writes the log density of some rows of one factor, `[row][sample]`, from the completed workspace.
    fn log_prob_rows(&self, factor: usize, rows: Range<usize>, work: &mut Workspace<E>, out: &mut [E]);
    /// Walks over all statements with one sample: `values` are the rows of the layout (latents read unless the visitor
    /// draws them, quantities computed), `observed` its observed elements (written as the visitor gives them).
    fn walk(&self, values: &mut [f64], observed: &mut [f64], visitor: &mut dyn Visitor);
    /// The observed elements as data, for a walk that does not replace them.
    fn observed(&self) -> Vec<f64>;
    /// Walks over all statements, so that [`Visitor::reads`] learns which latents each row of each factor depends on, through quantities and index arrays:
    /// the Markov blankets.
    fn reads(&self, visitor: &mut dyn Visitor);

    /// The same model over some elements of a plate that is not refused: all else is borrowed.
    ///
    /// # Errors
    /// None that the whole model did not have.
    fn batch(&self, batch: &Batch<'_>) -> Result<Box<dyn LogJoint<E> + '_>, DataError>;

    /// Computes the rows of the location and scale of one of [`Layout::centred`] from the latents before it.
    fn locate(&self, centred: usize, work: &mut Workspace<E>);
    /// Adds the pullback of the adjoints of these rows.
    fn pull_locate(&self, centred: usize, work: &mut Workspace<E>, weights: &Weights<E>);
    /// Pulls the adjoints of the constrained latents back to the unconstrained numbers, with that of `log |dz / du|`.
    fn pull_constrain(&self, work: &mut Workspace<E>, weights: &Weights<E>);

    /// Sets `log_density` (`[sample]`) to the weighted log density of the workspace's unconstrained numbers, Jacobian included, and
    /// [`Workspace::gradient`] to its gradient.
    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]);
}

/// What is wrong with the data of a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Two arrays disagree about the size of a dimension.
    #[error(
        "`{model}`: dimension `{dim}` has size {first_size} in `{first}` but {second_size} in `{second}`; \
         a dimension has one size everywhere"
    )]
    SizeMismatch {
        /// The model.
        model: &'static str,
        /// The dimension.
        dim: &'static str,
        /// The array that gave the size first.
        first: &'static str,
        /// Its size.
        first_size: usize,
        /// The array that disagrees.
        second: &'static str,
        /// Its size.
        second_size: usize,
    },
    /// An index array points outside its dimension.
    #[error("`{model}`: `{field}[{row}]` is {value}, but it must be an index into `{dim}`, which has size {size} (0 to {last})",
        last = size.saturating_sub(1))]
    IndexOutOfRange {
        /// The model.
        model: &'static str,
        /// The index array.
        field: &'static str,
        /// Where in it.
        row: usize,
        /// The index.
        value: usize,
        /// The dimension.
        dim: &'static str,
        /// Its size.
        size: usize,
    },
    /// An index expression leaves its axis for some row.
    #[error(
        "`{model}`: in `{expression}` the index runs from {lowest} to {highest}, but `{array}` has {size} elements there; \
         narrow the range of the loop"
    )]
    ShiftedIndexOutOfRange {
        /// The model.
        model: &'static str,
        /// The expression as written.
        expression: &'static str,
        /// The array.
        array: &'static str,
        /// The least index.
        lowest: i64,
        /// The greatest index.
        highest: i64,
        /// The size of the axis.
        size: usize,
    },
    /// A value that is `NaN` or infinite.
    #[error("`{model}`: `{field}[{row}]` is {value}; data must be finite (leave the row out, or model what is missing)")]
    NotFinite {
        /// The model.
        model: &'static str,
        /// The array.
        field: &'static str,
        /// Where in it, counted in row-major order.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A value outside the support of the distribution it is observed under, or of the parameter it is used as.
    #[error("`{model}`: `{field}[{row}]` is {value}, but `{statement}` needs it {expected}")]
    OutsideSupport {
        /// The model.
        model: &'static str,
        /// The array.
        field: &'static str,
        /// Where in it, counted in row-major order.
        row: usize,
        /// The value.
        value: f64,
        /// The statement as written.
        statement: &'static str,
        /// The set in words: "positive".
        expected: String,
    },
    /// A parameter that starts outside its support.
    #[error("`{model}`: `{name}` starts from {value}, but `{statement}` needs it {expected}; change what stands right of `=`")]
    Start {
        /// The model.
        model: &'static str,
        /// The element: `share[2]`.
        name: String,
        /// The value.
        value: f64,
        /// The statement as written.
        statement: &'static str,
        /// The set in words: "positive".
        expected: String,
    },
    /// A label that the fit has not seen.
    #[error("`{model}`: `{field}[{row}]` is `{label}`, which is not a level of `{dim}` in the fit; predict for known levels")]
    UnknownLevel {
        /// The model.
        model: &'static str,
        /// The index array.
        field: &'static str,
        /// Where in it.
        row: usize,
        /// The label.
        label: String,
        /// The dimension.
        dim: &'static str,
    },
    /// A dimension whose size nothing tells, or that must not be empty.
    #[error("`{model}`: dimension `{dim}` is empty, and `{needed_by}` needs at least {least} of it")]
    Empty {
        /// The model.
        model: &'static str,
        /// The dimension.
        dim: &'static str,
        /// What needs it.
        needed_by: &'static str,
        /// How many are needed.
        least: usize,
    },
}
