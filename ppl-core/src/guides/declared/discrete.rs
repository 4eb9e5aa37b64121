//! Latents of whole numbers: their draws have no path, so that the score function is what moves their parameters.

use std::marker::PhantomData;
use std::ops::Range;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::drawn::{Drawn, Elements, Task};
use crate::distributions::{Multiparameter, Multivariate, Parameter, Univariate, Vector, VectorAdjoints};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// What makes draws of noise: the distribution's own, each with random numbers of its noise.
pub(super) fn each_draw<E: Real>(
    elements: Elements<'_, E>,
    noise: &[E],
    u: &mut [E],
    sample: impl Fn(&[f64], &mut SmallRng) -> f64,
) {
    let Elements { count, samples, parameters, values, .. } = elements;
    let mut own = Vec::new();
    for i in 0..count {
        for s in 0..samples {
            own.clear();
            for rows in parameters {
                own.extend(of_element(rows, i, count).map(|row| values[row * samples + s].to_f64()));
            }
            let z = noise[(elements.noise + i) * samples + s].to_f64();
            u[(elements.u + i) * samples + s] = E::from_f64(sample(&own, &mut SmallRng::seed_from_u64(z.to_bits())));
        }
    }
}

/// The rows that an element has of a parameter.
pub(super) fn of_element(rows: &Range<usize>, element: usize, count: usize) -> Range<usize> {
    let each = rows.len() / count.max(1);
    rows.start + element * each..rows.start + (element + 1) * each
}

/// A distribution of whole numbers, by what its parameters are.
pub(super) trait Values<E: Real> {
    const NAME: &'static str;
    const PARAMETERS: &'static [Parameter];

    /// A draw, of an element whose parameters these are.
    fn sample(own: &[f64], rng: &mut SmallRng) -> f64;
    /// Log densities, or their derivatives.
    fn run(elements: Elements<'_, E>, u: &[E], task: OfDensity<'_, E>);
}

/// Whole numbers of a distribution with numbers as parameters.
pub(super) struct WholeNumber<D, const P: usize>(PhantomData<fn() -> D>);

impl<E: Real, D: Univariate<P>, const P: usize> Values<E> for WholeNumber<D, P> {
    const NAME: &'static str = D::NAME;
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;

    fn sample(own: &[f64], rng: &mut SmallRng) -> f64 {
        D::sample(std::array::from_fn(|k| own[k]), rng)
    }

    fn run(elements: Elements<'_, E>, u: &[E], task: OfDensity<'_, E>) {
        dispatch(OfNumbers::<D, E, P> { elements, u, task, of: PhantomData });
    }
}

/// Categories, of probabilities or of their logarithms.
pub(super) struct Category<D>(PhantomData<fn() -> D>);

impl<E: Real, D: Multivariate> Values<E> for Category<D> {
    const NAME: &'static str = D::NAME;
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;

    fn sample(own: &[f64], rng: &mut SmallRng) -> f64 {
        let mut value = [0.0];
        D::sample(own, rng, &mut value);
        value[0]
    }

    fn run(elements: Elements<'_, E>, u: &[E], task: OfDensity<'_, E>) {
        dispatch(OfCategories::<D, E> { elements, u, task, of: PhantomData });
    }
}

/// Categories of a number among cutpoints.
pub(super) struct OrderedCategory<D>(PhantomData<fn() -> D>);

impl<E: Real, D: Multiparameter<2>> Values<E> for OrderedCategory<D> {
    const NAME: &'static str = D::NAME;
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;

    fn sample(own: &[f64], rng: &mut SmallRng) -> f64 {
        let (predictor, cutpoints) = own.split_at(1);
        let mut value = [0.0];
        D::sample([predictor, cutpoints], rng, &mut value);
        value[0]
    }

    fn run(elements: Elements<'_, E>, u: &[E], task: OfDensity<'_, E>) {
        dispatch(OfOrdered::<D, E> { elements, u, task, of: PhantomData });
    }
}

/// Latents that are drawn from such a distribution.
pub(super) struct Discrete<V>(PhantomData<fn() -> V>);

impl<V> Discrete<V> {
    pub(super) const NEW: Self = Discrete(PhantomData);
}

impl<E: Real, V: Values<E>> Drawn<E> for Discrete<V> {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        V::PARAMETERS
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        match task {
            Task::Draw { noise, u } => each_draw(elements, noise, u, V::sample),
            Task::LogProb { u, log_prob, .. } => V::run(elements, u, OfDensity::LogProb(log_prob)),
            Task::Score { u, weights, adjoints, .. } => V::run(elements, u, OfDensity::Score { weights, adjoints }),
            Task::Pull { adjoints, .. } => no_path(elements, adjoints),
        }
    }
}

/// Sets the adjoints of parameters that draws do not move with.
pub(super) fn no_path<E: Real>(elements: Elements<'_, E>, adjoints: &mut [E]) {
    for rows in elements.parameters {
        adjoints[rows.start * elements.samples..rows.end * elements.samples].fill(E::default());
    }
}

/// What is asked of the density of every element.
pub(super) enum OfDensity<'a, E> {
    LogProb(&'a mut [f64]),
    Score { weights: &'a [E], adjoints: &'a mut [E] },
}

struct OfNumbers<'a, D, E, const P: usize> {
    elements: Elements<'a, E>,
    u: &'a [E],
    task: OfDensity<'a, E>,
    of: PhantomData<D>,
}

impl<E: Real, D: Univariate<P>, const P: usize> Kernel<E> for OfNumbers<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, parameters, samples, values, .. } = self.elements;
        for i in 0..count {
            for offset in (0..samples).step_by(V::WIDTH) {
                let at: [usize; P] = std::array::from_fn(|k| (parameters[k].start + i) * samples + offset);
                let own = at.map(|at| V::load(&values[at..]));
                let value = V::load(&self.u[(u + i) * samples + offset..]);
                let (kernel, (normalizer, d_normalizer)) = (D::kernel(value, own), D::normalizer(own));
                match &mut self.task {
                    OfDensity::LogProb(log_prob) => {
                        let mut sum = V::Sum::zero();
                        sum += D::base(value).0 + kernel.log_prob - normalizer;
                        sum.add_to(&mut log_prob[offset..]);
                    }
                    OfDensity::Score { weights, adjoints } => {
                        let weight = V::load(&weights[offset..]);
                        for k in 0..P {
                            (weight * (kernel.d_params[k] - d_normalizer[k])).store(&mut adjoints[at[k]..]);
                        }
                    }
                }
            }
        }
    }
}

struct OfCategories<'a, D, E> {
    elements: Elements<'a, E>,
    u: &'a [E],
    task: OfDensity<'a, E>,
    of: PhantomData<D>,
}

/// One number, or rows that are so far apart.
struct Row<'a, E> {
    values: &'a [E],
    length: usize,
    stride: usize,
}

impl<V: Lanes> Vector<V> for Row<'_, V::Element> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.length
    }

    #[inline(always)]
    fn get(&self, k: usize) -> V {
        V::load(&self.values[k * self.stride..])
    }
}

/// Where derivatives by the rows of a parameter are added.
struct Adjoints<'a, E> {
    rows: &'a mut [E],
    stride: usize,
}

impl<V: Lanes> VectorAdjoints<V> for Adjoints<'_, V::Element> {
    #[inline(always)]
    fn add_value(&mut self, _k: usize, _derivative: V) {}

    #[inline(always)]
    fn add_parameter(&mut self, k: usize, derivative: V) {
        let to = &mut self.rows[k * self.stride..];
        (V::load(to) + derivative).store(to);
    }
}

impl<E: Real, D: Multivariate> Kernel<E> for OfCategories<'_, D, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, parameters, samples, values, .. } = self.elements;
        let [rows] = parameters else { return };
        if let OfDensity::Score { adjoints, .. } = &mut self.task {
            adjoints[rows.start * samples..rows.end * samples].fill(E::default());
        }
        for i in 0..count {
            let own = of_element(rows, i, count);
            for offset in (0..samples).step_by(V::WIDTH) {
                let first = own.start * samples + offset;
                let parameter = Row { values: &values[first..], length: own.len(), stride: samples };
                let value = Row { values: &self.u[(u + i) * samples + offset..], length: 1, stride: samples };
                match &mut self.task {
                    OfDensity::LogProb(log_prob) => {
                        let mut sum = V::Sum::zero();
                        sum += D::log_prob::<V>(&value, &parameter);
                        sum.add_to(&mut log_prob[offset..]);
                    }
                    OfDensity::Score { weights, adjoints } => {
                        let weight = V::load(&weights[offset..]);
                        let mut to = Adjoints { rows: &mut adjoints[first..], stride: samples };
                        D::accumulate(&value, &parameter, weight, &mut to);
                    }
                }
            }
        }
    }
}

struct OfOrdered<'a, D, E> {
    elements: Elements<'a, E>,
    u: &'a [E],
    task: OfDensity<'a, E>,
    of: PhantomData<D>,
}

impl<E: Real, D: Multiparameter<2>> Kernel<E> for OfOrdered<'_, D, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, parameters, samples, values, .. } = self.elements;
        let [predictors, cutpoints] = parameters else { return };
        let length = cutpoints.len().checked_div(count).unwrap_or(0);
        let (mut cuts, mut d_cuts) = (vec![V::zero(); length], vec![V::zero(); length]);
        for i in 0..count {
            let own = of_element(cutpoints, i, count);
            for offset in (0..samples).step_by(V::WIDTH) {
                let at = |row: usize| row * samples + offset;
                let value = [V::load(&self.u[at(u + i)..])];
                let predictor = [V::load(&values[at(predictors.start + i)..])];
                for (cut, row) in cuts.iter_mut().zip(own.clone()) {
                    *cut = V::load(&values[at(row)..]);
                }
                match &mut self.task {
                    OfDensity::LogProb(log_prob) => {
                        let mut sum = V::Sum::zero();
                        sum += D::log_prob(&value, [&predictor, &cuts]);
                        sum.add_to(&mut log_prob[offset..]);
                    }
                    OfDensity::Score { weights, adjoints } => {
                        let weight = V::load(&weights[offset..]);
                        let (mut d_value, mut d_predictor) = ([V::zero()], [V::zero()]);
                        d_cuts.fill(V::zero());
                        D::partials(&value, [&predictor, &cuts], &mut d_value, [&mut d_predictor, &mut d_cuts]);
                        (weight * d_predictor[0]).store(&mut adjoints[at(predictors.start + i)..]);
                        for (d_cut, row) in d_cuts.iter().zip(own.clone()) {
                            (weight * *d_cut).store(&mut adjoints[at(row)..]);
                        }
                    }
                }
            }
        }
    }
}
