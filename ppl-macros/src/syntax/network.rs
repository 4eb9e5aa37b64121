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

/// The most parts that a network gives, and numbers written out that it takes.
const MOST_PARTS: usize = 1 << 16;

/// How many numbers a network takes or gives for a row: `D`, `2 * Z`, `Z + T * V`, `1`.
#[derive(Clone, Debug)]
pub(crate) struct NetworkSize {
    pub terms: Vec<SizeTerm>,
}

/// A product of whole numbers and dimensions: `2 * H * W`; of a number alone it has no dimensions.
#[derive(Clone, Debug)]
pub(crate) struct SizeTerm {
    pub factor: usize,
    pub dims: Vec<Ident>,
}

impl NetworkSize {
    /// The pieces that it is made of, each with its axes: `2 * Z` is twice `Z`, `T * V` one array over `T` and `V`, `2` is twice one number.
    pub(crate) fn pieces(&self) -> Vec<&[Ident]> {
        self.terms.iter().flat_map(|term| std::iter::repeat_n(&term.dims[..], term.factor)).collect()
    }

    /// All dimensions in it.
    pub(crate) fn dims(&self) -> impl Iterator<Item = &Ident> {
        self.terms.iter().flat_map(|term| &term.dims)
    }
}

impl Display for NetworkSize {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        for (i, term) in self.terms.iter().enumerate() {
            let plus = if i > 0 { " + " } else { "" };
            write!(f, "{plus}{term}")?;
        }
        Ok(())
    }
}

impl Display for SizeTerm {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        if self.factor != 1 || self.dims.is_empty() {
            write!(f, "{}", self.factor)?;
        }
        for (i, dim) in self.dims.iter().enumerate() {
            let times = if i > 0 || self.factor != 1 { " * " } else { "" };
            write!(f, "{times}{dim}")?;
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

/// `2 * Z + T * V + 1`
fn size(input: ParseStream<'_>) -> syn::Result<NetworkSize> {
    let mut terms = vec![term(input)?];
    while input.peek(Token![+]) {
        input.parse::<Token![+]>()?;
        terms.push(term(input)?);
    }
    Ok(NetworkSize { terms })
}

/// `2 * H * W`
fn term(input: ParseStream<'_>) -> syn::Result<SizeTerm> {
    let mut term = SizeTerm { factor: 1, dims: Vec::new() };
    loop {
        if input.peek(LitInt) {
            let literal: LitInt = input.parse()?;
            let number: usize = literal.base10_parse().map_err(|_| syn::Error::new(literal.span(), messages::NET))?;
            let product = term.factor.checked_mul(number).filter(|product| (1..=MOST_PARTS).contains(product));
            term.factor = product.ok_or_else(|| syn::Error::new(literal.span(), messages::NET_FACTOR))?;
        } else if input.peek(Ident::peek_any) {
            term.dims.push(name(input, messages::NET)?);
        } else {
            return Err(syn::Error::new(here_or_before(input), messages::NET));
        }
        if !input.peek(Token![*]) {
            return Ok(term);
        }
        input.parse::<Token![*]>()?;
    }
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
