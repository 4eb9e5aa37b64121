//! What stands left of `~`, `let` and `param`: elements and whole axes, whose loops are implicit.

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::{Entity, Lowering};
use crate::ir::{Affine, DimId, Index, Stmt, StmtKind, Term, VarId};
use crate::messages;
use crate::syntax::{self, ExprKind};

/// An index left of `~` or `let`.
pub(super) enum Axis {
    /// One element.
    Element(Affine, Span),
    /// The whole axis.
    Whole(DimId),
}

/// Implicit loops, and the index that they give.
pub(super) struct Opened {
    pub(super) index: Vec<Index>,
    pub(super) vars: Vec<VarId>,
}

impl Lowering<'_> {
    pub(super) fn axes(&mut self, index: &[syntax::Expr]) -> Option<Vec<Axis>> {
        let lowered: Vec<Option<Axis>> = index
            .iter()
            .map(|expr| {
                if let ExprKind::Name(name) = &expr.kind
                    && let Some(Entity::Dim(dim)) = self.lookup(name)
                {
                    return Some(Axis::Whole(dim));
                }
                let affine = self.affine(expr)?;
                if affine.as_var().is_none() && affine.as_constant().is_none() && affine.vars().next().is_some() {
                    self.error(expr.span, "left of `~` an index is a bound name, a whole number or a dimension; shift the range of the loop instead");
                    return None;
                }
                Some(Axis::Element(affine, expr.span))
            })
            .collect();
        lowered.into_iter().collect()
    }

    /// Opens an implicit loop for each whole axis.
    pub(super) fn open_axes(&mut self, axes: &[Axis]) -> Opened {
        let mut opened = Opened { index: Vec::new(), vars: Vec::new() };
        for axis in axes {
            match axis {
                Axis::Element(affine, _) => opened.index.push(Index::Affine(affine.clone())),
                Axis::Whole(dim) => {
                    let var = self.axis_var(*dim);
                    opened.index.push(Index::Affine(Affine::term(Term::Var(var))));
                    self.loops.push(var);
                    self.ambient.push(var);
                    opened.vars.push(var);
                }
            }
        }
        opened
    }

    /// The index variable of a whole axis: of two axes of one size, each has a name of its own.
    pub(super) fn axis_var(&mut self, dim: DimId) -> VarId {
        let name = self.model.dims[dim].name.clone();
        let mut lower = format_ident!("{}_", name.to_string().to_lowercase(), span = name.span());
        while self.loops.iter().any(|&open| self.model.vars[open].name == lower) {
            lower = format_ident!("{}_", lower, span = name.span());
        }
        let var = self.fresh_var(lower, Affine::constant(0), Affine::term(Term::Size(dim)), Some(dim));
        self.model.vars[var].implicit = true;
        var
    }

    /// The index variable of an axis whose name is written out: no other is called so.
    pub(super) fn named_axis_var(&mut self, dim: DimId) -> VarId {
        let name = self.model.dims[dim].name.clone();
        let word = name.to_string().to_lowercase();
        let names = || self.model.vars.iter().map(|var| &var.name).chain(self.model.args.iter().map(|arg| &arg.name));
        let taken = |word: &str| self.declared.contains_key(word) || names().any(|name| name == word);
        let free = (1..usize::MAX).map(|at| format!("{word}_{at}")).find(|word| !taken(word)).unwrap_or(word);
        self.fresh_var(Ident::new(&free, name.span()), Affine::constant(0), Affine::term(Term::Size(dim)), Some(dim))
    }

    pub(super) fn abandon_axes(&mut self, vars: &[VarId]) {
        self.loops.retain(|var| !vars.contains(var));
        self.ambient.retain(|var| !vars.contains(var));
    }

    /// Forgets how quantities are indexed once no loop around their definition is open.
    pub(super) fn close_definitions(&mut self) {
        let loops = &self.loops;
        self.definitions.retain(|_, index| {
            let mut open = false;
            for i in index {
                i.for_each_var(&mut |var| open |= loops.contains(&var));
            }
            open
        });
    }

    /// Whether every loop around the statement says which element it is about; if not, says so.
    pub(super) fn once_an_iteration(&mut self, index: &[Index], name: &Ident) -> bool {
        let mut used = Vec::new();
        index.iter().for_each(|i| i.for_each_var(&mut |var| used.push(var)));
        let summed = |var: VarId| self.summed.iter().any(|(_, known)| *known == var);
        if let Some(&var) = used.iter().find(|var| summed(**var)) {
            let message = messages::sum_left(name, &self.model.vars[var].name);
            self.error(name.span(), message);
            return false;
        }
        let Some(&var) = self.loops.iter().find(|var| !used.contains(var) && !summed(**var)) else { return true };
        let bound = self.model.vars[var].name.clone();
        self.error(
            name.span(),
            format!("`{name}` is the same for each `{bound}`; move its statement before the loop, or index it with `{bound}`"),
        );
        false
    }
}

/// Puts implicit loops around a statement.
pub(super) fn close_axes(vars: Vec<VarId>, mut stmt: Stmt, text: &str) -> Stmt {
    for var in vars.into_iter().rev() {
        stmt = Stmt { kind: StmtKind::For { var, body: vec![stmt] }, text: text.to_owned() };
    }
    stmt
}
