//! `guide! { pub Encoder for Vae(encoder: net(D => 2 * Z)) { .. } }`: a guide in the language of models, compiled with the model that it is for.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Token, Visibility};

use super::expand::{calls, element, network_checks, networks, row_model, structure};
use super::{Of, Rows, automatic, has_networks, lift, lower};
use crate::catalogue::Support;
use crate::diagnostics::Diagnostics;
use crate::ir::{self, Density, Family, SiteKind, StmtKind, visit};
use crate::syntax::{self, ArgumentType, ElementKind, Model, Stmt};
use crate::{check, expand, messages};

/// Hands the guide to the macro of its model, which hands both to [`guide_of`].
pub(crate) fn guide(tokens: &TokenStream) -> TokenStream {
    let header = |input: ParseStream<'_>| {
        let mut diagnostics = Diagnostics::default();
        let (_, krate, _) = syntax::attributes(input, &mut diagnostics)?;
        let _: Visibility = input.parse()?;
        let _: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::GUIDE))?;
        input.parse::<Token![for]>().map_err(|error| syn::Error::new(error.span(), messages::GUIDE))?;
        let model = syn::Path::parse_mod_style(input).map_err(|error| syn::Error::new(error.span(), messages::GUIDE))?;
        while !input.is_empty() {
            input.parse::<TokenTree>()?;
        }
        Ok((krate, model))
    };
    match header.parse2(tokens.clone()) {
        Ok((krate, model)) => quote!(#model! { #krate::__guide! { #tokens } }),
        Err(error) => error.to_compile_error(),
    }
}

/// Compiles a guide that follows the tokens of its model in braces.
pub(crate) fn guide_of(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(model)) = tokens.next() else { return TokenStream::new() };
    let mut diagnostics = Diagnostics::default();
    let out = compile(&model, tokens.collect(), &mut diagnostics).unwrap_or_default();
    let errors = diagnostics.finish().map(|error| error.to_compile_error());
    quote!(#errors #out)
}

struct Guide {
    attrs: Vec<syn::Attribute>,
    target: syn::Path,
    model: Model,
}

fn compile(target: &Group, tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    // What is wrong with the model is said where the model is.
    let model = syntax::parse(target.stream(), &mut Diagnostics::default())?;
    let guide = parse(tokens, diagnostics)?;
    let (ordinary, model_name) = (!has_networks(&model), model.name.clone());
    let (arguments, single) = (model.arguments.clone(), is_single(&model));
    let mut of_model = Diagnostics::default();
    let lifted = lift(model, None, &mut of_model);
    if ordinary && !of_model.is_empty() {
        diagnostics.push(guide.model.name.span(), messages::GUIDE_OF_ROWS);
        return None;
    }
    let mut model = lifted?;
    let (name, attrs) = (guide.model.name.clone(), guide.attrs);
    if ordinary && model.globals.model.is_some() {
        diagnostics.push(name.span(), messages::GUIDE_OF_ROWS);
        return None;
    }
    let outside = model.globals.declared();
    let row = lift(guide.model, Some(Of { arguments: &arguments, plate: &model.plate, outside: &outside }), diagnostics)?;
    covers(&row, &model, &name, diagnostics);
    if !diagnostics.is_empty() {
        return None;
    }
    let model_dims = model.dims.clone();
    let (_, model_row) = lower(&mut model, single, &mut of_model);
    if ordinary && !of_model.is_empty() {
        diagnostics.push(name.span(), messages::GUIDE_OF_ROWS);
        return None;
    }
    let mut rows = row;
    for dim in rows.dims.iter().filter(|dim| !model_dims.contains(dim)) {
        diagnostics.push(dim.span(), messages::guide_dim(dim));
    }
    automatic::leave(&mut rows, &model_row);
    let mut compiled = ir::lower::lower(rows.take_row(), diagnostics);
    compiled.single = single;
    if diagnostics.is_empty() {
        check::check(&mut compiled, diagnostics);
        normal(&rows, &compiled, &model_row, diagnostics);
    }
    if !diagnostics.is_empty() {
        return None;
    }
    let code = expand::expand(&compiled);
    let structure = structure(&rows, &name, &attrs, single);
    let target = guide.target;
    // A model with networks has its row with it; of any other, the guide makes it.
    let of_rows = ordinary.then(|| {
        let code = expand::expand(&model_row);
        let row_model = row_model(&model, &model_row, None, &model_name, &quote!(#target));
        quote!(#code #row_model)
    });
    let row_name = &rows.row.name;
    let guide = row_guide(&rows, &quote!(#name), &name.to_string(), &quote!(#target), single);
    Some(quote! {
        #structure
        #code
        #of_rows

        impl #name {
            /// The generated log density of a row of the guide: the very tokens that are compiled, formatted.
            pub const EXPANSION: &'static str = #row_name::EXPANSION;
        }

        #guide
    })
}

/// `RowGuide` for a type.
pub(crate) fn row_guide(rows: &Rows, guide: &TokenStream, word: &str, target: &TokenStream, single: bool) -> TokenStream {
    let (krate, row_name, e) = (&rows.row.krate, &rows.row.name, element(single));
    let size = |dim: &Ident| quote!(model.row.#dim);
    let checks = network_checks(rows, word, &size);
    let fields = rows.dims.iter().map(|dim| quote!(#dim: model.row.#dim)).chain(automatic::sizes(rows));
    let shared = rows.row.shared.iter().map(|field| quote!(#field: model.row.#field.clone()));
    let (networks, calls) = (networks(rows), calls(rows));
    let tables = automatic::tables(rows, &quote!(<#target as _ppl::RowModel>::Row));
    quote! {
        #[doc(hidden)]
        #[allow(non_snake_case, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;

            impl _ppl::RowGuide<#target> for #guide {
                type Row = #row_name;

                fn bind_guide(
                    &self,
                    model: &_ppl::BoundRows<'_, <#target as _ppl::RowModel>::Row>,
                ) -> Result<_ppl::BoundRows<'_, #row_name>, _ppl::DataError> {
                    #(#checks)*
                    let inputs = model.inputs.iter().map(|input| _ppl::RowInput::<'_, #e> {
                        name: input.name,
                        columns: input.columns,
                        data: _ppl::Cow::Borrowed(&[]),
                        observed: input.observed,
                        shared: input.shared,
                    });
                    Ok(_ppl::BoundRows {
                        row: #row_name { #(#fields,)* #(#shared),* },
                        rows: 0,
                        inputs: inputs.collect(),
                        networks: #networks,
                        calls: #calls,
                        priors: &[],
                    })
                }

                #tables
            }
        };
    }
}

/// `attrs vis Name for Model(arguments) { statements }`
fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Guide> {
    let mut parsed = None;
    let outcome = Parser::parse2(
        |input: ParseStream<'_>| {
            let (attrs, krate, _) = syntax::attributes(input, diagnostics)?;
            let vis = input.parse()?;
            let name: Ident = input.parse()?;
            input.parse::<Token![for]>()?;
            let target = syn::Path::parse_mod_style(input)?;
            let mut model = Model { krate, vis, ..empty(&name) };
            syntax::arguments_and_body(input, &mut model, diagnostics)?;
            parsed = Some(Guide { attrs, target, model });
            while !input.is_empty() {
                input.parse::<TokenTree>()?;
            }
            Ok(())
        },
        tokens,
    );
    if let Err(error) = outcome {
        diagnostics.push_error(error);
    }
    parsed
}

fn empty(name: &Ident) -> Model {
    Model {
        attrs: Vec::new(),
        krate: syn::parse_quote!(::ppl_core),
        row: true,
        shared: Vec::new(),
        vis: Visibility::Inherited,
        name: name.clone(),
        arguments: Vec::new(),
        body: Vec::new(),
    }
}

/// Whether data and networks are `f32`: unless an array is `f64`.
pub(crate) fn is_single(model: &Model) -> bool {
    !model
        .arguments
        .iter()
        .any(|argument| matches!(&argument.ty, ArgumentType::Array { element, .. } if matches!(element.kind, ElementKind::F64)))
}

/// That the guide has each of the model's latents once, with a distribution over the same axes or left to the automatic guide, and nothing else.
fn covers(guide: &Rows, model: &Rows, name: &Ident, diagnostics: &mut Diagnostics) {
    let text = |axes: &[Ident]| axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let of_rows = || model.latents.iter().map(|(latent, _)| latent);
    for (latent, axes) in &guide.latents {
        match model.latents.iter().find(|(known, _)| known == latent) {
            None => diagnostics.push(latent.span(), messages::no_latent(latent, of_rows())),
            Some((_, expected)) if expected != axes => {
                diagnostics.push(latent.span(), messages::latent_axes(latent, &text(expected), &text(axes)));
            }
            Some(_) => {}
        }
    }
    for (at, latent) in guide.auto.iter().enumerate() {
        if !of_rows().chain(&model.globals.latents).any(|known| known == latent) {
            diagnostics.push(latent.span(), messages::no_latent(latent, of_rows().chain(&model.globals.latents)));
        } else if guide.auto[..at].contains(latent) {
            diagnostics.push(latent.span(), messages::auto_twice(latent));
        } else if guide.latents.iter().any(|(given, _)| given == latent) {
            diagnostics.push(latent.span(), messages::auto_given(latent));
        }
    }
    for latent in of_rows().filter(|latent| !guide.auto.contains(latent)) {
        if !guide.latents.iter().any(|(known, _)| known == latent) {
            diagnostics.push(name.span(), messages::uncovered(latent));
        }
    }
    for latent in model.globals.latents.iter().filter(|latent| !guide.auto.contains(latent)) {
        diagnostics.push(name.span(), messages::uncovered_global(latent));
    }
    for stmt in &guide.row.body {
        if let Stmt::Factor { value } = stmt {
            diagnostics.push(value.span, messages::GUIDE_FACTOR);
        }
    }
}

/// That every latent that is not left to the automatic guide is normal, and real in the model.
fn normal(rows: &Rows, guide: &ir::Model, model: &ir::Model, diagnostics: &mut Diagnostics) {
    visit::statements(&guide.body, &mut |stmt| {
        let StmtKind::Sample { site, distribution, .. } = &stmt.kind else { return };
        let name = &guide.sites[*site].name;
        if rows.auto.contains(name) {
            return;
        }
        if !matches!(guide.sites[*site].kind, SiteKind::Latent) {
            diagnostics.push(distribution.span, messages::guide_data(name));
            return;
        }
        let is_normal = matches!(&distribution.density, Density::Univariate { family: Family::Catalogue(entry), .. } if entry.rust == "Normal");
        if !is_normal {
            diagnostics.push(distribution.span, messages::GUIDE_NORMAL);
        }
        let of_model = model.sites.iter().find(|known| known.name == *name);
        if of_model.is_some_and(|known| known.support != Support::Real) {
            diagnostics.push(name.span(), messages::guide_support(name));
        }
    });
}
