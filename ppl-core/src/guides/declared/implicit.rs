//! Latents that are drawn by their quantiles, and move with the parameters as these do: implicit reparameterization.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::drawn::{Drawn, Elements};
use crate::distributions::{Answer, Cumulative, Density, Parameter, Wanted, answer};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// `u` is the unconstrained number below which lies the probability of what is below the noise.
///
/// # Source
/// Figurnov, Mohamed & Mnih 2018, Implicit reparameterization gradients.
#[derive(Debug)]
pub(super) struct Implicit<D, const P: usize>(PhantomData<D>);

impl<D, const P: usize> Implicit<D, P> {
    pub(super) const NEW: Self = Implicit(PhantomData);
}

impl<E: Real, D: Cumulative<P> + Debug + Send + Sync, const P: usize> Drawn<E> for Implicit<D, P> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn draw(&self, elements: Elements<'_, E>, noise: &[E], u: &mut [E]) {
        run::<E, D, P>(elements, Task::Draw { noise, u });
    }

    fn log_prob(&self, elements: Elements<'_, E>, _noise: Option<&[E]>, u: &[E], log_prob: &mut [f64]) {
        run::<E, D, P>(elements, Task::LogProb { u, log_prob });
    }

    fn score(
        &self,
        elements: Elements<'_, E>,
        (u, _): (&[E], Option<&[E]>),
        weights: &[E],
        adjoints: &mut [E],
        u_adjoint: Option<&mut [E]>,
    ) {
        run::<E, D, P>(elements, Task::Score { u, weights, adjoints, u_adjoint });
    }

    fn pull(&self, elements: Elements<'_, E>, (u, _): (&[E], &[E]), weights: Option<&[E]>, adjoints: &mut [E], u_adjoint: &[E]) {
        run::<E, D, P>(elements, Task::Pull { u, weights, adjoints, u_adjoint });
    }
}

/// Where the numbers of one element in some lanes are.
struct At<const P: usize> {
    u: usize,
    noise: usize,
    parameters: [usize; P],
}

impl<const P: usize> At<P> {
    #[inline(always)]
    fn of<E>(elements: Elements<'_, E>, element: usize, offset: usize) -> Self {
        let at = |first: usize| (first + element) * elements.samples + offset;
        At { u: at(elements.u), noise: at(elements.noise), parameters: std::array::from_fn(|i| at(elements.parameters[i].start)) }
    }

    #[inline(always)]
    fn load<V: Lanes>(&self, values: &[V::Element]) -> [V; P] {
        self.parameters.map(|at| V::load(&values[at..]))
    }
}

/// What is done with each element: one of the methods of [`Drawn`].
enum Task<'a, E> {
    Draw { noise: &'a [E], u: &'a mut [E] },
    LogProb { u: &'a [E], log_prob: &'a mut [f64] },
    Score { u: &'a [E], weights: &'a [E], adjoints: &'a mut [E], u_adjoint: Option<&'a mut [E]> },
    Pull { u: &'a [E], weights: Option<&'a [E]>, adjoints: &'a mut [E], u_adjoint: &'a [E] },
}

/// One kernel for all: the distribution function is much code, in each of the instruction sets.
struct Each<'a, D, E, const P: usize> {
    elements: Elements<'a, E>,
    task: Task<'a, E>,
    of: PhantomData<D>,
}

fn run<E: Real, D: Cumulative<P>, const P: usize>(elements: Elements<'_, E>, task: Task<'_, E>) {
    dispatch(Each::<D, E, P> { elements, task, of: PhantomData });
}

impl<E: Real, D: Cumulative<P>, const P: usize> Kernel<E> for Each<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        for i in 0..self.elements.count {
            for offset in (0..self.elements.samples).step_by(V::WIDTH) {
                let at = At::<P>::of(self.elements, i, offset);
                let wanted = match &self.task {
                    Task::Draw { noise, .. } => Wanted::Draw(V::load(&noise[at.noise..])),
                    Task::LogProb { u, .. } | Task::Score { u, .. } => Wanted::Density(V::load(&u[at.u..])),
                    Task::Pull { u, .. } => Wanted::Velocity(V::load(&u[at.u..])),
                };
                let found = answer::<D, V, P>(wanted, at.load(self.elements.values));
                self.task.take(found, &at, offset);
            }
        }
    }
}

impl<E: Real> Task<'_, E> {
    /// Writes what was found of an element.
    #[inline(always)]
    fn take<V: Lanes<Element = E>, const P: usize>(&mut self, found: Answer<V, P>, at: &At<P>, offset: usize) {
        let Answer { u: drawn, density: Density { ln, d_u, d_params }, velocity } = found;
        match self {
            Task::Draw { u, .. } => drawn.store(&mut u[at.u..]),
            Task::LogProb { log_prob, .. } => {
                let mut sum = V::Sum::zero();
                sum += ln;
                sum.add_to(&mut log_prob[offset..]);
            }
            Task::Score { weights, adjoints, u_adjoint, .. } => {
                let weight = V::load(&weights[offset..]);
                for (derivative, to) in d_params.into_iter().zip(at.parameters) {
                    (weight * derivative).store(&mut adjoints[to..]);
                }
                if let Some(adjoint) = u_adjoint {
                    let to = &mut adjoint[at.u..];
                    weight.mul_add(d_u, V::load(to)).store(to);
                }
            }
            Task::Pull { weights, adjoints, u_adjoint, .. } => {
                let weight = weights.map_or(V::zero(), |weights| V::load(&weights[offset..]));
                let adjoint = V::load(&u_adjoint[at.u..]) - weight * d_u;
                for k in 0..P {
                    (adjoint * velocity[k] - weight * d_params[k]).store(&mut adjoints[at.parameters[k]..]);
                }
            }
        }
    }
}
