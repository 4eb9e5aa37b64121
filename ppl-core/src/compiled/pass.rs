//! The two ways over the bodies of a model that are compiled: forward and reversed at once, and forward alone.

use std::ops::Range;

use super::frame::{Forward, Frame};
use super::{BLOCK, Kernels, Wanted, part, product};
use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, Sum};
use crate::model::{Layout, SiteKind, Weights};

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

/// Bodies, of several none that stores, each forward and reversed at once; before them the map from the unconstrained space, after
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
    pub(super) mapped: &'a [Mapped],
    /// Where the derivatives are left.
    pub(super) derivatives: Space,
}

impl<K: Kernels> Kernel<K::Element> for Pass<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = K::Element>>(self) {
        let samples = self.samples;
        let values: &[K::Element] = match self.latents {
            Latents::Given(values) => values,
            Latents::Constrain(values) => {
                for offset in (0..samples).step_by(V::WIDTH) {
                    constrain::<V>(self.mapped, samples, values, Some(&self.weights.log_det), offset)
                        .add_to(&mut self.log_joint[offset..]);
                }
                values
            }
        };
        for body in self.bodies {
            let products = products::<K>(body);
            let rows = self.rows.clone().unwrap_or_else(|| 0..self.kernels.body_rows(body));
            let recursive = K::BODIES.get(body).is_some_and(|known| known.recursive);
            for block in blocks(rows, products, recursive) {
                if products > 0 {
                    product::forward(self.kernels, body, products, block.clone(), samples, values, self.products);
                    self.product_adjoints.fill(K::Element::default());
                }
                let mut frame = Frame {
                    values: V::chunks(values),
                    complete: V::chunks(self.complete),
                    adjoints: V::chunks_mut(self.adjoints),
                    products: V::chunks(self.products),
                    product_adjoints: V::chunks_mut(self.product_adjoints),
                    weights: self.weights,
                    groups: samples / V::WIDTH,
                    group: 0,
                    first: block.start,
                    block: block.len(),
                };
                while frame.group < frame.groups {
                    let sum = self.kernels.accumulate::<V>(body, block.clone(), &mut frame);
                    sum.add_to(&mut self.log_joint[frame.group * V::WIDTH..]);
                    frame.group += 1;
                }
                if products > 0 {
                    product::pullback(self.kernels, body, products, block, samples, self.product_adjoints, self.adjoints);
                }
            }
        }
        if self.derivatives == Space::Unconstrained {
            for offset in (0..samples).step_by(V::WIDTH) {
                pull::<V>(self.mapped, samples, values, self.adjoints, &self.weights.log_det, offset);
            }
        }
    }
}

/// The map from the unconstrained space alone.
pub(super) struct Constrain<'a, E: Real> {
    pub(super) mapped: &'a [Mapped],
    pub(super) samples: usize,
    pub(super) values: &'a mut [E],
    pub(super) log_det: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Constrain<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for offset in (0..self.samples).step_by(V::WIDTH) {
            constrain::<V>(self.mapped, self.samples, self.values, None, offset).add_to(&mut self.log_det[offset..]);
        }
    }
}

/// A latent or a parameter that differs from its unconstrained numbers.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    /// Which of the latents; none for a parameter, which has no density, and no Jacobian with it.
    latent: Option<usize>,
    bijector: Bijector,
    unconstrained: Range<usize>,
    rows: Range<usize>,
    /// Where the rows stand in an array with missing values; empty if they are the array.
    scatter: Vec<usize>,
}

impl Mapped {
    /// Whether it is computed from the first so many unconstrained numbers.
    pub(super) fn is_within(&self, unconstrained: usize) -> bool {
        self.unconstrained.end <= unconstrained
    }

    /// The latents and parameters of a layout that have rows of their own; these come after all unconstrained numbers. In their order.
    pub(super) fn all(layout: &Layout) -> Vec<Mapped> {
        layout
            .unknowns()
            .enumerate()
            .filter(|(_, unknown)| unknown.bijector != Bijector::Identity || unknown.missing.is_some())
            .map(|(i, latent)| Mapped {
                // Latents come first.
                latent: (latent.kind == SiteKind::Latent).then_some(i),
                bijector: latent.bijector.clone(),
                unconstrained: latent.unconstrained.clone(),
                rows: latent.missing.as_ref().map_or(&latent.rows, |missing| &missing.rows).clone(),
                scatter: latent.missing.iter().flat_map(|m| m.elements.iter().map(|i| latent.rows.start + i)).collect(),
            })
            .collect()
    }
}

/// All latents and parameters from the unconstrained numbers; gives `log |dz / du|` of the latents, each times its weight.
#[inline(always)]
fn constrain<V: Lanes>(
    mapped: &[Mapped],
    samples: usize,
    values: &mut [V::Element],
    weights: Option<&[V::Element]>,
    offset: usize,
) -> V::Sum {
    let mut log_det = V::Sum::zero();
    for latent in mapped {
        if !matches!(latent.bijector, Bijector::Identity) {
            let (u, z) = values.split_at_mut(latent.rows.start * samples);
            let u = &u[latent.unconstrained.start * samples..latent.unconstrained.end * samples];
            let z = &mut z[..latent.rows.len() * samples];
            let own = latent.bijector.forward::<V>(u, z, samples, offset);
            match (latent.latent, weights) {
                (Some(latent), Some(weights)) => log_det.join(own.scale(V::load(&weights[latent * samples + offset..]))),
                (Some(_), None) => log_det.join(own),
                (None, _) => {}
            }
        }
        for (from, &to) in latent.rows.clone().zip(&latent.scatter) {
            V::load(&values[from * samples + offset..]).store(&mut values[to * samples + offset..]);
        }
    }
    log_det
}

/// The pullback of [`constrain`].
#[inline(always)]
fn pull<V: Lanes>(
    mapped: &[Mapped],
    samples: usize,
    values: &[V::Element],
    adjoints: &mut [V::Element],
    weights: &[V::Element],
    offset: usize,
) {
    for latent in mapped {
        for (to, &from) in latent.rows.clone().zip(&latent.scatter) {
            V::load(&adjoints[from * samples + offset..]).store(&mut adjoints[to * samples + offset..]);
        }
        if matches!(latent.bijector, Bijector::Identity) {
            continue;
        }
        let free = latent.unconstrained.start * samples..latent.unconstrained.end * samples;
        let rows = latent.rows.start * samples..latent.rows.end * samples;
        let (gradient, z_adjoint) = adjoints.split_at_mut(rows.start);
        let (u, z, z_adjoint) = (&values[free.clone()], &values[rows.clone()], &z_adjoint[..rows.len()]);
        let weight = latent.latent.map_or_else(V::zero, |latent| V::load(&weights[latent * samples + offset..]));
        latent.bijector.pull::<V>((u, z), z_adjoint, weight, &mut gradient[free], samples, offset);
    }
}

/// Some rows of a body, forward.
pub(super) struct Evaluate<'a, K: Kernels> {
    pub(super) kernels: &'a K,
    pub(super) body: usize,
    pub(super) rows: Range<usize>,
    pub(super) samples: usize,
    pub(super) values: &'a mut [K::Element],
    pub(super) products: &'a mut [K::Element],
    pub(super) wanted: Option<Wanted>,
    pub(super) out: &'a mut [K::Element],
}

impl<K: Kernels> Kernel<K::Element> for Evaluate<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = K::Element>>(self) {
        let products = products::<K>(self.body);
        for block in blocks(self.rows, products, false) {
            product::forward(self.kernels, self.body, products, block.clone(), self.samples, self.values, self.products);
            let mut frame = Forward {
                values: V::chunks_mut(self.values),
                products: V::chunks(self.products),
                wanted: self.wanted.as_ref().map_or(usize::MAX, |wanted| wanted.factor),
                rows: self.wanted.as_ref().map_or(0..0, |wanted| wanted.rows.clone()),
                sum: self.wanted.as_ref().and_then(|wanted| wanted.sum),
                out: V::chunks_mut(self.out),
                groups: self.samples / V::WIDTH,
                group: 0,
                first: block.start,
                block: block.len(),
            };
            while frame.group < frame.groups {
                self.kernels.forward::<V>(self.body, block.clone(), &mut frame);
                frame.group += 1;
            }
        }
    }
}

/// The number of matrix products of a body; those of locations and scales have none.
#[inline(always)]
fn products<K: Kernels>(body: usize) -> usize {
    K::BODIES.get(body).map_or(0, |known| known.products)
}

/// The blocks of some rows.
#[inline(always)]
fn blocks(rows: Range<usize>, products: usize, backwards: bool) -> impl Iterator<Item = Range<usize>> {
    let length = rows.len();
    let count = if products == 0 { 1 } else { length.div_ceil(BLOCK).max(1) };
    (0..count).map(move |i| {
        let block = part(length, count, if backwards { count - 1 - i } else { i });
        rows.start + block.start..rows.start + block.end
    })
}
