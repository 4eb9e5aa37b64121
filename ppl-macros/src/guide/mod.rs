//! `guide! { pub Name for Model(..) { .. } }`: a guide in the language of models, compiled with the model that it is for.
//!
//! A guide with networks, or of a model with networks, is one of rows; any other is an ordinary guide, of all latents at once.

pub(crate) mod covers;
mod ordinary;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Token, Visibility};

use crate::diagnostics::Diagnostics;
use crate::syntax::{self, Model};
use crate::{messages, rows};

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
    let out = compile(&model, tokens.collect(), &mut diagnostics);
    let errors = diagnostics.finish().map(|error| error.to_compile_error());
    quote!(#errors #out)
}

/// A guide as written.
pub(crate) struct Guide {
    pub attrs: Vec<syn::Attribute>,
    /// The model.
    pub target: syn::Path,
    /// Its own arguments and its statements, as a model.
    pub model: Model,
}

fn compile(target: &Group, tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    // What is wrong with the model is said where the model is.
    let model = syntax::parse(target.stream(), &mut Diagnostics::default())?;
    let guide = parse(tokens, diagnostics)?;
    if rows::has_networks(&model) || rows::has_networks(&guide.model) {
        return rows::guide_of(model, guide, diagnostics);
    }
    Some(ordinary::compile(model, guide, diagnostics))
}

/// `attrs vis Name for Model(arguments) { statements }`
fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Guide> {
    let mut parsed = None;
    let parser = |input: ParseStream<'_>| {
        let mut read = || -> syn::Result<Guide> {
            let (attrs, krate, _) = syntax::attributes(input, diagnostics)?;
            let vis = input.parse()?;
            let name: Ident = input.parse()?;
            input.parse::<Token![for]>()?;
            let target = syn::Path::parse_mod_style(input)?;
            let mut model = Model {
                attrs: Vec::new(),
                krate,
                row: false,
                row_guide: false,
                shared: Vec::new(),
                vis,
                name,
                arguments: Vec::new(),
                body: Vec::new(),
            };
            syntax::arguments_and_body(input, &mut model, diagnostics)?;
            Ok(Guide { attrs, target, model })
        };
        let guide = read();
        parsed = guide.map_err(|error| diagnostics.push_error(error)).ok();
        while !input.is_empty() {
            input.parse::<TokenTree>()?;
        }
        Ok(())
    };
    // What a statement that did not parse leaves unread is no further error, so the verdict of syn on it is not asked for.
    let _ = Parser::parse2(parser, tokens);
    parsed
}
