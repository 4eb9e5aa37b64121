//! The structs that users see: the model, its inputs, its draws and its predictions.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::ir::{Arg, ArgKind, DimId, Model, SiteKind};

/// `Radon`, `RadonInputs`, `RadonDraws`, `RadonPredictive`.
pub(crate) fn structs(model: &Model) -> TokenStream {
    let (vis, name, attrs) = (&model.vis, &model.name, &model.attrs);
    let fields = model.args.iter().filter(|arg| !model.is_input(arg)).map(|arg| argument_field(model, arg));
    let inputs_name = format_ident!("{}Inputs", name, span = name.span());
    let inputs = inputs(model).into_iter().map(|arg| argument_field(model, arg));
    let unknown = unknown_dims(model).into_iter().map(|dim| {
        let dim = &model.dims[dim].name;
        let doc = format!("The size of dimension `{dim}`, which no other input tells.");
        quote!(#[doc = #doc] #[allow(non_snake_case)] pub #dim: usize)
    });
    let inputs_doc = format!("What predictions of [`{name}`] need: the arguments that are never left of `~`.");
    let struct_doc = if attrs.iter().any(|attr| attr.path().is_ident("doc")) {
        TokenStream::new()
    } else {
        let doc = format!("The model `{name}` with its data.");
        quote!(#[doc = #doc])
    };
    let draws = draws(model);
    let predictive = predictive(model);
    quote! {
        #struct_doc
        #(#attrs)*
        #[allow(non_snake_case, clippy::struct_field_names, clippy::pub_underscore_fields)]
        #vis struct #name { #(#fields),* }

        #[doc = #inputs_doc]
        #[allow(non_snake_case, clippy::struct_field_names, clippy::pub_underscore_fields)]
        #vis struct #inputs_name { #(#inputs,)* #(#unknown),* }

        #draws
        #predictive
    }
}

pub(super) fn argument_field(model: &Model, arg: &Arg) -> TokenStream {
    let (attrs, name) = (&arg.attrs, &arg.name);
    let ty = argument_type(model, arg);
    let doc = if attrs.iter().any(|attr| attr.path().is_ident("doc")) {
        TokenStream::new()
    } else {
        let dims: Vec<String> = arg.dims.iter().map(|&dim| format!("`{}`", model.dim_name(dim))).collect();
        let over = if dims.is_empty() { String::new() } else { format!(" over {}", dims.join(", ")) };
        let doc = match arg.kind {
            ArgKind::Size(dim) => format!("The size of dimension `{}`.", model.dim_name(dim)),
            ArgKind::Index(dim) => format!("`{name}`{over}: indices into `{}`.", model.dim_name(dim)),
            _ => format!("`{name}`{over}."),
        };
        quote!(#[doc = #doc])
    };
    quote!(#doc #(#attrs)* pub #name: #ty)
}

/// The Rust type of an argument.
fn argument_type(model: &Model, arg: &Arg) -> TokenStream {
    let krate = &model.krate;
    let element = match arg.kind {
        ArgKind::F64 => quote!(f64),
        ArgKind::F32 => quote!(f32),
        ArgKind::U64 => quote!(u64),
        ArgKind::I64 => quote!(i64),
        ArgKind::Bool => quote!(bool),
        ArgKind::Index(_) | ArgKind::Size(_) => quote!(usize),
    };
    let element = if arg.missing { quote!(::std::option::Option<#element>) } else { element };
    match (arg.dims.len(), arg.kind) {
        (0, _) => element,
        (1, ArgKind::Index(_)) => quote!(#krate::indices::Indices),
        (1, _) => quote!(::std::vec::Vec<#element>),
        (rank, _) => array_type(model, rank, &element),
    }
}

fn array_type(model: &Model, rank: usize, element: &TokenStream) -> TokenStream {
    let krate = &model.krate;
    let name = format_ident!("Array{}", rank);
    quote!(#krate::__private::ndarray::#name<#element>)
}

/// The arguments that predictions need.
pub(crate) fn inputs(model: &Model) -> Vec<&Arg> {
    model.args.iter().filter(|arg| !model.is_input(arg) && (arg.site.is_none() || !arg.covered)).collect()
}

/// The dimensions that no input tells.
pub(crate) fn unknown_dims(model: &Model) -> Vec<DimId> {
    let told = |dim: DimId| {
        model.dims[dim].values.is_some()
            || inputs(model)
                .iter()
                .any(|arg| arg.dims.contains(&dim) || arg.kind == ArgKind::Size(dim) || arg.kind == ArgKind::Index(dim))
    };
    (0..model.dims.len()).filter(|&dim| !told(dim)).collect()
}

fn draws(model: &Model) -> TokenStream {
    let (vis, name) = (&model.vis, &model.name);
    let draws = format_ident!("{}Draws", name, span = name.span());
    let doc = format!("Draws of the latents and quantities of [`{name}`]; the first axis is the draw.");
    let fields = model.sites.iter().filter(|site| matches!(site.kind, SiteKind::Latent | SiteKind::Quantity)).map(|site| {
        let name = &site.name;
        let ty = array_type(model, site.dims.len() + 1, &quote!(f64));
        let dims: Vec<String> = site.dims.iter().map(|&dim| format!("`{}`", model.dim_name(dim))).collect();
        let doc =
            format!("Draws of `{name}`: [{}].", std::iter::once("draw".to_owned()).chain(dims).collect::<Vec<_>>().join(", "));
        quote!(#[doc = #doc] pub #name: #ty)
    });
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #[allow(non_snake_case, clippy::struct_field_names)]
        #vis struct #draws { #(#fields),* }
    }
}

fn predictive(model: &Model) -> TokenStream {
    let (vis, name) = (&model.vis, &model.name);
    let predictive = format_ident!("{}Predictive", name, span = name.span());
    let doc = format!("Predictive draws of the observed arrays of [`{name}`]; the first axis is the draw.");
    let fields = model.sites.iter().filter(|site| matches!(site.kind, SiteKind::Observed(_))).map(|site| {
        let name = &site.name;
        let ty = array_type(model, site.dims.len() + 1, &quote!(f64));
        let doc = format!("Predictive draws of `{name}`.");
        quote!(#[doc = #doc] pub #name: #ty)
    });
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #[allow(non_snake_case, clippy::struct_field_names)]
        #vis struct #predictive { #(#fields),* }
    }
}

/// The bodies of `collect_draws` and `collect_predictive`.
pub(crate) fn collect(model: &Model, observed: bool) -> TokenStream {
    let wanted = |kind| match kind {
        SiteKind::Observed(_) => observed,
        SiteKind::Latent | SiteKind::Quantity => !observed,
        SiteKind::Parameter => false,
    };
    let fields = model.sites.iter().filter(|site| wanted(site.kind)).map(|site| {
        let (name, word) = (&site.name, site.name.to_string());
        let function = if observed { quote!(predictive_array) } else { quote!(draws_array) };
        quote!(#name: _ppl::#function(layout, #word, draws, columns))
    });
    let name = format_ident!("{}{}", model.name, if observed { "Predictive" } else { "Draws" }, span = model.name.span());
    quote!(#name { #(#fields),* })
}
