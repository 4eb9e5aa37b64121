//! Discrete latents of rows: `k[n, L] ~ Categorical(w)`, which the engine draws from the guide and which are data to the statements of a row.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::lift::{Kind, Lift};
use super::{Operand, Rows};
use crate::diagnostics::Diagnostics;
use crate::ir::lower::is_discrete;
use crate::messages;
use crate::syntax::{Argument, ArgumentType, CallArg, Element, ElementKind, Expr, ExprKind, Lhs};

/// A discrete latent of a row.
#[derive(Debug)]
pub(crate) struct Discrete {
    pub name: Ident,
    /// The distribution as written.
    family: String,
    axes: Vec<Ident>,
    /// What a value is: an index, one of two, or a count.
    element: Element,
    /// The array that holds the logits of its distribution, if that is all that its distribution is made of.
    logits: Option<Ident>,
    /// Whether a statement reads its value.
    pub(super) is_read: bool,
}

impl Discrete {
    /// The dimension that its values are indices into.
    pub(super) fn categories(&self) -> Option<&Ident> {
        match &self.element.kind {
            ElementKind::Index(dim) => Some(dim),
            _ => None,
        }
    }

    /// The axes of its logits, of which one that is no index has one.
    pub(super) fn of_logits(&self) -> Vec<Ident> {
        self.axes.iter().chain(self.categories()).cloned().collect()
    }

    /// The same in a guide that has these logits for it alone.
    pub(super) fn guided_by(&self, logits: &Ident) -> Self {
        let (name, family, axes, element) = (self.name.clone(), self.family.clone(), self.axes.clone(), self.element.clone());
        Discrete { name, family, axes, element, logits: Some(logits.clone()), is_read: false }
    }

    /// Whether its values have no bounds.
    pub(crate) fn is_count(&self) -> bool {
        matches!(self.element.kind, ElementKind::U64)
    }

    /// Data of the row, to its statements.
    pub(super) fn argument(&self) -> Argument {
        let ty = ArgumentType::Array { element: self.element.clone(), dims: self.axes.clone() };
        Argument { attrs: Vec::new(), name: self.name.clone(), ty }
    }

    /// `DrawnLatent` of the engine; the logits of a guide are those that one of its networks gives.
    pub(super) fn expand(all: &[Self], is_guide: bool, size: &dyn Fn(&Ident) -> TokenStream) -> TokenStream {
        let each = all.iter().map(|discrete| {
            let name = discrete.name.to_string();
            let option = |found: Option<TokenStream>| found.map_or_else(|| quote!(None), |found| quote!(Some(#found)));
            let categories = option(discrete.categories().map(size));
            let logits = discrete.logits.as_ref().filter(|_| is_guide).map(ToString::to_string);
            let logits = option(logits.map(|logits| quote!(#logits)));
            let is_read = discrete.is_read;
            quote!(_ppl::DrawnLatent { name: #name, categories: #categories, logits: #logits, is_read: #is_read })
        });
        quote!(vec![#(#each),*])
    }
}

/// The family of a distribution, and what it is given.
fn call(expr: &Expr) -> Option<(&Ident, &[CallArg])> {
    match &expr.kind {
        ExprKind::Paren(inner) => call(inner),
        ExprKind::Call { callee, args } => match &callee.kind {
            ExprKind::Name(word) => Some((word, args)),
            _ => None,
        },
        _ => None,
    }
}

/// An array and the index that it is read at.
fn array(expr: &Expr) -> Option<(&Ident, &[Expr])> {
    match &expr.kind {
        ExprKind::Name(name) => Some((name, &[])),
        ExprKind::Index { array, index } => Some((array, index)),
        ExprKind::Paren(inner) => array(inner),
        _ => None,
    }
}

/// The names that an index is made of, if it is made of names.
fn names(index: &[Expr]) -> Option<Vec<&Ident>> {
    index.iter().map(|axis| if let ExprKind::Name(name) = &axis.kind { Some(name) } else { None }).collect()
}

impl Lift<'_> {
    /// Whether a statement is about a discrete latent.
    pub(super) fn is_discrete(&self, lhs: &Lhs, distribution: &Expr) -> bool {
        let known = self.kind(&lhs.name);
        matches!(known, None | Some(Kind::Discrete)) && is_discrete(distribution)
    }

    /// Takes note of a discrete latent, whose index is that of a row by now, and so is what its distribution reads.
    pub(super) fn discrete(&mut self, lhs: &Lhs, distribution: &Expr) -> Option<()> {
        let (family, args) = call(distribution)?;
        let span = lhs.name.span();
        let first = args.first().and_then(|arg| array(&arg.value));
        let kind = if family == "Categorical" {
            let axes = first.and_then(|(name, index)| Some((self.axes_of(name)?, index.len())));
            match axes {
                Some((axes, index)) if index + 1 == axes.len() || index == axes.len() => ElementKind::Index(axes.last()?.clone()),
                _ => {
                    self.error(distribution.span, messages::discrete_categories(&lhs.name));
                    return None;
                }
            }
        } else if family == "Bernoulli" {
            ElementKind::Bool
        } else {
            ElementKind::U64
        };
        let is_logit = |arg: &CallArg| arg.name.as_ref().is_some_and(|name| name == "logit" || name == "logits");
        let logits = match (args, first) {
            ([only], Some((name, index)))
                if is_logit(only) && !matches!(kind, ElementKind::U64) && self.kind(name) == Some(Kind::Result) =>
            {
                let own = self.axes_of(&lhs.name)?;
                let given = names(&lhs.index)?;
                // Read at the index of the latent, or whole where the latent is written whole.
                let same =
                    names(index).is_some_and(|index| index == given || (index.is_empty() && given.iter().copied().eq(&own)));
                let taken: Vec<Ident> =
                    own.iter().chain(if let ElementKind::Index(dim) = &kind { Some(dim) } else { None }).cloned().collect();
                (same && self.axes_of(name)? == taken).then(|| name.clone())
            }
            _ => None,
        };
        let axes = self.axes_of(&lhs.name)?;
        let element = Element { kind, span };
        if let Some(known) = self.discretes.iter_mut().find(|known| known.name == lhs.name) {
            // Several statements over parts of it: no array holds all of its logits.
            known.logits = None;
            if !alike(&known.element.kind, &element.kind) {
                self.error(distribution.span, messages::discrete_parts(&lhs.name));
            }
            return Some(());
        }
        self.discretes.push(Discrete {
            name: lhs.name.clone(),
            family: family.to_string(),
            axes,
            element,
            logits,
            is_read: false,
        });
        Some(())
    }

    /// What an argument of a network is: an array, or an index array in as many numbers as there are values, of which one is one.
    pub(super) fn one_hot<'e>(&mut self, arg: &'e Expr) -> Option<(&'e Expr, bool)> {
        let Some((word, args)) = call(arg).filter(|(word, _)| *word == "one_hot") else { return Some((arg, false)) };
        let [CallArg { name: None, value }] = args else {
            self.error(word.span(), messages::ONE_HOT);
            return None;
        };
        Some((value, true))
    }

    /// The dimension that an index array points into.
    pub(super) fn points(&mut self, name: &Ident) -> Option<Ident> {
        let latent = self.discretes.iter().find(|discrete| discrete.name == *name).and_then(Discrete::categories);
        let points = latent.or_else(|| self.indices.iter().find(|(known, _)| known == name).map(|(_, dim)| dim)).cloned();
        if points.is_none() {
            self.error(name.span(), messages::one_hot_of(name));
        }
        points
    }
}

fn alike(one: &ElementKind, other: &ElementKind) -> bool {
    match (one, other) {
        (ElementKind::Index(one), ElementKind::Index(other)) => one == other,
        (ElementKind::Bool, ElementKind::Bool) | (ElementKind::U64, ElementKind::U64) => true,
        _ => false,
    }
}

/// That a guide draws what is discrete in the model from discrete distributions of the same values, and nothing else.
pub(super) fn check(guide: &Rows, model: &Rows, diagnostics: &mut Diagnostics) {
    for (latent, _) in &guide.latents {
        let of = |rows: &'_ Rows| rows.discretes.iter().position(|discrete| discrete.name == *latent);
        match (of(guide), of(model)) {
            (Some(own), Some(known)) => {
                let (own, known) = (&guide.discretes[own], &model.discretes[known]);
                if !alike(&own.element.kind, &known.element.kind) {
                    diagnostics.push(latent.span(), messages::discrete_family(latent, &known.family, &own.family));
                }
            }
            (Some(own), None) if model.latents.iter().any(|(name, _)| name == latent) => {
                diagnostics.push(latent.span(), messages::not_discrete(latent, &guide.discretes[own].family));
            }
            (None, Some(known)) => {
                diagnostics.push(latent.span(), messages::is_discrete(latent, &model.discretes[known].family));
            }
            _ => {}
        }
    }
    let is_count = |latent: &Ident| model.discretes.iter().any(|discrete| discrete.name == *latent && discrete.is_count());
    for latent in guide.auto.iter().filter(|latent| is_count(latent)) {
        diagnostics.push(latent.span(), messages::auto_discrete(latent));
    }
}

impl Operand {
    /// `CallOperand` of the engine.
    pub(super) fn expand(&self) -> TokenStream {
        let (name, one_hot) = (self.name.to_string(), self.one_hot);
        quote!(_ppl::CallOperand { name: #name, one_hot: #one_hot })
    }
}
