//! Vectors and matrices that are drawn as a whole: densities are those of the catalogue, and each distribution says how its draws move.

mod base;
mod concrete;
mod gaussian_random_walk;
mod lkj;
mod multivariate_normal;
mod multivariate_student_t;
mod wishart;

use std::marker::PhantomData;

use super::drawn::{Drawn, Elements, Task};
use crate::bijectors::Bijector;
use crate::distributions::{Multiparameter, Parameter, Support};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};
pub use base::Base;
use base::Places;

/// A distribution of vectors or matrices whose draws are smooth functions of independent numbers, the base, and of the parameters. The base is standard normal noise, or quantiles
/// at the probabilities below it.
pub trait Pathwise<const P: usize>: Multiparameter<P> + 'static {
    /// What those numbers of the base are that are not normal; their shape is the first parameter and an offset.
    const BASE: Option<Base> = None;

    /// The offset of the shape of a number of the base, of so many; none where it is normal.
    fn offset(_number: usize, _of: usize) -> Option<f64> {
        None
    }

    /// Writes the unconstrained numbers of a draw, as many as there are of the base.
    fn draw<V: Lanes>(base: &[V], params: [&[V]; P], u: &mut [V]);

    /// Changes the noise of a draw to its base.
    fn base<V: Lanes>(_u: &[V], _params: [&[V]; P], _noise: &mut [V]) {}

    /// Adds the derivatives of the unconstrained numbers `u` of a draw times `d_u`: by the parameters at this base, and by those numbers of the base that are not normal.
    fn pull<V: Lanes>(base: &[V], u: &[V], params: [&[V]; P], d_u: &[V], d_params: [&mut [V]; P], d_base: &mut [V]);
}

/// Latents that are drawn from such a distribution.
pub(super) struct Jointly<D, const P: usize>(PhantomData<fn() -> D>);

impl<D, const P: usize> Jointly<D, P> {
    pub(super) const NEW: Self = Jointly(PhantomData);
}

impl<E: Real, D: Pathwise<P>, const P: usize> Drawn<E> for Jointly<D, P> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        let events = |elements, task, of_base| dispatch(Events::<D, E, P> { elements, task, of_base, of: PhantomData });
        let nothing = || (&mut [][..], &mut [][..]);
        let Some(base) = D::BASE else { return events(elements, task, nothing()) };
        let places = Places::of::<D, P>(elements);
        match task {
            Task::Draw { noise, u } => {
                let noise = &places.draw(base, elements, noise);
                events(Elements { noise: 0, ..elements }, Task::Draw { noise, u }, nothing());
            }
            Task::Pull { u, noise, weights, adjoints, u_adjoint } => {
                let rows = vec![E::default(); elements.count * elements.samples];
                let (mut numbers, mut d_numbers) = (rows.clone(), rows);
                let task = Task::Pull { u, noise, weights, adjoints: &mut *adjoints, u_adjoint };
                events(elements, task, (&mut numbers, &mut d_numbers));
                places.pull(base, elements, (&numbers, &d_numbers), adjoints);
            }
            task => events(elements, task, nothing()),
        }
    }
}

/// All vectors, or matrices, of a latent.
struct Events<'a, D, E, const P: usize> {
    elements: Elements<'a, E>,
    task: Task<'a, E>,
    /// Where the base of draws and its adjoint are written, unless it is normal.
    of_base: (&'a mut [E], &'a mut [E]),
    of: PhantomData<D>,
}

impl<E: Real, D: Pathwise<P>, const P: usize> Kernel<E> for Events<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, events, samples, .. } = self.elements;
        let mut event = Event::<V, P>::new(D::SUPPORT, count.checked_div(events).unwrap_or(0), self.elements);
        for number in 0..events {
            for offset in (0..samples).step_by(V::WIDTH) {
                event.load(number, offset, self.elements);
                event.run::<D>(&mut self.task, &mut self.of_base);
            }
        }
    }
}

/// One event in some lanes, with room for what is computed of it.
struct Event<V: Lanes, const P: usize> {
    bijector: Bijector,
    /// The first row of the unconstrained numbers, of the noise and of each parameter, and of what is of this latent alone.
    first_u: usize,
    first_noise: usize,
    first: usize,
    rows: [usize; P],
    samples: usize,
    offset: usize,
    params: [Vec<V>; P],
    d_params: [Vec<V>; P],
    u: Vec<V>,
    d_u: Vec<V>,
    base: Vec<V>,
    d_base: Vec<V>,
    value: Vec<V>,
    d_value: Vec<V>,
    /// The same in memory, as bijectors read it.
    u_lanes: Vec<V::Element>,
    d_u_lanes: Vec<V::Element>,
    value_lanes: Vec<V::Element>,
    d_value_lanes: Vec<V::Element>,
}

impl<V: Lanes, const P: usize> Event<V, P> {
    #[inline(always)]
    fn new(support: Support, free: usize, elements: Elements<'_, V::Element>) -> Self {
        let (length, size) = shape(support, free);
        let each = |k: usize| vec![V::zero(); elements.parameters[k].len().checked_div(elements.events).unwrap_or(0)];
        let (zeros, lanes) = (|n: usize| vec![V::zero(); n], |n: usize| vec![V::Element::default(); n * V::WIDTH]);
        Event {
            bijector: Bijector::for_support(support, length, None),
            first_u: 0,
            first_noise: 0,
            first: 0,
            rows: [0; P],
            samples: elements.samples,
            offset: 0,
            params: std::array::from_fn(each),
            d_params: std::array::from_fn(each),
            u: zeros(free),
            d_u: zeros(free),
            base: zeros(free),
            d_base: zeros(free),
            value: zeros(size),
            d_value: zeros(size),
            u_lanes: lanes(free),
            d_u_lanes: lanes(free),
            value_lanes: lanes(size),
            d_value_lanes: lanes(size),
        }
    }

    /// Goes to an event, at an offset among the samples.
    #[inline(always)]
    fn load(&mut self, number: usize, offset: usize, elements: Elements<'_, V::Element>) {
        let before = number * self.u.len();
        (self.first_u, self.first_noise, self.first) = (elements.u + before, elements.noise + before, before);
        self.offset = offset;
        for k in 0..P {
            self.rows[k] = elements.parameters[k].start + number * self.params[k].len();
            for (i, param) in self.params[k].iter_mut().enumerate() {
                *param = V::load(&elements.values[(self.rows[k] + i) * self.samples + offset..]);
            }
            self.d_params[k].fill(V::zero());
        }
    }

    /// Where a row counted from a first one is, in these lanes.
    #[inline(always)]
    fn at(&self, first: usize, i: usize) -> usize {
        (first + i) * self.samples + self.offset
    }

    /// Sets the value of the unconstrained numbers, and gives the logarithm of its Jacobian determinant.
    #[inline(always)]
    fn constrain(&mut self, u: &[V::Element]) -> V::Sum {
        for i in 0..self.u.len() {
            self.u[i] = V::load(&u[self.at(self.first_u, i)..]);
            self.u[i].store(&mut self.u_lanes[i * V::WIDTH..]);
        }
        let log_det = self.bijector.forward::<V>(&self.u_lanes, &mut self.value_lanes, V::WIDTH, 0);
        for (value, lanes) in self.value.iter_mut().zip(self.value_lanes.chunks_exact(V::WIDTH)) {
            *value = V::load(lanes);
        }
        log_det
    }

    /// Sets the derivatives of the log density of the value, which is returned: by the parameters as they are, by the unconstrained numbers times the weight.
    #[inline(always)]
    fn score<D: Pathwise<P>>(&mut self, weight: V) -> V {
        self.d_value.fill(V::zero());
        let params = self.params.each_ref().map(Vec::as_slice);
        let d_params = self.d_params.each_mut().map(Vec::as_mut_slice);
        let log_prob = D::partials(&self.value, params, &mut self.d_value, d_params);
        for (d_value, lanes) in self.d_value.iter().zip(self.d_value_lanes.chunks_exact_mut(V::WIDTH)) {
            (weight * *d_value).store(lanes);
        }
        let (known, d_value) = ((&self.u_lanes[..], &self.value_lanes[..]), &self.d_value_lanes);
        self.bijector.pull::<V>(known, d_value, weight, &mut self.d_u_lanes, V::WIDTH, 0);
        log_prob
    }

    /// The code of the density is long: it is there once.
    #[inline(always)]
    fn run<D: Pathwise<P>>(&mut self, task: &mut Task<'_, V::Element>, of_base: &mut (&mut [V::Element], &mut [V::Element])) {
        let (u, weights) = match task {
            Task::Draw { noise, u } => {
                for i in 0..self.base.len() {
                    self.base[i] = V::load(&noise[self.at(self.first_noise, i)..]);
                }
                D::draw(&self.base, self.params.each_ref().map(Vec::as_slice), &mut self.u);
                for (i, own) in self.u.iter().enumerate() {
                    own.store(&mut u[self.at(self.first_u, i)..]);
                }
                return;
            }
            Task::LogProb { u, .. } => (*u, None),
            Task::Score { u, weights, .. } => (*u, Some(*weights)),
            Task::Pull { u, weights, .. } => (*u, *weights),
        };
        let weight = weights.map_or(V::zero(), |weights| V::load(&weights[self.offset..]));
        let mut sum = self.constrain(u);
        let has_density = weights.is_some() || matches!(task, Task::LogProb { .. });
        if has_density {
            sum += self.score::<D>(weight);
        } else {
            self.d_u_lanes.fill(V::Element::default());
        }
        match task {
            Task::Draw { .. } => {}
            Task::LogProb { log_prob, .. } => sum.add_to(&mut log_prob[self.offset..]),
            Task::Score { adjoints, u_adjoint, .. } => {
                if let Some(u_adjoint) = u_adjoint {
                    for (i, lanes) in self.d_u_lanes.chunks_exact(V::WIDTH).enumerate() {
                        let to = &mut u_adjoint[self.at(self.first_u, i)..];
                        (V::load(to) + V::load(lanes)).store(to);
                    }
                }
                self.store(weight, adjoints);
            }
            Task::Pull { noise, adjoints, u_adjoint, .. } => {
                let (base, d_base) = of_base;
                for derivative in self.d_params.iter_mut().flatten() {
                    *derivative = -(weight * *derivative);
                }
                for i in 0..self.u.len() {
                    let of_density = V::load(&self.d_u_lanes[i * V::WIDTH..]);
                    self.d_u[i] = V::load(&u_adjoint[self.at(self.first_u, i)..]) - of_density;
                    self.base[i] = V::load(&noise[self.at(self.first_noise, i)..]);
                }
                self.d_base.fill(V::zero());
                let params = self.params.each_ref().map(Vec::as_slice);
                D::base(&self.u, params, &mut self.base);
                let d_params = self.d_params.each_mut().map(Vec::as_mut_slice);
                D::pull(&self.base, &self.u, params, &self.d_u, d_params, &mut self.d_base);
                if !base.is_empty() {
                    for i in 0..self.base.len() {
                        self.base[i].store(&mut base[self.at(self.first, i)..]);
                        self.d_base[i].store(&mut d_base[self.at(self.first, i)..]);
                    }
                }
                self.store(V::constant(1.0), adjoints);
            }
        }
    }

    /// Sets the adjoints of the parameters: their derivatives times the weight.
    #[inline(always)]
    fn store(&self, weight: V, adjoints: &mut [V::Element]) {
        for (own, &first) in self.d_params.iter().zip(&self.rows) {
            for (i, derivative) in own.iter().enumerate() {
                (weight * *derivative).store(&mut adjoints[self.at(first, i)..]);
            }
        }
    }
}

/// How many whole rows of a lower triangle so many elements fill, and so the row of the one after these.
fn triangle_rows(elements: usize) -> usize {
    ((8 * elements + 1).isqrt() - 1) / 2
}

/// The length of the last axis of an event of so many unconstrained numbers, and how many elements it has.
fn shape(support: Support, free: usize) -> (usize, usize) {
    let rows = triangle_rows(free);
    match support {
        Support::Simplex => (free + 1, free + 1),
        Support::CorrelationCholesky | Support::Correlation => (rows + 1, (rows + 1) * (rows + 1)),
        Support::CovarianceCholesky | Support::PositiveDefinite => (rows, rows * rows),
        _ => (free, free),
    }
}
