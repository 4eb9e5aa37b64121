//! Expressions, by precedence climbing: `||`, `&&`, comparisons, `+ -`, `* /`, unary, and what follows a name.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::call::call_arguments;
use super::operand::operand;
use super::recovery::error_here;
use super::{BinaryOp, Expr, ExprKind};
use crate::messages;

/// The precedence of comparisons, which do not chain.
const COMPARISON: u8 = 3;

/// Parses an expression.
pub(super) fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    binary(input, 0)
}

/// The binary operator that comes next and its precedence.
fn operator(input: ParseStream<'_>) -> Option<(BinaryOp, u8)> {
    Some(if input.peek(Token![||]) {
        (BinaryOp::Or, 1)
    } else if input.peek(Token![&&]) {
        (BinaryOp::And, 2)
    } else if input.peek(Token![==]) {
        (BinaryOp::Eq, COMPARISON)
    } else if input.peek(Token![!=]) {
        (BinaryOp::Ne, COMPARISON)
    } else if input.peek(Token![<=]) {
        (BinaryOp::Le, COMPARISON)
    } else if input.peek(Token![>=]) {
        (BinaryOp::Ge, COMPARISON)
    } else if input.peek(Token![<]) && !input.peek(Token![<<]) {
        (BinaryOp::Lt, COMPARISON)
    } else if input.peek(Token![>]) && !input.peek(Token![>>]) {
        (BinaryOp::Gt, COMPARISON)
    } else if input.peek(Token![+]) && !input.peek(Token![+=]) {
        (BinaryOp::Add, 4)
    } else if input.peek(Token![-]) && !input.peek(Token![-=]) && !input.peek(Token![->]) {
        (BinaryOp::Sub, 4)
    } else if input.peek(Token![*]) && !input.peek(Token![*=]) {
        (BinaryOp::Mul, 5)
    } else if input.peek(Token![/]) && !input.peek(Token![/=]) {
        (BinaryOp::Div, 5)
    } else {
        return None;
    })
}

/// Consumes an operator.
fn consume(input: ParseStream<'_>, op: BinaryOp) -> syn::Result<Span> {
    let span = input.span();
    match op {
        BinaryOp::Or => drop(input.parse::<Token![||]>()?),
        BinaryOp::And => drop(input.parse::<Token![&&]>()?),
        BinaryOp::Eq => drop(input.parse::<Token![==]>()?),
        BinaryOp::Ne => drop(input.parse::<Token![!=]>()?),
        BinaryOp::Le => drop(input.parse::<Token![<=]>()?),
        BinaryOp::Ge => drop(input.parse::<Token![>=]>()?),
        BinaryOp::Lt => drop(input.parse::<Token![<]>()?),
        BinaryOp::Gt => drop(input.parse::<Token![>]>()?),
        BinaryOp::Add => drop(input.parse::<Token![+]>()?),
        BinaryOp::Sub => drop(input.parse::<Token![-]>()?),
        BinaryOp::Mul => drop(input.parse::<Token![*]>()?),
        BinaryOp::Div => drop(input.parse::<Token![/]>()?),
    }
    Ok(span)
}

/// Operators that bind tighter than `least`.
fn binary(input: ParseStream<'_>, least: u8) -> syn::Result<Expr> {
    let mut left = unary(input)?;
    let mut compared = false;
    while let Some((op, precedence)) = operator(input) {
        if precedence <= least {
            break;
        }
        if precedence == COMPARISON && compared {
            return Err(error_here(input, messages::CHAINED_COMPARISON));
        }
        compared = precedence == COMPARISON;
        let span = consume(input, op)?;
        if op == BinaryOp::Mul && input.peek(Token![*]) {
            return Err(syn::Error::new(span, messages::POWER_STARS));
        }
        let right = binary(input, precedence)?;
        left = Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span };
    }
    not_an_operator(input)?;
    Ok(left)
}

/// Operators of other languages.
fn not_an_operator(input: ParseStream<'_>) -> syn::Result<()> {
    let word = if input.peek(Ident) { input.fork().parse::<Ident>().ok() } else { None };
    let is_word = |other: &str| word.as_ref().is_some_and(|word| word == other);
    for (found, message) in [
        (input.peek(Token![^]), messages::POWER),
        (input.peek(Token![%]), messages::REMAINDER),
        (input.peek(Token![as]), messages::CAST),
        (input.peek(Token![?]), messages::QUESTION),
        (input.peek(Token![@]), messages::MATRIX_PRODUCT),
        (is_word("and") || (input.peek(Token![&]) && !input.peek(Token![&&])), messages::AND),
        (is_word("or") || (input.peek(Token![|]) && !input.peek(Token![||])), messages::OR),
    ] {
        if found {
            return Err(error_here(input, message));
        }
    }
    Ok(())
}

fn unary(input: ParseStream<'_>) -> syn::Result<Expr> {
    let span = input.span();
    if input.peek(Token![-]) {
        input.parse::<Token![-]>()?;
        return Ok(Expr { kind: ExprKind::Neg(Box::new(unary(input)?)), span });
    }
    if input.peek(Token![!]) {
        input.parse::<Token![!]>()?;
        return Ok(Expr { kind: ExprKind::Not(Box::new(unary(input)?)), span });
    }
    if input.peek(Token![+]) {
        return Err(error_here(input, messages::PLUS));
    }
    if input.peek(Token![&]) || input.peek(Token![*]) {
        return Err(error_here(input, messages::REFERENCE));
    }
    postfix(input)
}

/// An operand and the methods called on it.
fn postfix(input: ParseStream<'_>) -> syn::Result<Expr> {
    let mut expr = operand(input)?;
    loop {
        if input.peek(Token![.]) && !input.peek(Token![..]) {
            input.parse::<Token![.]>()?;
            let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::METHOD))?;
            if !input.peek(syn::token::Paren) {
                return Err(syn::Error::new(name.span(), messages::field(&name)));
            }
            let args = call_arguments(input)?;
            let span = name.span();
            expr = Expr { kind: ExprKind::Method { receiver: Box::new(expr), name, args }, span };
        } else if input.peek(syn::token::Bracket) {
            return Err(error_here(input, messages::INDEX_NAME));
        } else if input.peek(syn::token::Paren) {
            return Err(error_here(input, messages::CALL_NAME));
        } else {
            return Ok(expr);
        }
    }
}
