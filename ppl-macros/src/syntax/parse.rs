//! From tokens to the surface tree; what does not parse is reported and skipped, so that several errors are seen at once.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};

use super::{Argument, ArgumentType, Element, ElementKind, Lhs, Model, Range, Stmt};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// Parses the body of `model!`.
pub(crate) fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Model> {
    let mut parsed = None;
    // What a statement that did not parse leaves unread is no further error, so the verdict of syn on it is not asked for.
    let _ = Parser::parse2(
        |input: ParseStream<'_>| {
            parsed = Some(model(input, diagnostics));
            Ok(())
        },
        tokens,
    );
    match parsed {
        Some(Ok(model)) => Some(model),
        Some(Err(error)) => {
            diagnostics.push_error(error);
            None
        }
        None => None,
    }
}

fn model(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Model> {
    let (attrs, krate) = attributes(input)?;
    let vis: syn::Visibility = input.parse()?;
    if input.is_empty() {
        return Err(input.error(messages::EMPTY_MODEL));
    }
    let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::NO_NAME))?;
    let mut arguments = Vec::new();
    if input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        separated(&content, diagnostics, argument, &mut arguments);
    } else {
        diagnostics.push(input.span(), messages::no_arguments(&name));
    }
    let mut body = Vec::new();
    if input.peek(syn::token::Brace) {
        let content;
        syn::braced!(content in input);
        body = statements(&content, diagnostics);
    } else {
        diagnostics.push(input.span(), messages::no_body(&name));
        skip_rest(input);
    }
    if !input.is_empty() {
        diagnostics.push(input.span(), messages::ONE_MODEL);
        skip_rest(input);
    }
    Ok(Model { attrs, krate, vis, name, arguments, body })
}

/// Attributes, of which `#[ppl(crate = path)]` is taken out.
fn attributes(input: ParseStream<'_>) -> syn::Result<(Vec<syn::Attribute>, syn::Path)> {
    let mut krate: syn::Path = syn::parse_quote!(::ppl_core);
    let mut attrs = Vec::new();
    for attr in input.call(syn::Attribute::parse_outer)? {
        if !attr.path().is_ident("ppl") {
            attrs.push(attr);
            continue;
        }
        attr.parse_args_with(|input: ParseStream<'_>| {
            if !input.peek(Token![crate]) {
                return Err(input.error(messages::PPL_ATTRIBUTE));
            }
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = syn::Path::parse_mod_style(input)?;
            Ok(())
        })?;
    }
    Ok((attrs, krate))
}

fn skip_rest(input: ParseStream<'_>) {
    while !input.is_empty() {
        let _ = input.parse::<TokenTree>();
    }
}

/// Items between commas, each skipped to the next comma if it does not parse.
fn separated<T>(
    input: ParseStream<'_>,
    diagnostics: &mut Diagnostics,
    item: fn(ParseStream<'_>) -> syn::Result<T>,
    items: &mut Vec<T>,
) {
    while !input.is_empty() {
        match item(input) {
            Ok(parsed) => {
                items.push(parsed);
                if !input.is_empty() && !input.peek(Token![,]) {
                    diagnostics.push(input.span(), messages::COMMA);
                }
            }
            Err(error) => diagnostics.push_error(error),
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            let _ = input.parse::<TokenTree>();
        }
        let _ = input.parse::<Token![,]>();
    }
}

fn argument(input: ParseStream<'_>) -> syn::Result<Argument> {
    let attrs = input.call(syn::Attribute::parse_outer)?;
    let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::ARGUMENT))?;
    if !input.peek(Token![:]) {
        return Err(syn::Error::new(name.span(), messages::argument_type(&name)));
    }
    input.parse::<Token![:]>()?;
    let ty = argument_type(input)?;
    Ok(Argument { attrs, name, ty })
}

fn argument_type(input: ParseStream<'_>) -> syn::Result<ArgumentType> {
    if input.peek(Token![&]) {
        return Err(input.error(messages::REFERENCE_TYPE));
    }
    if input.peek(syn::token::Bracket) {
        let content;
        syn::bracketed!(content in input);
        let element = element(&content)?;
        if !content.peek(Token![;]) {
            return Err(syn::Error::new(element.span, messages::ARRAY_TYPE));
        }
        content.parse::<Token![;]>()?;
        let dims: Vec<Ident> = content
            .parse_terminated(
                |input: ParseStream<'_>| {
                    input.parse::<Ident>().map_err(|error| syn::Error::new(error.span(), messages::DIMENSION))
                },
                Token![,],
            )?
            .into_iter()
            .collect();
        return match dims.len() {
            0 => Err(syn::Error::new(element.span, messages::ARRAY_TYPE)),
            1..=3 => Ok(ArgumentType::Array { element, dims }),
            _ => Err(syn::Error::new(dims[3].span(), messages::TOO_MANY_AXES)),
        };
    }
    if input.peek(Ident) && !input.peek(Token![in]) {
        let ahead = input.fork();
        let word: Ident = ahead.parse()?;
        if word == "usize" {
            input.parse::<Ident>()?;
            return Ok(ArgumentType::Size);
        }
        if word == "net" {
            return Err(syn::Error::new(word.span(), messages::NET));
        }
    }
    let element = element(input)?;
    Ok(ArgumentType::Array { element, dims: Vec::new() })
}

fn element(input: ParseStream<'_>) -> syn::Result<Element> {
    if input.peek(Token![in]) {
        let span = input.parse::<Token![in]>()?.span;
        let dim: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::IN_DIMENSION))?;
        return Ok(Element { kind: ElementKind::Index(dim), span });
    }
    let word: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::TYPE))?;
    let span = word.span();
    let kind = match word.to_string().as_str() {
        "f64" => ElementKind::F64,
        "f32" => ElementKind::F32,
        "u64" => ElementKind::U64,
        "bool" => ElementKind::Bool,
        "Option" => {
            input.parse::<Token![<]>()?;
            element(input)?;
            input.parse::<Token![>]>()?;
            ElementKind::Option
        }
        other => return Err(syn::Error::new(span, messages::unknown_type(other))),
    };
    Ok(Element { kind, span })
}

/// Statements up to the end of a block.
fn statements(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Vec<Stmt> {
    let mut body = Vec::new();
    while !input.is_empty() {
        match statement(input, diagnostics) {
            Ok(stmt) => body.push(stmt),
            Err(error) => {
                diagnostics.push_error(error);
                skip_statement(input);
            }
        }
    }
    body
}

/// Skips to the end of a statement that did not parse.
fn skip_statement(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.peek(Token![;]) {
            let _ = input.parse::<Token![;]>();
            return;
        }
        if let Ok(TokenTree::Group(group)) = input.parse::<TokenTree>()
            && group.delimiter() == Delimiter::Brace
            && !input.peek(Token![;])
            && !input.peek(Token![else])
        {
            return;
        }
    }
}

fn statement(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Stmt> {
    if input.peek(Token![for]) {
        return for_statement(input, diagnostics);
    }
    if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        if input.peek(Token![mut]) {
            return Err(input.error(messages::LET_MUT));
        }
        let lhs = lhs(input)?;
        if input.peek(Token![~]) {
            return Err(input.error(messages::let_tilde(&lhs.name)));
        }
        if !input.peek(Token![=]) {
            return Err(input.error(messages::let_equals(&lhs.name)));
        }
        input.parse::<Token![=]>()?;
        let value = super::expression::expression(input)?;
        end(input, &lhs.name)?;
        return Ok(Stmt::Let { lhs, value });
    }
    for (keyword, message) in [
        (input.peek(Token![while]) || input.peek(Token![loop]), messages::LOOP),
        (input.peek(Token![if]), messages::IF_STATEMENT),
        (
            input.peek(Token![return]) || input.peek(Token![fn]) || input.peek(Token![match]) || input.peek(Token![use]),
            messages::RUST,
        ),
        (input.peek(Token![;]), messages::SEMICOLON),
    ] {
        if keyword {
            return Err(input.error(message));
        }
    }
    if input.peek(Ident) && !input.peek2(Token![~]) && !input.peek2(syn::token::Bracket) {
        let word: Ident = input.fork().parse()?;
        match word.to_string().as_str() {
            "factor" if input.peek2(syn::token::Paren) => {
                input.parse::<Ident>()?;
                let content;
                syn::parenthesized!(content in input);
                let value = super::expression::expression(&content)?;
                if !content.is_empty() {
                    return Err(content.error(messages::FACTOR_ONE));
                }
                end(input, &word)?;
                return Ok(Stmt::Factor { value });
            }
            "param" => return Err(syn::Error::new(word.span(), messages::PARAM)),
            "sum" if !input.peek2(syn::token::Paren) => return Err(syn::Error::new(word.span(), messages::SUM_BLOCK)),
            _ => {}
        }
    }
    sample(input)
}

fn for_statement(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Stmt> {
    input.parse::<Token![for]>()?;
    let var: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::FOR_NAME))?;
    input.parse::<Token![in]>().map_err(|error| syn::Error::new(error.span(), messages::for_in(&var)))?;
    let range = range(input)?;
    if !input.peek(syn::token::Brace) {
        return Err(input.error(messages::for_body(&var)));
    }
    let content;
    syn::braced!(content in input);
    let body = statements(&content, diagnostics);
    Ok(Stmt::For { var, range, body })
}

/// A dimension, or `from..to`.
pub(super) fn range(input: ParseStream<'_>) -> syn::Result<Range> {
    if input.peek(Ident)
        && !input.peek2(Token![..])
        && !input.peek2(Token![+])
        && !input.peek2(Token![-])
        && !input.peek2(Token![*])
    {
        return Ok(Range::Dim(input.parse()?));
    }
    let from = super::expression::expression(input)?;
    if input.peek(Token![..=]) {
        return Err(input.error(messages::INCLUSIVE_RANGE));
    }
    if !input.peek(Token![..]) {
        return Err(syn::Error::new(from.span, messages::RANGE));
    }
    input.parse::<Token![..]>()?;
    let to = super::expression::expression(input)?;
    Ok(Range::Between { from, to })
}

fn lhs(input: ParseStream<'_>) -> syn::Result<Lhs> {
    let name: Ident = input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), messages::LHS))?;
    let mut index = Vec::new();
    if input.peek(syn::token::Bracket) {
        index = super::expression::indices(input)?;
    }
    Ok(Lhs { name, index })
}

fn sample(input: ParseStream<'_>) -> syn::Result<Stmt> {
    let plain = input.peek(Ident) && (input.peek2(Token![~]) || input.peek2(syn::token::Bracket));
    if !plain {
        let expr = super::expression::expression(input)?;
        if input.peek(Token![~]) {
            return Err(syn::Error::new(expr.span, messages::EXPRESSION_LEFT));
        }
        let name = match &expr.kind {
            super::ExprKind::Name(name) => Some(name),
            _ => None,
        };
        return Err(not_a_statement(input, expr.span, name));
    }
    let lhs = lhs(input)?;
    if !input.peek(Token![~]) {
        return Err(not_a_statement(input, lhs.name.span(), Some(&lhs.name)));
    }
    input.parse::<Token![~]>()?;
    let distribution = super::expression::expression(input)?;
    if input.peek(Ident) {
        let word: Ident = input.fork().parse()?;
        if word == "sampled" {
            return Err(syn::Error::new(word.span(), messages::SAMPLED));
        }
    }
    end(input, &lhs.name)?;
    Ok(Stmt::Sample { lhs, distribution })
}

/// What stands where `~` should.
fn not_a_statement(input: ParseStream<'_>, span: Span, name: Option<&Ident>) -> syn::Error {
    let name = name.map_or_else(|| "x".to_owned(), ToString::to_string);
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        return input.error(messages::equals(&name));
    }
    if input.peek(Token![:]) || input.peek(Token![<-]) || input.peek(Token![==]) || input.peek(Token![+=]) {
        return input.error(messages::tilde(&name));
    }
    syn::Error::new(span, messages::statement(&name))
}

/// The `;` of a statement.
fn end(input: ParseStream<'_>, name: &Ident) -> syn::Result<()> {
    if input.peek(Token![;]) {
        input.parse::<Token![;]>()?;
        return Ok(());
    }
    if input.peek(Token![^]) {
        return Err(input.error(messages::POWER));
    }
    if input.peek(Token![%]) {
        return Err(input.error(messages::REMAINDER));
    }
    if input.peek(Token![as]) {
        return Err(input.error(messages::CAST));
    }
    let span = if input.is_empty() { name.span() } else { input.span() };
    Err(syn::Error::new(span, messages::missing_semicolon(name)))
}
