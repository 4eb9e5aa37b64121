//! Reads of data, latents, quantities, sizes and bound names, perhaps at an index.

use proc_macro2::{Ident, Span};

use super::{Entity, Lowering};
use crate::ir::{Affine, Comparison, Condition, DimId, Expr, ExprKind, Index, Operator, Reduce, SiteKind, Term, VarId};
use crate::{messages, syntax};

/// The element of an axis that an index names which differs from lane to lane.
pub(super) struct Choice {
    pub(super) var: VarId,
    pub(super) named: Expr,
}

impl Choice {
    /// The sum over the axis of what is read, where it is the element that is named.
    fn among(self, read: Expr) -> Expr {
        let span = read.span;
        let of = |kind| Box::new(Expr { kind, span });
        let condition = Condition::Compare(Comparison::Eq, Box::new(self.named), of(ExprKind::Var(self.var)));
        let is_it = ExprKind::Indicator(Box::new(condition));
        let body = ExprKind::Binary(Operator::Mul, of(is_it), Box::new(read));
        Expr { kind: ExprKind::Reduce { kind: Reduce::Sum, var: self.var, body: of(body), product: false }, span }
    }
}

impl Lowering<'_> {
    /// Reads a name, perhaps at an index.
    pub(super) fn read(&mut self, name: &Ident, index: &[syntax::Expr], span: Span) -> Option<Expr> {
        let Some(entity) = self.lookup(name) else {
            self.unknown(name);
            return None;
        };
        if let Entity::State { time, value, back } = entity {
            let value = self.state(name, index, (time, value, back), span)?;
            return Some(Expr { kind: ExprKind::Var(value), span });
        }
        if let Entity::Discrete(latent) = entity {
            let value = self.discrete_value(latent, name, index, span)?;
            return Some(Expr { kind: ExprKind::Var(value), span });
        }
        if let Entity::Local(local) = entity {
            self.over.extend(&self.model.locals[local].over);
        }
        let dims = match entity {
            Entity::Arg(arg) => self.model.args[arg].dims.clone(),
            Entity::Site(site) => self.model.sites[site].dims.clone(),
            Entity::Component(component) => self.model.components[component].dims.clone(),
            Entity::Dim(_) | Entity::Var(_) | Entity::Time(_) | Entity::Local(_) | Entity::State { .. } | Entity::Discrete(_) => {
                Vec::new()
            }
        };
        let before = self.picks.len();
        let lowered = self.with_picks(name, index, &dims);
        let picks = self.picks.split_off(before);
        let mut lowered = lowered?;
        if lowered.len() + 1 == dims.len()
            && let Some(&var) = self.ambient.iter().rev().find(|&&var| self.model.vars[var].dim == dims.last().copied())
        {
            lowered.push(Index::Affine(Affine::term(Term::Var(var))));
        }
        if lowered.len() < dims.len() {
            let over: Vec<String> = dims[lowered.len()..].iter().map(|&d| format!("`{}`", self.model.dim_name(d))).collect();
            let message = format!(
                "`{name}` is an array over {} here, and a number is needed; index it, or use it in `dot(..)` or `sum(..)`",
                over.join(" and ")
            );
            self.error(span, message);
            return None;
        }
        if let Entity::Site(site) = entity {
            self.check_order(site, &lowered, name)?;
        }
        let read = self.picked(lowered, &dims, span, &|index| match entity {
            Entity::Arg(arg) => ExprKind::Data(arg, index),
            Entity::Site(site) => ExprKind::Site(site, index),
            Entity::Dim(dim) => ExprKind::Size(dim),
            Entity::Var(var) | Entity::Time(var) | Entity::State { value: var, .. } => ExprKind::Var(var),
            Entity::Component(component) => ExprKind::Component(component, index),
            Entity::Discrete(_) => unreachable!("read at an index"),
            Entity::Local(local) => ExprKind::Local(local),
        });
        Some(picks.into_iter().rev().fold(read, |read, choice| choice.among(read)))
    }

    /// The element at an index. In a row an index through data differs from lane to lane: the axis is run over instead, and the elements but one count as
    /// zero.
    fn picked(&mut self, mut index: Vec<Index>, dims: &[DimId], span: Span, element: &dyn Fn(Vec<Index>) -> ExprKind) -> Expr {
        let mut choices = Vec::new();
        for (axis, &dim) in index.iter_mut().zip(dims) {
            if self.model.row && matches!(axis, Index::Gather(..)) {
                let var = self.named_axis_var(dim);
                let along = Index::Affine(Affine::term(Term::Var(var)));
                if let Index::Gather(arg, inner) = std::mem::replace(axis, along) {
                    let dims = self.model.args[arg].dims.clone();
                    let named = self.picked(inner, &dims, span, &|index| ExprKind::Data(arg, index));
                    choices.push(Choice { var, named });
                }
            }
        }
        let read = Expr { kind: element(index), span };
        choices.into_iter().rev().fold(read, |read, choice| choice.among(read))
    }

    /// Lowers the indices of an array, of which trailing ones may be left out and none is drawn.
    pub(super) fn indices(&mut self, name: &Ident, index: &[syntax::Expr], dims: &[DimId]) -> Option<Vec<Index>> {
        let before = self.picks.len();
        let lowered = self.with_picks(name, index, dims);
        if let Some(choice) = self.picks.get(before) {
            let span = choice.named.span;
            self.picks.truncate(before);
            self.error(span, messages::SAMPLED_INDEX);
            return None;
        }
        lowered
    }

    /// The same, where the caller takes the elements that drawn indices pick.
    fn with_picks(&mut self, name: &Ident, index: &[syntax::Expr], dims: &[DimId]) -> Option<Vec<Index>> {
        if index.len() > dims.len() {
            let message = if dims.is_empty() {
                format!("`{name}` is a number and has no axes; write it without an index")
            } else {
                format!("`{name}` has {} axes, and {} indices were given", dims.len(), index.len())
            };
            self.error(name.span(), message);
            return None;
        }
        let lowered: Vec<Option<Index>> =
            index.iter().zip(dims).enumerate().map(|(axis, (i, &dim))| self.index(i, dim, name, axis)).collect();
        lowered.into_iter().collect()
    }

    /// Refuses reads of what is not there yet: an element by itself.
    pub(super) fn check_order(&mut self, site: usize, index: &[Index], name: &Ident) -> Option<()> {
        if self.model.sites[site].pieces.is_empty() {
            self.error(
                name.span(),
                format!("`{name}` may have missing values and is used before its distribution; move its `~` statement up"),
            );
            return None;
        }
        let Some(definition) = self.definitions.get(&site) else { return Some(()) };
        if self.model.sites[site].kind == SiteKind::Latent && definition.as_slice() == index {
            self.error(name.span(), format!("`{name}` depends on itself; read another element, or another name"));
            return None;
        }
        Some(())
    }
}
