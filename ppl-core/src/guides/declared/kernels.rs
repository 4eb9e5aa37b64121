//! Single latents over lanes: drawn from noise, constrained, their log density, and the pullbacks.

use super::{Known, Located};
use crate::kernel::{Kernel, Lanes, Real, Sum};

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `u = location + scale noise`
pub(super) struct Place<'a, E> {
    pub(super) located: &'a Located,
    pub(super) noise: &'a [E],
    pub(super) samples: usize,
    pub(super) values: &'a [E],
    pub(super) u: &'a mut [E],
}

impl<E: Real> Kernel<E> for Place<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for i in 0..self.located.location.len() {
            for offset in (0..self.samples).step_by(V::WIDTH) {
                let at = At::of(self.located, i, self.samples, offset);
                let (location, scale) = (V::load(&self.values[at.location..]), V::load(&self.values[at.scale..]));
                V::load(&self.noise[at.noise..]).mul_add(scale, location).store(&mut self.u[at.u..]);
            }
        }
    }
}

/// From unconstrained numbers to a latent.
pub(super) struct Constrain<'a, E> {
    pub(super) known: &'a Known,
    pub(super) samples: usize,
    pub(super) u: &'a [E],
    pub(super) values: &'a mut [E],
}

impl<E: Real> Kernel<E> for Constrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Constrain { known, samples, u, values } = self;
        let u = &u[known.u.start * samples..known.u.end * samples];
        let z = &mut values[known.rows.start * samples..known.rows.end * samples];
        for offset in (0..samples).step_by(V::WIDTH) {
            known.bijector.forward::<V>(u, z, samples, offset);
        }
    }
}

/// The pullback of [`Constrain`], without that of the Jacobian determinant: added.
pub(super) struct PullConstrain<'a, E> {
    pub(super) known: &'a Known,
    pub(super) samples: usize,
    pub(super) u: &'a [E],
    pub(super) values: &'a [E],
    pub(super) adjoints: &'a [E],
    /// Room for the unconstrained numbers of the latent.
    pub(super) one: &'a mut [E],
    pub(super) u_adjoint: &'a mut [E],
}

impl<E: Real> Kernel<E> for PullConstrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (known, samples) = (self.known, self.samples);
        let u = known.u.start * samples..known.u.end * samples;
        let rows = known.rows.start * samples..known.rows.end * samples;
        let pulled = &mut self.one[..u.len()];
        for offset in (0..samples).step_by(V::WIDTH) {
            let values = (&self.u[u.clone()], &self.values[rows.clone()]);
            known.bijector.pull::<V>(values, &self.adjoints[rows.clone()], V::zero(), pulled, samples, offset);
        }
        for at in (0..u.len()).step_by(V::WIDTH) {
            let to = &mut self.u_adjoint[u.start + at..];
            (V::load(to) + V::load(&pulled[at..])).store(to);
        }
    }
}

/// Adds `ln Normal(u; location, scale)`; the noise is computed from these where it is not given.
pub(super) struct LogDensity<'a, E> {
    pub(super) located: &'a Located,
    pub(super) noise: Option<&'a [E]>,
    pub(super) samples: usize,
    pub(super) values: &'a [E],
    pub(super) u: &'a [E],
    pub(super) log_prob: &'a mut [f64],
}

impl<E: Real> Kernel<E> for LogDensity<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (half, constant) = (V::constant(-0.5), V::constant(HALF_LN_TWO_PI));
        for offset in (0..self.samples).step_by(V::WIDTH) {
            let mut sum = V::Sum::zero();
            for i in 0..self.located.location.len() {
                let at = At::of(self.located, i, self.samples, offset);
                let scale = V::load(&self.values[at.scale..]);
                let noise = at.noise::<V>(self.noise, self.values, self.u);
                sum += half * noise * noise - scale.ln() - constant;
            }
            sum.add_to(&mut self.log_prob[offset..]);
        }
    }
}

/// The derivative of the weighted log density of one latent: that by its location and scale is set, that by its unconstrained numbers added.
pub(super) struct Score<'a, E> {
    pub(super) located: &'a Located,
    pub(super) noise: Option<&'a [E]>,
    pub(super) weights: &'a [E],
    pub(super) samples: usize,
    pub(super) values: &'a [E],
    pub(super) u: &'a [E],
    pub(super) adjoints: &'a mut [E],
    pub(super) u_adjoint: Option<&'a mut [E]>,
}

impl<E: Real> Kernel<E> for Score<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let one = V::constant(1.0);
        for i in 0..self.located.location.len() {
            for offset in (0..self.samples).step_by(V::WIDTH) {
                let at = At::of(self.located, i, self.samples, offset);
                let weight = V::load(&self.weights[offset..]) / V::load(&self.values[at.scale..]);
                let noise = at.noise::<V>(self.noise, self.values, self.u);
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
pub(super) struct PullPlace<'a, E> {
    pub(super) located: &'a Located,
    pub(super) noise: &'a [E],
    pub(super) weights: Option<&'a [E]>,
    pub(super) samples: usize,
    pub(super) values: &'a [E],
    pub(super) adjoints: &'a mut [E],
    pub(super) u_adjoint: &'a [E],
}

impl<E: Real> Kernel<E> for PullPlace<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for i in 0..self.located.location.len() {
            for offset in (0..self.samples).step_by(V::WIDTH) {
                let at = At::of(self.located, i, self.samples, offset);
                let adjoint = V::load(&self.u_adjoint[at.u..]);
                let mut of_scale = adjoint * V::load(&self.noise[at.noise..]);
                if let Some(weights) = self.weights {
                    of_scale = of_scale + V::load(&weights[offset..]) / V::load(&self.values[at.scale..]);
                }
                adjoint.store(&mut self.adjoints[at.location..]);
                of_scale.store(&mut self.adjoints[at.scale..]);
            }
        }
    }
}

/// Where the numbers of one element in some lanes are.
#[derive(Clone, Copy)]
struct At {
    u: usize,
    location: usize,
    scale: usize,
    noise: usize,
}

impl At {
    #[inline(always)]
    fn of(located: &Located, element: usize, samples: usize, offset: usize) -> Self {
        let at = |first: usize| (first + element) * samples + offset;
        At {
            u: at(located.known.u.start),
            location: at(located.location.start),
            scale: at(located.scale.start),
            noise: at(located.noise),
        }
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
