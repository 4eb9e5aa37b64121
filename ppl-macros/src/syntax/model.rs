//! A whole model: attributes, visibility, name, arguments and statements.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};

use super::depth::shallow;
use super::recovery::{error_here, name, skip, skip_rest};
use super::{Model, argument, recovery, statement};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// Parses the body of `model!`; what does not parse is reported and skipped, so that several errors are seen at once.
///
/// A model is returned as soon as it has a name, so that stub items can be made of a half-typed one.
pub(crate) fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Model> {
    let tokens = shallow(tokens, diagnostics);
    let mut parsed = None;
    // What a statement that did not parse leaves unread is no further error, so the verdict of syn on it is not asked for.
    let _ = Parser::parse2(
        |input: ParseStream<'_>| {
            parsed = model(input, diagnostics).map_err(|error| diagnostics.push_error(error)).ok();
            skip_rest(input);
            Ok(())
        },
        tokens,
    );
    parsed
}

fn model(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Model> {
    let (attrs, krate, row) = attributes(input, diagnostics)?;
    let vis: syn::Visibility = input.parse().map_err(|error| syn::Error::new(error.span(), messages::NO_NAME))?;
    if input.is_empty() {
        return Err(error_here(input, messages::EMPTY_MODEL));
    }
    if input.peek(Ident::peek_any) && !input.peek(Ident) && input.peek2(Ident) {
        diagnostics.push(input.span(), messages::NO_NAME);
        skip(input);
    }
    let name = name(input, messages::NO_NAME)?;
    let mut model =
        Model { attrs, krate, row, row_guide: false, shared: Vec::new(), vis, name, arguments: Vec::new(), body: Vec::new() };
    arguments_and_body(input, &mut model, diagnostics)?;
    Ok(model)
}

/// `(arguments) { statements }`
pub(crate) fn arguments_and_body(input: ParseStream<'_>, model: &mut Model, diagnostics: &mut Diagnostics) -> syn::Result<()> {
    if input.peek(Token![<]) {
        diagnostics.push(input.span(), messages::GENERICS);
        skip_to_group(input);
    } else if !input.peek(syn::token::Paren) {
        diagnostics.push(model.name.span(), messages::no_arguments(&model.name));
        skip_to_group(input);
    }
    if input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        model.arguments = argument::arguments(&content, diagnostics);
        if input.is_empty() {
            diagnostics.push(model.name.span(), messages::no_body(&model.name));
        } else if !input.peek(syn::token::Brace) {
            diagnostics.push(input.span(), messages::body_follows(&model.name));
            skip_to_group(input);
        }
    }
    if input.peek(syn::token::Brace) {
        let content;
        syn::braced!(content in input);
        model.body = statement::statements(&content, diagnostics);
        if !input.is_empty() {
            diagnostics.push(input.span(), messages::ONE_MODEL);
        }
    }
    Ok(())
}

/// Skips to the arguments or the statements.
fn skip_to_group(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(syn::token::Paren) && !input.peek(syn::token::Brace) {
        skip(input);
    }
}

/// Attributes, of which `#[ppl(crate = path)]` and `#[ppl(row)]` are taken out.
pub(crate) fn attributes(
    input: ParseStream<'_>,
    diagnostics: &mut Diagnostics,
) -> syn::Result<(Vec<syn::Attribute>, syn::Path, bool)> {
    let mut krate: syn::Path = syn::parse_quote!(::ppl_core);
    let mut row = false;
    let mut attrs = Vec::new();
    for attr in recovery::attributes(input)? {
        let Some(span) = attr.path().get_ident().filter(|word| *word == "ppl").map(Ident::span) else {
            attrs.push(attr);
            continue;
        };
        if attr.parse_args::<Ident>().is_ok_and(|word| word == "row") {
            row = true;
            continue;
        }
        match attr.parse_args_with(crate_path) {
            Ok(path) => krate = path,
            Err(_) => diagnostics.push(span, messages::PPL_ATTRIBUTE),
        }
    }
    Ok((attrs, krate, row))
}

/// `crate = path`
fn crate_path(input: ParseStream<'_>) -> syn::Result<syn::Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    syn::Path::parse_mod_style(input)
}
