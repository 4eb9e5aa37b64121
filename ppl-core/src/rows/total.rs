//! The log joint of all rows, with its derivative: a pass over the source, a chunk at a time.

use std::sync::mpsc::sync_channel;

use super::RowsError;
use super::shuffle::Taken;
use super::streamed::Streamed;
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};

/// The rows of a chunk, at least: enough for all threads, few enough for the cache.
const CHUNK: usize = 8192;
/// Samples that go through a chunk together.
const LANES: usize = 64;

impl<E: Real> Streamed<'_, '_, E> {
    /// As [`LogJoint::accumulate`].
    pub(super) fn total(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_joint: &mut [f64]) -> Result<(), RowsError> {
        let mut total = Total::new(self, work.samples);
        let summed = std::thread::scope(|scope| {
            let (sender, chunks) = sync_channel(2);
            let (source, plan) = (self.source, self.plan);
            scope.spawn(move || {
                let mut blocks = source.blocks(&plan.columns).into_iter().peekable();
                while blocks.peek().is_some() {
                    let mut chunk = Taken { rows: Vec::new(), values: Vec::new() };
                    let mut read = Ok(());
                    while let Some(block) = blocks.next_if(|_| chunk.rows.len() < CHUNK && read.is_ok()) {
                        let first = chunk.values.len();
                        chunk.values.resize(first + block.len() * plan.columns.len(), 0.0);
                        read = source.read(block.clone(), &plan.columns, &mut chunk.values[first..]);
                        chunk.rows.extend(block);
                    }
                    let failed = read.is_err();
                    // Nobody listens any more after a chunk that is no model.
                    if sender.send(read.map(|()| chunk)).is_err() || failed {
                        return;
                    }
                }
            });
            chunks.into_iter().try_for_each(|chunk| {
                let chunk = chunk?;
                self.visit(&chunk, &mut |model| total.add(model, chunk.rows.len(), &work.values, weights))
            })
        });
        summed?;
        log_joint.copy_from_slice(&total.log_joint);
        work.adjoints.fill(E::default());
        work.adjoints.iter_mut().zip(&total.adjoints).for_each(|(to, from)| *to = E::from_f64(*from));
        Ok(())
    }
}

/// What is summed over chunks.
struct Total<E> {
    samples: usize,
    plate: usize,
    size: usize,
    /// The rows of latents and parameters.
    rows: usize,
    log_joint: Vec<f64>,
    /// `[row][sample]`.
    adjoints: Vec<f64>,
    /// The buffers of a chunk of so many rows.
    work: Option<(usize, Workspace<E>)>,
}

impl<E: Real> Total<E> {
    fn new(model: &Streamed<'_, '_, E>, samples: usize) -> Self {
        let layout = model.layout();
        let ends = layout.unknowns().map(|variable| variable.rows.end);
        let rows = ends.max().unwrap_or(0).max(layout.unconstrained());
        Total {
            samples,
            plate: model.plate,
            size: layout.dims[model.plate].size,
            rows,
            log_joint: vec![0.0; samples],
            adjoints: vec![0.0; rows * samples],
            work: None,
        }
    }

    /// Adds a chunk: its own terms, and its share of those that are not over the rows.
    fn add(&mut self, model: &dyn LogJoint<E>, chunk: usize, values: &[E], weights: &Weights<E>) {
        let lanes = self.samples.min(LANES);
        if self.work.as_ref().is_none_or(|(rows, _)| *rows != chunk) {
            self.work = Some((chunk, model.workspace(lanes)));
        }
        let Some((_, work)) = &mut self.work else { return };
        let mut own = model.unit_weights(lanes);
        let (over, share) = (model.graph().plates[self.plate].factors, chunk as f64 / self.size as f64);
        let mut log_joint = vec![0.0; lanes];
        for first in (0..self.samples).step_by(lanes) {
            let taken = lanes.min(self.samples - first);
            // What is left of the last group is filled up with its first sample.
            let from = |lane: usize| first + if lane < taken { lane } else { 0 };
            for row in 0..self.rows {
                (0..lanes).for_each(|lane| work.values[row * lanes + lane] = values[row * self.samples + from(lane)]);
            }
            for factor in 0..model.graph().factors.len() {
                let share = if over.contains(&factor) { 1.0 } else { share };
                for lane in 0..lanes {
                    let weight = weights.factors[factor * self.samples + from(lane)].to_f64();
                    own.factors[factor * lanes + lane] = E::from_f64(weight * share);
                }
            }
            model.accumulate(work, &own, &mut log_joint);
            self.log_joint[first..first + taken].iter_mut().zip(&log_joint).for_each(|(total, own)| *total += own);
            for row in 0..self.rows {
                let to = &mut self.adjoints[row * self.samples + first..][..taken];
                to.iter_mut().zip(&work.adjoints[row * lanes..]).for_each(|(total, own)| *total += own.to_f64());
            }
        }
    }
}
