//! Calls: the words of the language as functions and methods, and users' own functions.

use proc_macro2::{Ident, Span};

use super::{Lowering, nearest};
use crate::catalogue::Support;
use crate::ir::{Expr, ExprKind, Function, Reduce};
use crate::syntax;

/// Words that are functions or forms of the language besides [`Function::ALL`].
const FORMS: &[&str] = &["powi", "dot", "sum", "factor", "positive", "unit"];

/// Words that make distributions of others.
pub(super) const MADE_OF_OTHERS: &[&str] = &["Truncated", "Censored", "ZeroInflated", "Transformed", "Mixture", "Ordered"];

/// Those among them that nothing else is made of.
pub(super) const OUTERMOST: &[&str] = &["Mixture", "Ordered"];

/// Whether a name is a word of the language, and so cannot be declared.
pub(super) fn is_word(word: &str) -> bool {
    FORMS.contains(&word)
        || Function::ALL.iter().any(|(known, ..)| *known == word)
        || MADE_OF_OTHERS.contains(&word)
        || crate::catalogue::operations(word).next().is_some()
}

impl Lowering<'_> {
    pub(super) fn call(&mut self, callee: &syntax::Expr, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let name = match &callee.kind {
            syntax::ExprKind::Path(path) => return self.user_call(path.clone(), args, span),
            syntax::ExprKind::Name(name) => name,
            _ => {
                self.error(span, "only a function can be called");
                return None;
            }
        };
        let word = name.to_string();
        if crate::catalogue::entries(&word).next().is_some() || MADE_OF_OTHERS.contains(&word.as_str()) {
            self.error(
                span,
                format!("`{word}` is a distribution, not a number; write `{word}(..).log_prob(x)` for its log density"),
            );
            return None;
        }
        if crate::catalogue::operations(&word).next().is_some() {
            self.error(span, format!("`{word}` makes an array, which is a statement of its own: `let a[N] = {word}(..);`"));
            return None;
        }
        if let Some((named, ())) = args.iter().find_map(|arg| arg.name.as_ref().map(|name| (name, ()))) {
            self.error(named.span(), "the arguments of a function have no names; give them by position");
            return None;
        }
        match word.as_str() {
            "dot" => {
                let [a, b] = args else { return self.arity(span, "dot", 2, args.len()) };
                self.dot(&a.value, &b.value, span)
            }
            "sum" => {
                let [vector] = args else { return self.arity(span, "sum", 1, args.len()) };
                self.reduce_vector(Reduce::Sum, &vector.value, span)
            }
            "log_sum_exp" if args.len() == 1 => self.reduce_vector(Reduce::LogSumExp, &args[0].value, span),
            "log_sum_exp" => {
                let values: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
                let values: Option<Vec<Expr>> = values.into_iter().collect();
                let folded =
                    values?.into_iter().reduce(|a, b| Expr { kind: ExprKind::Function(Function::LogSumExp, vec![a, b]), span });
                if folded.is_none() {
                    self.error(span, "`log_sum_exp` needs something to sum: `log_sum_exp(a, b)`, or `log_sum_exp(k in K => ..)`");
                }
                folded
            }
            "positive" | "unit" => {
                let [value] = args else { return self.arity(span, &word, 1, args.len()) };
                let value = self.scalar(&value.value)?;
                let support = if word == "unit" { Support::Unit } else { Support::Positive };
                Some(Expr { kind: ExprKind::Assert(support, Box::new(value)), span })
            }
            "powi" => {
                let [base, exponent] = args else { return self.arity(span, "powi", 2, args.len()) };
                self.powi(&base.value, &exponent.value, span)
            }
            "factor" => {
                self.error(span, "`factor(..)` is a statement of its own, not a number");
                None
            }
            _ => match Function::ALL.iter().find(|(known, ..)| *known == word) {
                Some(&(_, arity, function)) => {
                    if args.len() != arity {
                        return self.arity(span, &word, arity, args.len());
                    }
                    let args: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
                    Some(Expr { kind: ExprKind::Function(function, args.into_iter().collect::<Option<_>>()?), span })
                }
                None => self.unknown_call(name, args, span),
            },
        }
    }

    /// A call of a name that is not a word: Rust, unless it is plainly a word misspelt.
    fn unknown_call(&mut self, name: &Ident, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let word = name.to_string();
        if self.lookup(name).is_some() {
            self.error(span, format!("`{word}` is not a function; write `{word} * (..)` if a product is meant"));
            return None;
        }
        let other_name = match word.as_str() {
            "log" => Some("ln"),
            "pow" => Some("powf"),
            "inv_logit" | "expit" | "logistic" => Some("sigmoid"),
            "logsumexp" => Some("log_sum_exp"),
            "lgam" | "gammaln" | "ln_gamma" => Some("lgamma"),
            "Phi" | "pnorm" => Some("normal_cdf"),
            "fabs" => Some("abs"),
            "ln_1p" => Some("log1p"),
            "exp_m1" => Some("expm1"),
            _ => None,
        };
        if let Some(known) = other_name {
            self.error(span, format!("`{word}` is called `{known}` here"));
            return None;
        }
        self.user_call(syn::Path::from(name.clone()), args, span)
    }

    fn user_call(&mut self, path: syn::Path, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let args: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
        Some(Expr { kind: ExprKind::User(path, args.into_iter().collect::<Option<_>>()?), span })
    }

    pub(super) fn arity<T>(&mut self, span: Span, word: &str, expected: usize, given: usize) -> Option<T> {
        let plural = if expected == 1 { "" } else { "s" };
        self.error(span, format!("`{word}` takes {expected} argument{plural}, and {given} were given"));
        None
    }

    pub(super) fn method(&mut self, receiver: &syntax::Expr, name: &Ident, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let word = name.to_string();
        if word == "log_prob" {
            let [value] = args else { return self.arity(span, "log_prob", 1, args.len()) };
            return self.log_prob(receiver, &value.value, span);
        }
        if word == "powi" {
            let [exponent] = args else { return self.arity(span, "powi", 1, args.len()) };
            return self.powi(receiver, &exponent.value, span);
        }
        let Some(&(_, arity, function)) = Function::ALL.iter().find(|(known, ..)| *known == word) else {
            let words = Function::ALL.iter().map(|(known, ..)| *known).chain(["powi", "log_prob"]);
            let hint = match (word.as_str(), nearest(&word, words)) {
                ("log", _) => "; the natural logarithm is `ln`".to_owned(),
                (_, Some(near)) => format!("; did you mean `{near}`?"),
                (_, None) => "; call a function of your own as `function(x)`".to_owned(),
            };
            self.error(span, format!("`{word}` is not a function of the language{hint}"));
            return None;
        };
        if args.len() + 1 != arity {
            return self.arity(span, &word, arity - 1, args.len());
        }
        let operands: Vec<Option<Expr>> =
            std::iter::once(receiver).chain(args.iter().map(|arg| &arg.value)).map(|e| self.scalar(e)).collect();
        Some(Expr { kind: ExprKind::Function(function, operands.into_iter().collect::<Option<_>>()?), span })
    }

    fn powi(&mut self, base: &syntax::Expr, exponent: &syntax::Expr, span: Span) -> Option<Expr> {
        let base = self.scalar(base);
        let exponent_value = self.scalar(exponent)?;
        match exponent_value.kind {
            #[allow(clippy::cast_possible_truncation, reason = "checked to be a small whole number")]
            ExprKind::Number(k) if k.fract() == 0.0 && k.abs() <= 1024.0 => {
                Some(Expr { kind: ExprKind::Powi(Box::new(base?), k as i32), span })
            }
            _ => {
                self.error(exponent.span, "the exponent of `powi` is a whole number, written out; use `powf` for any other");
                None
            }
        }
    }
}
