//! Latents of a location and a scale that depend on other latents: bodies that compute the two, so that a guide may be put on the standardized residual.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::names;
use super::tape::Body;
use crate::catalogue::Entry;
use crate::ir::{Density, Expr, ExprKind, Family, Index, Model, SiteId, SiteKind, Stmt, StmtKind, VarId, visit};
use crate::messages;

/// `site[index] ~ Family(.., location, scale)` inside loops, the two in terms of latents and data alone.
#[derive(Debug)]
pub(crate) struct Centred {
    pub site: SiteId,
    /// The name of the family in the language.
    pub family: &'static str,
    pub index: Vec<Index>,
    pub loops: Vec<VarId>,
    pub location: Expr,
    pub scale: Expr,
}

impl Centred {
    /// The fields that hold the first rows of the location and the scale.
    pub(crate) fn fields(&self, model: &Model) -> [Ident; 2] {
        ["location", "scale"]
            .map(|word| format_ident!("__{}_of_{}", word, model.sites[self.site].name, span = Span::mixed_site()))
    }

    /// The rows of the location and the scale of the element at the index.
    pub(crate) fn rows(&self, model: &Model) -> [TokenStream; 2] {
        let at = names::flat(model, &self.index, &model.sites[self.site].dims);
        self.fields(model).map(|field| if at.to_string() == "0" { quote!(self.#field) } else { quote!(self.#field + #at) })
    }

    /// What its body is for: the statement of a guide, which is drawn through it.
    pub(crate) fn doc(&self, model: &Model) -> Vec<String> {
        let name = &model.sites[self.site].name;
        let statement = model.factors.iter().find(|factor| factor.site == Some(self.site));
        match (statement, &model.guide) {
            (Some(statement), Some(_)) => vec![format!(" {};", statement.text.trim_end_matches(';'))],
            _ => vec![format!(" The location and the scale of `{name}`, for its standardized residual.")],
        }
    }

    /// A body of its own, without statements.
    pub(crate) fn body(&self, model: &Model) -> Body<'static> {
        Body { stmts: Vec::new(), plate: self.loops.first().copied().filter(|&var| !model.vars[var].implicit) }
    }
}

/// All of them, in the order of the model.
pub(crate) fn centred(model: &Model) -> Vec<Centred> {
    Search::of(model).found
}

/// Why latents of a guide have no location and scale that can be computed before they are drawn, where that is read.
pub(crate) fn refused(model: &Model) -> Vec<(Span, String)> {
    Search::of(model).refused
}

struct Search<'m> {
    model: &'m Model,
    /// The definitions of quantities by site and index.
    quantities: BTreeMap<(SiteId, String), &'m Expr>,
    loops: Vec<VarId>,
    found: Vec<Centred>,
    refused: Vec<(Span, String)>,
}

impl<'m> Search<'m> {
    fn of(model: &'m Model) -> Self {
        let mut search = Search { model, quantities: BTreeMap::new(), loops: Vec::new(), found: Vec::new(), refused: Vec::new() };
        search.body(&model.body);
        search
    }

    /// Whether each latent is drawn through its location and scale: in a guide.
    fn draws(&self) -> bool {
        self.model.row || self.model.guide.is_some()
    }

    fn body(&mut self, body: &'m [Stmt]) {
        for stmt in body {
            match &stmt.kind {
                StmtKind::For { var, body } => {
                    self.loops.push(*var);
                    self.body(body);
                    self.loops.pop();
                }
                StmtKind::Quantity { site, index, value } => {
                    self.quantities.insert((*site, format!("{index:?}")), value);
                }
                StmtKind::Sample { site, index, distribution, .. } => {
                    if let Density::Univariate { family, params } = &distribution.density
                        && let Family::Catalogue(entry) = family
                        && let Some(place) = location_and_scale(entry, params, self.draws())
                    {
                        self.sample(*site, index, entry.name, place);
                    }
                }
                StmtKind::Local { .. } | StmtKind::Param { .. } | StmtKind::Factor { .. } | StmtKind::Operation { .. } => {}
            }
        }
    }

    fn sample(&mut self, site: SiteId, index: &[Index], family: &'static str, (location, scale): (&Expr, &Expr)) {
        let known = &self.model.sites[site];
        let partly_given = self.model.args.iter().any(|arg| arg.missing && arg.name == known.name);
        if known.kind != SiteKind::Latent || partly_given {
            return;
        }
        if let [_, second, ..] = &known.pieces[..] {
            self.refused.push((second.span, messages::GUIDE_PARTS.to_owned()));
            return;
        }
        let (mut location, mut scale) = (location.clone(), scale.clone());
        if let Err(span) = self.inline(&mut location).and_then(|()| self.inline(&mut scale)) {
            self.refused.push((span, messages::GUIDE_OTHER_ROW.to_owned()));
            return;
        }
        let mut latents = Vec::new();
        for expr in [&location, &scale] {
            visit::expressions(expr, &mut |e| {
                if let ExprKind::Site(read, _) = e.kind
                    && self.model.sites[read].kind == SiteKind::Latent
                {
                    latents.push((read, e.span));
                }
            });
        }
        if let Some((_, span)) = latents.iter().find(|(read, _)| *read == site) {
            self.refused.push((*span, messages::GUIDE_ITSELF.to_owned()));
        } else if self.draws() || !latents.is_empty() {
            self.found.push(Centred { site, family, index: index.to_vec(), loops: self.loops.clone(), location, scale });
        }
    }

    /// Replaces locals and quantities by what they are made of; where a quantity of another row is read if there is one.
    fn inline(&self, expr: &mut Expr) -> Result<(), Span> {
        match &mut expr.kind {
            ExprKind::Local(local) => {
                *expr = self.model.locals[*local].value.clone();
                self.inline(expr)
            }
            ExprKind::Site(site, index) if self.model.sites[*site].kind == SiteKind::Quantity => {
                let value = self.quantities.get(&(*site, format!("{index:?}"))).ok_or(expr.span)?;
                *expr = (*value).clone();
                self.inline(expr)
            }
            ExprKind::Reduce { body, product, .. } => {
                *product = false;
                self.inline(body)
            }
            ExprKind::Binary(_, left, right) | ExprKind::If(_, left, right) => {
                self.inline(left)?;
                self.inline(right)
            }
            ExprKind::Neg(inner) | ExprKind::Powi(inner, _) | ExprKind::Assert(_, inner) => self.inline(inner),
            ExprKind::Function(_, args) | ExprKind::User(_, args) => args.iter_mut().try_for_each(|arg| self.inline(arg)),
            ExprKind::LogProb(_, params, value) => {
                params.iter_mut().try_for_each(|param| self.inline(param))?;
                self.inline(value)
            }
            ExprKind::Number(_)
            | ExprKind::Size(_)
            | ExprKind::Var(_)
            | ExprKind::Data(..)
            | ExprKind::Site(..)
            | ExprKind::Indicator(_) => Ok(()),
        }
    }
}

/// The parameters `loc` and `scale` of a distribution on the whole real line; with `logs`, also of one whose logarithms are.
fn location_and_scale<'e>(entry: &Entry, params: &'e [Expr], logs: bool) -> Option<(&'e Expr, &'e Expr)> {
    let place = |word: &str| entry.parameters.iter().position(|(name, _)| *name == word);
    let (location, scale) = (place("loc")?, place("scale")?);
    let on_the_line = entry.support == crate::catalogue::Support::Real || (logs && entry.rust == "LogNormal");
    on_the_line.then(|| (&params[location], &params[scale]))
}
