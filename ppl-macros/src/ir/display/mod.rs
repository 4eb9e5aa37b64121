//! The model printed as tokens of its own language: the canonical text, which `model!` reads back to the same model.
//!
//! Canonical means: arguments of a distribution by position in the order of the catalogue, functions before their arguments, no
//! parentheses that precedence does not ask for, numbers folded. Where the language has more than one way, or none:
//!
//! - A parameterization that is not the first of its word keeps the names that choose it: `Bernoulli(logit = eta)`.
//! - Whole axes are written as the user would: `beta[P] ~ ..`, `dot(x[n], beta)`; the loop that the compiler put around is implied.
//! - The size of a dimension as an index stands in parentheses, `x[(N)]`, because a bare `x[N]` is the whole axis.
//! - Numbers that are not finite have no literal and are written as quotients: `1 / 0`. An infinite bound of `Truncated` is left
//!   out if the other is finite, which is the same distribution.
//! - Distributions of the user keep the names of the parameters that were given one: the order is theirs to state.
//! - Paths to Rust (`hill(x)`, `crate::Logistic(0, 1)`, `#[ppl(crate = path)]`) stay as typed: they mean what they mean where the
//!   tokens are used.
//!
//! Each token has the span of its node. Indices have none of their own and get that of the array.
//!
//! Nodes are taken apart field by field: whoever adds one is asked here whether it is printed or follows from the rest.

mod distributions;
mod expressions;
mod indices;
mod statements;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{Arg, ArgKind, DimId, Model};

/// The canonical text of a model without errors.
pub(crate) fn tokens(model: &Model) -> TokenStream {
    #[rustfmt::skip]
    let Model {
        attrs, krate, vis, name, args, body, row,
        // Rows are not written as text.
        shared: _,
        row_guide: _,
        single: _, guide: _, dims: _, sites: _, vars: _, locals: _, factors: _, sums: _, discretes: _, components: _,
        quantity_supports: _,
    } = model;
    let krate = self::krate(krate);
    let args = args.iter().map(|arg| argument(model, arg));
    let body = statements::Printer::new(model).statements(body);
    let row = row.then(|| quote!(#[ppl(row)]));
    quote!(#krate #row #(#attrs)* #vis #name(#(#args),*) { #body })
}

/// `#[ppl(crate = path)]`, unless ppl-core is called so.
fn krate(path: &syn::Path) -> TokenStream {
    let usual: syn::Path = syn::parse_quote!(::ppl_core);
    if *path == usual { TokenStream::new() } else { quote!(#[ppl(crate = #path)]) }
}

/// `name: type`
fn argument(model: &Model, arg: &Arg) -> TokenStream {
    let Arg { attrs, name, kind, dims, missing, site: _, covered: _ } = arg;
    let span = name.span();
    let dim = |dim: &DimId| dimension(model, *dim, span);
    let element = match kind {
        ArgKind::F64 => quote_spanned!(span=> f64),
        ArgKind::F32 => quote_spanned!(span=> f32),
        ArgKind::U64 => quote_spanned!(span=> u64),
        ArgKind::I64 => quote_spanned!(span=> i64),
        ArgKind::Bool => quote_spanned!(span=> bool),
        ArgKind::Size(_) => quote_spanned!(span=> usize),
        ArgKind::Index(over) => {
            let over = dim(over);
            quote_spanned!(span=> in #over)
        }
    };
    let element = if *missing { quote_spanned!(span=> Option<#element>) } else { element };
    if dims.is_empty() {
        return quote_spanned!(span=> #(#attrs)* #name: #element);
    }
    let dims = dims.iter().map(dim);
    quote_spanned!(span=> #(#attrs)* #name: [#element; #(#dims),*])
}

/// The name of a dimension, where it is used.
fn dimension(model: &Model, dim: DimId, span: Span) -> Ident {
    at(&model.dims[dim].name, span)
}

/// A name where it is used.
fn at(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(span);
    name
}
