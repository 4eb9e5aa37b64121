//! Markov blankets: which rows of which factors depend on each block of a guide.

use std::ops::Range;

use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};
use crate::model::{Layout, LogJoint, Statement, Visitor, Workspace};

/// What a block's part of the log density is made of: the union of the Markov blankets of its members.
#[derive(Debug, Default)]
struct Blanket {
    /// Factors of which every row depends on the block.
    whole: Vec<usize>,
    /// Some rows of a factor, increasing.
    rows: Vec<(usize, Vec<usize>)>,
    /// The maps of its members to their supports, with their unconstrained dimensions and how many rows they become.
    jacobians: Vec<(Bijector, Range<usize>, usize)>,
}

/// The blankets of all blocks.
#[derive(Debug)]
pub(super) struct Blankets<E> {
    blocks: Vec<Blanket>,
    /// Log densities of the rows of a factor: `[row][sample]`.
    rows: Vec<E>,
    total: Vec<f64>,
}

impl<E: Real> Blankets<E> {
    /// Of blocks of dimensions, some of which may not be wanted; none where coordinates make every latent depend on every other.
    pub(super) fn new(model: &dyn LogJoint<E>, blocks: &[Vec<usize>], wanted: &[bool]) -> Option<Self> {
        let layout = model.layout();
        if layout.unconstrained() != layout.latents().map(|latent| latent.unconstrained.len()).sum::<usize>() {
            return None;
        }
        let mut block_of = vec![None; layout.unconstrained()];
        for (block, members) in blocks.iter().enumerate().filter(|(block, _)| wanted[*block]) {
            members.iter().for_each(|&member| block_of[member] = Some(block));
        }
        let mut found = Found { of_row: vec![Vec::new(); layout.rows()], blankets: Vec::new(), seen: Vec::new() };
        found.blankets.resize_with(blocks.len(), Blanket::default);
        for (bijector, dimensions, rows) in events(layout) {
            let mut own: Vec<usize> = dimensions.clone().filter_map(|dimension| block_of[dimension]).collect();
            own.sort_unstable();
            own.dedup();
            if bijector != Bijector::Identity {
                own.iter()
                    .for_each(|&block| found.blankets[block].jacobians.push((bijector.clone(), dimensions.clone(), rows.len())));
            }
            rows.into_iter().for_each(|row| found.of_row[row].clone_from(&own));
        }
        model.reads(&mut found);
        let mut blocks = found.blankets;
        for blanket in &mut blocks {
            let all = |(factor, rows): &(usize, Vec<usize>)| rows.len() == model.factor_rows(*factor);
            let (whole, rows): (Vec<_>, Vec<_>) = std::mem::take(&mut blanket.rows).into_iter().partition(all);
            blanket.whole = whole.into_iter().map(|(factor, _)| factor).collect();
            blanket.rows = rows;
        }
        Some(Blankets { blocks, rows: Vec::new(), total: Vec::new() })
    }

    /// Writes what depends on each block, of the workspace's constrained latents at the unconstrained `u`: `[block][sample]`, in nats.
    pub(super) fn costs(&mut self, model: &dyn LogJoint<E>, u: &[E], work: &mut Workspace<E>, costs: &mut [f64]) {
        let samples = work.samples;
        costs.fill(0.0);
        model.complete(work);
        for factor in 0..model.graph().factors.len() {
            let rows = model.factor_rows(factor);
            self.rows.resize(rows * samples, E::default());
            model.log_prob_rows(factor, 0..rows, work, &mut self.rows);
            self.total.clear();
            self.total.resize(samples, 0.0);
            for row in self.rows.chunks_exact(samples) {
                add(row, &mut self.total);
            }
            for (blanket, costs) in self.blocks.iter().zip(costs.chunks_exact_mut(samples)) {
                if blanket.whole.contains(&factor) {
                    costs.iter_mut().zip(&self.total).for_each(|(cost, total)| *cost += total);
                }
                for (_, rows) in blanket.rows.iter().filter(|(known, _)| *known == factor) {
                    rows.iter().for_each(|row| add(&self.rows[row * samples..(row + 1) * samples], costs));
                }
            }
        }
        for (blanket, costs) in self.blocks.iter().zip(costs.chunks_exact_mut(samples)) {
            for (bijector, dimensions, rows) in &blanket.jacobians {
                let u = &u[dimensions.start * samples..dimensions.end * samples];
                self.rows.resize(rows * samples, E::default());
                dispatch(Jacobian { bijector, u, z: &mut self.rows, samples, log_det: costs });
            }
        }
    }
}

fn add<E: Real>(row: &[E], costs: &mut [f64]) {
    costs.iter_mut().zip(row).for_each(|(cost, own)| *cost += own.to_f64());
}

/// The least parts of latents that are mapped by themselves: the map, the unconstrained dimensions, the rows of the workspace.
fn events(layout: &Layout) -> impl Iterator<Item = (Bijector, Range<usize>, Vec<usize>)> {
    layout.latents().flat_map(|latent| {
        let elements = latent.elements();
        let length = match latent.bijector {
            Bijector::Simplex { length } | Bijector::Ordered { length } | Bijector::PositiveOrdered { length } => length.max(1),
            _ => 1,
        };
        let events = elements.len() / length;
        let free = latent.unconstrained.len() / events.max(1);
        (0..events).map(move |event| {
            let own = &elements[event * length..(event + 1) * length];
            let bijector = match &latent.bijector {
                Bijector::Interval(bounds) => Bijector::Interval(bounds.of(&[event])),
                other => other.clone(),
            };
            let first = latent.unconstrained.start + event * free;
            (bijector, first..first + free, own.iter().map(|element| latent.rows.start + element).collect())
        })
    })
}

struct Found {
    /// The blocks that a row of the workspace belongs to.
    of_row: Vec<Vec<usize>>,
    blankets: Vec<Blanket>,
    seen: Vec<usize>,
}

impl Visitor for Found {
    fn visit(&mut self, _statement: &Statement<'_>, _value: &mut [f64]) {}

    fn reads(&mut self, factor: usize, row: usize, latents: &[usize]) {
        self.seen.clear();
        self.seen.extend(latents.iter().flat_map(|latent| &self.of_row[*latent]));
        self.seen.sort_unstable();
        self.seen.dedup();
        for &block in &self.seen {
            let rows = &mut self.blankets[block].rows;
            match rows.iter_mut().find(|(known, _)| *known == factor) {
                Some((_, rows)) => rows.push(row),
                None => rows.push((factor, vec![row])),
            }
        }
    }
}

/// Adds `ln |dz / du|` of one event.
struct Jacobian<'a, E> {
    bijector: &'a Bijector,
    u: &'a [E],
    z: &'a mut [E],
    samples: usize,
    log_det: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Jacobian<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for offset in (0..self.samples).step_by(V::WIDTH) {
            let log_det = self.bijector.forward::<V>(self.u, self.z, self.samples, offset);
            log_det.add_to(&mut self.log_det[offset..]);
        }
    }
}
