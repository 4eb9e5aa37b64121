//! What differs between the terms of a sum and not between rows, such as the logarithms of weights: computed once, before the rows.

use std::collections::BTreeSet;

use super::{Column, NodeId, Op, ScopeKind, Tape};
use crate::expand::scalar;
use crate::ir::{Expr, ExprKind, Operator, SiteKind, VarId, visit};

impl Tape<'_> {
    /// An expression as an entry of a table, if it is worth one.
    pub(super) fn entry(&mut self, expr: &Expr, columns: &mut Vec<Column>) -> Option<NodeId> {
        let costly = match &expr.kind {
            ExprKind::Function(..) | ExprKind::User(..) | ExprKind::LogProb(..) => true,
            ExprKind::Binary(op, ..) => *op == Operator::Div,
            _ => false,
        };
        if !costly {
            return None;
        }
        let var = self.of_terms(&[expr])?;
        let word = match &expr.kind {
            ExprKind::Function(function, _) => function.word(),
            ExprKind::LogProb(..) => "log_prob",
            _ => "value",
        };
        Some(self.tabled(&format!("{expr:?}"), var, word, |tape| tape.expr(expr, columns)))
    }

    /// The sum over whose terms some values differ, if they do not differ between rows as well.
    pub(super) fn of_terms(&self, exprs: &[&Expr]) -> Option<VarId> {
        let (mut used, mut here) = (BTreeSet::new(), false);
        for expr in exprs {
            scalar::vars(self.model, expr, &mut used);
            // What has a value in this row alone.
            visit::expressions(expr, &mut |e| {
                here |= match &e.kind {
                    ExprKind::Local(local) => self.locals.get(local).is_none_or(|&node| self.nodes[node].scope != 0),
                    ExprKind::Component(..) => true,
                    ExprKind::Var(var) => self.model.is_time(*var),
                    ExprKind::Site(site, _) => self.model.sites[*site].kind == SiteKind::Quantity && self.defines(*site),
                    _ => false,
                };
            });
        }
        let (Some(&var), 1, false) = (used.first(), used.len(), here) else { return None };
        let mut around = self.chain().into_iter().map(|scope| self.scopes[scope].kind);
        // Within the sum, and the sum within a loop; a branch keeps its own arithmetic.
        let inside = around.by_ref().take_while(|kind| *kind != ScopeKind::Reduce(var)).all(|kind| kind != ScopeKind::Branch);
        let mut outside = around.peekable();
        outside.peek()?;
        let (mut in_loop, mut in_branch) = (false, false);
        for kind in outside {
            in_loop |= matches!(kind, ScopeKind::Loop(_));
            in_branch |= kind == ScopeKind::Branch;
        }
        (inside && in_loop && !in_branch).then_some(var)
    }

    /// An entry of a table that is made once.
    pub(super) fn tabled(&mut self, key: &str, var: VarId, name: &str, value: impl FnOnce(&mut Self) -> NodeId) -> NodeId {
        let key = (0, format!("table over {var}: {key}"));
        let table = if let Some(&table) = self.memo.get(&key) {
            table
        } else {
            let current = std::mem::replace(&mut self.current, 0);
            let scope = self.open(ScopeKind::Reduce(var));
            let value = value(self);
            self.current = current;
            let table =
                self.fresh(Op::Table { var, body: (scope, value) }, 0, &format!("{name}_by_{}", self.model.vars[var].name));
            self.memo.insert(key, table);
            table
        };
        let scope = self.scope_of_vars(&[var]);
        self.node(Op::Entry { table, var }, scope, &format!("{name}_{}", self.model.vars[var].name))
    }
}
