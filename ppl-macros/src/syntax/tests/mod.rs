//! The parser under test: trees, texts, sentences on their tokens, and half-typed models.

mod recovery;
mod sentences;
mod trees;

use super::{Model, parse};
use crate::diagnostics::Diagnostics;

/// What was parsed, and the errors.
fn parse_all(source: &str) -> (Option<Model>, Vec<syn::Error>) {
    let mut diagnostics = Diagnostics::default();
    let model = parse(source.parse().unwrap(), &mut diagnostics);
    (model, diagnostics.finish().into_iter().flatten().collect())
}

/// A model without errors.
fn parse_ok(source: &str) -> Model {
    let (model, errors) = parse_all(source);
    assert!(errors.is_empty(), "{source}: {errors:?}");
    model.unwrap()
}

/// The text of an expression that was parsed.
fn expression(source: &str) -> super::Expr {
    match parse_ok(&format!("M() {{ let q = {source}; }}")).body.pop() {
        Some(super::Stmt::Let { value, .. }) => value,
        other => panic!("{other:?}"),
    }
}
