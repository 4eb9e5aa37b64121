//! Networks: `net(D => 2 * Z)` in the argument list, `let (loc, log_scale) = split(encoder(x[n]))` in the body.

use std::fmt::{Display, Formatter, Result as Written};

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitInt, Token};

use super::expression::expression;
use super::recovery::{error_here, here_or_before, name};
use super::statement::end;
use super::{ArgumentType, Expr, ExprKind, Stmt};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// How many numbers a network takes or gives for a row: `D`, `2 * Z`, `Z + C`, `1`.
#[derive(Clone, Debug)]
pub(crate) struct NetworkSize {
    /// Factors with their dimensions; none for a number.
    pub terms: Vec<(usize, Option<Ident>)>,
}

impl NetworkSize {
    /// The pieces that it is made of: `2 * Z` is twice `Z`, `2` is twice one number.
    pub(crate) fn pieces(&self) -> Vec<Option<Ident>> {
        self.terms.iter().flat_map(|(factor, dim)| vec![dim.clone(); *factor]).collect()
    }
}

impl Display for NetworkSize {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        for (i, (factor, dim)) in self.terms.iter().enumerate() {
            let plus = if i > 0 { " + " } else { "" };
            match dim {
                Some(dim) if *factor == 1 => write!(f, "{plus}{dim}")?,
                Some(dim) => write!(f, "{plus}{factor} * {dim}")?,
                None => write!(f, "{plus}{factor}")?,
            }
        }
        Ok(())
    }
}

/// `net(inputs => outputs)`
pub(super) fn network(input: ParseStream<'_>) -> syn::Result<ArgumentType> {
    let word: Ident = input.parse()?;
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(word.span(), messages::NET));
    }
    let content;
    syn::parenthesized!(content in input);
    let inputs = size(&content)?;
    if !content.peek(Token![=>]) {
        return Err(syn::Error::new(here_or_before(&content), messages::NET));
    }
    content.parse::<Token![=>]>()?;
    let outputs = size(&content)?;
    if !content.is_empty() {
        return Err(error_here(&content, messages::NET));
    }
    Ok(ArgumentType::Network { inputs, outputs })
}

/// `2 * Z + C + 1`
fn size(input: ParseStream<'_>) -> syn::Result<NetworkSize> {
    let mut terms = vec![term(input)?];
    while input.peek(Token![+]) {
        input.parse::<Token![+]>()?;
        terms.push(term(input)?);
    }
    Ok(NetworkSize { terms })
}

fn term(input: ParseStream<'_>) -> syn::Result<(usize, Option<Ident>)> {
    if input.peek(LitInt) {
        let factor: LitInt = input.parse()?;
        let factor = factor.base10_parse().map_err(|_| syn::Error::new(factor.span(), messages::NET))?;
        if !input.peek(Token![*]) {
            return Ok((factor, None));
        }
        input.parse::<Token![*]>()?;
        return Ok((factor, Some(name(input, messages::NET)?)));
    }
    if !input.peek(Ident::peek_any) {
        return Err(syn::Error::new(here_or_before(input), messages::NET));
    }
    Ok((1, Some(name(input, messages::NET)?)))
}

/// `(a, b) = split(network(operands));`, after `let`.
pub(super) fn split(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Stmt> {
    let tuple = input.span();
    let refused = || syn::Error::new(tuple, messages::LET_TUPLE);
    let content;
    syn::parenthesized!(content in input);
    let mut names = Vec::new();
    while !content.is_empty() {
        names.push(content.parse::<Ident>().map_err(|_| refused())?);
        if !content.is_empty() {
            content.parse::<Token![,]>().map_err(|_| refused())?;
        }
    }
    input.parse::<Token![=]>().map_err(|_| refused())?;
    let value = expression(input).map_err(|_| refused())?;
    let ExprKind::Call { callee, mut args } = value.kind else { return Err(refused()) };
    let is_split = matches!(&callee.kind, ExprKind::Name(word) if word == "split");
    let (true, 1, Some(call)) = (is_split, args.len(), args.pop()) else { return Err(refused()) };
    if call.name.is_some() || !matches!(call.value.kind, ExprKind::Call { .. }) {
        return Err(refused());
    }
    end(input, "split", diagnostics)?;
    let call: Expr = call.value;
    Ok(Stmt::Split { names, call })
}
