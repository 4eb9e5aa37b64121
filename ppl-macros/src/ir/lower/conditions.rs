//! Conditions: truth values made of data, by comparison and by `!`, `&&` and `||`.

use super::Lowering;
use crate::ir::{ArgKind, Comparison, Condition, Expr, ExprKind};
use crate::syntax::{self, BinaryOp};

impl Lowering<'_> {
    /// A truth value made of data.
    pub(super) fn condition(&mut self, expr: &syntax::Expr) -> Option<Condition> {
        match &expr.kind {
            syntax::ExprKind::Paren(inner) => self.condition(inner),
            syntax::ExprKind::Bool(value) => Some(Condition::Constant(*value)),
            syntax::ExprKind::Not(inner) => Some(Condition::Not(Box::new(self.condition(inner)?))),
            syntax::ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => self.joined(expr),
            syntax::ExprKind::Binary { op, left, right } if comparison(*op).is_some() => {
                let (a, b) = (self.scalar(left), self.scalar(right));
                let (a, b) = (a?, b?);
                for (side, typed) in [(&a, left), (&b, right)] {
                    if !self.is_given(side) {
                        self.error(typed.span, "a comparison here is of data; comparing a latent would make the density jump");
                        return None;
                    }
                }
                Some(Condition::Compare(comparison(*op)?, Box::new(a), Box::new(b)))
            }
            _ => {
                let value = self.scalar(expr)?;
                let boolean = matches!(&value.kind, ExprKind::Data(arg, _) if self.model.args[*arg].kind == ArgKind::Bool)
                    || matches!(value.kind, ExprKind::Indicator(_));
                if !boolean {
                    self.error(expr.span, "a condition is `bool` data or a comparison, such as `x[n] > 0`");
                    return None;
                }
                let zero = Expr { kind: ExprKind::Number(0.0), span: expr.span };
                Some(Condition::Compare(Comparison::Ne, Box::new(value), Box::new(zero)))
            }
        }
    }

    /// `a && b && c`, not going down once an operand either.
    fn joined(&mut self, expr: &syntax::Expr) -> Option<Condition> {
        let (mut first, mut rest) = (expr, Vec::new());
        while let syntax::ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } = &first.kind {
            rest.push((*op, right));
            first = left;
        }
        let first = self.condition(first);
        rest.into_iter().rev().fold(first, |left, (op, right)| {
            let right = self.condition(right);
            let (left, right) = (Box::new(left?), Box::new(right?));
            Some(if op == BinaryOp::And { Condition::And(left, right) } else { Condition::Or(left, right) })
        })
    }
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Lt => Comparison::Lt,
        BinaryOp::Le => Comparison::Le,
        BinaryOp::Gt => Comparison::Gt,
        BinaryOp::Ge => Comparison::Ge,
        BinaryOp::Eq => Comparison::Eq,
        BinaryOp::Ne => Comparison::Ne,
        _ => return None,
    })
}
