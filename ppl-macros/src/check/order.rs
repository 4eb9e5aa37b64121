//! That every element of a quantity is computed before it is read, and which loops are recursions: their rows read earlier ones, so that derivatives go
//! through them backwards.

use std::collections::BTreeSet;

use proc_macro2::Span;

use crate::diagnostics::Diagnostics;
use crate::ir::{Affine, ExprKind, Index, Model, SiteId, SiteKind, Stmt, StmtKind, Term, VarId, Vector, visit};
use crate::messages;

/// Reports elements of quantities that are read before they are computed.
pub(super) fn check(model: &Model, diagnostics: &mut Diagnostics) {
    let (_, wrong) = recursions(model);
    for (site, span, wrong) in wrong {
        let name = &model.sites[site].name;
        diagnostics.push(
            span,
            match wrong {
                Wrong::NotYet => messages::read_before(name),
                Wrong::AnyElement => messages::read_in_its_loop(name),
            },
        );
    }
}

/// The loops of a model whose rows read earlier ones.
pub(crate) fn recursive(model: &Model) -> BTreeSet<VarId> {
    recursions(model).0
}

/// What is wrong with a read.
enum Wrong {
    /// The statement comes later.
    NotYet,
    /// The loop has perhaps not come to the element.
    AnyElement,
}

/// A statement that computes elements of a quantity, or reads some.
struct Place {
    site: SiteId,
    /// Where the statement stands in the order of the model.
    at: usize,
    /// Shorter than the axes where all elements along the last ones are meant.
    index: Vec<Index>,
    loops: Vec<VarId>,
    span: Span,
}

fn recursions(model: &Model) -> (BTreeSet<VarId>, Vec<(SiteId, Span, Wrong)>) {
    let mut places = Places { model, defined: Vec::new(), read: Vec::new(), next: 0 };
    places.body(&model.body, &mut Vec::new());
    let (mut recursive, mut wrong) = (BTreeSet::new(), Vec::new());
    for read in &places.read {
        let of_site = places.defined.iter().filter(|defined| defined.site == read.site);
        let relations: Vec<_> = of_site.map(|defined| (defined, relation(model, defined, read))).collect();
        // No two statements compute the same element: what one has computed no other does.
        let whole = relations.iter().position(|(defined, relation)| relation.is_ok() && contains(model, defined, read));
        for (i, (_, relation)) in relations.into_iter().enumerate() {
            if whole.is_some_and(|whole| whole != i) {
                continue;
            }
            match relation {
                Ok(earlier) => recursive.extend(earlier),
                Err(found) => {
                    wrong.push((read.site, read.span, found));
                    break;
                }
            }
        }
    }
    (recursive, wrong)
}

/// The loops of which a read takes an earlier element than the one that is computed; none where that is there already.
fn relation(model: &Model, defined: &Place, read: &Place) -> Result<Vec<VarId>, Wrong> {
    let common = defined.loops.iter().zip(&read.loops).take_while(|(a, b)| a == b).count();
    let shared = &defined.loops[..common];
    // With how deep the loops are.
    let (mut earlier, mut elsewhere) = (Vec::new(), Vec::new());
    for (axis, own) in defined.index.iter().enumerate() {
        let (Index::Affine(own), other) = (own, read.index.get(axis)) else { continue };
        let depth = |var: VarId| shared.iter().position(|&known| known == var);
        let Some((var, constant, depth)) = shifted(own).and_then(|(var, constant)| Some((var, constant, depth(var)?))) else {
            // An axis that no open loop runs over.
            if let Some(Index::Affine(other)) = other
                && disjoint(model, own, other)
            {
                return Ok(Vec::new());
            }
            continue;
        };
        match other {
            Some(Index::Affine(other)) if disjoint(model, own, other) => return Ok(Vec::new()),
            Some(Index::Affine(other)) => match shifted(other) {
                Some((same, shift)) if same == var && shift == constant => {}
                Some((same, shift)) if same == var && shift < constant => earlier.push((depth, var)),
                _ => elsewhere.push(depth),
            },
            _ => elsewhere.push(depth),
        }
    }
    // Of an earlier row of an outer loop any element is there.
    let row = earlier.iter().map(|&(depth, _)| depth).min();
    if elsewhere.into_iter().any(|depth| row.is_none_or(|row| depth < row)) {
        Err(Wrong::AnyElement)
    } else if !earlier.is_empty() {
        Ok(earlier.into_iter().map(|(_, var)| var).collect())
    } else if defined.at < read.at {
        Ok(Vec::new())
    } else {
        Err(Wrong::NotYet)
    }
}

/// `var + constant`
fn shifted(affine: &Affine) -> Option<(VarId, i64)> {
    match affine.terms.iter().next() {
        Some((&Term::Var(var), 1)) if affine.terms.len() == 1 => Some((var, affine.constant)),
        _ => None,
    }
}

/// Whether the elements that two indices run over have none in common, as far as that is known without sizes.
fn disjoint(model: &Model, a: &Affine, b: &Affine) -> bool {
    let (Some((first, last)), Some((other_first, other_last))) = (ends(model, a), ends(model, b)) else { return false };
    let above = |later: &Affine, earlier: &Affine| later.plus(earlier, -1).as_constant().is_some_and(|difference| difference > 0);
    above(&first, &other_last) || above(&other_first, &last)
}

/// Whether a statement computes all elements that are read, as far as that is known without sizes.
fn contains(model: &Model, defined: &Place, read: &Place) -> bool {
    defined.index.iter().enumerate().all(|(axis, own)| {
        let (Index::Affine(own), Some(Index::Affine(other))) = (own, read.index.get(axis)) else { return false };
        let (Some((first, last)), Some((other_first, other_last))) = (ends(model, own), ends(model, other)) else { return false };
        let not_above = |a: &Affine, b: &Affine| b.plus(a, -1).as_constant().is_some_and(|difference| difference >= 0);
        own == other || (not_above(&first, &other_first) && not_above(&other_last, &last))
    })
}

/// The first and the last element that an index runs over.
fn ends(model: &Model, affine: &Affine) -> Option<(Affine, Affine)> {
    let Some((var, constant)) = shifted(affine) else {
        return affine.vars().next().is_none().then(|| (affine.clone(), affine.clone()));
    };
    let (from, to) = (&model.vars[var].from, &model.vars[var].to);
    let moved = |end: &Affine, by: i64| end.plus(&Affine::constant(by), 1);
    Some((moved(from, constant), moved(to, constant - 1)))
}

struct Places<'m> {
    model: &'m Model,
    defined: Vec<Place>,
    read: Vec<Place>,
    next: usize,
}

impl Places<'_> {
    fn body(&mut self, body: &[Stmt], loops: &mut Vec<VarId>) {
        for stmt in body {
            let at = self.next;
            self.next += 1;
            let mut read = |site: SiteId, index: &[Index], span: Span| {
                if self.model.sites[site].kind == SiteKind::Quantity {
                    self.read.push(Place { site, at, index: index.to_vec(), loops: loops.clone(), span });
                }
            };
            let mut expression = |expr: &crate::ir::Expr| {
                visit::expressions(expr, &mut |e| {
                    if let ExprKind::Site(site, index) = &e.kind {
                        read(*site, index, e.span);
                    }
                });
            };
            match &stmt.kind {
                StmtKind::For { var, body } => {
                    loops.push(*var);
                    self.body(body, loops);
                    loops.pop();
                }
                StmtKind::Discrete(block) => {
                    visit::of_distribution(&block.prior).for_each(expression);
                    vectors(block.prior.density.vectors(), block.prior.span, &mut read);
                }
                StmtKind::Expected { body, .. } => self.body(body, loops),
                StmtKind::Sum(block) => {
                    for (prior, _) in block.priors() {
                        visit::of_distribution(prior).for_each(&mut expression);
                    }
                    for (prior, _) in block.priors() {
                        vectors(prior.density.vectors(), prior.span, &mut read);
                    }
                    let around = loops.len();
                    loops.extend(block.loops());
                    self.body(&block.body, loops);
                    loops.truncate(around);
                }
                StmtKind::Local { value, .. }
                | StmtKind::Factor { value, .. }
                | StmtKind::Start { value, .. }
                | StmtKind::Derivative { value, .. } => expression(value),
                StmtKind::Ode(block) => {
                    let around = loops.len();
                    loops.extend([block.at, block.time]);
                    self.body(&block.body, loops);
                    loops.truncate(around);
                    for id in block.components.clone() {
                        let site = self.model.components[id].site;
                        let (index, span) = (block.index.clone(), self.model.sites[site].name.span());
                        self.defined.push(Place { site, at, index, loops: loops.clone(), span });
                    }
                }
                StmtKind::Param { bounds, start, .. } => visit::of_parameter(bounds.as_deref(), start).for_each(expression),
                StmtKind::Quantity { site, index, value } => {
                    expression(value);
                    let span = value.span;
                    self.defined.push(Place { site: *site, at, index: index.clone(), loops: loops.clone(), span });
                }
                StmtKind::Operation { site, index, operands, .. } => {
                    visit::repeated(operands).for_each(expression);
                    let span = self.model.sites[*site].name.span();
                    vectors(operands, span, &mut read);
                    self.defined.push(Place { site: *site, at, index: index.clone(), loops: loops.clone(), span });
                }
                StmtKind::Sample { distribution, .. } => {
                    visit::of_distribution(distribution).for_each(expression);
                    vectors(distribution.density.vectors(), distribution.span, &mut read);
                }
            }
        }
    }
}

/// The sites among operands, with all elements along their last axes.
fn vectors(operands: &[Vector], span: Span, read: &mut dyn FnMut(SiteId, &[Index], Span)) {
    for operand in operands {
        if let Vector::Site(site, index) = operand {
            read(*site, index, span);
        }
    }
}
