//! Index expressions: affine in bound names and sizes, or read from an index array.

use std::collections::BTreeMap;

use super::{ArgId, DimId, VarId};

/// A term of an affine expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    Var(VarId),
    Size(DimId),
}

/// `constant + sum of coefficient * term`, terms in a fixed order and none with coefficient zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Affine {
    pub constant: i64,
    pub terms: BTreeMap<Term, i64>,
}

impl Affine {
    pub(crate) fn constant(constant: i64) -> Self {
        Affine { constant, terms: BTreeMap::new() }
    }

    pub(crate) fn term(term: Term) -> Self {
        Affine { constant: 0, terms: BTreeMap::from([(term, 1)]) }
    }

    /// `self + factor * other`
    pub(crate) fn plus(&self, other: &Affine, factor: i64) -> Affine {
        let mut sum = self.clone();
        sum.constant += factor * other.constant;
        for (&term, &coefficient) in &other.terms {
            *sum.terms.entry(term).or_insert(0) += factor * coefficient;
        }
        sum.terms.retain(|_, coefficient| *coefficient != 0);
        sum
    }

    /// The bound name, if the expression is just that.
    pub(crate) fn as_var(&self) -> Option<VarId> {
        match self.terms.iter().next() {
            Some((&Term::Var(var), 1)) if self.terms.len() == 1 && self.constant == 0 => Some(var),
            _ => None,
        }
    }

    /// The size, if the expression is just that.
    pub(crate) fn as_size(&self) -> Option<DimId> {
        match self.terms.iter().next() {
            Some((&Term::Size(dim), 1)) if self.terms.len() == 1 && self.constant == 0 => Some(dim),
            _ => None,
        }
    }

    /// The number, if the expression is just that.
    pub(crate) fn as_constant(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The bound names in it.
    pub(crate) fn vars(&self) -> impl Iterator<Item = VarId> + '_ {
        self.terms.keys().filter_map(|term| match term {
            Term::Var(var) => Some(*var),
            Term::Size(_) => None,
        })
    }

    /// The dimensions whose sizes are in it.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = DimId> + '_ {
        self.terms.keys().filter_map(|term| match term {
            Term::Size(dim) => Some(*dim),
            Term::Var(_) => None,
        })
    }
}

/// Which element of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    Affine(Affine),
    /// Through an index array: `county[n]`.
    Gather(ArgId, Vec<Index>),
}

impl Index {
    /// Calls `visit` with every bound name in it.
    pub(crate) fn for_each_var(&self, visit: &mut impl FnMut(VarId)) {
        match self {
            Index::Affine(affine) => affine.vars().for_each(visit),
            Index::Gather(_, index) => index.iter().for_each(|i| i.for_each_var(visit)),
        }
    }
}
