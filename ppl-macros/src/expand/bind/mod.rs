//! Binding: the data structure behind the kernels, its checks, and what is computed once from data alone.

mod checks;
mod layout;
mod parameters;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::centring::Centred;
use super::kernel::column_field;
use super::names;
use super::scalar::observed_field;
use super::tape::Column;
use crate::check::plates::plates;
use crate::ir::{Arg, ArgKind, Density, GuideOf, Model, Site, SiteKind, StmtKind, Term, visit};
use checks::{check_indices, check_supports};
use layout::{compute_column, lay_out, nest};
use parameters::parameters;

/// The element type.
pub(crate) fn element(model: &Model) -> TokenStream {
    if model.single { quote!(f32) } else { quote!(f64) }
}

/// The struct that holds a model bound to its data.
pub(crate) fn bound_struct(model: &Model, columns: &[Column], centred: &[Centred]) -> TokenStream {
    let e = element(model);
    let dims = model.dims.iter().map(|dim| names::field(&dim.name));
    let args = arrays(model).map(|arg| {
        let name = names::field(&arg.name);
        let ty = match (arg.kind, arg.dims.len()) {
            (ArgKind::Index(_), 0) => quote!(usize),
            (ArgKind::Index(_), _) => quote!(_ppl::Cow<'m, [usize]>),
            (_, 0) => e.clone(),
            _ => quote!(_ppl::Cow<'m, [#e]>),
        };
        quote!(#name: #ty)
    });
    let rows = rowed(model).map(|site| names::field(&site.name));
    let observed = observed(model).map(|site| observed_field(&site.name));
    let given = model.args.iter().filter(|arg| arg.missing).map(|arg| given_field(&arg.name));
    let columns = (0..columns.len()).map(column_field);
    let centred = centred.iter().flat_map(|centred| centred.fields(model)).chain(inputs(model));
    let refinement = model.solves().then(|| quote!(__refinement: _ppl::Refinement,));
    quote! {
        #[allow(non_snake_case, dead_code)]
        struct Bound<'m> {
            #(#dims: usize,)*
            #(#args,)*
            #(#rows: usize,)*
            #(#centred: usize,)*
            #(#observed: usize,)*
            #(#given: Vec<Option<f64>>,)*
            #(#columns: _ppl::Cow<'m, [#e]>,)*
            #refinement
            __layout: _ppl::Layout,
            __data: _ppl::PhantomData<&'m ()>,
        }
    }
}

fn arrays(model: &Model) -> impl Iterator<Item = &Arg> {
    model.args.iter().filter(|arg| !matches!(arg.kind, ArgKind::Size(_)) && !arg.missing && !model.is_input(arg))
}

/// The fields that hold the first rows of the inputs of a row.
fn inputs(model: &Model) -> impl Iterator<Item = proc_macro2::Ident> {
    model.inputs().map(|arg| names::field(&arg.name))
}

/// The field that holds an array with missing values until it is laid out.
fn given_field(name: &proc_macro2::Ident) -> proc_macro2::Ident {
    quote::format_ident!("__given_{}", name, span = proc_macro2::Span::mixed_site())
}

fn rowed(model: &Model) -> impl Iterator<Item = &Site> {
    model.sites.iter().filter(|site| !matches!(site.kind, SiteKind::Observed(_)))
}

fn observed(model: &Model) -> impl Iterator<Item = &Site> {
    model.sites.iter().filter(|site| matches!(site.kind, SiteKind::Observed(_)))
}

/// `bind` or `bind_inputs`: the checks of sizes and values, and the struct.
pub(crate) fn bind(model: &Model, columns: &[Column], centred: &[Centred], inputs_only: bool) -> TokenStream {
    let word = model.name.to_string();
    let dims = model.dims.iter().map(|dim| dim.name.to_string());
    let fitted = if inputs_only { quote!(fitted) } else { quote!(None) };
    let given = |arg: &Arg| !model.is_input(arg) && (!inputs_only || arg.site.is_none() || !arg.covered);
    let source = if inputs_only { quote!(inputs) } else { quote!(self) };
    let mut seen = TokenStream::new();
    for arg in model.args.iter().filter(|arg| given(arg)) {
        seen.extend(see(arg, &source));
    }
    visit::statements(&model.body, &mut |stmt| {
        if let StmtKind::Sample { site, distribution, .. } = &stmt.kind
            && let Density::Listed { weights, components, .. } = &distribution.density
            && let Some(dim) = weights.last_dim(model)
        {
            let (text, count) = (format!("the components of `{}`", model.sites[*site].name), components.len());
            seen.extend(quote!(sizes.axis(#dim, #text, #count)?;));
        }
    });
    if inputs_only {
        for dim in super::items::unknown_dims(model) {
            let name = names::field(&model.dims[dim].name);
            let text = name.to_string();
            seen.extend(quote!(sizes.axis(#dim, #text, inputs.#name)?;));
        }
    }
    // How many values discrete latents have is told by the other sizes.
    for (dim, known) in model.dims.iter().enumerate() {
        let Some(values) = &known.values else { continue };
        let text = format!("the {}", known.name.to_string().replace('_', " "));
        let count = values.terms.iter().fold(values.constant.to_token_stream(), |sum, (term, coefficient)| match term {
            Term::Size(dim) => quote!(#sum + #coefficient * sizes.size(#dim) as i64),
            Term::Var(_) => sum,
        });
        seen.extend(quote!(sizes.axis(#dim, #text, usize::try_from(#count).unwrap_or(0))?;));
    }
    let mut values = TokenStream::new();
    for arg in arrays(model) {
        let name = names::field(&arg.name);
        let value = if given(arg) { value(model, arg, &source) } else { absent(arg) };
        values.extend(quote!(#name: #value,));
    }
    let index_checks = model.args.iter().filter(|arg| given(arg)).filter_map(|arg| {
        let ArgKind::Index(dim) = arg.kind else { return None };
        let (name, text) = (names::field(&arg.name), arg.name.to_string());
        Some(if arg.dims.is_empty() {
            quote!(sizes.check_indices(#dim, #text, &[bound.#name])?;)
        } else {
            quote!(sizes.check_indices(#dim, #text, &bound.#name)?;)
        })
    });
    let partly = model.args.iter().filter(|arg| arg.missing).map(|arg| {
        let (field, name) = (given_field(&arg.name), names::field(&arg.name));
        match (inputs_only, arg.dims.is_empty()) {
            (true, _) => quote!(#field: Vec::new()),
            (false, true) => quote!(#field: _ppl::given([&self.#name])),
            (false, false) => quote!(#field: _ppl::given(&self.#name)),
        }
    });
    let finite = arrays(model).filter(|arg| given(arg) && matches!(arg.kind, ArgKind::F64 | ArgKind::F32)).map(|arg| {
        let (name, text) = (names::field(&arg.name), arg.name.to_string());
        if arg.dims.is_empty() {
            quote!(_ppl::check_finite(#word, #text, &[bound.#name])?;)
        } else {
            quote!(_ppl::check_finite(#word, #text, &bound.#name)?;)
        }
    });
    let dim_fields = model.dims.iter().enumerate().map(|(dim, known)| {
        let name = names::field(&known.name);
        quote!(#name: sizes.size(#dim))
    });
    let rows = rowed(model).map(|site| names::field(&site.name));
    let firsts = observed(model).map(|site| observed_field(&site.name));
    let column_fields = (0..columns.len()).map(column_field);
    let centred = centred.iter().flat_map(|centred| centred.fields(model)).chain(inputs(model));
    let data = if inputs_only {
        TokenStream::new()
    } else {
        quote! {
            bound.check_observed()?;
            bound.compute_columns();
        }
    };
    let starts = parameters(model).filter_map(|parameter| parameter.start_from(given));
    let refinement = model.solves().then(|| quote!(__refinement: _ppl::Refinement::default(),));
    let sizes_mut = if seen.is_empty() { quote!(sizes) } else { quote!(mut sizes) };
    quote! {
        let #sizes_mut = _ppl::Sizes::new(#word, &[#(#dims),*], #fitted);
        #seen
        let mut bound = Bound {
            #(#dim_fields,)*
            #values
            #(#rows: 0,)*
            #(#centred: 0,)*
            #(#firsts: 0,)*
            #(#partly,)*
            #(#column_fields: _ppl::Cow::Borrowed(&[]),)*
            #refinement
            __layout: _ppl::Layout::default(),
            __data: _ppl::PhantomData,
        };
        #(#index_checks)*
        #(#finite)*
        bound.check_indices()?;
        bound.lay_out(sizes.dimensions())?;
        #(#starts)*
        bound.check_parameters()?;
        #data
        Ok(Box::new(_ppl::Compiled::new(bound)))
    }
}

/// The binding of a guide to the data of its model: what it reads is copied, since a fit keeps its guide and no data.
///
/// The model was bound before, so that its sizes agree and its values are good.
pub(crate) fn bind_guide(model: &Model, of: &GuideOf, columns: &[Column], centred: &[Centred]) -> TokenStream {
    let word = model.name.to_string();
    let dims = model.dims.iter().map(|dim| dim.name.to_string());
    let own = |id: usize| id >= of.arguments;
    let source = |id: usize| if own(id) { quote!(self) } else { quote!(model) };
    let seen = model.args.iter().enumerate().map(|(id, arg)| see(arg, &source(id)));
    let read = visit::arguments(model);
    let values = model.args.iter().enumerate().filter(|(_, arg)| !matches!(arg.kind, ArgKind::Size(_))).map(|(id, arg)| {
        let name = names::field(&arg.name);
        let value = match arg.kind {
            _ if !own(id) && !read.contains(&id) => absent(arg),
            ArgKind::F64 | ArgKind::F32 if !arg.dims.is_empty() => {
                let value = value(model, arg, &source(id));
                quote!(_ppl::Cow::Owned(_ppl::Cow::into_owned(#value)))
            }
            _ => value(model, arg, &source(id)),
        };
        quote!(#name: #value)
    });
    let checks = model.args.iter().enumerate().filter(|(id, _)| own(*id)).filter_map(|(_, arg)| {
        let (name, text) = (names::field(&arg.name), arg.name.to_string());
        let values = if arg.dims.is_empty() { quote!(&[bound.#name]) } else { quote!(&bound.#name) };
        match arg.kind {
            ArgKind::Index(dim) => Some(quote!(sizes.check_indices(#dim, #text, #values)?;)),
            ArgKind::F64 | ArgKind::F32 => Some(quote!(_ppl::check_finite(#word, #text, #values)?;)),
            _ => None,
        }
    });
    let dim_fields = model.dims.iter().enumerate().map(|(dim, known)| {
        let name = names::field(&known.name);
        quote!(#name: sizes.size(#dim))
    });
    let rows = rowed(model).map(|site| names::field(&site.name));
    let column_fields = (0..columns.len()).map(column_field);
    let centred = centred.iter().flat_map(|centred| centred.fields(model));
    let starts = parameters(model).filter_map(|parameter| parameter.start_from(|_| true));
    let sizes_mut = if model.args.is_empty() { quote!(sizes) } else { quote!(mut sizes) };
    quote! {
        let #sizes_mut = _ppl::Sizes::new(#word, &[#(#dims),*], None);
        #(#seen)*
        let mut bound = Bound {
            #(#dim_fields,)*
            #(#values,)*
            #(#rows: 0,)*
            #(#centred: 0,)*
            #(#column_fields: _ppl::Cow::Borrowed(&[]),)*
            __layout: _ppl::Layout::default(),
            __data: _ppl::PhantomData,
        };
        #(#checks)*
        bound.check_indices()?;
        bound.lay_out(sizes.dimensions())?;
        #(#starts)*
        bound.check_parameters()?;
        bound.compute_columns();
        Ok(Box::new(_ppl::Compiled::new(bound)))
    }
}

/// The same model over some rows of a plate: what is not over it is borrowed.
pub(crate) fn batch(model: &Model, columns: &[Column], centred: &[Centred]) -> TokenStream {
    let dim_fields = model.dims.iter().enumerate().map(|(dim, known)| {
        let name = names::field(&known.name);
        quote!(#name: batch.size(#dim, self.#name))
    });
    // Of the data of its model a guide has what it reads.
    let (of_model, read) = (model.guide.as_ref().map_or(0, |of| of.arguments), visit::arguments(model));
    let unread = |own: &Arg| {
        let place = model.args.iter().position(|arg| std::ptr::eq(arg, own));
        place.is_some_and(|id| id < of_model && !read.contains(&id))
    };
    let args = arrays(model).map(|arg| {
        let name = names::field(&arg.name);
        if arg.dims.is_empty() {
            return quote!(#name: self.#name);
        }
        if unread(arg) {
            let absent = absent(arg);
            return quote!(#name: #absent);
        }
        let axes = arg.dims.iter().map(|&dim| {
            let size = names::size(model, dim);
            quote!((#dim, #size))
        });
        if let ArgKind::Index(dim) = arg.kind {
            quote!(#name: batch.indices(&self.#name, &[#(#axes),*], #dim))
        } else {
            quote!(#name: batch.array(&self.#name, &[#(#axes),*]))
        }
    });
    let zeros = rowed(model)
        .map(|site| names::field(&site.name))
        .chain(centred.iter().flat_map(|centred| centred.fields(model)))
        .chain(observed(model).map(|site| observed_field(&site.name)))
        .chain(inputs(model));
    let given = model.args.iter().filter(|arg| arg.missing).map(|arg| {
        let (field, text) = (given_field(&arg.name), arg.name.to_string());
        quote!(#field: _ppl::given_again(&self.__layout, #text))
    });
    let columns = columns.iter().enumerate().map(|(id, column)| {
        let name = column_field(id);
        let axes = column.loops.iter().map(|&var| {
            let (dim, length) = (model.vars[var].dim.unwrap_or(usize::MAX), names::length(model, var));
            quote!((#dim, #length))
        });
        quote!(#name: batch.array(&self.#name, &[#(#axes),*]))
    });
    let refinement = model.solves().then(|| quote!(__refinement: self.__refinement,));
    quote! {
        let mut bound = Bound {
            #(#dim_fields,)*
            #(#args,)*
            #(#zeros: 0,)*
            #(#given,)*
            #(#columns,)*
            #refinement
            __layout: _ppl::Layout::default(),
            __data: _ppl::PhantomData,
        };
        bound.lay_out(batch.dimensions(&self.__layout))?;
        Ok(Box::new(_ppl::Compiled::of_batch(bound, batch)))
    }
}

/// To which element of its parent each element of what goes with a plate belongs; nothing where nothing goes with any.
pub(crate) fn belongs(model: &Model) -> Option<TokenStream> {
    let mut through: Vec<_> = plates(model).iter().flat_map(|plate| &plate.following).map(|known| known.arg).collect();
    through.sort_unstable();
    through.dedup();
    let arms = through.iter().map(|&arg| {
        let (text, field) = (model.args[arg].name.to_string(), names::field(&model.args[arg].name));
        quote!(#text => &self.#field)
    });
    (!through.is_empty()).then(|| {
        quote! {
            fn belongs(&self, through: &str) -> &[usize] {
                match through { #(#arms,)* _ => &[] }
            }
        }
    })
}

/// What an argument tells of sizes.
fn see(arg: &Arg, source: &TokenStream) -> TokenStream {
    let (name, text) = (names::field(&arg.name), arg.name.to_string());
    let mut out = TokenStream::new();
    if let ArgKind::Size(dim) = arg.kind {
        return quote!(sizes.axis(#dim, #text, #source.#name)?;);
    }
    let axes = arg.dims.iter().enumerate().map(|(axis, &dim)| {
        if arg.dims.len() == 1 {
            quote!(sizes.axis(#dim, #text, #source.#name.len())?;)
        } else {
            quote!(sizes.axis(#dim, #text, _ppl::shape(&#source.#name)[#axis])?;)
        }
    });
    out.extend(axes);
    if let ArgKind::Index(dim) = arg.kind {
        out.extend(match arg.dims.len() {
            0 => quote!(sizes.points(#dim, #text, &[#source.#name]);),
            1 => quote!(let #name = sizes.indices(#dim, #text, &#source.#name)?;),
            _ => quote!(let #name = _ppl::row_major(&#source.#name).into_owned(); sizes.points(#dim, #text, &#name);),
        });
    }
    out
}

/// An argument as a field of the bound struct.
fn value(model: &Model, arg: &Arg, source: &TokenStream) -> TokenStream {
    let name = names::field(&arg.name);
    let e = element(model);
    match (arg.kind, arg.dims.len()) {
        (ArgKind::Index(_), 0) => quote!(#source.#name),
        (ArgKind::Index(_), _) => quote!(_ppl::Cow::Owned(#name)),
        (ArgKind::F64 | ArgKind::F32, 0) => quote!(#source.#name),
        (ArgKind::F64 | ArgKind::F32, 1) => quote!(_ppl::Cow::Borrowed(&#source.#name[..])),
        (ArgKind::F64 | ArgKind::F32, _) => quote!(_ppl::row_major(&#source.#name)),
        (ArgKind::Bool, 0) => quote!(<#e as From<u8>>::from(u8::from(#source.#name))),
        (_, 0) => quote!(#source.#name as #e),
        (ArgKind::Bool, _) => quote!(#source.#name.iter().map(|&x| <#e as From<u8>>::from(u8::from(x))).collect()),
        (_, _) => quote!(#source.#name.iter().map(|&x| x as #e).collect()),
    }
}

/// What stands for an observed array that is to be predicted.
fn absent(arg: &Arg) -> TokenStream {
    match (arg.kind, arg.dims.len()) {
        (ArgKind::Index(_), 0) => quote!(0),
        (_, 0) => quote!(0.0),
        _ => quote!(_ppl::Cow::Borrowed(&[])),
    }
}

/// The methods of the bound struct that bind it.
pub(crate) fn methods(model: &Model, columns: &[Column], centred: &[Centred]) -> TokenStream {
    let lay_out = lay_out(model, centred);
    let check_indices = check_indices(model);
    let (check_observed, check_parameters) = check_supports(model);
    let starts = parameters(model).map(|parameter| parameter.start());
    let compute = columns.iter().enumerate().map(|(id, column)| compute_column(model, id, column));
    quote! {
        /// Gives latents, parameters and quantities their rows.
        fn lay_out(&mut self, dims: Vec<_ppl::Dimension>) -> Result<(), _ppl::DataError> {
            #lay_out
            Ok(())
        }

        #(#starts)*

        /// Checks that shifted indices stay within their axes.
        fn check_indices(&self) -> Result<(), _ppl::DataError> {
            #check_indices
            Ok(())
        }

        /// Checks that parameters made of data lie in their supports.
        fn check_parameters(&self) -> Result<(), _ppl::DataError> {
            #check_parameters
            Ok(())
        }

        /// Checks that observed data lie in the supports of their distributions.
        fn check_observed(&self) -> Result<(), _ppl::DataError> {
            #check_observed
            Ok(())
        }

        /// Computes what depends on data alone.
        fn compute_columns(&mut self) {
            #(#compute)*
        }
    }
}

/// The observed elements, in the order of the layout.
pub(crate) fn observed_elements(model: &Model) -> TokenStream {
    if model.row {
        return quote!(vec![0.0; self.__layout.observed_elements()]);
    }
    let each = observed(model).filter_map(|site| {
        let SiteKind::Observed(arg) = site.kind else { return None };
        let arg = &model.args[arg];
        let name = names::field(&arg.name);
        Some(match (arg.dims.is_empty(), arg.kind) {
            (true, ArgKind::Index(_)) => quote!(all.push(self.#name as f64);),
            (true, _) => quote!(all.push(f64::from(self.#name));),
            (false, ArgKind::Index(_)) => quote!(all.extend(self.#name.iter().map(|&x| x as f64));),
            (false, _) => quote!(all.extend(self.#name.iter().map(|&x| f64::from(x)));),
        })
    });
    quote! {
        #[allow(unused_mut)]
        let mut all = Vec::new();
        #(#each)*
        all
    }
}
