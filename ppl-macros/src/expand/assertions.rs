//! What is asserted of the distributions of users, on their tokens: what of ours is known while the model is read.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::graph::support;
use crate::catalogue::Support;
use crate::check::supports::{Verdict, infer};
use crate::ir::{ArgKind, Density, Expr, ExprKind, Family, Model, SiteKind, StmtKind, visit};

/// Constant assertions about every distribution of the user's.
pub(crate) fn assertions(model: &Model) -> TokenStream {
    let mut out = TokenStream::new();
    visit::statements(&model.body, &mut |stmt| {
        let mut densities = |expr: &Expr| {
            visit::expressions(expr, &mut |inner| {
                if let ExprKind::LogProb(family, params, _) = &inner.kind
                    && let Some((path, names)) = family.user()
                {
                    out.extend(parameters(model, path, names, &params[..names.len()]));
                }
            });
        };
        match &stmt.kind {
            StmtKind::Sample { site, distribution, .. } => {
                visit::of_distribution(distribution).for_each(&mut densities);
                match &distribution.density {
                    Density::Univariate { family, params } => {
                        let Some((path, names)) = family.user() else { return };
                        out.extend(parameters(model, path, names, &params[..names.len()]));
                        out.extend(match family {
                            Family::Wrapped(wrapper, _) => anywhere(path, wrapper.word()),
                            _ => value(model, path, *site),
                        });
                    }
                    density => {
                        let word = if matches!(density, Density::Ordered { .. }) { "Ordered" } else { "Mixture" };
                        for (family, params) in density.families() {
                            let Some((path, names)) = family.user() else { continue };
                            out.extend(parameters(model, path, names, &params[..names.len()]));
                            out.extend(anywhere(path, word));
                        }
                    }
                }
            }
            StmtKind::Local { value, .. }
            | StmtKind::Quantity { value, .. }
            | StmtKind::Factor { value, .. }
            | StmtKind::Start { value, .. }
            | StmtKind::Derivative { value, .. } => densities(value),
            StmtKind::Operation { operands, .. } => visit::repeated(operands).for_each(densities),
            StmtKind::Param { bounds, start, .. } => visit::of_parameter(bounds.as_deref(), start).for_each(densities),
            StmtKind::Sum(block) => block.priors().flat_map(|(prior, _)| visit::of_distribution(prior)).for_each(densities),
            StmtKind::Discrete(block) => visit::of_distribution(&block.prior).for_each(densities),
            StmtKind::Ode(_) | StmtKind::Expected { .. } | StmtKind::For { .. } => {}
        }
    });
    out
}

/// Of the parameters: their number, their names where they are given, and that they can lie where they must.
fn parameters(model: &Model, path: &syn::Path, names: &[Option<proc_macro2::Ident>], params: &[Expr]) -> TokenStream {
    let count = params.len();
    let mut out = quote_spanned! {path.span()=>
        const _: () = _ppl::assertions::is_univariate::<#path, #count>();
    };
    for (i, (param, name)) in params.iter().zip(names).enumerate() {
        let own = parameter(path, count, i);
        if let Some(name) = name {
            let word = name.to_string();
            let message = format!("parameter {} of `{}` is not called `{word}`; give the parameters in order", i + 1, text(path));
            out.extend(
                quote_spanned!(name.span()=> const _: () = assert!(_ppl::assertions::is_name(#own.name, #word), #message);),
            );
        }
        let known = infer(model, param);
        let refuted: Vec<TokenStream> = [Support::Positive, Support::Unit]
            .into_iter()
            .filter(|&set| known.within(set) == Verdict::Refuted)
            .map(support)
            .collect();
        if !refuted.is_empty() {
            let message = format!(
                "parameter {} of `{}` cannot lie in its support; transform it, as in `exp(..)` or `sigmoid(..)`",
                i + 1,
                text(path)
            );
            out.extend(quote_spanned! {param.span=>
                const _: () = assert!(!_ppl::assertions::is_among(#own.support, &[#(#refuted),*]), #message);
            });
        }
    }
    out
}

/// A parameter as a distribution of the user's states it.
pub(crate) fn parameter(path: &syn::Path, count: usize, index: usize) -> TokenStream {
    quote_spanned!(path.span()=> _ppl::assertions::parameter::<#path, #count>(#index))
}

/// Of the value: that data are of its kind, and that a latent can have it.
fn value(model: &Model, path: &syn::Path, site: usize) -> TokenStream {
    let (known, name) = (&model.sites[site], text(path));
    let kind = quote!(<#path as _ppl::distributions::Distribution>::KIND);
    let set = quote!(<#path as _ppl::distributions::Distribution>::SUPPORT);
    let (holds, message) = match known.kind {
        SiteKind::Observed(arg) => match model.args[arg].kind {
            ArgKind::F64 | ArgKind::F32 => (
                quote!(_ppl::assertions::is_continuous(#kind) || _ppl::assertions::is_among(#set, &[_ppl::distributions::Support::Binary])),
                format!("`{}` holds real numbers, but `{name}` is over whole numbers; declare it as `u64`", known.name),
            ),
            _ => (
                quote!(!_ppl::assertions::is_continuous(#kind)),
                format!("`{}` holds whole numbers, but `{name}` is over real numbers; declare it as `f64`", known.name),
            ),
        },
        SiteKind::Latent | SiteKind::Parameter | SiteKind::Quantity => (
            quote!(_ppl::assertions::can_be_latent(#kind, #set)),
            format!(
                "`{}` cannot be a latent of `{name}`: the support of a latent is Real, Positive, NonNegative or Unit, its kind Continuous",
                known.name
            ),
        ),
    };
    quote_spanned!(path.span()=> const _: () = assert!(#holds, #message);)
}

/// Of what another distribution is made of: that its numbers lie anywhere on the real line.
fn anywhere(path: &syn::Path, word: &str) -> TokenStream {
    let set = quote!(<#path as _ppl::distributions::Distribution>::SUPPORT);
    let kind = quote!(<#path as _ppl::distributions::Distribution>::KIND);
    let message = format!("`{word}` is made of a distribution over the real numbers, and `{}` is not over them", text(path));
    quote_spanned! {path.span()=>
        const _: () = assert!(
            _ppl::assertions::is_continuous(#kind) && _ppl::assertions::is_among(#set, &[_ppl::distributions::Support::Real]),
            #message
        );
    }
}

/// A path as the user wrote it.
fn text(path: &syn::Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}
