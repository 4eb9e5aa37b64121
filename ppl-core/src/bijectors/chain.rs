//! Bijectors one after the other.

use super::map::{Adjoint, Map, gather, scatter};
use super::{Bijector, BijectorError};
use crate::kernel::{Lanes, Sum};

/// Bijectors of which each takes what the one before it gives: what [`Bijector::chain`] makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    links: Vec<Bijector>,
    /// The unconstrained numbers and the elements of the least event that all links take whole.
    event: (usize, usize),
}

impl Chain {
    pub(super) fn new(links: Vec<Bijector>) -> Result<Self, BijectorError> {
        let mut event = (1, 1);
        for (link, bijector) in links.iter().enumerate() {
            bijector.check_bounds()?;
            let (takes, gives) = bijector.whole();
            // Bounds of their own for every element do not repeat.
            let (before, own) = (links[..link].iter().all(Bijector::repeats), bijector.repeats());
            event = match event {
                (1, 1) => (takes, gives),
                (first, last) if takes > 0 && last % takes == 0 && (own || last == takes) => (first, last / takes * gives),
                (first, last) if last > 0 && takes > 0 && takes % last == 0 && before => (first * (takes / last), gives),
                (_, gives) => return Err(BijectorError::Link { link, bijector: bijector.name(), takes, gives }),
            };
        }
        Ok(Chain { links, event })
    }

    /// The bijectors, the one that is applied first first.
    #[must_use]
    pub fn links(&self) -> &[Bijector] {
        &self.links
    }

    pub(super) fn event(&self) -> (usize, usize) {
        self.event
    }

    /// How many numbers there are before each link and after the last.
    fn lengths(&self, constrained: usize) -> Vec<usize> {
        let mut lengths = vec![constrained; self.links.len() + 1];
        for (k, link) in self.links.iter().enumerate().rev() {
            lengths[k] = link.unconstrained_len(lengths[k + 1]);
        }
        lengths
    }
}

impl Map for &Chain {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let mut total = V::Sum::zero();
        let lengths = self.lengths(z.len() / samples);
        let mut values = gather::<V>(u, samples, offset);
        for (link, length) in self.links.iter().zip(&lengths[1..]) {
            let mut next = vec![V::Element::default(); length * V::WIDTH];
            total.join(link.forward::<V>(&values, &mut next, V::WIDTH, 0));
            values = next;
        }
        scatter::<V>(&values, z, samples, offset);
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let (samples, offset) = (rows.samples, rows.offset);
        let lengths = self.lengths(rows.z.len() / samples);
        let mut values = vec![gather::<V>(rows.u, samples, offset)];
        for (k, link) in self.links.iter().enumerate() {
            let mut next = vec![V::Element::default(); lengths[k + 1] * V::WIDTH];
            link.forward::<V>(&values[k], &mut next, V::WIDTH, 0);
            values.push(next);
        }
        let mut adjoint = gather::<V>(rows.z_adjoint, samples, offset);
        for (k, link) in self.links.iter().enumerate().rev() {
            let mut pulled = vec![V::Element::default(); lengths[k] * V::WIDTH];
            link.pull::<V>((&values[k], &values[k + 1]), &adjoint, weight, &mut pulled, V::WIDTH, 0);
            adjoint = pulled;
        }
        scatter::<V>(&adjoint, u_adjoint, samples, offset);
    }

    /// Of an element that an earlier link refuses, the first of its event.
    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        let mut values = z.to_vec();
        for (k, link) in self.links.iter().enumerate().rev() {
            values = link.inverse(&values).map_err(|at| {
                if k + 1 == self.links.len() {
                    return at;
                }
                let events = z.len() / self.event.1.max(1);
                at / (values.len() / events.max(1)).max(1) * self.event.1
            })?;
        }
        Ok(values)
    }
}
