//! Generated identifiers and the tokens of sizes, rows and index expressions.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

use crate::ir::{Affine, ComponentId, DimId, Index, Model, OdeBlock, SiteKind, Term, VarId};

/// Names that generated functions give to their own arguments and locals.
const RESERVED: &[&str] = &[
    "frame",
    "rows",
    "log_prob",
    "walk",
    "value",
    "parameter",
    "adjoints",
    "density",
    "sum",
    "column",
    "values",
    "layout",
    "dims",
    "all",
    "sizes",
    "bound",
    "inputs",
    "fitted",
    "body",
    "batch",
    "index",
    "factor",
    "draws",
    "columns",
    "v",
    "start",
    "bounds",
    "choices",
    "chosen",
    "before",
    "told",
    "time",
    "element",
    "first",
];

/// Whether generated functions use a name themselves, or may.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
        || name.starts_with("weight_")
        || name.starts_with("weights_")
        || name.starts_with("ode_")
        || name.starts_with("d_")
}

/// A local name of generated code, which no name of the user can meet.
pub(crate) fn local(name: &str) -> Ident {
    let word = name.to_lowercase();
    if syn::parse_str::<Ident>(&word).is_ok() {
        Ident::new(&word, Span::mixed_site())
    } else {
        format_ident!("{}_", word, span = Span::mixed_site())
    }
}

/// A user's name as a local, changed if generated code uses it.
pub(crate) fn user_local(name: &Ident) -> Ident {
    let word = name.to_string();
    if is_reserved(&word.to_lowercase()) { local(&format!("{word}_of_model")) } else { local(&word) }
}

/// A user's name as a field of generated structs.
pub(crate) fn field(name: &Ident) -> Ident {
    Ident::new(&name.to_string(), Span::mixed_site())
}

/// The loop variable of a bound name.
pub(crate) fn var(model: &Model, var: VarId) -> Ident {
    user_local(&model.vars[var].name)
}

/// `self.N`
pub(crate) fn size(model: &Model, dim: DimId) -> TokenStream {
    let name = field(&model.dims[dim].name);
    quote!(self.#name)
}

/// An affine expression as a `usize`; it is checked at binding that it is never negative.
pub(crate) fn affine(model: &Model, affine: &Affine) -> TokenStream {
    let term = |term: Term| match term {
        Term::Var(v) => var(model, v).to_token_stream(),
        Term::Size(dim) => size(model, dim),
    };
    let times = |tokens: TokenStream, factor: u64| {
        if factor == 1 {
            return tokens;
        }
        let factor = proc_macro2::Literal::u64_unsuffixed(factor);
        quote!(#factor * #tokens)
    };
    let mut sum = TokenStream::new();
    let mut push = |sign: bool, tokens: TokenStream| {
        sum.extend(match (sum.is_empty(), sign) {
            (true, _) => tokens,
            (false, true) => quote!(+ #tokens),
            (false, false) => quote!(- #tokens),
        });
    };
    let literal = |x: u64| proc_macro2::Literal::u64_unsuffixed(x).to_token_stream();
    for (&t, &coefficient) in affine.terms.iter().filter(|(_, c)| **c > 0) {
        push(true, times(term(t), coefficient.unsigned_abs()));
    }
    if affine.constant > 0 || affine.terms.values().all(|c| *c < 0) {
        push(true, literal(affine.constant.max(0).unsigned_abs()));
    }
    for (&t, &coefficient) in affine.terms.iter().filter(|(_, c)| **c < 0) {
        push(false, times(term(t), coefficient.unsigned_abs()));
    }
    if affine.constant < 0 {
        push(false, literal(affine.constant.unsigned_abs()));
    }
    sum
}

/// An index as a `usize`.
pub(crate) fn index(model: &Model, index: &Index) -> TokenStream {
    match index {
        Index::Affine(a) => affine(model, a),
        Index::Gather(arg, inner) => {
            let arg = &model.args[*arg];
            let name = field(&arg.name);
            if arg.dims.is_empty() {
                return quote!(self.#name);
            }
            let at = flat(model, inner, &arg.dims);
            quote!(self.#name[#at])
        }
    }
}

/// Whether an index expression needs parentheses as a factor.
fn is_sum(index: &Index) -> bool {
    match index {
        Index::Affine(a) => a.terms.len() + usize::from(a.constant != 0) > 1,
        Index::Gather(..) => false,
    }
}

/// Indices flattened in row-major order: `n * self.K + k`; trailing axes may be left out.
pub(crate) fn flat(model: &Model, indices: &[Index], dims: &[DimId]) -> TokenStream {
    let mut at = TokenStream::new();
    let mut sum = false;
    for (axis, &dim) in dims.iter().enumerate() {
        let next = indices.get(axis).map(|i| (index(model, i), is_sum(i)));
        if at.is_empty() {
            if let Some((tokens, is_sum)) = next {
                at = tokens;
                sum = is_sum;
            }
            continue;
        }
        let size = size(model, dim);
        at = if sum { quote!((#at) * #size) } else { quote!(#at * #size) };
        if let Some((tokens, _)) = next {
            at = quote!(#at + #tokens);
        }
        sum = true;
    }
    if at.is_empty() { quote!(0) } else { at }
}

/// How many elements the axes of an array have that are not indexed.
pub(crate) fn trailing(model: &Model, dims: &[DimId], indexed: usize) -> TokenStream {
    let sizes = dims.iter().skip(indexed).map(|&dim| size(model, dim));
    sizes.reduce(|all, size| quote!(#all * #size)).unwrap_or_else(|| quote!(1))
}

/// The row of an element of a latent or a quantity.
pub(crate) fn row(model: &Model, site: usize, indices: &[Index]) -> TokenStream {
    let site = &model.sites[site];
    debug_assert!(!matches!(site.kind, SiteKind::Observed(_)), "observed sites have no rows");
    let name = field(&site.name);
    if indices.is_empty() {
        return quote!(self.#name);
    }
    if flat(model, indices, &site.dims).to_string().as_str() == "0" {
        quote!(self.#name)
    } else {
        let at = flat(model, indices, &site.dims);
        quote!(self.#name + #at)
    }
}

/// The solver of a differential equation.
pub(crate) fn solver(model: &Model, time: VarId) -> Ident {
    format_ident!("ode_{}", model.vars[time].name.to_string().to_lowercase(), span = Span::mixed_site())
}

/// How many numbers a component of a solution has.
fn component_size(model: &Model, component: ComponentId) -> TokenStream {
    trailing(model, &model.components[component].dims, 0)
}

/// Where a component of a solution begins among all of its equation.
pub(crate) fn component_first(model: &Model, component: ComponentId) -> TokenStream {
    let before = (model.components[component].first..component).map(|before| component_size(model, before));
    before.reduce(|all, own| quote!(#all + #own)).unwrap_or_else(|| quote!(0))
}

/// The place of an element of a component among all numbers of its equation.
pub(crate) fn component_place(model: &Model, component: ComponentId, index: &[Index]) -> TokenStream {
    let first = component_first(model, component);
    if index.is_empty() {
        return first;
    }
    let own = flat(model, index, &model.components[component].dims);
    quote!(#first + #own)
}

/// How many numbers a differential equation is of.
pub(crate) fn equation_size(model: &Model, components: std::ops::Range<ComponentId>) -> TokenStream {
    components.map(|own| component_size(model, own)).reduce(|all, own| quote!(#all + #own)).unwrap_or_else(|| quote!(0))
}

/// The values of a component at a time: the first row, and how many there are.
pub(crate) fn component_rows(model: &Model, block: &OdeBlock, component: ComponentId) -> (TokenStream, TokenStream) {
    let known = &model.components[component];
    let at = Index::Affine(Affine::term(Term::Var(block.at)));
    let index: Vec<Index> = block.index.iter().cloned().chain([at]).collect();
    (row(model, known.site, &index), component_size(model, component))
}

/// A readable name for an element: `alpha_county_n`.
pub(crate) fn element_name(model: &Model, name: &Ident, indices: &[Index]) -> String {
    let mut word = name.to_string();
    for index in indices {
        word.push('_');
        word.push_str(&index_name(model, index));
    }
    word
}

fn index_name(model: &Model, index: &Index) -> String {
    match index {
        Index::Gather(arg, inner) => element_name(model, &model.args[*arg].name, inner),
        Index::Affine(a) => {
            let mut words = Vec::new();
            for (&term, &coefficient) in &a.terms {
                let name = match term {
                    Term::Var(v) => model.vars[v].name.to_string(),
                    Term::Size(dim) => model.dims[dim].name.to_string(),
                };
                words.push(match coefficient {
                    1 => name,
                    -1 => format!("minus_{name}"),
                    c if c < 0 => format!("minus_{}_{name}", -c),
                    c => format!("{c}_{name}"),
                });
            }
            match a.constant {
                0 if !words.is_empty() => {}
                c if c < 0 => words.push(format!("minus_{}", -c)),
                c => words.push(c.to_string()),
            }
            words.join("_").trim_end_matches('_').to_owned()
        }
    }
}

/// The loops of a factor flattened: which of its rows this is.
pub(crate) fn loop_row(model: &Model, loops: &[VarId]) -> TokenStream {
    let mut at = TokenStream::new();
    for &v in loops {
        let own = position(model, v);
        if at.is_empty() {
            at = own;
        } else {
            let length = length(model, v);
            at = quote!((#at) * #length + #own);
        }
    }
    if at.is_empty() { quote!(0) } else { at }
}

/// How far a loop variable is from the start of its range.
fn position(model: &Model, v: VarId) -> TokenStream {
    let name = var(model, v);
    let from = &model.vars[v].from;
    if let Some(0) = from.as_constant() {
        quote!(#name)
    } else {
        let from = affine(model, from);
        quote!((#name - (#from)))
    }
}

/// The number of iterations of a loop.
pub(crate) fn length(model: &Model, v: VarId) -> TokenStream {
    let v = &model.vars[v];
    let to = affine(model, &v.to);
    if v.from.as_constant() == Some(0) && v.to.as_size().is_some() {
        return to;
    }
    if let (Some(from), Some(to)) = (v.from.as_constant(), v.to.as_constant()) {
        return proc_macro2::Literal::u64_unsuffixed(to.saturating_sub(from).max(0).unsigned_abs()).to_token_stream();
    }
    let from = affine(model, &v.from);
    quote!((#to).saturating_sub(#from))
}

/// The range of a loop.
pub(crate) fn range(model: &Model, v: VarId) -> TokenStream {
    let v = &model.vars[v];
    let (from, to) = (affine(model, &v.from), affine(model, &v.to));
    quote!(#from..#to)
}

/// A number as a literal of the generated code.
pub(crate) fn number(x: f64) -> TokenStream {
    if x == f64::INFINITY {
        return quote!(f64::INFINITY);
    }
    if x == f64::NEG_INFINITY {
        return quote!(f64::NEG_INFINITY);
    }
    let literal = proc_macro2::Literal::f64_unsuffixed(x.abs());
    if x.is_sign_negative() && x != 0.0 { quote!(-#literal) } else { quote!(#literal) }
}
