//! From the checked model to tokens: one generated item a file.

mod assertions;
mod bind;
mod centring;
pub(crate) mod fallback;
pub(crate) mod graph;
pub(crate) mod guide;
pub(crate) mod handover;
mod items;
mod kernel;
mod names;
mod scalar;
mod tape;
mod text;
mod walk;

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::ir::{Model, SiteId, StmtKind, visit};
use centring::Centred;
pub(crate) use centring::refused as refused_latents;
use kernel::{Form, Writer};
use tape::{Body, Tape};

/// Everything that `model!` emits.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let structs = items::structs(model);
    let log_joint = log_joint(model);
    let expansion = text::pretty(&log_joint);
    let implementation = implementation(model, &expansion);
    let assertions = assertions::assertions(model);
    let krate = &model.krate;
    quote! {
        #structs

        #[doc(hidden)]
        #[allow(non_snake_case, unused_variables, unused_mut, unused_parens, unused_imports, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;
            use _ppl::{Lanes as _, Multiparameter as _, Multivariate as _, Sum as _, Univariate as _};
            #log_joint
            #implementation
            #assertions
        };
    }
}

/// The kernels: the part of the expansion that people read.
fn log_joint(model: &Model) -> TokenStream {
    let mut columns = Vec::new();
    // A guide is drawn from, and has its density, through locations and scales alone.
    let bodies = if model.guide.is_some() { Vec::new() } else { tape::bodies(model) };
    let tapes: Vec<Tape<'_>> = bodies.iter().map(|body| Tape::new(model, body, &mut columns)).collect();
    let stored: BTreeSet<SiteId> = tapes.iter().flat_map(|tape| tape.reads.iter().copied()).collect();
    let centred = centring::centred(model);
    let centrings: Vec<Tape<'_>> = centred.iter().map(|known| Tape::centring(model, known, &mut columns)).collect();
    let mut names = body_names(model, &bodies);
    names.extend(centred.iter().map(|known| centring_name(model, known)));
    let e = bind::element(model);

    let bound = bind::bound_struct(model, &columns, &centred);
    let statements = bodies.iter().map(|body| body.stmts.iter().flat_map(|s| s.text.lines().map(|l| format!(" {l}"))).collect());
    let residuals = centred.iter().map(|known| known.doc(model));
    let docs: Vec<Vec<String>> = statements.chain(residuals).collect();
    let functions = tapes.iter().chain(&centrings).zip(&names).zip(&docs).map(|((tape, name), doc)| {
        let doc = quote!(#(#[doc = #doc])*);
        let forward_name = format_ident!("{}_forward", name, span = Span::mixed_site());
        let accumulate = Writer::new(tape, Form::Accumulate, &stored).body();
        let forward = Writer::new(tape, Form::Forward, &stored).body();
        quote! {
            #doc
            #[inline(always)]
            fn #name<V: _ppl::Lanes<Element = #e>>(&self, rows: _ppl::Range<usize>, frame: &mut _ppl::Frame<'_, V>) -> V::Sum {
                #accumulate
            }

            #[inline(always)]
            fn #forward_name<V: _ppl::Lanes<Element = #e>>(&self, rows: _ppl::Range<usize>, frame: &mut _ppl::Forward<'_, V>) {
                #forward
            }
        }
    });
    let binding = bind::methods(model, &columns, &centred);
    let kernels = kernels(model, &bodies, &tapes, &names, &stored, &columns, &centred);
    let binders = match &model.guide {
        Some(of) => guide::binder(model, of, &bind::bind_guide(model, of, &columns, &centred)),
        None => binders(model, &columns, &centred),
    };
    let used = visit::distributions(model).into_iter().map(|word| Ident::new(word, Span::mixed_site()));
    quote! {
        use _ppl::distributions::{#(#used),*};

        #bound

        impl Bound<'_> {
            #(#functions)*
            #binding
        }

        #kernels

        #binders
    }
}

/// The functions that bind a model to its data, and to what is known where these are to be predicted.
fn binders(model: &Model, columns: &[tape::Column], centred: &[Centred]) -> TokenStream {
    let [bind, bind_inputs] = [false, true].map(|inputs_only| bind::bind(model, columns, centred, inputs_only));
    let (name, e) = (&model.name, bind::element(model));
    let inputs = format_ident!("{}Inputs", name, span = name.span());
    quote! {
        impl #name {
            #[doc(hidden)]
            fn __bind(&self) -> Result<Box<dyn _ppl::LogJoint<#e> + '_>, _ppl::DataError> {
                #bind
            }
        }

        impl #inputs {
            #[doc(hidden)]
            fn __bind<'m>(&'m self, fitted: Option<&_ppl::Layout>) -> Result<Box<dyn _ppl::LogJoint<#e> + 'm>, _ppl::DataError> {
                let inputs = self;
                #bind_inputs
            }
        }
    }
}

/// A readable name for each body.
fn body_names(model: &Model, bodies: &[Body<'_>]) -> Vec<Ident> {
    let mut names: Vec<String> = Vec::new();
    for body in bodies {
        let base = match body.plate {
            Some(var) => format!("plate_{}", model.vars[var].name.to_string().to_lowercase()),
            None => "scalars".to_owned(),
        };
        let count = names.iter().filter(|name| **name == base || name.starts_with(&format!("{base}__"))).count();
        names.push(if count == 0 { base } else { format!("{base}__{}", count + 1) });
    }
    names.iter().map(|name| Ident::new(name, Span::mixed_site())).collect()
}

/// The name of the body of a location and a scale.
fn centring_name(model: &Model, centred: &Centred) -> Ident {
    format_ident!("centring_of_{}", model.sites[centred.site].name.to_string().to_lowercase(), span = Span::mixed_site())
}

/// What is known of a body before any data.
fn known(body: &Body<'_>, tape: &Tape<'_>, stored: &BTreeSet<SiteId>) -> TokenStream {
    let mut factors = Vec::new();
    let mut stores = false;
    for stmt in &body.stmts {
        visit::statements(std::slice::from_ref(*stmt), &mut |stmt| {
            // The statements of a sum are parts of its factor.
            let mut push = |factor: usize| {
                if factors.last() != Some(&factor) {
                    factors.push(factor);
                }
            };
            match &stmt.kind {
                StmtKind::Sample { factor, .. } | StmtKind::Factor { factor, .. } => push(*factor),
                StmtKind::Sum(block) => push(block.factor),
                StmtKind::Discrete(block) => push(block.factor),
                StmtKind::Quantity { site, .. } => stores |= stored.contains(site),
                // What it reads and writes is in memory.
                StmtKind::Operation { .. } | StmtKind::Ode(_) => stores = true,
                StmtKind::Start { .. }
                | StmtKind::Derivative { .. }
                | StmtKind::Local { .. }
                | StmtKind::Param { .. }
                | StmtKind::Expected { .. }
                | StmtKind::For { .. } => {}
            }
        });
    }
    let products = tape.products.len();
    let recursive = tape.plate().is_some_and(|plate| tape.recursive.contains(&plate));
    quote!(_ppl::Body { stores: #stores, recursive: #recursive, products: #products, factors: &[#(#factors),*] })
}

fn kernels(
    model: &Model,
    bodies: &[Body<'_>],
    tapes: &[Tape<'_>],
    names: &[Ident],
    stored: &BTreeSet<SiteId>,
    columns: &[tape::Column],
    centred: &[Centred],
) -> TokenStream {
    let e = bind::element(model);
    let graph = graph::graph(model);
    let known = bodies.iter().zip(tapes).map(|(body, tape)| known(body, tape, stored));
    let plates = bodies.iter().map(|body| body.plate).chain(centred.iter().map(|known| known.body(model).plate));
    let rows = plates.enumerate().map(|(id, plate)| {
        let rows = plate.map_or_else(|| quote!(1), |var| names::length(model, var));
        quote!(#id => #rows)
    });
    let factor_rows = model.factors.iter().enumerate().map(|(id, factor)| {
        let lengths = factor.loops.iter().map(|&v| names::length(model, v));
        let rows = lengths.reduce(|all, own| quote!(#all * #own)).unwrap_or_else(|| quote!(1));
        quote!(#id => #rows)
    });
    let choices = model.sums.iter().enumerate().map(|(id, sum)| {
        let lengths = sum.loops.iter().map(|&v| names::length(model, v));
        quote!(#id => vec![#(#lengths),*])
    });
    let products = tapes.iter().enumerate().flat_map(|(body, tape)| {
        tape.products.iter().enumerate().map(move |(index, product)| {
            let arg = &model.args[product.arg];
            let (array, inner) = (names::field(&arg.name), names::size(model, arg.dims[1]));
            let first = names::row(model, product.site, &[]);
            let columns = product.columns.map_or_else(|| quote!(1), |v| names::length(model, v));
            let from = bodies[body].plate.map(|v| &model.vars[v].from);
            let matrix = match from {
                Some(from) if from.as_constant() != Some(0) => {
                    let from = names::affine(model, from);
                    quote!(&self.#array[(#from) * #inner..])
                }
                _ => quote!(&self.#array),
            };
            quote!((#body, #index) => _ppl::Product { matrix: #matrix, inner: #inner, first: #first, columns: #columns })
        })
    });
    let forward = names.iter().enumerate().map(|(id, name)| {
        let name = format_ident!("{}_forward", name, span = Span::mixed_site());
        quote!(#id => self.#name::<V>(rows, frame))
    });
    let accumulate = names.iter().enumerate().map(|(id, name)| quote!(#id => self.#name::<V>(rows, frame)));
    let walk = if model.guide.is_some() { TokenStream::new() } else { walk::walk(model) };
    let observed = bind::observed_elements(model);
    let refine = model.solves().then(|| {
        quote! {
            fn refine(&mut self, refinement: _ppl::Refinement) {
                self.__refinement = refinement;
            }
        }
    });
    let batch = bind::batch(model, columns, centred);
    let belongs = bind::belongs(model);
    quote! {
        impl _ppl::Kernels for Bound<'_> {
            type Element = #e;
            const GRAPH: &'static _ppl::Graph = #graph;
            const BODIES: &'static [_ppl::Body] = &[#(#known),*];

            fn layout(&self) -> &_ppl::Layout {
                &self.__layout
            }

            fn body_rows(&self, body: usize) -> usize {
                match body { #(#rows,)* _ => 0 }
            }

            fn factor_rows(&self, factor: usize) -> usize {
                match factor { #(#factor_rows,)* _ => 0 }
            }

            fn choices(&self, sum: usize) -> Vec<usize> {
                match sum { #(#choices,)* _ => Vec::new() }
            }

            fn product(&self, body: usize, index: usize) -> _ppl::Product<'_, #e> {
                match (body, index) {
                    #(#products,)*
                    _ => _ppl::Product { matrix: &[], inner: 0, first: 0, columns: 0 },
                }
            }

            #[inline(always)]
            fn forward<V: _ppl::Lanes<Element = #e>>(&self, body: usize, rows: _ppl::Range<usize>, frame: &mut _ppl::Forward<'_, V>) {
                match body { #(#forward,)* _ => {} }
            }

            #[inline(always)]
            fn accumulate<V: _ppl::Lanes<Element = #e>>(
                &self,
                body: usize,
                rows: _ppl::Range<usize>,
                frame: &mut _ppl::Frame<'_, V>,
            ) -> V::Sum {
                match body { #(#accumulate,)* _ => _ppl::zero_sum::<V>() }
            }

            fn batch(&self, batch: &_ppl::Batch<'_>) -> Result<Box<dyn _ppl::LogJoint<#e> + Send + '_>, _ppl::DataError> {
                #batch
            }

            #belongs

            #refine

            fn walk(&self, walk: &mut _ppl::Walk<'_>) {
                #walk
            }

            fn observed(&self) -> Vec<f64> {
                #observed
            }
        }
    }
}

/// `impl Model for Radon`
fn implementation(model: &Model, expansion: &str) -> TokenStream {
    let name = &model.name;
    let e = bind::element(model);
    let [inputs, draws, predictive] =
        ["Inputs", "Draws", "Predictive"].map(|suffix| format_ident!("{}{}", name, suffix, span = name.span()));
    let (collect_draws, collect_predictive) = (items::collect(model, false), items::collect(model, true));
    quote! {
        impl #name {
            /// The generated log joint: the very tokens that are compiled, formatted.
            pub const EXPANSION: &'static str = #expansion;
        }

        impl _ppl::Model for #name {
            type Element = #e;
            type Inputs = #inputs;
            type Draws = #draws;
            type Predictive = #predictive;
            const GRAPH: &'static _ppl::Graph = <Bound<'static> as _ppl::Kernels>::GRAPH;
            const EXPANSION: &'static str = #expansion;

            fn bind(&self) -> Result<Box<dyn _ppl::LogJoint<#e> + '_>, _ppl::DataError> {
                self.__bind()
            }

            fn bind_inputs<'m>(
                inputs: &'m Self::Inputs,
                fitted: Option<&_ppl::Layout>,
            ) -> Result<Box<dyn _ppl::LogJoint<#e> + 'm>, _ppl::DataError> {
                inputs.__bind(fitted)
            }

            fn collect_draws(layout: &_ppl::Layout, draws: usize, columns: &[f64]) -> Self::Draws {
                #collect_draws
            }

            fn collect_predictive(layout: &_ppl::Layout, draws: usize, columns: &[f64]) -> Self::Predictive {
                #collect_predictive
            }
        }
    }
}
