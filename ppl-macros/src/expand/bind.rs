//! Binding: the data structure behind the kernels, its checks, and what is computed once from data alone.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::graph::{site_support, support};
use super::kernel::column_field;
use super::names;
use super::scalar::{self, Source, density, observed_field};
use super::tape::{Column, ColumnValue, vars_of};
use crate::catalogue::Support;
use crate::check::supports::{Verdict, infer};
use crate::ir::{
    Affine, Arg, ArgKind, Density, DimId, Expr, ExprKind, Family, Index, Model, Site, SiteKind, Stmt, StmtKind, Term, VarId,
    visit,
};

/// The element type.
pub(crate) fn element(model: &Model) -> TokenStream {
    if model.single { quote!(f32) } else { quote!(f64) }
}

/// The struct that holds a model bound to its data.
pub(crate) fn bound_struct(model: &Model, columns: &[Column]) -> TokenStream {
    let e = element(model);
    let dims = model.dims.iter().map(|dim| names::field(&dim.name));
    let args = arrays(model).map(|arg| {
        let name = names::field(&arg.name);
        let ty = match (arg.kind, arg.dims.len()) {
            (ArgKind::Index(_), 0) => quote!(usize),
            (ArgKind::Index(_), _) => quote!(Vec<usize>),
            (_, 0) => e.clone(),
            (ArgKind::F64 | ArgKind::F32, 1) => quote!(&'m [#e]),
            (ArgKind::F64 | ArgKind::F32, _) => quote!(_ppl::Cow<'m, [#e]>),
            _ => quote!(Vec<#e>),
        };
        quote!(#name: #ty)
    });
    let rows = rowed(model).map(|site| names::field(&site.name));
    let observed = observed(model).map(|site| observed_field(&site.name));
    let given = model.args.iter().filter(|arg| arg.missing).map(|arg| given_field(&arg.name));
    let columns = (0..columns.len()).map(column_field);
    quote! {
        #[allow(non_snake_case, dead_code)]
        struct Bound<'m> {
            #(#dims: usize,)*
            #(#args,)*
            #(#rows: usize,)*
            #(#observed: usize,)*
            #(#given: Vec<Option<f64>>,)*
            #(#columns: Vec<#e>,)*
            __layout: _ppl::Layout,
            __data: _ppl::PhantomData<&'m ()>,
        }
    }
}

fn arrays(model: &Model) -> impl Iterator<Item = &Arg> {
    model.args.iter().filter(|arg| !matches!(arg.kind, ArgKind::Size(_)) && !arg.missing)
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
pub(crate) fn bind(model: &Model, columns: &[Column], inputs_only: bool) -> TokenStream {
    let word = model.name.to_string();
    let dims = model.dims.iter().map(|dim| dim.name.to_string());
    let fitted = if inputs_only { quote!(fitted) } else { quote!(None) };
    let given = |arg: &Arg| !inputs_only || arg.site.is_none() || !arg.covered;
    let source = if inputs_only { quote!(inputs) } else { quote!(self) };
    let mut seen = TokenStream::new();
    for arg in model.args.iter().filter(|arg| given(arg)) {
        seen.extend(see(arg, &source));
    }
    if inputs_only {
        for dim in super::items::unknown_dims(model) {
            let name = names::field(&model.dims[dim].name);
            let text = name.to_string();
            seen.extend(quote!(sizes.axis(#dim, #text, inputs.#name)?;));
        }
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
    let data = if inputs_only {
        TokenStream::new()
    } else {
        quote! {
            bound.check_observed()?;
            bound.compute_columns();
        }
    };
    let sizes_mut = if seen.is_empty() { quote!(sizes) } else { quote!(mut sizes) };
    let _ = &source;
    quote! {
        let #sizes_mut = _ppl::Sizes::new(#word, &[#(#dims),*], #fitted);
        #seen
        let mut bound = Bound {
            #(#dim_fields,)*
            #values
            #(#rows: 0,)*
            #(#firsts: 0,)*
            #(#partly,)*
            #(#column_fields: Vec::new(),)*
            __layout: _ppl::Layout::default(),
            __data: _ppl::PhantomData,
        };
        #(#index_checks)*
        #(#finite)*
        bound.check_indices()?;
        bound.lay_out(sizes.dimensions())?;
        bound.check_parameters()?;
        #data
        Ok(Box::new(_ppl::Compiled::new(bound)))
    }
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
        (ArgKind::Index(_), _) => quote!(#name),
        (ArgKind::F64 | ArgKind::F32, 0) => quote!(#source.#name),
        (ArgKind::F64 | ArgKind::F32, 1) => quote!(&#source.#name),
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
        (ArgKind::F64 | ArgKind::F32, 1) => quote!(&[]),
        (ArgKind::F64 | ArgKind::F32, _) => quote!(_ppl::Cow::Borrowed(&[])),
        _ => quote!(Vec::new()),
    }
}

/// The methods of the bound struct that bind it.
pub(crate) fn methods(model: &Model, columns: &[Column]) -> TokenStream {
    let lay_out = lay_out(model);
    let check_indices = check_indices(model);
    let (check_observed, check_parameters) = check_supports(model);
    let compute = columns.iter().enumerate().map(|(id, column)| compute_column(model, id, column));
    quote! {
        /// Gives latents and quantities their rows.
        fn lay_out(&mut self, dims: Vec<_ppl::Dimension>) -> Result<(), _ppl::DataError> {
            #lay_out
            Ok(())
        }

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

fn lay_out(model: &Model) -> TokenStream {
    let word = model.name.to_string();
    let mut out = quote!(let mut layout = _ppl::LayoutBuilder::new(#word, dims););
    let mut firsts = Vec::new();
    for site in model.sites.iter().filter(|site| site.kind == SiteKind::Latent) {
        let (field, text, dims) = (names::field(&site.name), site.name.to_string(), &site.dims);
        let set = site_support(site);
        let bounds = match &site.bounds {
            None => quote!(None),
            Some(bounds) => {
                let bound = |expr: &Option<Expr>| {
                    if let Some(expr) = expr {
                        let values = elements(model, site, expr);
                        quote!(Some(#values))
                    } else {
                        quote!(None)
                    }
                };
                let (lower, upper) = (bound(&bounds.lower), bound(&bounds.upper));
                quote!(Some(_ppl::Bounds { lower: #lower, upper: #upper }))
            }
        };
        out.extend(match model.args.iter().find(|arg| arg.missing && arg.name == site.name) {
            None => quote!(layout.latent(#text, &[#(#dims),*], #set, #bounds);),
            Some(arg) => {
                let given = given_field(&arg.name);
                let of_site =
                    |factor: &&crate::ir::Factor| factor.site.is_some_and(|s| std::ptr::eq(&raw const model.sites[s], site));
                let statement = model.factors.iter().find(of_site).map_or("", |factor| factor.text.trim_end_matches(';'));
                quote! {
                    let given = std::mem::take(&mut self.#given);
                    layout.partly_given((#text, #statement), &[#(#dims),*], #set, #bounds.as_ref(), given)?;
                }
            }
        });
        firsts.push(field);
    }
    for site in model.sites.iter().filter(|site| site.kind == SiteKind::Quantity) {
        let (text, dims) = (site.name.to_string(), &site.dims);
        out.extend(quote!(layout.quantity(#text, &[#(#dims),*]);));
        firsts.push(names::field(&site.name));
    }
    for site in observed(model) {
        let (field, text, dims) = (observed_field(&site.name), site.name.to_string(), &site.dims);
        out.extend(quote!(self.#field = layout.observed(#text, &[#(#dims),*]);));
    }
    let rows = firsts.iter().enumerate().map(|(i, field)| quote!(self.#field = layout.first_row(#i);));
    out.extend(quote!(let layout = layout.finish(); #(#rows)* self.__layout = layout;));
    out
}

/// The values of an expression of data over the elements of a site, or its one value.
fn elements(model: &Model, site: &Site, expr: &Expr) -> TokenStream {
    let mut used = BTreeSet::new();
    scalar::vars(model, expr, &mut used);
    let value = scalar::expr(model, expr, Source::Fields);
    if used.is_empty() {
        return quote!(vec![#value]);
    }
    let loops = model
        .factors
        .iter()
        .find(|factor| factor.site.is_some_and(|s| std::ptr::eq(&raw const model.sites[s], site)))
        .map_or(&[][..], |factor| &factor.loops[..]);
    let body = quote!(values.push(#value););
    let nest = nest(model, loops, body);
    quote!({ let mut values = Vec::new(); #nest values })
}

/// Loops around a statement.
fn nest(model: &Model, loops: &[VarId], body: TokenStream) -> TokenStream {
    loops.iter().rev().fold(body, |body, &v| {
        let (name, range) = (names::var(model, v), names::range(model, v));
        quote!(for #name in #range { #body })
    })
}

fn compute_column(model: &Model, id: usize, column: &Column) -> TokenStream {
    let field = column_field(id);
    let e = element(model);
    let value = match &column.value {
        ColumnValue::Expr(expr) => scalar::expr(model, expr, Source::Fields),
        ColumnValue::Base(family, expr) => {
            let (family, value) = (density(family), scalar::expr(model, expr, Source::Fields));
            quote!(#family::base::<f64>(#value).0)
        }
        ColumnValue::Normalizer(family, params) => {
            let reads = super::tape::normalizer(family, params.len()).unwrap_or_default();
            let params = params
                .iter()
                .enumerate()
                .map(|(i, param)| if reads.contains(&i) { scalar::expr(model, param, Source::Fields) } else { quote!(0.0) });
            let family = density(family);
            quote!(#family::normalizer::<f64>([#(#params),*]).0)
        }
    };
    let cast = if model.single { quote!((#value) as #e) } else { value };
    let body = nest(model, &column.loops, quote!(column.push(#cast);));
    quote! {
        let mut column = Vec::new();
        #body
        self.#field = column;
    }
}

/// Checks of every index expression that may leave its axis.
fn check_indices(model: &Model) -> TokenStream {
    let mut out = TokenStream::new();
    let mut done = BTreeSet::new();
    visit::statements(&model.body, &mut |stmt: &Stmt| {
        let mut check = |name: &proc_macro2::Ident, index: &[Index], dims: &[DimId]| {
            for (axis, i) in index.iter().enumerate() {
                if let Some(tokens) = check_index(model, name, index, i, dims[axis])
                    && done.insert(tokens.to_string())
                {
                    out.extend(tokens);
                }
            }
        };
        let mut reads = |expr: &Expr| {
            visit::expressions(expr, &mut |e| match &e.kind {
                ExprKind::Data(arg, index) => check(&model.args[*arg].name, index, &model.args[*arg].dims),
                ExprKind::Site(site, index) => check(&model.sites[*site].name, index, &model.sites[*site].dims),
                _ => {}
            });
        };
        match &stmt.kind {
            StmtKind::Local { value, .. } | StmtKind::Factor { value, .. } => reads(value),
            StmtKind::Quantity { site, index, value } => {
                reads(value);
                check(&model.sites[*site].name, index, &model.sites[*site].dims);
            }
            StmtKind::Sample { site, index, distribution, .. } => {
                for param in visit::parameters(distribution) {
                    reads(param);
                }
                check(&model.sites[*site].name, index, &model.sites[*site].dims);
            }
            StmtKind::For { .. } => {}
        }
    });
    out
}

fn check_index(model: &Model, array: &proc_macro2::Ident, whole: &[Index], index: &Index, dim: DimId) -> Option<TokenStream> {
    let Index::Affine(affine) = index else { return None };
    if let Some(var) = affine.as_var() {
        let v = &model.vars[var];
        let starts = v.from.as_constant().is_some_and(|from| from >= 0);
        if starts && v.to.as_size() == Some(dim) {
            return None;
        }
    }
    // The least and the greatest value, each loop at one of its ends.
    let (mut lowest, mut highest) = (Affine::constant(affine.constant), Affine::constant(affine.constant));
    let mut not_empty = Vec::new();
    for (&term, &coefficient) in &affine.terms {
        match term {
            Term::Size(_) => {
                lowest = lowest.plus(&Affine::term(term), coefficient);
                highest = highest.plus(&Affine::term(term), coefficient);
            }
            Term::Var(var) => {
                let v = &model.vars[var];
                let last = v.to.plus(&Affine::constant(1), -1);
                let (low, high) = if coefficient > 0 { (&v.from, &last) } else { (&last, &v.from) };
                lowest = lowest.plus(low, coefficient);
                highest = highest.plus(high, coefficient);
                let length = names::length(model, var);
                not_empty.push(quote!(#length > 0));
            }
        }
    }
    let (lowest, highest) = (signed(model, &lowest), signed(model, &highest));
    let (word, name, size) = (model.name.to_string(), array.to_string(), names::size(model, dim));
    let text = format!("{array}[{}]", whole.iter().map(|i| text(model, i)).collect::<Vec<_>>().join(", "));
    let check = quote!(_ppl::check_index(#word, #text, #name, (#lowest, #highest), #size)?;);
    Some(if not_empty.is_empty() { check } else { quote!(if #(#not_empty)&&* { #check }) })
}

/// An affine expression of sizes as an `i64`.
fn signed(model: &Model, affine: &Affine) -> TokenStream {
    let mut sum = proc_macro2::Literal::i64_unsuffixed(affine.constant.abs());
    let mut out = if affine.constant < 0 { quote!(-#sum) } else { quote!(#sum) };
    for (&term, &coefficient) in &affine.terms {
        let Term::Size(dim) = term else { continue };
        let size = names::size(model, dim);
        sum = proc_macro2::Literal::i64_unsuffixed(coefficient.abs());
        out = if coefficient < 0 { quote!(#out - #sum * #size as i64) } else { quote!(#out + #sum * #size as i64) };
    }
    out
}

/// An index as the user would write it.
fn text(model: &Model, index: &Index) -> String {
    match index {
        Index::Gather(arg, inner) => {
            format!("{}[{}]", model.args[*arg].name, inner.iter().map(|i| text(model, i)).collect::<Vec<_>>().join(", "))
        }
        Index::Affine(affine) => {
            let mut words = String::new();
            let mut push = |negative: bool, word: String| {
                let sign = match (words.is_empty(), negative) {
                    (true, false) => "",
                    (true, true) => "-",
                    (false, false) => " + ",
                    (false, true) => " - ",
                };
                words.push_str(sign);
                words.push_str(&word);
            };
            for positive in [true, false] {
                for (&term, &coefficient) in affine.terms.iter().filter(|(_, c)| (**c > 0) == positive) {
                    let name = match term {
                        Term::Var(var) => model.vars[var].name.to_string(),
                        Term::Size(dim) => model.dim_name(dim),
                    };
                    let factor = coefficient.abs();
                    push(!positive, if factor == 1 { name } else { format!("{factor} * {name}") });
                }
            }
            if affine.constant != 0 || affine.terms.is_empty() {
                push(affine.constant < 0, affine.constant.abs().to_string());
            }
            words
        }
    }
}

/// Checks of observed data and of parameters made of data.
fn check_supports(model: &Model) -> (TokenStream, TokenStream) {
    let (mut observed, mut parameters) = (TokenStream::new(), TokenStream::new());
    for site in model.sites.iter().filter(|site| site.event_rank == 1) {
        let Some(&dim) = site.dims.last() else { continue };
        let (word, axis, name, size) =
            (model.name.to_string(), model.dim_name(dim), site.name.to_string(), names::size(model, dim));
        parameters.extend(quote!(_ppl::check_not_empty(#word, #axis, #name, #size)?;));
    }
    visit::statements(&model.body, &mut |stmt: &Stmt| {
        let StmtKind::Sample { site, index, distribution, factor } = &stmt.kind else { return };
        let statement = model.factors[*factor].text.trim_end_matches(';');
        let loops = &model.factors[*factor].loops;
        let known = &model.sites[*site];
        if let SiteKind::Observed(arg) = known.kind {
            observed.extend(check_value(model, arg, index, distribution, statement, loops));
        }
        match &distribution.density {
            Density::Univariate { family: Family::Catalogue(entry) | Family::Truncated(entry), params } => {
                for ((name, set), param) in entry.parameters.iter().zip(params) {
                    if scalar::is_data(model, param) && *set != Support::Real && infer(model, param).within(*set) == Verdict::Open
                    {
                        parameters.extend(check_parameter(model, &quote!(#name), &support(*set), param, statement, loops));
                    }
                }
            }
            Density::Univariate { family: Family::User(path, _), params } => {
                for (i, param) in params.iter().enumerate().filter(|(_, param)| scalar::is_data(model, param)) {
                    let own = super::assertions::parameter(path, params.len(), i);
                    let (name, set) = (quote!(#own.name), quote!(#own.support));
                    parameters.extend(check_parameter(model, &name, &set, param, statement, loops));
                }
            }
            _ => {}
        }
    });
    (observed, parameters)
}

fn check_parameter(
    model: &Model,
    name: &TokenStream,
    set: &TokenStream,
    param: &Expr,
    statement: &str,
    loops: &[VarId],
) -> TokenStream {
    let word = model.name.to_string();
    let value = scalar::expr(model, param, Source::Fields);
    let mut used = BTreeSet::new();
    scalar::vars(model, param, &mut used);
    let loops: Vec<VarId> = loops.iter().copied().filter(|v| used.contains(v)).collect();
    // Data read as they are have a name and a row of their own.
    let (field, row) = match &param.kind {
        ExprKind::Data(arg, index) => {
            let known = &model.args[*arg];
            let word = known.name.to_string();
            (quote!(#word), names::flat(model, index, &known.dims))
        }
        _ => (name.clone(), names::loop_row(model, &loops)),
    };
    nest(
        model,
        &loops,
        quote!(_ppl::check_support(#word, #field, #row, #value, #statement, (#set, f64::NEG_INFINITY, f64::INFINITY))?;),
    )
}

fn check_value(
    model: &Model,
    arg: usize,
    index: &[Index],
    distribution: &crate::ir::Distribution,
    statement: &str,
    loops: &[VarId],
) -> TokenStream {
    let known = &model.args[arg];
    let (word, field) = (model.name.to_string(), known.name.to_string());
    let read = |index: &[Index]| {
        let expr = Expr { kind: ExprKind::Data(arg, index.to_vec()), span: known.name.span() };
        (scalar::expr(model, &expr, Source::Fields), names::flat(model, index, &known.dims))
    };
    let check = |set: Support, lower: TokenStream, upper: TokenStream| {
        let (value, row) = read(index);
        let set = support(set);
        quote!(_ppl::check_observed(#word, #field, #row, #value, #statement, (#set, #lower, #upper))?;)
    };
    let (low, high) = (quote!(f64::NEG_INFINITY), quote!(f64::INFINITY));
    let data = |expr: &Expr, otherwise: &TokenStream| {
        if scalar::is_data(model, expr) { scalar::expr(model, expr, Source::Fields) } else { otherwise.clone() }
    };
    let body = match &distribution.density {
        Density::Univariate { family: Family::Catalogue(entry), params } => match entry.support {
            Support::Real => return TokenStream::new(),
            Support::Interval => check(Support::Interval, data(&params[0], &low), data(&params[1], &high)),
            Support::CountUpTo => check(Support::CountUpTo, low, data(&params[0], &high)),
            set => check(set, low, high),
        },
        Density::Univariate { family: Family::Truncated(_), params } => {
            let (lower, upper) = (&params[params.len() - 2], &params[params.len() - 1]);
            check(Support::Interval, data(lower, &low), data(upper, &high))
        }
        Density::Multivariate { entry, parameter } if entry.event_rank == 0 => {
            let dims = match parameter {
                crate::ir::Vector::Site(site, _) => &model.sites[*site].dims,
                crate::ir::Vector::Data(arg, _) => &model.args[*arg].dims,
                crate::ir::Vector::Repeat(_) => return TokenStream::new(),
            };
            let size = dims.last().map_or_else(|| quote!(0), |&dim| names::size(model, dim));
            check(Support::CountUpTo, low, quote!((#size as f64 - 1.0)))
        }
        Density::Multivariate { .. } => {
            let (row, size) = (
                names::flat(model, index, &known.dims),
                known.dims.last().map_or_else(|| quote!(0), |&dim| names::size(model, dim)),
            );
            let name = names::field(&known.name);
            quote!(_ppl::check_simplex(#word, #field, #row, &self.#name[#row..][..#size], #statement)?;)
        }
        Density::Univariate { family: Family::User(path, _), .. } => {
            let (value, row) = read(index);
            let set = quote!(<#path as _ppl::distributions::Distribution>::SUPPORT);
            quote!(_ppl::check_observed(#word, #field, #row, #value, #statement, (#set, #low, #high))?;)
        }
        Density::Ordered { .. } => return TokenStream::new(),
    };
    let used: BTreeSet<VarId> = vars_of(index).into_iter().collect();
    let loops: Vec<VarId> = loops.to_vec();
    let _ = used;
    nest(model, &loops, body)
}

/// The observed elements, in the order of the layout.
pub(crate) fn observed_elements(model: &Model) -> TokenStream {
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
