//! Distributions: the parameterization that the arguments choose, truncation, order, and users' own.

use proc_macro2::{Ident, Span};

use super::{Lowering, nearest};
use crate::catalogue::{self, Bound, CATALOGUE, Entry, Shape, Support};
use crate::ir::{Bounds, Density, DimId, Distribution, Expr, ExprKind, Family, Vector};
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
}

/// Distributions that can be truncated: those with a cdf in the kernels.
const TRUNCATED: &[&str] = &["Normal", "Cauchy", "StudentT"];

impl Lowering<'_> {
    /// Lowers what stands right of `~`.
    ///
    /// `event` is the dimension of a value that is a vector.
    pub(super) fn distribution(&mut self, expr: &syntax::Expr, value: &Ident, event: Option<DimId>) -> Option<Lowered> {
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
            "Truncated" => self.truncated(args, span),
            "Ordered" => self.ordered(args, span, event),
            _ => match self.family(path, &word, args, span)? {
                Chosen::Univariate(family, params) => {
                    let (support, bounds, discrete) = match &family {
                        Family::Catalogue(entry) => {
                            let [lower, upper] = entry.bounds.map(|bound| of_bound(bound, &params, span));
                            if entry.is_bounded() && !entry.discrete {
                                (Support::Interval, Some(Bounds { lower, upper }), Some(false))
                            } else {
                                (entry.support, None, Some(entry.discrete))
                            }
                        }
                        Family::Truncated(entry) => (entry.support, None, Some(false)),
                        Family::User(..) => (Support::Real, None, None),
                    };
                    let distribution = Distribution { density: Density::Univariate { family, params }, mask: None, span };
                    Some(Lowered { distribution, word, support, bounds, discrete })
                }
                Chosen::Multivariate(entry, parameter) => Some(Lowered {
                    distribution: Distribution { density: Density::Multivariate { entry, parameter }, mask: None, span },
                    word,
                    support: entry.support,
                    bounds: None,
                    discrete: Some(entry.discrete),
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
    fn constructor<'e>(
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

    fn family(&mut self, path: Option<syn::Path>, word: &str, args: &[CallArg], span: Span) -> Option<Chosen> {
        if let Some(path) = path {
            return self.user(path, args);
        }
        if catalogue::entries(word).next().is_none() {
            let words = CATALOGUE.iter().map(|entry| entry.name);
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
        if entry.shape == Shape::Multivariate {
            let arg = ordered.into_iter().next()?;
            let parameter = self.vector_or_number(&arg.value, entry)?;
            return Some(Chosen::Multivariate(entry, parameter));
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

    /// A vector parameter; one number stands for a vector of that number where the value tells the length.
    fn vector_or_number(&mut self, expr: &syntax::Expr, entry: &Entry) -> Option<Vector> {
        let number = match &expr.kind {
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
        };
        if number && entry.event_rank == 1 {
            return Some(Vector::Repeat(Box::new(self.scalar(expr)?)));
        }
        self.vector(expr).map(|(vector, _)| vector)
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

    fn truncated(&mut self, args: &[CallArg], span: Span) -> Option<Lowered> {
        let (first, bounds) = match args.split_first() {
            Some((first, bounds)) if first.name.is_none() && !bounds.is_empty() => (first, bounds),
            _ => {
                self.error(span, "write `Truncated(Normal(0, 1), lower = 0)`, with `lower`, `upper` or both");
                return None;
            }
        };
        let (path, word, inner_args, inner_span) = self.constructor(&first.value, &Ident::new("x", span))?;
        if path.is_some() || !TRUNCATED.contains(&word.as_str()) {
            self.error(inner_span, format!("only `{}` can be truncated", TRUNCATED.join("`, `")));
            return None;
        }
        let Chosen::Univariate(Family::Catalogue(entry), mut params) = self.family(None, &word, inner_args, inner_span)? else {
            return None;
        };
        let (mut lower, mut upper) = (None, None);
        for bound in bounds {
            let slot = match &bound.name {
                Some(name) if name == "lower" => &mut lower,
                Some(name) if name == "upper" => &mut upper,
                _ => {
                    let at = bound.name.as_ref().map_or(bound.value.span, Ident::span);
                    self.error(at, "the bounds of `Truncated` are named: `lower = ..`, `upper = ..`");
                    return None;
                }
            };
            if slot.is_some() {
                self.error(bound.value.span, "this bound of `Truncated` is given twice");
                return None;
            }
            *slot = Some(&bound.value);
        }
        let lower = match lower {
            Some(bound) => Some(self.scalar(bound)?),
            None => None,
        };
        let upper = match upper {
            Some(bound) => Some(self.scalar(bound)?),
            None => None,
        };
        for (bound, infinite) in [(&lower, f64::NEG_INFINITY), (&upper, f64::INFINITY)] {
            params.push(bound.clone().unwrap_or(Expr { kind: ExprKind::Number(infinite), span }));
        }
        Some(Lowered {
            distribution: Distribution {
                density: Density::Univariate { family: Family::Truncated(entry), params },
                mask: None,
                span: inner_span,
            },
            word: "Truncated".to_owned(),
            support: Support::Interval,
            bounds: Some(Bounds { lower, upper }),
            discrete: Some(false),
        })
    }

    fn ordered(&mut self, args: &[CallArg], span: Span, event: Option<DimId>) -> Option<Lowered> {
        let [CallArg { name: None, value }] = args else {
            self.error(span, "write `Ordered(Normal(0, 1))`: independent draws, sorted");
            return None;
        };
        let (path, word, inner_args, inner_span) = self.constructor(value, &Ident::new("x", span))?;
        let Chosen::Univariate(family, params) = self.family(path, &word, inner_args, inner_span)? else {
            self.error(inner_span, "`Ordered` sorts draws of a distribution of one number");
            return None;
        };
        let support = match &family {
            Family::Catalogue(entry) if entry.support == Support::Real && !entry.discrete && !entry.is_bounded() => {
                Support::Ordered
            }
            Family::Catalogue(entry) if entry.support == Support::Positive => Support::PositiveOrdered,
            Family::User(..) => Support::Ordered,
            _ => {
                self.error(
                    inner_span,
                    format!("`Ordered` sorts draws over the real or the positive numbers, and `{word}` is over neither"),
                );
                return None;
            }
        };
        // Without an axis the statement has been refused before its distribution was read.
        let dim = event?;
        let axis = self.axis_var(dim);
        Some(Lowered {
            distribution: Distribution { density: Density::Ordered { family, params, axis }, mask: None, span },
            word: "Ordered".to_owned(),
            support,
            bounds: None,
            discrete: Some(false),
        })
    }

    /// `Normal(a, b).log_prob(x)`
    pub(super) fn log_prob(&mut self, receiver: &syntax::Expr, value: &syntax::Expr, span: Span) -> Option<Expr> {
        let lowered = self.distribution(receiver, &Ident::new("x", span), None);
        let value = self.scalar(value);
        let (lowered, value) = (lowered?, value?);
        if let Some(mask) = &lowered.distribution.mask {
            self.error(mask.span, "a density as a number has no mask; multiply it by the condition: `(t < length[n]) * ..`");
            return None;
        }
        if lowered.discrete == Some(true) && !self.is_data(&value) {
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

/// Whether the value of a distribution is a vector.
pub(super) fn is_vector_event(expr: &syntax::Expr) -> bool {
    match &expr.kind {
        Surface::Paren(inner) => is_vector_event(inner),
        Surface::Method { receiver, name, .. } if name == "mask" => is_vector_event(receiver),
        Surface::Call { callee, .. } => match &callee.kind {
            Surface::Name(name) => {
                let word = name.to_string();
                ["Ordered", "PositiveOrdered"].contains(&word.as_str())
                    || catalogue::entries(&word).next().is_some_and(|entry| entry.event_rank == 1)
            }
            _ => false,
        },
        _ => false,
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
fn of_bound(bound: Bound, params: &[Expr], span: Span) -> Option<Expr> {
    match bound {
        Bound::Infinite => None,
        Bound::Number(x) => Some(Expr { kind: ExprKind::Number(x), span }),
        Bound::Parameter(place) => params.get(place).cloned(),
    }
}

enum Chosen {
    Univariate(Family, Vec<Expr>),
    Multivariate(&'static Entry, Vector),
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
