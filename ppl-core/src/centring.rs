//! Automatic non-centring: a model seen through the standardized residuals of its location-scale latents.

use std::ops::Range;

use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};
use crate::model::{Centred, Layout, LogJoint, SiteKind, Statement, Variable, Visitor, Weights, Workspace, forward};

/// A model in other coordinates: a latent `z ~ D(m, s)` of a location and a scale that depend on other latents is replaced by a residual `r ~ D(c m, s^c)` with
/// `z = m + s^(1 - c) (r - c m)`. The degree `c` of each such site, one for the latent as written and zero for its standardized residual, is a
/// number of its own after the other unconstrained numbers, to be maximised like a parameter. Draws are of the latents as written.
///
/// # Source
/// Gorinova, Moore & Hoffman 2020, Automatic reparameterisation of probabilistic programs, equation 4.
pub struct PartlyCentred<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    layout: Layout,
}

impl<E: Real> std::fmt::Debug for PartlyCentred<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartlyCentred").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// A model as written, or in the coordinates of residuals: as the dimensions of a guide say.
#[derive(Debug)]
pub(crate) enum View<'a, E: Real> {
    /// As written.
    Written(Written<'a, E>),
    /// In the coordinates of residuals.
    Residuals(PartlyCentred<'a, E>),
}

/// A model as written.
pub(crate) struct Written<'a, E: Real>(&'a dyn LogJoint<E>);

impl<E: Real> std::fmt::Debug for Written<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Written")
    }
}

impl<'a, E: Real> View<'a, E> {
    /// The view that has so many dimensions; none if neither has.
    pub(crate) fn of_dimensions(model: &'a dyn LogJoint<E>, dimensions: usize) -> Option<Self> {
        if model.layout().unconstrained() == dimensions {
            return Some(View::Written(Written(model)));
        }
        let residuals = PartlyCentred::new(model)?;
        (residuals.layout().unconstrained() == dimensions).then_some(View::Residuals(residuals))
    }

    /// The model.
    pub(crate) fn model(&self) -> &dyn LogJoint<E> {
        match self {
            View::Written(Written(model)) => *model,
            View::Residuals(residuals) => residuals,
        }
    }
}

impl<'a, E: Real> PartlyCentred<'a, E> {
    /// The model in these coordinates; none if no latent has them.
    #[must_use]
    pub fn new(model: &'a dyn LogJoint<E>) -> Option<Self> {
        let mut layout = model.layout().clone();
        if layout.centred.is_empty() {
            return None;
        }
        for centred in &model.layout().centred {
            let name = layout.variables[centred.variable].name;
            layout.variables.push(Variable {
                name,
                kind: SiteKind::Degree,
                dims: Vec::new(),
                shape: Vec::new(),
                rows: centred.degree..centred.degree + 1,
                unconstrained: centred.degree..centred.degree + 1,
                bijector: Bijector::Identity,
                initial: Vec::new(),
                missing: None,
                values: None,
            });
        }
        Some(PartlyCentred { model, layout })
    }

    /// The rows of the residuals of a site.
    fn rows(&self, centred: &Centred) -> Range<usize> {
        self.layout.variables[centred.variable].unconstrained.clone()
    }

    /// Puts latents in the place of their residuals, site after site; adds the logarithm of the Jacobian determinant to `log_det`.
    fn place(&self, work: &mut Workspace<E>, log_det: &mut [f64]) {
        for (i, centred) in self.layout.centred.iter().enumerate() {
            self.model.locate(i, work);
            let rows = self.rows(centred);
            dispatch(Place { centred, rows, samples: work.samples, values: &mut work.values, log_det });
        }
    }
}

impl<E: Real> LogJoint<E> for PartlyCentred<'_, E> {
    // Batches are of the latents as written.
    forward! {
        |view| view.model;
        graph, unit_weights, accumulate, complete, log_prob_rows, log_choices, walk, batch, following, locate
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn workspace(&self, samples: usize) -> Workspace<E> {
        let mut work = self.model.workspace(samples);
        work.unconstrained = self.layout.unconstrained();
        work
    }

    fn constrain(&self, work: &mut Workspace<E>, log_det: &mut [f64]) {
        self.model.constrain(work, log_det);
        self.place(work, log_det);
    }

    fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)> {
        let mut u = self.model.unconstrain(z)?;
        // Of degree one, residuals are the latents.
        u.resize(self.layout.unconstrained(), 1.0);
        Ok(u)
    }

    /// A statement that reads a latent in the place of a residual is taken to depend on all latents: its location and scale may.
    fn reads(&self, visitor: &mut dyn Visitor) {
        let all: Vec<usize> = self.layout.latents().flat_map(|latent| latent.rows.clone()).collect();
        let placed = self.layout.centred.iter().map(|centred| self.rows(centred)).collect();
        self.model.reads(&mut Through { visitor, placed, all: &all });
    }

    fn pull_constrain(&self, work: &mut Workspace<E>, weights: &Weights<E>) {
        for (i, centred) in self.layout.centred.iter().enumerate().rev() {
            dispatch(Pull {
                centred,
                rows: self.rows(centred),
                samples: work.samples,
                values: &work.values,
                adjoints: &mut work.adjoints,
                weights: &weights.log_det[centred.variable * work.samples..],
            });
            self.model.pull_locate(i, work, weights);
        }
        self.model.pull_constrain(work, weights);
    }

    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        let mut kept = std::mem::take(&mut work.kept);
        kept.clear();
        kept.extend_from_slice(work.u());
        let mut log_det = vec![0.0; work.samples];
        self.constrain(work, &mut log_det);
        self.model.accumulate(work, weights, log_density);
        for ((total, log_det), weight) in log_density.iter_mut().zip(&log_det).zip(&weights.log_det) {
            *total += weight.to_f64() * log_det;
        }
        self.pull_constrain(work, weights);
        work.u_mut().copy_from_slice(&kept);
        work.kept = kept;
    }
}

/// Passes on who reads whom, of residuals.
struct Through<'a> {
    visitor: &'a mut dyn Visitor,
    /// The rows of residuals.
    placed: Vec<Range<usize>>,
    all: &'a [usize],
}

impl Visitor for Through<'_> {
    fn visit(&mut self, _statement: &Statement<'_>, _value: &mut [f64]) {}

    fn reads(&mut self, factor: usize, row: usize, latents: &[usize]) {
        let through = latents.iter().any(|latent| self.placed.iter().any(|rows| rows.contains(latent)));
        self.visitor.reads(factor, row, if through { self.all } else { latents });
    }
}

/// From residuals to latents, in place.
struct Place<'a, E> {
    centred: &'a Centred,
    rows: Range<usize>,
    samples: usize,
    values: &'a mut [E],
    log_det: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Place<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (samples, one) = (self.samples, V::constant(1.0));
        let (location, scale) = (self.centred.location().start, self.centred.scale().start);
        for offset in (0..samples).step_by(V::WIDTH) {
            let at = |row: usize| row * samples + offset;
            let c = V::load(&self.values[at(self.centred.degree)..]);
            let mut log_det = V::Sum::zero();
            for (i, row) in self.rows.clone().enumerate() {
                let m = V::load(&self.values[at(location + i)..]);
                let power = (one - c) * V::load(&self.values[at(scale + i)..]).ln();
                let r = V::load(&self.values[at(row)..]);
                power.exp().mul_add(r - c * m, m).store(&mut self.values[at(row)..]);
                log_det += power;
            }
            log_det.add_to(&mut self.log_det[offset..]);
        }
    }
}

/// The pullback of [`Place`], from the latents that it made.
struct Pull<'a, E> {
    centred: &'a Centred,
    rows: Range<usize>,
    samples: usize,
    values: &'a [E],
    adjoints: &'a mut [E],
    /// The weight of the logarithm of the Jacobian determinant.
    weights: &'a [E],
}

impl<E: Real> Kernel<E> for Pull<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (samples, one) = (self.samples, V::constant(1.0));
        let (first_location, first_scale) = (self.centred.location().start, self.centred.scale().start);
        for offset in (0..samples).step_by(V::WIDTH) {
            let at = |row: usize| row * samples + offset;
            let c = V::load(&self.values[at(self.centred.degree)..]);
            let weight = V::load(&self.weights[offset..]);
            let rest = one - c;
            let mut d_degree = V::zero();
            for (i, row) in self.rows.clone().enumerate() {
                let (location, scale) = (at(first_location + i), at(first_scale + i));
                let (m, s) = (V::load(&self.values[location..]), V::load(&self.values[scale..]));
                let log_s = s.ln();
                let t = (rest * log_s).exp();
                // t (r - c m)
                let moved = V::load(&self.values[at(row)..]) - m;
                let adjoint = V::load(&self.adjoints[at(row)..]);
                (adjoint * t).store(&mut self.adjoints[at(row)..]);
                (adjoint * (one - c * t)).store(&mut self.adjoints[location..]);
                (adjoint.mul_add(moved, weight) * rest / s).store(&mut self.adjoints[scale..]);
                d_degree = d_degree - adjoint * log_s.mul_add(moved, t * m) - weight * log_s;
            }
            d_degree.store(&mut self.adjoints[at(self.centred.degree)..]);
        }
    }
}
