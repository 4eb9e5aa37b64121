//! `k[n] ~ Categorical(w);`: discrete latents, over whose values every statement that reads them is an expectation.

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::axes::{Axis, close_axes};
use super::distributions::Lowered;
use super::{Entity, Lowering};
use crate::catalogue::{self, Support};
use crate::ir::{
    Affine, Density, Dim, DimId, Discrete, DiscreteBlock, DiscreteId, Distribution, Expr, ExprKind, Family, Index, Operator,
    SiteKind, Stmt, StmtKind, Term, ValueOf, Var, VarId, Wrapper,
};
use crate::messages;
use crate::syntax::{self, ExprKind as Surface};

/// Whether what stands right of `~` is a distribution of counts of the language.
pub(crate) fn is_discrete(expr: &syntax::Expr) -> bool {
    match &expr.kind {
        Surface::Paren(inner) => is_discrete(inner),
        Surface::Call { callee, args } => match &callee.kind {
            Surface::Name(word) if word == "Truncated" || word == "ZeroInflated" => {
                args.first().is_some_and(|inner| is_discrete(&inner.value))
            }
            Surface::Name(word) if word == "Mixture" => match args.get(1).map(|component| &component.value.kind) {
                Some(Surface::Reduce { body, .. }) => is_discrete(body),
                _ => args.get(1).is_some_and(|component| is_discrete(&component.value)),
            },
            Surface::Name(word) => {
                catalogue::entries(&word.to_string()).next().is_some_and(|entry| entry.discrete && entry.event_rank == 0)
            }
            _ => false,
        },
        _ => false,
    }
}

/// A statement as an expectation over the values of discrete latents that it reads, if there are any.
pub(super) fn expected(mut over: Vec<VarId>, stmt: Stmt) -> Stmt {
    over.sort_unstable();
    over.dedup();
    if over.is_empty() {
        return stmt;
    }
    let text = stmt.text.clone();
    Stmt { kind: StmtKind::Expected { over, body: vec![stmt] }, text }
}

impl Lowering<'_> {
    pub(super) fn discrete(&mut self, lhs: &syntax::Lhs, axes: &[Axis], distribution: &syntax::Expr, text: &str) -> Option<Stmt> {
        if self.model.guide.is_some() || self.model.row || !self.summed.is_empty() {
            let message = if self.model.guide.is_some() { messages::GUIDE_DISCRETE } else { messages::DISCRETE_HERE };
            self.error(lhs.name.span(), message);
            return None;
        }
        let opened = self.open_axes(axes);
        let once = self.once_an_iteration(&opened.index, &lhs.name);
        let lowered = self.distribution(distribution, &lhs.name, &[]);
        let over = std::mem::take(&mut self.over);
        let stmt = lowered.and_then(|Lowered { distribution: mut prior, support, .. }| {
            once.then_some(())?;
            if let Some(mask) = &prior.mask {
                self.error(mask.span, messages::SUM_MASK);
                return None;
            }
            let values = self.values(&lhs.name, &mut prior, support)?;
            let latent = self.declared_discrete(lhs, values, axes)?;
            let (index, span) = (opened.index.clone(), prior.span);
            let var = self.value(latent, index.clone());
            let factor = self.factor(text.trim_end_matches(';').to_owned(), None);
            let of = |kind: ExprKind| Expr { kind, span };
            let known = &self.model.discretes[latent];
            let [one, size] = [ExprKind::Number(1.0), ExprKind::Size(known.dim)].map(|kind| Box::new(of(kind)));
            let place = Index::Affine(Affine::term(Term::Var(var)).plus(&known.from, -1));
            let place = index.iter().cloned().chain([place]).collect();
            let start = of(ExprKind::Binary(Operator::Div, one, size));
            let block = DiscreteBlock { latent, index, var, prior, start, place, factor };
            Some(expected(over, Stmt { kind: StmtKind::Discrete(Box::new(block)), text: text.to_owned() }))
        });
        self.abandon_axes(&opened.vars);
        Some(close_axes(opened.vars, stmt?, text))
    }

    /// The values that a discrete latent may have: from, to, and the dimension of their probabilities.
    fn values(&mut self, name: &Ident, prior: &mut Distribution, support: Support) -> Option<(Affine, Affine, DimId)> {
        let zero = Affine::constant(0);
        if let Density::Multivariate { entry, parameters, axis, .. } = &mut prior.density
            && entry.name == "Categorical"
        {
            let dim = parameters.first().and_then(|weights| weights.last_dim(&self.model))?;
            if entry.rust == "CategoricalLogits" {
                *axis = Some(self.axis_var(dim));
            }
            return Some((zero, Affine::term(Term::Size(dim)), dim));
        }
        let ends = match &prior.density {
            Density::Univariate { .. } if support == Support::Binary => Some((zero, Affine::constant(2))),
            Density::Univariate { family, params } => ends(family, params),
            _ => None,
        };
        let Some((from, to)) = ends else {
            self.error(prior.span, messages::discrete_unbounded(name));
            return None;
        };
        let size = to.plus(&from, -1);
        let known = self.model.dims.iter().position(|dim| dim.values.as_ref() == Some(&size));
        let dim = known.unwrap_or_else(|| {
            let own = format_ident!("values_of_{}", name, span = name.span());
            self.model.dims.push(Dim { name: own, values: Some(size) });
            self.model.dims.len() - 1
        });
        Some((from, to, dim))
    }

    /// The latent, which is made where its name is new, with these elements.
    fn declared_discrete(
        &mut self,
        lhs: &syntax::Lhs,
        (from, to, dim): (Affine, Affine, DimId),
        axes: &[Axis],
    ) -> Option<DiscreteId> {
        let latent = if let Some(Entity::Discrete(latent)) = self.lookup(&lhs.name) {
            let known = &self.model.discretes[latent];
            if (&known.from, &known.to, known.dim) != (&from, &to, dim) {
                self.error(lhs.name.span(), messages::discrete_values(&lhs.name));
                return None;
            }
            latent
        } else {
            if !self.free(&lhs.name) {
                return None;
            }
            let site = self.site_of(lhs.name.clone(), SiteKind::Parameter, Vec::new());
            self.model.sites[site].support = Support::Simplex;
            let latent = self.model.discretes.len();
            self.model.discretes.push(Discrete { name: lhs.name.clone(), site, from, to, dim });
            self.names.push((lhs.name.clone(), Entity::Discrete(latent)));
            latent
        };
        let site = self.model.discretes[latent].site;
        let own = axes.iter().map(|axis| match axis {
            Axis::Element(affine, span) => Axis::Element(affine.clone(), *span),
            Axis::Whole(dim) => Axis::Whole(*dim),
        });
        self.declare_piece(site, &own.chain([Axis::Whole(dim)]).collect::<Vec<_>>(), 1, lhs);
        Some(latent)
    }

    /// The bound name of the value of an element: of the same element it is the same.
    fn value(&mut self, latent: DiscreteId, index: Vec<Index>) -> VarId {
        let value_of = Some(ValueOf::Discrete(latent, index));
        if let Some(var) = self.model.vars.iter().position(|var| var.value_of == value_of) {
            return var;
        }
        let of_latent = |var: &&Var| matches!(&var.value_of, Some(ValueOf::Discrete(known, _)) if *known == latent);
        let others = self.model.vars.iter().filter(of_latent).count();
        let Discrete { name, from, to, dim, .. } = &self.model.discretes[latent];
        let name = if others == 0 { name.clone() } else { format_ident!("__{}_{}", name, others + 1) };
        let (from, to, dim) = (from.clone(), to.clone(), *dim);
        let var = self.fresh_var(name, from, to, Some(dim));
        self.model.vars[var].value_of = value_of;
        var
    }

    /// Reads an element of a discrete latent: the bound name of its value.
    pub(super) fn discrete_value(
        &mut self,
        latent: DiscreteId,
        name: &Ident,
        index: &[syntax::Expr],
        span: Span,
    ) -> Option<VarId> {
        if !self.summed.is_empty() {
            self.error(span, messages::DISCRETE_IN_SUM);
            return None;
        }
        let site = self.model.discretes[latent].site;
        let dims = self.model.sites[site].dims.clone();
        let elements = &dims[..dims.len() - 1];
        let lowered = self.indices(name, index, elements)?;
        if lowered.len() < elements.len() {
            self.error(span, messages::discrete_whole(name));
            return None;
        }
        let var = self.value(latent, lowered);
        self.over.push(var);
        Some(var)
    }

    /// Refuses what has one value where the statement reads discrete latents.
    pub(super) fn not_over_discretes(&mut self, name: &Ident) -> Option<()> {
        if std::mem::take(&mut self.over).is_empty() {
            return Some(());
        }
        self.error(name.span(), messages::discrete_quantity(name));
        None
    }
}

/// The bounds of a distribution of counts that are numbers and sizes, the upper one left out.
pub(super) fn ends(family: &Family, params: &[Expr]) -> Option<(Affine, Affine)> {
    let one = Affine::constant(1);
    let (lower, upper) = match family {
        Family::Catalogue(entry) => {
            let bound = |bound| match bound {
                catalogue::Bound::Number(x) => whole(&ExprKind::Number(x)),
                catalogue::Bound::Parameter(place) => whole(&params.get(place)?.kind),
                catalogue::Bound::Infinite => None,
            };
            (bound(entry.bounds[0])?, bound(entry.bounds[1])?)
        }
        Family::Wrapped(Wrapper::ZeroInflated, inner) => return ends(inner, &params[..inner.parameters().len()]),
        Family::Wrapped(Wrapper::Truncated, inner) => {
            let own = inner.parameters().len();
            let lower = whole(&params[own].kind).unwrap_or_default();
            let upper = whole(&params[own + 1].kind).or_else(|| Some(ends(inner, &params[..own])?.1.plus(&one, -1)))?;
            (lower, upper)
        }
        Family::User(..) | Family::Wrapped(..) => return None,
    };
    let upper = upper.plus(&one, 1);
    // Values are counts, and there are some.
    match (lower.as_constant(), upper.as_constant()) {
        (Some(lower), _) if lower < 0 => None,
        (Some(lower), Some(upper)) if upper <= lower => None,
        _ => Some((lower, upper)),
    }
}

/// A whole number made of numbers and sizes.
fn whole(expr: &ExprKind) -> Option<Affine> {
    match expr {
        #[allow(clippy::cast_possible_truncation, reason = "a whole number below 1e6 is exact")]
        ExprKind::Number(x) if x.fract() == 0.0 && x.abs() < 1e6 => Some(Affine::constant(*x as i64)),
        ExprKind::Size(dim) => Some(Affine::term(Term::Size(*dim))),
        ExprKind::Neg(inner) => Some(Affine::default().plus(&whole(&inner.kind)?, -1)),
        ExprKind::Binary(Operator::Add, a, b) => Some(whole(&a.kind)?.plus(&whole(&b.kind)?, 1)),
        ExprKind::Binary(Operator::Sub, a, b) => Some(whole(&a.kind)?.plus(&whole(&b.kind)?, -1)),
        _ => None,
    }
}
