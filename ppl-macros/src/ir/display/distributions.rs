//! Distributions, with arguments by position as far as that says which parameterization is meant.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::{expressions, indices};
use crate::catalogue::{self, Entry};
use crate::ir::{Density, Distribution, Expr, ExprKind, Family, Model, Vector, Wrapper};

/// How many of the last axes of the value are one event.
pub(super) fn event_rank(distribution: &Distribution) -> usize {
    match &distribution.density {
        Density::Univariate { .. } | Density::Mixture { .. } | Density::Listed { .. } => 0,
        Density::Multivariate { entry, .. } => entry.event_rank,
        Density::Ordered { .. } => 1,
    }
}

pub(super) fn distribution(model: &Model, distribution: &Distribution) -> TokenStream {
    let Distribution { density, mask, span } = distribution;
    let span = *span;
    let unmasked = match density {
        Density::Univariate { family, params } => self::family(model, family, params, span),
        Density::Multivariate { entry, parameters, .. } => {
            call(entry, parameters.iter().map(|parameter| vector(model, parameter, span)).collect(), span)
        }
        Density::Mixture { weights, var, family, params } => {
            let weights = vector(model, weights, span);
            let inner = self::family(model, family, params, span);
            let (var, range) = expressions::binder(model, *var);
            quote_spanned!(span=> Mixture(#weights, #var in #range => #inner))
        }
        Density::Listed { weights, components, .. } => {
            let weights = vector(model, weights, span);
            let each = components.iter().map(|(family, params)| self::family(model, family, params, span));
            quote_spanned!(span=> Mixture(#weights, #(#each),*))
        }
        Density::Ordered { family, params, axis: _ } => {
            let inner = self::family(model, family, params, span);
            quote_spanned!(span=> Ordered(#inner))
        }
    };
    match mask {
        None => unmasked,
        Some(mask) => {
            let mask = expressions::expression(model, mask);
            quote_spanned!(span=> #unmasked.mask(#mask))
        }
    }
}

/// A distribution of one number with its parameters.
pub(super) fn family(model: &Model, family: &Family, params: &[Expr], span: Span) -> TokenStream {
    let print = |params: &[Expr]| params.iter().map(|param| expressions::expression(model, param)).collect::<Vec<_>>();
    match family {
        Family::Catalogue(entry) => call(entry, print(params), span),
        Family::User(path, names) => {
            let params = print(params).into_iter().zip(names).map(|(param, name)| match name {
                Some(name) => quote_spanned!(name.span()=> #name = #param),
                None => param,
            });
            quote_spanned!(span=> #path(#(#params),*))
        }
        Family::Wrapped(Wrapper::Transformed(map), inner) => {
            let (inner, map) = (self::family(model, inner, params, span), Ident::new(map.word(), span));
            quote_spanned!(span=> Transformed(#inner, #map))
        }
        Family::Wrapped(wrapper, inner) => {
            let word = Ident::new(wrapper.word(), span);
            let (own, bounds) = params.split_at(inner.parameters().len());
            let inner = self::family(model, inner, own, span);
            let infinite = |bound: &Expr| matches!(bound.kind, ExprKind::Number(x) if x.is_infinite());
            // One bound has to be written.
            let written = |bound: &Expr| !infinite(bound) || bounds.iter().all(infinite);
            let bounds = bounds.iter().zip(wrapper.parameters()).filter(|(bound, _)| written(bound)).map(|(bound, (name, _))| {
                let (name, bound) = (Ident::new(name, span), expressions::expression(model, bound));
                quote_spanned!(span=> #name = #bound)
            });
            quote_spanned!(span=> #word(#inner, #(#bounds),*))
        }
    }
}

/// A distribution of the catalogue.
fn call(entry: &Entry, params: Vec<TokenStream>, span: Span) -> TokenStream {
    let word = Ident::new(entry.name, span);
    let positional = catalogue::entries(entry.name).find(|known| known.parameters.len() == entry.parameters.len());
    let mut shared = true;
    let args = params.into_iter().enumerate().map(|(position, param)| {
        let (name, _) = entry.parameters[position];
        shared &= positional.is_some_and(|known| known.parameters[position].0 == name);
        if shared {
            return param;
        }
        let name = Ident::new(name, span);
        quote_spanned!(span=> #name = #param)
    });
    quote_spanned!(span=> #word(#(#args),*))
}

/// A parameter that is a vector, or a number for each element of one.
pub(super) fn vector(model: &Model, vector: &Vector, span: Span) -> TokenStream {
    match vector {
        Vector::Site(site, index) => indices::array(model, &model.sites[*site].name, index, span),
        Vector::Data(arg, index) => indices::array(model, &model.args[*arg].name, index, span),
        Vector::Repeat(value) => {
            let number = expressions::expression(model, value);
            match &value.kind {
                // Without parentheses this would be the vector that the number is an element of.
                ExprKind::Site(_, index) | ExprKind::Data(_, index) if indices::reads_along(model, index) => {
                    quote_spanned!(value.span=> (#number))
                }
                _ => number,
            }
        }
    }
}
