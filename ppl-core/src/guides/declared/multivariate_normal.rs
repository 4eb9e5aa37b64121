//! Vectors that are normal, by the Cholesky factors of their covariances.

use super::drawn::{Drawn, Elements};
use super::gaussian::HALF_LN_TWO_PI;
use crate::distributions::{Parameter, Support};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// `u = loc + L noise`, each vector with a lower triangle `L` of its own; what is above the diagonal is not read.
#[derive(Debug)]
pub(super) struct MultivariateNormal;

impl<E: Real> Drawn<E> for MultivariateNormal {
    fn name(&self) -> &'static str {
        "MultivariateNormal"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "loc", support: Support::Real }, Parameter { name: "scale_tril", support: Support::Real }]
    }

    fn draw(&self, elements: Elements<'_, E>, noise: &[E], u: &mut [E]) {
        dispatch(Vectors { elements, task: Task::Draw { noise, u } });
    }

    fn log_prob(&self, elements: Elements<'_, E>, noise: Option<&[E]>, u: &[E], log_prob: &mut [f64]) {
        dispatch(Vectors { elements, task: Task::LogProb { noise, u, log_prob } });
    }

    fn score(
        &self,
        elements: Elements<'_, E>,
        (u, noise): (&[E], Option<&[E]>),
        weights: &[E],
        adjoints: &mut [E],
        u_adjoint: Option<&mut [E]>,
    ) {
        dispatch(Vectors { elements, task: Task::Score { u, noise, weights, adjoints, u_adjoint } });
    }

    fn pull(
        &self,
        elements: Elements<'_, E>,
        (_, noise): (&[E], &[E]),
        weights: Option<&[E]>,
        adjoints: &mut [E],
        u_adjoint: &[E],
    ) {
        dispatch(Vectors { elements, task: Task::Pull { noise, weights, adjoints, u_adjoint } });
    }
}

/// One of the methods of [`Drawn`].
enum Task<'a, E> {
    Draw { noise: &'a [E], u: &'a mut [E] },
    LogProb { noise: Option<&'a [E]>, u: &'a [E], log_prob: &'a mut [f64] },
    Score { u: &'a [E], noise: Option<&'a [E]>, weights: &'a [E], adjoints: &'a mut [E], u_adjoint: Option<&'a mut [E]> },
    Pull { noise: &'a [E], weights: Option<&'a [E]>, adjoints: &'a mut [E], u_adjoint: &'a [E] },
}

/// What is done with every vector.
struct Vectors<'a, E> {
    elements: Elements<'a, E>,
    task: Task<'a, E>,
}

/// Where the numbers of a vector are, in some lanes.
#[derive(Clone, Copy)]
struct At<'a, E> {
    loc: usize,
    tril: usize,
    u: usize,
    noise: usize,
    samples: usize,
    offset: usize,
    length: usize,
    values: &'a [E],
}

impl<E> At<'_, E> {
    /// A row counted from a first one.
    #[inline(always)]
    fn row(&self, first: usize, k: usize) -> usize {
        (first + k) * self.samples + self.offset
    }

    #[inline(always)]
    fn entry<V: Lanes<Element = E>>(&self, p: usize, q: usize) -> V {
        V::load(&self.values[self.row(self.tril, p * self.length + q)..])
    }

    /// The noise of a vector: as it is known, or by forward substitution.
    #[inline(always)]
    fn noise<V: Lanes<Element = E>>(&self, known: Option<&[E]>, u: &[E], z: &mut Vec<V>) {
        z.clear();
        for p in 0..self.length {
            let own = if let Some(noise) = known {
                V::load(&noise[self.row(self.noise, p)..])
            } else {
                let mut rest = V::load(&u[self.row(self.u, p)..]) - V::load(&self.values[self.row(self.loc, p)..]);
                for (q, z) in z.iter().enumerate() {
                    rest = rest - self.entry::<V>(p, q) * *z;
                }
                rest / self.entry::<V>(p, p)
            };
            z.push(own);
        }
    }
}

impl<E: Real> Kernel<E> for Vectors<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, noise, parameters, samples, values } = self.elements;
        let [loc, tril] = parameters else { return };
        let length = tril.len() / count.max(1);
        let (mut z, mut a) = (Vec::with_capacity(length), Vec::with_capacity(length));
        for first in (0..count).step_by(length.max(1)) {
            let (loc, tril) = (loc.start + first, tril.start + first * length);
            for offset in (0..samples).step_by(V::WIDTH) {
                let at = At { loc, tril, u: u + first, noise: noise + first, samples, offset, length, values };
                self.task.run::<V>(at, &mut z, &mut a);
            }
        }
    }
}

impl<E: Real> Task<'_, E> {
    #[inline(always)]
    fn run<V: Lanes<Element = E>>(&mut self, at: At<'_, E>, z: &mut Vec<V>, a: &mut Vec<V>) {
        let length = at.length;
        match self {
            Task::Draw { noise, u } => {
                at.noise(Some(noise), &[], z);
                for p in 0..length {
                    let mut sum = V::load(&at.values[at.row(at.loc, p)..]);
                    for (q, z) in z.iter().enumerate().take(p + 1) {
                        sum = at.entry::<V>(p, q).mul_add(*z, sum);
                    }
                    sum.store(&mut u[at.row(at.u, p)..]);
                }
            }
            Task::LogProb { noise, u, log_prob } => {
                at.noise(*noise, u, z);
                let mut sum = V::Sum::zero();
                for (p, z) in z.iter().enumerate() {
                    sum += V::constant(-0.5) * *z * *z - at.entry::<V>(p, p).ln() - V::constant(HALF_LN_TWO_PI);
                }
                sum.add_to(&mut log_prob[at.offset..]);
            }
            Task::Score { u, noise, weights, adjoints, u_adjoint } => {
                at.noise(*noise, u, z);
                let weight = V::load(&weights[at.offset..]);
                // By the location it is the noise, back substituted: `L^-T z`.
                a.clear();
                a.resize(length, V::zero());
                for p in (0..length).rev() {
                    let mut rest = z[p];
                    for (q, a) in a.iter().enumerate().skip(p + 1) {
                        rest = rest - at.entry::<V>(q, p) * *a;
                    }
                    a[p] = rest / at.entry::<V>(p, p);
                }
                for (p, a) in a.iter().enumerate() {
                    let slope = weight * *a;
                    slope.store(&mut adjoints[at.row(at.loc, p)..]);
                    if let Some(to) = u_adjoint {
                        let to = &mut to[at.row(at.u, p)..];
                        (V::load(to) - slope).store(to);
                    }
                    for (q, z) in z.iter().enumerate() {
                        let of_volume = if p == q { weight / at.entry::<V>(p, p) } else { V::zero() };
                        let own = if q <= p { slope * *z - of_volume } else { V::zero() };
                        own.store(&mut adjoints[at.row(at.tril, p * length + q)..]);
                    }
                }
            }
            Task::Pull { noise, weights, adjoints, u_adjoint } => {
                at.noise(Some(noise), &[], z);
                let weight = weights.map_or(V::zero(), |weights| V::load(&weights[at.offset..]));
                for p in 0..length {
                    let adjoint = V::load(&u_adjoint[at.row(at.u, p)..]);
                    adjoint.store(&mut adjoints[at.row(at.loc, p)..]);
                    for (q, z) in z.iter().enumerate() {
                        // Along the path the log density changes with the volume alone.
                        let of_volume = if p == q { weight / at.entry::<V>(p, p) } else { V::zero() };
                        let own = if q <= p { adjoint * *z + of_volume } else { V::zero() };
                        own.store(&mut adjoints[at.row(at.tril, p * length + q)..]);
                    }
                }
            }
        }
    }
}
