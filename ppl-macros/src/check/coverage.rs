//! Coverage: the statements of a latent or a quantity declare each of its elements exactly once; those of data, at most once.

use crate::diagnostics::Diagnostics;
use crate::ir::{Affine, Model, Piece, Site, SiteKind, Term};

/// Reports elements that are declared twice or not at all.
pub(crate) fn check(model: &mut Model, diagnostics: &mut Diagnostics) {
    for id in 0..model.sites.len() {
        let site = &model.sites[id];
        match coverage(site) {
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

enum Coverage {
    Exact,
    Partial,
    /// This piece repeats what an earlier one declared.
    Twice(usize),
}

fn coverage(site: &Site) -> Coverage {
    if site.dims.contains(&usize::MAX) {
        // Single elements only: nothing tells how many there are.
        return Coverage::Partial;
    }
    let whole = |axis: usize, (from, to): &(Affine, Affine)| {
        *from == Affine::constant(0) && *to == Affine::term(Term::Size(site.dims[axis]))
    };
    let Some(first) = site.pieces.first() else { return Coverage::Partial };
    let split: Vec<usize> =
        (0..first.axes.len()).filter(|&axis| !site.pieces.iter().all(|piece| whole(axis, &piece.axes[axis]))).collect();
    match split.as_slice() {
        [] if site.pieces.len() == 1 => Coverage::Exact,
        [] => Coverage::Twice(1),
        [axis] => along(site, *axis),
        _ => disjoint_boxes(site),
    }
}

/// Pieces that differ along one axis: they must follow each other from zero to the size.
fn along(site: &Site, axis: usize) -> Coverage {
    let range = |piece: &Piece| piece.axes[axis].clone();
    let whole = (Affine::constant(0), Affine::term(Term::Size(site.dims[axis])));
    if let Some(piece) = site.pieces.iter().position(|piece| range(piece) == whole) {
        return Coverage::Twice(piece.max(1));
    }
    for (i, piece) in site.pieces.iter().enumerate() {
        for earlier in &site.pieces[..i] {
            if overlaps(&range(piece), &range(earlier)) {
                return Coverage::Twice(i);
            }
        }
    }
    let mut reached = Affine::constant(0);
    let mut left: Vec<(Affine, Affine)> = site.pieces.iter().map(range).collect();
    while let Some(next) = left.iter().position(|(from, _)| *from == reached) {
        reached = left.swap_remove(next).1;
    }
    if left.is_empty() && reached == Affine::term(Term::Size(site.dims[axis])) { Coverage::Exact } else { Coverage::Partial }
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
fn disjoint_boxes(site: &Site) -> Coverage {
    for (i, piece) in site.pieces.iter().enumerate() {
        if site.pieces[..i].iter().any(|earlier| earlier.axes == piece.axes) {
            return Coverage::Twice(i);
        }
    }
    Coverage::Partial
}
