//! Expressions that are one number: arithmetic here; reads, calls, sums and conditions in the files of their names.

use proc_macro2::Span;

use super::Lowering;
use crate::ir::{Condition, Expr, ExprKind, Operator, visit};
use crate::messages;
use crate::syntax::{self, BinaryOp};

impl Lowering<'_> {
    /// Lowers an expression that is one number.
    pub(super) fn scalar(&mut self, expr: &syntax::Expr) -> Option<Expr> {
        let span = expr.span;
        let kind = match &expr.kind {
            syntax::ExprKind::Number(x) => ExprKind::Number(*x),
            syntax::ExprKind::Bool(value) => ExprKind::Number(f64::from(u8::from(*value))),
            syntax::ExprKind::Paren(inner) => return self.scalar(inner),
            syntax::ExprKind::Neg(inner) => match self.scalar(inner)? {
                Expr { kind: ExprKind::Number(x), .. } => ExprKind::Number(-x),
                inner => ExprKind::Neg(Box::new(inner)),
            },
            syntax::ExprKind::Name(name) => return self.read(name, &[], span),
            syntax::ExprKind::Index { array, index } => return self.read(array, index, span),
            syntax::ExprKind::Path(_) => {
                self.error(span, "a path is called as a function here: `path::function(x)`");
                return None;
            }
            syntax::ExprKind::Binary { op, .. } if arithmetic(*op).is_some() => return self.chain(expr),
            syntax::ExprKind::Binary { .. } => ExprKind::Indicator(Box::new(self.condition(expr)?)),
            syntax::ExprKind::Not(_) => ExprKind::Indicator(Box::new(self.condition(expr)?)),
            syntax::ExprKind::If { condition, then, otherwise } => {
                let test = self.condition(condition);
                let (then, otherwise) = (self.scalar(then), self.scalar(otherwise));
                let test = test?;
                if self.differs_between_rows(&test) {
                    self.error(condition.span, messages::ROW_CHOICE);
                    return None;
                }
                ExprKind::If(Box::new(test), Box::new(then?), Box::new(otherwise?))
            }
            syntax::ExprKind::Call { callee, args } => return self.call(callee, args, span),
            syntax::ExprKind::Method { receiver, name, args } => return self.method(receiver, name, args, span),
            syntax::ExprKind::Reduce { function, var, range, body } => return self.reduce(function, var, range, body),
        };
        Some(Expr { kind, span })
    }

    /// Lowers `a + b + c` without going down once a term, so that long sums fit on the stack.
    fn chain(&mut self, expr: &syntax::Expr) -> Option<Expr> {
        let (mut first, mut rest) = (expr, Vec::new());
        while let syntax::ExprKind::Binary { op, left, right } = &first.kind
            && let Some(operator) = arithmetic(*op)
        {
            rest.push((operator, right, first.span));
            first = left;
        }
        let first = self.scalar(first);
        rest.into_iter().rev().fold(first, |left, (operator, right, span)| {
            let right = self.scalar(right);
            let kind = match (left?, right?) {
                (Expr { kind: ExprKind::Number(a), .. }, Expr { kind: ExprKind::Number(b), .. }) => {
                    ExprKind::Number(match operator {
                        Operator::Add => a + b,
                        Operator::Sub => a - b,
                        Operator::Mul => a * b,
                        Operator::Div => a / b,
                    })
                }
                (left, right) => ExprKind::Binary(operator, Box::new(left), Box::new(right)),
            };
            Some(Expr { kind, span })
        })
    }

    /// Whether an expression is made of data alone, the same in all lanes.
    pub(super) fn is_data(&self, expr: &Expr) -> bool {
        self.first_unknown(expr).is_none()
    }

    /// What in an expression is not data.
    pub(super) fn first_unknown(&self, expr: &Expr) -> Option<Span> {
        first(expr, |e| match &e.kind {
            ExprKind::Site(..) | ExprKind::Component(..) => true,
            ExprKind::Data(arg, _) => self.model.is_input(&self.model.args[*arg]),
            ExprKind::Local(local) => !self.model.locals[*local].data,
            _ => false,
        })
    }

    /// Whether an expression is made of data alone, inputs of a row and discrete latents that are drawn among them.
    pub(super) fn is_given(&self, expr: &Expr) -> bool {
        let unknown = |e: &Expr| match &e.kind {
            // The values of what is drawn are as good as data: they have no gradient.
            ExprKind::Site(site, _) => self.model.sites[*site].values.is_none(),
            ExprKind::Component(..) => true,
            ExprKind::Local(local) => !self.is_given(&self.model.locals[*local].value),
            _ => false,
        };
        first(expr, unknown).is_none()
    }

    /// Whether a condition on what is given may hold in one lane and not in another.
    fn differs_between_rows(&self, test: &Condition) -> bool {
        let mut differs = false;
        visit::condition(test, &mut |e| differs |= !self.is_data(e));
        differs
    }
}

/// The first expression within another of which something is true.
fn first(expr: &Expr, is: impl Fn(&Expr) -> bool) -> Option<Span> {
    let mut found = None;
    visit::expressions(expr, &mut |e| found = found.or(is(e).then_some(e.span)));
    found
}

fn arithmetic(op: BinaryOp) -> Option<Operator> {
    Some(match op {
        BinaryOp::Add => Operator::Add,
        BinaryOp::Sub => Operator::Sub,
        BinaryOp::Mul => Operator::Mul,
        BinaryOp::Div => Operator::Div,
        _ => return None,
    })
}
