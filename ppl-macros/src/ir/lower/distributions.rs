//! Distributions: the parameterization that the arguments choose, and users' own.

use proc_macro2::{Ident, Span};

use super::operations::Sizes;
use super::{Lowering, nearest};
use crate::catalogue::{self, Axes, Bound, CATALOGUE, Entry, Shape, Support};
use crate::ir::{Bounds, Density, DimId, Distribution, Expr, ExprKind, Family, Places, Vector, Wrapper};
use crate::syntax::{self, CallArg, ExprKind as Surface};

/// A distribution, and what it says of its value.
pub(super) struct Lowered {
    pub distribution: Distribution,
    /// The word that the user typed.
    pub word: String,
    pub support: Support,
    pub bounds: Option<Bounds>,
    /// Whether values are whole numbers; unknown of a user's own.
    pub discrete: Option<bool>,
    /// Whether a latent can have it.
    pub has_density: bool,
}

impl Lowering<'_> {
    /// Lowers what stands right of `~`.
    ///
    /// `event` are the dimensions of a value that is a vector or a matrix.
    pub(super) fn distribution(&mut self, expr: &syntax::Expr, value: &Ident, event: &[DimId]) -> Option<Lowered> {
        if let Surface::Method { receiver, name, args } = &expr.kind
            && name == "mask"
        {
            let mask = self.mask(args, name.span());
            let mut lowered = self.distribution(receiver, value, event)?;
            if lowered.distribution.mask.replace(mask?).is_some() {
                self.error(name.span(), "a distribution has one mask; join conditions with `&&`");
                return None;
            }
            return Some(lowered);
        }
        let (path, word, args, span) = self.constructor(expr, value)?;
        match word.as_str() {
            "Ordered" => self.ordered(args, span, event),
            "Mixture" => self.mixture(args, span),
            _ => match self.chosen(path, &word, args, span, event)? {
                Chosen::Univariate(family, params) => Some(Lowered {
                    support: family.support(),
                    bounds: bounds(&family, &params),
                    discrete: family.is_discrete(),
                    has_density: family.has_density(),
                    distribution: Distribution { density: Density::Univariate { family, params }, mask: None, span },
                    word,
                }),
                Chosen::Multivariate(entry, parameters, places) => Some(Lowered {
                    distribution: Distribution {
                        density: Density::Multivariate { entry, parameters, axis: None, places },
                        mask: None,
                        span,
                    },
                    word,
                    support: entry.support,
                    bounds: None,
                    discrete: Some(entry.discrete),
                    has_density: true,
                }),
            },
        }
    }

    /// What stands in `.mask(..)`: a truth value of data, as a number.
    fn mask(&mut self, args: &[CallArg], span: Span) -> Option<Expr> {
        let [CallArg { name: None, value }] = args else {
            self.error(span, "a mask is one condition on data: `.mask(t < length[n])`");
            return None;
        };
        let condition = self.condition(value)?;
        Some(Expr { kind: ExprKind::Indicator(Box::new(condition)), span: value.span })
    }

    /// The constructor call: a bare word or a path with its arguments.
    pub(super) fn constructor<'e>(
        &mut self,
        expr: &'e syntax::Expr,
        value: &Ident,
    ) -> Option<(Option<syn::Path>, String, &'e [CallArg], Span)> {
        match &expr.kind {
            Surface::Paren(inner) => self.constructor(inner, value),
            Surface::Call { callee, args } => match &callee.kind {
                Surface::Name(name) => Some((None, name.to_string(), args, callee.span)),
                Surface::Path(path) => Some((Some(path.clone()), last_word(path), args, callee.span)),
                _ => {
                    self.not_a_distribution(expr.span, value);
                    None
                }
            },
            Surface::Method { receiver, name, .. } if is_constructor(receiver) => {
                self.error(
                    name.span(),
                    format!("a distribution has no `.{name}(..)`; `.mask(condition)` counts it where a condition on data holds"),
                );
                None
            }
            Surface::Name(name) if catalogue::entries(&name.to_string()).any(|entry| entry.parameters.is_empty()) => {
                Some((None, name.to_string(), &[], expr.span))
            }
            Surface::Name(name) if catalogue::entries(&name.to_string()).next().is_some() => {
                self.error(expr.span, format!("`{name}` needs its parameters: {}", signatures(&name.to_string())));
                None
            }
            _ => {
                self.not_a_distribution(expr.span, value);
                None
            }
        }
    }

    fn not_a_distribution(&mut self, span: Span, value: &Ident) {
        self.error(
            span,
            format!("right of `~` stands a distribution, such as `Normal(0, 1)`; write `let {value} = ..` for a quantity that is computed"),
        );
    }

    /// A distribution that another one is made of, or that `log_prob` is of.
    pub(super) fn family(&mut self, path: Option<syn::Path>, word: &str, args: &[CallArg], span: Span) -> Option<Chosen> {
        self.chosen(path, word, args, span, &[])
    }

    fn chosen(&mut self, path: Option<syn::Path>, word: &str, args: &[CallArg], span: Span, event: &[DimId]) -> Option<Chosen> {
        if let Some(path) = path {
            return self.user(path, args);
        }
        if Wrapper::WORDS.contains(&word) {
            let (family, params) = self.wrapped(word, args, span)?;
            return Some(Chosen::Univariate(family, params));
        }
        if catalogue::entries(word).next().is_none() {
            let words = CATALOGUE.iter().map(|entry| entry.name).chain(super::calls::MADE_OF_OTHERS.iter().copied());
            let close = nearest(word, words).filter(|near| near.eq_ignore_ascii_case(word) || word.len() > 3);
            if word.chars().next().is_some_and(char::is_uppercase) && close.is_none() {
                return self.user(syn::Path::from(Ident::new(word, span)), args);
            }
            let message = match close {
                Some(near) => format!(
                    "`{word}` is not a distribution of the language; did you mean `{near}`? (one of your own is named by its path: `crate::{word}(..)`)"
                ),
                None => format!("`{word}` is not a distribution; right of `~` stands one, such as `Normal(0, 1)`"),
            };
            self.error(span, message);
            return None;
        }
        let (entry, ordered) = self.choose(word, args, span)?;
        if entry.shape != Shape::Univariate {
            return self.arrays(entry, &ordered, event, span);
        }
        let params: Vec<Option<Expr>> = ordered.into_iter().map(|arg| self.scalar(&arg.value)).collect();
        let params: Vec<Expr> = params.into_iter().collect::<Option<_>>()?;
        for ((name, set), param) in entry.parameters.iter().zip(&params) {
            if *set == Support::Count && !self.is_given(param) {
                self.error(
                    param.span,
                    format!("`{name}` of `{word}` is a count, which is made of data and numbers: it has no gradient"),
                );
                return None;
            }
        }
        Some(Chosen::Univariate(Family::Catalogue(entry), params))
    }

    fn user(&mut self, path: syn::Path, args: &[CallArg]) -> Option<Chosen> {
        let names = args.iter().map(|arg| arg.name.clone()).collect();
        let params: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
        Some(Chosen::Univariate(Family::User(path, names), params.into_iter().collect::<Option<_>>()?))
    }

    /// The parameters of a distribution of vectors or matrices, whose dimensions have to agree with each other and with the value's.
    fn arrays(&mut self, entry: &'static Entry, args: &[&CallArg], event: &[DimId], span: Span) -> Option<Chosen> {
        let mut known = Sizes::new(entry.name);
        self.same_sizes(&mut known, entry.axes, event, "the value", span)?;
        let mut parameters = Vec::new();
        for ((arg, axes), (name, _)) in args.iter().zip(entry.parameter_axes).zip(entry.parameters) {
            // One number stands for a vector of that number where the value tells the length.
            let told = axes.len() == 1 && entry.axes.contains(&axes[0]) && *name != "probs";
            if axes.is_empty() || (told && self.is_number(&arg.value)) {
                parameters.push(Vector::Repeat(Box::new(self.scalar(&arg.value)?)));
                continue;
            }
            let (operand, dims) = self.array(&arg.value, axes.len())?;
            self.same_sizes(&mut known, axes, &dims, &format!("`{name}`"), arg.value.span)?;
            parameters.push(operand);
        }
        let is_guide = self.model.is_guide();
        let places = entry.parameter_axes.iter().filter(|_| is_guide).map(|axes| self.places(&known, axes)).collect();
        Some(Chosen::Multivariate(entry, parameters, places))
    }

    /// The indices of an array over axes whose sizes are known.
    fn places(&mut self, known: &Sizes, axes: Axes) -> Places {
        let before = self.loops.len();
        let mut places = Places::new();
        for dim in axes.iter().filter_map(|axis| known.dim(axis)) {
            let var = self.axis_var(dim);
            self.loops.push(var);
            places.push((var, dim));
        }
        self.loops.truncate(before);
        places
    }

    /// Whether an argument is a number rather than an array.
    pub(super) fn is_number(&self, expr: &syntax::Expr) -> bool {
        match &expr.kind {
            Surface::Name(name) => match self.lookup(name) {
                Some(super::Entity::Arg(arg)) => self.model.args[arg].dims.is_empty(),
                Some(super::Entity::Site(site)) => self.model.sites[site].dims.is_empty(),
                _ => true,
            },
            Surface::Index { array, index } => match self.lookup(array) {
                Some(super::Entity::Arg(arg)) => self.model.args[arg].dims.len() == index.len(),
                Some(super::Entity::Site(site)) => self.model.sites[site].dims.len() == index.len(),
                _ => false,
            },
            _ => true,
        }
    }

    /// The parameterization that the arguments name, and the arguments in its order.
    fn choose<'e>(&mut self, word: &str, args: &'e [CallArg], span: Span) -> Option<(&'static Entry, Vec<&'e CallArg>)> {
        let entries: Vec<&'static Entry> = catalogue::entries(word).collect();
        for arg in args {
            if let Some(name) = &arg.name
                && !entries.iter().any(|entry| entry.parameters.iter().any(|(known, _)| name == known))
            {
                let names: Vec<&str> =
                    entries.iter().flat_map(|entry| entry.parameters.iter().map(|(known, _)| *known)).collect();
                let typed = name.to_string();
                let hint = match nearest(&typed, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it is {}", signatures(word)),
                };
                self.error(name.span(), format!("`{word}` has no parameter `{typed}`; {hint}"));
                return None;
            }
        }
        let fits = |entry: &&&'static Entry| {
            entry.parameters.len() == args.len()
                && args
                    .iter()
                    .filter_map(|arg| arg.name.as_ref())
                    .all(|name| entry.parameters.iter().any(|(known, _)| name == known))
        };
        let Some(entry) = entries.iter().find(fits) else {
            let given =
                if args.len() == 1 { "1 argument was given".to_owned() } else { format!("{} arguments were given", args.len()) };
            self.error(span, format!("`{word}` is written {}; {given}", signatures(word)));
            return None;
        };
        let mut slots: Vec<Option<&CallArg>> = vec![None; args.len()];
        for (position, arg) in args.iter().enumerate() {
            let slot = match &arg.name {
                Some(name) => entry.parameters.iter().position(|(known, _)| name == known)?,
                None => position,
            };
            if slots[slot].replace(arg).is_some() {
                let (name, _) = entry.parameters[slot];
                self.error(arg.name.as_ref().map_or(arg.value.span, Ident::span), format!("`{name}` of `{word}` is given twice"));
                return None;
            }
        }
        Some((entry, slots.into_iter().collect::<Option<_>>()?))
    }

    /// `Normal(a, b).log_prob(x)`
    pub(super) fn log_prob(&mut self, receiver: &syntax::Expr, value: &syntax::Expr, span: Span) -> Option<Expr> {
        let lowered = self.distribution(receiver, &Ident::new("x", span), &[]);
        let value = self.scalar(value);
        let (lowered, value) = (lowered?, value?);
        if let Some(mask) = &lowered.distribution.mask {
            self.error(mask.span, "a density as a number has no mask; multiply it by the condition: `(t < length[n]) * ..`");
            return None;
        }
        if lowered.discrete == Some(true) && !self.is_given(&value) {
            self.error(
                value.span,
                format!("`{}` is over whole numbers, and a latent has a gradient; give it data", lowered.word),
            );
            return None;
        }
        if let Density::Univariate { family, params } = lowered.distribution.density {
            Some(Expr { kind: ExprKind::LogProb(family, params, Box::new(value)), span })
        } else {
            self.error(receiver.span, "`log_prob` is of a distribution of one number");
            None
        }
    }
}

/// The bounds of an interval.
fn bounds(family: &Family, params: &[Expr]) -> Option<Bounds> {
    if family.support() != Support::Interval {
        return None;
    }
    match family {
        Family::Wrapped(_, inner) => {
            let (own, given) = params.split_at(params.len().checked_sub(2)?);
            let infinite = |bound: &Expr| matches!(bound.kind, ExprKind::Number(x) if x.is_infinite());
            let number = |x: f64| Some(Expr { kind: ExprKind::Number(x), span: given[0].span });
            // What is not given is an end of the support.
            let [lower, upper] = match inner.support() {
                Support::Positive => [number(0.0), None],
                Support::Unit => [number(0.0), number(1.0)],
                Support::Interval => {
                    let inner = bounds(inner, own)?;
                    [inner.lower, inner.upper]
                }
                _ => [None, None],
            };
            let or = |bound: &Expr, end: Option<Expr>| if infinite(bound) { end } else { Some(bound.clone()) };
            Some(Bounds { lower: or(&given[0], lower), upper: or(&given[1], upper) })
        }
        Family::Catalogue(entry) => {
            let [lower, upper] = entry.bounds.map(|bound| of_bound(bound, params));
            Some(Bounds { lower, upper })
        }
        Family::User(..) => None,
    }
}

/// How many of the last axes of the value of a distribution are drawn together.
pub(super) fn event_rank(expr: &syntax::Expr) -> usize {
    match &expr.kind {
        Surface::Paren(inner) => event_rank(inner),
        Surface::Method { receiver, name, .. } if name == "mask" => event_rank(receiver),
        Surface::Call { callee, .. } => match &callee.kind {
            Surface::Name(name) if name == "Ordered" => 1,
            Surface::Name(name) => catalogue::entries(&name.to_string()).next().map_or(0, |entry| entry.event_rank),
            _ => 0,
        },
        _ => 0,
    }
}

/// Whether an expression calls a distribution of the language.
fn is_constructor(expr: &syntax::Expr) -> bool {
    match &expr.kind {
        Surface::Call { callee, .. } => {
            matches!(&callee.kind, Surface::Name(word) if catalogue::entries(&word.to_string()).next().is_some())
        }
        _ => false,
    }
}

/// An end of the values of a distribution with these parameters; none where it is infinite.
fn of_bound(bound: Bound, params: &[Expr]) -> Option<Expr> {
    match bound {
        Bound::Infinite => None,
        Bound::Number(x) => Some(Expr { kind: ExprKind::Number(x), span: params.first()?.span }),
        Bound::Parameter(place) => params.get(place).cloned(),
    }
}

pub(super) enum Chosen {
    Univariate(Family, Vec<Expr>),
    Multivariate(&'static Entry, Vec<Vector>, Vec<Places>),
}

fn last_word(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// How a distribution is written: "`loc` and `scale`".
pub(crate) fn signatures(word: &str) -> String {
    let all: Vec<String> = catalogue::entries(word)
        .map(|entry| {
            let names: Vec<&str> = entry.parameters.iter().map(|(name, _)| *name).collect();
            format!("`{word}({})`", names.join(", "))
        })
        .collect();
    all.join(" or ")
}
