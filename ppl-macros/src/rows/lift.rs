//! From a plate to its row: the index of the plate is taken off, calls of networks become parameters that they fill.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::{Call, Rows, networks};
use crate::diagnostics::Diagnostics;
use crate::messages;
use crate::syntax::{
    Argument, ArgumentType, CallArg, Element, ElementKind, Expr, ExprKind, Lhs, Model, NetworkSize, Range, Stmt, Support,
};

/// Cuts a model down to its row; a guide's row has the inputs of its model, whose arguments are `data`.
pub(crate) fn lift(model: Model, data: Option<&[Argument]>, diagnostics: &mut Diagnostics) -> Option<Rows> {
    let mut body = model.body;
    let Some(at) = body.iter().position(|stmt| matches!(stmt, Stmt::For { .. })) else {
        diagnostics.push(model.name.span(), messages::NO_PLATE);
        return None;
    };
    let Stmt::For { var, range: Range::Dim(plate), body: rows } = body.remove(at) else {
        diagnostics.push(model.name.span(), messages::NO_PLATE);
        return None;
    };
    let mut lift = Lift {
        var,
        plate: plate.clone(),
        networks: networks(&model.arguments)
            .map(|(name, inputs, outputs)| (name.clone(), inputs.clone(), outputs.clone()))
            .collect(),
        arrays: BTreeMap::new(),
        read: BTreeSet::new(),
        loops: Vec::new(),
        calls: Vec::new(),
        latents: Vec::new(),
        priors: Vec::new(),
        lifted: Vec::new(),
        diagnostics,
    };
    let arguments = lift.arguments(data.unwrap_or(&model.arguments));
    let dims = lift.dimensions(data.unwrap_or(&[]).iter().chain(&model.arguments));
    let mut globals = Vec::new();
    for stmt in body {
        match stmt {
            Stmt::Param { .. } if data.is_none() => globals.push(stmt),
            Stmt::Sample { lhs, distribution } if data.is_none() && lift.is_network(&lhs.name) => lift.prior(&lhs, &distribution),
            other => lift.refuse(&other),
        }
    }
    for stmt in rows {
        if let Some(stmt) = lift.statement(stmt) {
            lift.lifted.push(stmt);
        }
    }
    // What networks alone read is no part of the row.
    let arguments = arguments.into_iter().filter(|argument| lift.read.contains(&argument.name.to_string()));
    let size = |dim: &Ident| Argument { attrs: Vec::new(), name: dim.clone(), ty: ArgumentType::Size };
    let row = Model {
        attrs: Vec::new(),
        krate: model.krate,
        row: true,
        vis: model.vis,
        name: format_ident!("{}Row", model.name),
        arguments: arguments.chain(dims.iter().map(size)).collect(),
        body: globals.into_iter().chain(lift.lifted).collect(),
    };
    Some(Rows { row, plate, dims, arguments: model.arguments, calls: lift.calls, latents: lift.latents, priors: lift.priors })
}

/// What a name over the plate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Input,
    Latent,
    Quantity,
    Result,
}

struct Lift<'d> {
    /// The bound name of the plate.
    var: Ident,
    plate: Ident,
    networks: Vec<(Ident, NetworkSize, NetworkSize)>,
    /// The names over the plate with their axes, the plate left out.
    arrays: BTreeMap<String, (Kind, Vec<Ident>)>,
    /// The names over the plate in the statements of the row.
    read: BTreeSet<String>,
    /// The loops within the plate, with their dimensions.
    loops: Vec<(Ident, Option<Ident>)>,
    calls: Vec<Call>,
    latents: Vec<(Ident, Vec<Ident>)>,
    priors: Vec<(usize, f64)>,
    /// The statements of the row so far.
    lifted: Vec<Stmt>,
    diagnostics: &'d mut Diagnostics,
}

impl Lift<'_> {
    fn error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.diagnostics.push(span, message);
    }

    /// The inputs of a row: data without their first axis.
    fn arguments(&mut self, arguments: &[Argument]) -> Vec<Argument> {
        let mut inputs = Vec::new();
        for argument in arguments {
            let ArgumentType::Array { element, dims } = &argument.ty else { continue };
            if dims.first().is_none_or(|dim| *dim != self.plate) {
                self.error(argument.name.span(), messages::not_over_plate(&argument.name, &self.plate));
                continue;
            }
            let kind = match element.kind {
                ElementKind::F64 => ElementKind::F64,
                ElementKind::F32 => ElementKind::F32,
                ElementKind::U64 => ElementKind::U64,
                ElementKind::Bool => ElementKind::Bool,
                ElementKind::Index(_) | ElementKind::Option(_) => {
                    self.error(element.span, messages::ROW_ELEMENT);
                    continue;
                }
            };
            let rest: Vec<Ident> = dims[1..].to_vec();
            self.arrays.insert(argument.name.to_string(), (Kind::Input, rest.clone()));
            let element = Element { kind, span: element.span };
            inputs.push(Argument {
                attrs: Vec::new(),
                name: argument.name.clone(),
                ty: ArgumentType::Array { element, dims: rest },
            });
        }
        inputs
    }

    /// All dimensions but the plate, in the order in which they are met.
    fn dimensions<'a>(&self, arguments: impl Iterator<Item = &'a Argument>) -> Vec<Ident> {
        let mut dims: Vec<Ident> = Vec::new();
        for argument in arguments {
            let own: Vec<&Ident> = match &argument.ty {
                ArgumentType::Size => vec![&argument.name],
                ArgumentType::Array { dims, .. } => dims.iter().collect(),
                ArgumentType::Network { inputs, outputs } => {
                    inputs.terms.iter().chain(&outputs.terms).filter_map(|(_, dim)| dim.as_ref()).collect()
                }
            };
            for dim in own {
                if *dim != self.plate && !dims.contains(dim) {
                    dims.push(dim.clone());
                }
            }
        }
        dims
    }

    fn is_network(&self, name: &Ident) -> bool {
        self.networks.iter().any(|(network, ..)| network == name)
    }

    /// `network ~ Normal(0, scale)`: its weights are latent.
    fn prior(&mut self, lhs: &Lhs, distribution: &Expr) {
        let network = self.networks.iter().position(|(network, ..)| *network == lhs.name).unwrap_or_default();
        let normal = |callee: &Expr| matches!(&callee.kind, ExprKind::Name(word) if word == "Normal");
        let number = |arg: &CallArg| match (&arg.name, &arg.value.kind) {
            (None, ExprKind::Number(x)) => Some(*x),
            _ => None,
        };
        if let (ExprKind::Call { callee, args }, true) = (&distribution.kind, lhs.index.is_empty())
            && normal(callee)
            && let [loc, scale] = &args[..]
            && let (Some(0.0), Some(scale)) = (number(loc), number(scale))
            && scale > 0.0
            && self.priors.iter().all(|(known, _)| *known != network)
        {
            self.priors.push((network, scale));
            return;
        }
        self.error(distribution.span, messages::weights(&lhs.name));
    }

    /// What stands outside the plate of such a model.
    fn refuse(&mut self, stmt: &Stmt) {
        let span = match stmt {
            Stmt::Sample { lhs, .. } | Stmt::Let { lhs, .. } | Stmt::Param { lhs, .. } => lhs.name.span(),
            Stmt::Split { call, .. } => call.span,
            Stmt::Factor { value } => value.span,
            Stmt::For { var, .. } => var.span(),
        };
        self.error(span, messages::OUTSIDE_PLATE);
    }

    fn statement(&mut self, stmt: Stmt) -> Option<Stmt> {
        match stmt {
            Stmt::Sample { lhs, mut distribution } => {
                let lhs = self.left(lhs, Kind::Latent)?;
                self.expression(&mut distribution);
                Some(Stmt::Sample { lhs, distribution })
            }
            Stmt::Let { lhs, value } if lhs.index.is_empty() && self.network_of(&value).is_some() => {
                self.declare(vec![lhs.name], &value);
                None
            }
            Stmt::Split { names, call } => {
                if self.network_of(&call).is_some() {
                    self.declare(names, &call);
                } else {
                    self.error(call.span, messages::SPLIT);
                }
                None
            }
            Stmt::Let { lhs, mut value } => {
                let lhs = if lhs.index.is_empty() { lhs } else { self.left(lhs, Kind::Quantity)? };
                self.expression(&mut value);
                Some(Stmt::Let { lhs, value })
            }
            Stmt::Factor { mut value } => {
                self.expression(&mut value);
                Some(Stmt::Factor { value })
            }
            Stmt::Param { lhs, .. } => {
                self.error(lhs.name.span(), messages::PARAM_IN_PLATE);
                None
            }
            Stmt::For { var, mut range, body } => {
                let dim = match &mut range {
                    Range::Dim(dim) => Some(dim.clone()),
                    Range::Between { from, to } => {
                        self.expression(from);
                        self.expression(to);
                        None
                    }
                };
                if dim.as_ref() == Some(&self.plate) {
                    self.error(var.span(), messages::OTHER_ROWS);
                }
                self.loops.push((var.clone(), dim));
                let body = body.into_iter().filter_map(|stmt| self.statement(stmt)).collect();
                self.loops.pop();
                Some(Stmt::For { var, range, body })
            }
        }
    }

    /// `z[n, Z]` without the `n`; a name that is not data is declared.
    fn left(&mut self, lhs: Lhs, kind: Kind) -> Option<Lhs> {
        let Lhs { name, mut index } = lhs;
        if !self.take_plate(&name, &mut index) {
            return None;
        }
        let axes = index.iter().map(|axis| match &axis.kind {
            ExprKind::Name(word) => {
                self.loops.iter().find(|(var, _)| var == word).map_or(Some(word.clone()), |(_, dim)| dim.clone())
            }
            _ => None,
        });
        let axes: Vec<Ident> = axes.flatten().collect();
        self.read.insert(name.to_string());
        if let Entry::Vacant(entry) = self.arrays.entry(name.to_string()) {
            entry.insert((kind, axes.clone()));
            if kind == Kind::Latent {
                self.latents.push((name.clone(), axes));
            }
        }
        Some(Lhs { name, index })
    }

    /// Takes off the first index, which must be that of the plate.
    fn take_plate(&mut self, name: &Ident, index: &mut Vec<Expr>) -> bool {
        let first = index.first();
        if first.is_some_and(|first| matches!(&first.kind, ExprKind::Name(word) if *word == self.var)) {
            index.remove(0);
            return true;
        }
        let span = first.map_or_else(|| name.span(), |first| first.span);
        let message = messages::plate_first(name, &self.var);
        self.error(span, message);
        false
    }

    /// The network that an expression calls.
    fn network_of(&self, expr: &Expr) -> Option<usize> {
        let ExprKind::Call { callee, .. } = &expr.kind else { return None };
        let ExprKind::Name(word) = &callee.kind else { return None };
        self.networks.iter().position(|(name, ..)| name == word)
    }

    /// A call of a network: what it gives are parameters of the row with these names.
    fn declare(&mut self, names: Vec<Ident>, call: &Expr) {
        let (Some(network), ExprKind::Call { args, .. }) = (self.network_of(call), &call.kind) else { return };
        if !self.loops.is_empty() {
            self.error(call.span, messages::CALL_IN_LOOP);
            return;
        }
        let (word, inputs, outputs) = self.networks[network].clone();
        let mut operands = Vec::new();
        let mut taken: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for arg in args {
            let operand = match &arg.value.kind {
                ExprKind::Index { array, index } if index.len() == 1 => {
                    let mut index = vec![Expr { kind: clone_name(&index[0].kind), span: index[0].span }];
                    if !self.take_plate(array, &mut index) {
                        return;
                    }
                    array
                }
                ExprKind::Name(name) => name,
                _ => {
                    self.error(arg.value.span, messages::operand(&word, &self.var));
                    return;
                }
            };
            match self.arrays.get(&operand.to_string()) {
                Some((kind, axes)) if *kind != Kind::Quantity && axes.len() <= 1 => {
                    *taken.entry(axes.first().map(ToString::to_string)).or_default() += 1;
                    operands.push(operand.clone());
                }
                _ => {
                    self.error(operand.span(), messages::operand(&word, &self.var));
                    return;
                }
            }
        }
        if taken != count(&inputs.pieces()) {
            let given: Vec<String> = taken.iter().map(|(dim, times)| size_text(dim.as_deref(), *times)).collect();
            self.error(call.span, messages::network_takes(&word, &inputs, &given.join(" + ")));
            return;
        }
        let pieces = outputs.pieces();
        if pieces.len() != names.len() {
            self.error(call.span, messages::network_gives(&word, &outputs, pieces.len(), names.len()));
            return;
        }
        for (name, piece) in names.iter().zip(&pieces) {
            let span = name.span();
            let index: Vec<Expr> = piece.iter().map(|dim| Expr { kind: ExprKind::Name(dim.clone()), span }).collect();
            self.arrays.insert(name.to_string(), (Kind::Result, piece.iter().cloned().collect()));
            self.lifted.push(Stmt::Param {
                lhs: Lhs { name: name.clone(), index },
                support: Support { word: Ident::new("real", span), args: Vec::new() },
                start: Expr { kind: ExprKind::Number(0.0), span },
            });
        }
        self.calls.push(Call { network, operands, results: names });
    }

    fn expression(&mut self, expr: &mut Expr) {
        if let Some(network) = self.network_of(expr) {
            let name = self.result_name(network, expr);
            let known = self.calls.iter().any(|call| call.results.first() == Some(&name));
            if !known {
                self.declare(vec![name.clone()], expr);
            }
            expr.kind = ExprKind::Name(name);
            return;
        }
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Path(_) => {}
            ExprKind::Name(word) => {
                if *word == self.var {
                    self.error(span, messages::PLATE_NUMBER);
                } else if self.arrays.get(&word.to_string()).is_some_and(|(kind, _)| *kind != Kind::Result) {
                    let message = messages::plate_first(word, &self.var);
                    self.error(span, message);
                }
            }
            ExprKind::Paren(inner) | ExprKind::Neg(inner) | ExprKind::Not(inner) => self.expression(inner),
            ExprKind::Binary { left, right, .. } => {
                self.expression(left);
                self.expression(right);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.expression(condition);
                self.expression(then);
                self.expression(otherwise);
            }
            ExprKind::Call { args, .. } => args.iter_mut().for_each(|arg| self.expression(&mut arg.value)),
            ExprKind::Method { receiver, args, .. } => {
                self.expression(receiver);
                args.iter_mut().for_each(|arg| self.expression(&mut arg.value));
            }
            ExprKind::Index { array, index } => {
                let known = self.arrays.get(&array.to_string()).map(|(kind, _)| *kind);
                if known.is_some_and(|kind| kind != Kind::Result) && !self.take_plate(&array.clone(), index) {
                    return;
                }
                self.read.insert(array.to_string());
                index.iter_mut().for_each(|axis| self.expression(axis));
                if index.is_empty() {
                    expr.kind = ExprKind::Name(array.clone());
                }
            }
            ExprKind::Reduce { var, range, body, .. } => {
                if let Range::Dim(dim) = &**range
                    && *dim == self.plate
                {
                    self.error(var.span(), messages::OTHER_ROWS);
                }
                self.expression(body);
            }
        }
    }

    /// The name of what a call within an expression gives: `decoder_of_z`.
    fn result_name(&self, network: usize, call: &Expr) -> Ident {
        let ExprKind::Call { args, .. } = &call.kind else { return self.networks[network].0.clone() };
        let operands: Vec<String> = args
            .iter()
            .map(|arg| match &arg.value.kind {
                ExprKind::Name(name) | ExprKind::Index { array: name, .. } => name.to_string(),
                _ => "value".to_owned(),
            })
            .collect();
        Ident::new(&format!("{}_of_{}", self.networks[network].0, operands.join("_")), call.span)
    }
}

/// A name again; anything else as a number, which no index of a plate is.
fn clone_name(kind: &ExprKind) -> ExprKind {
    if let ExprKind::Name(name) = kind { ExprKind::Name(name.clone()) } else { ExprKind::Number(0.0) }
}

/// How often each dimension is among some pieces.
fn count(pieces: &[Option<Ident>]) -> BTreeMap<Option<String>, usize> {
    let mut counts = BTreeMap::new();
    for piece in pieces {
        *counts.entry(piece.as_ref().map(ToString::to_string)).or_default() += 1;
    }
    counts
}

fn size_text(dim: Option<&str>, times: usize) -> String {
    match dim {
        Some(dim) if times == 1 => dim.to_owned(),
        Some(dim) => format!("{times} * {dim}"),
        None => times.to_string(),
    }
}
