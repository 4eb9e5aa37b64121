//! A guide of an ordinary model: its struct, and how it is bound to the data of the model.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::centring::{self, Centred, Drawn};
use super::{bind, items, scalar, text};
use crate::ir::{Density, ExprKind, Family, GuideOf, Model, SiteKind, StmtKind, visit};

/// Everything that `guide!` emits for a guide, of a model, without errors.
pub(crate) fn expand(guide: &Model, model: &Model) -> TokenStream {
    let Some(of) = &guide.guide else { return TokenStream::new() };
    let structure = structure(guide, of);
    let log_density = super::log_joint(guide);
    let expansion = text::pretty(&log_density);
    let (name, target, krate, e) = (&guide.name, &of.target, &guide.krate, bind::element(guide));
    let auto = of.auto.iter().map(ToString::to_string);
    let word = name.to_string();
    let assertions = super::assertions::assertions(guide);
    let supports = supports(guide, target, model);
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
    let family = |known: Centred| known.drawn.as_ref().map_or_else(|| quote!(_ppl::gaussian::<#e>()), |drawn| family(drawn, e));
    centring::centred(guide).into_iter().map(family).collect()
}

/// Families that ppl-core has compiled already: `NativeFamily` of these names.
const NATIVE: [&str; 5] = ["StudentT", "Gamma", "InverseGamma", "Beta", "VonMises"];

/// What a latent is drawn from that is not normal.
fn family(drawn: &Drawn, e: &TokenStream) -> TokenStream {
    let typed = |family: &Family| {
        let (own, count) = (scalar::qualified_type(family), family.parameters().len());
        quote!(#own, #count)
    };
    let mixture = |word: &str, components: &[Family]| {
        let is_discrete = components.iter().any(|family| family.is_discrete() == Some(true));
        let component = format_ident!("{}", if is_discrete { "CountOf" } else { "ComponentOf" });
        let (word, components) = (format_ident!("{word}"), components.iter().map(typed));
        quote!({
            static MIXTURE: _ppl::DrawnMixture<#e> = _ppl::DrawnMixture::#word(&[#(&_ppl::#component::<#components>::NEW),*]);
            &MIXTURE as &'static dyn _ppl::Drawn<#e>
        })
    };
    match drawn {
        Drawn::Number(Family::Catalogue(entry)) if NATIVE.contains(&entry.rust) => {
            let rust = format_ident!("{}", entry.rust);
            quote!(_ppl::native::<#e>(_ppl::NativeFamily::#rust))
        }
        Drawn::Number(family) => {
            let (own, word) = (typed(family), if family.is_discrete() == Some(true) { "whole_number" } else { "drawn_from" });
            let word = format_ident!("{word}");
            quote!(_ppl::#word::<#e, #own>())
        }
        Drawn::Array(entry) => {
            let (rust, count) = (format_ident!("{}", entry.rust), entry.parameters.len());
            match entry.name {
                "Dirichlet" => quote!(_ppl::dirichlet::<#e>()),
                "Categorical" => quote!(_ppl::category::<#e, _ppl::distributions::#rust>()),
                "OrderedLogistic" | "OrderedProbit" => quote!(_ppl::ordered_category::<#e, _ppl::distributions::#rust>()),
                _ => quote!(_ppl::jointly::<#e, _ppl::distributions::#rust, #count>()),
            }
        }
        Drawn::Sorted(family) => {
            let own = typed(family);
            quote!(_ppl::sorted::<#e, #own>())
        }
        Drawn::Mixture(family) => mixture("of_one", std::slice::from_ref(family)),
        Drawn::Listed(families) => mixture("listed", families),
    }
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

/// That latents have the values of what the guide draws them from, where one of both is a distribution of the user's, whose support is known to rustc alone.
fn supports(guide: &Model, target: &syn::Path, model: &Model) -> TokenStream {
    let mut out = TokenStream::new();
    visit::statements(&guide.body, &mut |stmt| {
        let StmtKind::Sample { site, distribution, .. } = &stmt.kind else { return };
        let Density::Univariate { family, .. } = &distribution.density else { return };
        let name = &guide.sites[*site].name;
        let mut latents = model.sites.iter().enumerate().filter(|(_, known)| known.kind == SiteKind::Latent);
        let Some((id, latent)) = latents.find(|(_, known)| known.name == *name) else { return };
        let (own, word) = match family {
            Family::User(path, _) => {
                let word = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
                (quote!(<#path as _ppl::distributions::Distribution>::SUPPORT), word)
            }
            Family::Catalogue(entry) if latent.own_support.is_some() => {
                let support = format_ident!("{}", format!("{:?}", entry.support));
                (quote!(_ppl::distributions::Support::#support), entry.name.to_owned())
            }
            _ => return,
        };
        let message = format!(
            "`{name}` of the model lies elsewhere than the values of `{word}`: `Normal` is real, `LogNormal` positive, `LogitNormal` between zero and one"
        );
        let support = quote!(<#target as _ppl::Model>::GRAPH.sites[#id].support);
        out.extend(quote_spanned! {distribution.span=>
            const _: () = assert!(_ppl::assertions::have_same_values(#own, #support), #message);
        });
    });
    out
}
