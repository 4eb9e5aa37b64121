//! What a kernel sees of a workspace: rows of lanes at one lane offset.

use std::ops::Range;

use crate::distributions::{Vector, VectorAdjoints};
use crate::kernel::Lanes;
use crate::model::{Choices, Weights};

/// The view of a kernel that accumulates.
#[derive(Debug)]
pub struct Frame<'a, V: Lanes> {
    pub(super) values: &'a [V::Chunk],
    pub(super) complete: &'a [V::Chunk],
    pub(super) adjoints: &'a mut [V::Chunk],
    pub(super) products: &'a [V::Chunk],
    pub(super) product_adjoints: &'a mut [V::Chunk],
    pub(super) weights: &'a Weights<V::Element>,
    /// Groups of lanes in a row, and which of them.
    pub(super) groups: usize,
    pub(super) group: usize,
    pub(super) first: usize,
    pub(super) block: usize,
}

/// Adds lanes to a chunk.
#[inline(always)]
fn add_to<V: Lanes>(chunk: &mut V::Chunk, x: V) {
    (V::from_chunk(chunk) + x).to_chunk(chunk);
}

/// Where a product of a row is: products follow each other, each `[row][column][sample]`.
#[inline(always)]
fn product_row(block: usize, before: usize, columns: usize, row: usize, column: usize) -> usize {
    before * block + row * columns + column
}

impl<'a, V: Lanes> Frame<'a, V> {
    /// The value of a row.
    #[inline(always)]
    pub fn load(&self, row: usize) -> V {
        V::from_chunk(&self.values[row * self.groups + self.group])
    }

    /// Adds to the adjoint of a row.
    #[inline(always)]
    pub fn add(&mut self, row: usize, adjoint: V) {
        add_to(&mut self.adjoints[row * self.groups + self.group], adjoint);
    }

    /// The adjoint of a stored quantity, whose readers are done.
    #[inline(always)]
    pub fn adjoint(&self, row: usize) -> V {
        let at = row * self.groups + self.group;
        let own = V::from_chunk(&self.adjoints[at]);
        if self.complete.is_empty() { own } else { own + V::from_chunk(&self.complete[at]) }
    }

    /// The weights of the rows of a factor.
    #[inline(always)]
    pub fn weights(&self, factor: usize) -> RowWeights<'a, V> {
        let mut rows: &'a [V::Chunk] = &[];
        if !self.weights.rows.is_empty() {
            for (weighted, own) in &self.weights.rows {
                if *weighted == factor {
                    rows = V::chunks(own);
                }
            }
        }
        let constant = V::from_chunk(&V::chunks(&self.weights.factors)[factor * self.groups + self.group]);
        RowWeights { constant, rows, groups: self.groups, group: self.group }
    }

    /// A column of a matrix product of a row; `before` columns belong to earlier products.
    #[inline(always)]
    pub fn product(&self, before: usize, columns: usize, row: usize, column: usize) -> V {
        let row = product_row(self.block, before, columns, row - self.first, column);
        V::from_chunk(&self.products[row * self.groups + self.group])
    }

    /// Adds to the adjoint of a column of a matrix product.
    #[inline(always)]
    pub fn add_product(&mut self, before: usize, columns: usize, row: usize, column: usize, adjoint: V) {
        let row = product_row(self.block, before, columns, row - self.first, column);
        add_to(&mut self.product_adjoints[row * self.groups + self.group], adjoint);
    }

    /// Rows as a vector operand.
    #[inline(always)]
    #[must_use]
    pub fn rows(&self, first: usize, len: usize) -> Rows<'a, V> {
        Rows { values: self.values, groups: self.groups, group: self.group, first, len }
    }

    /// Where the derivatives of a density of vectors go: the rows from `value` and `parameter` on, if they have any.
    #[inline(always)]
    pub fn row_adjoints(&mut self, value: Option<usize>, parameter: Option<usize>) -> RowAdjoints<'_, V> {
        RowAdjoints {
            adjoints: &mut *self.adjoints,
            groups: self.groups,
            group: self.group,
            value,
            parameter,
            value_total: V::zero(),
            parameter_total: V::zero(),
        }
    }
}

/// The adjoint of an element that an index array names, kept as long as row after row names the same one: in data that are sorted
/// by group, a row then need not wait until the row before it has written.
#[derive(Clone, Copy, Debug)]
pub struct Gathered<V> {
    row: usize,
    adjoint: V,
}

impl<V: Lanes> Gathered<V> {
    /// Nothing gathered yet.
    #[inline(always)]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "made by generated code alone")]
    pub fn new() -> Self {
        Gathered { row: usize::MAX, adjoint: V::zero() }
    }

    /// Adds to the adjoint of a row.
    #[inline(always)]
    pub fn add(&mut self, frame: &mut Frame<'_, V>, row: usize, adjoint: V) {
        if row == self.row {
            self.adjoint = self.adjoint + adjoint;
        } else {
            self.flush(frame);
            *self = Gathered { row, adjoint };
        }
    }

    /// Adds what is kept to the workspace.
    #[inline(always)]
    pub fn flush(self, frame: &mut Frame<'_, V>) {
        if self.row != usize::MAX {
            frame.add(self.row, self.adjoint);
        }
    }
}

/// The weights of the rows of a factor: one for all, or one for each.
#[derive(Clone, Copy, Debug)]
pub struct RowWeights<'a, V: Lanes> {
    constant: V,
    rows: &'a [V::Chunk],
    groups: usize,
    group: usize,
}

impl<V: Lanes> RowWeights<'_, V> {
    /// The weight of a row.
    #[inline(always)]
    pub fn of(&self, row: usize) -> V {
        if self.rows.is_empty() { self.constant } else { V::from_chunk(&self.rows[row * self.groups + self.group]) }
    }
}

/// The view of a kernel that evaluates.
#[derive(Debug)]
pub struct Forward<'a, V: Lanes> {
    pub(super) values: &'a mut [V::Chunk],
    pub(super) products: &'a [V::Chunk],
    pub(super) wanted: usize,
    pub(super) rows: Range<usize>,
    /// A sum whose terms are asked for instead of its factor, and how many there are in a row.
    pub(super) sum: Option<(usize, usize, Choices)>,
    pub(super) out: &'a mut [V::Chunk],
    pub(super) groups: usize,
    pub(super) group: usize,
    pub(super) first: usize,
    pub(super) block: usize,
}

impl<V: Lanes> Forward<'_, V> {
    /// The value of a row.
    #[inline(always)]
    pub fn load(&self, row: usize) -> V {
        V::from_chunk(&self.values[row * self.groups + self.group])
    }

    /// Stores a quantity.
    #[inline(always)]
    pub fn store(&mut self, row: usize, value: V) {
        value.to_chunk(&mut self.values[row * self.groups + self.group]);
    }

    /// A column of a matrix product of a row.
    #[inline(always)]
    pub fn product(&self, before: usize, columns: usize, row: usize, column: usize) -> V {
        let row = product_row(self.block, before, columns, row - self.first, column);
        V::from_chunk(&self.products[row * self.groups + self.group])
    }

    /// Whether the log density of a row of a factor is asked for.
    #[inline(always)]
    #[must_use]
    pub fn wants(&self, factor: usize, row: usize) -> bool {
        factor == self.wanted && self.rows.contains(&row)
    }

    /// Gives the log density of a row.
    #[inline(always)]
    pub fn put(&mut self, row: usize, log_prob: V) {
        if self.sum.is_none() {
            log_prob.to_chunk(&mut self.out[(row - self.rows.start) * self.groups + self.group]);
        }
    }

    /// Whether the terms of a sum are asked for.
    #[inline(always)]
    #[must_use]
    pub fn asks(&self, sum: usize) -> bool {
        self.sum.is_some_and(|(wanted, ..)| wanted == sum)
    }

    /// Whether the most probable path of a chain is asked for, instead of the probabilities of its values.
    #[inline(always)]
    #[must_use]
    pub fn asks_for_path(&self) -> bool {
        self.sum.is_some_and(|(.., choices)| choices == Choices::Path)
    }

    /// Gives a term of a sum where it is asked for.
    #[inline(always)]
    pub fn choose(&mut self, sum: usize, row: usize, log_prob: V) {
        if let Some((wanted, each, _)) = self.sum
            && wanted == sum
        {
            log_prob.to_chunk(&mut self.out[(row - self.rows.start * each) * self.groups + self.group]);
        }
    }

    /// Rows as a vector operand.
    #[inline(always)]
    #[must_use]
    pub fn rows(&self, first: usize, len: usize) -> Rows<'_, V> {
        Rows { values: self.values, groups: self.groups, group: self.group, first, len }
    }
}

/// Rows of lanes as a vector operand.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, V: Lanes> {
    values: &'a [V::Chunk],
    groups: usize,
    group: usize,
    first: usize,
    len: usize,
}

impl<V: Lanes> Vector<V> for Rows<'_, V> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn get(&self, k: usize) -> V {
        V::from_chunk(&self.values[(self.first + k) * self.groups + self.group])
    }
}

/// Data as a vector operand.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a, E>(pub &'a [E]);

impl<V: Lanes> Vector<V> for Numbers<'_, V::Element> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn get(&self, k: usize) -> V {
        V::splat(self.0[k])
    }
}

/// One number as a vector operand.
#[derive(Clone, Copy, Debug)]
pub struct Repeated<V>(pub V, pub usize);

impl<V: Lanes> Vector<V> for Repeated<V> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.1
    }

    #[inline(always)]
    fn get(&self, _k: usize) -> V {
        self.0
    }
}

/// Where the derivatives of a density of vectors go: to rows, or, of one repeated number, to a total.
#[derive(Debug)]
pub struct RowAdjoints<'a, V: Lanes> {
    adjoints: &'a mut [V::Chunk],
    groups: usize,
    group: usize,
    value: Option<usize>,
    parameter: Option<usize>,
    /// The derivative with respect to a value that is one repeated number.
    pub value_total: V,
    /// The derivative with respect to a parameter that is one repeated number.
    pub parameter_total: V,
}

impl<V: Lanes> VectorAdjoints<V> for RowAdjoints<'_, V> {
    #[inline(always)]
    fn add_value(&mut self, k: usize, derivative: V) {
        match self.value {
            Some(first) => add_to(&mut self.adjoints[(first + k) * self.groups + self.group], derivative),
            None => self.value_total = self.value_total + derivative,
        }
    }

    #[inline(always)]
    fn add_parameter(&mut self, k: usize, derivative: V) {
        match self.parameter {
            Some(first) => add_to(&mut self.adjoints[(first + k) * self.groups + self.group], derivative),
            None => self.parameter_total = self.parameter_total + derivative,
        }
    }
}
