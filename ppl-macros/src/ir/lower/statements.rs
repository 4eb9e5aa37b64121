//! Statements: what is given is data, what is not is latent.

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::distributions::Lowered;
use super::{Entity, Lowering};
use crate::catalogue::Support;
use crate::ir::{
    Affine, ArgKind, Bounds, Density, DimId, Factor, Family, Index, Local, Piece, SiteId, SiteKind, Stmt, StmtKind, Term, VarId,
};
use crate::syntax::{self, ExprKind};

/// An index left of `~` or `let`.
pub(super) enum Axis {
    /// One element.
    Element(Affine, Span),
    /// The whole axis.
    Whole(DimId),
}

impl Lowering<'_> {
    pub(super) fn statements(&mut self, body: &[syntax::Stmt]) -> Vec<Stmt> {
        body.iter().filter_map(|stmt| self.statement(stmt)).collect()
    }

    fn statement(&mut self, stmt: &syntax::Stmt) -> Option<Stmt> {
        let text = stmt.to_string();
        match stmt {
            syntax::Stmt::Sample { lhs, distribution, .. } => self.sample(lhs, distribution, &text),
            syntax::Stmt::Let { lhs, value } => self.let_statement(lhs, value, text),
            syntax::Stmt::Param { lhs, support, start } => self.param(lhs, support, start, text.trim_end_matches(';')),
            syntax::Stmt::Factor { value, .. } => {
                let value = self.scalar(value)?;
                let factor = self.factor(text.clone(), None);
                Some(Stmt { kind: StmtKind::Factor { factor, value }, text })
            }
            syntax::Stmt::For { var, range, body, .. } => {
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
                // Sites and quantities stay known after the loop; bound names and locals do not.
                let inner = self.names.split_off(known);
                self.names.extend(inner.into_iter().filter(|(_, entity)| matches!(entity, Entity::Site(_))));
                self.close_definitions();
                Some(Stmt { kind: StmtKind::For { var: id, body }, text })
            }
        }
    }

    fn factor(&mut self, text: String, site: Option<SiteId>) -> usize {
        self.model.factors.push(Factor { text, site, loops: self.loops.clone() });
        self.model.factors.len() - 1
    }

    fn sample(&mut self, lhs: &syntax::Lhs, distribution: &syntax::Expr, text: &str) -> Option<Stmt> {
        let axes = self.axes(&lhs.index)?;
        let vector_event = super::distributions::is_vector_event(distribution);
        let (site, axes) = match self.lookup(&lhs.name) {
            Some(Entity::Arg(arg)) => self.observed(arg, lhs, axes, vector_event)?,
            Some(Entity::Site(site)) if self.model.sites[site].kind == SiteKind::Latent => match self.partly_given(site) {
                Some(_) if vector_event => {
                    let message = format!(
                        "the elements of `{}` are drawn together here, so that none of them can be missing alone; leave these rows out",
                        lhs.name
                    );
                    self.error(lhs.name.span(), message);
                    return None;
                }
                Some(arg) => self.observed(arg, lhs, axes, false)?,
                None => (site, axes),
            },
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
        let event = if vector_event {
            if let Some(Axis::Whole(_)) = axes.last() {
                true
            } else {
                self.error(
                    lhs.name.span(),
                    format!("`{}` is a vector here; name its axis with a dimension: `{}[.., K]`", lhs.name, lhs.name),
                );
                return None;
            }
        } else {
            false
        };
        let plain = axes.len() - usize::from(event);
        let opened = self.open_axes(&axes[..plain]);
        let index: Vec<Index> = opened.index.clone();
        self.declare_piece(site, &axes, event, lhs);
        let once = self.once_an_iteration(&index, &lhs.name);
        let already = self.definitions.insert(site, index.clone());
        let event_dim = match axes.last() {
            Some(Axis::Whole(dim)) if event => Some(*dim),
            _ => None,
        };
        let lowered = self.distribution(distribution, &lhs.name, event_dim);
        self.definitions.remove(&site);
        if let Some(index) = already {
            self.definitions.insert(site, index);
        }
        let stmt = lowered.and_then(|lowered| {
            once.then_some(())?;
            self.check_value(site, &lowered, lhs, distribution.span)?;
            self.set_support(site, &lowered, distribution.span);
            let factor = self.factor(text.trim_end_matches(';').to_owned(), Some(site));
            Some(Stmt {
                kind: StmtKind::Sample { site, index, distribution: lowered.distribution, factor },
                text: text.to_owned(),
            })
        });
        self.abandon_axes(&opened.vars);
        Some(close_axes(opened.vars, stmt?, text))
    }

    /// The element that an observed statement is about; axes that are left out are whole.
    fn observed(
        &mut self,
        arg: usize,
        lhs: &syntax::Lhs,
        mut axes: Vec<Axis>,
        vector_event: bool,
    ) -> Option<(SiteId, Vec<Axis>)> {
        let dims = self.model.args[arg].dims.clone();
        let name = self.model.args[arg].name.clone();
        if vector_event && axes.len() + 1 == dims.len() {
            axes.push(Axis::Whole(dims[axes.len()]));
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

    pub(super) fn axes(&mut self, index: &[syntax::Expr]) -> Option<Vec<Axis>> {
        let lowered: Vec<Option<Axis>> = index
            .iter()
            .map(|expr| {
                if let ExprKind::Name(name) = &expr.kind
                    && let Some(Entity::Dim(dim)) = self.lookup(name)
                {
                    return Some(Axis::Whole(dim));
                }
                let affine = self.affine(expr)?;
                if affine.as_var().is_none() && affine.as_constant().is_none() && affine.vars().next().is_some() {
                    self.error(expr.span, "left of `~` an index is a bound name, a whole number or a dimension; shift the range of the loop instead");
                    return None;
                }
                Some(Axis::Element(affine, expr.span))
            })
            .collect();
        lowered.into_iter().collect()
    }

    /// Opens an implicit loop for each whole axis.
    pub(super) fn open_axes(&mut self, axes: &[Axis]) -> Opened {
        let mut opened = Opened { index: Vec::new(), vars: Vec::new() };
        for axis in axes {
            match axis {
                Axis::Element(affine, _) => opened.index.push(Index::Affine(affine.clone())),
                Axis::Whole(dim) => {
                    let var = self.axis_var(*dim);
                    opened.index.push(Index::Affine(Affine::term(Term::Var(var))));
                    self.loops.push(var);
                    self.ambient.push(var);
                    opened.vars.push(var);
                }
            }
        }
        opened
    }

    /// The index variable of a whole axis.
    pub(super) fn axis_var(&mut self, dim: DimId) -> VarId {
        let name = self.model.dims[dim].name.clone();
        let lower = format_ident!("{}_", name.to_string().to_lowercase(), span = name.span());
        let var = self.fresh_var(lower, Affine::constant(0), Affine::term(Term::Size(dim)), Some(dim));
        self.model.vars[var].implicit = true;
        var
    }

    /// Forgets how quantities are indexed once no loop around their definition is open.
    fn close_definitions(&mut self) {
        let loops = &self.loops;
        self.definitions.retain(|_, index| {
            let mut open = false;
            for i in index {
                i.for_each_var(&mut |var| open |= loops.contains(&var));
            }
            open
        });
    }

    pub(super) fn abandon_axes(&mut self, vars: &[VarId]) {
        self.loops.retain(|var| !vars.contains(var));
        self.ambient.retain(|var| !vars.contains(var));
    }

    /// Notes what a statement declares of a site, and gives a new latent its dimensions.
    pub(super) fn declare_piece(&mut self, site: SiteId, axes: &[Axis], event: bool, lhs: &syntax::Lhs) {
        let mut ranges = Vec::new();
        let mut dims = Vec::new();
        for axis in axes {
            match axis {
                Axis::Whole(dim) => {
                    ranges.push((Affine::constant(0), Affine::term(Term::Size(*dim))));
                    dims.push(Some(*dim));
                }
                Axis::Element(affine, _) => {
                    if let Some(var) = affine.as_var() {
                        let var = &self.model.vars[var];
                        ranges.push((var.from.clone(), var.to.clone()));
                        dims.push(var.dim);
                    } else {
                        ranges.push((affine.clone(), affine.plus(&Affine::constant(1), 1)));
                        dims.push(None);
                    }
                }
            }
        }
        let first = self.model.sites[site].pieces.is_empty();
        self.model.sites[site].pieces.push(Piece { axes: ranges, span: lhs.name.span() });
        if matches!(self.model.sites[site].kind, SiteKind::Observed(_)) || self.partly_given(site).is_some() {
            return;
        }
        if first {
            self.model.sites[site].event_rank = usize::from(event);
            // A piece that is one element gets its dimension from a later piece.
            self.model.sites[site].dims = dims.iter().map(|dim| dim.unwrap_or(usize::MAX)).collect();
        } else {
            if dims.len() != self.model.sites[site].dims.len() {
                let expected = self.model.sites[site].dims.len();
                self.error(
                    lhs.name.span(),
                    format!("`{}` was declared with {expected} axes before, and has {} here", lhs.name, dims.len()),
                );
                return;
            }
            for (axis, dim) in dims.into_iter().enumerate() {
                let known = self.model.sites[site].dims[axis];
                match dim {
                    Some(dim) if known == usize::MAX => self.model.sites[site].dims[axis] = dim,
                    Some(dim) if known != dim && self.follows(site, axis, known) => self.model.sites[site].dims[axis] = dim,
                    Some(dim) if known != dim && !self.precedes(site, axis) => {
                        let message = format!(
                            "axis {} of `{}` was declared over `{}` before, and runs over `{}` here",
                            axis + 1,
                            lhs.name,
                            self.model.dim_name(known),
                            self.model.dim_name(dim)
                        );
                        self.error(lhs.name.span(), message);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether the latest piece of a site begins where dimension `known` ends.
    fn follows(&self, site: SiteId, axis: usize, known: DimId) -> bool {
        let pieces = &self.model.sites[site].pieces;
        pieces.last().is_some_and(|piece| piece.axes[axis].0 == Affine::term(Term::Size(known)))
    }

    /// Whether the latest piece of a site ends where an earlier one begins.
    fn precedes(&self, site: SiteId, axis: usize) -> bool {
        let Some((latest, earlier)) = self.model.sites[site].pieces.split_last() else { return false };
        earlier.iter().any(|piece| piece.axes[axis].0 == latest.axes[axis].1)
    }

    /// Whether the kind of observed data fits the distribution, and whether a latent can have it.
    fn check_value(&mut self, site: SiteId, lowered: &Lowered, lhs: &syntax::Lhs, span: Span) -> Option<()> {
        let word = &lowered.word;
        match self.model.sites[site].kind {
            SiteKind::Observed(arg) => {
                let (kind, name) = (self.model.args[arg].kind, lhs.name.clone());
                let message = match (lowered.discrete, kind) {
                    (Some(true), ArgKind::F64 | ArgKind::F32) if lowered.support != Support::Binary => {
                        format!("`{name}` holds real numbers, but `{word}` is over whole numbers; declare it as `u64`")
                    }
                    (Some(false), ArgKind::U64 | ArgKind::Bool | ArgKind::Index(_)) => {
                        format!("`{name}` holds whole numbers, but `{word}` is over real numbers; declare it as `f64`")
                    }
                    (Some(true), ArgKind::Index(_)) if lowered.support != Support::CountUpTo => {
                        format!("`{name}` holds indices, but `{word}` is over counts; declare it as `u64`")
                    }
                    _ => return Some(()),
                };
                self.error(lhs.name.span(), message);
                None
            }
            SiteKind::Latent if lowered.discrete == Some(true) => {
                self.error(span, format!("`{}` would be a discrete latent, which has no gradient; observe it, or sum it out with `factor(log_sum_exp(..))`", lhs.name));
                None
            }
            _ => Some(()),
        }
    }

    fn set_support(&mut self, site: SiteId, lowered: &Lowered, span: Span) {
        let entry = &mut self.model.sites[site];
        if entry.pieces.len() > 1 && entry.kind == SiteKind::Latent && entry.support != lowered.support {
            self.different_supports(site, span);
            return;
        }
        if entry.kind == SiteKind::Latent
            && let Density::Univariate { family: Family::User(path, _), .. } = &lowered.distribution.density
        {
            entry.own_support = Some(path.clone());
        }
        entry.support = lowered.support;
        entry.bounds.clone_from(&lowered.bounds);
        if let Some(bounds) = &lowered.bounds {
            self.bounds_of_data(bounds);
        }
    }

    /// Whether every loop around the statement says which element it is about; if not, says so.
    pub(super) fn once_an_iteration(&mut self, index: &[Index], name: &Ident) -> bool {
        let mut used = Vec::new();
        index.iter().for_each(|i| i.for_each_var(&mut |var| used.push(var)));
        let Some(&var) = self.loops.iter().find(|var| !used.contains(var)) else { return true };
        let bound = self.model.vars[var].name.clone();
        self.error(
            name.span(),
            format!("`{name}` is the same for each `{bound}`; move its statement before the loop, or index it with `{bound}`"),
        );
        false
    }

    pub(super) fn different_supports(&mut self, site: SiteId, span: Span) {
        let name = self.model.sites[site].name.clone();
        self.error(span, format!("the statements of `{name}` give it different supports; all its elements share one"));
    }

    /// Whether bounds are made of data; if not, says so.
    pub(super) fn bounds_of_data(&mut self, bounds: &Bounds) -> bool {
        let mut of_data = true;
        for bound in [&bounds.lower, &bounds.upper].into_iter().flatten() {
            if !self.is_data(bound) {
                of_data = false;
                self.error(
                    bound.span,
                    "a bound is made of data and numbers; bounds that depend on latents or parameters are not available yet",
                );
            }
        }
        of_data
    }

    fn let_statement(&mut self, lhs: &syntax::Lhs, value: &syntax::Expr, text: String) -> Option<Stmt> {
        if lhs.index.is_empty() && !self.loops.is_empty() {
            let value = self.scalar(value);
            let free = self.free(&lhs.name);
            let value = value?;
            if !free {
                return None;
            }
            let support = crate::check::supports::infer(&self.model, &value);
            let local = self.model.locals.len();
            let data = self.is_data(&value);
            self.model.locals.push(Local { name: lhs.name.clone(), support, data, value: value.clone() });
            self.names.push((lhs.name.clone(), Entity::Local(local)));
            return Some(Stmt { kind: StmtKind::Local { local, value }, text });
        }
        let axes = self.axes(&lhs.index)?;
        let site = match self.lookup(&lhs.name) {
            Some(Entity::Site(site)) if self.model.sites[site].kind == SiteKind::Quantity => site,
            _ => self.new_site(&lhs.name, SiteKind::Quantity)?,
        };
        let opened = self.open_axes(&axes);
        self.declare_piece(site, &axes, false, lhs);
        self.definitions.insert(site, opened.index.clone());
        let once = self.once_an_iteration(&opened.index, &lhs.name);
        let value = self.scalar_outside(value, site);
        self.abandon_axes(&opened.vars);
        self.close_definitions();
        once.then_some(())?;
        let stmt = Stmt { kind: StmtKind::Quantity { site, index: opened.index, value: value? }, text: text.clone() };
        Some(close_axes(opened.vars, stmt, &text))
    }

    /// The value of a quantity, which may not read itself.
    fn scalar_outside(&mut self, value: &syntax::Expr, site: SiteId) -> Option<crate::ir::Expr> {
        let value = self.scalar(value)?;
        let mut own = None;
        crate::ir::visit::expressions(&value, &mut |expr| {
            if matches!(&expr.kind, crate::ir::ExprKind::Site(read, _) if *read == site) {
                own = Some(expr.span);
            }
        });
        if let Some(span) = own {
            let name = self.model.sites[site].name.clone();
            self.error(
                span,
                format!(
                    "`{name}` is computed from itself; recursions of `let` are not available yet, write it as a latent with `~`"
                ),
            );
            return None;
        }
        Some(value)
    }
}

/// Puts implicit loops around a statement.
pub(super) fn close_axes(vars: Vec<VarId>, mut stmt: Stmt, text: &str) -> Stmt {
    for var in vars.into_iter().rev() {
        stmt = Stmt { kind: StmtKind::For { var, body: vec![stmt] }, text: text.to_owned() };
    }
    stmt
}

/// Implicit loops, and the index that they give.
pub(super) struct Opened {
    pub(super) index: Vec<Index>,
    pub(super) vars: Vec<VarId>,
}
