//! `ode s in from..to for t in T { start(x) = ..; d(x) = ..; }`: the statements of a differential equation.

use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::expression::expression;
use super::recovery::{here_or_before, name};
use super::statement::{end, for_header, range, statements, value_is_missing};
use super::{Expr, ExprKind, Lhs, Range, Stmt};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// The block; `None` if it was reported and skipped.
pub(super) fn ode(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    input.parse::<Ident>()?;
    let time = name(input, messages::ODE)?;
    if !input.peek(Token![in]) {
        return Err(syn::Error::new(here_or_before(input), messages::ODE));
    }
    let within = input.parse::<Token![in]>()?.span;
    if input.is_empty() || input.peek(syn::token::Brace) || input.peek(Token![for]) {
        return Err(syn::Error::new(within, messages::ODE));
    }
    let (from, to) = match range(input)? {
        Range::Between { from, to } => (from, to),
        Range::Dim(name) => return Err(syn::Error::new(name.span(), messages::ode_range(&time, &name))),
    };
    if !input.peek(Token![for]) {
        return Err(syn::Error::new(here_or_before(input), messages::ode_for(&time)));
    }
    let (at, times) = for_header(input)?;
    let steps = if input.peek(Token![,]) { Some(steps(input)?) } else { None };
    if !input.peek(syn::token::Brace) {
        return Err(syn::Error::new(here_or_before(input), messages::ODE_BODY));
    }
    let content;
    syn::braced!(content in input);
    let body = statements(&content, diagnostics);
    Ok(Some(Stmt::Ode { time, from, to, at, times, steps, body }))
}

/// `, steps = 20`
fn steps(input: ParseStream<'_>) -> syn::Result<u32> {
    let comma = input.parse::<Token![,]>()?;
    let word: Option<Ident> = if input.peek(Ident) { Some(input.parse()?) } else { None };
    let Some(word) = word.filter(|word| word == "steps").filter(|_| input.peek(Token![=])) else {
        return Err(syn::Error::new(comma.span, messages::ODE_STEPS));
    };
    input.parse::<Token![=]>()?;
    let wrong = || syn::Error::new(word.span(), messages::ODE_STEPS);
    if !input.peek(syn::LitInt) {
        return Err(wrong());
    }
    let count: u32 = input.parse::<syn::LitInt>()?.base10_parse().map_err(|_| wrong())?;
    if (1..=100_000).contains(&count) { Ok(count) } else { Err(wrong()) }
}

/// `start(lhs) = value;`, `d(lhs) = value;`
pub(super) fn equation(input: ParseStream<'_>, word: &Ident, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    input.parse::<Ident>()?;
    let content;
    syn::parenthesized!(content in input);
    let inner = if content.is_empty() { None } else { Some(expression(&content)?) };
    let lhs = match inner {
        Some(Expr { kind: ExprKind::Name(name), .. }) if content.is_empty() => Lhs { name, index: Vec::new() },
        Some(Expr { kind: ExprKind::Index { array, index }, .. }) if content.is_empty() => Lhs { name: array, index },
        _ => return Err(syn::Error::new(word.span(), messages::equation_of(word))),
    };
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        return Err(syn::Error::new(here_or_before(input), messages::equation_value(word, &lhs.name)));
    }
    let equals = input.parse::<Token![=]>()?.span;
    if value_is_missing(input) {
        diagnostics.push(equals, messages::equation_value(word, &lhs.name));
        return Ok(None);
    }
    let value = expression(input)?;
    end(input, &format!("{word}({})", lhs.name), diagnostics)?;
    Ok(Some(if word == "d" { Stmt::Derivative { lhs, value } } else { Stmt::Start { lhs, value } }))
}
