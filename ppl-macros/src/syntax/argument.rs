//! The arguments of a model: `name: type`, with the types of the language.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::network::network;
use super::recovery::{attributes, error_here, here_or_before, name, skip_argument};
use super::{Argument, ArgumentType, Element, ElementKind};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// Arguments between commas; one that does not parse is reported and skipped.
pub(super) fn arguments(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Vec<Argument> {
    let mut arguments = Vec::new();
    while !input.is_empty() {
        match argument(input) {
            Ok(argument) => {
                arguments.push(argument);
                if !input.is_empty() && !input.peek(Token![,]) {
                    diagnostics.push(input.span(), after_argument(input));
                    skip_argument(input);
                }
            }
            Err(error) => {
                diagnostics.push_error(error);
                skip_argument(input);
            }
        }
        let _ = input.parse::<Token![,]>();
    }
    arguments
}

/// What is wrong with a token that stands where a comma should.
fn after_argument(input: ParseStream<'_>) -> &'static str {
    if input.peek(syn::token::Bracket) {
        messages::ARRAY_TYPE
    } else if input.peek(Token![=]) {
        messages::DEFAULT
    } else {
        messages::COMMA
    }
}

fn argument(input: ParseStream<'_>) -> syn::Result<Argument> {
    let attrs = attributes(input)?;
    if input.peek(Token![mut]) {
        return Err(error_here(input, messages::LET_MUT));
    }
    let name = name(input, messages::ARGUMENT)?;
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Err(syn::Error::new(name.span(), messages::argument_type(&name)));
    }
    input.parse::<Token![:]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(name.span(), messages::argument_type(&name)));
    }
    let ty = argument_type(input)?;
    Ok(Argument { attrs, name, ty })
}

fn argument_type(input: ParseStream<'_>) -> syn::Result<ArgumentType> {
    if input.peek(Token![&]) {
        return Err(error_here(input, messages::REFERENCE_TYPE));
    }
    if input.peek(syn::token::Bracket) {
        return array(input);
    }
    if input.peek(Ident) {
        let word: Ident = input.fork().parse()?;
        if word == "usize" {
            input.parse::<Ident>()?;
            return Ok(ArgumentType::Size);
        }
        if word == "net" {
            return network(input);
        }
    }
    Ok(ArgumentType::Array { element: element(input)?, dims: Vec::new() })
}

/// `[element; N, K]`
fn array(input: ParseStream<'_>) -> syn::Result<ArgumentType> {
    let content;
    syn::bracketed!(content in input);
    if content.peek(syn::token::Bracket) {
        return Err(error_here(&content, messages::NESTED_ARRAY));
    }
    if content.peek(Token![&]) {
        return Err(error_here(&content, messages::REFERENCE_TYPE));
    }
    let element = element(&content)?;
    if !content.peek(Token![;]) {
        return Err(syn::Error::new(here_or_before(&content), messages::ARRAY_TYPE));
    }
    content.parse::<Token![;]>()?;
    if content.is_empty() {
        return Err(syn::Error::new(here_or_before(&content), messages::ARRAY_TYPE));
    }
    let mut dims = Vec::new();
    while !content.is_empty() {
        let dim = name(&content, messages::DIMENSION)?;
        if dims.len() == 3 {
            return Err(syn::Error::new(dim.span(), messages::TOO_MANY_AXES));
        }
        dims.push(dim);
        if !content.is_empty() {
            content.parse::<Token![,]>().map_err(|error| syn::Error::new(error.span(), messages::DIMENSION))?;
        }
    }
    Ok(ArgumentType::Array { element, dims })
}

fn element(input: ParseStream<'_>) -> syn::Result<Element> {
    if input.peek(Token![in]) {
        let span = input.parse::<Token![in]>()?.span;
        if !input.peek(Ident::peek_any) {
            return Err(syn::Error::new(span, messages::IN_DIMENSION));
        }
        return Ok(Element { kind: ElementKind::Index(name(input, messages::IN_DIMENSION)?), span });
    }
    let word: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::TYPE))?;
    let span = word.span();
    let kind = match word.to_string().as_str() {
        "f64" => ElementKind::F64,
        "f32" => ElementKind::F32,
        "u64" => ElementKind::U64,
        "i64" => ElementKind::I64,
        "bool" => ElementKind::Bool,
        "Option" => ElementKind::Option(Box::new(option(input, &word)?)),
        other => return Err(syn::Error::new(span, messages::unknown_type(other))),
    };
    Ok(Element { kind, span })
}

/// `<f64>`, after `Option`.
fn option(input: ParseStream<'_>, word: &Ident) -> syn::Result<Element> {
    if !input.peek(Token![<]) {
        return Err(syn::Error::new(word.span(), messages::OPTION));
    }
    input.parse::<Token![<]>()?;
    if input.peek(syn::token::Bracket) {
        return Err(error_here(input, messages::OPTION_ARRAY));
    }
    let inner = element(input)?;
    if matches!(inner.kind, ElementKind::Option(_)) || !input.peek(Token![>]) {
        return Err(syn::Error::new(inner.span, messages::OPTION));
    }
    input.parse::<Token![>]>()?;
    Ok(inner)
}
