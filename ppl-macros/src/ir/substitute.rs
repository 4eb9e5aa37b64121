//! Other indices in the place of bound names: an expression of one element as that of another.

use std::collections::BTreeMap;

use super::{Affine, Condition, Expr, ExprKind, Index, Term, VarId};

/// What stands in the place of bound names.
pub(crate) type Places = BTreeMap<VarId, Affine>;

/// Puts them into an expression whose locals have been replaced by what they are made of.
pub(crate) fn substitute(expr: &mut Expr, places: &Places) {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::Size(_) | ExprKind::Local(_) => {}
        ExprKind::Var(var) => {
            if let Some(place) = places.get(var) {
                expr.kind = number(place, expr.span);
            }
        }
        ExprKind::Data(_, index) | ExprKind::Site(_, index) | ExprKind::Component(_, index) => {
            index.iter_mut().for_each(|index| in_index(index, places));
        }
        ExprKind::Binary(_, left, right) => {
            substitute(left, places);
            substitute(right, places);
        }
        ExprKind::Neg(inner) | ExprKind::Powi(inner, _) | ExprKind::Assert(_, inner) => substitute(inner, places),
        ExprKind::Function(_, args) | ExprKind::User(_, args) => args.iter_mut().for_each(|arg| substitute(arg, places)),
        ExprKind::If(test, then, otherwise) => {
            in_condition(test, places);
            substitute(then, places);
            substitute(otherwise, places);
        }
        ExprKind::Indicator(test) => in_condition(test, places),
        ExprKind::Reduce { body, .. } => substitute(body, places),
        ExprKind::LogProb(_, params, value) => {
            params.iter_mut().for_each(|param| substitute(param, places));
            substitute(value, places);
        }
    }
}

/// An affine expression as a number.
fn number(affine: &Affine, span: proc_macro2::Span) -> ExprKind {
    use super::Operator::{Add, Mul};
    let of = |kind: ExprKind| Box::new(Expr { kind, span });
    let terms = affine.terms.iter().map(|(term, &coefficient)| {
        let own = match term {
            Term::Var(var) => ExprKind::Var(*var),
            Term::Size(dim) => ExprKind::Size(*dim),
        };
        if coefficient == 1 { own } else { ExprKind::Binary(Mul, of(ExprKind::Number(coefficient as f64)), of(own)) }
    });
    let constant = (affine.constant != 0 || affine.terms.is_empty()).then_some(ExprKind::Number(affine.constant as f64));
    let sum = terms.chain(constant).reduce(|sum, term| ExprKind::Binary(Add, of(sum), of(term)));
    sum.unwrap_or(ExprKind::Number(0.0))
}

fn in_index(index: &mut Index, places: &Places) {
    match index {
        Index::Affine(affine) => {
            let mut put = Affine::constant(affine.constant);
            for (&term, &coefficient) in &affine.terms {
                let own = match term {
                    Term::Var(var) => places.get(&var).cloned(),
                    Term::Size(_) => None,
                };
                put = put.plus(&own.unwrap_or_else(|| Affine::term(term)), coefficient);
            }
            *affine = put;
        }
        Index::Gather(_, inner) => inner.iter_mut().for_each(|index| in_index(index, places)),
    }
}

fn in_condition(test: &mut Condition, places: &Places) {
    match test {
        Condition::Compare(_, left, right) => {
            substitute(left, places);
            substitute(right, places);
        }
        Condition::And(left, right) | Condition::Or(left, right) => {
            in_condition(left, places);
            in_condition(right, places);
        }
        Condition::Not(inner) => in_condition(inner, places),
        Condition::Constant(_) => {}
    }
}
