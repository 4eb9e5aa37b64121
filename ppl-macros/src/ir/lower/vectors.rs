//! Vectors, and what makes one number of them: sums, products of two, and `log_sum_exp`.

use proc_macro2::{Ident, Span};

use super::{Entity, Lowering};
use crate::ir::{Affine, ComponentId, DimId, Expr, ExprKind, Index, Operator, Reduce, Term, Vector};
use crate::syntax;

impl Lowering<'_> {
    /// Lowers an operand that is a vector: an array with its last axis left out.
    pub(super) fn vector(&mut self, expr: &syntax::Expr) -> Option<(Vector, DimId)> {
        let (vector, dims) = self.array(expr, 1)?;
        Some((vector, *dims.first()?))
    }

    /// Lowers an operand that is an array: one with its last `rank` axes left out.
    pub(super) fn array(&mut self, expr: &syntax::Expr, rank: usize) -> Option<(Vector, Vec<DimId>)> {
        let (what, axes) = if rank == 1 { ("a vector", "its last axis") } else { ("a matrix", "its last two axes") };
        let (name, index) = match &expr.kind {
            syntax::ExprKind::Paren(inner) => return self.array(inner, rank),
            syntax::ExprKind::Name(name) => (name, &[][..]),
            syntax::ExprKind::Index { array, index } => (array, index.as_slice()),
            _ => {
                let example = if rank == 1 { "`x[n]` or `beta`" } else { "`x` or `covariance`" };
                self.error(expr.span, format!("{what} is needed here: an array with {axes} left out, such as {example}"));
                return None;
            }
        };
        let Some(entity) = self.lookup(name) else {
            self.unknown(name);
            return None;
        };
        let dims = match entity {
            Entity::Arg(arg) => self.model.args[arg].dims.clone(),
            Entity::Site(site) => self.model.sites[site].dims.clone(),
            _ => Vec::new(),
        };
        let mut given = index;
        // `x[n, P]` says the same as `x[n]`.
        while let Some((syntax::Expr { kind: syntax::ExprKind::Name(last), .. }, rest)) = given.split_last()
            && given.len() + rank > dims.len()
            && matches!(self.lookup(last), Some(Entity::Dim(dim)) if dims.get(rest.len()) == Some(&dim))
        {
            given = rest;
        }
        let lowered = self.indices(name, given, &dims)?;
        if lowered.len() + rank != dims.len() {
            let message = if dims.is_empty() {
                format!("`{name}` is a number, and {what} is needed here")
            } else if lowered.len() == dims.len() {
                let left_out = if rank == 1 { "the last index" } else { "the last two indices" };
                format!("`{name}` with {} indices is a number, and {what} is needed here; leave out {left_out}", lowered.len())
            } else if rank == 1 {
                format!("`{name}` has {} axes; a vector leaves out one of them", dims.len())
            } else {
                format!("`{name}` has {} axes; a matrix leaves out two of them", dims.len())
            };
            self.error(name.span(), message);
            return None;
        }
        if self.model.row && lowered.iter().any(|index| matches!(index, Index::Gather(..))) {
            self.error(
                name.span(),
                "each row would pick a vector of its own here, which is for numbers alone; pick its elements one by one, or give the index to a network",
            );
            return None;
        }
        let left_out = dims[lowered.len()..].to_vec();
        match entity {
            Entity::Arg(arg) => Some((Vector::Data(arg, lowered), left_out)),
            Entity::Site(site) => {
                self.check_order(site, &lowered, name)?;
                Some((Vector::Site(site, lowered), left_out))
            }

            _ => None,
        }
    }

    pub(super) fn reduce(&mut self, function: &Ident, var: &Ident, range: &syntax::Range, body: &syntax::Expr) -> Option<Expr> {
        let kind = if function == "sum" { Reduce::Sum } else { Reduce::LogSumExp };
        let bounds = self.range(range);
        let free = self.free(var);
        let (from, to, dim) = bounds.clone().unwrap_or_default();
        let id = self.fresh_var(var.clone(), from, to, dim);
        if free {
            self.names.push((var.clone(), Entity::Var(id)));
        }
        self.loops.push(id);
        let body = self.scalar(body);
        self.loops.pop();
        if free {
            self.names.pop();
        }
        bounds?;
        Some(Expr { kind: ExprKind::Reduce { kind, var: id, body: Box::new(body?), product: false }, span: function.span() })
    }

    pub(super) fn reduce_vector(&mut self, kind: Reduce, vector: &syntax::Expr, span: Span) -> Option<Expr> {
        let (vector, dim) = self.terms(vector)?;
        let var = self.axis_var(dim);
        let body = vector.element(Affine::term(Term::Var(var)), span);
        Some(Expr { kind: ExprKind::Reduce { kind, var, body: Box::new(body), product: false }, span })
    }

    /// The terms of a sum: a vector, or a component of a solution with its last axis left out.
    fn terms(&mut self, expr: &syntax::Expr) -> Option<(Terms, DimId)> {
        let (name, index) = match &expr.kind {
            syntax::ExprKind::Name(name) => (name, &[][..]),
            syntax::ExprKind::Index { array, index } => (array, index.as_slice()),
            _ => {
                let (vector, dim) = self.vector(expr)?;
                return Some((Terms::Vector(vector), dim));
            }
        };
        match self.lookup(name) {
            Some(Entity::Component(component)) if self.model.components[component].dims.len() == index.len() + 1 => {
                let dims = self.model.components[component].dims.clone();
                Some((Terms::Component(component, self.indices(name, index, &dims)?), *dims.last()?))
            }
            _ => {
                let (vector, dim) = self.vector(expr)?;
                Some((Terms::Vector(vector), dim))
            }
        }
    }

    pub(super) fn dot(&mut self, a: &syntax::Expr, b: &syntax::Expr, span: Span) -> Option<Expr> {
        let (left, right) = (self.terms(a), self.terms(b));
        let ((left, left_dim), (right, right_dim)) = (left?, right?);
        if left_dim != right_dim {
            let message = format!(
                "`dot` multiplies vectors over one dimension, and these are over `{}` and `{}`",
                self.model.dim_name(left_dim),
                self.model.dim_name(right_dim)
            );
            self.error(span, message);
            return None;
        }
        let var = self.axis_var(left_dim);
        let place = Affine::term(Term::Var(var));
        let (left, right) = (left.element(place.clone(), span), right.element(place, span));
        let body = Expr { kind: ExprKind::Binary(Operator::Mul, Box::new(left), Box::new(right)), span };
        Some(Expr { kind: ExprKind::Reduce { kind: Reduce::Sum, var, body: Box::new(body), product: true }, span })
    }
}

/// What is added up.
enum Terms {
    Vector(Vector),
    Component(ComponentId, Vec<Index>),
}

impl Terms {
    fn element(&self, place: Affine, span: Span) -> Expr {
        match self {
            Terms::Vector(vector) => element(vector, place, span),
            Terms::Component(component, index) => {
                let index = index.iter().cloned().chain([Index::Affine(place)]).collect();
                Expr { kind: ExprKind::Component(*component, index), span }
            }
        }
    }
}

/// One element of a vector.
pub(crate) fn element(vector: &Vector, place: Affine, span: Span) -> Expr {
    entry(vector, &[place], span)
}

/// One element of a vector, or of a matrix.
pub(crate) fn entry(vector: &Vector, places: &[Affine], span: Span) -> Expr {
    let with_last = |index: &Vec<Index>| index.iter().cloned().chain(places.iter().cloned().map(Index::Affine)).collect();
    let kind = match vector {
        Vector::Site(site, index) => ExprKind::Site(*site, with_last(index)),
        Vector::Data(arg, index) => ExprKind::Data(*arg, with_last(index)),
        Vector::Repeat(value) => return (**value).clone(),
    };
    Expr { kind, span }
}
