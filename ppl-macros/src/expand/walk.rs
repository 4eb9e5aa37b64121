//! The walk over all statements with one sample: prior and posterior predictive draws, and finding what became `NaN`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::scalar::{self, Source, family_type, observed_field};
use super::{kernel, names};
use crate::catalogue::Shape;
use crate::ir::lower::log_prior;
use crate::ir::{Density, Distribution, Family, Index, Model, OdeBlock, SiteId, SiteKind, Stmt, StmtKind, SumBlock, Vector};

/// The statements of the walk.
pub(crate) fn walk(model: &Model) -> TokenStream {
    statements(model, &model.body)
}

fn statements(model: &Model, body: &[Stmt]) -> TokenStream {
    body.iter().map(|stmt| statement(model, stmt)).collect()
}

fn statement(model: &Model, stmt: &Stmt) -> TokenStream {
    match &stmt.kind {
        StmtKind::For { var, body } => {
            let (name, range, body) = (names::var(model, *var), names::range(model, *var), statements(model, body));
            if body.is_empty() { body } else { quote!(for #name in #range { #body }) }
        }
        StmtKind::Sum(block) => sum(model, block),
        StmtKind::Discrete(block) => {
            let (row, factor) = (names::loop_row(model, &model.factors[block.factor].loops), block.factor);
            let (name, range) = (names::var(model, block.var), names::range(model, block.var));
            let prior = scalar::expr(model, &log_prior(&block.prior, block.var), Source::Walk);
            let first = names::row(model, model.discretes[block.latent].site, &block.index);
            quote! {{
                let mut choices = Vec::new();
                for #name in #range { choices.push(#prior); }
                walk.draw((#factor, #row), #first, &choices);
            }}
        }
        StmtKind::Expected { over, body } => {
            let factor = body.first().map_or(0, super::graph::of_statement);
            let row = names::loop_row(model, &model.factors[factor].loops);
            let inner = over.iter().rev().fold(statements(model, body), |inner, &var| {
                let (name, range) = (names::var(model, var), names::range(model, var));
                let Some((site, index)) = model.probability(var) else { return inner };
                let first = names::row(model, site, index);
                quote!(for #name in walk.values_of(#first, #range) { #inner })
            });
            quote!({ walk.enter(); #inner walk.leave((#factor, #row)); })
        }
        StmtKind::Local { local, .. } if !model.locals[*local].over.is_empty() => TokenStream::new(),
        StmtKind::Local { local, value } => {
            let (name, value) = (names::user_local(&model.locals[*local].name), scalar::expr(model, value, Source::Walk));
            if model.locals[*local].data {
                return quote!(let #name = #value;);
            }
            // What it was made of is remembered for the statements that use it.
            quote!(let #name = walk.name(#local, #value);)
        }
        StmtKind::Quantity { site, index, value } => {
            let (row, value) = (names::row(model, *site, index), scalar::expr(model, value, Source::Walk));
            quote!(walk.set(#row, #value);)
        }
        StmtKind::Operation { site, index, operation, operands } => {
            let (word, count) = (proc_macro2::Ident::new(operation.rust, proc_macro2::Span::mixed_site()), operands.len());
            let (row, length) = (names::row(model, *site, index), names::trailing(model, &model.sites[*site].dims, index.len()));
            let operands = operands.iter().map(|operand| vector(model, operand, &quote!(1)));
            quote!(walk.compute::<_ppl::linear_algebra::#word, #count>(#row, #length, [#(#operands),*]);)
        }
        StmtKind::Ode(block) => ode(model, block),
        StmtKind::Start { component, index, value } => {
            let (place, value) = (names::component_place(model, *component, index), scalar::expr(model, value, Source::Walk));
            quote!(let value = #value; ode.start(#place, value);)
        }
        StmtKind::Derivative { component, index, value } => {
            let (place, value) = (names::component_place(model, *component, index), scalar::expr(model, value, Source::Walk));
            quote!(let value = #value; ode.set(#place, value);)
        }
        StmtKind::Param { .. } => TokenStream::new(),
        StmtKind::Factor { factor, value } => {
            let (row, value) = (names::loop_row(model, &model.factors[*factor].loops), scalar::expr(model, value, Source::Walk));
            quote!(walk.factor(#factor, #row, #value);)
        }
        StmtKind::Sample { site, index, distribution, factor } => sample(model, *site, index, distribution, *factor),
    }
}

/// A draw of what is summed out, or each of its values in turn; of a chain, step after step.
fn sum(model: &Model, block: &SumBlock) -> TokenStream {
    let row = names::loop_row(model, &model.factors[block.factor].loops);
    let factor = block.factor;
    let (name, range) = (names::var(model, block.var), names::range(model, block.var));
    let [prior, step] = [Some(&block.prior), block.chain.as_ref().map(|chain| &chain.step)].map(|prior| {
        let prior = scalar::expr(model, &log_prior(prior?, block.var), Source::Walk);
        Some(quote!(for #name in #range { choices.push(#prior); }))
    });
    let body = statements(model, &block.body);
    let own = quote! {
        let chosen = walk.choose((#factor, #row), #range, &choices);
        for #name in chosen.clone() {
            walk.take(#name, #range);
            #body
        }
        walk.chosen();
    };
    let Some(chain) = &block.chain else {
        return quote!({ walk.enter(); let mut choices = Vec::new(); #prior #own walk.leave((#factor, #row)); });
    };
    let (time, times, before) = (names::var(model, chain.time), names::range(model, chain.time), names::var(model, chain.before));
    quote! {{
        walk.enter();
        let mut before: Option<_ppl::Range<usize>> = None;
        for #time in #times {
            let mut choices = Vec::new();
            match before {
                None => { #prior }
                // All steps that may have been before are read, and the last of them counts.
                Some(before) => for #before in before { choices.clear(); #step },
            }
            #own
            before = Some(chosen);
        }
        walk.leave((#factor, #row));
    }}
}

/// The solution of a differential equation, time after time.
fn ode(model: &Model, block: &OdeBlock) -> TokenStream {
    let (size, starts) = (names::equation_size(model, block.components.clone()), statements(model, block.starts()));
    let (equations, advance) = (statements(model, block.equations()), kernel::advance(model, block, &quote!(ode), false));
    let (at, range, time) = (names::var(model, block.at), names::range(model, block.at), names::var(model, block.time));
    let components = block.components.clone().map(|component| {
        let (first, (row, len)) = (names::component_first(model, component), names::component_rows(model, block, component));
        [first, row, len]
    });
    let solved = components.clone().map(|[first, row, len]| quote!((#first, #row, #len)));
    let resumed = components.map(|own| kernel::each(&own, |place, row| quote!(ode.resume(#place, walk.value(#row));)));
    let resume = kernel::resume(model, block, &quote!(ode), &quote!(#(#resumed)*));
    quote! {{
        let mut ode = _ppl::Ode::<f64>::new(#size);
        #starts
        for #at in #range {
            #resume
            #advance
            while ode.evaluates() {
                let #time = ode.time();
                #equations
            }
            walk.solved(&ode, &[#(#solved),*]);
        }
    }}
}

fn sample(model: &Model, site: SiteId, index: &[Index], distribution: &Distribution, factor: usize) -> TokenStream {
    let row = names::loop_row(model, &model.factors[factor].loops);
    let mut before = TokenStream::new();
    let (sampler, params, event) = match &distribution.density {
        Density::Univariate { family, params } => (scalar_sampler(family, params.len()), numbers(model, params), 0),
        Density::Ordered { family, params, .. } => {
            let inner = scalar_sampler(family, params.len());
            (quote!(&_ppl::distributions::Sorted(#inner)), numbers(model, params), 1)
        }
        Density::Mixture { weights, var, family, params } => {
            let inner = scalar_sampler(family, params.len());
            let (weights, each) = (vector(model, weights, &quote!(1)), numbers(model, params));
            let (name, range) = (names::var(model, *var), names::range(model, *var));
            let all = quote!(&{
                let mut all = (#weights).to_vec();
                for #name in #range { all.extend_from_slice(#each); }
                all
            });
            (quote!(&_ppl::distributions::Mixed::Each(#inner)), all, 0)
        }
        Density::Listed { weights, components, .. } => {
            let weights = vector(model, weights, &quote!(1));
            let inner = components.iter().map(|(family, params)| scalar_sampler(family, params.len()));
            let each = components.iter().map(|(_, params)| numbers(model, params));
            let all = quote!(&{
                let mut all = (#weights).to_vec();
                #(all.extend_from_slice(#each);)*
                all
            });
            (quote!(&_ppl::distributions::Mixed::Listed(&[#(#inner),*])), all, 0)
        }
        Density::Multivariate { entry, parameters, .. } if entry.shape == Shape::Multiparameter => {
            let (name, count) = (proc_macro2::Ident::new(entry.rust, proc_macro2::Span::mixed_site()), parameters.len());
            let parameters = parameters.iter().map(|parameter| vector(model, parameter, &quote!(1)));
            // The parameters follow each other; the sampler knows how long each is.
            before = quote! {
                let (parameters, lengths) = _ppl::flatten([#(#parameters),*]);
                let sampler = _ppl::distributions::ArraySampler::<#name, #count>::new(lengths);
            };
            (quote!(&sampler), quote!(&parameters), entry.event_rank)
        }
        Density::Multivariate { entry, parameters, .. } => {
            let name = proc_macro2::Ident::new(entry.rust, proc_macro2::Span::mixed_site());
            let sampler = quote!(&_ppl::distributions::VectorSampler::<#name>::NEW);
            let size = names::trailing(model, &model.sites[site].dims, index.len());
            (sampler, vector(model, &parameters[0], &size), entry.event_rank)
        }
    };
    let known = &model.sites[site];
    let length = if event == 0 { quote!(1) } else { names::trailing(model, &known.dims, index.len()) };
    let met = match known.kind {
        SiteKind::Observed(_) => {
            let first = observed_field(&known.name);
            let at = names::flat(model, index, &known.dims);
            quote!(walk.observe(#factor, #row, #sampler, #params, self.#first + #at, #length);)
        }
        SiteKind::Latent | SiteKind::Parameter | SiteKind::Quantity => {
            let first = names::row(model, site, index);
            quote!(walk.latent(#factor, #row, #sampler, #params, #first, #length);)
        }
    };
    if before.is_empty() { met } else { quote!({ #before #met }) }
}

fn scalar_sampler(family: &Family, params: usize) -> TokenStream {
    let span = if let Family::User(path, _) = family { path.span() } else { proc_macro2::Span::call_site() };
    let family = family_type(family);
    quote_spanned!(span=> &_ppl::distributions::ScalarSampler::<#family, #params>::NEW)
}

fn numbers(model: &Model, params: &[crate::ir::Expr]) -> TokenStream {
    let params = params.iter().map(|param| scalar::expr(model, param, Source::Walk));
    quote!(&[#(#params),*])
}

/// An operand as a slice; one number is repeated.
fn vector(model: &Model, operand: &Vector, repeats: &TokenStream) -> TokenStream {
    match operand {
        Vector::Site(read, index) => {
            let known = &model.sites[*read];
            let size = names::trailing(model, &known.dims, index.len());
            if let SiteKind::Observed(arg) = known.kind {
                return data(model, arg, index, &size);
            }
            let first = names::row(model, *read, index);
            quote!(&walk.rows(#first, #size))
        }
        Vector::Data(arg, index) => data(model, *arg, index, &names::trailing(model, &model.args[*arg].dims, index.len())),
        Vector::Repeat(value) => {
            let value = scalar::expr(model, value, Source::Walk);
            quote!(&vec![#value; #repeats])
        }
    }
}

fn data(model: &Model, arg: usize, index: &[Index], size: &TokenStream) -> TokenStream {
    let known = &model.args[arg];
    let (name, first) = (names::field(&known.name), names::flat(model, index, &known.dims));
    if model.is_input(known) {
        return quote!(&walk.rows(self.#name + #first, #size));
    }
    quote!(&_ppl::numbers(&self.#name[#first..][..#size]))
}
