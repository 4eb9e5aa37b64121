//! Guides: variational families on the unconstrained space, each two differentiable maps.

mod blocks;
mod declared;
mod family;
mod flows;
mod full_rank;
mod low_rank;
mod mean_field;
pub mod mean_field_reference;
mod mixture;
mod native;
mod natural;
mod own;
mod table;
#[cfg(test)]
mod tests;
mod whitened;
mod with_discrete;
mod with_points;

pub use blocks::Blocks;
pub use declared::{
    Base, ComponentOf, CountOf, DeclaredGuide, Drawn, DrawnFrom, DrawnMixture, Elements, GuideError, GuideOf, MixtureComponent,
    Pathwise, Start, Task, category, dirichlet, drawn_from, gaussian, jointly, native, ordered_category, sorted, whole_number,
};
pub(crate) use declared::{dirichlet_of, gaussian_of};
pub use family::{Family, FittedGuide};
pub use flows::{Flow, FlowError, FlowKind};
pub use full_rank::FullRank;
pub use low_rank::LowRank;
pub use mean_field::MeanField;
pub use mixture::{Component, Mixture};
pub use native::{Native, NativeFamily};
pub(crate) use natural::natural_step;
pub use own::OwnGuide;
pub use table::Table;
pub use whitened::{Whitened, Whitening};
pub use with_discrete::WithDiscrete;
pub use with_points::WithPoints;

use crate::kernel::{Lanes, Real, Sum};
use crate::model::{Batch, Graph, Layout};

/// The dimensions that a batch has.
#[derive(Clone, Copy, Debug)]
pub struct OfBatch<'a> {
    /// Some elements of a plate of the model.
    pub batch: &'a Batch<'a>,
    /// Of the whole model, and of the model over these elements.
    pub whole: &'a Layout,
    /// Its dimensions are those of the batch.
    pub part: &'a Layout,
    /// Which of the whole model's these are.
    pub dimensions: &'a [usize],
    /// To which element of the plate each belongs, if it is over it.
    pub owners: &'a [Option<usize>],
}

/// A variational family `q(u)`, as two maps with their pullbacks: from noise to draws, and from draws to log densities.
///
/// Draws and noise are rows of lanes, `[dimension][sample]`. Reparameterization pulls the adjoint of the draws back; sticking
/// the landing leaves out the parameters' adjoint of log q; the score function uses it alone. What is not closed for a family has a
/// default in terms of the two maps.
pub trait Guide<E: Real>: Send {
    /// What reports call it: of itself the name of its type.
    fn name(&self) -> String {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path).to_owned()
    }
    /// Parameters that have names, element after element, in the supports that they were declared with.
    fn named_parameters(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// The parameters that are optimized.
    fn parameters(&self) -> &[f64];
    /// The parameters, to be changed.
    fn parameters_mut(&mut self) -> &mut [f64];
    /// The number of unconstrained dimensions.
    fn dimensions(&self) -> usize;
    /// How many standard normal numbers a draw is made of.
    fn noise(&self) -> usize {
        self.dimensions()
    }

    /// How many rows of noise, the first ones, spread the draws: a multiple of these is a guide that reaches further out. What picks one of a few things is
    /// none of them.
    fn spreading(&self) -> usize {
        self.noise()
    }

    /// Into how many strata of samples [`Guide::sample`] divides them: at least twice as many samples are needed.
    fn groups(&self) -> usize {
        1
    }

    /// Turns standard normal noise into samples `u`, for expectations: of equal weight, or as [`Guide::strata`] says.
    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]);
    /// Turns standard normal noise into independent draws of equal weight.
    fn draw(&self, noise: &[E], samples: usize, u: &mut [E]) {
        self.sample(noise, samples, u);
    }
    /// Writes how much each sample counts, on average one (`[sample]`), and returns true; or returns false where all count alike.
    fn strata(&self, _samples: usize, _weights: &mut [f64]) -> bool {
        false
    }
    /// Adds to `gradient` the pullback of the adjoint of the weights of [`Guide::strata`] (`[sample]`).
    fn pull_strata(&self, _adjoint: &[f64], _gradient: &mut [f64]) {}
    /// Adds to `gradient` the pullback of the adjoint of the samples, summed over samples. The adjoint is used up.
    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]);

    /// Writes the log density of each draw (`[sample]`), in nats.
    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]);
    /// As [`Guide::log_prob`], of samples whose noise is known.
    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        self.log_prob(path.u, path.samples, log_prob);
    }
    /// Adds the pullback of weights on [`Guide::log_prob`] to the adjoint of the draws and to the gradient of the parameters.
    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>);

    /// The independent blocks of dimensions: what one block draws tells nothing of another. Points may be in any.
    fn blocks(&self) -> Vec<Vec<usize>> {
        vec![(0..self.dimensions()).collect()]
    }
    /// Whether the draws of a block are a differentiable function of its parameters, [`Guide::pull_sample`]; else only the score function is left.
    fn has_path(&self, _block: usize) -> bool {
        true
    }
    /// Whether nothing that is drawn later depends on the draws of a block: else its score must be weighed with the whole cost.
    fn is_last(&self, _block: usize) -> bool {
        true
    }
    /// Writes the log density of each block in each draw (`[block][sample]`), in nats.
    fn block_log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        self.log_prob(u, samples, log_prob);
    }
    /// As [`Guide::pull_log_prob`], of weights for each block (`[block][sample]`).
    fn pull_block_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        u_adjoint: Option<&mut [E]>,
        gradient: Option<&mut [f64]>,
    ) {
        self.pull_log_prob(u, samples, weights, u_adjoint, gradient);
    }

    /// Adds the derivative along the path of `adjoint . u - weights . log q(u)`, of `log q` by the draws alone: nothing of the noise
    /// is left where q is the target (Roeder, Wu & Duvenaud 2017). The adjoint is used up.
    fn stick(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _scratch: &mut Vec<E>) {
        let minus: Vec<f64> = weights.iter().map(|w| -w.to_f64()).collect();
        self.pull_log_prob(path.u, path.samples, &minus, Some(&mut *u_adjoint), None);
        self.pull_sample(path, u_adjoint, gradient);
    }
    /// As [`Guide::stick`], with the derivative of `log q` by its parameters too: the whole derivative.
    fn pull_path(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _scratch: &mut Vec<E>) {
        let minus: Vec<f64> = weights.iter().map(|w| -w.to_f64()).collect();
        self.pull_log_prob(path.u, path.samples, &minus, Some(&mut *u_adjoint), Some(&mut *gradient));
        self.pull_sample(path, u_adjoint, gradient);
    }
    /// The guide of some elements of a plate and of all that is not over it, with where each of its parameters stands among all; none where these depend on the
    /// others. Points are the last of both.
    fn part(&self, _of: &OfBatch<'_>) -> Option<(Box<dyn Guide<E> + '_>, Vec<usize>)> {
        None
    }
    /// Why there is no such part for batches of a plate of a model; nothing where there is.
    fn refuses_batches(&self, _plate: usize, _graph: &Graph, _layout: &Layout) -> Option<String> {
        Some("it has no part for some of their elements: implement `Guide::part`".to_owned())
    }
    /// The entropy in nats, if it is known in closed form; its gradient is added to `gradient`.
    fn entropy(&self, _gradient: Option<&mut [f64]>) -> Option<f64> {
        None
    }

    /// The dimensions for which the guide has no start of its own: a fit finds one, and calls [`Guide::begin`].
    fn open(&self) -> &[usize] {
        &[]
    }
    /// Begins the dimensions of [`Guide::open`] there.
    fn begin(&mut self, _start: &Start) {}

    /// How many of the parameters, the first ones, are locations, if it is known: with all else held, the ELBO of a Gaussian posterior is a quadratic of these, whose gradient
    /// antithetic samples, however few, know exactly.
    fn locations(&self) -> usize {
        0
    }
    /// Writes for each of some parameters the change that matters as much as one standard deviation of the guide.
    fn units(&self, parameters: &[f64], units: &mut [f64]);
    /// The same, to tell whether a change matters; other than [`Guide::units`] where a step of that length would be a leap.
    fn tolerances(&self, parameters: &[f64], units: &mut [f64]) {
        self.units(parameters, units);
    }
    /// Replaces the gradient of the ELBO by a natural-gradient step of this length, at most one, and returns true; or returns false where the Fisher information is not
    /// known. Of independent normals, whose posterior is the same, a step of length one leads to its top.
    fn natural_step(&self, _rate: f64, _gradient: &mut [f64]) -> bool {
        false
    }
    /// Multiplies all scales by a factor.
    fn narrow(&mut self, factor: f64);
    /// The mean of the draws, if it is known in closed form.
    fn mean(&self) -> Option<&[f64]> {
        None
    }
    /// Adds the exact expectation of the pullback of the adjoint `A (u - E u)` (`A` row by row), and says whether it is known:
    /// what a control variate made of a linear model of the gradient needs.
    fn pull_linear(&self, _matrix: &[f64], _gradient: &mut [f64]) -> bool {
        false
    }
}

/// Samples and the noise that they were made of.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a, E> {
    /// Standard normal: `[noise][sample]`.
    pub noise: &'a [E],
    /// What [`Guide::sample`] made of it: `[dimension][sample]`.
    pub u: &'a [E],
    /// The number of samples, a multiple of [`Real::LANE_MULTIPLE`].
    pub samples: usize,
}

/// The log density of independent blocks (`[block][sample]`) together.
fn joint(blocks: &[f64], samples: usize, log_prob: &mut [f64]) {
    log_prob.fill(0.0);
    for block in blocks.chunks_exact(samples) {
        log_prob.iter_mut().zip(block).for_each(|(total, own)| *total += own);
    }
}

/// The sum of a sum over its lanes.
#[inline(always)]
fn lane_sum<V: Lanes>(sum: V::Sum) -> f64 {
    let mut lanes = [0.0; 16];
    sum.add_to(&mut lanes[..V::WIDTH.max(1)]);
    let mut total = 0.0;
    let mut i = 0;
    while i < V::WIDTH {
        total += lanes[i];
        i += 1;
    }
    total
}
