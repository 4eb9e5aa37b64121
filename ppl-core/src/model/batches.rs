//! The batches of a plate, one after the other.

use super::{Batch, DataError, LogJoint};
use crate::archive::Archive;
use crate::kernel::Real;
use crate::random::{shuffle, step_key};

/// The batches of a plate, one after the other: in an epoch each element once, in an order that is new in each; those that do not fill a batch at its end are
/// left out of it. The same seed gives the same batches.
pub trait Batches<E: Real>: std::fmt::Debug {
    /// Visits the next batch: the model over its elements, and which these are.
    ///
    /// # Errors
    /// None that the whole model did not have.
    fn next(&mut self, model: &dyn LogJoint<E>, visit: &mut dyn FnMut(&dyn LogJoint<E>, &Batch<'_>)) -> Result<(), DataError>;
    /// Writes how far they are, or goes on from there.
    fn archive(&mut self, archive: &mut Archive);
}

/// Batches of a model whose data are in memory: permutations, all equally probable.
#[derive(Debug)]
pub(super) struct Permuted {
    plate: usize,
    rows: usize,
    seed: u64,
    /// The elements in the order of this epoch, and how many of them are used up.
    order: Vec<usize>,
    used: usize,
    epoch: u64,
}

impl Permuted {
    /// Batches of `rows` of the `size` elements of a plate.
    ///
    /// # Panics
    /// If there are not as many elements, or none are asked for.
    pub(super) fn new(size: usize, (plate, rows): (usize, usize), seed: u64) -> Self {
        assert!(rows > 0 && rows <= size, "a batch has elements, and not more than the plate");
        Permuted { plate, rows, seed, order: (0..size).collect(), used: size, epoch: 0 }
    }

    fn begin_epoch(&mut self) {
        shuffle(step_key(self.seed, self.epoch), &mut self.order);
        self.used = 0;
        self.epoch += 1;
    }
}

impl<E: Real> Batches<E> for Permuted {
    fn next(&mut self, model: &dyn LogJoint<E>, visit: &mut dyn FnMut(&dyn LogJoint<E>, &Batch<'_>)) -> Result<(), DataError> {
        if self.used + self.rows > self.order.len() {
            self.begin_epoch();
        }
        self.used += self.rows;
        let rows = &self.order[self.used - self.rows..self.used];
        let following = model.following(self.plate, rows);
        let batch = Batch { plate: self.plate, size: self.order.len(), rows, following: &following };
        visit(&*model.batch(&batch)?, &batch);
        Ok(())
    }

    fn archive(&mut self, archive: &mut Archive) {
        let (mut used, mut epoch) = (self.used, self.epoch);
        archive.count(&mut used);
        archive.word(&mut epoch);
        // The order of an epoch is that of the one before, shuffled.
        while self.epoch < epoch {
            self.begin_epoch();
        }
        self.used = used;
    }
}

/// The same elements again and again.
#[derive(Debug)]
pub(crate) struct Same {
    pub(crate) plate: usize,
    /// How many elements the plate has.
    pub(crate) size: usize,
    pub(crate) rows: Vec<usize>,
}

impl<E: Real> Batches<E> for Same {
    fn next(&mut self, model: &dyn LogJoint<E>, visit: &mut dyn FnMut(&dyn LogJoint<E>, &Batch<'_>)) -> Result<(), DataError> {
        let following = model.following(self.plate, &self.rows);
        let batch = Batch { plate: self.plate, size: self.size, rows: &self.rows, following: &following };
        visit(&*model.batch(&batch)?, &batch);
        Ok(())
    }

    fn archive(&mut self, _archive: &mut Archive) {}
}
