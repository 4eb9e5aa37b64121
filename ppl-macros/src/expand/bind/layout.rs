//! The rows of latents, parameters and quantities, and the columns that are computed from data once.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::checks::reads_observed;
use super::parameters::parameters;
use super::{element, given_field, observed};
use crate::check::supports::{Inferred, infer};
use crate::expand::centring::Centred;
use crate::expand::graph::site_support;
use crate::expand::kernel::column_field;
use crate::expand::names;
use crate::expand::scalar::{self, Source, density, observed_field};
use crate::expand::tape::{Column, ColumnValue};
use crate::ir::{Expr, Model, Site, SiteKind, VarId};

pub(super) fn lay_out(model: &Model, centred: &[Centred]) -> TokenStream {
    let word = model.name.to_string();
    let mut out = quote!(let mut layout = _ppl::LayoutBuilder::new(#word, dims););
    let mut firsts = Vec::new();
    for site in model.sites.iter().filter(|site| site.kind == SiteKind::Latent && site.values.is_none()) {
        let (field, text, dims) = (names::field(&site.name), site.name.to_string(), &site.dims);
        let set = site_support(site);
        let bounds = match &site.bounds {
            None => quote!(None),
            Some(bounds) => {
                let bound = |expr: &Option<Expr>| {
                    if let Some(expr) = expr {
                        let values = elements(model, site, expr);
                        quote!(Some(#values))
                    } else {
                        quote!(None)
                    }
                };
                let (lower, upper) = (bound(&bounds.lower), bound(&bounds.upper));
                quote!(Some(_ppl::Bounds { lower: #lower, upper: #upper }))
            }
        };
        out.extend(match model.args.iter().find(|arg| arg.missing && arg.name == site.name) {
            None => quote!(layout.latent(#text, &[#(#dims),*], #set, #bounds);),
            Some(arg) => {
                let given = given_field(&arg.name);
                let of_site =
                    |factor: &&crate::ir::Factor| factor.site.is_some_and(|s| std::ptr::eq(&raw const model.sites[s], site));
                let statement = model.factors.iter().find(of_site).map_or("", |factor| factor.text.trim_end_matches(';'));
                quote! {
                    let given = std::mem::take(&mut self.#given);
                    layout.partly_given((#text, #statement), &[#(#dims),*], #set, #bounds.as_ref(), given)?;
                }
            }
        });
        firsts.push(field);
    }
    for parameter in parameters(model) {
        out.extend(parameter.lay_out());
        firsts.push(parameter.field());
    }
    for (site, values) in model.sites.iter().filter_map(|site| Some((site, site.values.as_ref()?))) {
        let (text, dims, from) = (site.name.to_string(), &site.dims, names::affine(model, &values.from));
        let to = values.to.as_ref().map(|to| names::affine(model, to));
        let to = to.map_or_else(|| quote!(None), |to| quote!(Some(#to)));
        out.extend(quote!(layout.drawn(#text, &[#(#dims),*], _ppl::Values { from: #from, to: #to });));
        firsts.push(names::field(&site.name));
    }
    for site in model.sites.iter().filter(|site| site.kind == SiteKind::Quantity) {
        let (text, dims) = (site.name.to_string(), &site.dims);
        out.extend(quote!(layout.quantity(#text, &[#(#dims),*]);));
        firsts.push(names::field(&site.name));
    }
    for site in observed(model) {
        let (field, text, dims) = (observed_field(&site.name), site.name.to_string(), &site.dims);
        out.extend(quote!(self.#field = layout.observed(#text, &[#(#dims),*]);));
    }
    for known in centred {
        let (text, family, count) = (model.sites[known.site].name.to_string(), known.family, known.parameters.len());
        let rank = known.event_rank;
        out.extend(if rank == 0 && known.parameters.iter().all(|parameter| parameter.axes.is_empty()) {
            quote!(layout.centred(#text, #family, #count);)
        } else {
            let dims = known.parameters.iter().map(|parameter| {
                let dims = parameter.axes.iter().map(|(_, dim)| dim);
                quote!(&[#(#dims),*])
            });
            quote!(layout.centred_over(#text, #family, #rank, &[#(#dims),*]);)
        });
    }
    let centrings = centred.iter().enumerate().map(|(i, known)| {
        let fields = known.fields(model).into_iter().enumerate();
        let first = fields.map(|(k, field)| quote!(self.#field = layout.centred[#i].parameters[#k].start;));
        quote!(#(#first)*)
    });
    for input in model.inputs() {
        let (text, dims) = (input.name.to_string(), &input.dims);
        out.extend(quote!(layout.input(#text, &[#(#dims),*]);));
    }
    let inputs = model.inputs().enumerate().map(|(i, input)| {
        let field = names::field(&input.name);
        quote!(self.#field = layout.inputs[#i].rows.start;)
    });
    let rows = firsts.iter().enumerate().map(|(i, field)| quote!(self.#field = layout.first_row(#i);));
    if model.sites.iter().any(|site| is_to_be_checked(model, site)) {
        out.extend(quote!(layout.check_bounds()?;));
    }
    out.extend(quote!(let layout = layout.finish(); #(#rows)* #(#centrings)* #(#inputs)* self.__layout = layout;));
    out
}

/// Whether the order of the bounds of a latent is known when data are: not of numbers, whose order is known; not where observed arrays are to be predicted, nor
/// of rows that are yet to come.
fn is_to_be_checked(model: &Model, site: &Site) -> bool {
    let Some((lower, upper)) = site.bounds.as_ref().and_then(|bounds| bounds.lower.as_ref().zip(bounds.upper.as_ref())) else {
        return false;
    };
    let is_number = |end: &Expr| matches!(infer(model, end), Inferred::Number(_));
    let is_known = is_number(lower) && is_number(upper);
    site.kind == SiteKind::Latent && !model.row && !is_known && ![lower, upper].iter().any(|end| reads_observed(model, end))
}

/// The values of an expression of data over the elements of a site, or its one value.
pub(super) fn elements(model: &Model, site: &Site, expr: &Expr) -> TokenStream {
    let mut used = BTreeSet::new();
    scalar::vars(model, expr, &mut used);
    let value = scalar::expr(model, expr, Source::Fields);
    if used.is_empty() {
        return quote!(vec![#value]);
    }
    let loops = model
        .factors
        .iter()
        .find(|factor| factor.site.is_some_and(|s| std::ptr::eq(&raw const model.sites[s], site)))
        .map_or(&[][..], |factor| &factor.loops[..]);
    let body = quote!(values.push(#value););
    let nest = nest(model, loops, body);
    quote!({ let mut values = Vec::new(); #nest values })
}

pub(super) fn compute_column(model: &Model, id: usize, column: &Column) -> TokenStream {
    let field = column_field(id);
    let e = element(model);
    let value = match &column.value {
        ColumnValue::Expr(expr) => scalar::expr(model, expr, Source::Fields),
        ColumnValue::Base(family, expr) => {
            let (family, value) = (density(family), scalar::expr(model, expr, Source::Fields));
            quote!(#family::base::<f64>(#value).0)
        }
        ColumnValue::Normalizer(family, params) => {
            let reads = crate::expand::tape::normalizer(family, params.len()).unwrap_or_default();
            let params = params
                .iter()
                .enumerate()
                .map(|(i, param)| if reads.contains(&i) { scalar::expr(model, param, Source::Fields) } else { quote!(0.0) });
            let family = density(family);
            quote!(#family::normalizer::<f64>([#(#params),*]).0)
        }
    };
    let cast = if model.single { quote!((#value) as #e) } else { value };
    let body = nest(model, &column.loops, quote!(column.push(#cast);));
    quote! {
        let mut column = Vec::new();
        #body
        self.#field = _ppl::Cow::Owned(column);
    }
}

/// Loops around a statement.
pub(super) fn nest(model: &Model, loops: &[VarId], body: TokenStream) -> TokenStream {
    loops.iter().rev().fold(body, |body, &v| {
        let (name, range) = (names::var(model, v), names::range(model, v));
        quote!(for #name in #range { #body })
    })
}
