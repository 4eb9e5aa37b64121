//! What a walk over the statements sees: one sample, the visitor, and, if it is asked, who reads whom.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::ode::Ode;
use crate::distributions::Sampler;
use crate::linear_algebra::Operation;
use crate::model::{Layout, SiteKind, Statement, Visitor};

/// The values of one sample, and the visitor.
pub struct Walk<'a> {
    values: &'a mut [f64],
    observed: &'a mut [f64],
    visitor: &'a mut dyn Visitor,
    reads: Option<RefCell<Reads>>,
    /// The values of elements of discrete latents that were drawn, by the first row of their probabilities.
    drawn: BTreeMap<usize, usize>,
}

/// The rows of latents that were read; conditions are of data alone, so that they are the same for all values.
#[derive(Debug, Default)]
struct Reads {
    /// How many rows there are of the latents: those beyond are of quantities.
    latents: Vec<bool>,
    /// Since the last statement.
    pending: Vec<usize>,
    /// By each `let` of a loop.
    names: BTreeMap<usize, Vec<usize>>,
    /// By each stored quantity.
    through: BTreeMap<usize, Vec<usize>>,
    /// How many sums are open, and what their statements have read.
    sums: usize,
    summed: Vec<usize>,
}

impl Reads {
    fn read(&mut self, row: usize) {
        if self.latents[row] {
            self.pending.push(row);
        } else if let Some(through) = self.through.get(&row) {
            self.pending.extend(through);
        }
    }

    /// All since the last statement, each once.
    fn take(&mut self) -> Vec<usize> {
        let mut rows = std::mem::take(&mut self.pending);
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

impl std::fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walk").field("values", &self.values).field("observed", &self.observed).finish_non_exhaustive()
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(values: &'a mut [f64], observed: &'a mut [f64], visitor: &'a mut dyn Visitor) -> Self {
        Walk { values, observed, visitor, reads: None, drawn: BTreeMap::new() }
    }

    /// Tells the visitor which rows of latents each statement reads.
    pub(super) fn reading(mut self, layout: &Layout) -> Self {
        let mut latents = vec![false; self.values.len()];
        layout.latents().flat_map(|latent| latent.rows.clone()).for_each(|row| latents[row] = true);
        self.reads = Some(RefCell::new(Reads { latents, ..Reads::default() }));
        self
    }

    fn read(&self, rows: std::ops::Range<usize>) {
        if let Some(reads) = &self.reads {
            rows.for_each(|row| reads.borrow_mut().read(row));
        }
    }

    fn tell(&mut self, factor: usize, row: usize) {
        if let Some(reads) = &self.reads {
            let mut reads = reads.borrow_mut();
            let rows = reads.take();
            // A row of a factor is told once, when its outermost sum is done.
            if reads.sums > 0 {
                reads.summed.extend(rows);
            } else {
                self.visitor.reads(factor, row, &rows);
            }
        }
    }

    /// Comes to a sum.
    pub fn enter(&mut self) {
        if let Some(reads) = &self.reads {
            reads.borrow_mut().sums += 1;
        }
    }

    /// Gives those values in a range that the walk goes through, where these are the logarithms of their probabilities.
    pub fn choose(&mut self, (factor, row): (usize, usize), range: Range<usize>, log_probs: &[f64]) -> Range<usize> {
        self.tell(factor, row);
        let chosen = self.visitor.choose(factor, row, log_probs);
        range.start + chosen.start..range.start + chosen.end
    }

    /// Comes to the statements of a value in a range.
    pub fn take(&mut self, value: usize, range: Range<usize>) {
        self.visitor.take(value - range.start);
    }

    /// Comes to an element of a discrete latent, the probabilities of whose values are rows from `first` on: a visitor that draws gives it a value.
    pub fn draw(&mut self, (factor, row): (usize, usize), first: usize, log_prior: &[f64]) {
        self.tell(factor, row);
        let probabilities = &self.values[first..first + log_prior.len()];
        if let Some(value) = self.visitor.draw(factor, row, log_prior, probabilities) {
            self.drawn.insert(first, value);
        }
    }

    /// The values in a range that the walk goes through of such an element: the one that was drawn, or all.
    #[must_use]
    pub fn values_of(&self, first: usize, range: Range<usize>) -> Range<usize> {
        match self.drawn.get(&first) {
            Some(value) => range.start + value..range.start + value + 1,
            None => range,
        }
    }

    /// Has been through the values.
    pub fn chosen(&mut self) {
        self.visitor.chosen();
    }

    /// Leaves a sum.
    pub fn leave(&mut self, (factor, row): (usize, usize)) {
        if let Some(reads) = &self.reads {
            let mut reads = reads.borrow_mut();
            reads.sums -= 1;
            if reads.sums > 0 {
                return;
            }
            reads.pending = std::mem::take(&mut reads.summed);
        }
        self.tell(factor, row);
    }

    /// The value of a row.
    #[must_use]
    pub fn value(&self, row: usize) -> f64 {
        self.read(row..row + 1);
        self.values[row]
    }

    /// Stores a quantity.
    pub fn set(&mut self, row: usize, value: f64) {
        self.values[row] = value;
        if let Some(reads) = &self.reads {
            let mut reads = reads.borrow_mut();
            let rows = reads.take();
            reads.through.insert(row, rows);
        }
    }

    /// Stores an array: each element is made of all that was read.
    pub fn compute<O: Operation<P>, const P: usize>(&mut self, first: usize, len: usize, operands: [&[f64]; P]) {
        O::compute(operands, &mut self.values[first..first + len]);
        if let Some(reads) = &self.reads {
            let mut reads = reads.borrow_mut();
            let rows = reads.take();
            reads.through.extend((first..first + len).map(|row| (row, rows.clone())));
        }
    }

    /// Stores the solution of a differential equation at a time: of each component the first place, the first row and how many; each is made of all that was read.
    pub fn solved(&mut self, ode: &Ode<f64>, components: &[(usize, usize, usize)]) {
        let read = self.reads.as_ref().map(|reads| reads.borrow_mut().take());
        for &(first, row, len) in components {
            for element in 0..len {
                self.values[row + element] = ode.value(first + element);
                if let (Some(reads), Some(read)) = (&self.reads, &read) {
                    reads.borrow_mut().through.insert(row + element, read.clone());
                }
            }
        }
    }

    /// Computes a `let` of a loop.
    #[must_use]
    pub fn name(&self, name: usize, value: f64) -> f64 {
        if let Some(reads) = &self.reads {
            let mut reads = reads.borrow_mut();
            let rows = reads.take();
            reads.names.insert(name, rows);
        }
        value
    }

    /// Uses a `let` of a loop.
    #[must_use]
    pub fn named(&self, name: usize, value: f64) -> f64 {
        if let Some(reads) = &self.reads {
            let Reads { pending, names, .. } = &mut *reads.borrow_mut();
            pending.extend(names.get(&name).into_iter().flatten());
        }
        value
    }

    /// An observed element.
    #[must_use]
    pub fn observed(&self, element: usize) -> f64 {
        self.observed[element]
    }

    /// Rows as numbers.
    #[must_use]
    pub fn rows(&self, first: usize, len: usize) -> Vec<f64> {
        self.read(first..first + len);
        self.values[first..first + len].to_vec()
    }

    /// Meets a statement about `len` rows of a latent from `first` on.
    pub fn latent(&mut self, factor: usize, row: usize, distribution: &dyn Sampler, params: &[f64], first: usize, len: usize) {
        self.read(first..first + len);
        self.tell(factor, row);
        let statement = Statement { factor, row, kind: SiteKind::Latent, distribution, params };
        self.visitor.visit(&statement, &mut self.values[first..first + len]);
    }

    /// Meets a statement about `len` observed elements from `first` on.
    pub fn observe(&mut self, factor: usize, row: usize, distribution: &dyn Sampler, params: &[f64], first: usize, len: usize) {
        self.tell(factor, row);
        let statement = Statement { factor, row, kind: SiteKind::Observed, distribution, params };
        self.visitor.visit(&statement, &mut self.observed[first..first + len]);
    }

    /// Meets a `factor(..)` statement.
    pub fn factor(&mut self, factor: usize, row: usize, value: f64) {
        self.tell(factor, row);
        self.visitor.factor(factor, row, value);
    }
}
