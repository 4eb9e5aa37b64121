//! The compiler on one page: parse, lower, check, expand, with a barrier where all collected errors are reported at once.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::diagnostics::Diagnostics;
use crate::{check, expand, ir, rows, syntax};

/// Compiles the body of `model!`.
pub(crate) fn model(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Some(model) = syntax::parse(tokens.clone(), &mut diagnostics) else {
        return errors(diagnostics);
    };
    if rows::has_networks(&model) {
        return of_rows(model, tokens, diagnostics);
    }
    if !diagnostics.is_empty() {
        // The stub items are those of what did parse; what is wrong with that is said once the rest parses too.
        let mut stub = ir::lower::lower(model, &mut Diagnostics::default());
        return with_stub(diagnostics, &mut stub);
    }
    let mut model = ir::lower::lower(model, &mut diagnostics);
    if diagnostics.is_empty() {
        check::check(&mut model, &mut diagnostics);
    }
    if !diagnostics.is_empty() {
        return with_stub(diagnostics, &mut model);
    }
    let mut out = expand::expand(&model);
    // Last, and no part of `EXPANSION`: who reads or snapshots generated code looks for the log joint, not for the model once more.
    if !model.row {
        out.extend(expand::handover::expand(&model, next_number()));
    }
    out
}

/// Compiles a model with networks: its row, and what feeds it.
fn of_rows(model: syntax::Model, tokens: TokenStream, mut diagnostics: Diagnostics) -> TokenStream {
    let (name, vis, attrs, single) = (model.name.clone(), model.vis.clone(), model.attrs.clone(), rows::is_single(&model));
    // The stub items are those of what did parse; what is wrong with that is said once the rest parses too.
    let (parsed, mut found) = (diagnostics.is_empty(), Diagnostics::default());
    let lifted = rows::lift(model, None, &mut found);
    let Some(mut lifted) = lifted else { return errors(if parsed { found } else { diagnostics }) };
    // What is wrong with the row because something is wrong with the plate is not said twice.
    let mut of_row = Diagnostics::default();
    let (globals, mut row) = rows::lower(&mut lifted, single, &mut of_row);
    if found.is_empty() {
        found = of_row;
    }
    if parsed {
        diagnostics = found;
    }
    let fine = diagnostics.is_empty();
    let mut out = errors(diagnostics);
    let globals = globals.filter(|_| fine);
    out.extend(if fine { expand::expand(&row) } else { expand::fallback::expand(&mut row) });
    out.extend(globals.as_ref().map(expand::expand));
    out.extend(rows::expand(&lifted, &row, globals.as_ref(), &name, &attrs));
    out.extend(automatic(&lifted, &row, &name, fine));
    out.extend(expand::handover::of_tokens(&vis, &name, tokens, next_number()));
    out
}

/// The guide of a model with networks that takes none of its own: each row has its own location and scale of each latent.
fn automatic(rows: &rows::Rows, row: &ir::Model, name: &Ident, fine: bool) -> TokenStream {
    let compile = |model: syntax::Model| {
        let mut diagnostics = Diagnostics::default();
        let mut model = ir::lower::lower(model, &mut diagnostics);
        model.single = row.single;
        check::check(&mut model, &mut diagnostics);
        // What is written here has no errors; one that it has after all is said rather than compiled.
        let code = if diagnostics.is_empty() { expand::expand(&model) } else { errors(diagnostics) };
        (model, code)
    };
    if rows.latents.is_empty() || !fine {
        let nothing = rows.nothing();
        let of_row = rows::no_guide(rows, name, &nothing.name);
        return [compile(nothing).1, of_row].into_iter().collect();
    }
    if rows.discretes.iter().any(rows::Discrete::is_count) {
        return TokenStream::new();
    }
    let mut guide = rows::automatic(rows, row);
    let model = guide.take_row();
    let automatic = {
        let krate = &model.krate;
        quote!(#krate::amortized::Automatic)
    };
    let (compiled, code) = compile(model);
    let of_row = rows::row_guide((&guide, &compiled), &automatic, "Automatic", &quote!(#name), row.single);
    [code, of_row].into_iter().collect()
}

/// Counts the models of a crate, in the order in which rustc meets them.
fn next_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn with_stub(diagnostics: Diagnostics, model: &mut ir::Model) -> TokenStream {
    let mut out = errors(diagnostics);
    out.extend(expand::fallback::expand(model));
    out.extend(expand::handover::stub(model, next_number()));
    out
}

fn errors(diagnostics: Diagnostics) -> TokenStream {
    diagnostics.finish().map(|error| error.to_compile_error()).unwrap_or_default()
}
