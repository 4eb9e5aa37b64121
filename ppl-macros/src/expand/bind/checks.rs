//! What is checked of the data when a model is bound: shifted indices, supports of values and of parameters.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::nest;
use crate::catalogue::{Bound, Shape, Support};
use crate::check::supports::{Verdict, infer};
use crate::expand::graph::support;
use crate::expand::names;
use crate::expand::scalar::{self, Source};
use crate::ir::{
    Affine, Density, DimId, Distribution, Expr, ExprKind, Family, Index, Model, OdeBlock, SiteKind, Stmt, StmtKind, Term, VarId,
    Vector, Wrapper, visit,
};

/// Checks of every index expression that may leave its axis.
pub(super) fn check_indices(model: &Model) -> TokenStream {
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
        let arrays = |operands: &[Vector], check: &mut dyn FnMut(&proc_macro2::Ident, &[Index], &[DimId])| {
            for operand in operands {
                match operand {
                    Vector::Data(arg, index) => check(&model.args[*arg].name, index, &model.args[*arg].dims),
                    Vector::Site(site, index) => check(&model.sites[*site].name, index, &model.sites[*site].dims),
                    Vector::Repeat(_) => {}
                }
            }
        };
        let mut reads = |expr: &Expr| {
            visit::expressions(expr, &mut |e| match &e.kind {
                ExprKind::Data(arg, index) => check(&model.args[*arg].name, index, &model.args[*arg].dims),
                ExprKind::Site(site, index) => check(&model.sites[*site].name, index, &model.sites[*site].dims),
                ExprKind::Component(component, index) => {
                    let known = &model.components[*component];
                    check(&model.sites[known.site].name, index, &known.dims);
                }
                _ => {}
            });
        };
        match &stmt.kind {
            StmtKind::Local { value, .. } | StmtKind::Factor { value, .. } => reads(value),
            StmtKind::Ode(block) => [&block.from, &block.to].into_iter().for_each(reads),
            StmtKind::Start { component, index, value } | StmtKind::Derivative { component, index, value } => {
                reads(value);
                let known = &model.components[*component];
                check(&model.sites[known.site].name, index, &known.dims);
            }
            StmtKind::Quantity { site, index, value } => {
                reads(value);
                check(&model.sites[*site].name, index, &model.sites[*site].dims);
            }
            StmtKind::Param { site, index, bounds, start } => {
                visit::of_parameter(bounds.as_deref(), start).for_each(&mut reads);
                check(&model.sites[*site].name, index, &model.sites[*site].dims);
            }
            StmtKind::Sample { site, index, distribution, .. } => {
                for param in visit::of_distribution(distribution) {
                    reads(param);
                }
                arrays(distribution.density.vectors(), &mut check);
                check(&model.sites[*site].name, index, &model.sites[*site].dims);
            }
            StmtKind::Operation { site, index, operands, .. } => {
                visit::repeated(operands).for_each(&mut reads);
                arrays(operands, &mut check);
                check(&model.sites[*site].name, index, &model.sites[*site].dims);
            }
            StmtKind::Sum(block) => {
                block.priors().flat_map(|(prior, _)| visit::of_distribution(prior)).for_each(&mut reads);
                block.priors().for_each(|(prior, _)| arrays(prior.density.vectors(), &mut check));
            }
            StmtKind::Discrete(block) => {
                visit::of_distribution(&block.prior).for_each(&mut reads);
                arrays(block.prior.density.vectors(), &mut check);
                let site = &model.sites[model.discretes[block.latent].site];
                check(&site.name, &block.index, &site.dims);
            }
            StmtKind::Expected { over, .. } => {
                for (site, index) in over.iter().filter_map(|&var| model.probability(var)) {
                    check(&model.sites[site].name, index, &model.sites[site].dims);
                }
            }
            StmtKind::For { .. } => {}
        }
    });
    out
}

pub(super) fn check_index(
    model: &Model,
    array: &proc_macro2::Ident,
    whole: &[Index],
    index: &Index,
    dim: DimId,
) -> Option<TokenStream> {
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
pub(super) fn signed(model: &Model, affine: &Affine) -> TokenStream {
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

/// A bound name as the user would write it: of a value of a chain or of a discrete latent, what is read.
fn bound(model: &Model, var: VarId) -> String {
    let Some((name, index)) = model.value_of(var) else { return model.vars[var].name.to_string() };
    let index: Vec<String> = index.iter().map(|index| text(model, index)).collect();
    if index.is_empty() { name.to_string() } else { format!("{name}[{}]", index.join(", ")) }
}

/// An index as the user would write it.
pub(super) fn text(model: &Model, index: &Index) -> String {
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
                        Term::Var(var) => bound(model, var),
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

/// Checks of observed data, and of parameters made of data: of what is there where observed arrays are to be predicted.
pub(super) fn check_supports(model: &Model) -> (TokenStream, TokenStream) {
    let (mut observed, mut parameters) = (TokenStream::new(), TokenStream::new());
    for site in model.sites.iter().filter(|site| site.event_rank > 0) {
        let Some(&dim) = site.dims.last() else { continue };
        let (word, axis, name, size) =
            (model.name.to_string(), model.dim_name(dim), site.name.to_string(), names::size(model, dim));
        parameters.extend(quote!(_ppl::check_not_empty(#word, #axis, #name, #size)?;));
    }
    visit::in_loops(&model.body, &mut Vec::new(), &mut |stmt: &Stmt, loops: &[VarId]| {
        let mut of_distribution = |distribution: &Distribution, factor: usize, loops: &[VarId]| {
            let statement = model.factors[factor].text.trim_end_matches(';');
            check_parameters(model, distribution, (statement, loops), (&mut observed, &mut parameters));
        };
        match &stmt.kind {
            StmtKind::Sample { site, index, distribution, factor } => {
                of_distribution(distribution, *factor, loops);
                if let SiteKind::Observed(arg) = model.sites[*site].kind
                    && !model.row
                {
                    let statement = model.factors[*factor].text.trim_end_matches(';');
                    observed.extend(check_value(model, arg, index, distribution, statement, loops));
                }
            }
            StmtKind::Sum(block) => {
                for (prior, own) in block.priors() {
                    of_distribution(prior, block.factor, &[loops, &own].concat());
                }
            }
            StmtKind::Discrete(block) => of_distribution(&block.prior, block.factor, loops),
            StmtKind::Ode(block) => parameters.extend(check_times(model, block, loops)),
            _ => {}
        }
    });
    (observed, parameters)
}

/// The check that the times of a differential equation do not decrease.
fn check_times(model: &Model, block: &OdeBlock, loops: &[VarId]) -> TokenStream {
    let word = model.name.to_string();
    let mut used = BTreeSet::new();
    [&block.from, &block.to].into_iter().for_each(|time| scalar::vars(model, time, &mut used));
    let loops: Vec<VarId> = loops.iter().copied().filter(|var| used.contains(var)).collect();
    let [from, to] = [&block.from, &block.to].map(|time| scalar::expr(model, time, Source::Fields));
    let (at, range) = (names::var(model, block.at), names::range(model, block.at));
    let (field, row) = match &block.to.kind {
        ExprKind::Data(arg, index) => {
            let known = &model.args[*arg];
            (known.name.to_string(), names::flat(model, index, &known.dims))
        }
        _ => ("times".to_owned(), names::loop_row(model, &[&loops[..], &[block.at]].concat())),
    };
    let check = quote! {
        let mut before = #from;
        for #at in #range {
            let time = #to;
            _ppl::check_time(#word, #field, #row, before, time)?;
            before = time;
        }
    };
    nest(model, &loops, check)
}

/// Checks of the parameters of a distribution that are made of data.
fn check_parameters(
    model: &Model,
    distribution: &Distribution,
    (statement, loops): (&str, &[VarId]),
    (observed, parameters): (&mut TokenStream, &mut TokenStream),
) {
    if let Density::Multivariate { entry, parameters: operands, .. } = &distribution.density {
        let sets = entry.parameters.iter().map(|(_, set)| *set);
        for (operand, set) in operands.iter().zip(sets).filter(|(_, set)| !matches!(set, Support::Real | Support::Count)) {
            parameters_of_arrays(model, operand, set, (statement, loops), (observed, parameters));
        }
    }
    if let Density::Mixture { weights, .. } | Density::Listed { weights, .. } = &distribution.density {
        parameters_of_arrays(model, weights, Support::Simplex, (statement, loops), (observed, parameters));
    }
    let Density::Univariate { family, params } = &distribution.density else { return };
    for ((name, set), param) in family.parameters().into_iter().zip(params) {
        if scalar::is_data(model, param) && set != Support::Real && infer(model, param).within(set) == Verdict::Open {
            let check = check_parameter(model, &quote!(#name), &support(set), param, statement, loops);
            if reads_observed(model, param) { observed.extend(check) } else { parameters.extend(check) }
        }
    }
    let Some((path, names)) = family.user() else { return };
    for (i, param) in params[..names.len()].iter().enumerate().filter(|(_, param)| scalar::is_data(model, param)) {
        let own = crate::expand::assertions::parameter(path, names.len(), i);
        let (name, set) = (quote!(#own.name), quote!(#own.support));
        let check = check_parameter(model, &name, &set, param, statement, loops);
        if reads_observed(model, param) { observed.extend(check) } else { parameters.extend(check) }
    }
}

/// The check of a vector or a matrix of data that is a parameter.
fn parameters_of_arrays(
    model: &Model,
    operand: &Vector,
    set: Support,
    (statement, loops): (&str, &[VarId]),
    (observed, parameters): (&mut TokenStream, &mut TokenStream),
) {
    let (word, set) = (model.name.to_string(), support(set));
    let Vector::Data(arg, index) = operand else { return };
    let known = &model.args[*arg];
    if model.row {
        return;
    }
    let (field, name) = (known.name.to_string(), names::field(&known.name));
    let (row, size) = (names::flat(model, index, &known.dims), names::trailing(model, &known.dims, index.len()));
    let used: BTreeSet<VarId> = crate::expand::tape::vars_of(index).into_iter().collect();
    let loops: Vec<VarId> = loops.iter().copied().filter(|var| used.contains(var)).collect();
    let check = quote!(_ppl::check_array(#word, #field, #row, &self.#name[#row..][..#size], #statement, #set)?;);
    let check = nest(model, &loops, check);
    if known.covered { observed.extend(check) } else { parameters.extend(check) }
}

/// Whether an expression takes data that are missing where they are to be predicted.
pub(super) fn reads_observed(model: &Model, expr: &Expr) -> bool {
    let mut found = false;
    visit::data(model, expr, &mut |arg, _| found |= model.args[arg].covered);
    found
}

pub(super) fn check_parameter(
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

/// Whether an expression differs between the values of a `sum`.
fn is_summed(model: &Model, expr: &Expr) -> bool {
    let mut used = BTreeSet::new();
    scalar::vars(model, expr, &mut used);
    used.iter().any(|&var| model.is_value(var))
}

/// The sets in which a value of a density of one number lies, each with its bounds.
fn sets(model: &Model, family: &Family, params: &[Expr]) -> Vec<(TokenStream, TokenStream, TokenStream)> {
    let (low, high) = (quote!(f64::NEG_INFINITY), quote!(f64::INFINITY));
    let data = |expr: &Expr, otherwise: &TokenStream| {
        // What is impossible for one value of a sum may be possible for another.
        let known = scalar::is_data(model, expr) && !is_summed(model, expr);
        if known { scalar::expr(model, expr, Source::Fields) } else { otherwise.clone() }
    };
    match family {
        Family::Catalogue(entry) => match entry.support {
            Support::Real => Vec::new(),
            set => {
                let end = |bound: Bound, otherwise: &TokenStream| match bound {
                    Bound::Infinite => otherwise.clone(),
                    Bound::Number(x) => quote!(#x),
                    Bound::Parameter(place) => data(&params[place], otherwise),
                };
                vec![(support(set), end(entry.bounds[0], &low), end(entry.bounds[1], &high))]
            }
        },
        Family::User(path, _) => {
            vec![(quote!(<#path as _ppl::distributions::Distribution>::SUPPORT), low, high)]
        }
        Family::Wrapped(Wrapper::Transformed(map), _) => vec![(support(map.support()), low, high)],
        Family::Wrapped(Wrapper::ZeroInflated, inner) => sets(model, inner, &params[..inner.parameters().len()]),
        Family::Wrapped(Wrapper::Truncated | Wrapper::Censored, inner) => {
            let (lower, upper) = (&params[params.len() - 2], &params[params.len() - 1]);
            let mut all = sets(model, inner, &params[..inner.parameters().len()]);
            all.push((support(Support::Interval), data(lower, &low), data(upper, &high)));
            all
        }
    }
}

pub(super) fn check_value(
    model: &Model,
    arg: usize,
    index: &[Index],
    distribution: &Distribution,
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
    let low = quote!(f64::NEG_INFINITY);
    let body = match &distribution.density {
        Density::Univariate { family, params } => {
            let (value, row) = read(index);
            sets(model, family, params)
                .into_iter()
                .map(|(set, lower, upper)| {
                    quote!(_ppl::check_observed(#word, #field, #row, #value, #statement, (#set, #lower, #upper))?;)
                })
                .collect()
        }
        Density::Multivariate { entry, parameters, .. } if entry.event_rank == 0 => {
            let Some(dim) = parameters.last().and_then(|parameter| parameter.last_dim(model)) else { return TokenStream::new() };
            let size = names::size(model, dim);
            // Cutpoints are one less than the categories that they separate.
            let most = if entry.shape == Shape::Multiparameter { quote!(#size as f64) } else { quote!((#size as f64 - 1.0)) };
            check(Support::CountUpTo, low, most)
        }
        Density::Multivariate { entry, .. } if entry.support == Support::Real => return TokenStream::new(),
        Density::Multivariate { entry, .. } => {
            let (row, size) = (names::flat(model, index, &known.dims), names::trailing(model, &known.dims, index.len()));
            let name = names::field(&known.name);
            let set = support(entry.support);
            quote!(_ppl::check_observed_array(#word, #field, #row, &self.#name[#row..][..#size], #statement, #set)?;)
        }
        // What differs between the components is not asked here.
        Density::Mixture { family, .. } => match family.support() {
            Support::Real | Support::Interval => return TokenStream::new(),
            Support::CountUpTo => check(Support::Count, low.clone(), quote!(f64::INFINITY)),
            set => check(set, low.clone(), quote!(f64::INFINITY)),
        },
        // What any component may be: the sets are compared by the compiler.
        Density::Listed { components, .. } => match components.first().map(|(family, _)| family.support()) {
            None | Some(Support::Real | Support::Interval) => return TokenStream::new(),
            Some(Support::CountUpTo) => check(Support::Count, low.clone(), quote!(f64::INFINITY)),
            Some(set) => check(set, low.clone(), quote!(f64::INFINITY)),
        },
        Density::Ordered { .. } => return TokenStream::new(),
    };
    nest(model, loops, body)
}
