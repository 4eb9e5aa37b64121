//! Bounds of latents and parameters, and times of differential equations: they are known wherever a model is bound, also where its observed arrays are to
//! be predicted.

use crate::diagnostics::Diagnostics;
use crate::ir::{Bounds, Model, SiteKind, StmtKind, visit};
use crate::messages;

/// Reports bounds and times that are made of observed data.
pub(crate) fn check(model: &Model, diagnostics: &mut Diagnostics) {
    let mut refuse = |bounds: &Bounds| {
        for bound in [&bounds.lower, &bounds.upper].into_iter().flatten() {
            visit::data(model, bound, &mut |arg, span| {
                if model.args[arg].covered {
                    diagnostics.push(
                        span,
                        format!(
                            "a bound is not made of observed data, which predictions do not have; make what it takes of `{}` an argument",
                            model.args[arg].name
                        ),
                    );
                }
            });
        }
    };
    let latents = model.sites.iter().filter(|site| site.kind == SiteKind::Latent);
    latents.filter_map(|site| site.bounds.as_ref()).for_each(&mut refuse);
    visit::statements(&model.body, &mut |stmt| {
        if let StmtKind::Param { bounds: Some(bounds), .. } = &stmt.kind {
            refuse(bounds);
        }
    });
    visit::statements(&model.body, &mut |stmt| {
        let StmtKind::Ode(block) = &stmt.kind else { return };
        for time in [&block.from, &block.to] {
            visit::data(model, time, &mut |arg, span| {
                if model.args[arg].site.is_some() {
                    diagnostics.push(span, messages::ODE_OBSERVED);
                }
            });
        }
    });
}
