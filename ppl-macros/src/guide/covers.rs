//! That a guide has the latents of its model, each once, over the same axes and on the same support, and nothing else.

use std::f64::consts::PI;

use proc_macro2::Ident;

use crate::catalogue::{CATALOGUE, Entry, Shape, Support, on_support};
use crate::diagnostics::Diagnostics;
use crate::ir::{Affine, Density, DimId, Expr, ExprKind, Family, Model, Site, SiteKind, StmtKind, Term, Values, visit};
use crate::messages;

/// Reports what a guide has too much, too little, or otherwise than its model; `stated` are the names that its statements are about.
pub(super) fn check(guide: &Model, model: &Model, stated: &[Ident], diagnostics: &mut Diagnostics) {
    let auto = guide.guide.as_ref().map_or(&[][..], |of| &of.auto);
    let latents: Vec<&Site> = model.sites.iter().filter(|site| site.kind == SiteKind::Latent).collect();
    let of_model = |name: &Ident| latents.iter().copied().find(|site| site.name == *name);
    let known = || latents.iter().map(|site| &site.name);
    let missing = |name: &Ident| model.args.iter().any(|arg| arg.missing && arg.name == *name);
    for name in auto {
        match of_model(name) {
            None => diagnostics.push(name.span(), messages::no_latent(name, known())),
            Some(latent) if latent.values.is_some() => {
                diagnostics.push(name.span(), messages::auto_sampled(name, discrete_family(latent)));
            }
            Some(_) => {}
        }
    }
    let parameters = || model.sites.iter().filter(|site| site.kind == SiteKind::Parameter);
    for parameter in guide.sites.iter().filter(|site| site.kind == SiteKind::Parameter) {
        if of_model(&parameter.name).is_some() {
            diagnostics.push(parameter.name.span(), messages::guide_param_of_latent(&parameter.name));
        } else if parameters().any(|known| known.name == parameter.name) {
            diagnostics.push(parameter.name.span(), messages::guide_param_of_model(&parameter.name));
        }
    }
    let mut seen: Vec<Ident> = auto.to_vec();
    visit::statements(&guide.body, &mut |stmt| match &stmt.kind {
        StmtKind::Factor { value, .. } => diagnostics.push(value.span, messages::GUIDE_FACTOR),
        StmtKind::Sample { site, distribution, .. } => {
            let own = &guide.sites[*site];
            if own.kind != SiteKind::Latent {
                let message =
                    if missing(&own.name) { messages::guide_missing(&own.name) } else { messages::guide_data(&own.name) };
                diagnostics.push(distribution.span, message);
                return;
            }
            let again = seen.contains(&own.name);
            seen.push(own.name.clone());
            if auto.contains(&own.name) {
                diagnostics.push(distribution.span, messages::auto_given(&own.name));
                return;
            }
            let Some(latent) = of_model(&own.name) else {
                diagnostics.push(own.name.span(), messages::no_latent(&own.name, known()));
                return;
            };
            if again {
                // One statement is compared; that there are others is said by the rule of coverage.
                return;
            }
            let (expected, given) = (axes(model, &latent.dims), axes(guide, &own.dims));
            if expected != given {
                diagnostics.push(own.name.span(), messages::latent_axes(&own.name, &expected, &given));
            } else if latent.values.is_some() {
                let is_own = distribution.density.families().any(|(family, _)| family.user().is_some());
                let message =
                    if is_own { Some(messages::guide_discrete(&own.name)) } else { values((guide, own), (model, latent)) };
                if let Some(message) = message {
                    diagnostics.push(distribution.span, message);
                }
            } else if let Some(message) = family(own, latent, &distribution.density) {
                diagnostics.push(distribution.span, message);
            }
        }
        _ => {}
    });
    for latent in latents.iter().filter(|latent| !stated.contains(&latent.name)) {
        let name = &latent.name;
        let axes = axes(model, &latent.dims);
        let example = if axes.is_empty() { name.to_string() } else { format!("{name}[{axes}]") };
        let message = if missing(name) {
            messages::guide_missing(name)
        } else if latent.values.is_some() {
            messages::guide_without_discrete(name, &example, discrete_family(latent))
        } else {
            messages::guide_without(name, &example, first_family(latent))
        };
        diagnostics.push(guide.name.span(), message);
    }
    reads_of_missing(guide, model, diagnostics);
}

fn axes(model: &Model, dims: &[DimId]) -> String {
    // A dimension that no statement tells is reported where it is missing.
    let names = dims.iter().map(|&dim| model.dims.get(dim).map_or_else(|| "?".to_owned(), |dim| dim.name.to_string()));
    names.collect::<Vec<_>>().join(", ")
}

/// What is wrong with the values that a guide gives a discrete latent: some that it does not have.
fn values((guide, own): (&Model, &Site), (model, latent): (&Model, &Site)) -> Option<String> {
    let (of_guide, of_model) = (own.values.as_ref()?, latent.values.as_ref()?);
    // Of counts without end any are.
    let to = of_model.to.as_ref()?;
    let name_of = |model: &Model, dim: Option<DimId>| dim.map(|dim| model.dim_name(dim));
    let is_within = match (of_model.dim, of_guide.dim) {
        (None, None) if of_model.to.is_some() && sizes(guide, of_guide) == sizes(model, of_model) => true,
        (None, None) => {
            let ends = |to: Option<&Affine>| to.and_then(Affine::as_constant);
            let within = ends(Some(to)).zip(ends(of_guide.to.as_ref())).is_some_and(|(to, own)| own <= to);
            let from = of_model.from.as_constant().zip(of_guide.from.as_constant());
            within && from.is_some_and(|(from, own)| own >= from)
        }
        (Some(_), Some(_)) => name_of(model, of_model.dim) == name_of(guide, of_guide.dim),
        _ => false,
    };
    (!is_within).then(|| messages::guide_values(&own.name, discrete_family(latent)))
}

/// Between which numbers values lie, in terms of the names of dimensions; none of other terms.
fn sizes(model: &Model, values: &Values) -> Option<Vec<(i64, Vec<(String, i64)>)>> {
    let of = |affine: &Affine| {
        let term = |(term, times): (&Term, &i64)| match term {
            Term::Size(dim) => Some((model.dim_name(*dim), *times)),
            Term::Var(_) => None,
        };
        let mut terms: Vec<_> = affine.terms.iter().map(term).collect::<Option<_>>()?;
        terms.sort();
        Some((affine.constant, terms))
    };
    [Some(&values.from), values.to.as_ref()].into_iter().flatten().map(of).collect()
}

/// What a discrete latent is drawn from in the first place.
fn discrete_family(latent: &Site) -> &'static str {
    match &latent.values {
        Some(values) if values.dim.is_some() => "Categorical(probs)",
        Some(values) if values.to.as_ref().is_some_and(|to| to.as_constant() == Some(2)) => "Bernoulli(prob)",
        Some(Values { to: Some(to), .. }) if to.as_constant().is_none() => "OrderedLogistic(predictor, cutpoints)",
        Some(values) if values.to.is_some() => "Binomial(trials, prob)",
        _ => "Poisson(rate)",
    }
}

/// What is wrong with the family of a latent, which the guide knows as `own`.
pub(crate) fn family(own: &Site, latent: &Site, density: &Density) -> Option<String> {
    let name = &own.name;
    // Where the values of a distribution of the user's lie is known to rustc alone.
    let is_own = matches!(density, Density::Univariate { family: Family::User(..), .. });
    let supports = [Support::Real, Support::Positive, Support::Unit];
    if is_own && (latent.own_support.is_some() || supports.contains(&latent.support)) {
        return None;
    }
    if latent.own_support.is_some() {
        let fits = |support: Support| match density {
            Density::Univariate { family: Family::Catalogue(entry), .. } => {
                on_support(support).any(|known| known.rust == entry.rust)
            }
            _ => false,
        };
        if supports.into_iter().any(fits) {
            return None;
        }
        let words = supports.into_iter().flat_map(on_support).map(|entry| entry.name);
        return Some(messages::guide_families(name, None, "Normal", &words.collect::<Vec<_>>()));
    }
    let is_proper = |family: &Family| family.entry().is_none_or(Entry::is_proper);
    let has_set = match (ends(own), ends(latent)) {
        (Some(own), Some(latent)) => own.iter().zip(&latent).all(|(own, latent)| may_be_same(*own, *latent)),
        (None, None) => own.support == latent.support,
        _ => false,
    };
    let fits = !is_own && has_set && density.families().all(|(family, _)| is_proper(family));
    (!fits).then(|| messages::guide_families(name, Some(set(latent)), first_family(latent), &words(latent)))
}

/// The ends of where a number lies, none of them where it is infinite; none of a vector or a matrix whose elements depend on each other.
fn ends(site: &Site) -> Option<[Option<End>; 2]> {
    let number = |x: f64| Some(End::Number(x));
    match (site.support, &site.bounds) {
        (Support::Real, _) => Some([None, None]),
        (Support::Positive, _) => Some([number(0.0), None]),
        (Support::Unit, _) => Some([number(0.0), number(1.0)]),
        (Support::Interval, bounds) => {
            let end = |bound: Option<&Expr>| bound.map(|bound| constant(bound).map_or(End::Data, End::Number));
            let bounds = bounds.as_ref();
            Some([end(bounds.and_then(|bounds| bounds.lower.as_ref())), end(bounds.and_then(|bounds| bounds.upper.as_ref()))])
        }
        _ => None,
    }
}

/// One end of an interval: a number, or made of data.
#[derive(Clone, Copy, Debug)]
enum End {
    Number(f64),
    Data,
}

/// Whether two ends are the same, as far as is known before there are data.
fn may_be_same(own: Option<End>, other: Option<End>) -> bool {
    match (own, other) {
        (Some(End::Number(own)), Some(End::Number(other))) => own == other,
        (own, other) => own.is_some() == other.is_some(),
    }
}

fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(x) => Some(*x),
        ExprKind::Neg(inner) => constant(inner).map(|x| -x),
        _ => None,
    }
}

/// What a latent is drawn from in the first place.
fn first_family(latent: &Site) -> &'static str {
    match latent.support {
        Support::Positive => "LogNormal(loc, scale)",
        Support::Unit => "LogitNormal(loc, scale)",
        Support::Simplex => "Dirichlet(concentration)",
        Support::Interval if is_angle(latent) => "VonMises(loc, concentration)",
        Support::Interval => match ends(latent) {
            Some([Some(_), None]) => "Truncated(Normal(loc, scale), lower = ..)",
            Some([None, Some(_)]) => "Truncated(Normal(loc, scale), upper = ..)",
            _ => "Truncated(Normal(loc, scale), lower = .., upper = ..)",
        },
        Support::Ordered => "Ordered(Normal(loc, scale))",
        Support::PositiveOrdered => "Ordered(LogNormal(loc, scale))",
        Support::CorrelationCholesky => "LkjCholesky(concentration)",
        Support::Correlation => "LkjCorrelation(concentration)",
        Support::CovarianceCholesky => "WishartCholesky(df, scale_tril)",
        Support::PositiveDefinite => "Wishart(df, scale)",
        _ => "Normal(loc, scale)",
    }
}

/// Whether it lies between `-pi` and `pi`, as a `VonMises` one does.
fn is_angle(latent: &Site) -> bool {
    let is = |bound: Option<&Expr>, end: f64| matches!(bound, Some(Expr { kind: ExprKind::Number(x), .. }) if *x == end);
    latent.bounds.as_ref().is_some_and(|bounds| is(bounds.lower.as_ref(), -PI) && is(bounds.upper.as_ref(), PI))
}

/// The names of what a latent is drawn from.
fn words(latent: &Site) -> Vec<&'static str> {
    let is_interval = latent.support == Support::Interval && !is_angle(latent);
    let fits = |entry: &&Entry| {
        let set = if is_interval { Support::Interval } else { latent.support };
        let is_number = entry.shape == Shape::Univariate && entry.is_bounded() == is_interval;
        let is_array = entry.event_rank > 0 && entry.event_rank <= latent.dims.len();
        entry.support == set && !entry.discrete && entry.is_proper() && (is_number || is_array)
    };
    let mut words: Vec<&str> = CATALOGUE.iter().filter(fits).map(|entry| entry.name).collect();
    words.dedup();
    words
}

/// Where the values of a latent lie, in words.
fn set(latent: &Site) -> &'static str {
    match latent.support {
        Support::Interval if is_angle(latent) => "an angle",
        Support::Unit => "between zero and one",
        Support::Interval => "in an interval",
        Support::Simplex => "a simplex",
        Support::Ordered => "an ordered vector",
        Support::PositiveOrdered => "an ordered vector of positive numbers",
        Support::CorrelationCholesky => "the Cholesky factor of a correlation matrix",
        Support::Correlation => "a correlation matrix",
        Support::CovarianceCholesky => "the Cholesky factor of a covariance matrix",
        Support::PositiveDefinite => "a covariance matrix",
        Support::Positive => "positive",
        _ => "on the whole real line",
    }
}

/// Reports reads of arrays with missing values: what is missing is not known to the guide.
fn reads_of_missing(guide: &Model, model: &Model, diagnostics: &mut Diagnostics) {
    let mut read = |arg: usize, span| {
        let name = &guide.args[arg].name;
        if model.args.iter().any(|known| known.missing && known.name == *name) {
            diagnostics.push(span, messages::guide_missing(name));
        }
    };
    visit::statements(&guide.body, &mut |stmt| match &stmt.kind {
        StmtKind::Sample { distribution, .. } => {
            visit::of_distribution(distribution).for_each(|param| visit::data(guide, param, &mut read));
        }
        StmtKind::Local { value, .. } | StmtKind::Quantity { value, .. } | StmtKind::Factor { value, .. } => {
            visit::data(guide, value, &mut read);
        }
        StmtKind::Operation { operands, .. } => {
            visit::repeated(operands).for_each(|number| visit::data(guide, number, &mut read));
        }
        StmtKind::Param { bounds, start, .. } => {
            visit::of_parameter(bounds.as_deref(), start).for_each(|value| visit::data(guide, value, &mut read));
        }
        // A guide has none.
        StmtKind::Sum(_)
        | StmtKind::Discrete(_)
        | StmtKind::Ode(_)
        | StmtKind::Start { .. }
        | StmtKind::Derivative { .. }
        | StmtKind::Expected { .. }
        | StmtKind::For { .. } => {}
    });
}
