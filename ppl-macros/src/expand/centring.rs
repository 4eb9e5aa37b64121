//! Latents of a location and a scale that depend on other latents: bodies that compute the two, so that a guide may be put on the standardized residual.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::names;
use super::tape::Body;
use crate::catalogue::Entry;
use crate::ir::{Density, Expr, ExprKind, Family, Index, Model, SiteId, SiteKind, Stmt, StmtKind, VarId, visit};

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

    /// A body of its own, without statements.
    pub(crate) fn body(&self, model: &Model) -> Body<'static> {
        Body { stmts: Vec::new(), plate: self.loops.first().copied().filter(|&var| !model.vars[var].implicit) }
    }
}

/// All of them, in the order of the model.
pub(crate) fn centred(model: &Model) -> Vec<Centred> {
    let mut search = Search { model, quantities: BTreeMap::new(), loops: Vec::new(), found: Vec::new() };
    search.body(&model.body);
    search.found
}

struct Search<'m> {
    model: &'m Model,
    /// The definitions of quantities by site and index.
    quantities: BTreeMap<(SiteId, String), &'m Expr>,
    loops: Vec<VarId>,
    found: Vec<Centred>,
}

impl<'m> Search<'m> {
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
                        && let Some(place) = location_and_scale(entry, params)
                    {
                        self.sample(*site, index, entry.name, place);
                    }
                }
                StmtKind::Local { .. } | StmtKind::Param { .. } | StmtKind::Factor { .. } => {}
            }
        }
    }

    fn sample(&mut self, site: SiteId, index: &[Index], family: &'static str, (location, scale): (&Expr, &Expr)) {
        let known = &self.model.sites[site];
        let partly_given = self.model.args.iter().any(|arg| arg.missing && arg.name == known.name);
        if known.kind != SiteKind::Latent || known.pieces.len() != 1 || partly_given {
            return;
        }
        let (mut location, mut scale) = (location.clone(), scale.clone());
        if !(self.inline(&mut location) && self.inline(&mut scale)) {
            return;
        }
        let mut latents = Vec::new();
        for expr in [&location, &scale] {
            visit::expressions(expr, &mut |e| {
                if let ExprKind::Site(read, _) = e.kind
                    && self.model.sites[read].kind == SiteKind::Latent
                {
                    latents.push(read);
                }
            });
        }
        // A guide of a row is drawn from through the location and the scale of every latent.
        if (self.model.row || !latents.is_empty()) && !latents.contains(&site) {
            self.found.push(Centred { site, family, index: index.to_vec(), loops: self.loops.clone(), location, scale });
        }
    }

    /// Replaces locals and quantities by what they are made of; false if a quantity is of another row.
    fn inline(&self, expr: &mut Expr) -> bool {
        match &mut expr.kind {
            ExprKind::Local(local) => {
                *expr = self.model.locals[*local].value.clone();
                self.inline(expr)
            }
            ExprKind::Site(site, index) if self.model.sites[*site].kind == SiteKind::Quantity => {
                let Some(value) = self.quantities.get(&(*site, format!("{index:?}"))) else { return false };
                *expr = (*value).clone();
                self.inline(expr)
            }
            ExprKind::Reduce { body, product, .. } => {
                *product = false;
                self.inline(body)
            }
            ExprKind::Binary(_, left, right) => self.inline(left) && self.inline(right),
            ExprKind::If(_, then, otherwise) => self.inline(then) && self.inline(otherwise),
            ExprKind::Neg(inner) | ExprKind::Powi(inner, _) | ExprKind::Assert(_, inner) => self.inline(inner),
            ExprKind::Function(_, args) | ExprKind::User(_, args) => args.iter_mut().all(|arg| self.inline(arg)),
            ExprKind::LogProb(_, params, value) => params.iter_mut().all(|param| self.inline(param)) && self.inline(value),
            ExprKind::Number(_)
            | ExprKind::Size(_)
            | ExprKind::Var(_)
            | ExprKind::Data(..)
            | ExprKind::Site(..)
            | ExprKind::Indicator(_) => true,
        }
    }
}

/// The parameters `loc` and `scale` of a distribution on the whole real line.
fn location_and_scale<'e>(entry: &Entry, params: &'e [Expr]) -> Option<(&'e Expr, &'e Expr)> {
    let place = |word: &str| entry.parameters.iter().position(|(name, _)| *name == word);
    let (location, scale) = (place("loc")?, place("scale")?);
    (entry.support == crate::catalogue::Support::Real).then(|| (&params[location], &params[scale]))
}
