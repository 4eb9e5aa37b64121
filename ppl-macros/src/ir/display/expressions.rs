//! Expressions and conditions, with the parentheses that precedence asks for.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{at, dimension, distributions, indices};
use crate::catalogue::Support;
use crate::ir::{Comparison, Condition, Expr, ExprKind, Function, Index, Model, Operator, Reduce, VarId};

/// How tightly the parser binds.
type Precedence = u8;

const OR: Precedence = 1;
const AND: Precedence = 2;
const COMPARISON: Precedence = 3;
const SUM: Precedence = 4;
const PRODUCT: Precedence = 5;
const SIGN: Precedence = 6;
/// What is followed by a method only in parentheses.
const OPERAND: Precedence = 7;
const CALL: Precedence = 8;

pub(super) fn expression(model: &Model, expr: &Expr) -> TokenStream {
    bound(model, expr, 0)
}

/// An expression in a place that binds what is at least as tight as `least`.
fn bound(model: &Model, expr: &Expr, least: Precedence) -> TokenStream {
    let (tokens, precedence) = print(model, expr);
    parenthesized(tokens, precedence, least, expr.span)
}

fn parenthesized(tokens: TokenStream, precedence: Precedence, least: Precedence, span: Span) -> TokenStream {
    if precedence < least { quote_spanned!(span=> (#tokens)) } else { tokens }
}

fn print(model: &Model, expr: &Expr) -> (TokenStream, Precedence) {
    let span = expr.span;
    let list = |args: &[Expr]| args.iter().map(|arg| expression(model, arg)).collect::<Vec<_>>();
    let tokens = match &expr.kind {
        ExprKind::Number(x) => return number(*x, span),
        ExprKind::Size(dim) => dimension(model, *dim, span).into_token_stream(),
        ExprKind::Var(var) => indices::bound(model, *var, span),
        ExprKind::Local(local) => at(&model.locals[*local].name, span).into_token_stream(),
        ExprKind::Data(arg, index) => indices::read(model, &model.args[*arg].name, index, span),
        ExprKind::Site(site, index) => indices::read(model, &model.sites[*site].name, index, span),
        ExprKind::Component(component, index) => {
            let site = model.components[*component].site;
            indices::read(model, &model.sites[site].name, index, span)
        }
        ExprKind::Binary(operator, left, right) => {
            let (word, precedence) = match operator {
                Operator::Add => (quote_spanned!(span=> +), SUM),
                Operator::Sub => (quote_spanned!(span=> -), SUM),
                Operator::Mul => (quote_spanned!(span=> *), PRODUCT),
                Operator::Div => (quote_spanned!(span=> /), PRODUCT),
            };
            let (left, right) = (bound(model, left, precedence), bound(model, right, precedence + 1));
            return (quote!(#left #word #right), precedence);
        }
        ExprKind::Neg(inner) => {
            let inner = bound(model, inner, SIGN);
            return (quote_spanned!(span=> -#inner), SIGN);
        }
        ExprKind::Powi(base, exponent) => {
            let base = bound(model, base, CALL);
            let (exponent, _) = number(f64::from(*exponent), span);
            quote_spanned!(span=> #base.powi(#exponent))
        }
        ExprKind::Function(Function::LogSumExp, _) => {
            let terms = log_sum_exp_terms(model, expr);
            quote_spanned!(span=> log_sum_exp(#(#terms),*))
        }
        ExprKind::Function(function, args) => {
            let (word, args) = (Ident::new(function.word(), span), list(args));
            quote_spanned!(span=> #word(#(#args),*))
        }
        ExprKind::User(path, args) => {
            let args = list(args);
            quote_spanned!(span=> #path(#(#args),*))
        }
        ExprKind::If(test, then, otherwise) => {
            let (test, then, other) = (condition(model, test, 0, span), expression(model, then), expression(model, otherwise));
            let other = if let ExprKind::If(..) = &otherwise.kind { other } else { quote_spanned!(span=> { #other }) };
            return (quote_spanned!(span=> if #test { #then } else #other), OPERAND);
        }
        ExprKind::Indicator(test) => return print_condition(model, test, span),
        ExprKind::Reduce { kind, var, body, product } => reduce(model, *kind, *var, body, *product, span),
        ExprKind::LogProb(family, params, value) => {
            let (family, value) = (distributions::family(model, family, params, span), expression(model, value));
            quote_spanned!(span=> #family.log_prob(#value))
        }
        ExprKind::Assert(support, inner) => {
            let word = Ident::new(if *support == Support::Unit { "unit" } else { "positive" }, span);
            let inner = expression(model, inner);
            quote_spanned!(span=> #word(#inner))
        }
    };
    (tokens, CALL)
}

/// A number; one that is not finite is a quotient.
fn number(x: f64, span: Span) -> (TokenStream, Precedence) {
    if x.is_nan() {
        return (quote_spanned!(span=> 0 / 0), PRODUCT);
    }
    if x.is_infinite() {
        return (if x > 0.0 { quote_spanned!(span=> 1 / 0) } else { quote_spanned!(span=> -1 / 0) }, PRODUCT);
    }
    let magnitude = x.abs();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 1e15 is exact")]
    let whole = || Literal::u64_unsuffixed(magnitude as u64);
    let mut literal = if magnitude.fract() == 0.0 && magnitude < 1e15 {
        whole()
    } else {
        // `Debug` has an exponent where the digits would be many.
        format!("{magnitude:?}").parse().unwrap_or_else(|_| Literal::f64_unsuffixed(magnitude))
    };
    literal.set_span(span);
    if x.is_sign_negative() { (quote_spanned!(span=> -#literal), SIGN) } else { (literal.into_token_stream(), OPERAND) }
}

/// The terms of `log_sum_exp(a, b, c)`, which is lowered two by two from the left.
fn log_sum_exp_terms(model: &Model, expr: &Expr) -> Vec<TokenStream> {
    let mut terms = Vec::new();
    let mut rest = expr;
    while let ExprKind::Function(Function::LogSumExp, args) = &rest.kind {
        let [first, last] = args.as_slice() else { break };
        terms.push(expression(model, last));
        rest = first;
    }
    terms.push(expression(model, rest));
    terms.reverse();
    terms
}

/// `dot(a, b)`, `sum(v)`, `sum(k in K => body)`
fn reduce(model: &Model, kind: Reduce, var: VarId, body: &Expr, product: bool, span: Span) -> TokenStream {
    if let (true, ExprKind::Binary(Operator::Mul, left, right)) = (product, &body.kind)
        && let (Some(left), Some(right)) = (vector(model, left, var), vector(model, right, var))
    {
        return quote_spanned!(span=> dot(#left, #right));
    }
    let word = match kind {
        Reduce::Sum => Ident::new("sum", span),
        Reduce::LogSumExp => Ident::new("log_sum_exp", span),
    };
    if model.vars[var].implicit
        && let Some(vector) = vector(model, body, var)
    {
        return quote_spanned!(span=> #word(#vector));
    }
    let name = &model.vars[var].name;
    let (range, body) = (indices::range(model, var, name.span()), expression(model, body));
    quote_spanned!(span=> #word(#name in #range => #body))
}

/// The name that a sum binds, and its range.
pub(super) fn binder(model: &Model, var: VarId) -> (proc_macro2::Ident, TokenStream) {
    let name = model.vars[var].name.clone();
    let range = indices::range(model, var, name.span());
    (name, range)
}

/// The vector of which an expression is the element at `var`.
fn vector(model: &Model, element: &Expr, var: VarId) -> Option<TokenStream> {
    let (name, index) = match &element.kind {
        ExprKind::Data(arg, index) => (&model.args[*arg].name, index),
        ExprKind::Site(site, index) => (&model.sites[*site].name, index),
        ExprKind::Component(component, index) => (&model.sites[model.components[*component].site].name, index),
        _ => return None,
    };
    match index.split_last()? {
        (Index::Affine(last), rest) if last.as_var() == Some(var) => Some(indices::array(model, name, rest, element.span)),
        _ => None,
    }
}

fn condition(model: &Model, test: &Condition, least: Precedence, span: Span) -> TokenStream {
    let (tokens, precedence) = print_condition(model, test, span);
    parenthesized(tokens, precedence, least, span)
}

/// A condition, which has no span of its own.
fn print_condition(model: &Model, test: &Condition, span: Span) -> (TokenStream, Precedence) {
    let joined = |left: &Condition, word: TokenStream, right: &Condition, precedence: Precedence| {
        let (left, right) = (condition(model, left, precedence, span), condition(model, right, precedence + 1, span));
        (quote!(#left #word #right), precedence)
    };
    match test {
        // `bool` data on its own is stored as this comparison too.
        Condition::Compare(comparison, left, right) => {
            let word = match comparison {
                Comparison::Lt => quote_spanned!(span=> <),
                Comparison::Le => quote_spanned!(span=> <=),
                Comparison::Gt => quote_spanned!(span=> >),
                Comparison::Ge => quote_spanned!(span=> >=),
                Comparison::Eq => quote_spanned!(span=> ==),
                Comparison::Ne => quote_spanned!(span=> !=),
            };
            let (left, right) = (bound(model, left, COMPARISON + 1), bound(model, right, COMPARISON + 1));
            (quote!(#left #word #right), COMPARISON)
        }
        Condition::And(left, right) => joined(left, quote_spanned!(span=> &&), right, AND),
        Condition::Or(left, right) => joined(left, quote_spanned!(span=> ||), right, OR),
        Condition::Not(inner) => {
            let inner = condition(model, inner, SIGN, span);
            (quote_spanned!(span=> !#inner), SIGN)
        }
        Condition::Constant(value) => (quote_spanned!(span=> #value), CALL),
    }
}
