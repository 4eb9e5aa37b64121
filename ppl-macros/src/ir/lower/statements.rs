//! Statements: what is given is data, what is not is latent.

use proc_macro2::{Ident, Span};

use super::axes::{Axis, close_axes};
use super::discrete::expected;
use super::{Entity, Lowering};
use crate::ir::{DimId, Factor, Index, Local, SiteId, SiteKind, Stmt, StmtKind};
use crate::{messages, syntax};

impl Lowering<'_> {
    pub(super) fn statements(&mut self, body: &[syntax::Stmt]) -> Vec<Stmt> {
        let mut all = Vec::with_capacity(body.len());
        for stmt in body {
            match self.shares(stmt) {
                Some(parts) => all.extend(parts.iter().filter_map(|part| self.statement(part))),
                None => all.extend(self.statement(stmt)),
            }
        }
        all
    }

    pub(super) fn statement(&mut self, stmt: &syntax::Stmt) -> Option<Stmt> {
        let lowered = self.lowered(stmt);
        if lowered.is_none() && self.diagnostics.is_empty() {
            // Without the statement it would be another model.
            self.error(Span::call_site(), format!("`{stmt}` is lost"));
        }
        lowered
    }

    fn lowered(&mut self, stmt: &syntax::Stmt) -> Option<Stmt> {
        if self.open.is_some()
            && let Some(span) = super::ode::foreign(stmt)
        {
            self.error(span, messages::ODE_STATEMENT);
            return None;
        }
        let text = stmt.to_string();
        match stmt {
            syntax::Stmt::Sample { lhs, distribution, sampled } => self.sample(lhs, distribution, sampled.as_ref(), &text),
            syntax::Stmt::Let { lhs, value } => self.let_statement(lhs, value, text),
            syntax::Stmt::Param { lhs, support, start } => self.param(lhs, support, start, text.trim_end_matches(';')),
            syntax::Stmt::Split { names, .. } => {
                if let Some(name) = names.first() {
                    self.error(name.span(), messages::LET_TUPLE);
                }
                None
            }
            syntax::Stmt::Auto { word, .. } => {
                self.error(word.span(), messages::AUTO_IN_MODEL);
                None
            }
            syntax::Stmt::Factor { value, .. } => {
                let value = self.scalar(value);
                let over = std::mem::take(&mut self.over);
                let (value, factor) = (value?, self.factor(text.clone(), None));
                Some(expected(over, Stmt { kind: StmtKind::Factor { factor, value }, text }))
            }
            syntax::Stmt::Sum { var, range, distribution, body } => self.sum(var, range, distribution, body, text),
            syntax::Stmt::Chain { var, time, range, times, body } => self.chained((var, range), (time, times), body, text),
            syntax::Stmt::Ode { body, .. } => self.ode(stmt, body, text),
            syntax::Stmt::Start { lhs, value } => self.start(lhs, value, &text),
            syntax::Stmt::Derivative { lhs, value } => self.derivative(lhs, value, &text),
            syntax::Stmt::For { var, range, body } => {
                let written = range;
                let range = self.range(range);
                let known = self.names.len();
                let free = self.free(var);
                let (from, to, dim) = range.unwrap_or_default();
                let id = self.fresh_var(var.clone(), from, to, dim);
                self.model.vars[id].range = matches!(written, syntax::Range::Between { .. });
                if free {
                    self.names.push((var.clone(), Entity::Var(id)));
                }
                self.loops.push(id);
                let body = self.statements(body);
                self.loops.pop();
                self.leave(known);
                Some(Stmt { kind: StmtKind::For { var: id, body }, text })
            }
        }
    }

    /// Leaves a block: sites and quantities stay known after it; bound names and locals do not.
    pub(super) fn leave(&mut self, known: usize) {
        let inner = self.names.split_off(known);
        self.names.extend(inner.into_iter().filter(|(_, entity)| matches!(entity, Entity::Site(_) | Entity::Discrete(_))));
        self.close_definitions();
    }

    /// The term of the log joint that a statement is; in a sum, a part of the one of the sum.
    pub(super) fn factor(&mut self, text: String, site: Option<SiteId>) -> usize {
        if let Some(factor) = self.sum_factor() {
            let of_data = |site: &SiteId| matches!(self.model.sites[*site].kind, SiteKind::Observed(_));
            let known = &mut self.model.factors[factor].site;
            // Data tell what a row is about.
            if known.is_none() || (!known.as_ref().is_some_and(of_data) && site.as_ref().is_some_and(of_data)) {
                *known = site;
            }
            return factor;
        }
        self.model.factors.push(Factor { text, site, loops: self.loops.clone() });
        self.model.factors.len() - 1
    }

    fn sample(&mut self, lhs: &syntax::Lhs, distribution: &syntax::Expr, sampled: Option<&Ident>, text: &str) -> Option<Stmt> {
        self.may_be_sampled(lhs, distribution, sampled)?;
        let is_sampled = sampled.is_some() || self.drawn.contains(&lhs.name);
        let axes = self.axes(&lhs.index)?;
        let event_rank = super::distributions::event_rank(distribution);
        let (site, axes) = match self.lookup(&lhs.name) {
            Some(Entity::Arg(arg)) => self.observed(arg, lhs, axes, event_rank)?,
            Some(Entity::Site(site)) if self.model.sites[site].kind == SiteKind::Latent => match self.partly_given(site) {
                Some(_) if event_rank > 0 => {
                    let message = format!(
                        "the elements of `{}` are drawn together here, so that none of them can be missing alone; leave these rows out",
                        lhs.name
                    );
                    self.error(lhs.name.span(), message);
                    return None;
                }
                Some(arg) => self.observed(arg, lhs, axes, 0)?,
                None => (site, axes),
            },
            None | Some(Entity::Discrete(_)) if !is_sampled && super::discrete::is_discrete(distribution) => {
                return self.discrete(lhs, &axes, distribution, text);
            }
            None => (self.new_site(&lhs.name, SiteKind::Latent)?, axes),
            Some(Entity::Site(site)) if self.model.sites[site].kind == SiteKind::Parameter => {
                self.error(
                    lhs.name.span(),
                    format!(
                        "`{0}` is a parameter, which has no distribution; leave out `param {0}` to integrate over it",
                        lhs.name
                    ),
                );
                return None;
            }
            Some(_) => {
                self.error(
                    lhs.name.span(),
                    format!("`{}` already means something else; only data and new names stand left of `~`", lhs.name),
                );
                return None;
            }
        };
        let event = self.event(&axes, event_rank, &lhs.name)?;
        let plain = axes.len() - event_rank;
        let opened = self.open_axes(&axes[..plain]);
        let index: Vec<Index> = opened.index.clone();
        self.declare_piece(site, &axes, event_rank, lhs);
        let once = self.once_an_iteration(&index, &lhs.name);
        let already = self.definitions.insert(site, index.clone());
        let lowered = self.distribution(distribution, &lhs.name, &event);
        let over = std::mem::take(&mut self.over);
        self.definitions.remove(&site);
        if let Some(index) = already {
            self.definitions.insert(site, index);
        }
        let stmt = lowered.and_then(|lowered| {
            once.then_some(())?;
            if is_sampled {
                self.set_values(site, &lowered, &lhs.name)?;
            } else {
                self.check_value(site, &lowered, lhs, distribution.span)?;
                self.set_support(site, &lowered, distribution.span);
            }
            let differs = !self.summed.is_empty() || !over.is_empty();
            if differs && lowered.bounds.is_some() && self.model.sites[site].kind == SiteKind::Latent {
                self.error(distribution.span, messages::sum_bounds(&lhs.name));
                return None;
            }
            let factor = self.factor(text.trim_end_matches(';').to_owned(), Some(site));
            let kind = StmtKind::Sample { site, index, distribution: lowered.distribution, factor };
            Some(expected(over, Stmt { kind, text: text.to_owned() }))
        });
        self.abandon_axes(&opened.vars);
        Some(close_axes(opened.vars, stmt?, text))
    }

    /// The dimensions of the last axes, which are computed or drawn together.
    pub(super) fn event(&mut self, axes: &[Axis], rank: usize, name: &Ident) -> Option<Vec<DimId>> {
        let last = axes.iter().rev().take(rank).rev();
        let dims: Vec<DimId> = last.filter_map(|axis| if let Axis::Whole(dim) = axis { Some(*dim) } else { None }).collect();
        if dims.len() == rank {
            return Some(dims);
        }
        let (what, axes) = if rank == 1 { ("a vector", "axis with a dimension") } else { ("a matrix", "axes with dimensions") };
        let example = if rank == 1 { ".., K" } else { ".., K, K" };
        self.error(name.span(), format!("`{name}` is {what} here; name its {axes}: `{name}[{example}]`"));
        None
    }

    /// The element that an observed statement is about; axes that are left out are whole.
    fn observed(&mut self, arg: usize, lhs: &syntax::Lhs, mut axes: Vec<Axis>, event_rank: usize) -> Option<(SiteId, Vec<Axis>)> {
        let dims = self.model.args[arg].dims.clone();
        let name = self.model.args[arg].name.clone();
        if axes.len() + event_rank == dims.len() {
            axes.extend(dims[axes.len()..].iter().map(|&dim| Axis::Whole(dim)));
        }
        if axes.len() != dims.len() {
            self.error(
                lhs.name.span(),
                format!(
                    "`{name}` has {} axes, and {} indices were given; write `{}`",
                    dims.len(),
                    axes.len(),
                    self.example(&name, &dims)
                ),
            );
            return None;
        }
        for (axis, (given, &dim)) in axes.iter().zip(&dims).enumerate() {
            let (over, span) = match given {
                Axis::Whole(over) => (Some(*over), lhs.name.span()),
                Axis::Element(affine, span) => {
                    (affine.vars().find_map(|v| self.model.vars[v].dim.filter(|_| !self.model.vars[v].range)), *span)
                }
            };
            if over.is_some_and(|over| over != dim) {
                let message = format!(
                    "axis {} of `{name}` is over `{}`, but this index runs over `{}`",
                    axis + 1,
                    self.model.dim_name(dim),
                    self.model.dim_name(over?)
                );
                self.error(span, message);
                return None;
            }
        }
        let site = if let Some(site) = self.model.args[arg].site {
            site
        } else {
            let site = self.site_of(name, SiteKind::Observed(arg), dims);
            self.model.args[arg].site = Some(site);
            site
        };
        Some((site, axes))
    }

    fn example(&self, name: &Ident, dims: &[DimId]) -> String {
        if dims.is_empty() {
            return name.to_string();
        }
        let axes: Vec<String> = dims.iter().map(|&dim| self.model.dim_name(dim).to_lowercase()).collect();
        format!("{name}[{}]", axes.join(", "))
    }

    pub(super) fn new_site(&mut self, name: &Ident, kind: SiteKind) -> Option<SiteId> {
        if !self.free(name) {
            return None;
        }
        let site = self.site_of(name.clone(), kind, Vec::new());
        self.names.push((name.clone(), Entity::Site(site)));
        Some(site)
    }

    fn let_statement(&mut self, lhs: &syntax::Lhs, value: &syntax::Expr, text: String) -> Option<Stmt> {
        if lhs.index.is_empty() && !self.loops.is_empty() {
            let value = self.scalar(value);
            let over = std::mem::take(&mut self.over);
            let free = self.free(&lhs.name);
            if value.is_none() {
                self.failed.insert(lhs.name.to_string());
            }
            let value = value?;
            if !free {
                return None;
            }
            let support = crate::check::supports::infer(&self.model, &value);
            let local = self.model.locals.len();
            let data = self.is_data(&value);
            self.model.locals.push(Local { name: lhs.name.clone(), support, data, over, value: value.clone() });
            self.names.push((lhs.name.clone(), Entity::Local(local)));
            return Some(Stmt { kind: StmtKind::Local { local, value }, text });
        }
        if !self.summed.is_empty() {
            self.error(lhs.name.span(), messages::SUM_QUANTITY);
            return None;
        }
        let axes = self.axes(&lhs.index)?;
        if let Some((word, args)) = super::operations::called(value) {
            return self.operation(lhs, &axes, (word, args), &text);
        }
        let site = match self.lookup(&lhs.name) {
            Some(Entity::Site(site)) if self.model.sites[site].kind == SiteKind::Quantity => site,
            _ => self.new_site(&lhs.name, SiteKind::Quantity)?,
        };
        let opened = self.open_axes(&axes);
        self.declare_piece(site, &axes, 0, lhs);
        self.definitions.insert(site, opened.index.clone());
        let once = self.once_an_iteration(&opened.index, &lhs.name);
        let value = self.scalar(value);
        self.abandon_axes(&opened.vars);
        self.close_definitions();
        self.not_over_discretes(&lhs.name)?;
        once.then_some(())?;
        let stmt = Stmt { kind: StmtKind::Quantity { site, index: opened.index, value: value? }, text: text.clone() };
        Some(close_axes(opened.vars, stmt, &text))
    }
}
