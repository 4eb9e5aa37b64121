//! The two ways over the bodies of a model that are compiled: forward and reversed at once, and forward alone.

use std::ops::Range;

use super::frame::{Forward, Frame};
use super::{BLOCK, Kernels, part, product};
use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, Sum};
use crate::model::{Layout, SiteKind, Variable, Weights};

/// What the values and derivatives of a pass belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// The latents as the model has them.
    Constrained,
    /// Their unconstrained numbers.
    Unconstrained,
}

/// Where the constrained latents of a pass come from.
pub(super) enum Latents<'a, E> {
    /// They are there, with the stored quantities.
    Given(&'a [E]),
    /// They are computed from the unconstrained numbers first.
    Constrain(&'a mut [E]),
}

/// Bodies from the last to the first, each forward and reversed at once; before them the map from the unconstrained space, after
/// them its pullback, where they are asked for. One type for all, so that every kernel is compiled once.
pub(super) struct Pass<'a, K: Kernels> {
    pub(super) kernels: &'a K,
    pub(super) latents: Latents<'a, K::Element>,
    pub(super) bodies: Range<usize>,
    /// Some rows of the only body; none for all rows of all.
    pub(super) rows: Option<Range<usize>>,
    pub(super) samples: usize,
    pub(super) complete: &'a [K::Element],
    pub(super) adjoints: &'a mut [K::Element],
    pub(super) products: &'a mut [K::Element],
    pub(super) product_adjoints: &'a mut [K::Element],
    pub(super) weights: &'a Weights<K::Element>,
    /// The log density per sample, with the logarithm of the Jacobian determinant if latents are constrained.
    pub(super) log_joint: &'a mut [f64],
    pub(super) unconstrained: usize,
    /// Where the derivatives are left.
    pub(super) derivatives: Space,
}

impl<K: Kernels> Kernel<K::Element> for Pass<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = K::Element>>(self) {
        let samples = self.samples;
        let values = match self.latents {
            Latents::Given(values) => values,
            Latents::Constrain(values) => {
                constrain::<V>(self.kernels.layout(), self.unconstrained, samples, values, self.log_joint);
                for (log_det, weight) in self.log_joint.iter_mut().zip(&self.weights.log_det) {
                    *log_det *= weight.to_f64();
                }
                values
            }
        };
        for body in self.bodies.rev() {
            let products = K::BODIES[body].products;
            let rows = self.rows.clone().unwrap_or_else(|| 0..self.kernels.body_rows(body));
            for block in blocks(rows, products) {
                product::forward(self.kernels, body, products, block.clone(), samples, values, self.products);
                self.product_adjoints.fill(K::Element::default());
                let mut frame = Frame {
                    values,
                    complete: self.complete,
                    adjoints: &mut *self.adjoints,
                    products: &*self.products,
                    product_adjoints: &mut *self.product_adjoints,
                    weights: self.weights,
                    samples,
                    offset: 0,
                    first: block.start,
                    block: block.len(),
                };
                while frame.offset < samples {
                    let sum = self.kernels.accumulate::<V>(body, block.clone(), &mut frame);
                    sum.add_to(&mut self.log_joint[frame.offset..]);
                    frame.offset += V::WIDTH;
                }
                product::pullback(self.kernels, body, products, block, samples, self.product_adjoints, self.adjoints);
            }
        }
        if self.derivatives == Space::Unconstrained {
            pull::<V>(self.kernels.layout(), self.unconstrained, samples, values, self.adjoints, &self.weights.log_det);
        }
    }
}

/// The map from the unconstrained space alone.
pub(super) struct Constrain<'a, E: Real> {
    pub(super) layout: &'a Layout,
    pub(super) unconstrained: usize,
    pub(super) samples: usize,
    pub(super) values: &'a mut [E],
    pub(super) log_det: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Constrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        constrain::<V>(self.layout, self.unconstrained, self.samples, self.values, self.log_det);
    }
}

/// All latents from the unconstrained numbers, which come first among the values; adds `log |dz / du|`.
#[inline(always)]
fn constrain<V: Lanes>(layout: &Layout, unconstrained: usize, samples: usize, values: &mut [V::Element], log_det: &mut [f64]) {
    let (u, rest) = values.split_at_mut(unconstrained * samples);
    for variable in &layout.variables {
        if let Some((free, rows)) = mapped(variable, unconstrained, samples) {
            variable.bijector.forward::<V>(&u[free], &mut rest[rows], samples, log_det);
        }
    }
}

/// The pullback of [`constrain`].
#[inline(always)]
fn pull<V: Lanes>(
    layout: &Layout,
    unconstrained: usize,
    samples: usize,
    values: &[V::Element],
    adjoints: &mut [V::Element],
    log_det_weight: &[V::Element],
) {
    let (u, rest) = values.split_at(unconstrained * samples);
    let (gradient, rest_adjoints) = adjoints.split_at_mut(unconstrained * samples);
    for variable in &layout.variables {
        if let Some((free, rows)) = mapped(variable, unconstrained, samples) {
            let (z, z_adjoint) = (&rest[rows.clone()], &rest_adjoints[rows]);
            variable.bijector.pull::<V>(&u[free.clone()], z, z_adjoint, log_det_weight, &mut gradient[free], samples);
        }
    }
}

/// Where the unconstrained numbers of a latent are, and, counted after all of these, its own; none if they are the same.
#[inline(always)]
fn mapped(variable: &Variable, unconstrained: usize, samples: usize) -> Option<(Range<usize>, Range<usize>)> {
    if variable.kind != SiteKind::Latent || variable.bijector == Bijector::Identity {
        return None;
    }
    let free = variable.unconstrained.start * samples..variable.unconstrained.end * samples;
    let rows = (variable.rows.start - unconstrained) * samples..(variable.rows.end - unconstrained) * samples;
    Some((free, rows))
}

/// Some rows of a body, forward.
pub(super) struct Evaluate<'a, K: Kernels> {
    pub(super) kernels: &'a K,
    pub(super) body: usize,
    pub(super) rows: Range<usize>,
    pub(super) samples: usize,
    pub(super) values: &'a mut [K::Element],
    pub(super) products: &'a mut [K::Element],
    pub(super) wanted: Option<(usize, Range<usize>)>,
    pub(super) out: &'a mut [K::Element],
}

impl<K: Kernels> Kernel<K::Element> for Evaluate<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = K::Element>>(self) {
        let products = K::BODIES[self.body].products;
        for block in blocks(self.rows, products) {
            product::forward(self.kernels, self.body, products, block.clone(), self.samples, self.values, self.products);
            let mut frame = Forward {
                values: &mut *self.values,
                products: &*self.products,
                wanted: self.wanted.as_ref().map_or(usize::MAX, |(factor, _)| *factor),
                rows: self.wanted.as_ref().map_or(0..0, |(_, rows)| rows.clone()),
                out: &mut *self.out,
                samples: self.samples,
                offset: 0,
                first: block.start,
                block: block.len(),
            };
            while frame.offset < self.samples {
                self.kernels.forward::<V>(self.body, block.clone(), &mut frame);
                frame.offset += V::WIDTH;
            }
        }
    }
}

/// The blocks of some rows.
fn blocks(rows: Range<usize>, products: usize) -> impl Iterator<Item = Range<usize>> {
    let length = rows.len();
    let count = if products == 0 { 1 } else { length.div_ceil(BLOCK).max(1) };
    (0..count).map(move |i| {
        let block = part(length, count, i);
        rows.start + block.start..rows.start + block.end
    })
}
