//! What inference may know of a model: its graph, its layout, and its log joint density with the derivative.

mod batch;
mod batches;
mod error;
mod forward;
mod graph;
mod layout;
mod refinement;
mod visit;
mod workspace;

use std::ops::Range;

pub(crate) use batch::Inverse;
pub use batch::{Batch, BatchError, Following};
pub use batches::Batches;
pub(crate) use batches::Same;
pub use error::DataError;
pub(crate) use forward::forward;
pub use graph::{DiscreteLatent, Equation, Factor, Follows, Graph, Owner, Plate, Read, Site, SiteKind, SummedOut};
pub use layout::{Centred, Dimension, Layout, Missing, Values, Variable};
pub use refinement::Refinement;
pub(crate) use visit::draw_choice;
pub use visit::{Statement, Visitor};
pub use workspace::{Aligned, Partition, Weights, Workspace, aligned};

use crate::kernel::Real;

/// What is asked of the values of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choices {
    /// The probability of each.
    Marginal,
    /// Of a chain, its most probable path: one for the values on it, and zero for all others.
    Path,
}

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

/// The log joint density of a model bound to its data, object-safe: all that the engine calls.
///
/// Values are rows of lanes, `[element][sample]`, the sample fastest. `u` is unconstrained, `z` (in the workspace) constrained.
pub trait LogJoint<E: Real>: Sync {
    /// Sites and factors.
    fn graph(&self) -> &'static Graph;
    /// Names, shapes and rows.
    fn layout(&self) -> &Layout;
    /// What a fit tells about, in the rows of the same workspace: more than the layout where something is not the guide's to find.
    fn reported(&self) -> &Layout {
        self.layout()
    }
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
    /// How many values each loop around a sum of [`Graph::sums`] has, outermost first, and the sum itself, last.
    fn choices(&self, _sum: usize) -> Vec<usize> {
        Vec::new()
    }
    /// Writes what each value of a sum contributes to some rows of its factor, from the completed workspace: `[factor row][inner loops ..][value][sample]`, in
    /// nats, up to a constant of each row. The probability of a value, of a sum within another one given the value of that, is proportional to its exponential.
    fn log_choices(&self, _sum: (usize, Choices), _rows: Range<usize>, _work: &mut Workspace<E>, _out: &mut [E]) {}
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
    fn batch(&self, batch: &Batch<'_>) -> Result<Box<dyn LogJoint<E> + Send + '_>, DataError>;

    /// What goes with some elements of a plate into a batch: the elements of other dimensions that belong to them ([`Plate::following`]).
    fn following(&self, _plate: usize, _rows: &[usize]) -> Vec<Following> {
        Vec::new()
    }

    /// As [`LogJoint::batch`], of elements that are spread over the plate to stand for all of it: a model whose data are not in memory takes others that do it as well.
    ///
    /// # Errors
    /// As [`LogJoint::batch`].
    fn part(&self, batch: &Batch<'_>) -> Result<Box<dyn LogJoint<E> + Send + '_>, DataError> {
        self.batch(batch)
    }

    /// Batches of `rows` elements of a plate that is not refused, which has as many.
    fn batches(&self, plate: usize, rows: usize, seed: u64) -> Box<dyn Batches<E> + '_> {
        Box::new(batches::Permuted::new(self.layout().dims[plate].size, (plate, rows), seed))
    }

    /// How many draws are worth evaluating at once, a multiple of 64: more where each evaluation reads the data anew.
    fn at_once(&self) -> usize {
        64
    }

    /// Computes the rows of the location and scale of one of [`Layout::centred`] from the latents before it.
    fn locate(&self, centred: usize, work: &mut Workspace<E>);
    /// Adds the pullback of the adjoints of these rows.
    fn pull_locate(&self, centred: usize, work: &mut Workspace<E>, weights: &Weights<E>);
    /// Pulls the adjoints of the constrained latents back to the unconstrained numbers, with that of `log |dz / du|`.
    fn pull_constrain(&self, work: &mut Workspace<E>, weights: &Weights<E>);

    /// Sets `log_density` (`[sample]`) to the weighted log density of the workspace's unconstrained numbers, Jacobian included, and
    /// [`Workspace::gradient`] to its gradient.
    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]);

    /// Solves the differential equations of the model in other steps from now on.
    fn refine(&mut self, _refinement: Refinement) {}

    /// How many numbers are the same for all samples and are kept for each of them: what limits how many are worth taking at once.
    fn repeated(&self) -> usize {
        0
    }

    /// Where something is the best at any samples ([`Graph::discretes`]): keeps it as it is at these (unconstrained, `[dimension][sample]`), until it is told none.
    /// Returns whether there is such a thing.
    fn hold(&self, _samples: Option<(&[E], usize)>) -> bool {
        false
    }

    /// As [`LogJoint::log_density`], of samples that are points by themselves and no draws of one distribution.
    fn log_density_of_points(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        self.log_density(work, weights, log_density);
    }
}
