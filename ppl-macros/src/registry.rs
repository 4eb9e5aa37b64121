//! ppl-core's registry of distributions, made from the catalogue.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::catalogue::{Bound, CATALOGUE, Shape};

/// `impl Distribution` for every entry, and the list of all.
pub(crate) fn registry() -> TokenStream {
    let implementations = CATALOGUE.iter().map(|entry| {
        let (name, rust) = (entry.name, Ident::new(entry.rust, Span::call_site()));
        let parameters = entry.parameters.iter().map(|(name, support)| {
            let support = Ident::new(&format!("{support:?}"), Span::call_site());
            quote!(Parameter { name: #name, support: Support::#support })
        });
        let kind = if entry.discrete { quote!(Discrete) } else { quote!(Continuous) };
        let (rank, support) = (entry.event_rank, Ident::new(&format!("{:?}", entry.support), Span::call_site()));
        quote! {
            impl Distribution for #rust {
                const NAME: &'static str = #name;
                const PARAMETERS: &'static [Parameter] = &[#(#parameters),*];
                const KIND: ValueKind = ValueKind::#kind;
                const EVENT_RANK: usize = #rank;
                const SUPPORT: Support = Support::#support;
            }
        }
    });
    let entries = CATALOGUE.iter().map(|entry| {
        let (rust, count) = (Ident::new(entry.rust, Span::call_site()), entry.parameters.len());
        let (name, reads, support) =
            (entry.rust, entry.normalizer, Ident::new(&format!("{:?}", entry.support), Span::call_site()));
        let parts = match entry.shape {
            Shape::Univariate => quote!(Some(&ScalarSampler::<#rust, #count>::NEW)),
            Shape::Multivariate | Shape::Multiparameter => quote!(None),
        };
        let quantiles = match entry.shape {
            Shape::Univariate if entry.is_proper() => quote!(Some(&ScalarSampler::<#rust, #count>::NEW)),
            _ => quote!(None),
        };
        let bounds = entry.bounds.map(|bound| match bound {
            Bound::Infinite => quote!(Bound::Infinite),
            Bound::Number(x) => quote!(Bound::Number(#x)),
            Bound::Parameter(place) => quote!(Bound::Parameter(#place)),
        });
        let sampler = match entry.shape {
            Shape::Univariate => quote!(&ScalarSampler::<#rust, #count>::NEW),
            Shape::Multivariate => quote!(&VectorSampler::<#rust>::NEW),
            // Its parameters have shapes that only a value tells: see `ArraySampler`.
            Shape::Multiparameter => return TokenStream::new(),
        };
        quote! {
            Entry {
                name: #name,
                support: Support::#support,
                bounds: [#(#bounds),*],
                normalizer: &[#(#reads),*],
                sampler: #sampler,
                parts: #parts,
                quantiles: #quantiles,
            },
        }
    });
    let shaped = CATALOGUE.iter().filter(|entry| entry.shape == Shape::Multiparameter).map(|entry| entry.rust);
    quote! {
        #(#implementations)*

        #[allow(clippy::approx_constant, reason = "a bound in digits")]
        /// Every distribution of the catalogue, for laws that all of them obey.
        pub const REGISTRY: &[Entry] = &[#(#entries)*];

        /// The types of those whose parameters have shapes, for the same.
        #[cfg(test)]
        pub(super) const MULTIPARAMETER: &[&str] = &[#(#shaped),*];
    }
}
