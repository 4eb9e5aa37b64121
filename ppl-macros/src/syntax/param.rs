//! `param lhs: support = start;`: the statement of a parameter.

use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::call::{call_arguments, indices};
use super::expression::expression;
use super::recovery::{error_here, here_or_before, name};
use super::statement::{end, value_is_missing};
use super::{Lhs, Stmt, Support};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// The statement; `None` if it was reported and skipped.
pub(super) fn param(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    input.parse::<Ident>()?;
    let name = name(input, messages::LHS)?;
    let index = if input.peek(syn::token::Bracket) { indices(input)? } else { Vec::new() };
    if input.peek(Token![~]) {
        return Err(error_here(input, messages::param_tilde(&name)));
    }
    let support = support(input, &name)?;
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        return Err(syn::Error::new(here_or_before(input), messages::param_start(&name)));
    }
    let equals = input.parse::<Token![=]>()?.span;
    if value_is_missing(input) {
        diagnostics.push(equals, messages::param_start(&name));
        return Ok(None);
    }
    let start = expression(input)?;
    end(input, &name.to_string(), diagnostics)?;
    Ok(Some(Stmt::Param { lhs: Lhs { name, index }, support, start }))
}

/// `: positive`, `: interval(0, 1)`
fn support(input: ParseStream<'_>, name: &Ident) -> syn::Result<Support> {
    let missing = |input: ParseStream<'_>| syn::Error::new(here_or_before(input), messages::param_support(name));
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Err(missing(input));
    }
    input.parse::<Token![:]>()?;
    if !input.peek(Ident) {
        return Err(missing(input));
    }
    let word = input.parse()?;
    let args = if input.peek(syn::token::Paren) { call_arguments(input)? } else { Vec::new() };
    Ok(Support { word, args })
}
