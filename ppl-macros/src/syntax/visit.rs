//! Walks over statements and expressions as written.

use super::{Expr, ExprKind, Range, Stmt};

/// Visits all statements, those of loops as well.
pub(crate) fn each<'s>(body: &'s [Stmt], visit: &mut dyn FnMut(&'s Stmt)) {
    for stmt in body {
        visit(stmt);
        if let Stmt::For { body, .. } | Stmt::Sum { body, .. } | Stmt::Chain { body, .. } | Stmt::Ode { body, .. } = stmt {
            each(body, visit);
        }
    }
}

/// Visits all expressions of statements, and the expressions within them.
pub(crate) fn expressions<'s>(body: &'s [Stmt], visit: &mut dyn FnMut(&'s Expr)) {
    each(body, &mut |stmt| match stmt {
        Stmt::Sample { lhs, distribution, .. } => {
            lhs.index.iter().for_each(|index| within(index, visit));
            within(distribution, visit);
        }
        Stmt::Let { lhs, value } | Stmt::Start { lhs, value } | Stmt::Derivative { lhs, value } => {
            lhs.index.iter().for_each(|index| within(index, visit));
            within(value, visit);
        }
        Stmt::Param { lhs, support, start } => {
            lhs.index.iter().chain(support.args.iter().map(|arg| &arg.value)).for_each(|index| within(index, visit));
            within(start, visit);
        }
        Stmt::Split { call: value, .. } | Stmt::Factor { value } => within(value, visit),
        Stmt::For { range, .. } => range_within(range, visit),
        Stmt::Chain { range, times, .. } => {
            range_within(range, visit);
            range_within(times, visit);
        }
        Stmt::Sum { range, distribution, .. } => {
            range_within(range, visit);
            within(distribution, visit);
        }
        Stmt::Ode { from, to, times, .. } => {
            within(from, visit);
            within(to, visit);
            range_within(times, visit);
        }
        Stmt::Auto { .. } => {}
    });
}

fn range_within<'s>(range: &'s Range, visit: &mut dyn FnMut(&'s Expr)) {
    if let Range::Between { from, to } = range {
        within(from, visit);
        within(to, visit);
    }
}

/// Visits an expression and those within it.
pub(crate) fn within<'s>(expr: &'s Expr, visit: &mut dyn FnMut(&'s Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Name(_) | ExprKind::Path(_) => {}
        ExprKind::Paren(inner) | ExprKind::Neg(inner) | ExprKind::Not(inner) => within(inner, visit),
        ExprKind::Binary { left, right, .. } => {
            within(left, visit);
            within(right, visit);
        }
        ExprKind::If { condition, then, otherwise } => {
            [condition, then, otherwise].into_iter().for_each(|part| within(part, visit));
        }
        // The name of a function is no value.
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| within(&arg.value, visit)),
        ExprKind::Method { receiver, args, .. } => {
            within(receiver, visit);
            args.iter().for_each(|arg| within(&arg.value, visit));
        }
        ExprKind::Index { index, .. } => index.iter().for_each(|index| within(index, visit)),
        ExprKind::Reduce { range, body, .. } => {
            range_within(range, visit);
            within(body, visit);
        }
    }
}
