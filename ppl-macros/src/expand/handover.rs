//! The hidden macro of a model's name, which hands the checked model to any macro: `Radon!(some::callback! { more })` becomes
//! `some::callback! { { the canonical text of Radon } more }`.
//!
//! Macros and types do not share names, so a `use` of the struct brings the macro too. `macro_rules!` knows no visibility: it is
//! defined under a name of its own and imported under that of the model as far as the model is seen. Beyond its crate a macro is
//! only seen under `#[macro_export]`, which puts it at the root of the crate, where each needs another name.
//!
//! A path of the user's that begins with `crate` means the crate of the model wherever the text is used; any other name of Rust has
//! to be in scope there.
//!
//! Rust finds a macro ambiguous that was made by a macro and hides one of the same name in a scope around it. So a model in the body
//! of a function is not handed over while a model outside has its name; both are models all the same.

use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::ir::{Model, display};

/// The macro of a model without errors; `number` is another one for each model of a crate.
pub(crate) fn expand(model: &Model, number: usize) -> TokenStream {
    of_tokens(&model.vis, &model.name, display::tokens(model), number)
}

/// The macro that hands over these tokens.
pub(crate) fn of_tokens(vis: &syn::Visibility, name: &Ident, tokens: TokenStream, number: usize) -> TokenStream {
    let text = from_anywhere(tokens);
    // A path cannot be followed by `!` in a pattern, so it is matched by its words.
    let rules = quote! {
        ($($word:ident)::+ ! { $($more:tt)* }) => { $($word)::+ ! { { #text } $($more)* } };
        (:: $($word:ident)::+ ! { $($more:tt)* }) => { :: $($word)::+ ! { { #text } $($more)* } };
    };
    definition(vis, name, number, &rules)
}

/// The macro of a model with errors: it hands over nothing, so that only those errors are seen.
pub(crate) fn stub(model: &Model, number: usize) -> TokenStream {
    definition(&model.vis, &model.name, number, &quote!(($($any:tt)*) => {};))
}

/// Writes `$crate` where a path begins with `crate`.
fn from_anywhere(tokens: TokenStream) -> TokenStream {
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), from_anywhere(group.stream()));
                inner.set_span(group.span());
                found.push(TokenTree::from(inner));
            }
            TokenTree::Ident(word) => {
                let path = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                if path && word == "crate" {
                    found.push(Punct::new('$', Spacing::Alone).into());
                }
                found.push(word.into());
            }
            other => found.push(other),
        }
    }
    found.into_iter().collect()
}

fn definition(vis: &syn::Visibility, name: &Ident, number: usize, rules: &TokenStream) -> TokenStream {
    let hidden: Ident = format_ident!("__ppl_model_{}_{}", name, number, span = Span::mixed_site());
    let export = matches!(vis, syn::Visibility::Public(_)).then(|| quote!(#[macro_export]));
    quote! {
        #[doc(hidden)]
        #export
        #[allow(unused_macros, non_local_definitions)]
        macro_rules! #hidden { #rules }

        #[doc(hidden)]
        #[allow(unused_imports, unreachable_pub)]
        #vis use #hidden as #name;
    }
}
