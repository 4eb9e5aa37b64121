//! Markov blankets: which rows of which factors depend on each block of a guide.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};
use crate::model::{Layout, LogJoint, Statement, Visitor, Weights, Workspace};

/// What a block's part of the log density is made of: the union of the Markov blankets of its members.
#[derive(Debug, Default)]
struct Blanket {
    /// Factors of which every row depends on the block.
    whole: Vec<usize>,
    /// Some rows of a factor, increasing.
    rows: Vec<(usize, Vec<usize>)>,
    /// The maps of its members to their supports.
    jacobians: Vec<Event>,
}

/// The least part of a latent that is mapped by itself.
#[derive(Clone, Debug)]
struct Event {
    latent: usize,
    bijector: Bijector,
    /// Its unconstrained dimensions.
    dimensions: Range<usize>,
    /// The rows of the workspace that they become.
    rows: Vec<usize>,
}

/// The blankets of all blocks.
#[derive(Debug)]
pub(crate) struct Blankets<E> {
    blocks: Vec<Blanket>,
    /// Log densities of the rows of a factor: `[row][sample]`.
    rows: Vec<E>,
    total: Vec<f64>,
}

impl<E: Real> Blankets<E> {
    /// Of blocks of dimensions, some of which may not be wanted; none where coordinates make every latent depend on every other.
    pub(crate) fn new(model: &dyn LogJoint<E>, blocks: &[Vec<usize>], wanted: &[bool]) -> Option<Self> {
        let layout = model.layout();
        if layout.unconstrained() != layout.unknowns().map(|unknown| unknown.unconstrained.len()).sum::<usize>() {
            return None;
        }
        let mut block_of = vec![None; layout.unconstrained()];
        for (block, members) in blocks.iter().enumerate().filter(|(block, _)| wanted[*block]) {
            members.iter().for_each(|&member| block_of[member] = Some(block));
        }
        let mut found = Found { of_row: vec![Vec::new(); layout.rows()], blankets: Vec::new(), seen: Vec::new() };
        found.blankets.resize_with(blocks.len(), Blanket::default);
        for event in events(layout) {
            let mut own: Vec<usize> = event.dimensions.clone().filter_map(|dimension| block_of[dimension]).collect();
            own.sort_unstable();
            own.dedup();
            event.rows.iter().for_each(|&row| found.of_row[row].clone_from(&own));
            if event.bijector != Bijector::Identity {
                own.iter().for_each(|&block| found.blankets[block].jacobians.push(event.clone()));
            }
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

    /// The blocks in sets of which no two have a row in common: given all other sets, those of one are independent.
    pub(crate) fn independent(&self) -> Vec<Vec<usize>> {
        let mut sets: Vec<Vec<usize>> = Vec::new();
        // The sets of the blocks that a row depends on, and, by factor, of those that all rows depend on, and any.
        let mut of_row: HashMap<(usize, usize), BTreeSet<usize>> = HashMap::new();
        let (mut of_all, mut of_any): (HashMap<usize, BTreeSet<usize>>, HashMap<usize, BTreeSet<usize>>) = Default::default();
        for (block, blanket) in self.blocks.iter().enumerate() {
            let rows = || blanket.rows.iter().flat_map(|(factor, rows)| rows.iter().map(|row| (*factor, *row)));
            let mut taken: BTreeSet<usize> = BTreeSet::new();
            blanket.whole.iter().for_each(|factor| taken.extend(of_any.get(factor).into_iter().flatten()));
            blanket.rows.iter().for_each(|(factor, _)| taken.extend(of_all.get(factor).into_iter().flatten()));
            rows().for_each(|row| taken.extend(of_row.get(&row).into_iter().flatten()));
            let set = (0..sets.len()).find(|set| !taken.contains(set)).unwrap_or(sets.len());
            if set == sets.len() {
                sets.push(Vec::new());
            }
            sets[set].push(block);
            rows().for_each(|row| {
                of_row.entry(row).or_default().insert(set);
            });
            for factor in &blanket.whole {
                of_all.entry(*factor).or_default().insert(set);
            }
            for factor in blanket.whole.iter().chain(blanket.rows.iter().map(|(factor, _)| factor)) {
                of_any.entry(*factor).or_default().insert(set);
            }
        }
        sets
    }

    /// Writes what depends on each block, of the workspace's constrained latents at the unconstrained `u`: `[block][sample]`, in nats. Weights are those of
    /// the first sample.
    pub(crate) fn costs(
        &mut self,
        model: &dyn LogJoint<E>,
        u: &[E],
        work: &mut Workspace<E>,
        weights: &Weights<E>,
        costs: &mut [f64],
    ) {
        let samples = work.samples;
        costs.fill(0.0);
        model.complete(work);
        for factor in 0..model.graph().factors.len() {
            let rows = model.factor_rows(factor);
            self.rows.resize(rows * samples, E::default());
            model.log_prob_rows(factor, 0..rows, work, &mut self.rows);
            self.total.clear();
            self.total.resize(samples, 0.0);
            let weight = weights.factors[factor * samples].to_f64();
            for row in self.rows.chunks_exact(samples) {
                add(row, weight, &mut self.total);
            }
            for (blanket, costs) in self.blocks.iter().zip(costs.chunks_exact_mut(samples)) {
                if blanket.whole.contains(&factor) {
                    costs.iter_mut().zip(&self.total).for_each(|(cost, total)| *cost += total);
                }
                for (_, rows) in blanket.rows.iter().filter(|(known, _)| *known == factor) {
                    rows.iter().for_each(|row| add(&self.rows[row * samples..(row + 1) * samples], weight, costs));
                }
            }
        }
        for (blanket, costs) in self.blocks.iter().zip(costs.chunks_exact_mut(samples)) {
            for Event { latent, bijector, dimensions, rows } in &blanket.jacobians {
                let u = &u[dimensions.start * samples..dimensions.end * samples];
                self.rows.resize(rows.len() * samples, E::default());
                let weight = weights.log_det[latent * samples];
                dispatch(Jacobian { bijector, u, z: &mut self.rows, weight, samples, log_det: costs });
            }
        }
    }
}

fn add<E: Real>(row: &[E], weight: f64, costs: &mut [f64]) {
    costs.iter_mut().zip(row).for_each(|(cost, own)| *cost += weight * own.to_f64());
}

fn events(layout: &Layout) -> impl Iterator<Item = Event> {
    layout.latents().enumerate().flat_map(|(latent, variable)| {
        let elements = variable.elements();
        let length = variable.bijector.event_len().max(1);
        let events = elements.len() / length;
        let free = variable.unconstrained.len() / events.max(1);
        (0..events).map(move |event| {
            let bijector = match &variable.bijector {
                Bijector::Interval(bounds) => Bijector::Interval(bounds.of(&[event])),
                other => other.clone(),
            };
            let first = variable.unconstrained.start + event * free;
            let own = &elements[event * length..(event + 1) * length];
            let rows = own.iter().map(|element| variable.rows.start + element).collect();
            Event { latent, bijector, dimensions: first..first + free, rows }
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
    weight: E,
    samples: usize,
    log_det: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Jacobian<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for offset in (0..self.samples).step_by(V::WIDTH) {
            let log_det = self.bijector.forward::<V>(self.u, self.z, self.samples, offset);
            log_det.scale(V::splat(self.weight)).add_to(&mut self.log_det[offset..]);
        }
    }
}
