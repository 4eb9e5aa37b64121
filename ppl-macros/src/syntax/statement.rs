//! Statements: `~`, `let`, `param`, `auto`, `factor`, `for` and `sum`; one that does not parse is reported and skipped.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::auto::auto;
use super::call::indices;
use super::expression::expression;
use super::network::split;
use super::ode::{equation, ode};
use super::param::param;
use super::recovery::{attributes, begins_with, begins_worded, error_here, here_or_before, keyword, name, skip, skip_statement};
use super::{BinaryOp, Expr, ExprKind, Lhs, Range, Stmt};
use crate::diagnostics::Diagnostics;
use crate::messages;

/// Statements up to the end of a block.
pub(super) fn statements(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Vec<Stmt> {
    let mut body = Vec::new();
    while !input.is_empty() {
        let ours = input.peek(Ident) || input.peek(Token![let]) || input.peek(Token![for]);
        match statement(input, diagnostics) {
            Ok(stmt) => body.extend(stmt),
            Err(error) => {
                diagnostics.push_error(error);
                // In Rust, such as `if let` or `impl .. for`, the words `let` and `for` do not begin a statement.
                skip_statement(input, ours);
            }
        }
    }
    body
}

/// A statement; `None` if it was reported and skipped.
fn statement(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    if input.peek(Token![#]) {
        let span = input.span();
        attributes(input)?;
        diagnostics.push(span, messages::STATEMENT_ATTRIBUTE);
        return Ok(None);
    }
    if input.peek(Token![for]) {
        return for_statement(input, diagnostics);
    }
    if input.peek(Token![let]) {
        return let_statement(input, diagnostics);
    }
    if begins_with(input, "param") {
        return param(input, diagnostics);
    }
    if begins_with(input, "sum") {
        return sum_statement(input, diagnostics);
    }
    if begins_with(input, "ode") {
        return ode(input, diagnostics);
    }
    if begins_with(input, "auto") {
        return auto(input, diagnostics).map(Some);
    }
    not_of_the_language(input)?;
    if input.peek(Ident) && !input.peek2(Token![~]) && !input.peek2(syn::token::Bracket) {
        let word: Ident = input.fork().parse()?;
        match word.to_string().as_str() {
            "factor" if input.peek2(syn::token::Paren) => return factor(input, diagnostics).map(Some),
            "start" | "d" if input.peek2(syn::token::Paren) => return equation(input, &word, diagnostics),
            _ => {}
        }
    }
    sample(input, diagnostics)
}

/// What Rust has and the language has not.
fn not_of_the_language(input: ParseStream<'_>) -> syn::Result<()> {
    for (found, message) in [
        (input.peek(Token![while]) || input.peek(Token![loop]), messages::LOOP),
        (input.peek(Token![if]), messages::IF_STATEMENT),
        (input.peek(Token![;]), messages::SEMICOLON),
        (input.peek(Token![_]), messages::UNDERSCORE),
        (input.peek(syn::token::Brace), messages::STATEMENT_BLOCK),
    ] {
        if found {
            return Err(error_here(input, message));
        }
    }
    let path = input.peek(Token![crate]) || input.peek(Token![self]) || input.peek(Token![super]);
    if input.peek(Ident) || path || input.peek(syn::LitBool) || !input.peek(Ident::peek_any) {
        return Ok(());
    }
    let as_name = input.peek2(Token![~]) || input.peek2(Token![=]) || input.peek2(syn::token::Bracket);
    Err(if as_name { keyword(input) } else { error_here(input, messages::RUST) })
}

/// `for name in range { statements }`
fn for_statement(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    let header = for_header(input);
    let failed = header.is_err();
    let header = header.map_err(|error| diagnostics.push_error(error)).ok();
    // The statements of a loop whose head is wrong are read for their own errors.
    while failed && !input.is_empty() && !input.peek(syn::token::Brace) && !input.peek(Token![;]) {
        skip(input);
    }
    if !input.peek(syn::token::Brace) {
        if let Some((var, _)) = header {
            return Err(syn::Error::new(here_or_before(input), messages::for_body(&var)));
        }
        skip_statement(input, true);
        return Ok(None);
    }
    let content;
    syn::braced!(content in input);
    let body = statements(&content, diagnostics);
    Ok(header.map(|(var, range)| Stmt::For { var, range, body }))
}

pub(super) fn for_header(input: ParseStream<'_>) -> syn::Result<(Ident, Range)> {
    let span = input.parse::<Token![for]>()?.span;
    if input.is_empty() {
        return Err(syn::Error::new(span, messages::FOR_NAME));
    }
    if input.peek(Token![in]) {
        return Err(error_here(input, messages::FOR_NAME));
    }
    let var = name(input, messages::FOR_NAME)?;
    if !input.peek(Token![in]) {
        return Err(syn::Error::new(here_or_before(input), messages::for_in(&var)));
    }
    input.parse::<Token![in]>()?;
    if input.is_empty() || input.peek(syn::token::Brace) {
        return Err(error_here(input, messages::RANGE));
    }
    Ok((var, range(input)?))
}

/// `sum name in range ~ distribution { statements }`, or `sum name[time] in range for time in times { statements }`
fn sum_statement(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    input.parse::<Ident>()?;
    let var = name(input, messages::SUM)?;
    let time = if input.peek(syn::token::Bracket) { Some(time(&var, &indices(input)?)?) } else { None };
    let missing = |input: ParseStream<'_>| Err(syn::Error::new(here_or_before(input), messages::sum_in(&var)));
    if !input.peek(Token![in]) {
        return missing(input);
    }
    input.parse::<Token![in]>()?;
    if input.is_empty() || input.peek(syn::token::Brace) || input.peek(Token![~]) || input.peek(Token![for]) {
        return missing(input);
    }
    let over = range(input)?;
    let head = match time {
        None => {
            if !input.peek(Token![~]) {
                return Err(syn::Error::new(here_or_before(input), messages::sum_prior(&var)));
            }
            let tilde = input.parse::<Token![~]>()?.span;
            if input.is_empty() || input.peek(syn::token::Brace) {
                return Err(syn::Error::new(tilde, messages::sum_prior(&var)));
            }
            let distribution = expression(input)?;
            Stmt::Sum { var: var.clone(), range: over, distribution, body: Vec::new() }
        }
        Some(time) => {
            if !input.peek(Token![for]) {
                return Err(syn::Error::new(here_or_before(input), messages::chain_for(&var, &time)));
            }
            let (bound, times) = for_header(input)?;
            if bound != time {
                return Err(syn::Error::new(bound.span(), messages::chain_for(&var, &time)));
            }
            Stmt::Chain { var: var.clone(), time, range: over, times, body: Vec::new() }
        }
    };
    if !input.peek(syn::token::Brace) {
        return Err(syn::Error::new(here_or_before(input), messages::sum_body(&var)));
    }
    let content;
    syn::braced!(content in input);
    let inner = statements(&content, diagnostics);
    Ok(Some(match head {
        Stmt::Sum { var, range, distribution, .. } => Stmt::Sum { var, range, distribution, body: inner },
        Stmt::Chain { var, time, range, times, .. } => Stmt::Chain { var, time, range, times, body: inner },
        other => other,
    }))
}

/// The name of the steps of a chain.
fn time(var: &Ident, index: &[Expr]) -> syn::Result<Ident> {
    match index {
        [Expr { kind: ExprKind::Name(time), .. }] => Ok(time.clone()),
        _ => Err(syn::Error::new(index.first().map_or(var.span(), |first| first.span), messages::chain_index(var))),
    }
}

/// A dimension, or `from..to`.
pub(super) fn range(input: ParseStream<'_>) -> syn::Result<Range> {
    let from = expression(input)?;
    if input.peek(Token![..=]) {
        return Err(error_here(input, messages::INCLUSIVE_RANGE));
    }
    if input.peek(Token![..]) {
        input.parse::<Token![..]>()?;
        return Ok(Range::Between { from, to: expression(input)? });
    }
    match from.kind {
        ExprKind::Name(name) => Ok(Range::Dim(name)),
        _ => Err(syn::Error::new(from.span, messages::RANGE)),
    }
}

/// `let lhs = value;`
fn let_statement(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    let span = input.parse::<Token![let]>()?.span;
    if input.is_empty() {
        return Err(syn::Error::new(span, messages::LHS));
    }
    if input.peek(Token![mut]) {
        return Err(error_here(input, messages::LET_MUT));
    }
    if input.peek(syn::token::Paren) {
        return split(input, diagnostics).map(Some);
    }
    let name = name(input, messages::LHS)?;
    let index = if input.peek(syn::token::Bracket) { indices(input)? } else { Vec::new() };
    if input.peek(Token![~]) {
        return Err(error_here(input, messages::let_tilde(&name)));
    }
    if input.peek(Token![:]) && !input.peek2(Token![=]) {
        return Err(error_here(input, messages::LET_TYPE));
    }
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        return Err(syn::Error::new(here_or_before(input), messages::let_equals(&name)));
    }
    let equals = input.parse::<Token![=]>()?.span;
    if value_is_missing(input) {
        diagnostics.push(equals, messages::let_equals(&name));
        return Ok(None);
    }
    let value = expression(input)?;
    end(input, &name.to_string(), diagnostics)?;
    Ok(Some(Stmt::Let { lhs: Lhs { name, index }, value }))
}

/// `factor(value);`
fn factor(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Stmt> {
    input.parse::<Ident>()?;
    let content;
    syn::parenthesized!(content in input);
    let value = expression(&content)?;
    if !content.is_empty() {
        let message = if content.peek(Token![,]) { messages::FACTOR_ONE } else { messages::OPERATOR };
        return Err(error_here(&content, message));
    }
    end(input, "factor", diagnostics)?;
    Ok(Stmt::Factor { value })
}

/// `lhs ~ distribution;`
fn sample(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Option<Stmt>> {
    let left = expression(input)?;
    if !input.peek(Token![~]) {
        return Err(not_a_statement(input, &left));
    }
    let lhs = match left.kind {
        ExprKind::Name(name) => Lhs { name, index: Vec::new() },
        ExprKind::Index { array, index } => Lhs { name: array, index },
        _ => return Err(syn::Error::new(left.span, messages::EXPRESSION_LEFT)),
    };
    let tilde = input.parse::<Token![~]>()?.span;
    if value_is_missing(input) {
        diagnostics.push(tilde, messages::no_distribution(&lhs.name));
        return Ok(None);
    }
    let distribution = expression(input)?;
    let mut sampled = None;
    if input.peek(Ident) {
        let word: Ident = input.fork().parse()?;
        if word == "sampled" {
            sampled = Some(input.parse()?);
        } else if (word == "T" || word == "I") && input.peek2(syn::token::Bracket) && !input.peek3(Token![~]) {
            return Err(syn::Error::new(word.span(), messages::TRUNCATION));
        }
    }
    end(input, &lhs.name.to_string(), diagnostics)?;
    Ok(Some(Stmt::Sample { lhs, distribution, sampled }))
}

/// Whether nothing is typed yet right of `~` or `=`; a `;` that ends nothing is consumed.
pub(super) fn value_is_missing(input: ParseStream<'_>) -> bool {
    if input.peek(Token![;]) {
        return input.parse::<Token![;]>().is_ok();
    }
    input.is_empty() || (begins_binding(input) && !is_loop_value(input))
}

/// Whether `for n in N { .. };` is meant as a value: a statement would have no `;`.
fn is_loop_value(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.is_empty() && !ahead.peek(syn::token::Brace) && !ahead.peek(Token![;]) {
        skip(&ahead);
    }
    skip(&ahead);
    input.peek(Token![for]) && ahead.peek(Token![;])
}

/// What stands where `~` should.
fn not_a_statement(input: ParseStream<'_>, left: &Expr) -> syn::Error {
    // `mu <- 3` and `mu == 3` are comparisons so far.
    if let ExprKind::Binary { op, left: target, right } = &left.kind {
        let arrow = *op == BinaryOp::Lt && begins_with_minus(right);
        if let (true, Some(name)) = (arrow || *op == BinaryOp::Eq, target_name(target)) {
            return syn::Error::new(left.span, messages::equals(name));
        }
    }
    let Some(name) = target_name(left) else { return syn::Error::new(left.span, messages::STATEMENT) };
    for assignment in [input.peek(Token![+=]), input.peek(Token![-=]), input.peek(Token![*=]), input.peek(Token![/=])] {
        if assignment {
            return error_here(input, messages::assign(name));
        }
    }
    if input.peek(Token![=]) || (input.peek(Token![:]) && input.peek2(Token![=])) {
        return error_here(input, messages::equals(name));
    }
    if input.peek(Ident) {
        return error_here(input, messages::tilde(name));
    }
    if input.peek(Token![:]) {
        return error_here(input, messages::statement_type(name));
    }
    syn::Error::new(left.span, messages::STATEMENT)
}

fn begins_with_minus(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Neg(_) => true,
        ExprKind::Binary { left, .. } => begins_with_minus(left),
        _ => false,
    }
}

/// The name in `name` and `name[index]`.
fn target_name(expr: &Expr) -> Option<&Ident> {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Index { array: name, .. } => Some(name),
        _ => None,
    }
}

/// The `;` of a statement. If it alone is missing the statement still counts, so that what follows is read as what it is.
pub(super) fn end(input: ParseStream<'_>, statement: &str, diagnostics: &mut Diagnostics) -> syn::Result<()> {
    if input.peek(Token![;]) {
        input.parse::<Token![;]>()?;
        return Ok(());
    }
    let message = messages::missing_semicolon(statement);
    if !input.is_empty() && !begins_statement(input) {
        return Err(error_here(input, message));
    }
    diagnostics.push(input.cursor().prev_span(), message);
    Ok(())
}

fn begins_statement(input: ParseStream<'_>) -> bool {
    begins_binding(input)
        || (input.peek2(syn::token::Paren)
            && input.fork().parse::<Ident>().is_ok_and(|word| ["factor", "start", "d"].contains(&word.to_string().as_str())))
}

/// Whether a `let`, a `param`, an `auto`, a loop or a `~` begins here: what no value begins with.
fn begins_binding(input: ParseStream<'_>) -> bool {
    let keyword = input.peek(Token![let]) || input.peek(Token![for]) || input.peek(Token![#]);
    let tilde = input.peek2(Token![~]) || (input.peek2(syn::token::Bracket) && input.peek3(Token![~]));
    keyword || begins_worded(input) || (input.peek(Ident) && tilde)
}
