//! `#[function]` and `#[distribution]`: what users write over lanes is inlined into the kernels, or it runs many times slower.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// Adds `#[inline(always)]`, and the bound `Lanes` to a type parameter that has none.
pub(crate) fn function(item: TokenStream) -> TokenStream {
    let mut function: syn::ItemFn = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => {
            let message = "`#[function]` stands on a function over lanes: `fn f<V>(x: V) -> V { .. }`";
            return syn::Error::new(error.span(), message).to_compile_error();
        }
    };
    if function.sig.generics.type_params().next().is_none() {
        let message = "a function of a model is generic over the lanes: `fn f<V>(x: V) -> V { .. }`";
        let mut out = syn::Error::new(function.sig.ident.span(), message).to_compile_error();
        function.to_tokens(&mut out);
        return out;
    }
    for parameter in function.sig.generics.type_params_mut() {
        if parameter.bounds.is_empty() {
            parameter.bounds.push(syn::parse_quote!(::ppl_core::kernel::Lanes));
        }
    }
    quote!(#[inline(always)] #function)
}

/// Adds `#[inline(always)]` to every function of an `impl`.
pub(crate) fn distribution(item: TokenStream) -> TokenStream {
    let mut implementation: syn::ItemImpl = match syn::parse2(item) {
        Ok(implementation) => implementation,
        Err(error) => {
            let message = "`#[distribution]` stands on `impl Univariate<P> for YourDistribution { .. }`";
            return syn::Error::new(error.span(), message).to_compile_error();
        }
    };
    for item in &mut implementation.items {
        if let syn::ImplItem::Fn(function) = item {
            function.attrs.push(syn::parse_quote!(#[inline(always)]));
        }
    }
    implementation.into_token_stream()
}
