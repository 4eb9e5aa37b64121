//! Mixtures: a draw is the quantile of the whole, and moves with the parameters of all components; of whole numbers one of a component that is drawn.

use std::marker::PhantomData;

use rand::RngExt as _;
use rand::rngs::SmallRng;

use super::discrete::{each_draw, no_path};
use super::drawn::{Drawn, Elements, Task};
use crate::distributions::{
    Answer, Cumulative, Density, Parameter, Place, Probability, STEPS, Search, Support, Univariate, Wanted, answer, place, start,
};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// A component of mixtures.
pub trait MixtureComponent<E: Real>: Send + Sync {
    /// How many parameters it has.
    fn parameters(&self) -> usize;
    /// Whether its values are whole numbers.
    fn is_discrete(&self) -> bool {
        false
    }
    /// A draw, of whole numbers.
    fn sample(&self, own: &[f64], rng: &mut SmallRng) -> f64;
    /// Writes what is wanted of unconstrained numbers, of which there are so many in a row; `rows` are where those of its parameters begin among the values.
    fn find(&self, wanted: What, u: &[E], rows: &[usize], values: &[E], to: &mut Found<E>);
}

/// What is asked of a component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// Near the number that has the probability below a standard normal one below it, which stands in its place: written as the density is.
    Start,
    /// The density, with its derivatives.
    Density,
    /// How much lies on both sides, and the density.
    Place,
    /// All of that, and how a draw would move.
    Velocity,
}

/// What was found: rows of lanes.
#[derive(Clone, Debug)]
pub struct Found<E> {
    ln: Vec<E>,
    d_u: Vec<E>,
    ln_below: Vec<E>,
    ln_above: Vec<E>,
    /// By each parameter.
    d_params: Vec<Vec<E>>,
    velocity: Vec<Vec<E>>,
}

impl<E: Real> Found<E> {
    fn new(samples: usize, parameters: usize) -> Self {
        let row = vec![E::default(); samples];
        let rows = vec![row.clone(); parameters];
        Found { ln: row.clone(), d_u: row.clone(), ln_below: row.clone(), ln_above: row, d_params: rows.clone(), velocity: rows }
    }
}

/// A component of this distribution.
pub struct ComponentOf<D, const P: usize>(PhantomData<fn() -> D>);

impl<D, const P: usize> ComponentOf<D, P> {
    /// It has no data.
    pub const NEW: Self = ComponentOf(PhantomData);
}

impl<E: Real, D: Cumulative<P>, const P: usize> MixtureComponent<E> for ComponentOf<D, P> {
    fn parameters(&self) -> usize {
        P
    }

    fn sample(&self, own: &[f64], rng: &mut SmallRng) -> f64 {
        D::sample(std::array::from_fn(|i| own[i]), rng)
    }

    fn find(&self, wanted: What, u: &[E], rows: &[usize], values: &[E], to: &mut Found<E>) {
        dispatch(Find::<D, E, P> { wanted, u, rows, values, to, of: PhantomData });
    }
}

/// A component of this distribution of whole numbers, of which the density alone is wanted.
pub struct CountOf<D, const P: usize>(PhantomData<fn() -> D>);

impl<D, const P: usize> CountOf<D, P> {
    /// It has no data.
    pub const NEW: Self = CountOf(PhantomData);
}

impl<E: Real, D: Univariate<P>, const P: usize> MixtureComponent<E> for CountOf<D, P> {
    fn parameters(&self) -> usize {
        P
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn sample(&self, own: &[f64], rng: &mut SmallRng) -> f64 {
        D::sample(std::array::from_fn(|i| own[i]), rng)
    }

    fn find(&self, _wanted: What, u: &[E], rows: &[usize], values: &[E], to: &mut Found<E>) {
        dispatch(FindCount::<D, E, P> { u, rows, values, to, of: PhantomData });
    }
}

struct FindCount<'a, D, E, const P: usize> {
    u: &'a [E],
    rows: &'a [usize],
    values: &'a [E],
    to: &'a mut Found<E>,
    of: PhantomData<D>,
}

impl<E: Real, D: Univariate<P>, const P: usize> Kernel<E> for FindCount<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let FindCount { u, rows, values, to, .. } = self;
        for offset in (0..u.len()).step_by(V::WIDTH) {
            let params: [V; P] = std::array::from_fn(|i| V::load(&values[rows[i] + offset..]));
            let own = V::load(&u[offset..]);
            let (kernel, (normalizer, d_normalizer)) = (D::kernel(own, params), D::normalizer(params));
            (D::base(own).0 + kernel.log_prob - normalizer).store(&mut to.ln[offset..]);
            for i in 0..P {
                (kernel.d_params[i] - d_normalizer[i]).store(&mut to.d_params[i][offset..]);
            }
        }
    }
}

struct Find<'a, D, E, const P: usize> {
    wanted: What,
    u: &'a [E],
    rows: &'a [usize],
    values: &'a [E],
    to: &'a mut Found<E>,
    of: PhantomData<D>,
}

impl<E: Real, D: Cumulative<P>, const P: usize> Kernel<E> for Find<'_, D, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Find { wanted, u, rows, values, to, .. } = self;
        for offset in (0..u.len()).step_by(V::WIDTH) {
            let params: [V; P] = std::array::from_fn(|i| V::load(&values[rows[i] + offset..]));
            let own = V::load(&u[offset..]);
            if wanted == What::Start {
                start(D::guess(Probability::below(own), params)).store(&mut to.ln[offset..]);
                continue;
            }
            if wanted != What::Density {
                let Place { ln_below, ln_above, ln, d_u } = place::<D, V, P>(own, params);
                ln_below.store(&mut to.ln_below[offset..]);
                ln_above.store(&mut to.ln_above[offset..]);
                ln.store(&mut to.ln[offset..]);
                d_u.store(&mut to.d_u[offset..]);
            }
            if wanted != What::Place {
                let is_moving = wanted == What::Velocity;
                let wanted = if is_moving { Wanted::Velocity(own) } else { Wanted::Density(own) };
                let Answer { density: Density { ln, d_u, d_params }, velocity, .. } = answer::<D, V, P>(wanted, params);
                ln.store(&mut to.ln[offset..]);
                d_u.store(&mut to.d_u[offset..]);
                for i in 0..P {
                    d_params[i].store(&mut to.d_params[i][offset..]);
                    velocity[i].store(&mut to.velocity[i][offset..]);
                }
            }
        }
    }
}

/// Latents that are drawn from a mixture: the weights are the first parameter, those of the components follow.
pub struct DrawnMixture<E: Real> {
    /// One for all, with parameters over the axis of the weights, or one after the other.
    components: &'static [&'static dyn MixtureComponent<E>],
    is_listed: bool,
}

impl<E: Real> DrawnMixture<E> {
    /// Of components of one family.
    #[must_use]
    pub const fn of_one(components: &'static [&'static dyn MixtureComponent<E>; 1]) -> Self {
        DrawnMixture { components, is_listed: false }
    }

    /// Of components that are listed.
    #[must_use]
    pub const fn listed(components: &'static [&'static dyn MixtureComponent<E>]) -> Self {
        DrawnMixture { components, is_listed: true }
    }

    /// A draw of whole numbers, of an element whose weights and parameters these are, one parameter after the other.
    fn sample(&self, own: &[f64], rng: &mut SmallRng) -> f64 {
        let all: usize = self.components.iter().map(|component| component.parameters()).sum();
        let length = if self.is_listed { self.components.len() } else { own.len() / (1 + all) };
        let (weights, parameters) = own.split_at(length);
        let mut rest = rng.random::<f64>() * weights.iter().sum::<f64>();
        let k = weights.iter().position(|weight| {
            rest -= weight;
            rest < 0.0
        });
        let k = k.unwrap_or(length - 1);
        if self.is_listed {
            let first: usize = self.components[..k].iter().map(|component| component.parameters()).sum();
            return self.components[k].sample(&parameters[first..], rng);
        }
        let of_it: Vec<f64> = parameters.iter().skip(k).step_by(length).copied().collect();
        self.components[0].sample(&of_it, rng)
    }

    /// The components of an element and where their weights and parameters begin.
    fn of_element(&self, elements: Elements<'_, E>, element: usize) -> Vec<Member<E>> {
        let Elements { count, parameters, samples, .. } = elements;
        let weights = &parameters[0];
        let length = weights.len().checked_div(count).unwrap_or(0);
        let mut next = 1;
        let member = |k: usize| {
            let component = self.components[if self.is_listed { k } else { 0 }];
            let first = if self.is_listed { next } else { 1 };
            next += component.parameters();
            let of = |at: usize| parameters[at].start + if self.is_listed { element } else { element * length + k };
            let rows: Vec<usize> = (first..first + component.parameters()).map(|at| of(at) * samples).collect();
            let found = Found::new(samples, component.parameters());
            Member { component, weight: (weights.start + element * length + k) * samples, rows, found }
        };
        (0..length).map(member).collect()
    }
}

/// A component of an element.
struct Member<E: Real> {
    component: &'static dyn MixtureComponent<E>,
    weight: usize,
    rows: Vec<usize>,
    found: Found<E>,
}

const WEIGHTS: &[Parameter] = &[Parameter { name: "weights", support: Support::NonNegative }];

impl<E: Real> Drawn<E> for DrawnMixture<E> {
    fn name(&self) -> &'static str {
        "Mixture"
    }

    fn parameters(&self) -> &'static [Parameter] {
        WEIGHTS
    }

    fn is_discrete(&self) -> bool {
        self.components.iter().any(|component| component.is_discrete())
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        match task {
            Task::Draw { noise, u } if self.is_discrete() => each_draw(elements, noise, u, |own, rng| self.sample(own, rng)),
            Task::Pull { adjoints, .. } if self.is_discrete() => no_path(elements, adjoints),
            task => dispatch(Each { mixture: self, elements, task }),
        }
    }
}

/// What is done with each element.
struct Each<'a, E: Real> {
    mixture: &'a DrawnMixture<E>,
    elements: Elements<'a, E>,
    task: Task<'a, E>,
}

impl<E: Real> Kernel<E> for Each<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, noise, samples, values, .. } = self.elements;
        for element in 0..count {
            let mut members = self.mixture.of_element(self.elements, element);
            let own = (u + element) * samples..(u + element + 1) * samples;
            let mut find = |wanted: What, u: &[E]| {
                for member in &mut members {
                    member.component.find(wanted, u, &member.rows, values, &mut member.found);
                }
            };
            match &mut self.task {
                Task::Draw { noise: all, u } => {
                    let noise = &all[(noise + element) * samples..][..samples];
                    search::<V>(&mut members, noise, values, &mut u[own]);
                }
                Task::LogProb { u, log_prob, .. } => {
                    find(What::Density, &u[own]);
                    for offset in (0..samples).step_by(V::WIDTH) {
                        let mut sum = V::Sum::zero();
                        sum += ln_sum::<V>(&members, values, offset, |found| &found.ln);
                        sum.add_to(&mut log_prob[offset..]);
                    }
                }
                Task::Score { u, weights, adjoints, u_adjoint, .. } => {
                    find(What::Density, &u[own.clone()]);
                    for offset in (0..samples).step_by(V::WIDTH) {
                        let weight = V::load(&weights[offset..]);
                        let ln = ln_sum::<V>(&members, values, offset, |found| &found.ln);
                        let mut slope = V::zero();
                        for member in &members {
                            let ratio = (V::load(&member.found.ln[offset..]) - ln).exp();
                            let share = V::load(&values[member.weight + offset..]) * ratio;
                            (weight * ratio).store(&mut adjoints[member.weight + offset..]);
                            for (row, d_param) in member.rows.iter().zip(&member.found.d_params) {
                                (weight * share * V::load(&d_param[offset..])).store(&mut adjoints[row + offset..]);
                            }
                            slope = share.mul_add(V::load(&member.found.d_u[offset..]), slope);
                        }
                        if let Some(u_adjoint) = u_adjoint {
                            let to = &mut u_adjoint[own.start + offset..];
                            weight.mul_add(slope, V::load(to)).store(to);
                        }
                    }
                }
                Task::Pull { u, weights, adjoints, u_adjoint, .. } => {
                    find(What::Velocity, &u[own.clone()]);
                    for offset in (0..samples).step_by(V::WIDTH) {
                        let weight = weights.map_or(V::zero(), |weights| V::load(&weights[offset..]));
                        pull::<V>(&members, values, offset, (weight, V::load(&u_adjoint[own.start + offset..])), adjoints);
                    }
                }
            }
        }
    }
}

/// Sets the adjoints of the weights and parameters, that of the draw being known.
#[inline(always)]
fn pull<V: Lanes>(
    members: &[Member<V::Element>],
    values: &[V::Element],
    offset: usize,
    (weight, u_adjoint): (V, V),
    adjoints: &mut [V::Element],
) {
    let ln = ln_sum::<V>(members, values, offset, |found| &found.ln);
    let ln_below = ln_sum::<V>(members, values, offset, |found| &found.ln_below);
    let ln_above = ln_sum::<V>(members, values, offset, |found| &found.ln_above);
    let share_of = |member: &Member<V::Element>| {
        V::load(&values[member.weight + offset..]) * (V::load(&member.found.ln[offset..]) - ln).exp()
    };
    let slope = members.iter().fold(V::zero(), |sum, member| share_of(member).mul_add(V::load(&member.found.d_u[offset..]), sum));
    let adjoint = u_adjoint - weight * slope;
    for member in members {
        let found = |row: &[V::Element]| V::load(&row[offset..]);
        let ratio = (found(&member.found.ln) - ln).exp();
        // By the tail in which numbers are small: what the weights of all are moved by is nothing.
        let tail = V::select(
            ln_below.lt(ln_above),
            -(found(&member.found.ln_below) - ln).exp(),
            (found(&member.found.ln_above) - ln).exp(),
        );
        (adjoint * tail - weight * ratio).store(&mut adjoints[member.weight + offset..]);
        let share = share_of(member);
        for ((row, d_param), velocity) in member.rows.iter().zip(&member.found.d_params).zip(&member.found.velocity) {
            let moved = adjoint * share * found(velocity) - weight * share * found(d_param);
            moved.store(&mut adjoints[row + offset..]);
        }
    }
}

/// `ln sum of w_k e^(x_k)`, `x` being what was found of each component.
#[inline(always)]
fn ln_sum<V: Lanes>(
    members: &[Member<V::Element>],
    values: &[V::Element],
    offset: usize,
    of: impl Fn(&Found<V::Element>) -> &Vec<V::Element>,
) -> V {
    let term =
        |member: &Member<V::Element>| V::load(&values[member.weight + offset..]).ln() + V::load(&of(&member.found)[offset..]);
    let least = V::constant(if size_of::<V::Element>() == 4 { -1e37 } else { -1e300 });
    let most = members.iter().fold(least, |most, member| most.max(term(member)));
    let sum = members.iter().fold(V::zero(), |sum, member| sum + (term(member) - most).exp());
    most + sum.ln()
}

/// Draws an element: the number below which the components together have the probability below the noise.
#[inline(always)]
fn search<V: Lanes>(members: &mut [Member<V::Element>], noise: &[V::Element], values: &[V::Element], u: &mut [V::Element]) {
    let chunks = || (0..noise.len()).step_by(V::WIDTH);
    let mut searches: Vec<Search<V>> = chunks().map(|offset| Search::of(Probability::below(V::load(&noise[offset..])))).collect();
    // Between the quantiles of the components lies that of the mixture.
    for member in &mut *members {
        member.component.find(What::Start, noise, &member.rows, values, &mut member.found);
    }
    for offset in chunks() {
        let weight = |member: &Member<V::Element>| V::load(&values[member.weight + offset..]);
        let all = members.iter().fold(V::zero(), |sum, member| sum + weight(member));
        let mean = members.iter().fold(V::zero(), |sum, member| weight(member).mul_add(V::load(&member.found.ln[offset..]), sum));
        (mean / all).store(&mut u[offset..]);
    }
    for _ in 0..STEPS {
        for member in &mut *members {
            member.component.find(What::Place, u, &member.rows, values, &mut member.found);
        }
        for (offset, search) in chunks().zip(&mut searches) {
            let ln = ln_sum::<V>(members, values, offset, |found| &found.ln);
            let d_u = members.iter().fold(V::zero(), |sum, member| {
                let share = V::load(&values[member.weight + offset..]) * (V::load(&member.found.ln[offset..]) - ln).exp();
                share.mul_add(V::load(&member.found.d_u[offset..]), sum)
            });
            let ln_below = ln_sum::<V>(members, values, offset, |found| &found.ln_below);
            let ln_above = ln_sum::<V>(members, values, offset, |found| &found.ln_above);
            search.step(V::load(&u[offset..]), Place { ln_below, ln_above, ln, d_u }).store(&mut u[offset..]);
        }
        if !searches.iter().any(Search::is_open) {
            break;
        }
    }
}
