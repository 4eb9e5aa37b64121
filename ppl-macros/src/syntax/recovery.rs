//! Going on after an error: names that are refused by name, and where a piece that did not parse ends.

use proc_macro2::{Delimiter, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use crate::messages;

/// An error on the next token, or on the bracket that closes where there is none.
pub(super) fn error_here(input: ParseStream<'_>, message: impl std::fmt::Display) -> syn::Error {
    // `ParseBuffer::error` would put "unexpected end of input" before the sentence.
    syn::Error::new(input.span(), message)
}

/// The next token, or the last one where there is none.
pub(super) fn here_or_before(input: ParseStream<'_>) -> Span {
    if input.is_empty() { input.cursor().prev_span() } else { input.span() }
}

/// A name; the words of Rust and `_` are refused as what they are, anything else with `message`.
pub(super) fn name(input: ParseStream<'_>, message: &str) -> syn::Result<Ident> {
    if input.peek(Ident) {
        return input.parse();
    }
    if input.peek(Token![_]) {
        return Err(error_here(input, messages::UNDERSCORE));
    }
    if input.peek(Ident::peek_any) {
        return Err(keyword(input));
    }
    Err(error_here(input, message))
}

/// The error for a word of Rust that stands where a name should.
pub(super) fn keyword(input: ParseStream<'_>) -> syn::Error {
    match input.fork().call(Ident::parse_any) {
        Ok(word) => syn::Error::new(word.span(), messages::keyword(&word)),
        Err(error) => error,
    }
}

/// Attributes and documentation.
pub(super) fn attributes(input: ParseStream<'_>) -> syn::Result<Vec<syn::Attribute>> {
    if input.peek(Token![#]) && !input.peek2(syn::token::Bracket) {
        return Err(error_here(input, messages::ATTRIBUTE));
    }
    input.call(syn::Attribute::parse_outer).map_err(|error| syn::Error::new(error.span(), messages::ATTRIBUTE))
}

/// Whether a statement `word name ..` begins here: elsewhere `word` is a name like any other.
pub(super) fn begins_with(input: ParseStream<'_>, word: &str) -> bool {
    let found = input.peek(Ident) && input.fork().parse::<Ident>().is_ok_and(|found| found == word);
    found && (input.peek2(Ident::peek_any) || input.peek2(Token![_]) || input.peek2(syn::Lit))
}

/// Whether a statement begins here that has a word of its own: no two names stand side by side in an expression.
pub(super) fn begins_worded(input: ParseStream<'_>) -> bool {
    ["param", "auto", "sum", "ode"].into_iter().any(|word| begins_with(input, word))
}

/// Skips a token.
pub(super) fn skip(input: ParseStream<'_>) {
    let _ = input.parse::<TokenTree>();
}

/// Skips all that is left.
pub(super) fn skip_rest(input: ParseStream<'_>) {
    while !input.is_empty() {
        skip(input);
    }
}

/// Skips to the end of a statement that did not parse: over its `;` or its block; with `resume`, also to the next `let`, `for`,
/// `param` or `auto`, which stand in no expression, so that a missing `;` costs one statement.
pub(super) fn skip_statement(input: ParseStream<'_>, resume: bool) {
    while !input.is_empty() {
        if resume && (input.peek(Token![let]) || input.peek(Token![for]) || begins_worded(input)) {
            return;
        }
        match input.parse::<TokenTree>() {
            Ok(TokenTree::Punct(punct)) if punct.as_char() == ';' => return,
            Ok(TokenTree::Group(group))
                if group.delimiter() == Delimiter::Brace && !input.peek(Token![;]) && !input.peek(Token![else]) =>
            {
                return;
            }
            _ => {}
        }
    }
}

/// Skips to the comma before the next argument: the commas of `HashMap<K, V>` are not such.
pub(super) fn skip_argument(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.peek(Token![,]) {
            let ahead = input.fork();
            skip(&ahead);
            let typed = ahead.peek2(Token![:]) && !ahead.peek2(Token![::]);
            let half_typed = ahead.peek(Ident) && (ahead.peek2(Token![,]) || followed_by_nothing(&ahead));
            if ahead.is_empty() || typed || half_typed || ahead.peek(Token![#]) {
                return;
            }
        }
        skip(input);
    }
}

fn followed_by_nothing(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    skip(&ahead);
    ahead.is_empty()
}
