//! Names with indices: whole axes, affine expressions and gathers.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::{at, dimension};
use crate::ir::{Affine, DimId, Index, Model, SiteId, Term, Var, VarId};

/// What stands left of `~` or `let`; a vector keeps its last axis whole, a matrix its last two.
pub(super) fn left(model: &Model, site: SiteId, index: &[Index], event_rank: usize, span: Span) -> TokenStream {
    let site = &model.sites[site];
    let event = site.dims.iter().skip(site.dims.len() - event_rank);
    let event = event.map(|&dim| dimension(model, dim, span).into_token_stream());
    brackets(at(&site.name, span), axes(model, index, span).chain(event), span)
}

/// What stands left of `=` in an equation.
pub(super) fn element(model: &Model, name: &Ident, index: &[Index], span: Span) -> TokenStream {
    brackets(at(name, span), axes(model, index, span), span)
}

/// Indices, of which those that stand for whole axes are written as dimensions.
fn axes(model: &Model, index: &[Index], span: Span) -> impl Iterator<Item = TokenStream> {
    index.iter().map(move |i| match whole_axis(model, i) {
        Some(dim) => dimension(model, dim, span).into_token_stream(),
        None => self::index(model, i, span),
    })
}

/// The dimension of an index that stands for a whole axis.
fn whole_axis(model: &Model, index: &Index) -> Option<DimId> {
    match index {
        Index::Affine(affine) => affine.as_var().map(|var| &model.vars[var]).filter(|var| var.implicit)?.dim,
        Index::Gather(..) => None,
    }
}

/// Whether the last axis of a read is a whole one, which is left out.
pub(super) fn reads_along(model: &Model, indices: &[Index]) -> bool {
    indices.last().is_some_and(|last| whole_axis(model, last).is_some())
}

/// An array that is read; the last axis is left out where it is whole.
pub(super) fn read(model: &Model, name: &Ident, indices: &[Index], span: Span) -> TokenStream {
    let given = if reads_along(model, indices) { &indices[..indices.len() - 1] } else { indices };
    array(model, name, given, span)
}

/// `name[index, ..]`
pub(super) fn array(model: &Model, name: &Ident, indices: &[Index], span: Span) -> TokenStream {
    brackets(at(name, span), indices.iter().map(|i| index(model, i, span)), span)
}

fn brackets(name: Ident, axes: impl Iterator<Item = TokenStream>, span: Span) -> TokenStream {
    let mut axes = axes.peekable();
    if axes.peek().is_none() { name.into_token_stream() } else { quote_spanned!(span=> #name[#(#axes),*]) }
}

fn index(model: &Model, index: &Index, span: Span) -> TokenStream {
    match index {
        Index::Affine(affine) if affine.as_size().is_some() => {
            let size = self::affine(model, affine, span);
            quote_spanned!(span=> (#size))
        }
        Index::Affine(affine) => self::affine(model, affine, span),
        Index::Gather(arg, inner) => array(model, &model.args[*arg].name, inner, span),
    }
}

/// A bound name; of a value of a chain or of a discrete latent, what is read.
pub(super) fn bound(model: &Model, var: VarId, span: Span) -> TokenStream {
    match model.value_of(var) {
        None => at(&model.vars[var].name, span).into_token_stream(),
        Some((name, values)) => array(model, name, &values, span),
    }
}

/// A dimension, or `from..to`.
pub(super) fn range(model: &Model, var: VarId, span: Span) -> TokenStream {
    let Var { name: _, from, to, dim: _, implicit: _, value_of: _, range } = &model.vars[var];
    if let (Some(dim), false, Some(0)) = (to.as_size(), range, from.as_constant()) {
        return dimension(model, dim, span).into_token_stream();
    }
    let (from, to) = (affine(model, from, span), affine(model, to, span));
    quote_spanned!(span=> #from..#to)
}

/// `2 * t - k + 1`, the terms that are added first.
pub(super) fn affine(model: &Model, affine: &Affine, span: Span) -> TokenStream {
    let term = |term: Term| match term {
        Term::Var(var) => bound(model, var, span),
        Term::Size(dim) => dimension(model, dim, span).into_token_stream(),
    };
    let mut sum = TokenStream::new();
    let mut push = |number: i64, name: Option<TokenStream>| {
        let magnitude = Literal::u64_unsuffixed(number.unsigned_abs());
        let product = match name {
            Some(name) if number.unsigned_abs() == 1 => name,
            Some(name) => quote_spanned!(span=> #magnitude * #name),
            None => magnitude.into_token_stream(),
        };
        sum.extend(match (sum.is_empty(), number < 0) {
            (true, false) => product,
            (false, false) => quote_spanned!(span=> + #product),
            (_, true) => quote_spanned!(span=> - #product),
        });
    };
    for (&name, &coefficient) in affine.terms.iter().filter(|(_, coefficient)| **coefficient > 0) {
        push(coefficient, Some(term(name)));
    }
    if affine.constant > 0 || affine.terms.is_empty() {
        push(affine.constant, None);
    }
    for (&name, &coefficient) in affine.terms.iter().filter(|(_, coefficient)| **coefficient < 0) {
        push(coefficient, Some(term(name)));
    }
    if affine.constant < 0 && !affine.terms.is_empty() {
        push(affine.constant, None);
    }
    sum
}
