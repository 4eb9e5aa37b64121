//! Latents of a location and a scale that depend on other latents: bodies that compute the two, so that a guide may be put on the standardized residual; and the
//! latents of a guide: bodies that compute the parameters of what they are drawn from.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::names;
use super::tape::Body;
use crate::catalogue::{Entry, Support};
use crate::ir::lower::entry as entry_of;
use crate::ir::substitute::{self, substitute};
use crate::ir::{
    Affine, Density, DimId, Distribution, Expr, ExprKind, Family, Index, Model, Places, SiteId, SiteKind, Stmt, StmtKind, Term,
    VarId, Vector, visit,
};
use crate::messages;

/// `site[index] ~ Family(.., location, scale)` inside loops, the two, or in a guide all parameters, in terms of latents and data alone.
#[derive(Debug)]
pub(crate) struct Centred {
    pub site: SiteId,
    /// The name of the family in the language.
    pub family: &'static str,
    pub index: Vec<Index>,
    pub loops: Vec<VarId>,
    /// The location and the scale, or all parameters.
    pub parameters: Vec<Parameter>,
    /// How many of the axes of the latent are those of a vector or a matrix that is drawn as a whole.
    pub event_rank: usize,
    /// What a latent of a guide is drawn from, unless it is normal on the unconstrained scale.
    pub drawn: Option<Drawn>,
}

/// What a latent of a guide is drawn from.
#[derive(Debug)]
pub(crate) enum Drawn {
    Number(Family),
    /// A vector or a matrix, or a category.
    Array(&'static Entry),
    /// Independent draws, sorted.
    Sorted(Family),
    /// A component that is chosen by weights, of one family or of those that are listed.
    Mixture(Family),
    Listed(Vec<Family>),
}

/// A parameter of what a latent is drawn from.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name in the language; of components that are listed, with the number of its component.
    pub word: String,
    pub value: Expr,
    /// The axes over which each number, vector or matrix has several of it.
    pub axes: Places,
}

impl Parameter {
    fn new(word: &str, value: Expr) -> Self {
        Parameter { word: word.to_owned(), value, axes: Places::new() }
    }

    /// A vector or a matrix over these axes.
    fn over(word: &str, operand: &Vector, axes: &[(VarId, DimId)], span: Span) -> Self {
        let places: Vec<Affine> = axes.iter().map(|&(var, _)| Affine::term(Term::Var(var))).collect();
        Parameter { axes: axes.to_vec(), ..Parameter::new(word, entry_of(operand, &places, span)) }
    }
}

/// The parameters of a family by their names.
fn named(family: &Family, params: &[Expr]) -> Vec<Parameter> {
    let words = family.parameters();
    let all = words.iter().zip(params).enumerate();
    let named = all.map(|(i, ((word, _), value))| {
        // Those of a distribution of the user's have no names here.
        let is_own = family.user().is_some_and(|(_, names)| i < names.len());
        let word = if is_own { format!("{word}_{i}") } else { (*word).to_owned() };
        Parameter::new(&word, value.clone())
    });
    named.collect()
}

impl Centred {
    /// The fields that hold the first rows of the location and the scale, or of each parameter.
    pub(crate) fn fields(&self, model: &Model) -> Vec<Ident> {
        let name = &model.sites[self.site].name;
        let words = self.parameters.iter().map(|parameter| &parameter.word);
        words.map(|word| format_ident!("__{}_of_{}", word, name, span = Span::mixed_site())).collect()
    }

    /// Their rows, of the number, vector or matrix at the index.
    pub(crate) fn rows(&self, model: &Model) -> Vec<TokenStream> {
        let row = |(field, parameter): (Ident, &Parameter)| {
            let places = parameter.axes.iter().map(|&(var, _)| Index::Affine(Affine::term(Term::Var(var))));
            let index: Vec<Index> = self.index.iter().cloned().chain(places).collect();
            let dims = &model.sites[self.site].dims;
            let outer = dims[..dims.len() - self.event_rank].iter().copied();
            let dims: Vec<DimId> = outer.chain(parameter.axes.iter().map(|&(_, dim)| dim)).collect();
            let at = names::flat(model, &index, &dims);
            if at.to_string() == "0" { quote!(self.#field) } else { quote!(self.#field + #at) }
        };
        self.fields(model).into_iter().zip(&self.parameters).map(row).collect()
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
    /// The definitions of quantities: each with its index.
    quantities: BTreeMap<SiteId, Vec<(&'m [Index], &'m Expr)>>,
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
                    self.quantities.entry(*site).or_default().push((index, value));
                }
                StmtKind::Sample { site, index, distribution, .. } => self.statement((*site, index), distribution),
                // What is drawn within a sum has a location for each of its values.
                StmtKind::Sum(_)
                | StmtKind::Ode(_)
                | StmtKind::Start { .. }
                | StmtKind::Derivative { .. }
                | StmtKind::Discrete(_)
                | StmtKind::Expected { .. }
                | StmtKind::Local { .. }
                | StmtKind::Param { .. }
                | StmtKind::Factor { .. }
                | StmtKind::Operation { .. } => {}
            }
        }
    }

    /// What a statement draws.
    fn statement(&mut self, (site, index): (SiteId, &[Index]), distribution: &Distribution) {
        let (span, is_guide) = (distribution.span, self.model.is_guide());
        let rank = self.model.sites[site].event_rank;
        match &distribution.density {
            Density::Univariate { family: Family::Catalogue(entry), params } if !is_guide || is_gaussian(entry) => {
                let on_the_line = entry.support == Support::Real || is_guide || (self.draws() && entry.rust == "LogNormal");
                let Some((location, scale)) = location_and_scale(entry, params).filter(|_| on_the_line) else { return };
                let both = [("location", location), ("scale", scale)].map(|(word, value)| Parameter::new(word, value.clone()));
                self.sample((site, index, 0), entry.name, both.into(), None);
            }
            Density::Univariate { family, params } if is_guide => {
                let drawn = Some(Drawn::Number(family.clone()));
                self.sample((site, index, 0), word(family), named(family, params), drawn);
            }
            Density::Multivariate { entry, parameters, places, .. } if is_guide => {
                let all = entry.parameters.iter().zip(parameters).zip(places);
                let all = all.map(|(((word, _), operand), places)| Parameter::over(word, operand, places, span)).collect();
                self.sample((site, index, rank), entry.name, all, Some(Drawn::Array(entry)));
            }
            Density::Ordered { family, params, .. } if is_guide => {
                self.sample((site, index, rank), "Ordered", named(family, params), Some(Drawn::Sorted(family.clone())));
            }
            Density::Mixture { weights, var, family, params } if is_guide => {
                let Some(over) = weights.last_dim(self.model) else { return };
                let axes = [(*var, over)];
                let weights = Parameter::over("weights", weights, &axes, span);
                let each = named(family, params).into_iter().map(|own| Parameter { axes: axes.to_vec(), ..own });
                let all = std::iter::once(weights).chain(each).collect();
                self.sample((site, index, 0), "Mixture", all, Some(Drawn::Mixture(family.clone())));
            }
            Density::Listed { weights, components, place: Some(place) } => {
                let mut all = vec![Parameter::over("weights", weights, &[*place], span)];
                for (k, (family, params)) in components.iter().enumerate() {
                    let own = named(family, params).into_iter();
                    all.extend(own.map(|own| Parameter { word: format!("{}_{k}", own.word), ..own }));
                }
                let families = components.iter().map(|(family, _)| family.clone()).collect();
                self.sample((site, index, 0), "Mixture", all, Some(Drawn::Listed(families)));
            }
            _ => {}
        }
    }

    fn sample(
        &mut self,
        (site, index, event_rank): (SiteId, &[Index], usize),
        family: &'static str,
        mut parameters: Vec<Parameter>,
        drawn: Option<Drawn>,
    ) {
        let known = &self.model.sites[site];
        let partly_given = self.model.args.iter().any(|arg| arg.missing && arg.name == known.name);
        if known.kind != SiteKind::Latent || partly_given {
            return;
        }
        if let [_, second, ..] = &known.pieces[..] {
            self.refused.push((second.span, messages::GUIDE_PARTS.to_owned()));
            return;
        }
        if let Err(span) = parameters.iter_mut().try_for_each(|parameter| self.inline(&mut parameter.value)) {
            self.refused.push((span, messages::GUIDE_OTHER_ROW.to_owned()));
            return;
        }
        let mut latents = Vec::new();
        for parameter in &parameters {
            visit::expressions(&parameter.value, &mut |e| {
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
            let (index, loops) = (index.to_vec(), self.loops.clone());
            self.found.push(Centred { site, family, index, loops, parameters, event_rank, drawn });
        }
    }

    /// What an element of a quantity is made of, and what stands there in the place of which bound names.
    fn definition(&self, site: SiteId, index: &[Index]) -> Option<(&'m Expr, substitute::Places)> {
        let all = self.quantities.get(&site)?;
        if let Some((_, value)) = all.iter().find(|(known, _)| *known == index) {
            return Some((value, substitute::Places::new()));
        }
        // One definition of all elements is that of any.
        let [(known, value)] = all[..] else { return None };
        let place = |(known, index): (&Index, &Index)| match (known, index) {
            (Index::Affine(known), Index::Affine(index)) => Some((known.as_var()?, index.clone())),
            _ => None,
        };
        let places: substitute::Places = known.iter().zip(index).map(place).collect::<Option<_>>()?;
        let whole = places.keys().all(|&var| !self.model.vars[var].range);
        (whole && places.len() == index.len()).then_some((value, places))
    }

    /// Replaces locals and quantities by what they are made of; where a quantity of another row is read if there is one.
    fn inline(&self, expr: &mut Expr) -> Result<(), Span> {
        match &mut expr.kind {
            ExprKind::Local(local) => {
                *expr = self.model.locals[*local].value.clone();
                self.inline(expr)
            }
            ExprKind::Site(site, index) if self.model.sites[*site].kind == SiteKind::Quantity => {
                let (value, places) = self.definition(*site, index).ok_or(expr.span)?;
                let mut value = value.clone();
                self.inline(&mut value)?;
                substitute(&mut value, &places);
                *expr = value;
                Ok(())
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
            | ExprKind::Component(..)
            | ExprKind::Indicator(_) => Ok(()),
        }
    }
}

/// The name of a family in the language.
fn word(family: &Family) -> &'static str {
    match family {
        Family::Catalogue(entry) => entry.name,
        Family::User(..) => "",
        Family::Wrapped(wrapper, _) => wrapper.word(),
    }
}

/// Whether it is normal on the unconstrained scale of its support.
fn is_gaussian(entry: &Entry) -> bool {
    matches!(entry.rust, "Normal" | "LogNormal" | "LogitNormal")
}

/// The parameters `loc` and `scale` of a distribution that has them.
fn location_and_scale<'e>(entry: &Entry, params: &'e [Expr]) -> Option<(&'e Expr, &'e Expr)> {
    let place = |word: &str| entry.parameters.iter().position(|(name, _)| *name == word);
    let (location, scale) = (place("loc")?, place("scale")?);
    Some((&params[location], &params[scale]))
}
