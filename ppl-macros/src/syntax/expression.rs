//! Expressions, by precedence climbing: `||`, `&&`, comparisons, `+ -`, `* /`, unary, and what follows a name.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::{BinaryOp, CallArg, Expr, ExprKind};
use crate::messages;

/// Parses an expression.
pub(super) fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    binary(input, 0)
}

/// The binary operator that comes next, its precedence and its length in tokens.
fn operator(input: ParseStream<'_>) -> Option<(BinaryOp, u8)> {
    Some(if input.peek(Token![||]) {
        (BinaryOp::Or, 1)
    } else if input.peek(Token![&&]) {
        (BinaryOp::And, 2)
    } else if input.peek(Token![==]) {
        (BinaryOp::Eq, 3)
    } else if input.peek(Token![!=]) {
        (BinaryOp::Ne, 3)
    } else if input.peek(Token![<=]) {
        (BinaryOp::Le, 3)
    } else if input.peek(Token![>=]) {
        (BinaryOp::Ge, 3)
    } else if input.peek(Token![<]) && !input.peek(Token![<-]) && !input.peek(Token![<<]) {
        (BinaryOp::Lt, 3)
    } else if input.peek(Token![>]) && !input.peek(Token![>>]) {
        (BinaryOp::Gt, 3)
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

fn binary(input: ParseStream<'_>, least: u8) -> syn::Result<Expr> {
    let mut left = unary(input)?;
    let mut compared = false;
    while let Some((op, precedence)) = operator(input) {
        if precedence <= least {
            break;
        }
        if precedence == 3 && compared {
            return Err(input.error(messages::CHAINED_COMPARISON));
        }
        compared = precedence == 3;
        let span = consume(input, op)?;
        if op == BinaryOp::Mul && input.peek(Token![*]) {
            return Err(syn::Error::new(span, messages::POWER_STARS));
        }
        let right = binary(input, precedence)?;
        left = Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span };
    }
    for (wrong, message) in [
        (input.peek(Token![^]), messages::POWER),
        (input.peek(Token![%]), messages::REMAINDER),
        (input.peek(Token![as]), messages::CAST),
        (input.peek(Token![?]), messages::QUESTION),
    ] {
        if wrong {
            return Err(input.error(message));
        }
    }
    Ok(left)
}

fn unary(input: ParseStream<'_>) -> syn::Result<Expr> {
    let span = input.span();
    if input.peek(Token![-]) {
        input.parse::<Token![-]>()?;
        let inner = unary(input)?;
        return Ok(Expr { kind: ExprKind::Neg(Box::new(inner)), span });
    }
    if input.peek(Token![!]) {
        input.parse::<Token![!]>()?;
        let inner = unary(input)?;
        return Ok(Expr { kind: ExprKind::Not(Box::new(inner)), span });
    }
    if input.peek(Token![&]) || (input.peek(Token![*]) && !input.peek(Token![*=])) {
        return Err(input.error(messages::REFERENCE));
    }
    postfix(input)
}

fn postfix(input: ParseStream<'_>) -> syn::Result<Expr> {
    let mut expr = primary(input)?;
    loop {
        if input.peek(Token![.]) && !input.peek(Token![..]) {
            input.parse::<Token![.]>()?;
            let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), messages::METHOD))?;
            if !input.peek(syn::token::Paren) {
                return Err(syn::Error::new(name.span(), messages::field(&name)));
            }
            let args = arguments(input)?;
            let span = name.span();
            expr = Expr { kind: ExprKind::Method { receiver: Box::new(expr), name, args }, span };
        } else if input.peek(syn::token::Bracket) {
            return Err(input.error(messages::INDEX_NAME));
        } else if input.peek(syn::token::Paren) {
            return Err(input.error(messages::CALL_NAME));
        } else {
            return Ok(expr);
        }
    }
}

fn primary(input: ParseStream<'_>) -> syn::Result<Expr> {
    let span = input.span();
    if input.peek(syn::Lit) {
        return literal(input);
    }
    if input.peek(Token![if]) {
        return if_expression(input);
    }
    if input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        if content.is_empty() {
            return Err(syn::Error::new(span, messages::EXPRESSION));
        }
        let inner = expression(&content)?;
        if !content.is_empty() {
            return Err(content.error(if content.peek(Token![,]) { messages::TUPLE } else { messages::OPERATOR }));
        }
        let span = inner.span;
        return Ok(Expr { kind: ExprKind::Paren(Box::new(inner)), span });
    }
    for (wrong, message) in [
        (input.peek(syn::token::Bracket), messages::ARRAY_LITERAL),
        (input.peek(syn::token::Brace), messages::BLOCK),
        (input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]), messages::CLOSURE),
        (input.peek(Token![match]), messages::MATCH),
    ] {
        if wrong {
            return Err(input.error(message));
        }
    }
    if input.peek(Ident)
        || input.peek(Token![::])
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
    {
        return name(input);
    }
    Err(input.error(messages::EXPRESSION))
}

fn literal(input: ParseStream<'_>) -> syn::Result<Expr> {
    let lit: syn::Lit = input.parse()?;
    let span = lit.span();
    let (digits, suffix) = match &lit {
        syn::Lit::Int(int) => (int.base10_digits().to_owned(), int.suffix().to_owned()),
        syn::Lit::Float(float) => (float.base10_digits().to_owned(), float.suffix().to_owned()),
        syn::Lit::Bool(value) => return Ok(Expr { kind: ExprKind::Bool(value.value), span }),
        _ => return Err(syn::Error::new(span, messages::LITERAL)),
    };
    if !suffix.is_empty() {
        return Err(syn::Error::new(span, messages::suffix(&digits, &suffix)));
    }
    match digits.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(Expr { kind: ExprKind::Number(x), span }),
        _ => Err(syn::Error::new(span, messages::LITERAL)),
    }
}

fn if_expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let span = input.parse::<Token![if]>()?.span;
    if input.peek(Token![let]) {
        return Err(input.error(messages::IF_LET));
    }
    let condition = expression(input)?;
    let then = block(input)?;
    if !input.peek(Token![else]) {
        return Err(syn::Error::new(span, messages::IF_ELSE));
    }
    input.parse::<Token![else]>()?;
    let otherwise = if input.peek(Token![if]) { if_expression(input)? } else { block(input)? };
    let kind = ExprKind::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) };
    Ok(Expr { kind, span })
}

fn block(input: ParseStream<'_>) -> syn::Result<Expr> {
    if !input.peek(syn::token::Brace) {
        return Err(input.error(messages::IF_BLOCK));
    }
    let content;
    syn::braced!(content in input);
    let value = expression(&content)?;
    if !content.is_empty() {
        return Err(content.error(messages::IF_BLOCK));
    }
    Ok(value)
}

fn name(input: ParseStream<'_>) -> syn::Result<Expr> {
    let path = syn::Path::parse_mod_style(input)?;
    let last = path.segments.last().map(|segment| segment.ident.clone());
    let Some(ident) = last else { return Err(input.error(messages::EXPRESSION)) };
    let span = ident.span();
    let bare = path.leading_colon.is_none() && path.segments.len() == 1;
    if input.peek(Token![!]) && !input.peek(Token![!=]) {
        return Err(syn::Error::new(span, messages::macro_call(&ident)));
    }
    if input.peek(syn::token::Paren) {
        if bare && (ident == "sum" || ident == "log_sum_exp") {
            let ahead = input.fork();
            let content;
            syn::parenthesized!(content in ahead);
            if content.peek(Ident) && content.peek2(Token![in]) {
                return reduce(input, ident);
            }
        }
        let args = arguments(input)?;
        let callee = if bare { ExprKind::Name(ident) } else { ExprKind::Path(path) };
        let callee = Expr { kind: callee, span };
        return Ok(Expr { kind: ExprKind::Call { callee: Box::new(callee), args }, span });
    }
    if input.peek(syn::token::Bracket) && bare {
        let index = indices(input)?;
        return Ok(Expr { kind: ExprKind::Index { array: ident, index }, span });
    }
    Ok(Expr { kind: if bare { ExprKind::Name(ident) } else { ExprKind::Path(path) }, span })
}

/// `sum(k in K => body)`
fn reduce(input: ParseStream<'_>, function: Ident) -> syn::Result<Expr> {
    let content;
    syn::parenthesized!(content in input);
    let var: Ident = content.parse()?;
    content.parse::<Token![in]>()?;
    let range = super::parse::range(&content)?;
    if !content.peek(Token![=>]) {
        return Err(content.error(messages::reduce_arrow(&function, &var)));
    }
    content.parse::<Token![=>]>()?;
    let body = expression(&content)?;
    if !content.is_empty() {
        return Err(content.error(messages::OPERATOR));
    }
    let span = function.span();
    Ok(Expr { kind: ExprKind::Reduce { function, var, range: Box::new(range), body: Box::new(body) }, span })
}

/// `[index, ..]`
pub(super) fn indices(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let span = input.span();
    let content;
    syn::bracketed!(content in input);
    let mut index = Vec::new();
    while !content.is_empty() {
        index.push(expression(&content)?);
        if content.peek(Token![..]) || content.peek(Token![..=]) {
            return Err(content.error(messages::SLICE));
        }
        if !content.is_empty() {
            content.parse::<Token![,]>().map_err(|error| syn::Error::new(error.span(), messages::OPERATOR))?;
        }
    }
    if index.is_empty() {
        return Err(syn::Error::new(span, messages::EMPTY_INDEX));
    }
    if input.peek(syn::token::Bracket) {
        return Err(input.error(messages::DOUBLE_INDEX));
    }
    Ok(index)
}

/// `(value, name = value)`
fn arguments(input: ParseStream<'_>) -> syn::Result<Vec<CallArg>> {
    let content;
    syn::parenthesized!(content in input);
    let mut args: Vec<CallArg> = Vec::new();
    while !content.is_empty() {
        let named = content.peek(Ident) && content.peek2(Token![=]) && !content.peek2(Token![==]) && !content.peek2(Token![=>]);
        let name = if named {
            let name: Ident = content.parse()?;
            content.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        let value = expression(&content)?;
        if name.is_none() && args.iter().any(|arg| arg.name.is_some()) {
            return Err(syn::Error::new(value.span, messages::POSITION_AFTER_NAME));
        }
        args.push(CallArg { name, value });
        if !content.is_empty() {
            content.parse::<Token![,]>().map_err(|error| syn::Error::new(error.span(), messages::OPERATOR))?;
        }
    }
    Ok(args)
}
