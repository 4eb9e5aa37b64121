//! A guide of an ordinary model: its struct, and how it is bound to the data of the model.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::centring::{self, Centred};
use super::{bind, items, text};
use crate::catalogue::{Entry, Support};
use crate::ir::{Density, ExprKind, Family, GuideOf, Model, SiteKind, StmtKind, visit};

/// Everything that `guide!` emits for a guide without errors; `own_supports` are the sites of the model with distributions of users.
pub(crate) fn expand(guide: &Model, own_supports: &[(Ident, usize)]) -> TokenStream {
    let Some(of) = &guide.guide else { return TokenStream::new() };
    let structure = structure(guide, of);
    let log_density = super::log_joint(guide);
    let expansion = text::pretty(&log_density);
    let (name, target, krate, e) = (&guide.name, &of.target, &guide.krate, bind::element(guide));
    let auto = of.auto.iter().map(ToString::to_string);
    let word = name.to_string();
    let assertions = super::assertions::assertions(guide);
    let supports = supports(guide, target, own_supports);
    let (families, reads) = (families(guide, &e), reads(guide));
    quote! {
        #structure

        #[doc(hidden)]
        #[allow(non_snake_case, unused_variables, unused_mut, unused_parens, unused_imports, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;
            use _ppl::{Lanes as _, Multivariate as _, Sum as _, Univariate as _};
            #log_density

            impl #name {
                /// The generated code: the very tokens that are compiled, formatted.
                pub const EXPANSION: &'static str = #expansion;
            }

            impl _ppl::GuideOf<#target> for #name {
                fn bind_guide(&self, model: &#target, layout: &_ppl::Layout) -> Result<_ppl::OwnGuide, _ppl::GuideError> {
                    let density = self.__bind(model)?;
                    _ppl::DeclaredGuide::<#e>::bind(#word, density, layout, &[#(#auto),*], &[#((#families, &[#(#reads),*])),*])
                }
            }
            #assertions
            #supports
        };
    }
}

/// What each latent is drawn from, in the order of the guide.
pub(crate) fn families(guide: &Model, e: &TokenStream) -> Vec<TokenStream> {
    let drawn = |entry: &Entry| {
        if entry.rust == "Dirichlet" {
            return quote!(_ppl::dirichlet::<#e>());
        }
        let (rust, count) = (format_ident!("{}", entry.rust), entry.parameters.len());
        if entry.rust == "MultivariateNormalTril" {
            return quote!(_ppl::multivariate_normal::<#e>());
        }
        if entry.name == "Categorical" {
            return quote!(_ppl::category::<#e, _ppl::distributions::#rust>());
        }
        if entry.discrete {
            return quote!(_ppl::whole_number::<#e, _ppl::distributions::#rust, #count>());
        }
        quote!(_ppl::drawn_from::<#e, _ppl::distributions::#rust, #count>())
    };
    let family = |known: Centred| known.drawn.map_or_else(|| quote!(_ppl::gaussian::<#e>()), drawn);
    centring::centred(guide).into_iter().map(family).collect()
}

/// The latents that the parameters of each are made of, in the order of the guide.
fn reads(guide: &Model) -> Vec<Vec<String>> {
    let latents = |known: Centred| {
        let mut names = BTreeSet::new();
        for parameter in &known.parameters {
            visit::expressions(&parameter.value, &mut |e| {
                if let ExprKind::Site(site, _) = e.kind
                    && guide.sites[site].kind == SiteKind::Latent
                {
                    names.insert(guide.sites[site].name.to_string());
                }
            });
        }
        names.into_iter().collect()
    };
    centring::centred(guide).into_iter().map(latents).collect()
}

/// What stands for a guide with errors.
pub(crate) fn stub(guide: &Model) -> TokenStream {
    let Some(of) = &guide.guide else { return TokenStream::new() };
    let structure = structure(guide, of);
    let (name, target, krate) = (&guide.name, &of.target, &guide.krate);
    quote! {
        #structure

        #[doc(hidden)]
        #[allow(unused_variables, unreachable_code, dead_code, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;

            impl #name {
                /// Empty: the guide has errors.
                pub const EXPANSION: &'static str = "";
            }

            impl _ppl::GuideOf<#target> for #name {
                fn bind_guide(&self, model: &#target, layout: &_ppl::Layout) -> Result<_ppl::OwnGuide, _ppl::GuideError> {
                    ::core::unreachable!("the guide has errors")
                }
            }
        };
    }
}

/// The struct with the arguments of the guide as its fields.
fn structure(guide: &Model, of: &GuideOf) -> TokenStream {
    let (vis, name, attrs) = (&guide.vis, &guide.name, &guide.attrs);
    let doc = if attrs.iter().any(|attr| attr.path().is_ident("doc")) {
        TokenStream::new()
    } else {
        let doc = format!("The guide `{name}`.");
        quote!(#[doc = #doc])
    };
    let fields: Vec<TokenStream> =
        guide.args.get(of.arguments..).unwrap_or_default().iter().map(|arg| items::argument_field(guide, arg)).collect();
    let body = if fields.is_empty() { quote!(;) } else { quote!({ #(#fields),* }) };
    quote! {
        #doc
        #(#attrs)*
        #[allow(non_snake_case, clippy::struct_field_names)]
        #vis struct #name #body
    }
}

/// The function that binds a guide.
pub(super) fn binder(guide: &Model, of: &GuideOf, bind: &TokenStream) -> TokenStream {
    let (name, target, e) = (&guide.name, &of.target, bind::element(guide));
    quote! {
        impl #name {
            #[doc(hidden)]
            fn __bind(&self, model: &#target) -> Result<Box<dyn _ppl::LogJoint<#e> + Send>, _ppl::DataError> {
                #bind
            }
        }
    }
}

/// That latents with distributions of the user's are on the support of what the guide draws them from.
fn supports(guide: &Model, target: &syn::Path, own_supports: &[(Ident, usize)]) -> TokenStream {
    let mut out = TokenStream::new();
    visit::statements(&guide.body, &mut |stmt| {
        let StmtKind::Sample { site, distribution, .. } = &stmt.kind else { return };
        let Density::Univariate { family: Family::Catalogue(entry), .. } = &distribution.density else { return };
        let Some((name, id)) = own_supports.iter().find(|(name, _)| *name == guide.sites[*site].name) else { return };
        let set = match entry.support {
            Support::Positive => quote!(&[_ppl::distributions::Support::Positive, _ppl::distributions::Support::NonNegative]),
            Support::Unit => quote!(&[_ppl::distributions::Support::Unit]),
            _ => quote!(&[_ppl::distributions::Support::Real]),
        };
        let message = format!(
            "`{name}` of the model lies elsewhere than the values of `{}`: `Normal` is real, `LogNormal` positive, `LogitNormal` between zero and one",
            entry.name
        );
        let support = quote!(<#target as _ppl::Model>::GRAPH.sites[#id].support);
        out.extend(quote_spanned! {distribution.span=>
            const _: () = assert!(_ppl::assertions::is_among(#support, #set), #message);
        });
    });
    out
}
