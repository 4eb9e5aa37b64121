//! The compiler on one page: parse, lower, check, expand, with a barrier where all collected errors are reported at once.

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;
use crate::{check, expand, ir, syntax};

/// Compiles the body of `model!`.
pub(crate) fn model(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Some(model) = syntax::parse(tokens, &mut diagnostics) else {
        return errors(diagnostics);
    };
    let parsed = diagnostics.is_empty();
    let mut model = ir::lower::lower(model, &mut diagnostics);
    if parsed && diagnostics.is_empty() {
        check::check(&mut model, &mut diagnostics);
    }
    if !diagnostics.is_empty() {
        let mut out = errors(diagnostics);
        out.extend(expand::fallback::expand(&mut model));
        return out;
    }
    expand::expand(&model)
}

fn errors(diagnostics: Diagnostics) -> TokenStream {
    diagnostics.finish().map(|error| error.to_compile_error()).unwrap_or_default()
}
