//! `beta ~ Uniform(0, 1 - alpha);`: between bounds that depend on latents, a latent is a share of the way from one to the other.

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::{Entity, Lowering};
use crate::ir::SiteKind;
use crate::syntax::visit::within;
use crate::syntax::{BinaryOp, CallArg, Expr, ExprKind, Lhs, Range, Stmt};

impl Lowering<'_> {
    /// What such a statement stands for: `share_of_beta ~ Uniform(0, 1); let beta = lower + exp(ln(upper - lower)) * share_of_beta;`, the logarithm so that there is
    /// nothing between bounds that have changed their places.
    pub(super) fn shares(&self, stmt: &Stmt) -> Option<[Stmt; 2]> {
        let Stmt::Sample { lhs, distribution, sampled: None } = stmt else { return None };
        // In rows and guides latents are those that the statements are about.
        if self.model.row || self.model.guide.is_some() || !self.summed.is_empty() || self.lookup(&lhs.name).is_some() {
            return None;
        }
        let [lower, upper] = bounds(distribution)?;
        if ![lower, upper].into_iter().any(|bound| self.reads_unknowns(bound)) {
            return None;
        }
        let span = distribution.span;
        let share = format_ident!("share_of_{}", lhs.name, span = lhs.name.span());
        let number = |x: f64| Expr { kind: ExprKind::Number(x), span };
        let binary = |op: BinaryOp, left: Expr, right: Expr| {
            let [left, right] = [left, right].map(|side| Box::new(grouped(side)));
            Expr { kind: ExprKind::Binary { op, left, right }, span }
        };
        let call = |word: &str, args: Vec<Expr>| {
            let callee = Box::new(Expr { kind: ExprKind::Name(Ident::new(word, span)), span });
            let args = args.into_iter().map(|value| CallArg { name: None, value }).collect();
            Expr { kind: ExprKind::Call { callee, args }, span }
        };
        let drawn = Stmt::Sample {
            lhs: Lhs { name: share.clone(), index: lhs.index.clone() },
            distribution: call("Uniform", vec![number(0.0), number(1.0)]),
            sampled: None,
        };
        // Whole axes are loops of the quantity.
        let mut loops = Vec::new();
        let index: Vec<Expr> = lhs.index.iter().map(|axis| self.element(axis, &share, &mut loops)).collect();
        let at_zero = matches!(lower.kind, ExprKind::Number(x) if x == 0.0);
        let width = if at_zero { upper.clone() } else { binary(BinaryOp::Sub, upper.clone(), lower.clone()) };
        let of_share =
            if index.is_empty() { ExprKind::Name(share) } else { ExprKind::Index { array: share, index: index.clone() } };
        let part = binary(BinaryOp::Mul, call("exp", vec![call("ln", vec![width])]), Expr { kind: of_share, span });
        let value = if at_zero { part } else { binary(BinaryOp::Add, lower.clone(), part) };
        let quantity = Stmt::Let { lhs: Lhs { name: lhs.name.clone(), index }, value };
        let quantity = loops.into_iter().rev().fold(quantity, |body, (var, dim)| Stmt::For {
            var,
            range: Range::Dim(dim),
            body: vec![body],
        });
        Some([drawn, quantity])
    }

    /// An axis as the index of one element: of a whole dimension, a name that a loop binds.
    fn element(&self, axis: &Expr, share: &Ident, loops: &mut Vec<(Ident, Ident)>) -> Expr {
        match &axis.kind {
            ExprKind::Name(dim) if matches!(self.lookup(dim), Some(Entity::Dim(_))) => {
                let var = format_ident!("at_{}_of_{}", loops.len(), share, span = Span::call_site());
                loops.push((var.clone(), dim.clone()));
                Expr { kind: ExprKind::Name(var), span: axis.span }
            }
            _ => axis.clone(),
        }
    }

    /// Whether an expression reads latents, parameters or quantities.
    fn reads_unknowns(&self, expr: &Expr) -> bool {
        let mut found = false;
        within(expr, &mut |inner| {
            if let ExprKind::Name(name) | ExprKind::Index { array: name, .. } = &inner.kind {
                found |= match self.lookup(name) {
                    Some(Entity::Site(site)) => !matches!(self.model.sites[site].kind, SiteKind::Observed(_)),
                    Some(Entity::Local(local)) => !self.model.locals[local].data,
                    _ => false,
                };
            }
        });
        found
    }
}

/// An expression as an operand: in parentheses, if it is made of operands itself.
fn grouped(expr: Expr) -> Expr {
    match &expr.kind {
        ExprKind::Binary { op: BinaryOp::Mul, .. } => expr,
        ExprKind::Binary { .. } | ExprKind::If { .. } | ExprKind::Neg(_) => {
            let span = expr.span;
            Expr { kind: ExprKind::Paren(Box::new(expr)), span }
        }
        _ => expr,
    }
}

/// The bounds of a `Uniform`.
fn bounds(distribution: &Expr) -> Option<[&Expr; 2]> {
    let ExprKind::Call { callee, args } = &distribution.kind else { return None };
    let ([first, second], ExprKind::Name(word)) = (&args[..], &callee.kind) else { return None };
    if word != "Uniform" {
        return None;
    }
    let is = |arg: &CallArg, word: &str| arg.name.as_ref().is_none_or(|name| name == word);
    match (is(first, "lower") && is(second, "upper"), is(first, "upper") && is(second, "lower")) {
        (true, _) => Some([&first.value, &second.value]),
        (_, true) => Some([&second.value, &first.value]),
        _ => None,
    }
}
