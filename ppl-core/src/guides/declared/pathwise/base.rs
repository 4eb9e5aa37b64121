//! The numbers that draws of vectors and matrices are made of, where these are not normal: quantiles at the probabilities below the noise.

use std::ops::Range;

use super::Pathwise;
use crate::guides::NativeFamily;
use crate::guides::declared::drawn::{Drawn, Elements};
use crate::kernel::Real;

/// A family of independent numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Of Student's t, the shape being the degrees of freedom.
    StudentT,
    /// Log odds of a beta variable whose parameters are both the shape.
    SymmetricBeta,
    /// Logarithms of a chi-squared variable, the shape being the degrees of freedom.
    ChiSquared,
}

impl Base {
    /// The family that has these quantiles, and its parameters as straight lines in the shape.
    fn family<E: Real>(self) -> (&'static dyn Drawn<E>, &'static [(f64, f64)]) {
        match self {
            Base::StudentT => (E::native(NativeFamily::StudentT), &[(1.0, 0.0), (0.0, 0.0), (0.0, 1.0)]),
            Base::SymmetricBeta => (E::native(NativeFamily::Beta), &[(1.0, 0.0), (1.0, 0.0)]),
            Base::ChiSquared => (E::native(NativeFamily::Gamma), &[(0.5, 0.0), (0.0, 0.5)]),
        }
    }
}

/// The numbers of a base that are not normal: of which event, which row of the latent, and the offset of the shape.
#[derive(Debug)]
pub(super) struct Places(Vec<(usize, usize, f64)>);

impl Places {
    pub(super) fn of<D: Pathwise<P>, const P: usize>(elements: Elements<'_, impl Real>) -> Self {
        let free = elements.count.checked_div(elements.events).unwrap_or(0);
        let of_event = |event: usize| (0..free).filter_map(move |i| Some((event, event * free + i, D::offset(i, free)?)));
        Places((0..elements.events).flat_map(of_event).collect())
    }

    /// The base of draws with this noise, in rows.
    pub(super) fn draw<E: Real>(&self, base: Base, elements: Elements<'_, E>, noise: &[E]) -> Vec<E> {
        let samples = elements.samples;
        let first = elements.noise * samples;
        let mut all = noise[first..first + elements.count * samples].to_vec();
        let own: Vec<E> = self.rows(&all, samples);
        let mut found = vec![E::default(); own.len()];
        let (values, parameters) = self.shapes(base, elements);
        base.family().0.draw(Elements::new((self.0.len(), self.0.len(), 0), &parameters, samples, &values), &own, &mut found);
        for ((_, row, _), found) in self.0.iter().zip(found.chunks_exact(samples)) {
            all[row * samples..(row + 1) * samples].copy_from_slice(found);
        }
        all
    }

    /// Adds the derivatives by the shapes to the adjoints of the first parameter, which they are made of.
    pub(super) fn pull<E: Real>(&self, base: Base, elements: Elements<'_, E>, (all, d_all): (&[E], &[E]), adjoints: &mut [E]) {
        if self.0.is_empty() {
            return;
        }
        let samples = elements.samples;
        let (own, d_own) = (self.rows(all, samples), self.rows(d_all, samples));
        let (values, parameters) = self.shapes(base, elements);
        let mut of_shapes = vec![E::default(); values.len()];
        let (family, lines) = base.family();
        let numbers = Elements::new((self.0.len(), self.0.len(), 0), &parameters, samples, &values);
        // A quantile does not ask for its noise.
        family.pull(numbers, (&own, &own), None, &mut of_shapes, &d_own);
        for ((slope, _), rows) in lines.iter().zip(&parameters) {
            for ((event, ..), row) in self.0.iter().zip(rows.clone()) {
                let to = (elements.parameters[0].start + event) * samples;
                for s in 0..samples {
                    let moved = E::from_f64(*slope) * of_shapes[row * samples + s];
                    adjoints[to + s] = adjoints[to + s] + moved;
                }
            }
        }
    }

    /// The rows of the latent that are of these numbers.
    fn rows<E: Real>(&self, all: &[E], samples: usize) -> Vec<E> {
        self.0.iter().flat_map(|(_, row, _)| &all[row * samples..(row + 1) * samples]).copied().collect()
    }

    /// The parameters of the family that has their quantiles, and in which rows each is.
    fn shapes<E: Real>(&self, base: Base, elements: Elements<'_, E>) -> (Vec<E>, Vec<Range<usize>>) {
        let (samples, lines) = (elements.samples, base.family::<E>().1);
        let mut values = Vec::with_capacity(lines.len() * self.0.len() * samples);
        for (slope, constant) in lines {
            for (event, _, offset) in &self.0 {
                let from = (elements.parameters[0].start + event) * samples;
                let shape = |x: &E| E::from_f64(slope * (x.to_f64() + offset) + constant);
                values.extend(elements.values[from..from + samples].iter().map(shape));
            }
        }
        let rows = (0..lines.len()).map(|k| k * self.0.len()..(k + 1) * self.0.len()).collect();
        (values, rows)
    }
}
