//! The log joint of a compiled model: the kernels that `model!` generates, driven over lanes, blocks of rows and threads.

mod array;
mod chain;
mod frame;
mod ode;
mod pass;
mod product;
mod walk;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::kernel::{Lanes, Real, dispatch};
use crate::model::{
    Batch, Choices, DataError, Following, Follows, Graph, Inverse, Layout, LogJoint, Partition, Refinement, SiteKind, Visitor,
    Weights, Workspace, aligned,
};

use pass::{Constrain, Evaluate, Latents, Mapped, Pass, Space};

pub use array::Array;
pub use chain::Chain;
pub use frame::{Forward, Frame, Gathered, Numbers, Repeated};
pub use ode::Ode;
pub use product::Product;
pub use walk::Walk;

/// Rows that go through the matrix products and the kernel together, so that they stay in the cache.
const BLOCK: usize = 1024;
/// The most parts into which a plate is cut.
const PARTITIONS: usize = 16;

/// What is known of a body (a plate, or the statements outside loops) before any data.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// Whether it computes quantities that are read through another index, and so are stored before any factor is evaluated.
    pub stores: bool,
    /// Whether rows read earlier ones, so that derivatives go through them from the last to the first.
    pub recursive: bool,
    /// The number of its matrix products.
    pub products: usize,
    /// Its factors.
    pub factors: &'static [usize],
}

/// What `model!` generates: the kernels of a model over its data, in exactly two forms and one walk.
pub trait Kernels: Sync {
    /// The element of the model.
    type Element: Real;
    /// Sites and factors.
    const GRAPH: &'static Graph;
    /// The bodies, in the order of the model.
    const BODIES: &'static [Body];

    /// Names, shapes and rows.
    fn layout(&self) -> &Layout;
    /// The number of iterations of the outermost loop of a body; one outside loops.
    fn body_rows(&self, body: usize) -> usize;
    /// The number of rows of a factor.
    fn factor_rows(&self, factor: usize) -> usize;
    /// How many values each loop around a sum has, outermost first, and the sum itself, last.
    fn choices(&self, sum: usize) -> Vec<usize>;
    /// A matrix product of a body.
    fn product(&self, body: usize, index: usize) -> Product<'_, Self::Element>;
    /// Computes the quantities of some rows of a body, and the log densities that are asked for.
    fn forward<V: Lanes<Element = Self::Element>>(&self, body: usize, rows: Range<usize>, frame: &mut Forward<'_, V>);
    /// Adds the weighted derivatives of some rows of a body, and returns their weighted log density.
    fn accumulate<V: Lanes<Element = Self::Element>>(&self, body: usize, rows: Range<usize>, frame: &mut Frame<'_, V>) -> V::Sum;
    /// The same over some elements of a plate.
    ///
    /// # Errors
    /// None that the whole model did not have.
    fn batch(&self, batch: &Batch<'_>) -> Result<Box<dyn LogJoint<Self::Element> + Send + '_>, DataError>;
    /// To which element of its parent each element of what goes with a plate belongs, through this index array ([`Follows`]).
    fn belongs(&self, _through: &str) -> &[usize] {
        &[]
    }
    /// Solves differential equations in other steps from now on.
    fn refine(&mut self, _refinement: Refinement) {}
    /// Meets every statement in the order of the model, with one sample.
    fn walk(&self, walk: &mut Walk<'_>);
    /// The observed elements.
    fn observed(&self) -> Vec<f64>;
}

/// A model bound to its data.
#[derive(Debug)]
pub struct Compiled<K> {
    kernels: K,
    /// Into how many parts each body is cut.
    parts: Vec<usize>,
    /// Whether all bodies go through one pass.
    whole: bool,
    /// How many rows of the workspace have adjoints.
    adjoint_rows: usize,
    /// The latents and parameters that are computed from their unconstrained numbers.
    mapped: Vec<Mapped>,
    /// How many rows each row of a factor stands for, and each element of a latent: other than one in a batch.
    scales: Option<(Vec<f64>, Vec<f64>)>,
    /// What belongs to each element through the index arrays of [`Follows`], found when it is asked for.
    inverses: Mutex<HashMap<&'static str, Arc<Inverse>>>,
}

impl<K: Kernels> Compiled<K> {
    /// Drives these kernels.
    pub fn new(kernels: K) -> Self {
        let parts: Vec<usize> = (0..K::BODIES.len()).map(|body| partitions(&kernels, body)).collect();
        let stores = K::BODIES.iter().any(|body| body.stores);
        let whole = !stores && parts.iter().all(|&parts| parts == 1);
        // Quantities come last; only those that are stored have adjoints.
        let layout = kernels.layout();
        let of_unknowns = Layout { variables: layout.unknowns().cloned().collect(), ..Layout::default() }.rows();
        let adjoint_rows = if stores { layout.rows() } else { of_unknowns };
        let mapped = Mapped::all(layout);
        Compiled { kernels, parts, whole, adjoint_rows, mapped, scales: None, inverses: Mutex::default() }
    }

    /// Drives kernels over a batch.
    pub fn of_batch(kernels: K, batch: &Batch<'_>) -> Self {
        let of = |is_over: bool| if is_over { batch.scale() } else { 1.0 };
        let over = K::GRAPH.plates.get(batch.plate).map_or(&[][..], |plate| plate.factors);
        let factors = (0..K::GRAPH.factors.len()).map(|factor| of(over.contains(&factor))).collect();
        let latents = kernels.layout().latents().map(|latent| of(batch.cuts(&latent.dims))).collect();
        Compiled { scales: Some((factors, latents)), ..Self::new(kernels) }
    }

    /// The lanes that the products of a block need.
    fn product_lanes(&self, body: usize, samples: usize) -> usize {
        let columns: usize = (0..K::BODIES[body].products).map(|i| self.kernels.product(body, i).columns).sum();
        let parts = self.parts[body];
        let rows = self.kernels.body_rows(body).div_ceil(parts).min(BLOCK);
        columns * rows * samples
    }
}

/// Into how many parts a body is cut: a function of the data alone, so that sums have the same bits on any number of threads.
fn partitions<K: Kernels>(kernels: &K, body: usize) -> usize {
    if K::BODIES[body].recursive {
        return 1;
    }
    let rows = kernels.body_rows(body);
    let wide = (rows / BLOCK).clamp(1, PARTITIONS);
    // Each part has its own adjoints, which must not outweigh the rows.
    let affordable = (4 * rows / kernels.layout().rows().max(1)).max(1);
    1 << wide.min(affordable).ilog2()
}

/// The rows of a partition, of a plate cut evenly.
#[inline]
fn part(rows: usize, parts: usize, index: usize) -> Range<usize> {
    rows * index / parts..rows * (index + 1) / parts
}

/// What is asked of a forward pass.
#[derive(Clone, Debug)]
struct Wanted {
    factor: usize,
    /// Rows of the factor.
    rows: Range<usize>,
    /// The terms of a sum instead of the factor itself, and how many there are in a row.
    sum: Option<(usize, usize, Choices)>,
}

impl<K: Kernels> Compiled<K> {
    /// Evaluates those rows of a body that hold some rows of a factor.
    fn rows_of(&self, wanted: Wanted, work: &mut Workspace<K::Element>, out: &mut [K::Element]) {
        let Some(body) = K::BODIES.iter().position(|body| body.factors.contains(&wanted.factor)) else { return };
        let (body_rows, factor_rows) = (self.kernels.body_rows(body), self.kernels.factor_rows(wanted.factor));
        if body_rows == 0 || factor_rows == 0 {
            return;
        }
        let inner = factor_rows / body_rows;
        let touched = wanted.rows.start / inner..wanted.rows.end.div_ceil(inner);
        self.forward(body, touched, work, Some(wanted), out);
    }

    fn forward(
        &self,
        body: usize,
        rows: Range<usize>,
        work: &mut Workspace<K::Element>,
        wanted: Option<Wanted>,
        out: &mut [K::Element],
    ) {
        let products = work.partitions.first_mut().map_or(&mut [][..], |p| &mut p.products[..]);
        dispatch(Evaluate {
            kernels: &self.kernels,
            body,
            rows,
            samples: work.samples,
            values: &mut work.values,
            products,
            wanted,
            out,
        });
    }

    /// What is computed from the first so many unconstrained numbers.
    fn mapped(&self, unconstrained: usize) -> &[Mapped] {
        &self.mapped[..self.mapped.partition_point(|mapped| mapped.is_within(unconstrained))]
    }

    /// Sets the log joint and its derivatives with respect to the constrained latents, or the unconstrained numbers.
    fn evaluate(&self, of: Space, work: &mut Workspace<K::Element>, weights: &Weights<K::Element>, log_joint: &mut [f64]) {
        log_joint.fill(0.0);
        work.adjoints[..self.adjoint_rows * work.samples].fill(K::Element::default());
        if self.whole {
            self.pass(of, of, 0..K::BODIES.len(), work, weights, log_joint);
            return;
        }
        self.pass(of, Space::Constrained, 0..0, work, weights, log_joint);
        for (body, known) in K::BODIES.iter().enumerate() {
            if known.stores {
                self.forward(body, 0..self.kernels.body_rows(body), work, None, &mut []);
            }
        }
        // The readers of a stored quantity come after it, so that its adjoint is complete when its own body is reached.
        for body in (0..K::BODIES.len()).rev() {
            if self.parts[body] == 1 {
                self.pass(Space::Constrained, Space::Constrained, body..body + 1, work, weights, log_joint);
            } else {
                self.accumulate_parts(body, work, weights, log_joint);
            }
        }
        self.pass(Space::Constrained, of, 0..0, work, weights, log_joint);
    }

    /// Some bodies on one thread; one copy of the kernels for all that call it.
    #[inline(never)]
    fn pass(
        &self,
        from: Space,
        to: Space,
        bodies: Range<usize>,
        work: &mut Workspace<K::Element>,
        weights: &Weights<K::Element>,
        log_joint: &mut [f64],
    ) {
        let [first, ..] = work.partitions.as_mut_slice() else { return };
        dispatch(Pass {
            kernels: &self.kernels,
            latents: match from {
                Space::Unconstrained => Latents::Constrain(&mut work.values),
                Space::Constrained => Latents::Given(&work.values),
            },
            bodies,
            rows: None,
            samples: work.samples,
            complete: &[],
            adjoints: &mut work.adjoints,
            products: &mut first.products,
            product_adjoints: &mut first.product_adjoints,
            weights,
            log_joint,
            mapped: self.mapped(work.unconstrained),
            derivatives: to,
        });
    }

    /// One body, its parts in parallel.
    fn accumulate_parts(
        &self,
        body: usize,
        work: &mut Workspace<K::Element>,
        weights: &Weights<K::Element>,
        log_joint: &mut [f64],
    ) {
        let (parts, rows, samples) = (self.parts[body], self.kernels.body_rows(body), work.samples);
        let (values, complete) = (&work.values[..], &work.adjoints[..]);
        work.partitions[..parts].par_iter_mut().enumerate().for_each(|(index, own)| {
            own.adjoints.fill(K::Element::default());
            own.log_joint.fill(0.0);
            dispatch(Pass {
                kernels: &self.kernels,
                latents: Latents::Given(values),
                bodies: body..body + 1,
                rows: Some(part(rows, parts, index)),
                samples,
                complete,
                adjoints: &mut own.adjoints,
                products: &mut own.products,
                product_adjoints: &mut own.product_adjoints,
                weights,
                log_joint: &mut own.log_joint,
                mapped: &[],
                derivatives: Space::Constrained,
            });
        });
        for own in &work.partitions[..parts] {
            for (total, add) in log_joint.iter_mut().zip(&own.log_joint) {
                *total += add;
            }
            for (total, &add) in work.adjoints.iter_mut().zip(&own.adjoints[..]) {
                *total = K::Element::from_f64(total.to_f64() + add.to_f64());
            }
        }
    }
}

impl<K: Kernels> LogJoint<K::Element> for Compiled<K> {
    fn graph(&self) -> &'static Graph {
        K::GRAPH
    }

    fn layout(&self) -> &Layout {
        self.kernels.layout()
    }

    fn workspace(&self, samples: usize) -> Workspace<K::Element> {
        let rows = self.layout().rows() * samples;
        let bodies = 0..K::BODIES.len();
        let parts = bodies.clone().map(|body| self.parts[body]).max().unwrap_or(1);
        let lanes = bodies.map(|body| self.product_lanes(body, samples)).max().unwrap_or(0);
        let zero = K::Element::default();
        let partition = Partition {
            products: aligned(zero, lanes),
            product_adjoints: aligned(zero, lanes),
            adjoints: aligned(zero, if parts == 1 { 0 } else { rows }),
            log_joint: vec![0.0; samples],
        };
        let mut values = aligned(zero, rows);
        for variable in self.layout().latents() {
            let given = variable.missing.iter().flat_map(|missing| missing.given.iter().enumerate());
            for (element, value) in given.filter_map(|(element, value)| value.map(|value| (element, value))) {
                let row = variable.rows.start + element;
                values[row * samples..(row + 1) * samples].fill(K::Element::from_f64(value));
            }
        }
        Workspace {
            samples,
            unconstrained: self.layout().unconstrained(),
            values,
            adjoints: aligned(zero, rows),
            kept: Vec::new(),
            partitions: vec![partition; parts],
        }
    }

    fn unit_weights(&self, samples: usize) -> Weights<K::Element> {
        let one = K::Element::from_f64(1.0);
        let spread = |scales: &Vec<f64>| {
            scales.iter().flat_map(|&scale| std::iter::repeat_n(K::Element::from_f64(scale), samples)).collect()
        };
        let (factors, log_det) = match &self.scales {
            Some((factors, latents)) => (spread(factors), spread(latents)),
            None => (vec![one; samples * K::GRAPH.factors.len()], vec![one; samples * self.layout().latents().count()]),
        };
        Weights { factors, log_det, samples, rows: Vec::new() }
    }

    fn constrain(&self, work: &mut Workspace<K::Element>, log_det: &mut [f64]) {
        let mapped = self.mapped(work.unconstrained);
        dispatch(Constrain { mapped, samples: work.samples, values: &mut work.values, log_det });
    }

    fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)> {
        let mut u = Vec::with_capacity(self.layout().unconstrained());
        for (index, variable) in self.layout().variables.iter().enumerate() {
            if matches!(variable.kind, SiteKind::Latent | SiteKind::Parameter) {
                let elements = variable.elements();
                let values: Vec<f64> = elements.iter().map(|i| z[variable.rows.start + i]).collect();
                u.extend(variable.bijector.inverse(&values).map_err(|at| (index, elements[at]))?);
            }
        }
        Ok(u)
    }

    fn accumulate(&self, work: &mut Workspace<K::Element>, weights: &Weights<K::Element>, log_joint: &mut [f64]) {
        self.evaluate(Space::Constrained, work, weights, log_joint);
    }

    fn complete(&self, work: &mut Workspace<K::Element>) {
        for body in 0..K::BODIES.len() {
            self.forward(body, 0..self.kernels.body_rows(body), work, None, &mut []);
        }
    }

    fn factor_rows(&self, factor: usize) -> usize {
        self.kernels.factor_rows(factor)
    }

    fn log_prob_rows(&self, factor: usize, rows: Range<usize>, work: &mut Workspace<K::Element>, out: &mut [K::Element]) {
        self.rows_of(Wanted { factor, rows, sum: None }, work, out);
    }

    fn choices(&self, sum: usize) -> Vec<usize> {
        self.kernels.choices(sum)
    }

    fn log_choices(
        &self,
        (sum, of): (usize, Choices),
        rows: Range<usize>,
        work: &mut Workspace<K::Element>,
        out: &mut [K::Element],
    ) {
        let factor = K::GRAPH.sums[sum].factor;
        let all = self.kernels.choices(sum).iter().product::<usize>();
        let sum = Some((sum, all / self.kernels.factor_rows(factor).max(1), of));
        self.rows_of(Wanted { factor, rows, sum }, work, out);
    }

    fn batch(&self, batch: &Batch<'_>) -> Result<Box<dyn LogJoint<K::Element> + Send + '_>, DataError> {
        self.kernels.batch(batch)
    }

    fn following(&self, plate: usize, rows: &[usize]) -> Vec<Following> {
        let mut found: Vec<Following> = Vec::new();
        for &Follows { dim, parent, through } in K::GRAPH.plates[plate].following {
            let mut known = self.inverses.lock().unwrap_or_else(PoisonError::into_inner);
            let inverse = known
                .entry(through)
                .or_insert_with(|| Arc::new(Inverse::new(self.kernels.belongs(through), self.layout().dims[parent].size)));
            let inverse = Arc::clone(inverse);
            drop(known);
            let of_parent = found.iter().find(|known| known.dim == parent);
            let (rows, belongs) = inverse.of(of_parent.map_or(rows, |known| &known.rows));
            let owners = of_parent.map_or_else(|| belongs.clone(), |known| belongs.iter().map(|&at| known.owners[at]).collect());
            found.push(Following { dim, parent, rows, belongs, owners });
        }
        found
    }

    fn refine(&mut self, refinement: Refinement) {
        self.kernels.refine(refinement);
    }

    fn walk(&self, values: &mut [f64], observed: &mut [f64], visitor: &mut dyn Visitor) {
        self.kernels.walk(&mut Walk::new(values, observed, visitor));
    }

    fn reads(&self, visitor: &mut dyn Visitor) {
        // At the middle of the unconstrained space, where functions of the user's are defined.
        let mut work = self.workspace(K::Element::LANE_MULTIPLE);
        self.constrain(&mut work, &mut vec![0.0; K::Element::LANE_MULTIPLE]);
        let mut values: Vec<f64> = work.values.iter().step_by(K::Element::LANE_MULTIPLE).map(|x| x.to_f64()).collect();
        let mut observed = self.observed();
        self.kernels.walk(&mut Walk::new(&mut values, &mut observed, visitor).reading(self.layout()));
    }

    fn observed(&self) -> Vec<f64> {
        self.kernels.observed()
    }

    fn locate(&self, centred: usize, work: &mut Workspace<K::Element>) {
        let body = K::BODIES.len() + centred;
        self.forward(body, 0..self.kernels.body_rows(body), work, None, &mut []);
    }

    fn pull_locate(&self, centred: usize, work: &mut Workspace<K::Element>, weights: &Weights<K::Element>) {
        let body = K::BODIES.len() + centred;
        let mut unused = vec![0.0; work.samples];
        self.pass(Space::Constrained, Space::Constrained, body..body + 1, work, weights, &mut unused);
    }

    fn pull_constrain(&self, work: &mut Workspace<K::Element>, weights: &Weights<K::Element>) {
        let mut unused = vec![0.0; work.samples];
        self.pass(Space::Constrained, Space::Unconstrained, 0..0, work, weights, &mut unused);
    }

    fn log_density(&self, work: &mut Workspace<K::Element>, weights: &Weights<K::Element>, log_density: &mut [f64]) {
        self.evaluate(Space::Unconstrained, work, weights, log_density);
    }
}
