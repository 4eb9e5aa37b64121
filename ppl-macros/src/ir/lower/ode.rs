//! `ode s in from..to for t in T { start(x) = ..; d(x) = ..; }`: a differential equation, and the names that are known within it.

use proc_macro2::{Ident, Span};

use super::axes::{Axis, close_axes};
use super::{Entity, Lowering};
use crate::ir::{Affine, Component, ComponentId, Expr, Index, OdeBlock, Piece, SiteKind, Stmt, StmtKind, Term, ValueOf};
use crate::{messages, syntax};

/// A differential equation that is being lowered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// Its first component.
    first: ComponentId,
    /// How many loops are around its statements, that over the times among them.
    loops: usize,
}

impl Lowering<'_> {
    pub(super) fn ode(&mut self, stmt: &syntax::Stmt, body: &[syntax::Stmt], text: String) -> Option<Stmt> {
        let syntax::Stmt::Ode { time, from, to, at, times, steps, .. } = stmt else { return None };
        if self.model.guide.is_some() {
            self.error(time.span(), messages::GUIDE_ODE);
            return None;
        }
        if !self.summed.is_empty() {
            self.error(time.span(), messages::SUM_QUANTITY);
            return None;
        }
        let known = self.names.len();
        let index: Vec<Index> = self.loops.iter().map(|&var| Index::Affine(Affine::term(Term::Var(var)))).collect();
        let (from, mut range) = (self.time(from), self.range(times));
        if let syntax::Range::Between { from: first, .. } = times {
            self.error(first.span, messages::ODE_DIMENSION);
            range = None;
        }
        let free = self.free(at);
        let (first, last, dim) = range.clone().unwrap_or_default();
        let step = self.fresh_var(at.clone(), first, last, dim);
        if free {
            self.names.push((at.clone(), Entity::Var(step)));
        }
        self.loops.push(step);
        let to = self.time(to);
        let first = self.model.components.len();
        self.open = Some(Open { first, loops: self.loops.len() });
        let [starts, equations] = [true, false].map(|starts| part(body, starts));
        let mut lowered = self.statements(&starts);
        let starts = lowered.len();
        let components = first..self.model.components.len();
        for id in components.clone() {
            let Component { site, .. } = self.model.components[id];
            let name = self.model.sites[site].name.clone();
            let own = self.model.sites[site].dims.iter().skip(index.len() + 1).copied().collect();
            self.model.components[id].dims = own;
            self.names.push((name, Entity::Component(id)));
        }
        let free = self.free(time);
        let clock = self.fresh_var(time.clone(), Affine::default(), Affine::default(), None);
        self.model.vars[clock].value_of = Some(ValueOf::Time);
        if free {
            self.names.push((time.clone(), Entity::Time(clock)));
        }
        lowered.extend(self.statements(&equations));
        self.open = None;
        self.loops.pop();
        self.leave(known);
        for id in components.clone() {
            let site = self.model.components[id].site;
            self.names.push((self.model.sites[site].name.clone(), Entity::Site(site)));
        }
        range?;
        let (from, to) = (from?, to?);
        if components.is_empty() {
            return None;
        }
        let block = OdeBlock { time: clock, at: step, from, to, steps: *steps, components, index, body: lowered, starts };
        Some(Stmt { kind: StmtKind::Ode(Box::new(block)), text })
    }

    /// A time: a number that is known before any latent.
    fn time(&mut self, expr: &syntax::Expr) -> Option<Expr> {
        let value = self.scalar(expr);
        let over = std::mem::take(&mut self.over);
        let value = value?;
        if let Some(span) = self.first_unknown(&value).or_else(|| (!over.is_empty()).then_some(value.span)) {
            self.error(span, messages::ODE_TIMES);
            return None;
        }
        Some(value)
    }

    /// `start(x[g]) = value;`
    pub(super) fn start(&mut self, lhs: &syntax::Lhs, value: &syntax::Expr, text: &str) -> Option<Stmt> {
        let Some(open) = self.open else {
            self.error(lhs.name.span(), messages::equation_outside("start", &lhs.name));
            return None;
        };
        let [own, mut last] = [self.axes(&lhs.index)?, self.axes(&lhs.index)?];
        let known = (open.first..self.model.components.len()).find(|&id| self.name_of(id) == &lhs.name);
        let component = if let Some(id) = known {
            id
        } else {
            if !self.free(&lhs.name) {
                return None;
            }
            let site = self.site_of(lhs.name.clone(), SiteKind::Quantity, Vec::new());
            self.model.components.push(Component { site, first: open.first, dims: Vec::new(), derivatives: Vec::new() });
            self.model.components.len() - 1
        };
        // The loops around the equation and over the times come first.
        let around = self.loops[..open.loops].iter().map(|&var| Axis::Element(Affine::term(Term::Var(var)), lhs.name.span()));
        let all: Vec<Axis> = around.chain(last.drain(..)).collect();
        self.declare_piece(self.model.components[component].site, &all, 0, lhs);
        self.equation(open, lhs, &own, value, text, |index, value| StmtKind::Start { component, index, value })
    }

    /// `d(x[g]) = value;`
    pub(super) fn derivative(&mut self, lhs: &syntax::Lhs, value: &syntax::Expr, text: &str) -> Option<Stmt> {
        let Some(open) = self.open else {
            self.error(lhs.name.span(), messages::equation_outside("d", &lhs.name));
            return None;
        };
        // One that starts nowhere has no axes yet.
        let Some(Entity::Component(component)) = self.lookup(&lhs.name) else {
            self.error(lhs.name.span(), messages::no_start(&lhs.name));
            return None;
        };
        let own = self.axes(&lhs.index)?;
        let dims = self.model.components[component].dims.clone();
        self.indices_of(lhs, &own, &dims)?;
        let axes = own.iter().map(|axis| self.extent(axis)).collect();
        self.model.components[component].derivatives.push(Piece { axes, span: lhs.name.span() });
        self.equation(open, lhs, &own, value, text, |index, value| StmtKind::Derivative { component, index, value })
    }

    fn name_of(&self, component: ComponentId) -> &Ident {
        &self.model.sites[self.model.components[component].site].name
    }

    /// Whether the axes left of `=` are those of the component; if not, says so.
    fn indices_of(&mut self, lhs: &syntax::Lhs, own: &[Axis], dims: &[usize]) -> Option<()> {
        if own.len() != dims.len() {
            let message = format!("`{}` has {} axes where it starts, and {} indices were given", lhs.name, dims.len(), own.len());
            self.error(lhs.name.span(), message);
            return None;
        }
        for (at, (axis, &dim)) in own.iter().zip(dims).enumerate() {
            match axis {
                Axis::Whole(over) if *over != dim => {
                    let message = format!(
                        "axis {} of `{}` is over `{}` where it starts, and over `{}` here",
                        at + 1,
                        lhs.name,
                        self.model.dim_name(dim),
                        self.model.dim_name(*over)
                    );
                    self.error(lhs.name.span(), message);
                    return None;
                }
                Axis::Whole(_) => {}
                Axis::Element(affine, span) => {
                    self.along(affine.clone(), *span, dim, &lhs.name, at)?;
                }
            }
        }
        Some(())
    }

    /// Lowers the value of an equation, or of a start.
    fn equation(
        &mut self,
        open: Open,
        lhs: &syntax::Lhs,
        own: &[Axis],
        value: &syntax::Expr,
        text: &str,
        kind: impl FnOnce(Vec<Index>, Expr) -> StmtKind,
    ) -> Option<Stmt> {
        let opened = self.open_axes(own);
        let around = self.loops[..open.loops].iter().map(|&var| Index::Affine(Affine::term(Term::Var(var))));
        let all: Vec<Index> = around.chain(opened.index.iter().cloned()).collect();
        let once = self.once_an_iteration(&all, &lhs.name);
        let value = self.scalar(value);
        self.abandon_axes(&opened.vars);
        self.not_over_discretes(&lhs.name)?;
        once.then_some(())?;
        let stmt = Stmt { kind: kind(opened.index, value?), text: text.to_owned() };
        Some(close_axes(opened.vars, stmt, text))
    }
}

/// The statements that start a solution, or the equations; a loop with both is two loops.
fn part(body: &[syntax::Stmt], starts: bool) -> Vec<syntax::Stmt> {
    body.iter()
        .filter_map(|stmt| match stmt {
            syntax::Stmt::For { var, range, body } => {
                let inner = part(body, starts);
                // A loop of nothing belongs to the equations.
                let kept = !inner.is_empty() || (body.is_empty() && !starts);
                kept.then(|| syntax::Stmt::For { var: var.clone(), range: range.clone(), body: inner })
            }
            syntax::Stmt::Start { .. } => starts.then(|| stmt.clone()),
            _ => (!starts).then(|| stmt.clone()),
        })
        .collect()
}

/// Where a statement stands that has no place within a differential equation.
pub(super) fn foreign(stmt: &syntax::Stmt) -> Option<Span> {
    use syntax::Stmt;
    match stmt {
        Stmt::Let { lhs, .. } if lhs.index.is_empty() => None,
        Stmt::For { .. } | Stmt::Start { .. } | Stmt::Derivative { .. } => None,
        Stmt::Let { lhs, .. } | Stmt::Sample { lhs, .. } | Stmt::Param { lhs, .. } => Some(lhs.name.span()),
        Stmt::Split { call: value, .. } | Stmt::Factor { value } => Some(value.span),
        Stmt::Auto { word, .. } => Some(word.span()),
        Stmt::Sum { var, .. } | Stmt::Chain { var, .. } | Stmt::Ode { time: var, .. } => Some(var.span()),
    }
}
