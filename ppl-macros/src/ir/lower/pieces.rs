//! What a statement says of its site: which elements it declares, over which dimensions, and in which set they lie.

use proc_macro2::Span;

use super::Lowering;
use super::axes::Axis;
use super::distributions::Lowered;
use crate::catalogue::Support;
use crate::ir::{Affine, ArgKind, Bounds, Density, DimId, Family, Piece, SiteId, SiteKind, Term};
use crate::{messages, syntax};

impl Lowering<'_> {
    /// Notes what a statement declares of a site, and gives a new latent its dimensions.
    pub(super) fn declare_piece(&mut self, site: SiteId, axes: &[Axis], event_rank: usize, lhs: &syntax::Lhs) {
        let mut ranges = Vec::new();
        let mut dims = Vec::new();
        for axis in axes {
            ranges.push(self.extent(axis));
            dims.push(match axis {
                Axis::Whole(dim) => Some(*dim),
                Axis::Element(affine, _) => affine.as_var().and_then(|var| self.model.vars[var].dim),
            });
        }
        let first = self.model.sites[site].pieces.is_empty();
        self.model.sites[site].pieces.push(Piece { axes: ranges, span: lhs.name.span() });
        if matches!(self.model.sites[site].kind, SiteKind::Observed(_)) || self.partly_given(site).is_some() {
            return;
        }
        if first {
            self.model.sites[site].event_rank = event_rank;
            // A piece that is one element gets its dimension from a later piece.
            self.model.sites[site].dims = dims.iter().map(|dim| dim.unwrap_or(usize::MAX)).collect();
        } else {
            if dims.len() != self.model.sites[site].dims.len() {
                let expected = self.model.sites[site].dims.len();
                self.error(
                    lhs.name.span(),
                    format!("`{}` was declared with {expected} axes before, and has {} here", lhs.name, dims.len()),
                );
                return;
            }
            for (axis, dim) in dims.into_iter().enumerate() {
                let known = self.model.sites[site].dims[axis];
                match dim {
                    Some(dim) if known == usize::MAX => self.model.sites[site].dims[axis] = dim,
                    Some(dim) if known != dim && self.follows(site, axis, known) => self.model.sites[site].dims[axis] = dim,
                    Some(dim) if known != dim && !self.precedes(site, axis) => {
                        let message = format!(
                            "axis {} of `{}` was declared over `{}` before, and runs over `{}` here",
                            axis + 1,
                            lhs.name,
                            self.model.dim_name(known),
                            self.model.dim_name(dim)
                        );
                        self.error(lhs.name.span(), message);
                    }
                    _ => {}
                }
            }
        }
    }

    /// The elements of an axis that a statement is about: from, to.
    pub(super) fn extent(&self, axis: &Axis) -> (Affine, Affine) {
        match axis {
            Axis::Whole(dim) => (Affine::constant(0), Affine::term(Term::Size(*dim))),
            Axis::Element(affine, _) => match affine.as_var() {
                Some(var) => (self.model.vars[var].from.clone(), self.model.vars[var].to.clone()),
                None => (affine.clone(), affine.plus(&Affine::constant(1), 1)),
            },
        }
    }

    /// Whether the latest piece of a site begins where dimension `known` ends.
    fn follows(&self, site: SiteId, axis: usize, known: DimId) -> bool {
        let pieces = &self.model.sites[site].pieces;
        pieces.last().is_some_and(|piece| piece.axes[axis].0 == Affine::term(Term::Size(known)))
    }

    /// Whether the latest piece of a site ends where an earlier one begins.
    fn precedes(&self, site: SiteId, axis: usize) -> bool {
        let Some((latest, earlier)) = self.model.sites[site].pieces.split_last() else { return false };
        earlier.iter().any(|piece| piece.axes[axis].0 == latest.axes[axis].1)
    }

    /// Whether the kind of observed data fits the distribution, and whether a latent can have it.
    pub(super) fn check_value(&mut self, site: SiteId, lowered: &Lowered, lhs: &syntax::Lhs, span: Span) -> Option<()> {
        let word = &lowered.word;
        if let (SiteKind::Latent, Some(mask)) = (self.model.sites[site].kind, &lowered.distribution.mask) {
            self.error(
                mask.span,
                format!(
                    "a mask leaves out observed data, and `{}` is latent: where it is not needed, let no data read it",
                    lhs.name
                ),
            );
            return None;
        }
        match self.model.sites[site].kind {
            SiteKind::Observed(arg) => {
                let (kind, name) = (self.model.args[arg].kind, lhs.name.clone());
                let message = match (lowered.discrete, kind) {
                    (Some(true), ArgKind::F64 | ArgKind::F32) if lowered.support != Support::Binary => {
                        let kind = if lowered.support == Support::Integer { "i64" } else { "u64" };
                        format!("`{name}` holds real numbers, but `{word}` is over whole numbers; declare it as `{kind}`")
                    }
                    (Some(false), ArgKind::U64 | ArgKind::I64 | ArgKind::Bool | ArgKind::Index(_)) => {
                        format!("`{name}` holds whole numbers, but `{word}` is over real numbers; declare it as `f64`")
                    }
                    (Some(true), ArgKind::Index(_)) if lowered.support != Support::CountUpTo => {
                        format!("`{name}` holds indices, but `{word}` is over counts; declare it as `u64`")
                    }
                    _ => return Some(()),
                };
                self.error(lhs.name.span(), message);
                None
            }
            SiteKind::Latent if !lowered.has_density => {
                self.error(
                    span,
                    format!(
                        "a censored number is an observation, and `{}` is latent; `Truncated` restricts a latent to an interval",
                        lhs.name
                    ),
                );
                None
            }
            SiteKind::Latent if lowered.discrete == Some(true) => {
                self.error(span, format!("`{0}` would be a discrete latent, which has no gradient; observe it, or sum it out: `sum k in K ~ .. {{ .. }}` with all statements that depend on `{0}`", lhs.name));
                None
            }
            _ => Some(()),
        }
    }

    pub(super) fn set_support(&mut self, site: SiteId, lowered: &Lowered, span: Span) {
        let entry = &mut self.model.sites[site];
        if entry.pieces.len() > 1 && entry.kind == SiteKind::Latent && entry.support != lowered.support {
            self.different_supports(site, span);
            return;
        }
        if entry.kind == SiteKind::Latent
            && let Density::Univariate { family: Family::User(path, _), .. } = &lowered.distribution.density
        {
            entry.own_support = Some(path.clone());
        }
        entry.support = lowered.support;
        entry.bounds.clone_from(&lowered.bounds);
        if let Some(bounds) = &lowered.bounds {
            self.bounds_of_data(bounds);
        }
    }

    pub(super) fn different_supports(&mut self, site: SiteId, span: Span) {
        let name = self.model.sites[site].name.clone();
        self.error(span, format!("the statements of `{name}` give it different supports; all its elements share one"));
    }

    /// Whether bounds are made of data; if not, says so.
    pub(super) fn bounds_of_data(&mut self, bounds: &Bounds) -> bool {
        let mut of_data = true;
        for bound in [&bounds.lower, &bounds.upper].into_iter().flatten() {
            if !self.is_data(bound) {
                of_data = false;
                let message = if self.model.is_guide() { messages::GUIDE_BOUNDS } else { messages::LATENT_BOUNDS };
                self.error(bound.span, message);
            }
        }
        of_data
    }
}
