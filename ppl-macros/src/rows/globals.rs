//! What stands outside the loop over the rows: an ordinary model of its own, whose latents are parameters of the row that the engine fills.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::Rows;
use crate::catalogue;
use crate::ir::lower::support_word;
use crate::ir::{self, ExprKind as Value, SiteKind};
use crate::syntax::visit::{each, expressions};
use crate::syntax::{Argument, ArgumentType, CallArg, Expr, ExprKind, Lhs, Model, Range, Stmt, Support};

/// The statements outside the loop over the rows.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    /// The model that they are, if they have a term of the density; else they are parameters and quantities alone.
    pub model: Option<Model>,
    /// All of them.
    pub body: Vec<Stmt>,
    /// The latents among them.
    pub latents: Vec<Ident>,
}

impl Globals {
    /// Of these statements; `arguments` are data that are not over the rows, `dims` all dimensions but that of the rows.
    pub(super) fn new(row: &Model, body: Vec<Stmt>, arguments: &[Argument], dims: &[Ident]) -> Self {
        let is_data = |name: &Ident| arguments.iter().any(|argument| argument.name == *name);
        let (mut latents, mut terms) = (Vec::new(), false);
        each(&body, &mut |stmt| match stmt {
            Stmt::Sample { lhs, .. } => {
                terms = true;
                if !is_data(&lhs.name) && !latents.contains(&lhs.name) {
                    latents.push(lhs.name.clone());
                }
            }
            Stmt::Factor { .. } => terms = true,
            _ => {}
        });
        let model = terms.then(|| Model {
            attrs: vec![syn::parse_quote!(#[doc(hidden)])],
            krate: row.krate.clone(),
            row: false,
            row_guide: false,
            shared: Vec::new(),
            vis: row.vis.clone(),
            name: format_ident!("{}Globals", row.name),
            arguments: arguments.iter().cloned().map(bare).chain(dims.iter().map(size)).collect(),
            body: body.clone(),
        });
        Globals { model, body, latents }
    }

    /// The latents that one statement declares whole, with their axes.
    pub(super) fn axes(&self) -> Vec<(String, Vec<Ident>)> {
        let is_latent = |name: &String| self.latents.iter().any(|latent| latent == name);
        self.all_axes().into_iter().filter(|(name, _)| is_latent(name)).collect()
    }

    /// What one statement declares whole, with its axes.
    pub(super) fn all_axes(&self) -> Vec<(String, Vec<Ident>)> {
        let mut found = Vec::new();
        of_loops(&self.body, &mut Vec::new(), &mut |lhs, loops| {
            let axis = |axis: &Expr| match &axis.kind {
                ExprKind::Name(word) => {
                    loops.iter().find(|(var, _)| var == word).map_or(Some(word.clone()), |(_, dim)| dim.clone())
                }
                _ => None,
            };
            if let Some(axes) = lhs.index.iter().map(axis).collect::<Option<Vec<_>>>() {
                found.push((lhs.name.to_string(), axes));
            }
        });
        found
    }

    /// The names that these statements declare.
    pub(super) fn declared(&self) -> Vec<Ident> {
        let mut names = Vec::new();
        each(&self.body, &mut |stmt| {
            if let Stmt::Sample { lhs, .. } | Stmt::Let { lhs, .. } | Stmt::Param { lhs, .. } = stmt {
                names.push(lhs.name.clone());
            }
        });
        names
    }
}

/// Puts what a row reads of the globals before its statements: latents as parameters, parameters and quantities as they are.
pub(crate) fn declare(rows: &mut Rows, compiled: Option<&ir::Model>) {
    let mut read = names(&rows.row.body);
    read.extend(rows.calls.iter().flat_map(|call| &call.operands).map(|operand| operand.name.to_string()));
    let body = &rows.globals.body;
    // A quantity that is read reads others: those before it.
    loop {
        let lets = kept(body, &|stmt| matches!(stmt, Stmt::Let { lhs, .. } if read.contains(&lhs.name.to_string())));
        let before = read.len();
        read.extend(names(&lets));
        if read.len() == before {
            break;
        }
    }
    let sites = compiled.map_or(&[][..], |model| &model.sites);
    let latents = sites.iter().filter(|site| site.kind == SiteKind::Latent && read.contains(&site.name.to_string()));
    let latents = latents.filter_map(|site| parameter(site, compiled?));
    let needed = |stmt: &Stmt| match stmt {
        Stmt::Param { .. } => true,
        Stmt::Let { lhs, .. } => compiled.is_none() || read.contains(&lhs.name.to_string()),
        _ => false,
    };
    let mut all: Vec<Stmt> = latents.collect();
    all.extend(kept(body, &needed));
    all.append(&mut rows.row.body);
    rows.row.body = all;
}

/// `param w[D]: positive = 1;`: the engine writes over the values that it starts from.
fn parameter(site: &ir::Site, compiled: &ir::Model) -> Option<Stmt> {
    let span = site.name.span();
    let number = |x: f64| Expr { kind: ExprKind::Number(x.abs()), span };
    let signed = |x: f64| if x < 0.0 { Expr { kind: ExprKind::Neg(Box::new(number(x))), span } } else { number(x) };
    let dims: Option<Vec<Ident>> = site.dims.iter().map(|&dim| compiled.dims.get(dim).map(|dim| dim.name.clone())).collect();
    let dims = dims?;
    let bound = |bound: Option<&ir::Expr>, open: f64| match bound.map(|bound| &bound.kind) {
        Some(Value::Number(x)) => *x,
        _ => open,
    };
    let word = |word: &str, args: Vec<Expr>| {
        let args = args.into_iter().map(|value| CallArg { name: None, value }).collect();
        Support { word: Ident::new(word, span), args }
    };
    // Bounds that are not known here, and supports of the user's, leave open where the values lie.
    let (support, start) = match site.support {
        _ if site.own_support.is_some() => (word("interval", vec![signed(-1e9), signed(1e9)]), number(0.0)),
        catalogue::Support::Interval => {
            let bounds = site.bounds.as_ref();
            let lower = bound(bounds.and_then(|bounds| bounds.lower.as_ref()), -1e9);
            let upper = bound(bounds.and_then(|bounds| bounds.upper.as_ref()), 1e9_f64.max(lower + 1.0));
            let lower = lower.min(upper - 1e-9 * upper.abs().max(1.0));
            (word("interval", vec![signed(lower), signed(upper)]), signed(f64::midpoint(lower, upper)))
        }
        catalogue::Support::Simplex => {
            let size = Expr { kind: ExprKind::Name(dims.last()?.clone()), span };
            let each = ExprKind::Binary { op: crate::syntax::BinaryOp::Div, left: Box::new(number(1.0)), right: Box::new(size) };
            (word("simplex", Vec::new()), Expr { kind: each, span })
        }
        // Sorted values are that many real ones to who reads them.
        catalogue::Support::Ordered | catalogue::Support::Real => (word("real", Vec::new()), number(0.0)),
        catalogue::Support::PositiveOrdered => (word("positive", Vec::new()), number(1.0)),
        support => (word(support_word(support), Vec::new()), number(0.5)),
    };
    let index = dims.into_iter().map(|dim| Expr { kind: ExprKind::Name(dim), span }).collect();
    Some(Stmt::Param { lhs: Lhs { name: site.name.clone(), index }, support, start })
}

/// An argument without its documentation.
fn bare(argument: Argument) -> Argument {
    Argument { attrs: Vec::new(), ..argument }
}

/// The size of a dimension, as an argument.
pub(super) fn size(dim: &Ident) -> Argument {
    Argument { attrs: Vec::new(), name: dim.clone(), ty: ArgumentType::Size }
}

/// Visits what stands left of `~`, with the loops around it and their dimensions.
fn of_loops(body: &[Stmt], loops: &mut Vec<(Ident, Option<Ident>)>, visit: &mut dyn FnMut(&Lhs, &[(Ident, Option<Ident>)])) {
    for stmt in body {
        match stmt {
            Stmt::Sample { lhs, .. } | Stmt::Param { lhs, .. } | Stmt::Let { lhs, .. } => visit(lhs, loops),
            Stmt::Sum { body, .. } | Stmt::Chain { body, .. } => of_loops(body, loops, visit),
            Stmt::For { var, range, body } => {
                let dim = if let Range::Dim(dim) = range { Some(dim.clone()) } else { None };
                loops.push((var.clone(), dim));
                of_loops(body, loops, visit);
                loops.pop();
            }
            _ => {}
        }
    }
}

/// Those statements that are wanted, in their loops.
fn kept(body: &[Stmt], wanted: &dyn Fn(&Stmt) -> bool) -> Vec<Stmt> {
    let keep = |stmt: &Stmt| match stmt {
        Stmt::For { var, range, body } => {
            let body = kept(body, wanted);
            (!body.is_empty()).then(|| Stmt::For { var: var.clone(), range: range.clone(), body })
        }
        other => wanted(other).then(|| other.clone()),
    };
    body.iter().filter_map(keep).collect()
}

/// All names that statements read.
fn names(body: &[Stmt]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    expressions(body, &mut |expr| match &expr.kind {
        ExprKind::Name(name) | ExprKind::Index { array: name, .. } => {
            found.insert(name.to_string());
        }
        _ => {}
    });
    found
}

/// The loops over whole dimensions among statements, with the word that they bind and the dimension.
pub(super) fn loops(body: &[Stmt]) -> Vec<(&Ident, &Ident)> {
    let mut found = Vec::new();
    each(body, &mut |stmt| {
        if let Stmt::For { var, range: Range::Dim(dim), .. } = stmt {
            found.push((var, dim));
        }
    });
    found
}

/// The words that loops and sums among statements bind.
pub(super) fn bound(body: &[Stmt]) -> Vec<&Ident> {
    let mut found = Vec::new();
    each(body, &mut |stmt| match stmt {
        Stmt::For { var, .. } | Stmt::Sum { var, .. } | Stmt::Chain { var, .. } => found.push(var),
        Stmt::Ode { time, at, .. } => found.extend([time, at]),
        _ => {}
    });
    expressions(body, &mut |expr| {
        if let ExprKind::Reduce { var, .. } = &expr.kind {
            found.push(var);
        }
    });
    found
}

/// The token of a call of one of these networks among statements.
pub(super) fn called(body: &[Stmt], is_network: &dyn Fn(&Ident) -> bool) -> Option<Span> {
    let mut found = None;
    expressions(body, &mut |expr| {
        if let ExprKind::Call { callee, .. } = &expr.kind
            && let ExprKind::Name(word) = &callee.kind
            && is_network(word)
        {
            found = found.or(Some(expr.span));
        }
    });
    found
}
