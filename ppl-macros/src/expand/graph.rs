//! The graph of the model as a static: sites, factors, and who reads whom through which index.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::catalogue::Support;
use crate::check::plates::{Following, Plate, plates};
use crate::ir::{
    DiscreteId, Distribution, ExprKind, Index, Model, Site, SiteId, SiteKind, Stmt, StmtKind, ValueOf, VarId, Vector, visit,
};

/// How a factor reads a latent or a parameter; the widest of several ways counts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    SameRow,
    Gathered(String),
    Every,
}

/// The static graph.
pub(crate) fn graph(model: &Model) -> TokenStream {
    let name = model.name.to_string();
    let dims = model.dims.iter().map(|dim| dim.name.to_string());
    let sites = model.sites.iter().map(|site| {
        let (name, support, rank) = (site.name.to_string(), site_support(site), site.event_rank);
        let kind = match site.kind {
            SiteKind::Latent => quote!(Latent),
            SiteKind::Parameter => quote!(Parameter),
            SiteKind::Observed(_) => quote!(Observed),
            SiteKind::Quantity => quote!(Quantity),
        };
        quote!(_ppl::Site { name: #name, kind: _ppl::SiteKind::#kind, support: #support, event_rank: #rank })
    });
    let reads = reads(model);
    let factors = model.factors.iter().enumerate().map(|(id, factor)| {
        let text = factor.text.trim_end_matches(';');
        let site = factor.site.map_or_else(|| quote!(None), |site| quote!(Some(#site)));
        let reads = reads.get(&id).into_iter().flatten().map(|(site, owner)| {
            let owner = match owner {
                Owner::SameRow => quote!(_ppl::Owner::SameRow),
                Owner::Gathered(name) => quote!(_ppl::Owner::Gathered(#name)),
                Owner::Every => quote!(_ppl::Owner::Every),
            };
            quote!(_ppl::Read { site: #site, owner: #owner })
        });
        quote!(_ppl::Factor { text: #text, site: #site, reads: &[#(#reads),*] })
    });
    let sums = model.sums.iter().map(|sum| {
        let (name, factor) = (sum.name.to_string(), sum.factor);
        let within = sum.within.map_or_else(|| quote!(None), |within| quote!(Some(#within)));
        quote!(_ppl::SummedOut { name: #name, factor: #factor, within: #within })
    });
    let mut equations = Vec::new();
    visit::statements(&model.body, &mut |stmt| {
        if let StmtKind::Ode(block) = &stmt.kind {
            let text = stmt.text.split_once(" {").map_or(stmt.text.as_str(), |(head, _)| head);
            let steps = block.steps.map_or_else(|| quote!(None), |steps| quote!(Some(#steps)));
            equations.push(quote!(_ppl::Equation { text: #text, steps: #steps }));
        }
    });
    let coupled = coupled(model);
    let discretes = model.discretes.iter().enumerate().map(|(id, discrete)| {
        let (name, coupled) = (discrete.name.to_string(), coupled.contains(&id));
        quote!(_ppl::DiscreteLatent { name: #name, coupled: #coupled })
    });
    let plates = plates(model).into_iter().map(|Plate { refused, factors, following }| {
        let refused = refused.map_or_else(|| quote!(None), |reason| quote!(Some(#reason)));
        let following = following.into_iter().map(|Following { dim, parent, arg }| {
            let arg = model.args[arg].name.to_string();
            quote!(_ppl::Follows { dim: #dim, parent: #parent, through: #arg })
        });
        quote!(_ppl::Plate { refused: #refused, factors: &[#(#factors),*], following: &[#(#following),*] })
    });
    quote! {
        &_ppl::Graph {
            name: #name,
            dims: &[#(#dims),*],
            plates: &[#(#plates),*],
            sites: &[#(#sites),*],
            factors: &[#(#factors),*],
            sums: &[#(#sums),*],
            discretes: &[#(#discretes),*],
            equations: &[#(#equations),*],
        }
    }
}

/// A support as a value of `ppl_core`.
pub(crate) fn support(support: Support) -> TokenStream {
    let name = Ident::new(&format!("{support:?}"), Span::mixed_site());
    quote!(_ppl::distributions::Support::#name)
}

/// The support of a site: of the language, or as a distribution of the user's states it.
pub(crate) fn site_support(site: &Site) -> TokenStream {
    match &site.own_support {
        Some(path) => quote!(<#path as _ppl::distributions::Distribution>::SUPPORT),
        None => support(site.support),
    }
}

type Reads = BTreeMap<SiteId, Owner>;

/// The latents and parameters that each factor reads, through quantities and locals as well.
fn reads(model: &Model) -> BTreeMap<usize, Reads> {
    let mut through: BTreeMap<SiteId, Reads> = BTreeMap::new();
    let mut locals: BTreeMap<usize, Reads> = BTreeMap::new();
    let mut factors = BTreeMap::new();
    // A recursion reads what is computed later: until nothing new is found.
    for _ in 0..=model.sites.len() {
        let known = through.clone();
        collect(model, &model.body, &mut Vec::new(), &mut through, &mut locals, &mut factors);
        if known == through {
            break;
        }
    }
    factors
}

fn collect(
    model: &Model,
    body: &[Stmt],
    loops: &mut Vec<VarId>,
    through: &mut BTreeMap<SiteId, Reads>,
    locals: &mut BTreeMap<usize, Reads>,
    factors: &mut BTreeMap<usize, Reads>,
) {
    for stmt in body {
        let mut own = Reads::new();
        let read_site = |site: SiteId, index: &[Index], own: &mut Reads, through: &BTreeMap<SiteId, Reads>| {
            let owner = owner(model, index, loops);
            match model.sites[site].kind {
                SiteKind::Latent | SiteKind::Parameter => add(own, site, owner),
                SiteKind::Quantity => {
                    for (&latent, inner) in through.get(&site).into_iter().flatten() {
                        let composed = if owner == Owner::SameRow { inner.clone() } else { Owner::Every };
                        let composed = match (&owner, inner) {
                            (Owner::Gathered(name), Owner::SameRow) => Owner::Gathered(name.clone()),
                            _ => composed,
                        };
                        add(own, latent, composed);
                    }
                }
                SiteKind::Observed(_) => {}
            }
        };
        let read = |expr: &crate::ir::Expr, own: &mut Reads| {
            visit::expressions(expr, &mut |e| match &e.kind {
                ExprKind::Site(site, index) => read_site(*site, index, own, through),
                ExprKind::Local(local) => {
                    for (&site, owner) in locals.get(local).into_iter().flatten() {
                        add(own, site, owner.clone());
                    }
                }
                _ => {}
            });
        };
        let of_distribution = |distribution: &Distribution, own: &mut Reads, through: &BTreeMap<SiteId, Reads>| {
            visit::of_distribution(distribution).for_each(|param| read(param, own));
            for vector in distribution.density.vectors() {
                if let Vector::Site(read, index) = vector {
                    read_site(*read, index, own, through);
                }
            }
        };
        match &stmt.kind {
            StmtKind::For { var, body } => {
                loops.push(*var);
                collect(model, body, loops, through, locals, factors);
                loops.pop();
            }
            StmtKind::Sum(block) => {
                block.priors().for_each(|(prior, _)| of_distribution(prior, &mut own, through));
                merge(factors, block.factor, own);
                // Rows are those of the loops around the outermost sum: within it no loop is over them.
                let mut around = model.factors[block.factor].loops.clone();
                if around.is_empty() {
                    around.push(VarId::MAX);
                }
                collect(model, &block.body, &mut around, through, locals, factors);
            }
            StmtKind::Local { local, value } => {
                read(value, &mut own);
                locals.insert(*local, own);
            }
            StmtKind::Quantity { site, value, .. } => {
                read(value, &mut own);
                let known = through.entry(*site).or_default();
                for (latent, owner) in own {
                    add(known, latent, owner);
                }
            }
            StmtKind::Operation { site, operands, .. } => {
                for number in visit::repeated(operands) {
                    read(number, &mut own);
                }
                for operand in operands {
                    if let Vector::Site(read, index) = operand {
                        read_site(*read, index, &mut own, through);
                    }
                }
                // Each element is made of all of them.
                let known = through.entry(*site).or_default();
                for latent in own.into_keys() {
                    add(known, latent, Owner::Every);
                }
            }
            StmtKind::Ode(block) => {
                // Each component depends on all that any of them reads.
                visit::statements(&block.body, &mut |stmt| match &stmt.kind {
                    StmtKind::Start { value, .. } | StmtKind::Derivative { value, .. } | StmtKind::Local { value, .. } => {
                        read(value, &mut own);
                    }
                    _ => {}
                });
                for id in block.components.clone() {
                    let known = through.entry(model.components[id].site).or_default();
                    own.iter().for_each(|(&latent, owner)| add(known, latent, owner.clone()));
                }
            }
            // Within their equation.
            StmtKind::Start { .. } | StmtKind::Derivative { .. } | StmtKind::Param { .. } => {}
            StmtKind::Discrete(block) => {
                of_distribution(&block.prior, &mut own, through);
                read_site(model.discretes[block.latent].site, &block.index, &mut own, through);
                merge(factors, block.factor, own);
            }
            StmtKind::Expected { over, body } => {
                for (site, index) in over.iter().filter_map(|&var| model.probability(var)) {
                    read_site(site, index, &mut own, through);
                }
                for stmt in body {
                    merge(factors, of_statement(stmt), own.clone());
                }
                collect(model, body, loops, through, locals, factors);
            }
            StmtKind::Factor { factor, value } => {
                read(value, &mut own);
                merge(factors, *factor, own);
            }
            StmtKind::Sample { site, index, distribution, factor } => {
                of_distribution(distribution, &mut own, through);
                read_site(*site, index, &mut own, through);
                merge(factors, *factor, own);
            }
        }
    }
}

/// The discrete latents that some statement reads beside another element.
fn coupled(model: &Model) -> BTreeSet<DiscreteId> {
    let mut coupled = BTreeSet::new();
    visit::statements(&model.body, &mut |stmt| {
        let StmtKind::Expected { over, body } = &stmt.kind else { return };
        let own = body.iter().filter_map(|stmt| if let StmtKind::Discrete(block) = &stmt.kind { Some(block.var) } else { None });
        let all: Vec<VarId> = over.iter().copied().chain(own).collect();
        if all.len() > 1 {
            coupled.extend(all.iter().filter_map(|&var| match &model.vars[var].value_of {
                Some(ValueOf::Discrete(latent, _)) => Some(*latent),
                _ => None,
            }));
        }
    });
    coupled
}

/// The factor of a statement that is an expectation.
pub(crate) fn of_statement(stmt: &Stmt) -> usize {
    match &stmt.kind {
        StmtKind::Sample { factor, .. } | StmtKind::Factor { factor, .. } => *factor,
        StmtKind::Discrete(block) => block.factor,
        _ => unreachable!("an expectation is of a term"),
    }
}

/// Adds what a part of a factor reads.
fn merge(factors: &mut BTreeMap<usize, Reads>, factor: usize, own: Reads) {
    let known = factors.entry(factor).or_default();
    own.into_iter().for_each(|(site, owner)| add(known, site, owner));
}

fn add(reads: &mut Reads, site: SiteId, owner: Owner) {
    let wider = match (reads.get(&site), &owner) {
        (None, _) => owner,
        (Some(known), new) if known == new => owner,
        (Some(_), _) => Owner::Every,
    };
    reads.insert(site, wider);
}

/// Which elements a row reads: its own if the first axis is the outermost loop.
fn owner(model: &Model, index: &[Index], loops: &[VarId]) -> Owner {
    match (index.first(), loops.first()) {
        (Some(Index::Affine(affine)), Some(&plate)) if affine.as_var() == Some(plate) => Owner::SameRow,
        (Some(Index::Gather(arg, _)), _) => Owner::Gathered(model.args[*arg].name.to_string()),
        _ => Owner::Every,
    }
}
