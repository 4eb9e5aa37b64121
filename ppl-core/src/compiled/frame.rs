//! What a kernel sees of a workspace: rows of lanes at one lane offset.

use std::ops::Range;

use crate::distributions::{Sampler, Vector, VectorAdjoints};
use crate::kernel::{Lanes, Real};
use crate::model::{SiteKind, Statement, Visitor, Weights};

/// The view of a kernel that accumulates.
#[derive(Debug)]
pub struct Frame<'a, E> {
    pub(super) values: &'a [E],
    pub(super) complete: &'a [E],
    pub(super) adjoints: &'a mut [E],
    pub(super) products: &'a [E],
    pub(super) product_adjoints: &'a mut [E],
    pub(super) weights: &'a Weights<E>,
    pub(super) samples: usize,
    pub(super) offset: usize,
    pub(super) first: usize,
    pub(super) block: usize,
}

/// Adds lanes to a row.
#[inline(always)]
fn add_to<V: Lanes>(rows: &mut [V::Element], at: usize, x: V) {
    let row = &mut rows[at..at + V::WIDTH];
    (V::load(row) + x).store(row);
}

/// Where a product of a row is: products follow each other, each `[row][column][sample]`.
#[inline(always)]
fn product_at(samples: usize, offset: usize, block: usize, before: usize, columns: usize, row: usize, column: usize) -> usize {
    (before * block + row * columns + column) * samples + offset
}

impl<'a, E: Real> Frame<'a, E> {
    /// The value of a row.
    #[inline(always)]
    pub fn load<V: Lanes<Element = E>>(&self, row: usize) -> V {
        V::load(&self.values[row * self.samples + self.offset..])
    }

    /// Adds to the adjoint of a row.
    #[inline(always)]
    pub fn add<V: Lanes<Element = E>>(&mut self, row: usize, adjoint: V) {
        add_to(self.adjoints, row * self.samples + self.offset, adjoint);
    }

    /// The adjoint of a stored quantity, whose readers are done.
    #[inline(always)]
    pub fn adjoint<V: Lanes<Element = E>>(&self, row: usize) -> V {
        let at = row * self.samples + self.offset;
        let own = V::load(&self.adjoints[at..]);
        if self.complete.is_empty() { own } else { own + V::load(&self.complete[at..]) }
    }

    /// The weights of the rows of a factor.
    #[inline(always)]
    pub fn weights<V: Lanes<Element = E>>(&self, factor: usize) -> RowWeights<'a, V> {
        let mut rows: &'a [E] = &[];
        if !self.weights.rows.is_empty() {
            for (weighted, own) in &self.weights.rows {
                if *weighted == factor {
                    rows = own;
                }
            }
        }
        let constant = V::load(&self.weights.factors[factor * self.samples + self.offset..]);
        RowWeights { constant, rows, samples: self.samples, offset: self.offset }
    }

    /// A column of a matrix product of a row; `before` columns belong to earlier products.
    #[inline(always)]
    pub fn product<V: Lanes<Element = E>>(&self, before: usize, columns: usize, row: usize, column: usize) -> V {
        V::load(&self.products[product_at(self.samples, self.offset, self.block, before, columns, row - self.first, column)..])
    }

    /// Adds to the adjoint of a column of a matrix product.
    #[inline(always)]
    pub fn add_product<V: Lanes<Element = E>>(&mut self, before: usize, columns: usize, row: usize, column: usize, adjoint: V) {
        let at = product_at(self.samples, self.offset, self.block, before, columns, row - self.first, column);
        add_to(self.product_adjoints, at, adjoint);
    }

    /// Rows as a vector operand.
    #[inline(always)]
    #[must_use]
    pub fn rows(&self, first: usize, len: usize) -> Rows<'a, E> {
        Rows { values: self.values, samples: self.samples, offset: self.offset, first, len }
    }

    /// Where the derivatives of a density of vectors go: the rows from `value` and `parameter` on, if they have any.
    #[inline(always)]
    pub fn row_adjoints<V: Lanes<Element = E>>(&mut self, value: Option<usize>, parameter: Option<usize>) -> RowAdjoints<'_, V> {
        RowAdjoints {
            adjoints: &mut *self.adjoints,
            samples: self.samples,
            offset: self.offset,
            value,
            parameter,
            value_total: V::zero(),
            parameter_total: V::zero(),
        }
    }
}

/// The weights of the rows of a factor: one for all, or one for each.
#[derive(Clone, Copy, Debug)]
pub struct RowWeights<'a, V: Lanes> {
    constant: V,
    rows: &'a [V::Element],
    samples: usize,
    offset: usize,
}

impl<V: Lanes> RowWeights<'_, V> {
    /// The weight of a row.
    #[inline(always)]
    pub fn of(&self, row: usize) -> V {
        if self.rows.is_empty() { self.constant } else { V::load(&self.rows[row * self.samples + self.offset..]) }
    }
}

/// The view of a kernel that evaluates.
#[derive(Debug)]
pub struct Forward<'a, E> {
    pub(super) values: &'a mut [E],
    pub(super) products: &'a [E],
    pub(super) wanted: usize,
    pub(super) rows: Range<usize>,
    pub(super) out: &'a mut [E],
    pub(super) samples: usize,
    pub(super) offset: usize,
    pub(super) first: usize,
    pub(super) block: usize,
}

impl<E: Real> Forward<'_, E> {
    /// The value of a row.
    #[inline(always)]
    pub fn load<V: Lanes<Element = E>>(&self, row: usize) -> V {
        V::load(&self.values[row * self.samples + self.offset..])
    }

    /// Stores a quantity.
    #[inline(always)]
    pub fn store<V: Lanes<Element = E>>(&mut self, row: usize, value: V) {
        value.store(&mut self.values[row * self.samples + self.offset..]);
    }

    /// A column of a matrix product of a row.
    #[inline(always)]
    pub fn product<V: Lanes<Element = E>>(&self, before: usize, columns: usize, row: usize, column: usize) -> V {
        V::load(&self.products[product_at(self.samples, self.offset, self.block, before, columns, row - self.first, column)..])
    }

    /// Whether the log density of a row of a factor is asked for.
    #[inline(always)]
    #[must_use]
    pub fn wants(&self, factor: usize, row: usize) -> bool {
        factor == self.wanted && self.rows.contains(&row)
    }

    /// Gives the log density of a row.
    #[inline(always)]
    pub fn put<V: Lanes<Element = E>>(&mut self, row: usize, log_prob: V) {
        log_prob.store(&mut self.out[(row - self.rows.start) * self.samples + self.offset..]);
    }

    /// Rows as a vector operand.
    #[inline(always)]
    #[must_use]
    pub fn rows(&self, first: usize, len: usize) -> Rows<'_, E> {
        Rows { values: self.values, samples: self.samples, offset: self.offset, first, len }
    }
}

/// Rows of lanes as a vector operand.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, E> {
    values: &'a [E],
    samples: usize,
    offset: usize,
    first: usize,
    len: usize,
}

impl<V: Lanes> Vector<V> for Rows<'_, V::Element> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn get(&self, k: usize) -> V {
        V::load(&self.values[(self.first + k) * self.samples + self.offset..])
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
    adjoints: &'a mut [V::Element],
    samples: usize,
    offset: usize,
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
            Some(first) => add_to(self.adjoints, (first + k) * self.samples + self.offset, derivative),
            None => self.value_total = self.value_total + derivative,
        }
    }

    #[inline(always)]
    fn add_parameter(&mut self, k: usize, derivative: V) {
        match self.parameter {
            Some(first) => add_to(self.adjoints, (first + k) * self.samples + self.offset, derivative),
            None => self.parameter_total = self.parameter_total + derivative,
        }
    }
}

/// What a walk sees: the values of one sample, and the visitor.
pub struct Walk<'a> {
    pub(super) values: &'a mut [f64],
    pub(super) observed: &'a mut [f64],
    pub(super) visitor: &'a mut dyn Visitor,
}

impl std::fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walk").field("values", &self.values).field("observed", &self.observed).finish_non_exhaustive()
    }
}

impl Walk<'_> {
    /// The value of a row.
    #[must_use]
    pub fn value(&self, row: usize) -> f64 {
        self.values[row]
    }

    /// Stores a quantity.
    pub fn set(&mut self, row: usize, value: f64) {
        self.values[row] = value;
    }

    /// An observed element.
    #[must_use]
    pub fn observed(&self, element: usize) -> f64 {
        self.observed[element]
    }

    /// Rows as numbers.
    #[must_use]
    pub fn rows(&self, first: usize, len: usize) -> Vec<f64> {
        self.values[first..first + len].to_vec()
    }

    /// Meets a statement about `len` rows of a latent from `first` on.
    pub fn latent(&mut self, factor: usize, row: usize, distribution: &dyn Sampler, params: &[f64], first: usize, len: usize) {
        let statement = Statement { factor, row, kind: SiteKind::Latent, distribution, params };
        self.visitor.visit(&statement, &mut self.values[first..first + len]);
    }

    /// Meets a statement about `len` observed elements from `first` on.
    pub fn observe(&mut self, factor: usize, row: usize, distribution: &dyn Sampler, params: &[f64], first: usize, len: usize) {
        let statement = Statement { factor, row, kind: SiteKind::Observed, distribution, params };
        self.visitor.visit(&statement, &mut self.observed[first..first + len]);
    }

    /// Meets a `factor(..)` statement.
    pub fn factor(&mut self, factor: usize, row: usize, value: f64) {
        self.visitor.factor(factor, row, value);
    }
}
