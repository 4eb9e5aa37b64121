//! Latents that are normal on the unconstrained scale: `Normal`, `LogNormal`, `LogitNormal`.

use super::drawn::{Drawn, Elements, Task};
use crate::distributions::{Parameter, Support};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `u = location + scale noise`
#[derive(Debug)]
pub(super) struct Gaussian;

impl<E: Real> Drawn<E> for Gaussian {
    fn name(&self) -> &'static str {
        "Normal"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "location", support: Support::Real }, Parameter { name: "scale", support: Support::Positive }]
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        match task {
            Task::Draw { noise, u } => dispatch(Place { elements, noise, u }),
            Task::LogProb { noise, u, log_prob } => dispatch(LogDensity { elements, noise, u, log_prob }),
            Task::Score { u, noise, weights, adjoints, u_adjoint } => {
                dispatch(Score { elements, noise, weights, u, adjoints, u_adjoint });
            }
            Task::Pull { noise, weights, adjoints, u_adjoint, .. } => {
                dispatch(PullPlace { elements, noise, weights, adjoints, u_adjoint });
            }
        }
    }
}

/// `u = location + scale noise`
struct Place<'a, E> {
    elements: Elements<'a, E>,
    noise: &'a [E],
    u: &'a mut [E],
}

impl<E: Real> Kernel<E> for Place<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let elements = self.elements;
        let (first, samples, values) = (At::of(elements), elements.samples, elements.values);
        for i in 0..elements.count {
            for offset in (0..samples).step_by(V::WIDTH) {
                let at = first.element(i, samples, offset);
                let (location, scale) = (V::load(&values[at.location..]), V::load(&values[at.scale..]));
                V::load(&self.noise[at.noise..]).mul_add(scale, location).store(&mut self.u[at.u..]);
            }
        }
    }
}

/// Adds `ln Normal(u; location, scale)`; the noise is computed from these where it is not given.
struct LogDensity<'a, E> {
    elements: Elements<'a, E>,
    noise: Option<&'a [E]>,
    u: &'a [E],
    log_prob: &'a mut [f64],
}

impl<E: Real> Kernel<E> for LogDensity<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let elements = self.elements;
        let (first, samples, values) = (At::of(elements), elements.samples, elements.values);
        let (half, constant) = (V::constant(-0.5), V::constant(HALF_LN_TWO_PI));
        for offset in (0..samples).step_by(V::WIDTH) {
            let mut sum = V::Sum::zero();
            for i in 0..elements.count {
                let at = first.element(i, samples, offset);
                let scale = V::load(&values[at.scale..]);
                let noise = at.noise::<V>(self.noise, values, self.u);
                sum += half * noise * noise - scale.ln() - constant;
            }
            sum.add_to(&mut self.log_prob[offset..]);
        }
    }
}

/// The derivative of the weighted log density of one latent: that by its location and scale is set, that by its unconstrained numbers added.
struct Score<'a, E> {
    elements: Elements<'a, E>,
    noise: Option<&'a [E]>,
    weights: &'a [E],
    u: &'a [E],
    adjoints: &'a mut [E],
    u_adjoint: Option<&'a mut [E]>,
}

impl<E: Real> Kernel<E> for Score<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let elements = self.elements;
        let (first, samples, values) = (At::of(elements), elements.samples, elements.values);
        let one = V::constant(1.0);
        for i in 0..elements.count {
            for offset in (0..samples).step_by(V::WIDTH) {
                let at = first.element(i, samples, offset);
                let weight = V::load(&self.weights[offset..]) / V::load(&values[at.scale..]);
                let noise = at.noise::<V>(self.noise, values, self.u);
                let slope = weight * noise;
                slope.store(&mut self.adjoints[at.location..]);
                (weight * (noise * noise - one)).store(&mut self.adjoints[at.scale..]);
                if let Some(adjoint) = self.u_adjoint.as_deref_mut() {
                    let to = &mut adjoint[at.u..];
                    (V::load(to) - slope).store(to);
                }
            }
        }
    }
}

/// The pullback of [`Place`]; with weights, with those on the logarithm of the scale: less the log density along the path.
struct PullPlace<'a, E> {
    elements: Elements<'a, E>,
    noise: &'a [E],
    weights: Option<&'a [E]>,
    adjoints: &'a mut [E],
    u_adjoint: &'a [E],
}

impl<E: Real> Kernel<E> for PullPlace<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let elements = self.elements;
        let (first, samples, values) = (At::of(elements), elements.samples, elements.values);
        for i in 0..elements.count {
            for offset in (0..samples).step_by(V::WIDTH) {
                let at = first.element(i, samples, offset);
                let adjoint = V::load(&self.u_adjoint[at.u..]);
                let mut of_scale = adjoint * V::load(&self.noise[at.noise..]);
                if let Some(weights) = self.weights {
                    of_scale = of_scale + V::load(&weights[offset..]) / V::load(&values[at.scale..]);
                }
                adjoint.store(&mut self.adjoints[at.location..]);
                of_scale.store(&mut self.adjoints[at.scale..]);
            }
        }
    }
}

/// Where the numbers of one element in some lanes are; of the first element, its rows.
#[derive(Clone, Copy)]
struct At {
    u: usize,
    location: usize,
    scale: usize,
    noise: usize,
}

impl At {
    #[inline(always)]
    fn of<E>(elements: Elements<'_, E>) -> Self {
        let row = |parameter: usize| elements.parameters[parameter].start;
        At { u: elements.u, location: row(0), scale: row(1), noise: elements.noise }
    }

    #[inline(always)]
    fn element(self, element: usize, samples: usize, offset: usize) -> Self {
        let at = |first: usize| (first + element) * samples + offset;
        At { u: at(self.u), location: at(self.location), scale: at(self.scale), noise: at(self.noise) }
    }

    /// The noise that was given, or that the draws were made of.
    #[inline(always)]
    fn noise<V: Lanes>(self, noise: Option<&[V::Element]>, values: &[V::Element], u: &[V::Element]) -> V {
        match noise {
            Some(noise) => V::load(&noise[self.noise..]),
            None => (V::load(&u[self.u..]) - V::load(&values[self.location..])) / V::load(&values[self.scale..]),
        }
    }
}
