//! Operands: numbers, names, parentheses, `if` and calls, and sentences for what Rust has and the language has not.

use proc_macro2::{Delimiter, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};

use super::call::{call_arguments, indices, mixture_arguments, reduce};
use super::expression::expression;
use super::recovery::{error_here, keyword, skip};
use super::{Expr, ExprKind};
use crate::messages;

pub(super) fn operand(input: ParseStream<'_>) -> syn::Result<Expr> {
    if let Some(fragment) = fragment(input) {
        return parse_fragment(fragment);
    }
    if input.peek(syn::Lit) {
        return literal(input);
    }
    if input.peek(Token![if]) {
        return if_expression(input);
    }
    if input.peek(syn::token::Paren) {
        return parentheses(input);
    }
    if input.peek(Ident)
        || input.peek(Token![::])
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
    {
        return name(input);
    }
    Err(not_an_operand(input))
}

fn not_an_operand(input: ParseStream<'_>) -> syn::Error {
    for (found, message) in [
        (input.peek(syn::token::Bracket), messages::ARRAY_LITERAL),
        (input.peek(syn::token::Brace), messages::BLOCK),
        (input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]), messages::CLOSURE),
        (input.peek(Token![match]), messages::MATCH),
    ] {
        if found {
            return error_here(input, message);
        }
    }
    if input.peek(Token![for]) || input.peek(Token![while]) || input.peek(Token![loop]) {
        let error = error_here(input, messages::LOOP_VALUE);
        // Consumed, so that what follows is not taken for a statement of its own.
        skip(input);
        return error;
    }
    let clause = input.peek(Token![else]) || input.peek(Token![in]) || input.peek(Token![as]) || input.peek(Token![let]);
    if !clause && !input.peek(Token![_]) && input.peek(Ident::peek_any) {
        return keyword(input);
    }
    error_here(input, messages::EXPRESSION)
}

/// The tokens of a `$e:expr` of a `macro_rules!` around the model: a group without delimiters, which binds like parentheses.
fn fragment(input: ParseStream<'_>) -> Option<TokenStream> {
    input
        .step(|cursor| match cursor.group(Delimiter::None) {
            Some((inside, _, after)) => Ok((inside.token_stream(), after)),
            None => Err(cursor.error("not a fragment")),
        })
        .ok()
}

fn parse_fragment(fragment: TokenStream) -> syn::Result<Expr> {
    let inner = Parser::parse2(expression, fragment)?;
    let binds = matches!(inner.kind, ExprKind::Binary { .. } | ExprKind::Neg(_) | ExprKind::Not(_) | ExprKind::If { .. });
    if !binds {
        return Ok(inner);
    }
    let span = inner.span;
    Ok(Expr { kind: ExprKind::Paren(Box::new(inner)), span })
}

fn literal(input: ParseStream<'_>) -> syn::Result<Expr> {
    let lit: syn::Lit = input.parse()?;
    let span = lit.span();
    let (digits, suffix) = match &lit {
        syn::Lit::Int(int) => (int.base10_digits().to_owned(), int.suffix().to_owned()),
        syn::Lit::Float(float) => (float.base10_digits().to_owned(), float.suffix().to_owned()),
        syn::Lit::Bool(value) => return Ok(Expr { kind: ExprKind::Bool(value.value), span }),
        _ => return Err(syn::Error::new(span, messages::LITERAL)),
    };
    if !suffix.is_empty() {
        return Err(syn::Error::new(span, messages::suffix(&digits, &suffix)));
    }
    match digits.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(Expr { kind: ExprKind::Number(x), span }),
        _ => Err(syn::Error::new(span, messages::TOO_LARGE)),
    }
}

fn parentheses(input: ParseStream<'_>) -> syn::Result<Expr> {
    let content;
    syn::parenthesized!(content in input);
    let inner = expression(&content)?;
    if content.peek(Token![,]) {
        return Err(error_here(&content, messages::TUPLE));
    }
    if !content.is_empty() {
        return Err(error_here(&content, messages::OPERATOR));
    }
    let span = inner.span;
    Ok(Expr { kind: ExprKind::Paren(Box::new(inner)), span })
}

/// `if condition { then } else { otherwise }`
fn if_expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let span = input.parse::<Token![if]>()?.span;
    if input.peek(Token![let]) {
        // Consumed, so that what follows is not taken for a statement of its own.
        let span = input.parse::<Token![let]>()?.span;
        return Err(syn::Error::new(span, messages::IF_LET));
    }
    let condition = expression(input)?;
    if input.peek(Token![=]) {
        return Err(error_here(input, messages::COMPARE));
    }
    let then = branch(input)?;
    if !input.peek(Token![else]) {
        return Err(syn::Error::new(span, messages::IF_ELSE));
    }
    input.parse::<Token![else]>()?;
    let otherwise = if input.peek(Token![if]) { if_expression(input)? } else { branch(input)? };
    let kind = ExprKind::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) };
    Ok(Expr { kind, span })
}

/// `{ value }`
fn branch(input: ParseStream<'_>) -> syn::Result<Expr> {
    if !input.peek(syn::token::Brace) {
        return Err(error_here(input, messages::IF_BLOCK));
    }
    let content;
    syn::braced!(content in input);
    if content.is_empty() || content.peek(Token![let]) {
        return Err(error_here(&content, messages::IF_BLOCK));
    }
    let value = expression(&content)?;
    if content.is_empty() { Ok(value) } else { Err(error_here(&content, messages::IF_BLOCK)) }
}

/// A name or a path, and what is called or indexed by it.
fn name(input: ParseStream<'_>) -> syn::Result<Expr> {
    let path = syn::Path::parse_mod_style(input).map_err(|error| syn::Error::new(error.span(), messages::PATH))?;
    let Some(ident) = path.segments.last().map(|segment| segment.ident.clone()) else {
        return Err(error_here(input, messages::EXPRESSION));
    };
    let span = ident.span();
    if input.peek(Token![!]) && !input.peek(Token![!=]) {
        return Err(syn::Error::new(span, messages::macro_call(&ident)));
    }
    let bare = path.leading_colon.is_none() && path.segments.len() == 1;
    if bare && input.peek(syn::token::Bracket) {
        let index = indices(input)?;
        return Ok(Expr { kind: ExprKind::Index { array: ident, index }, span });
    }
    if bare && input.peek(syn::token::Paren) && ident == "Mixture" {
        let args = mixture_arguments(input, &ident)?;
        return Ok(Expr { kind: ExprKind::Call { callee: Box::new(Expr { kind: ExprKind::Name(ident), span }), args }, span });
    }
    if bare && input.peek(syn::token::Paren) && (ident == "sum" || ident == "log_sum_exp") {
        let ahead = input.fork();
        let content;
        syn::parenthesized!(content in ahead);
        if content.peek(Ident) && content.peek2(Token![in]) {
            return reduce(input, ident);
        }
    }
    let named = Expr { kind: if bare { ExprKind::Name(ident) } else { ExprKind::Path(path) }, span };
    if !input.peek(syn::token::Paren) {
        return Ok(named);
    }
    let args = call_arguments(input)?;
    Ok(Expr { kind: ExprKind::Call { callee: Box::new(named), args }, span })
}
