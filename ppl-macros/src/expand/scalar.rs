//! Expressions as scalar code: what is of data alone is computed once at binding, and walks compute everything so.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::names;
use crate::ir::{
    ArgKind, Comparison, Condition, Expr, ExprKind, Family, Function, Model, Operator, Reduce, SiteKind, VarId, Wrapper, visit,
};

/// Where scalar code finds values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Data in the fields of the kernels.
    Fields,
    /// Observed arrays, latents and quantities in a walk.
    Walk,
}

/// The bound names that an expression uses.
pub(crate) fn vars(model: &Model, expr: &Expr, used: &mut BTreeSet<VarId>) {
    let mut inner = BTreeSet::new();
    visit::expressions(expr, &mut |e| match &e.kind {
        ExprKind::Var(var) => {
            used.insert(*var);
        }
        ExprKind::Data(_, index) | ExprKind::Site(_, index) | ExprKind::Component(_, index) => {
            used.extend(super::tape::vars_of(index));
        }
        ExprKind::Local(local) => vars(model, &model.locals[*local].value, used),
        ExprKind::Reduce { var, .. } => {
            inner.insert(*var);
        }
        _ => {}
    });
    used.retain(|var| !inner.contains(var));
}

/// Whether an expression is made of data alone.
pub(crate) fn is_data(model: &Model, expr: &Expr) -> bool {
    let mut data = true;
    visit::expressions(expr, &mut |e| match &e.kind {
        ExprKind::Site(site, _) => data &= !model.row && matches!(model.sites[*site].kind, SiteKind::Observed(_)),
        ExprKind::Data(arg, _) => data &= !model.is_input(&model.args[*arg]),
        ExprKind::Component(..) => data = false,
        ExprKind::Local(local) => data &= model.locals[*local].data,
        _ => {}
    });
    data
}

/// An expression as `f64` code.
pub(crate) fn expr(model: &Model, e: &Expr, source: Source) -> TokenStream {
    let sub = |e: &Expr| expr(model, e, source);
    match &e.kind {
        ExprKind::Number(x) => number(*x),
        ExprKind::Size(dim) => {
            let size = names::size(model, *dim);
            quote!((#size as f64))
        }
        ExprKind::Var(var) => {
            let name = names::var(model, *var);
            quote!((#name as f64))
        }
        ExprKind::Data(arg, index) => data(model, *arg, index, source),
        ExprKind::Site(site, index) => match model.sites[*site].kind {
            SiteKind::Observed(arg) => data(model, arg, index, source),
            SiteKind::Latent | SiteKind::Parameter | SiteKind::Quantity => {
                let row = names::row(model, *site, index);
                quote!(walk.value(#row))
            }
        },
        ExprKind::Component(component, index) => {
            let place = names::component_place(model, *component, index);
            quote!(ode.component(#place))
        }
        ExprKind::Local(local) if !model.locals[*local].over.is_empty() => sub(&model.locals[*local].value),
        ExprKind::Local(local) => match source {
            Source::Walk => {
                let name = names::user_local(&model.locals[*local].name);
                if model.locals[*local].data { quote!(#name) } else { quote!(walk.named(#local, #name)) }
            }
            Source::Fields => sub(&model.locals[*local].value),
        },
        ExprKind::Binary(op, left, right) => {
            let (left, right) = (sub(left), sub(right));
            match op {
                Operator::Add => quote!((#left + #right)),
                Operator::Sub => quote!((#left - #right)),
                Operator::Mul => quote!((#left * #right)),
                Operator::Div => quote!((#left / #right)),
            }
        }
        ExprKind::Neg(inner) => {
            let inner = sub(inner);
            quote!((-#inner))
        }
        ExprKind::Powi(inner, k) => {
            let inner = sub(inner);
            quote!(_ppl::Lanes::powi(#inner, #k))
        }
        ExprKind::Function(function, args) => {
            let args = args.iter().map(sub);
            let name = function_name(*function);
            quote!(_ppl::functions::#name(#(#args),*))
        }
        ExprKind::User(path, args) => {
            let args = args.iter().map(sub);
            quote!(#path(#(#args),*))
        }
        ExprKind::If(test, then, otherwise) => {
            let (test, then, otherwise) = (condition(model, test, source), sub(then), sub(otherwise));
            quote!((if #test { #then } else { #otherwise }))
        }
        ExprKind::Indicator(test) => {
            let test = condition(model, test, source);
            quote!(f64::from(u8::from(#test)))
        }
        ExprKind::Reduce { kind, var, body, .. } => {
            let (name, range, body) = (names::var(model, *var), names::range(model, *var), sub(body));
            match kind {
                Reduce::Sum => quote!({ let mut sum = 0.0_f64; for #name in #range { sum += #body; } sum }),
                Reduce::LogSumExp => quote!({
                    let mut sum = _ppl::LogSumExp::<f64>::new();
                    for #name in #range { sum.push(#body); }
                    sum.value()
                }),
            }
        }
        ExprKind::LogProb(family, params, value) => {
            let (family, params, value) = (family_type(family), params.iter().map(sub), sub(value));
            {
                let count = params.len();
                quote!(_ppl::log_prob::<#family, #count>(#value, [#(#params),*]))
            }
        }
        ExprKind::Assert(_, inner) => sub(inner),
    }
}

fn number(x: f64) -> TokenStream {
    if x.is_infinite() {
        return names::number(x);
    }
    let literal = proc_macro2::Literal::f64_suffixed(x.abs());
    if x.is_sign_negative() && x != 0.0 { quote!((-#literal)) } else { quote!(#literal) }
}

/// An element of data as an `f64`.
fn data(model: &Model, arg: usize, index: &[crate::ir::Index], source: Source) -> TokenStream {
    let known = &model.args[arg];
    let name = names::field(&known.name);
    let at = names::flat(model, index, &known.dims);
    if source == Source::Walk && known.site.is_some() {
        let first = observed_field(&known.name);
        return quote!(walk.observed(self.#first + #at));
    }
    if model.is_input(known) {
        return quote!(walk.value(self.#name + #at));
    }
    let element = if known.dims.is_empty() { quote!(self.#name) } else { quote!(self.#name[#at]) };
    match known.kind {
        ArgKind::Index(_) => quote!((#element as f64)),
        _ if model.single => quote!(f64::from(#element)),
        _ => element,
    }
}

/// The field with the first element of an observed array among all observed elements.
pub(crate) fn observed_field(name: &proc_macro2::Ident) -> proc_macro2::Ident {
    quote::format_ident!("__first_{}", name, span = proc_macro2::Span::mixed_site())
}

/// A condition on data as a `bool`.
pub(crate) fn condition(model: &Model, test: &Condition, source: Source) -> TokenStream {
    match test {
        Condition::Compare(comparison, left, right) => {
            let (left, right) = (expr(model, left, source), expr(model, right, source));
            match comparison {
                Comparison::Lt => quote!(#left < #right),
                Comparison::Le => quote!(#left <= #right),
                Comparison::Gt => quote!(#left > #right),
                Comparison::Ge => quote!(#left >= #right),
                Comparison::Eq => quote!(#left == #right),
                Comparison::Ne => quote!(#left != #right),
            }
        }
        Condition::And(left, right) => {
            let (left, right) = (condition(model, left, source), condition(model, right, source));
            quote!((#left && #right))
        }
        Condition::Or(left, right) => {
            let (left, right) = (condition(model, left, source), condition(model, right, source));
            quote!((#left || #right))
        }
        Condition::Not(inner) => {
            let inner = condition(model, inner, source);
            quote!(!(#inner))
        }
        Condition::Constant(value) => quote!(#value),
    }
}

/// The name of a function in `_ppl::functions` and `_ppl::derivatives`.
pub(crate) fn function_name(function: Function) -> proc_macro2::Ident {
    quote::format_ident!("{}", function.word(), span = proc_macro2::Span::mixed_site())
}

/// A density whose functions are called: of one of the user's, through the trait and on the user's token, where errors belong.
pub(crate) fn density(family: &Family) -> TokenStream {
    let whole = family_type(family);
    match family.user() {
        Some((path, _)) => {
            let params = family.parameters().len();
            quote_spanned!(path.span()=> <#whole as _ppl::Univariate<#params>>)
        }
        None => whole,
    }
}

/// The Rust type of a density.
pub(crate) fn family_type(family: &Family) -> TokenStream {
    type_of(family, &TokenStream::new())
}

/// The same where the names of the catalogue are not imported.
pub(crate) fn qualified_type(family: &Family) -> TokenStream {
    type_of(family, &quote!(_ppl::distributions::))
}

fn type_of(family: &Family, catalogue: &TokenStream) -> TokenStream {
    let ident = |word: &str| proc_macro2::Ident::new(word, proc_macro2::Span::mixed_site());
    match family {
        Family::Catalogue(entry) => {
            let name = ident(entry.rust);
            quote!(#catalogue #name)
        }
        Family::User(path, _) => quote!(#path),
        Family::Wrapped(wrapper, inner) => {
            let (word, inner) = (ident(wrapper.word()), type_of(inner, catalogue));
            let map = if let Wrapper::Transformed(map) = wrapper {
                let map = ident(map.rust());
                quote!(, _ppl::distributions::#map)
            } else {
                TokenStream::new()
            };
            quote!(_ppl::distributions::#word::<#inner #map>)
        }
    }
}
