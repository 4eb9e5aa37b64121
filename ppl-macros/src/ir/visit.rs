//! Walks over the expressions of the model.

use proc_macro2::Span;

use super::{ArgId, Bounds, Condition, Density, Distribution, Expr, ExprKind, Index, Model, Stmt, StmtKind, VarId, Vector};

/// Calls `visit` with an expression and all within it, the outer before the inner.
pub(crate) fn expressions<'e>(expr: &'e Expr, visit: &mut impl FnMut(&'e Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Number(_)
        | ExprKind::Size(_)
        | ExprKind::Var(_)
        | ExprKind::Data(..)
        | ExprKind::Site(..)
        | ExprKind::Component(..)
        | ExprKind::Local(_) => {}
        ExprKind::Binary(_, left, right) => {
            expressions(left, visit);
            expressions(right, visit);
        }
        ExprKind::Neg(inner) | ExprKind::Powi(inner, _) | ExprKind::Assert(_, inner) => expressions(inner, visit),
        ExprKind::Function(_, args) | ExprKind::User(_, args) => args.iter().for_each(|arg| expressions(arg, visit)),
        ExprKind::If(test, then, otherwise) => {
            condition(test, visit);
            expressions(then, visit);
            expressions(otherwise, visit);
        }
        ExprKind::Indicator(test) => condition(test, visit),
        ExprKind::Reduce { body, .. } => expressions(body, visit),
        ExprKind::LogProb(_, params, value) => {
            params.iter().for_each(|param| expressions(param, visit));
            expressions(value, visit);
        }
    }
}

/// Calls `visit` with every argument that the value of an expression of data is made of, and where: through indices and locals too.
pub(crate) fn data(model: &Model, expr: &Expr, visit: &mut dyn FnMut(ArgId, Span)) {
    fn indices(index: &[Index], span: Span, visit: &mut dyn FnMut(ArgId, Span)) {
        for i in index {
            if let Index::Gather(arg, inner) = i {
                visit(*arg, span);
                indices(inner, span, visit);
            }
        }
    }
    expressions(expr, &mut |e| match &e.kind {
        ExprKind::Data(arg, index) => {
            visit(*arg, e.span);
            indices(index, e.span, visit);
        }
        ExprKind::Site(_, index) | ExprKind::Component(_, index) => indices(index, e.span, visit),
        ExprKind::Local(local) => data(model, &model.locals[*local].value, &mut |arg, _| visit(arg, e.span)),
        _ => {}
    });
}

/// The arguments whose values some statement or index reads.
pub(crate) fn arguments(model: &Model) -> std::collections::BTreeSet<ArgId> {
    fn gathered(index: &[Index], read: &mut std::collections::BTreeSet<ArgId>) {
        for i in index {
            if let Index::Gather(arg, inner) = i {
                read.insert(*arg);
                gathered(inner, read);
            }
        }
    }
    fn vectors(operands: &[Vector], read: &mut std::collections::BTreeSet<ArgId>) {
        for operand in operands {
            if let Vector::Data(arg, index) = operand {
                read.insert(*arg);
                gathered(index, read);
            }
        }
    }
    let mut read = std::collections::BTreeSet::new();
    statements(&model.body, &mut |stmt| {
        let mut own = |expr: &Expr| {
            data(model, expr, &mut |arg, _| {
                read.insert(arg);
            });
        };
        match &stmt.kind {
            StmtKind::Local { value, .. } | StmtKind::Factor { value, .. } => own(value),
            StmtKind::Quantity { index, value, .. } => {
                own(value);
                gathered(index, &mut read);
            }
            StmtKind::Param { index, bounds, start, .. } => {
                of_parameter(bounds.as_deref(), start).for_each(own);
                gathered(index, &mut read);
            }
            StmtKind::Operation { index, operands, .. } => {
                repeated(operands).for_each(own);
                gathered(index, &mut read);
                vectors(operands, &mut read);
            }
            StmtKind::Sample { index, distribution, .. } => {
                of_distribution(distribution).for_each(own);
                gathered(index, &mut read);
                vectors(distribution.density.vectors(), &mut read);
            }
            StmtKind::Sum(block) => {
                for (prior, _) in block.priors() {
                    of_distribution(prior).for_each(&mut own);
                }
                for (prior, _) in block.priors() {
                    vectors(prior.density.vectors(), &mut read);
                }
            }
            StmtKind::Discrete(block) => {
                of_distribution(&block.prior).for_each(own);
                vectors(block.prior.density.vectors(), &mut read);
                gathered(&block.index, &mut read);
            }
            StmtKind::Ode(block) => [&block.from, &block.to].into_iter().for_each(own),
            StmtKind::Start { index, value, .. } | StmtKind::Derivative { index, value, .. } => {
                own(value);
                gathered(index, &mut read);
            }
            StmtKind::Expected { over, .. } => {
                let elements = over.iter().filter_map(|&var| model.probability(var));
                elements.for_each(|(_, index)| gathered(index, &mut read));
            }
            StmtKind::For { .. } => {}
        }
    });
    read
}

/// Calls `visit` with every expression of a condition.
pub(crate) fn condition<'e>(test: &'e Condition, visit: &mut impl FnMut(&'e Expr)) {
    match test {
        Condition::Compare(_, left, right) => {
            expressions(left, visit);
            expressions(right, visit);
        }
        Condition::And(left, right) | Condition::Or(left, right) => {
            condition(left, visit);
            condition(right, visit);
        }
        Condition::Not(inner) => condition(inner, visit),
        Condition::Constant(_) => {}
    }
}

/// The expressions of a distribution: its parameters, and what masks it.
pub(crate) fn of_distribution(distribution: &Distribution) -> impl Iterator<Item = &Expr> {
    let numbers = distribution.density.families().flat_map(|(_, params)| params);
    numbers.chain(repeated(distribution.density.vectors())).chain(&distribution.mask)
}

/// The numbers among operands.
pub(crate) fn repeated(operands: &[Vector]) -> impl Iterator<Item = &Expr> {
    operands.iter().filter_map(|vector| match vector {
        Vector::Repeat(value) => Some(&**value),
        Vector::Site(..) | Vector::Data(..) => None,
    })
}

/// Calls `visit` with every statement, the outer before the inner.
pub(crate) fn statements<'s>(body: &'s [Stmt], visit: &mut impl FnMut(&'s Stmt)) {
    for stmt in body {
        visit(stmt);
        statements(block(stmt), visit);
    }
}

/// The statements within a statement.
pub(crate) fn block(stmt: &Stmt) -> &[Stmt] {
    match &stmt.kind {
        StmtKind::For { body, .. } => body,
        StmtKind::Sum(block) => &block.body,
        StmtKind::Ode(block) => &block.body,
        StmtKind::Expected { body, .. } => body,
        _ => &[],
    }
}

/// Calls `visit` with every statement and the loops around it, those of sums among them.
pub(crate) fn in_loops<'s>(body: &'s [Stmt], loops: &mut Vec<VarId>, visit: &mut impl FnMut(&'s Stmt, &[VarId])) {
    for stmt in body {
        visit(stmt, loops);
        let around = loops.len();
        match &stmt.kind {
            StmtKind::For { var, .. } => loops.push(*var),
            StmtKind::Sum(block) => loops.extend(block.loops()),
            StmtKind::Ode(block) => loops.extend([block.at, block.time]),
            StmtKind::Expected { over, .. } => loops.extend(over),
            _ => {}
        }
        in_loops(block(stmt), loops, visit);
        loops.truncate(around);
    }
}

/// The expressions of a parameter's statement: its start, and its bounds.
pub(crate) fn of_parameter<'e>(bounds: Option<&'e Bounds>, start: &'e Expr) -> impl Iterator<Item = &'e Expr> {
    let bounds = bounds.into_iter().flat_map(|bounds| [&bounds.lower, &bounds.upper].into_iter().flatten());
    std::iter::once(start).chain(bounds)
}

/// The entries of the catalogue that a model uses, by the names of their types.
pub(crate) fn distributions(model: &Model) -> std::collections::BTreeSet<&'static str> {
    use super::Family;
    let mut used = std::collections::BTreeSet::new();
    let family = |family: &Family, used: &mut std::collections::BTreeSet<&'static str>| {
        used.extend(family.entry().map(|entry| entry.rust));
    };
    statements(&model.body, &mut |stmt| {
        let mut read = |expr: &Expr| {
            expressions(expr, &mut |e| {
                if let ExprKind::LogProb(known, ..) = &e.kind {
                    family(known, &mut used);
                }
            });
        };
        match &stmt.kind {
            StmtKind::Local { value, .. }
            | StmtKind::Quantity { value, .. }
            | StmtKind::Factor { value, .. }
            | StmtKind::Start { value, .. }
            | StmtKind::Derivative { value, .. } => read(value),
            StmtKind::Ode(block) => [&block.from, &block.to].into_iter().for_each(read),
            StmtKind::Sample { distribution, .. } => {
                of_distribution(distribution).for_each(&mut read);
                for (known, _) in distribution.density.families() {
                    family(known, &mut used);
                }
                if let Density::Multivariate { entry, .. } = &distribution.density {
                    used.insert(entry.rust);
                }
            }
            StmtKind::Operation { operands, .. } => repeated(operands).for_each(&mut read),
            StmtKind::Param { bounds, start, .. } => of_parameter(bounds.as_deref(), start).for_each(&mut read),
            StmtKind::Sum(block) => {
                block.priors().flat_map(|(prior, _)| of_distribution(prior)).for_each(&mut read);
                let known = block.priors().flat_map(|(prior, _)| prior.density.families());
                known.for_each(|(known, _)| family(known, &mut used));
            }
            StmtKind::Discrete(block) => {
                of_distribution(&block.prior).for_each(&mut read);
                block.prior.density.families().for_each(|(known, _)| family(known, &mut used));
            }
            StmtKind::Expected { .. } => {}
            StmtKind::For { .. } => {}
        }
    });
    used
}
