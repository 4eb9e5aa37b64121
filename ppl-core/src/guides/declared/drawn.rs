//! What a latent of a guide is drawn from: a smooth function of its noise and its parameters, and the density of that.

use std::fmt::{Debug, Formatter};
use std::ops::Range;

use super::dirichlet::Dirichlet;
use super::discrete::{Category, Discrete, OrderedCategory, WholeNumber};
use super::gaussian::Gaussian;
use super::implicit::Implicit;
use super::pathwise::{Jointly, Pathwise};
use super::sorted::Sorted;
use crate::distributions::{Cumulative, Multiparameter, Multivariate, Parameter, Univariate};
use crate::guides::NativeFamily;
use crate::kernel::Real;

/// Where the elements of a latent are: rows of lanes, one a sample.
#[derive(Debug)]
pub struct Elements<'a, E> {
    /// How many unconstrained numbers.
    pub(super) count: usize,
    /// How many numbers, vectors or matrices these are.
    pub(super) events: usize,
    /// The first of their unconstrained numbers.
    pub(super) u: usize,
    /// Their noise.
    pub(super) noise: usize,
    /// The rows of each parameter.
    pub(super) parameters: &'a [Range<usize>],
    pub(super) samples: usize,
    /// The values of all rows of the guide.
    pub(super) values: &'a [E],
}

impl<'a, E> Elements<'a, E> {
    /// One of them alone, whose rows of each parameter these are.
    pub(super) fn one<'b>(&self, element: usize, parameters: &'b [Range<usize>]) -> Elements<'b, E>
    where
        'a: 'b,
    {
        let (u, noise) = (self.u + element, self.noise + element);
        Elements { count: 1, events: 1, u, noise, parameters, samples: self.samples, values: self.values }
    }

    /// So many unconstrained numbers of so many events, which begin at the same row as their noise.
    pub(crate) fn new(
        (count, events, first): (usize, usize, usize),
        parameters: &'a [Range<usize>],
        samples: usize,
        values: &'a [E],
    ) -> Self {
        Elements { count, events, u: first, noise: first, parameters, samples, values }
    }
}

impl<E> Clone for Elements<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Elements<'_, E> {}

/// What is asked of a family: one of the methods of [`Drawn`].
#[derive(Debug)]
#[allow(missing_docs, reason = "the arguments of the methods")]
pub enum Task<'a, E> {
    Draw { noise: &'a [E], u: &'a mut [E] },
    LogProb { noise: Option<&'a [E]>, u: &'a [E], log_prob: &'a mut [f64] },
    Score { u: &'a [E], noise: Option<&'a [E]>, weights: &'a [E], adjoints: &'a mut [E], u_adjoint: Option<&'a mut [E]> },
    Pull { u: &'a [E], noise: &'a [E], weights: Option<&'a [E]>, adjoints: &'a mut [E], u_adjoint: &'a [E] },
}

/// A family that latents of guides are drawn from, on the unconstrained scale: `u = g(noise, parameters)`, the noise standard normal; of whole numbers `u` is the
/// value itself.
pub trait Drawn<E: Real>: Send + Sync {
    /// Its name in the language.
    fn name(&self) -> &'static str;
    /// Names and supports of its parameters, in order.
    fn parameters(&self) -> &'static [Parameter];
    /// Whether its values are whole numbers, and have no path.
    fn is_discrete(&self) -> bool {
        false
    }
    /// Does with all elements what is asked.
    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>);

    /// Sets the unconstrained numbers.
    fn draw(&self, elements: Elements<'_, E>, noise: &[E], u: &mut [E]) {
        self.run(elements, Task::Draw { noise, u });
    }

    /// Adds the log density of the unconstrained numbers; the noise is what they were drawn with, where it is known.
    fn log_prob(&self, elements: Elements<'_, E>, noise: Option<&[E]>, u: &[E], log_prob: &mut [f64]) {
        self.run(elements, Task::LogProb { noise, u, log_prob });
    }

    /// The derivative of the weighted log density: that by parameters is set, that by the unconstrained numbers, where it is wanted, added.
    fn score(
        &self,
        elements: Elements<'_, E>,
        (u, noise): (&[E], Option<&[E]>),
        weights: &[E],
        adjoints: &mut [E],
        u_adjoint: Option<&mut [E]>,
    ) {
        self.run(elements, Task::Score { u, noise, weights, adjoints, u_adjoint });
    }

    /// The pullback of [`Drawn::draw`], of unconstrained numbers and their noise: that by parameters is set; with weights, less that of the weighted log density
    /// along the path.
    fn pull(
        &self,
        elements: Elements<'_, E>,
        (u, noise): (&[E], &[E]),
        weights: Option<&[E]>,
        adjoints: &mut [E],
        u_adjoint: &[E],
    ) {
        self.run(elements, Task::Pull { u, noise, weights, adjoints, u_adjoint });
    }
}

impl<E: Real> Debug for dyn Drawn<E> + '_ {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What is normal on the unconstrained scale.
#[must_use]
pub fn gaussian<E: Real>() -> &'static dyn Drawn<E> {
    E::gaussian()
}

/// The same, compiled for an element.
pub(crate) fn gaussian_of<E: Real>() -> &'static dyn Drawn<E> {
    &Gaussian
}

/// Vectors or matrices of a distribution whose draws move with its parameters.
#[must_use]
pub fn jointly<E: Real, D: Pathwise<P>, const P: usize>() -> &'static dyn Drawn<E> {
    const { &Jointly::<D, P>::NEW }
}

/// One of the families that the automatic guide knows too, which are compiled already.
#[must_use]
pub fn native<E: Real>(family: NativeFamily) -> &'static dyn Drawn<E> {
    E::native(family)
}

/// Vectors of independent draws, sorted.
#[must_use]
pub fn sorted<E: Real, D: Cumulative<P> + 'static, const P: usize>() -> &'static dyn Drawn<E> {
    const { &Sorted::<D, P>::NEW }
}

/// A simplex of a Dirichlet distribution.
#[must_use]
pub fn dirichlet<E: Real>() -> &'static dyn Drawn<E> {
    E::dirichlet()
}

/// The same, compiled for an element.
pub(crate) fn dirichlet_of<E: Real>() -> &'static dyn Drawn<E> {
    &Dirichlet
}

/// Any distribution of whole numbers with numbers as parameters.
#[must_use]
pub fn whole_number<E: Real, D: Univariate<P> + 'static, const P: usize>() -> &'static dyn Drawn<E> {
    const { &Discrete::<WholeNumber<D, P>>::NEW }
}

/// Categories of probabilities, or of logits.
#[must_use]
pub fn category<E: Real, D: Multivariate + 'static>() -> &'static dyn Drawn<E> {
    const { &Discrete::<Category<D>>::NEW }
}

/// Categories of a number among cutpoints.
#[must_use]
pub fn ordered_category<E: Real, D: Multiparameter<2> + 'static>() -> &'static dyn Drawn<E> {
    const { &Discrete::<OrderedCategory<D>>::NEW }
}

/// Any distribution of one number with a distribution function.
#[must_use]
pub fn drawn_from<E: Real, D: Cumulative<P> + 'static, const P: usize>() -> &'static dyn Drawn<E> {
    const { &Implicit::<D, P>::NEW }
}
