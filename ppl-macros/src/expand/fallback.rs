//! Stub items for a model with errors, so that an editor shows our errors and no others.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::items;
use crate::ir::Model;

/// The structs, and an `impl Model` that is never run.
pub(crate) fn expand(model: &mut Model) -> TokenStream {
    // A site whose dimensions are not known has none here.
    let known = model.dims.len();
    for site in &mut model.sites {
        site.dims.retain(|&dim| dim < known);
    }
    let structs = items::structs(model);
    let (name, krate) = (&model.name, &model.krate);
    let e = super::bind::element(model);
    let [inputs, draws, predictive] =
        ["Inputs", "Draws", "Predictive"].map(|suffix| format_ident!("{}{}", name, suffix, span = name.span()));
    quote! {
        #structs

        #[doc(hidden)]
        #[allow(unused_variables, unreachable_code, dead_code, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;

            impl #name {
                /// Empty: the model has errors.
                pub const EXPANSION: &'static str = "";
            }

            impl _ppl::Model for #name {
                type Element = #e;
                type Inputs = #inputs;
                type Draws = #draws;
                type Predictive = #predictive;
                const GRAPH: &'static _ppl::Graph = &_ppl::Graph { name: "", dims: &[],
                plates: &[], sites: &[], factors: &[], sums: &[], discretes: &[],
                equations: &[] };
                const EXPANSION: &'static str = "";

                fn bind(&self) -> Result<Box<dyn _ppl::LogJoint<#e> + '_>, _ppl::DataError> {
                    ::core::unreachable!("the model has errors")
                }

                fn bind_inputs<'m>(
                    inputs: &'m Self::Inputs,
                    fitted: Option<&_ppl::Layout>,
                ) -> Result<Box<dyn _ppl::LogJoint<#e> + 'm>, _ppl::DataError> {
                    ::core::unreachable!("the model has errors")
                }

                fn collect_draws(layout: &_ppl::Layout, draws: usize, columns: &[f64]) -> Self::Draws {
                    ::core::unreachable!("the model has errors")
                }

                fn collect_predictive(layout: &_ppl::Layout, draws: usize, columns: &[f64]) -> Self::Predictive {
                    ::core::unreachable!("the model has errors")
                }
            }
        };
    }
}
