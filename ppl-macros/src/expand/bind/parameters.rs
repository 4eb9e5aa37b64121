//! Parameters at binding: their bounds, and where they start.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::layout::nest;
use crate::expand::graph::site_support;
use crate::expand::names;
use crate::expand::scalar::{self, Source};
use crate::ir::{Arg, Bounds, Expr, Index, Model, SiteId, SiteKind, Stmt, StmtKind, VarId, visit};

/// A parameter with all its statements.
pub(super) struct Parameter<'m> {
    model: &'m Model,
    site: SiteId,
    declarations: Vec<Declaration<'m>>,
}

/// One statement of a parameter.
struct Declaration<'m> {
    text: &'m str,
    loops: Vec<VarId>,
    index: &'m [Index],
    bounds: Option<&'m Bounds>,
    start: &'m Expr,
}

/// The parameters, in the order of the model, those of discrete latents last.
pub(super) fn parameters(model: &Model) -> impl Iterator<Item = Parameter<'_>> {
    let all = || (0..model.sites.len()).filter(|&site| model.sites[site].kind == SiteKind::Parameter);
    // The probabilities of discrete latents come last: fits know the best ones.
    let is_discrete = |site: usize| model.discretes.iter().any(|discrete| discrete.site == site);
    let sites = all().filter(move |&site| !is_discrete(site)).chain(all().filter(move |&site| is_discrete(site)));
    sites.map(|site| {
        let mut declarations = Vec::new();
        collect(model, site, &model.body, &mut Vec::new(), &mut declarations);
        Parameter { model, site, declarations }
    })
}

fn collect<'m>(model: &'m Model, of: SiteId, body: &'m [Stmt], loops: &mut Vec<VarId>, found: &mut Vec<Declaration<'m>>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::For { var, body } => {
                loops.push(*var);
                collect(model, of, body, loops, found);
                loops.pop();
            }
            StmtKind::Param { site, index, bounds, start } if *site == of => {
                let loops = loops.clone();
                found.push(Declaration { text: &stmt.text, loops, index, bounds: bounds.as_deref(), start });
            }
            StmtKind::Discrete(block) if model.discretes[block.latent].site == of => {
                let loops = loops.iter().copied().chain([block.var]).collect();
                found.push(Declaration { text: &stmt.text, loops, index: &block.place, bounds: None, start: &block.start });
            }
            StmtKind::Expected { body, .. } => collect(model, of, body, loops, found),
            _ => {}
        }
    }
}

impl<'m> Parameter<'m> {
    /// The statement that lays it out.
    pub(super) fn lay_out(&self) -> TokenStream {
        let site = &self.model.sites[self.site];
        let (text, dims, set) = (site.name.to_string(), &site.dims, site_support(site));
        let bounds = if self.declarations.iter().any(|own| own.bounds.is_some()) {
            let bound = |of: fn(&'m Bounds) -> Option<&'m Expr>| {
                let values = self.elements("bounds", |own| own.bounds.and_then(of));
                quote!({ #values })
            };
            let (lower, upper) = (bound(|bounds| bounds.lower.as_ref()), bound(|bounds| bounds.upper.as_ref()));
            quote!(Some(_ppl::Bounds { lower: Some(#lower), upper: Some(#upper) }))
        } else {
            quote!(None)
        };
        quote!(layout.parameter(#text, &[#(#dims),*], #set, #bounds);)
    }

    /// The method that computes where it starts.
    pub(super) fn start(&self) -> TokenStream {
        let name = self.method();
        let doc = self.declarations.iter().map(|own| format!(" Where `{}` starts.", own.text));
        let values = self.elements("start", |own| Some(own.start));
        quote! {
            #(#[doc = #doc])*
            fn #name(&self) -> Vec<f64> {
                #values
            }
        }
    }

    /// The statement that starts it, if all the data that this takes are given.
    pub(super) fn start_from(&self, given: impl Fn(&Arg) -> bool) -> Option<TokenStream> {
        let mut known = true;
        for own in &self.declarations {
            visit::data(self.model, own.start, &mut |arg, _| known &= given(&self.model.args[arg]));
        }
        let site = &self.model.sites[self.site];
        let (name, method, set) = (site.name.to_string(), self.method(), site_support(site));
        let text = self.declarations.first().map_or("", |own| own.text);
        known.then(|| {
            quote! {
                let start = bound.#method();
                _ppl::start_from(&mut bound.__layout, #name, #set, #text, &start)?;
            }
        })
    }

    /// The field that holds its first row.
    pub(super) fn field(&self) -> Ident {
        names::field(&self.model.sites[self.site].name)
    }

    fn method(&self) -> Ident {
        format_ident!("start_of_{}", self.model.sites[self.site].name, span = Span::mixed_site())
    }

    /// A value for each element, as each statement has it.
    fn elements(&self, word: &str, value: impl Fn(&Declaration<'m>) -> Option<&'m Expr>) -> TokenStream {
        let (model, dims) = (self.model, &self.model.sites[self.site].dims);
        let scalar = |own: &Declaration<'m>| value(own).map(|value| scalar::expr(model, value, Source::Fields));
        if dims.is_empty() {
            let values = self.declarations.iter().filter_map(scalar);
            return quote!(vec![#(#values),*]);
        }
        let name = Ident::new(word, Span::mixed_site());
        let size = dims.iter().map(|&dim| names::size(model, dim)).reduce(|all, own| quote!(#all * #own));
        let fill = self.declarations.iter().map(|own| {
            let (at, value) = (names::flat(model, own.index, dims), scalar(own));
            nest(model, &own.loops, quote!(#name[#at] = #value;))
        });
        quote! {
            let mut #name = vec![f64::NAN; #size];
            #(#fill)*
            #name
        }
    }
}
