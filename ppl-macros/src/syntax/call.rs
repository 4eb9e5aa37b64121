//! What stands in the brackets after a name: arguments, indices, and `sum(k in K => ..)`.

use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::expression::expression;
use super::recovery::error_here;
use super::statement::range;
use super::{CallArg, Expr, ExprKind};
use crate::messages;

/// `(value, name = value)`
pub(super) fn call_arguments(input: ParseStream<'_>) -> syn::Result<Vec<CallArg>> {
    let content;
    syn::parenthesized!(content in input);
    let mut args: Vec<CallArg> = Vec::new();
    while !content.is_empty() {
        let named = content.peek(Ident) && content.peek2(Token![=]) && !content.peek2(Token![==]) && !content.peek2(Token![=>]);
        let name = if named {
            let name: Ident = content.parse()?;
            content.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        let value = expression(&content)?;
        if name.is_none() && args.iter().any(|arg| arg.name.is_some()) {
            return Err(syn::Error::new(value.span, messages::POSITION_AFTER_NAME));
        }
        args.push(CallArg { name, value });
        comma(&content)?;
    }
    Ok(args)
}

/// The comma after an argument, or what is wrong with the token in its place.
fn comma(content: ParseStream<'_>) -> syn::Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    if content.peek(Token![,]) {
        content.parse::<Token![,]>()?;
        return Ok(());
    }
    for (found, message) in [
        (content.peek(Token![in]) || content.peek(Token![for]), messages::REDUCE),
        (content.peek(Token![:]), messages::NAMED_ARGUMENT),
        (content.peek(Token![=]) && !content.peek(Token![=>]), messages::COMPARE),
    ] {
        if found {
            return Err(error_here(content, message));
        }
    }
    Err(error_here(content, messages::OPERATOR))
}

/// `[index, ..]`
pub(super) fn indices(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let span = input.span();
    let content;
    syn::bracketed!(content in input);
    let mut index = Vec::new();
    while !content.is_empty() {
        if content.peek(Token![,]) {
            return Err(error_here(&content, messages::MISSING_INDEX));
        }
        // `x[..]` is a slice before an expression is asked for, `x[1..]` and `x[1:3]` after one.
        slice(&content)?;
        index.push(expression(&content)?);
        slice(&content)?;
        if !content.is_empty() {
            content.parse::<Token![,]>().map_err(|error| syn::Error::new(error.span(), messages::OPERATOR))?;
        }
    }
    if index.is_empty() {
        return Err(syn::Error::new(span, messages::EMPTY_INDEX));
    }
    if input.peek(syn::token::Bracket) {
        return Err(error_here(input, messages::DOUBLE_INDEX));
    }
    Ok(index)
}

fn slice(content: ParseStream<'_>) -> syn::Result<()> {
    let found = content.peek(Token![..]) || content.peek(Token![..=]) || (content.peek(Token![:]) && !content.peek(Token![::]));
    if found { Err(error_here(content, messages::SLICE)) } else { Ok(()) }
}

/// `sum(k in K => body)`
pub(super) fn reduce(input: ParseStream<'_>, function: Ident) -> syn::Result<Expr> {
    let content;
    syn::parenthesized!(content in input);
    let each = each(&content, function)?;
    if !content.is_empty() {
        return Err(error_here(&content, messages::OPERATOR));
    }
    Ok(each)
}

/// `Mixture(weights, k in K => component)` or `Mixture(weights, component, ..)`
pub(super) fn mixture_arguments(input: ParseStream<'_>, word: &Ident) -> syn::Result<Vec<CallArg>> {
    let content;
    syn::parenthesized!(content in input);
    let weights = expression(&content)?;
    if content.is_empty() {
        return Err(syn::Error::new(word.span(), messages::MIXTURE));
    }
    content.parse::<Token![,]>().map_err(|error| syn::Error::new(error.span(), messages::MIXTURE))?;
    let mut all = vec![CallArg { name: None, value: weights }];
    if content.peek(Ident) && content.peek2(Token![in]) {
        all.push(CallArg { name: None, value: each(&content, word.clone())? });
        comma(&content)?;
        return if content.is_empty() { Ok(all) } else { Err(error_here(&content, messages::MIXTURE)) };
    }
    while !content.is_empty() {
        all.push(CallArg { name: None, value: expression(&content)? });
        comma(&content)?;
    }
    if all.len() < 3 { Err(syn::Error::new(word.span(), messages::MIXTURE)) } else { Ok(all) }
}

/// `k in K => body`
fn each(content: ParseStream<'_>, function: Ident) -> syn::Result<Expr> {
    let var: Ident = content.parse()?;
    content.parse::<Token![in]>()?;
    let range = range(content)?;
    if !content.peek(Token![=>]) {
        return Err(error_here(content, messages::reduce_arrow(&function, &var)));
    }
    content.parse::<Token![=>]>()?;
    let body = expression(content)?;
    let span = function.span();
    Ok(Expr { kind: ExprKind::Reduce { function, var, range: Box::new(range), body: Box::new(body) }, span })
}
