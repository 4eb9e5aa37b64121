//! Latents of a guide of rows, drawn from their families and put in their places, and the pullback.

use super::plan::Located;
use super::tiles::Tile;
use crate::bijectors::Bijector;
use crate::guides::{Drawn, Elements};
use crate::kernel::{Kernel, Lanes, Real, dispatch};

impl Located {
    /// Draws it with the noise of a tile, for guide and model, where its parameters are known.
    pub(super) fn draw<E: Real>(&self, family: &'static dyn Drawn<E>, tile: &mut Tile<E>) {
        let (real, lanes) = (tile.shape.real(), tile.shape.lanes);
        if self.is_normal {
            self.scale_noise(tile);
        } else {
            let Tile { guide, noise, drawn, .. } = &mut *tile;
            family.draw(self.elements(lanes, &guide.work.values), noise, drawn);
            guide.work.values[self.rows.start * lanes..self.rows.end * lanes].copy_from_slice(&drawn[self.in_noise(lanes)]);
        }
        let values = &mut tile.guide.work.values;
        for row in self.rows.clone() {
            let last = values[row * lanes + real - 1];
            values[row * lanes + real..(row + 1) * lanes].fill(last);
        }
        let from = &values[self.rows.start * lanes..self.rows.end * lanes];
        tile.model.work.values[self.model.start * lanes..self.model.end * lanes].copy_from_slice(from);
        if self.bijector != Bijector::Identity {
            dispatch(Constrain { located: self, lanes, values });
        }
    }

    /// `u = location + scale * noise`.
    fn scale_noise<E: Real>(&self, tile: &mut Tile<E>) {
        let lanes = tile.shape.lanes;
        let Tile { guide, noise, .. } = tile;
        let values = &mut guide.work.values;
        for i in 0..self.rows.len() {
            let at = |row: usize| (row + i) * lanes;
            let (to, location, scale) = (at(self.rows.start), at(self.location().start), at(self.scale().start));
            let noise = &noise[at(self.noise)..];
            for lane in 0..lanes {
                values[to + lane] = values[location + lane] + values[scale + lane] * noise[lane];
            }
        }
    }

    /// Carries the adjoints of it to those of the parameters of its family.
    pub(super) fn pull<E: Real>(&self, family: &'static dyn Drawn<E>, tile: &mut Tile<E>) {
        let lanes = tile.shape.lanes;
        let rows = self.rows.start * lanes..self.rows.end * lanes;
        let own = self.in_noise(lanes);
        let Tile { guide, noise, drawn, drawn_adjoints, .. } = tile;
        let (values, adjoints) = (&guide.work.values, &mut guide.work.adjoints);
        if self.bijector != Bijector::Identity {
            dispatch(PullConstrain { located: self, lanes, values, adjoints, pulled: &mut drawn_adjoints[own.clone()] });
        }
        if self.is_normal {
            for i in 0..self.rows.len() {
                let at = |row: usize| (row + i) * lanes;
                let (from, location, scale) = (at(self.rows.start), at(self.location().start), at(self.scale().start));
                adjoints.copy_within(from..from + lanes, location);
                let noise = &noise[at(self.noise)..];
                for lane in 0..lanes {
                    adjoints[scale + lane] = adjoints[from + lane] * noise[lane];
                }
            }
        } else {
            drawn[own.clone()].copy_from_slice(&values[rows.clone()]);
            drawn_adjoints[own].copy_from_slice(&adjoints[rows]);
            family.pull(self.elements(lanes, values), (drawn, noise), None, adjoints, drawn_adjoints);
        }
    }

    /// Its location and its scale on the unconstrained scale; of what is not normal there the median, and half the distance between the quantiles of which those of a normal
    /// one are a scale away.
    pub(super) fn location_and_scale<E: Real>(&self, family: &'static dyn Drawn<E>, tile: &mut Tile<E>) -> [Vec<E>; 2] {
        let lanes = tile.shape.lanes;
        let of = |values: &[E], rows: &std::ops::Range<usize>| values[rows.start * lanes..rows.end * lanes].to_vec();
        if self.is_normal {
            return [self.location(), self.scale()].map(|rows| of(&tile.guide.work.values, &rows));
        }
        let location = of(&tile.guide.work.values, &self.rows);
        let own = self.in_noise(lanes);
        let [above, below] = [1.0, -1.0].map(|at| {
            let Tile { guide, noise, drawn, .. } = &mut *tile;
            noise[own.clone()].fill(E::from_f64(at));
            family.draw(self.elements(lanes, &guide.work.values), noise, drawn);
            drawn[own.clone()].to_vec()
        });
        let half = E::from_f64(0.5);
        [location, above.into_iter().zip(below).map(|(above, below)| (above - below) * half).collect()]
    }

    /// The numbers of its noise, and of its draw beside it.
    fn in_noise(&self, lanes: usize) -> std::ops::Range<usize> {
        self.noise * lanes..(self.noise + self.rows.len()) * lanes
    }

    /// As its family knows it: drawn beside its noise.
    fn elements<'a, E>(&'a self, lanes: usize, values: &'a [E]) -> Elements<'a, E> {
        Elements::new((self.rows.len(), self.events, self.noise), &self.parameters, lanes, values)
    }
}

/// Computes the numbers of which unconstrained ones have been drawn.
struct Constrain<'a, E> {
    located: &'a Located,
    lanes: usize,
    values: &'a mut [E],
}

impl<E: Real> Kernel<E> for Constrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (lanes, rows, to) = (self.lanes, &self.located.rows, &self.located.constrained);
        // Rows that are unconstrained come before all others.
        let (u, z) = self.values.split_at_mut(to.start * lanes);
        let (u, z) = (&u[rows.start * lanes..rows.end * lanes], &mut z[..to.len() * lanes]);
        for offset in (0..lanes).step_by(V::WIDTH) {
            self.located.bijector.forward::<V>(u, z, lanes, offset);
        }
    }
}

/// Adds the adjoints of these numbers to those of the unconstrained ones.
struct PullConstrain<'a, E> {
    located: &'a Located,
    lanes: usize,
    values: &'a [E],
    adjoints: &'a mut [E],
    pulled: &'a mut [E],
}

impl<E: Real> Kernel<E> for PullConstrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let PullConstrain { located, lanes, values, adjoints, pulled } = self;
        let u = located.rows.start * lanes..located.rows.end * lanes;
        let z = located.constrained.start * lanes..located.constrained.end * lanes;
        for offset in (0..lanes).step_by(V::WIDTH) {
            let known = (&values[u.clone()], &values[z.clone()]);
            located.bijector.pull::<V>(known, &adjoints[z.clone()], V::zero(), pulled, lanes, offset);
        }
        for at in (0..u.len()).step_by(V::WIDTH) {
            let to = &mut adjoints[u.start + at..];
            (V::load(to) + V::load(&pulled[at..])).store(to);
        }
    }
}
