//! What is checked of a lowered model: each rule a file, this page their list.

pub(crate) mod bounds;
pub(crate) mod coverage;
pub(crate) mod order;
pub(crate) mod plates;
pub(crate) mod supports;

use crate::diagnostics::Diagnostics;
use crate::ir::Model;

/// Reports everything that is wrong with a model.
pub(crate) fn check(model: &mut Model, diagnostics: &mut Diagnostics) {
    coverage::check(model, diagnostics);
    coverage::check_derivatives(model, diagnostics);
    order::check(model, diagnostics);
    bounds::check(model, diagnostics);
    supports::check(model, diagnostics);
}
