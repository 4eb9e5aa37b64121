//! Coverage: the statements of a latent or a quantity declare each of its elements exactly once; those of data, at most once.

use std::collections::BTreeSet;

use crate::diagnostics::Diagnostics;
use crate::ir::{Affine, DimId, Model, Piece, SiteId, SiteKind, Term};
use crate::messages;

/// Reports elements that are declared twice or not at all.
pub(crate) fn check(model: &mut Model, diagnostics: &mut Diagnostics) {
    let components: BTreeSet<SiteId> = model.components.iter().map(|component| component.site).collect();
    let is_component = |site: SiteId| components.contains(&site);
    for id in 0..model.sites.len() {
        let site = &model.sites[id];
        match coverage(&site.pieces, &site.dims) {
            Coverage::Exact => {
                if let SiteKind::Observed(arg) = site.kind {
                    model.args[arg].covered = true;
                }
            }
            Coverage::Partial if matches!(site.kind, SiteKind::Observed(_)) => {}
            Coverage::Partial if site.pieces.is_empty() => {
                diagnostics.push(
                    site.name.span(),
                    format!("`{0}` may have missing values, so it needs a distribution: write `{0}[..] ~ ..;`", site.name),
                );
            }
            Coverage::Partial if is_component(id) => diagnostics.push(site.name.span(), messages::no_start(&site.name)),
            Coverage::Twice(piece) if is_component(id) => {
                diagnostics.push(site.pieces[piece].span, messages::start_twice(&site.name));
            }
            Coverage::Partial => {
                let name = &site.name;
                let example = match site.kind {
                    SiteKind::Parameter => format!("param {name}[0]: .. = ..;"),
                    SiteKind::Quantity => format!("let {name}[0] = ..;"),
                    SiteKind::Latent | SiteKind::Observed(_) => format!("{name}[0] ~ ..;"),
                };
                diagnostics.push(
                    name.span(),
                    format!("some elements of `{name}` have no statement; declare them too, such as `{example}` before `for t in 1..T`"),
                );
            }
            Coverage::Twice(piece) => {
                diagnostics.push(
                    site.pieces[piece].span,
                    format!("some elements of `{}` are declared twice; give each element one statement", site.name),
                );
            }
        }
    }
}

/// Reports components of solutions some of whose elements have no derivative, or two.
pub(crate) fn check_derivatives(model: &Model, diagnostics: &mut Diagnostics) {
    for component in &model.components {
        let name = &model.sites[component.site].name;
        match coverage(&component.derivatives, &component.dims) {
            Coverage::Exact => {}
            Coverage::Partial => diagnostics.push(name.span(), messages::no_derivative(name)),
            Coverage::Twice(piece) => diagnostics.push(component.derivatives[piece].span, messages::derivative_twice(name)),
        }
    }
}

enum Coverage {
    Exact,
    Partial,
    /// This piece repeats what an earlier one declared.
    Twice(usize),
}

fn coverage(pieces: &[Piece], dims: &[DimId]) -> Coverage {
    if dims.contains(&usize::MAX) {
        // Single elements only: nothing tells how many there are.
        return Coverage::Partial;
    }
    let whole =
        |axis: usize, (from, to): &(Affine, Affine)| *from == Affine::constant(0) && *to == Affine::term(Term::Size(dims[axis]));
    let Some(first) = pieces.first() else { return Coverage::Partial };
    let split: Vec<usize> =
        (0..first.axes.len()).filter(|&axis| !pieces.iter().all(|piece| whole(axis, &piece.axes[axis]))).collect();
    match split.as_slice() {
        [] if pieces.len() == 1 => Coverage::Exact,
        [] => Coverage::Twice(1),
        [axis] => along(pieces, dims, *axis),
        _ => disjoint_boxes(pieces),
    }
}

/// Pieces that differ along one axis: they must follow each other from zero to the size.
fn along(pieces: &[Piece], dims: &[DimId], axis: usize) -> Coverage {
    let range = |piece: &Piece| piece.axes[axis].clone();
    let whole = (Affine::constant(0), Affine::term(Term::Size(dims[axis])));
    if let Some(piece) = pieces.iter().position(|piece| range(piece) == whole) {
        return Coverage::Twice(piece.max(1));
    }
    for (i, piece) in pieces.iter().enumerate() {
        for earlier in &pieces[..i] {
            if overlaps(&range(piece), &range(earlier)) {
                return Coverage::Twice(i);
            }
        }
    }
    let mut reached = Affine::constant(0);
    let mut left: Vec<(Affine, Affine)> = pieces.iter().map(range).collect();
    while let Some(next) = left.iter().position(|(from, _)| *from == reached) {
        reached = left.swap_remove(next).1;
    }
    if left.is_empty() && reached == Affine::term(Term::Size(dims[axis])) { Coverage::Exact } else { Coverage::Partial }
}

/// Whether two ranges surely share an element.
fn overlaps(a: &(Affine, Affine), b: &(Affine, Affine)) -> bool {
    if a == b {
        return true;
    }
    let sign = |x: &Affine| x.as_constant();
    // `a.from < b.to` and `b.from < a.to`, where the differences are known numbers.
    match (sign(&b.1.plus(&a.0, -1)), sign(&a.1.plus(&b.0, -1))) {
        (Some(left), Some(right)) => left > 0 && right > 0,
        _ => false,
    }
}

/// Pieces that differ along several axes: only exact repetition is known to be wrong.
fn disjoint_boxes(pieces: &[Piece]) -> Coverage {
    for (i, piece) in pieces.iter().enumerate() {
        if pieces[..i].iter().any(|earlier| earlier.axes == piece.axes) {
            return Coverage::Twice(i);
        }
    }
    Coverage::Partial
}
