//! From the unconstrained space, where guides live, to the supports of latents, with the logarithm of the Jacobian determinant.

mod element;
mod interval;
mod ordered;
mod simplex;

use element::{Exp, Identity, Sigmoid};
use interval::{Both, Lower, Upper};

use crate::distributions::Support;
use crate::kernel::Lanes;

/// The bounds of an interval: one number, or one for each element; an absent bound is infinite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The lower bound.
    pub lower: Option<Vec<f64>>,
    /// The upper bound.
    pub upper: Option<Vec<f64>>,
}

impl Bounds {
    /// The bounds of some elements.
    #[must_use]
    pub fn of(&self, elements: &[usize]) -> Bounds {
        let pick = |bounds: &Option<Vec<f64>>| {
            bounds.as_ref().map(|all| if all.len() == 1 { all.clone() } else { elements.iter().map(|&i| all[i]).collect() })
        };
        Bounds { lower: pick(&self.lower), upper: pick(&self.upper) }
    }
}

/// The map of one latent: each element by itself, or the last axis of `length` elements as one event.
///
/// `u` and `z` are rows of lanes, `[element][sample]`. Formulas and sources stand at the files of the maps.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Bijector {
    /// `z = u`
    #[default]
    Identity,
    /// `z = e^u`: positive numbers (as in Stan).
    Exp,
    /// `z = 1 / (1 + e^-u)`: numbers between zero and one.
    Sigmoid,
    /// Numbers between bounds.
    Interval(Bounds),
    /// Stick breaking: simplexes of `length` elements.
    Simplex {
        /// The number of elements.
        length: usize,
    },
    /// Increasing vectors of `length` elements.
    Ordered {
        /// The number of elements.
        length: usize,
    },
    /// Increasing vectors of `length` positive elements.
    PositiveOrdered {
        /// The number of elements.
        length: usize,
    },
}

impl Bijector {
    /// The map onto a support; `length` is that of the last axis.
    #[must_use]
    pub fn for_support(support: Support, length: usize, bounds: Option<Bounds>) -> Self {
        match support {
            Support::Positive | Support::NonNegative => Bijector::Exp,
            Support::Unit => Bijector::Sigmoid,
            Support::Interval => match bounds.unwrap_or_default() {
                Bounds { lower: None, upper: None } => Bijector::Identity,
                bounds => Bijector::Interval(bounds),
            },
            Support::Simplex => Bijector::Simplex { length },
            Support::Ordered => Bijector::Ordered { length },
            Support::PositiveOrdered => Bijector::PositiveOrdered { length },
            Support::Real | Support::Binary | Support::Count | Support::CountUpTo | Support::Integer => Bijector::Identity,
        }
    }

    /// How many unconstrained numbers stand for `constrained` elements.
    #[must_use]
    pub fn unconstrained_len(&self, constrained: usize) -> usize {
        match self {
            Bijector::Simplex { length } if *length > 0 => constrained / length * (length - 1),
            _ => constrained,
        }
    }

    /// Writes the lanes of `z` at an offset among the samples, and gives `ln |dz / du|`.
    #[inline(always)]
    pub fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        match self {
            Bijector::Identity => element::forward::<V, Identity>(|_| Identity, u, z, samples, offset),
            Bijector::Exp => element::forward::<V, Exp>(|_| Exp, u, z, samples, offset),
            Bijector::Sigmoid => element::forward::<V, Sigmoid>(|_| Sigmoid, u, z, samples, offset),
            Bijector::Interval(bounds) => match (&bounds.lower, &bounds.upper) {
                (None, None) => element::forward::<V, Identity>(|_| Identity, u, z, samples, offset),
                (Some(l), None) => element::forward::<V, Lower>(|i| Lower::new(l, i), u, z, samples, offset),
                (None, Some(h)) => element::forward::<V, Upper>(|i| Upper::new(h, i), u, z, samples, offset),
                (Some(l), Some(h)) => element::forward::<V, Both>(|i| Both::new(l, h, i), u, z, samples, offset),
            },
            Bijector::Simplex { length } => simplex::forward::<V>(*length, u, z, samples, offset),
            Bijector::Ordered { length } => ordered::forward::<V>(*length, false, u, z, samples, offset),
            Bijector::PositiveOrdered { length } => ordered::forward::<V>(*length, true, u, z, samples, offset),
        }
    }

    /// Writes `u_adjoint = (dz / du)^T z_adjoint + weight d ln |dz / du| / du`; at an offset among the samples.
    #[inline(always)]
    pub fn pull<V: Lanes>(
        &self,
        (u, z): (&[V::Element], &[V::Element]),
        z_adjoint: &[V::Element],
        weight: V,
        u_adjoint: &mut [V::Element],
        samples: usize,
        offset: usize,
    ) {
        let rows = element::Adjoint { u, z, z_adjoint, samples, offset };
        match self {
            Bijector::Identity => element::pull::<V, Identity>(|_| Identity, rows, weight, u_adjoint),
            Bijector::Exp => element::pull::<V, Exp>(|_| Exp, rows, weight, u_adjoint),
            Bijector::Sigmoid => element::pull::<V, Sigmoid>(|_| Sigmoid, rows, weight, u_adjoint),
            Bijector::Interval(bounds) => match (&bounds.lower, &bounds.upper) {
                (None, None) => element::pull::<V, Identity>(|_| Identity, rows, weight, u_adjoint),
                (Some(l), None) => element::pull::<V, Lower>(|i| Lower::new(l, i), rows, weight, u_adjoint),
                (None, Some(h)) => element::pull::<V, Upper>(|i| Upper::new(h, i), rows, weight, u_adjoint),
                (Some(l), Some(h)) => element::pull::<V, Both>(|i| Both::new(l, h, i), rows, weight, u_adjoint),
            },
            Bijector::Simplex { length } => simplex::pull::<V>(*length, rows, weight, u_adjoint),
            Bijector::Ordered { length } => ordered::pull::<V>(*length, false, rows, weight, u_adjoint),
            Bijector::PositiveOrdered { length } => ordered::pull::<V>(*length, true, rows, weight, u_adjoint),
        }
    }

    /// The unconstrained numbers of constrained ones.
    ///
    /// # Errors
    /// The first element that lies outside the support.
    pub fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        match self {
            Bijector::Identity => element::inverse(|_| Identity, z),
            Bijector::Exp => element::inverse(|_| Exp, z),
            Bijector::Sigmoid => element::inverse(|_| Sigmoid, z),
            Bijector::Interval(bounds) => match (&bounds.lower, &bounds.upper) {
                (None, None) => element::inverse(|_| Identity, z),
                (Some(l), None) => element::inverse(|i| Lower::new(l, i), z),
                (None, Some(h)) => element::inverse(|i| Upper::new(h, i), z),
                (Some(l), Some(h)) => element::inverse(|i| Both::new(l, h, i), z),
            },
            Bijector::Simplex { length } => simplex::inverse(*length, z),
            Bijector::Ordered { length } => ordered::inverse(*length, false, z),
            Bijector::PositiveOrdered { length } => ordered::inverse(*length, true, z),
        }
    }
}

#[cfg(test)]
mod tests;
