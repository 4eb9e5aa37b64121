//! Latents that are drawn by their quantiles, and move with the parameters as these do: implicit reparameterization.

use std::marker::PhantomData;

use super::drawn::{Drawn, Elements, Task};
use crate::distributions::{Answer, Cumulative, Density, Parameter, Probability, Wanted, answer};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// `u` is the unconstrained number below which lies the probability of what is below the noise.
///
/// # Source
/// Figurnov, Mohamed & Mnih 2018, Implicit reparameterization gradients.
pub(super) struct Implicit<D, const P: usize>(PhantomData<fn() -> D>);

impl<D, const P: usize> Implicit<D, P> {
    pub(super) const NEW: Self = Implicit(PhantomData);
}

impl<E: Real, D: Cumulative<P>, const P: usize> Drawn<E> for Implicit<D, P> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        // One kernel for all tasks: a quantile is much code, in each of the instruction sets.
        dispatch(Each::<D, E, P> { elements, task, of: PhantomData });
    }
}

/// Where an unconstrained number in some lanes and its noise are, and how far the number is moved after it is drawn.
pub(super) struct At<V> {
    pub(super) u: usize,
    pub(super) noise: usize,
    pub(super) offset: usize,
    pub(super) shift: V,
}

impl<E: Real> Task<'_, E> {
    /// Does it with an element: `D` has these parameters. The derivatives by them, where they are asked for, are returned.
    #[inline(always)]
    pub(super) fn run<D: Cumulative<P>, V: Lanes<Element = E>, const P: usize>(
        &mut self,
        at: &At<V>,
        parameters: [V; P],
    ) -> [V; P] {
        let wanted = match self {
            Task::Draw { noise, .. } => Wanted::Draw(Probability::below(V::load(&noise[at.noise..]))),
            Task::LogProb { u, .. } | Task::Score { u, .. } => Wanted::Density(V::load(&u[at.u..]) - at.shift),
            Task::Pull { u, .. } => Wanted::Velocity(V::load(&u[at.u..]) - at.shift),
        };
        let Answer { u: drawn, density: Density { ln, d_u, d_params }, velocity } = answer::<D, V, P>(wanted, parameters);
        let mut derivatives = [V::zero(); P];
        match self {
            Task::Draw { u, .. } => (drawn + at.shift).store(&mut u[at.u..]),
            Task::LogProb { log_prob, .. } => {
                let mut sum = V::Sum::zero();
                sum += ln;
                sum.add_to(&mut log_prob[at.offset..]);
            }
            Task::Score { weights, u_adjoint, .. } => {
                let weight = V::load(&weights[at.offset..]);
                for k in 0..P {
                    derivatives[k] = weight * d_params[k];
                }
                if let Some(adjoint) = u_adjoint {
                    let to = &mut adjoint[at.u..];
                    weight.mul_add(d_u, V::load(to)).store(to);
                }
            }
            Task::Pull { weights, u_adjoint, .. } => {
                let weight = weights.map_or(V::zero(), |weights| V::load(&weights[at.offset..]));
                let adjoint = V::load(&u_adjoint[at.u..]) - weight * d_u;
                for k in 0..P {
                    derivatives[k] = adjoint * velocity[k] - weight * d_params[k];
                }
            }
        }
        derivatives
    }

    /// Sets the derivative by the parameter of a row, where it is asked for.
    #[inline(always)]
    pub(super) fn set<V: Lanes<Element = E>>(&mut self, at: usize, derivative: V) {
        if let Task::Score { adjoints, .. } | Task::Pull { adjoints, .. } = self {
            derivative.store(&mut adjoints[at..]);
        }
    }
}

/// What is done with each element.
struct Each<'a, D, E, const P: usize> {
    elements: Elements<'a, E>,
    task: Task<'a, E>,
    of: PhantomData<D>,
}

impl<E: Real, D: Cumulative<P>, const P: usize> Kernel<E> for Each<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, noise, parameters, samples, values, .. } = self.elements;
        for i in 0..count {
            for offset in (0..samples).step_by(V::WIDTH) {
                let place = |first: usize| (first + i) * samples + offset;
                let rows: [usize; P] = std::array::from_fn(|k| place(parameters[k].start));
                let at = At { u: place(u), noise: place(noise), offset, shift: V::zero() };
                let derivatives = self.task.run::<D, V, P>(&at, rows.map(|row| V::load(&values[row..])));
                for k in 0..P {
                    self.task.set(rows[k], derivatives[k]);
                }
            }
        }
    }
}
