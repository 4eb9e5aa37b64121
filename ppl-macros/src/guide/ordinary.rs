//! Guides of ordinary models: compiled like a model whose data are those of the model, whose parameters are what is optimized.

use proc_macro2::{Ident, TokenStream};

use super::{Guide, covers};
use crate::diagnostics::Diagnostics;
use crate::ir::ArgKind;
use crate::ir::lower::{lower, lower_guide};
use crate::syntax::{Model, Stmt};
use crate::{check, expand, messages};

/// The items of a guide; of one with errors, those that stand for it.
pub(super) fn compile(model: Model, mut guide: Guide, diagnostics: &mut Diagnostics) -> TokenStream {
    let data = model.arguments.clone();
    // What is wrong with the model is said where the model is.
    let mut unsaid = Diagnostics::default();
    let mut model = lower(model, &mut unsaid);
    check::check(&mut model, &mut unsaid);
    let parsed = diagnostics.is_empty();
    let mut stated = Vec::new();
    names(&guide.model.body, &mut stated);
    let auto = take_auto(&mut guide.model.body, diagnostics);
    guide.model.attrs = guide.attrs;
    let mut guide = lower_guide(guide.model, (guide.target, &model, data), &auto, diagnostics);
    let of_guide = guide.guide.as_ref().map_or(0, |of| of.arguments);
    let element = if model.single { ArgKind::F32 } else { ArgKind::F64 };
    for arg in guide.args.iter().skip(of_guide).filter(|arg| matches!(arg.kind, ArgKind::F32 | ArgKind::F64)) {
        if arg.kind != element {
            diagnostics.push(arg.name.span(), messages::guide_precision(&arg.name, if model.single { "f32" } else { "f64" }));
        }
    }
    guide.single = model.single;
    if parsed {
        covers::check(&guide, &model, &stated, diagnostics);
    }
    if diagnostics.is_empty() {
        check::check(&mut guide, diagnostics);
    }
    if diagnostics.is_empty() {
        for (span, message) in expand::refused_latents(&guide) {
            diagnostics.push(span, message);
        }
    }
    if !diagnostics.is_empty() {
        return expand::guide::stub(&guide);
    }
    expand::guide::expand(&guide, &model)
}

/// The names that statements are about, also those that were not understood.
fn names(body: &[Stmt], found: &mut Vec<Ident>) {
    for stmt in body {
        match stmt {
            Stmt::Sample { lhs, .. } | Stmt::Param { lhs, .. } => found.push(lhs.name.clone()),
            Stmt::Auto { names, .. } => found.extend(names.iter().cloned()),
            Stmt::For { body, .. } => names(body, found),
            _ => {}
        }
    }
}

/// Takes out the statements `auto mu, tau;`, and gives the names.
fn take_auto(body: &mut Vec<Stmt>, diagnostics: &mut Diagnostics) -> Vec<Ident> {
    let mut names: Vec<Ident> = Vec::new();
    body.retain(|stmt| {
        let Stmt::Auto { names: own, .. } = stmt else { return true };
        for name in own {
            if names.contains(name) {
                diagnostics.push(name.span(), messages::auto_twice(name));
            } else {
                names.push(name.clone());
            }
        }
        false
    });
    refuse_auto(body, diagnostics);
    names
}

/// Says where `auto` stands in a loop.
fn refuse_auto(body: &mut Vec<Stmt>, diagnostics: &mut Diagnostics) {
    for stmt in body {
        if let Stmt::For { body, .. } = stmt {
            body.retain(|stmt| {
                if let Stmt::Auto { word, .. } = stmt {
                    diagnostics.push(word.span(), messages::AUTO_IN_LOOP);
                    return false;
                }
                true
            });
            refuse_auto(body, diagnostics);
        }
    }
}
