//! What is made of distributions of one number: truncated, censored, zero-inflated, transformed and sorted ones.

use proc_macro2::{Ident, Span};

use super::distributions::{Chosen, Lowered};
use super::{Entity, Lowering};
use crate::catalogue::Support;
use crate::ir::{Density, DimId, Distribution, Expr, ExprKind, Family, Increasing, Wrapper};
use crate::messages;
use crate::syntax::{self, CallArg};

impl Lowering<'_> {
    /// `Truncated(D, lower = .., upper = ..)` and its kin: the density, and the parameters of `D` followed by its own.
    pub(super) fn wrapped(&mut self, word: &str, args: &[CallArg], span: Span) -> Option<(Family, Vec<Expr>)> {
        let Some((CallArg { name: None, value: inner }, own)) = args.split_first() else {
            self.error(span, format!("`{word}` is made of a distribution: `{}`", example(word)));
            return None;
        };
        let (path, inner_word, inner_args, inner_span) = self.constructor(inner, &Ident::new("x", span))?;
        let (inner, params) = self.of_number(word, (path, &inner_word, inner_args, inner_span))?;
        match word {
            "Transformed" => self.transformed(inner, params, own, (&inner_word, inner_span), span),
            "ZeroInflated" => self.zero_inflated(inner, params, own, (&inner_word, inner_span), span),
            _ => {
                let wrapper = if word == "Censored" { Wrapper::Censored } else { Wrapper::Truncated };
                self.between_bounds(wrapper, inner, params, own, (&inner_word, inner_span), span)
            }
        }
    }

    /// The distribution of one number that another one is made of.
    fn of_number(
        &mut self,
        word: &str,
        (path, inner_word, args, span): (Option<syn::Path>, &str, &[CallArg], Span),
    ) -> Option<(Family, Vec<Expr>)> {
        if super::calls::OUTERMOST.contains(&inner_word) {
            self.error(span, format!("`{word}` is made of a distribution of one number, and `{inner_word}` stands outermost"));
            return None;
        }
        let Chosen::Univariate(inner, params) = self.family(path, inner_word, args, span)? else {
            self.error(span, format!("`{word}` is made of a distribution of one number, and `{inner_word}` is not"));
            return None;
        };
        Some((inner, params))
    }

    /// `Mixture(weights, k in K => component)` or `Mixture(weights, component, ..)`
    pub(super) fn mixture(&mut self, args: &[CallArg], span: Span) -> Option<Lowered> {
        if let [weights, components @ ..] = args
            && components.len() > 1
        {
            return self.listed(weights, components, span);
        }
        let [weights, CallArg { value: syntax::Expr { kind: syntax::ExprKind::Reduce { var, range, body, .. }, .. }, .. }] = args
        else {
            self.error(span, messages::MIXTURE);
            return None;
        };
        let weights = self.vector(&weights.value);
        let bounds = self.range(range);
        let free = self.free(var);
        let ((weights, over), (from, to, dim)) = (weights?, bounds?);
        if dim != Some(over) || !matches!(**range, syntax::Range::Dim(_)) {
            self.error(
                var.span(),
                format!("the weights of the mixture are over `{0}`: write `{var} in {0} => ..`", self.model.dim_name(over)),
            );
            return None;
        }
        let id = self.fresh_var(var.clone(), from, to, dim);
        if free {
            self.names.push((var.clone(), Entity::Var(id)));
        }
        self.loops.push(id);
        let component = self.constructor(body, &Ident::new("x", span)).and_then(|(path, word, args, at)| {
            let (family, params) = self.of_number("Mixture", (path, &word, args, at))?;
            Some((family, params, word, at))
        });
        self.loops.pop();
        if free {
            self.names.pop();
        }
        let (family, params, word, at) = component?;
        if family.support() == Support::Interval {
            self.error(at, messages::component_with_bounds(&word));
            return None;
        }
        Some(Lowered {
            support: family.support(),
            bounds: None,
            discrete: family.is_discrete(),
            has_density: family.has_density(),
            distribution: Distribution { density: Density::Mixture { weights, var: id, family, params }, mask: None, span },
            word: "Mixture".to_owned(),
        })
    }

    /// `Mixture(weights, component, ..)`
    fn listed(&mut self, weights: &CallArg, components: &[CallArg], span: Span) -> Option<Lowered> {
        let weights = self.vector(&weights.value);
        let lowered = components.iter().map(|component| {
            let (path, word, args, at) = self.constructor(&component.value, &Ident::new("x", span))?;
            let (family, params) = self.of_number("Mixture", (path, &word, args, at))?;
            if family.support() == Support::Interval {
                self.error(at, messages::component_with_bounds(&word));
                return None;
            }
            Some((family, params, word, at))
        });
        let lowered: Vec<Option<_>> = lowered.collect();
        let lowered: Vec<(Family, Vec<Expr>, String, Span)> = lowered.into_iter().collect::<Option<_>>()?;
        let (weights, over) = weights?;
        let place = self.model.is_guide().then(|| (self.axis_var(over), over));
        let (first, first_word) = (&lowered.first()?.0, &lowered.first()?.2);
        for (family, _, word, at) in &lowered[1..] {
            // What is not known of a user's own is asserted: its values lie anywhere on the real line.
            let kinds = (first.is_discrete().unwrap_or(false), family.is_discrete().unwrap_or(false));
            if first.support() != family.support() || kinds.0 != kinds.1 {
                self.error(
                    *at,
                    format!("the components of a mixture lie in one set, and the values of `{word}` and `{first_word}` do not"),
                );
                return None;
            }
        }
        Some(Lowered {
            support: first.support(),
            bounds: None,
            discrete: first.is_discrete(),
            has_density: lowered.iter().all(|(family, ..)| family.has_density()),
            distribution: Distribution {
                density: Density::Listed {
                    weights,
                    components: lowered.iter().map(|(family, params, ..)| (family.clone(), params.clone())).collect(),
                    place,
                },
                mask: None,
                span,
            },
            word: "Mixture".to_owned(),
        })
    }

    /// The arguments that follow a distribution, which are named.
    fn named<'e, const N: usize>(
        &mut self,
        word: &str,
        names: [&str; N],
        args: &'e [CallArg],
    ) -> Option<[Option<&'e syntax::Expr>; N]> {
        let mut slots = [None; N];
        for arg in args {
            let Some(slot) = arg.name.as_ref().and_then(|name| names.iter().position(|known| name == known)) else {
                let at = arg.name.as_ref().map_or(arg.value.span, Ident::span);
                self.error(at, format!("what follows the distribution in `{word}` is named: `{}`", example(word)));
                return None;
            };
            if slots[slot].replace(&arg.value).is_some() {
                self.error(arg.value.span, format!("`{}` of `{word}` is given twice", names[slot]));
                return None;
            }
        }
        Some(slots)
    }

    fn between_bounds(
        &mut self,
        wrapper: Wrapper,
        inner: Family,
        mut params: Vec<Expr>,
        own: &[CallArg],
        (inner_word, inner_span): (&str, Span),
        span: Span,
    ) -> Option<(Family, Vec<Expr>)> {
        let word = wrapper.word();
        let [lower, upper] = self.named(word, ["lower", "upper"], own)?;
        if lower.is_none() && upper.is_none() {
            self.error(span, format!("write `{}`, with `lower`, `upper` or both", example(word)));
            return None;
        }
        let refused = match &inner {
            Family::Wrapped(Wrapper::Censored | Wrapper::ZeroInflated, _) => {
                Some("has no distribution function here; put it outermost")
            }
            Family::Catalogue(entry) if !entry.is_proper() => Some("is not a proper distribution; `Uniform(lower, upper)` is"),
            Family::Catalogue(entry) if entry.support == Support::Interval && wrapper == Wrapper::Truncated => {
                Some("has bounds of its own; change these")
            }
            _ => None,
        };
        if let Some(reason) = refused {
            self.error(inner_span, format!("`{inner_word}` {reason}"));
            return None;
        }
        let of_data = wrapper == Wrapper::Censored || inner.is_discrete() == Some(true);
        for (bound, infinite) in [(lower, f64::NEG_INFINITY), (upper, f64::INFINITY)] {
            let bound = match bound {
                Some(bound) => self.scalar(bound)?,
                None => Expr { kind: ExprKind::Number(infinite), span },
            };
            if of_data && !self.is_data(&bound) {
                self.error(
                    bound.span,
                    format!("the bounds of `{word}` are made of data and numbers here: they have no gradient"),
                );
                return None;
            }
            params.push(bound);
        }
        Some((Family::Wrapped(wrapper, Box::new(inner)), params))
    }

    fn zero_inflated(
        &mut self,
        inner: Family,
        mut params: Vec<Expr>,
        own: &[CallArg],
        (inner_word, inner_span): (&str, Span),
        span: Span,
    ) -> Option<(Family, Vec<Expr>)> {
        let [gate] = self.named("ZeroInflated", ["gate"], own)?;
        if !matches!((inner.is_discrete(), inner.support()), (Some(true), Support::Count | Support::CountUpTo)) {
            self.error(
                inner_span,
                format!("`ZeroInflated` is made of a distribution of counts, such as `Poisson`, and `{inner_word}` is none"),
            );
            return None;
        }
        let Some(gate) = gate else {
            self.error(span, format!("the probability of a zero of its own is missing: `{}`", example("ZeroInflated")));
            return None;
        };
        params.push(self.scalar(gate)?);
        Some((Family::Wrapped(Wrapper::ZeroInflated, Box::new(inner)), params))
    }

    fn transformed(
        &mut self,
        inner: Family,
        params: Vec<Expr>,
        own: &[CallArg],
        (inner_word, inner_span): (&str, Span),
        span: Span,
    ) -> Option<(Family, Vec<Expr>)> {
        let [CallArg { name: None, value: syntax::Expr { kind: syntax::ExprKind::Name(name), .. } }] = own else {
            self.error(span, format!("write `{}`", example("Transformed")));
            return None;
        };
        let Some(&(_, map)) = Increasing::ALL.iter().find(|(word, _)| name == word) else {
            let words: Vec<&str> = Increasing::ALL.iter().map(|(word, _)| *word).collect();
            self.error(name.span(), format!("`{name}` is no map of `Transformed`; these are: `{}`", words.join("`, `")));
            return None;
        };
        if inner.support() != Support::Real || inner.is_discrete() == Some(true) {
            self.error(
                inner_span,
                format!("`Transformed` maps numbers anywhere on the real line, and those of `{inner_word}` are not"),
            );
            return None;
        }
        Some((Family::Wrapped(Wrapper::Transformed(map), Box::new(inner)), params))
    }

    pub(super) fn ordered(&mut self, args: &[CallArg], span: Span, event: &[DimId]) -> Option<Lowered> {
        let [CallArg { name: None, value }] = args else {
            self.error(span, "write `Ordered(Normal(0, 1))`: independent draws, sorted");
            return None;
        };
        let (path, word, inner_args, inner_span) = self.constructor(value, &Ident::new("x", span))?;
        let (family, params) = self.of_number("Ordered", (path, &word, inner_args, inner_span))?;
        let support = match family.support() {
            Support::Real if family.is_discrete() != Some(true) => Support::Ordered,
            Support::Positive => Support::PositiveOrdered,
            _ => {
                self.error(
                    inner_span,
                    format!("`Ordered` sorts draws over the real or the positive numbers, and `{word}` is over neither"),
                );
                return None;
            }
        };
        // Without an axis the statement has been refused before its distribution was read.
        let dim = *event.first()?;
        let axis = self.axis_var(dim);
        Some(Lowered {
            distribution: Distribution { density: Density::Ordered { family, params, axis }, mask: None, span },
            word: "Ordered".to_owned(),
            support,
            bounds: None,
            discrete: Some(false),
            has_density: true,
        })
    }
}

/// How a distribution that is made of another one is written.
fn example(word: &str) -> &'static str {
    match word {
        "Truncated" => "Truncated(Normal(0, 1), lower = 0)",
        "Censored" => "Censored(Normal(0, 1), upper = 2)",
        "ZeroInflated" => "ZeroInflated(Poisson(3), gate = 0.2)",
        _ => "Transformed(Normal(0, 1), exp)",
    }
}
