//! Vectors of independent draws, sorted: each, given those before it, is drawn by its quantile.

use std::marker::PhantomData;

use super::drawn::{Drawn, Elements, Task};
use crate::distributions::{Cumulative, Parameter, Probability, Support, Wanted, answer};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// `K` draws from `D`, sorted: `1 - F(x_k)` is that of the one before times the root, of order `K - k`, of the probability above the noise.
///
/// # Source
/// The order statistics of uniform numbers: Devroye 1986, *Non-Uniform Random Variate Generation*, section V.3; the derivatives are implicit (Figurnov, Mohamed & Mnih 2018).
pub(super) struct Sorted<D, const P: usize>(PhantomData<fn() -> D>);

impl<D, const P: usize> Sorted<D, P> {
    pub(super) const NEW: Self = Sorted(PhantomData);
}

impl<E: Real, D: Cumulative<P>, const P: usize> Drawn<E> for Sorted<D, P> {
    fn name(&self) -> &'static str {
        "Ordered"
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        dispatch(Vectors::<D, E, P> { elements, task, of: PhantomData });
    }
}

/// What is done with each vector.
struct Vectors<'a, D, E, const P: usize> {
    elements: Elements<'a, E>,
    task: Task<'a, E>,
    of: PhantomData<D>,
}

impl<E: Real, D: Cumulative<P>, const P: usize> Kernel<E> for Vectors<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, events, u, noise, parameters, samples, values } = self.elements;
        let length = count.checked_div(events).unwrap_or(0);
        let mut vector = Vector::<D, V, P>::new(length, samples);
        for event in 0..events {
            for offset in (0..samples).step_by(V::WIDTH) {
                let rows: [usize; P] = std::array::from_fn(|k| (parameters[k].start + event) * samples + offset);
                vector.params = rows.map(|row| V::load(&values[row..]));
                (vector.u, vector.noise, vector.offset) = (u + event * length, noise + event * length, offset);
                let derivatives = vector.run(&mut self.task);
                if let Task::Score { adjoints, .. } | Task::Pull { adjoints, .. } = &mut self.task {
                    for k in 0..P {
                        derivatives[k].store(&mut adjoints[rows[k]..]);
                    }
                }
            }
        }
    }
}

/// What is known of an element of a vector.
#[derive(Clone, Copy)]
struct Known<V, const P: usize> {
    /// Its distance to the one before, or how it moves with its unconstrained number.
    gap: V,
    /// Its log density and the derivatives.
    ln: V,
    d_x: V,
    d_params: [V; P],
    /// How it moves with the parameters.
    velocity: [V; P],
}

/// A vector in some lanes.
struct Vector<D, V: Lanes, const P: usize> {
    params: [V; P],
    u: usize,
    noise: usize,
    samples: usize,
    offset: usize,
    elements: Vec<Known<V, P>>,
    of: PhantomData<D>,
}

impl<D: Cumulative<P>, V: Lanes, const P: usize> Vector<D, V, P> {
    /// Whether unconstrained numbers are logarithms.
    const IS_POSITIVE: bool = matches!(D::SUPPORT, Support::Positive | Support::NonNegative);

    #[inline(always)]
    fn new(length: usize, samples: usize) -> Self {
        let zero = V::zero();
        let nothing = Known { gap: zero, ln: zero, d_x: zero, d_params: [zero; P], velocity: [zero; P] };
        Vector { params: [zero; P], u: 0, noise: 0, samples, offset: 0, elements: vec![nothing; length], of: PhantomData }
    }

    #[inline(always)]
    fn at(&self, first: usize, k: usize) -> usize {
        (first + k) * self.samples + self.offset
    }

    /// Draws it; derivatives by the parameters, where they are asked for, are returned.
    #[inline(always)]
    fn run(&mut self, task: &mut Task<'_, V::Element>) -> [V; P] {
        let nothing = [V::zero(); P];
        match task {
            Task::Draw { noise, u } => {
                self.draw(noise, u);
                nothing
            }
            Task::LogProb { u, log_prob, .. } => {
                self.find(u, false);
                let mut sum = V::Sum::zero();
                sum += V::constant(self.elements.len() as f64 + 1.0).lgamma();
                for (k, known) in self.elements.iter().enumerate() {
                    sum += known.ln;
                    if Self::has_logarithm(k) {
                        sum += V::load(&u[self.at(self.u, k)..]);
                    }
                }
                sum.add_to(&mut log_prob[self.offset..]);
                nothing
            }
            Task::Score { u, weights, u_adjoint, .. } => {
                self.find(u, false);
                let weight = V::load(&weights[self.offset..]);
                if let Some(u_adjoint) = u_adjoint {
                    self.each_slope(|vector, k, slope| {
                        let to = &mut u_adjoint[vector.at(vector.u, k)..];
                        weight.mul_add(slope, V::load(to)).store(to);
                    });
                }
                self.sum(|known, i| weight * known.d_params[i])
            }
            Task::Pull { u, weights, u_adjoint, .. } => {
                self.find(u, true);
                let weight = weights.map_or(V::zero(), |weights| V::load(&weights[self.offset..]));
                let mut derivatives = self.sum(|known, i| -(weight * known.d_params[i]));
                self.each_slope(|vector, k, slope| {
                    let adjoint = V::load(&u_adjoint[vector.at(vector.u, k)..]) - weight * slope;
                    let own = &vector.elements[k];
                    for i in 0..P {
                        let before = if k == 0 { V::zero() } else { vector.elements[k - 1].velocity[i] };
                        derivatives[i] = derivatives[i] + adjoint * (own.velocity[i] - before) / own.gap;
                    }
                });
                derivatives
            }
        }
    }

    /// Whether the unconstrained number of an element is the logarithm of its distance to the one before, or to zero.
    #[inline(always)]
    fn has_logarithm(k: usize) -> bool {
        k > 0 || Self::IS_POSITIVE
    }

    #[inline(always)]
    fn draw(&self, noise: &[V::Element], u: &mut [V::Element]) {
        let least = V::constant(if size_of::<V::Element>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON });
        let (mut ln_above, mut before) = (V::zero(), V::zero());
        for k in 0..self.elements.len() {
            let own = Probability::below(V::load(&noise[self.at(self.noise, k)..])).ln_above;
            ln_above = ln_above + own / V::constant((self.elements.len() - k) as f64);
            let probability = Probability::of_logarithms((-ln_above.exp_m1()).ln(), ln_above);
            let number = answer::<D, V, P>(Wanted::Draw(probability), self.params).u;
            let x = if Self::IS_POSITIVE { number.exp() } else { number };
            // Two that are alike to the last digit are one digit apart.
            let of_gap = (x - before).max(least * x.abs()).ln();
            before = x;
            let free = if k == 0 { number } else { of_gap };
            free.store(&mut u[self.at(self.u, k)..]);
        }
    }

    /// Finds what is known of the elements of these unconstrained numbers.
    #[inline(always)]
    fn find(&mut self, u: &[V::Element], with_velocity: bool) {
        let one = V::constant(1.0);
        let mut x = V::zero();
        for k in 0..self.elements.len() {
            let own = V::load(&u[self.at(self.u, k)..]);
            let gap = if Self::has_logarithm(k) { own.exp() } else { one };
            x = if Self::has_logarithm(k) { x + gap } else { own };
            let number = match (Self::IS_POSITIVE, k) {
                (true, 0) => own,
                (true, _) => x.ln(),
                (false, _) => x,
            };
            let wanted = if with_velocity { Wanted::Velocity(number) } else { Wanted::Density(number) };
            let found = answer::<D, V, P>(wanted, self.params);
            let (ln, d_u) = (found.density.ln, found.density.d_u);
            self.elements[k] = if Self::IS_POSITIVE {
                let velocity = found.velocity.map(|moved| x * moved);
                Known { gap, ln: ln - number, d_x: (d_u - one) / x, d_params: found.density.d_params, velocity }
            } else {
                Known { gap, ln, d_x: d_u, d_params: found.density.d_params, velocity: found.velocity }
            };
        }
    }

    /// Gives the derivative of the log density by each unconstrained number, from the last one on.
    #[inline(always)]
    fn each_slope(&self, mut give: impl FnMut(&Self, usize, V)) {
        let mut after = V::zero();
        for (k, known) in self.elements.iter().enumerate().rev() {
            after = after + known.d_x;
            let one = if Self::has_logarithm(k) { V::constant(1.0) } else { V::zero() };
            give(self, k, after.mul_add(known.gap, one));
        }
    }

    /// The sums over the elements, one for each parameter.
    #[inline(always)]
    fn sum(&self, of: impl Fn(&Known<V, P>, usize) -> V) -> [V; P] {
        std::array::from_fn(|i| self.elements.iter().fold(V::zero(), |sum, known| sum + of(known, i)))
    }
}
