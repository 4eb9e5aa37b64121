//! The compiler behind `ppl_core::model!`.
#![allow(dead_code)]

mod catalogue;
mod check;
mod diagnostics;
mod expand;
mod ir;
mod messages;
mod pipeline;
mod registry;
mod syntax;

/// Declares a probabilistic model.
#[proc_macro]
pub fn model(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline::model(tokens.into()).into()
}

/// The registry of ppl-core: an internal macro.
#[doc(hidden)]
#[proc_macro]
pub fn __registry(_tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    registry::registry().into()
}
