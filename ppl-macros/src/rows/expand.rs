//! The struct of a model or guide of rows, and what feeds its row.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{Discrete, Operand, Rows};
use crate::catalogue::Support;
use crate::expand::graph;
use crate::ir::{self, Density, Family, StmtKind, Vector, visit};
use crate::syntax::{Argument, ArgumentType, ElementKind, NetworkSize};

/// The struct that users fill, and `RowModel` for it; `compiled` is the model of its row, `globals` that of what stands outside the loop over the rows.
pub(crate) fn expand(
    rows: &Rows,
    compiled: &ir::Model,
    globals: Option<&ir::Model>,
    name: &Ident,
    attrs: &[syn::Attribute],
) -> TokenStream {
    let structure = structure(rows, name, attrs, compiled.single);
    let row_model = row_model(rows, compiled, globals, name);
    let of_globals = globals.map(|globals| {
        let globals = &globals.name;
        quote! {
            /// The generated log joint of what stands outside the loop over the rows.
            pub const GLOBALS_EXPANSION: &'static str = #globals::EXPANSION;
        }
    });
    let row = &rows.row.name;
    quote! {
        #structure

        impl #name {
            /// The generated log joint of a row: the very tokens that are compiled, formatted.
            pub const EXPANSION: &'static str = #row::EXPANSION;
            #of_globals
        }

        #row_model
    }
}

/// `RowModel` for the struct.
fn row_model(rows: &Rows, compiled: &ir::Model, globals: Option<&ir::Model>, name: &Ident) -> TokenStream {
    let (e, krate, row) = (element(compiled.single), &rows.row.krate, &rows.row.name);
    let bound = bound_rows(rows, compiled, name, &quote!(self));
    let bind_globals = globals.map(|globals| {
        let (of_globals, globals) = (shared(rows, globals, &quote!(self)), &globals.name);
        let fields = rows.dims.iter().map(|dim| quote!(#dim: row.#dim));
        quote! {
            fn bind_globals(&self, row: &#row) -> Option<Box<dyn _ppl::GlobalModel<#e>>> {
                Some(Box::new(#globals { #of_globals #(#fields),* }))
            }
        }
    });
    quote! {
        #[doc(hidden)]
        #[allow(non_snake_case, unused_mut, unused_variables, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as _ppl;

            impl _ppl::RowModel for #name {
                type Element = #e;
                type Row = #row;

                fn bind_rows(&self) -> Result<_ppl::BoundRows<'_, #row>, _ppl::DataError> {
                    #bound
                }

                #bind_globals
            }
        };
    }
}

/// The fields of the row or of what stands outside the loop over the rows that hold data which are the same for all rows.
fn shared(rows: &Rows, compiled: &ir::Model, this: &TokenStream) -> TokenStream {
    let given = rows.arguments.iter().filter(|argument| {
        let own = compiled.args.iter().any(|arg| arg.name == argument.name);
        own && matches!(&argument.ty, ArgumentType::Array { dims, .. } if dims.first().is_none_or(|dim| *dim != rows.plate))
    });
    let each = given.map(|argument| {
        let field = &argument.name;
        quote!(#field: #this.#field.clone(),)
    });
    quote!(#(#each)*)
}

/// What binds the rows of the model that `this` is.
pub(super) fn bound_rows(rows: &Rows, compiled: &ir::Model, name: &Ident, this: &TokenStream) -> TokenStream {
    let e = element(compiled.single);
    let row = &rows.row.name;
    let dims: Vec<&Ident> = std::iter::once(&rows.plate).chain(&rows.dims).collect();
    let place = |dim: &Ident| dims.iter().position(|known| *known == dim).unwrap_or(0);
    let words = dims.iter().map(ToString::to_string);
    let model = name.to_string();
    let seen = rows.arguments.iter().map(|argument| {
        let (field, word) = (&argument.name, argument.name.to_string());
        match &argument.ty {
            ArgumentType::Size => {
                let dim = place(field);
                quote!(sizes.axis(#dim, #word, #this.#field)?;)
            }
            ArgumentType::Array { element, dims } => {
                let axes = dims.iter().enumerate().map(|(axis, dim)| {
                    let dim = place(dim);
                    if dims.len() == 1 {
                        quote!(sizes.axis(#dim, #word, #this.#field.len())?;)
                    } else {
                        quote!(sizes.axis(#dim, #word, _ppl::shape(&#this.#field)[#axis])?;)
                    }
                });
                let points = match &element.kind {
                    ElementKind::Index(points) => {
                        let (dim, indices) = (place(points), indices_ident(field));
                        match dims.len() {
                            0 => quote!(sizes.points(#dim, #word, &[#this.#field]);),
                            1 => quote!(let #indices = sizes.indices(#dim, #word, &#this.#field)?;),
                            _ => quote!(let #indices = _ppl::row_major(&#this.#field); sizes.points(#dim, #word, &#indices);),
                        }
                    }
                    _ => TokenStream::new(),
                };
                quote!(#(#axes)* #points)
            }
            ArgumentType::Network { .. } => TokenStream::new(),
        }
    });
    let size = |dim: &Ident| {
        let dim = place(dim);
        quote!(sizes.size(#dim))
    };
    let checks = network_checks(rows, &model, this, &size);
    let inputs = rows.arguments.iter().filter_map(|argument| {
        let ArgumentType::Array { element: kind, dims } = &argument.ty else { return None };
        let (field, word) = (&argument.name, argument.name.to_string());
        let over_rows = dims.first().is_some_and(|dim| *dim == rows.plate);
        let columns = &dims[usize::from(over_rows)..];
        let columns = columns.iter().map(size).reduce(|a, b| quote!(#a * #b)).unwrap_or_else(|| quote!(1));
        let array = match dims.len() {
            0 => quote!(_ppl::Cow::Borrowed(::core::slice::from_ref(&#this.#field))),
            1 => quote!(_ppl::Cow::Borrowed(&#this.#field[..])),
            _ => quote!(_ppl::row_major(&#this.#field)),
        };
        let data = match &kind.kind {
            ElementKind::Index(_) if over_rows => {
                let indices = indices_ident(field);
                quote!(#indices.iter().map(|&x| x as #e).collect())
            }
            ElementKind::Bool => quote!(#array.iter().map(|&x| <#e as From<u8>>::from(u8::from(x))).collect()),
            ElementKind::U64 | ElementKind::I64 => quote!(#array.iter().map(|&x| x as #e).collect()),
            ElementKind::F64 | ElementKind::F32 => array,
            ElementKind::Index(_) | ElementKind::Option(_) => return None,
        };
        let observed = observed(compiled, field);
        let points = match &kind.kind {
            ElementKind::Index(points) => Some(points),
            _ => categories(compiled, field),
        };
        let categories = points.map_or_else(
            || quote!(None),
            |points| {
                let (size, word) = (size(points), points.to_string());
                quote!(Some((#size, #word)))
            },
        );
        let shared = !over_rows;
        Some(quote!({
            let data: _ppl::Cow<'_, [#e]> = #data;
            _ppl::RowInput {
                name: #word, columns: #columns, data, observed: #observed, categories: #categories, shared: #shared
            }
        }))
    });
    let row_fields = rows.dims.iter().map(|dim| {
        let size = size(dim);
        quote!(#dim: #size)
    });
    let of_row = shared(rows, compiled, this);
    let (networks, calls, priors) = (networks(rows, this), calls(rows), priors(rows));
    let discretes = Discrete::expand(&rows.discretes, false, &size);
    quote! {
        let mut sizes = _ppl::Sizes::new(#model, &[#(#words),*], None);
        #(#seen)*
        #(#checks)*
        Ok(_ppl::BoundRows {
            row: #row { #of_row #(#row_fields),* },
            rows: sizes.size(0),
            inputs: vec![#(#inputs),*],
            networks: #networks,
            calls: #calls,
            discretes: #discretes,
            priors: #priors,
        })
    }
}

/// What guides a model without one of its own: `()` where it has no latents, `Automatic` where its rows have none.
pub(crate) fn no_guide(rows: &Rows, name: &Ident, nothing: &Ident) -> TokenStream {
    let krate = &rows.row.krate;
    let whose =
        if rows.globals.latents.is_empty() { vec![quote!(()), quote!(_ppl::Automatic)] } else { vec![quote!(_ppl::Automatic)] };
    let guides = whose.iter().map(|guide| {
        quote! {
            impl _ppl::RowGuide<#name> for #guide {
                type Element = <#name as _ppl::RowModel>::Element;
                type ModelRow = <#name as _ppl::RowModel>::Row;
                type Row = #nothing;

                fn bind_model<'m>(&self, model: &'m #name) -> Result<_ppl::BoundRows<'m, Self::ModelRow>, _ppl::DataError> {
                    _ppl::RowModel::bind_rows(model)
                }

                fn bind_globals(&self, model: &#name, row: &Self::ModelRow) -> Option<Box<dyn _ppl::GlobalModel<Self::Element>>> {
                    _ppl::RowModel::bind_globals(model, row)
                }

                fn bind_guide(
                    &self,
                    _model: &_ppl::BoundRows<'_, Self::ModelRow>,
                ) -> Result<_ppl::BoundRows<'_, #nothing>, _ppl::DataError> {
                    Ok(_ppl::BoundRows { row: #nothing {}, rows: 0, inputs: vec![], networks: vec![], calls: &[], discretes: vec![], priors: &[] })
                }
            }
        }
    });
    quote! {
        #[doc(hidden)]
        const _: () = {
            use #krate::__private as _ppl;

            #(#guides)*
        };
    }
}

/// The networks whose weights are latent.
pub(super) fn priors(rows: &Rows) -> TokenStream {
    let each = rows.priors.iter().map(|(network, scale)| quote!((#network, #scale)));
    quote!(&[#(#each),*])
}

/// The indices of an array until their sizes are known.
fn indices_ident(field: &Ident) -> Ident {
    quote::format_ident!("__indices_{}", field, span = Span::mixed_site())
}

/// The dimension over whose elements an observed input has a categorical distribution.
fn categories<'m>(compiled: &'m ir::Model, input: &Ident) -> Option<&'m Ident> {
    let mut found = None;
    visit::statements(&compiled.body, &mut |stmt| {
        let StmtKind::Sample { site, distribution, .. } = &stmt.kind else { return };
        let Density::Multivariate { entry, parameters, .. } = &distribution.density else { return };
        let Some(parameter) = parameters.last().filter(|_| entry.shape == crate::catalogue::Shape::Multivariate) else { return };
        if compiled.sites[*site].name == *input && entry.event_rank == 0 {
            let dims = match parameter {
                Vector::Site(site, _) => &compiled.sites[*site].dims,
                Vector::Data(arg, _) => &compiled.args[*arg].dims,
                Vector::Repeat(_) => return,
            };
            found = dims.last().map(|&dim| &compiled.dims[dim].name);
        }
    });
    found
}

/// The statement that an input is observed under, with its support; none of an input that is only read.
fn observed(compiled: &ir::Model, input: &Ident) -> TokenStream {
    let mut found = quote!(None);
    visit::statements(&compiled.body, &mut |stmt| {
        let StmtKind::Sample { site, distribution, factor, .. } = &stmt.kind else { return };
        if compiled.sites[*site].name != *input {
            return;
        }
        let support = match &distribution.density {
            Density::Univariate { family: Family::Catalogue(entry), .. } => match entry.support {
                // How far a count goes differs from row to row.
                Support::CountUpTo => Support::Count,
                Support::Interval => Support::Real,
                support => support,
            },
            _ => Support::Real,
        };
        let (support, statement) = (graph::support(support), compiled.factors[*factor].text.trim_end_matches(';'));
        found = quote!(Some((#support, #statement)));
    });
    found
}

/// The struct with the arguments as its fields.
pub(super) fn structure(rows: &Rows, name: &Ident, attrs: &[syn::Attribute], single: bool) -> TokenStream {
    let (vis, krate) = (&rows.row.vis, &rows.row.krate);
    let fields = rows.arguments.iter().map(|argument| field(argument, krate, single));
    let doc = if attrs.iter().any(|attr| attr.path().is_ident("doc")) {
        TokenStream::new()
    } else {
        let doc = format!("The model `{name}` with its data and networks.");
        quote!(#[doc = #doc])
    };
    quote! {
        #doc
        #(#attrs)*
        #[allow(non_snake_case, clippy::struct_field_names)]
        #vis struct #name { #(#fields),* }
    }
}

fn field(argument: &Argument, krate: &syn::Path, single: bool) -> TokenStream {
    let (attrs, name) = (&argument.attrs, &argument.name);
    let e = element(single);
    let (ty, text) = match &argument.ty {
        ArgumentType::Size => (quote!(usize), format!("The size of dimension `{name}`.")),
        ArgumentType::Network { inputs, outputs } => (
            quote!(#krate::networks::Parameterized<#e>),
            format!("The network `{name}`, which takes `{inputs}` numbers of a row and gives `{outputs}`."),
        ),
        ArgumentType::Array { element, dims } => {
            let words: Vec<String> = dims.iter().map(|dim| format!("`{dim}`")).collect();
            let pointing = match &element.kind {
                ElementKind::Index(points) => format!(", each an index into `{points}`"),
                _ => String::new(),
            };
            let is_index = !pointing.is_empty();
            let element = match element.kind {
                ElementKind::U64 => quote!(u64),
                ElementKind::I64 => quote!(i64),
                ElementKind::Bool => quote!(bool),
                ElementKind::Index(_) => quote!(usize),
                ElementKind::Option(_) => quote!(::std::option::Option<#e>),
                _ => e,
            };
            let ty = match dims.len() {
                0 => element,
                1 if is_index => quote!(#krate::indices::Indices),
                1 => quote!(::std::vec::Vec<#element>),
                rank => {
                    let array = quote::format_ident!("Array{}", rank);
                    quote!(#krate::__private::ndarray::#array<#element>)
                }
            };
            let over = if words.is_empty() { String::new() } else { format!(" over {}", words.join(", ")) };
            (ty, format!("`{name}`{over}{pointing}."))
        }
    };
    let doc = if attrs.iter().any(|attr| attr.path().is_ident("doc")) { TokenStream::new() } else { quote!(#[doc = #text]) };
    quote!(#doc #(#attrs)* pub #name: #ty)
}

/// The element of data and networks.
pub(super) fn element(single: bool) -> TokenStream {
    if single { quote!(f32) } else { quote!(f64) }
}

/// Checks of the sizes of networks.
pub(super) fn network_checks(
    rows: &Rows,
    model: &str,
    this: &TokenStream,
    size: &dyn Fn(&Ident) -> TokenStream,
) -> Vec<TokenStream> {
    let of = |expected: &NetworkSize| {
        let terms = expected.terms.iter().map(|term| {
            let (factor, sizes) = (term.factor, term.dims.iter().map(size));
            quote!(#factor #(* #sizes)*)
        });
        quote!(#(#terms)+*)
    };
    let check = |(name, inputs, outputs): (&Ident, &NetworkSize, &NetworkSize)| {
        let (word, text) = (name.to_string(), [inputs.to_string(), outputs.to_string()]);
        let ([takes, gives], inputs, outputs) = (text, of(inputs), of(outputs));
        quote!(_ppl::check_network(#model, #word, &#this.#name, (#takes, #inputs), (#gives, #outputs))?;)
    };
    rows.networks().map(check).collect()
}

/// The networks with their names.
pub(super) fn networks(rows: &Rows, this: &TokenStream) -> TokenStream {
    let each = rows.networks().map(|(name, ..)| {
        let word = name.to_string();
        quote!((#word, &#this.#name))
    });
    quote!(vec![#(#each),*])
}

/// The calls of networks.
pub(super) fn calls(rows: &Rows) -> TokenStream {
    let calls = rows.calls.iter().map(|call| {
        let (network, operands) = (call.network, call.operands.iter().map(Operand::expand));
        let results = call.results.iter().map(ToString::to_string);
        quote!(_ppl::Call { network: #network, operands: &[#(#operands),*], results: &[#(#results),*] })
    });
    quote!(&[#(#calls),*])
}
