//! Guides of rows: `guide! { pub Encoder for Vae(encoder: net(D => 2 * Z)) { .. } }`, of a model with networks or of one loop over independent rows.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::expand::{bound_rows, calls, element, network_checks, networks, structure};
use super::{Discrete, Of, Rows, automatic, discrete, has_networks, lift, lower};
use crate::diagnostics::Diagnostics;
use crate::guide::{Guide, covers};
use crate::ir::{self, SiteKind, StmtKind, visit};
use crate::syntax::{ArgumentType, ElementKind, Model, Stmt};
use crate::{check, expand, messages};

/// Compiles a guide of rows with its model.
pub(crate) fn guide_of(mut model: Model, mut guide: Guide, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    let (ordinary, model_name) = (!has_networks(&model), model.name.clone());
    let (arguments, single) = (model.arguments.clone(), is_single(&model));
    guide.model.row = true;
    if ordinary {
        // The rows of a model without networks are known to its guide alone, of which there may be several.
        model.name = format_ident!("{}{}", guide.model.name, model_name);
        (model.vis, model.krate) = (guide.model.vis.clone(), guide.model.krate.clone());
    }
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
    automatic::leave(&mut rows, &model_row, &model.discretes);
    let mut compiled = ir::lower::lower(rows.take_row(), diagnostics);
    compiled.single = single;
    if diagnostics.is_empty() {
        check::check(&mut compiled, diagnostics);
        families(&rows, &compiled, &model_row, diagnostics);
    }
    if diagnostics.is_empty() {
        for (span, message) in expand::refused_latents(&compiled) {
            diagnostics.push(span, message);
        }
    }
    if !diagnostics.is_empty() {
        return None;
    }
    let code = expand::expand(&compiled);
    let structure = structure(&rows, &name, &attrs, single);
    let target = guide.target;
    // A model with networks has its row with it; of any other, the guide makes it.
    let row_name = &rows.row.name;
    let (of_rows, binding) = if ordinary {
        let row = &model_row.name;
        let bind = bound_rows(&model, &model_row, &model_name, &quote!(model));
        (expand::expand(&model_row), Binding { row: quote!(#row), bind, globals: TokenStream::new() })
    } else {
        (TokenStream::new(), Binding::of_networks(&target))
    };
    let guide = implementation((&rows, &compiled), &quote!(#name), &name.to_string(), (&quote!(#target), &binding), single);
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

/// How a guide comes by the rows of its model.
struct Binding {
    /// The model of a row.
    row: TokenStream,
    /// The body of `bind_model`.
    bind: TokenStream,
    /// `bind_globals`, of a model that has it.
    globals: TokenStream,
}

impl Binding {
    /// Of a model with networks, which knows its rows.
    fn of_networks(target: &impl quote::ToTokens) -> Self {
        Binding {
            row: quote!(<#target as _ppl::RowModel>::Row),
            bind: quote!(_ppl::RowModel::bind_rows(model)),
            globals: quote! {
                fn bind_globals(
                    &self,
                    model: &#target,
                    row: &Self::ModelRow,
                ) -> Option<Box<dyn _ppl::GlobalModel<Self::Element>>> {
                    _ppl::RowModel::bind_globals(model, row)
                }
            },
        }
    }
}

/// `RowGuide` for a type, of a model with networks.
pub(crate) fn row_guide(
    rows: (&Rows, &ir::Model),
    guide: &TokenStream,
    word: &str,
    target: &TokenStream,
    single: bool,
) -> TokenStream {
    implementation(rows, guide, word, (target, &Binding::of_networks(target)), single)
}

fn implementation(
    (rows, compiled): (&Rows, &ir::Model),
    guide: &TokenStream,
    word: &str,
    (target, binding): (&TokenStream, &Binding),
    single: bool,
) -> TokenStream {
    let (krate, row_name, e) = (&rows.row.krate, &rows.row.name, element(single));
    let Binding { row: model_row, bind: bind_model, globals } = binding;
    let size = |dim: &Ident| quote!(model.row.#dim);
    let checks = network_checks(rows, word, &quote!(self), &size);
    let fields = rows.dims.iter().map(|dim| quote!(#dim: model.row.#dim)).chain(automatic::sizes(rows));
    let shared = rows.row.shared.iter().map(|field| quote!(#field: model.row.#field.clone()));
    let (networks, calls) = (networks(rows, &quote!(self)), calls(rows));
    let discretes = Discrete::expand(&rows.discretes, true, &size);
    let tables = automatic::tables(rows, &quote!(Self::ModelRow));
    let families = expand::guide::families(compiled, &e);
    quote! {
        #[doc(hidden)]
        #[allow(non_snake_case, unused_mut, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;

            impl _ppl::RowGuide<#target> for #guide {
                type Element = #e;
                type ModelRow = #model_row;
                type Row = #row_name;

                fn bind_model<'m>(&self, model: &'m #target) -> Result<_ppl::BoundRows<'m, Self::ModelRow>, _ppl::DataError> {
                    #bind_model
                }

                #globals

                fn bind_guide(
                    &self,
                    model: &_ppl::BoundRows<'_, Self::ModelRow>,
                ) -> Result<_ppl::BoundRows<'_, #row_name>, _ppl::DataError> {
                    #(#checks)*
                    let inputs = model.inputs.iter().map(|input| _ppl::RowInput::<'_, #e> {
                        name: input.name,
                        columns: input.columns,
                        data: _ppl::Cow::Borrowed(&[]),
                        observed: input.observed,
                        categories: input.categories,
                        shared: input.shared,
                    });
                    Ok(_ppl::BoundRows {
                        row: #row_name { #(#fields,)* #(#shared),* },
                        rows: 0,
                        inputs: inputs.collect(),
                        networks: #networks,
                        calls: #calls,
                        discretes: #discretes,
                        priors: &[],
                    })
                }

                #tables

                fn families(&self) -> Vec<&'static dyn _ppl::Drawn<#e>> {
                    vec![#(#families),*]
                }
            }
        };
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
    discrete::check(guide, model, diagnostics);
    for stmt in &guide.row.body {
        if let Stmt::Factor { value } = stmt {
            diagnostics.push(value.span, messages::GUIDE_FACTOR);
        }
    }
}

/// That every latent that is not left to the automatic guide is drawn from what has its support in the model.
fn families(rows: &Rows, guide: &ir::Model, model: &ir::Model, diagnostics: &mut Diagnostics) {
    visit::statements(&guide.body, &mut |stmt| {
        let StmtKind::Sample { site, distribution, .. } = &stmt.kind else { return };
        let name = &guide.sites[*site].name;
        if rows.auto.contains(name) || rows.discretes.iter().any(|discrete| discrete.name == *name) {
            return;
        }
        if !matches!(guide.sites[*site].kind, SiteKind::Latent) {
            diagnostics.push(distribution.span, messages::guide_data(name));
            return;
        }
        let Some(known) = model.sites.iter().find(|known| known.name == *name) else { return };
        if let Some(message) = covers::family(&guide.sites[*site], known, &distribution.density) {
            diagnostics.push(distribution.span, message);
        }
    });
}
