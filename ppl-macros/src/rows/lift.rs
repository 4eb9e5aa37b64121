//! From a plate to its row: the index of the plate is taken off, calls of networks become parameters that they fill.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::globals::{self, Globals, size};
use super::{Call, Discrete, Rows, networks};
use crate::diagnostics::Diagnostics;
use crate::ir::lower::is_discrete;
use crate::messages;
use crate::syntax::visit;
use crate::syntax::{Argument, ArgumentType, CallArg, ElementKind, Expr, ExprKind, Lhs, Model, NetworkSize, Range, Stmt};

/// The model of a guide, as the guide needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    pub arguments: &'a [Argument],
    pub plate: &'a Ident,
    /// What it declares outside the loop over its rows.
    pub outside: &'a [Ident],
}

/// Cuts a model down to its row; a guide's row has the inputs of its model.
pub(crate) fn lift(model: Model, of: Option<Of<'_>>, diagnostics: &mut Diagnostics) -> Option<Rows> {
    let networks: Vec<(Ident, NetworkSize, NetworkSize)> =
        networks(&model.arguments).map(|(name, inputs, outputs)| (name.clone(), inputs.clone(), outputs.clone())).collect();
    let mut body = model.body;
    let (var, plate, rows) = match of {
        None => {
            let is_network = |word: &Ident| networks.iter().any(|(name, ..)| name == word);
            let loops = || body.iter().enumerate().filter(|(_, stmt)| matches!(stmt, Stmt::For { .. }));
            let calls = |stmt: &Stmt| globals::called(std::slice::from_ref(stmt), &is_network).is_some();
            let at = loops().find(|(_, stmt)| calls(stmt)).or_else(|| loops().next()).map(|(at, _)| at);
            let Some(Stmt::For { var, range: Range::Dim(plate), body }) = at.map(|at| body.remove(at)) else {
                diagnostics.push(model.name.span(), messages::NO_PLATE);
                return None;
            };
            (var, plate, body)
        }
        // A guide that leaves all latents to the automatic one has no loop.
        Some(of) => match body.iter().position(|stmt| matches!(stmt, Stmt::For { .. })).map(|at| body.remove(at)) {
            Some(Stmt::For { var, range: Range::Dim(dim), body }) if dim == *of.plate => (var, dim, body),
            Some(Stmt::For { var, .. }) => {
                diagnostics.push(var.span(), messages::guide_plate(of.plate));
                return None;
            }
            _ => (of.plate.clone(), of.plate.clone(), Vec::new()),
        },
    };
    let data = of.map_or(&model.arguments[..], |of| of.arguments);
    let mut lift = Lift {
        var,
        plate: plate.clone(),
        networks,
        arrays: BTreeMap::new(),
        outside: of.map_or_else(Vec::new, |of| of.outside.to_vec()),
        common: BTreeMap::new(),
        outside_axes: BTreeMap::new(),
        is_guide: of.is_some(),
        auto: BTreeSet::new(),
        read: BTreeSet::new(),
        loops: Vec::new(),
        sums: 0,
        calls: Vec::new(),
        latents: Vec::new(),
        discretes: Vec::new(),
        indices: Vec::new(),
        priors: Vec::new(),
        lifted: Vec::new(),
        diagnostics,
    };
    let (inputs, shared) = lift.arguments(data);
    let dims = lift.dimensions(of.map_or(&[][..], |of| of.arguments).iter().chain(&model.arguments));
    let (mut outside, mut auto) = (Vec::new(), Vec::new());
    for stmt in body {
        match stmt {
            Stmt::Auto { word, names } => match of {
                Some(_) => {
                    lift.auto.extend(names.iter().map(ToString::to_string));
                    auto.extend(names);
                }
                None => lift.error(word.span(), messages::AUTO_IN_MODEL),
            },
            Stmt::Sample { lhs, distribution, .. } if of.is_none() && lift.is_network(&lhs.name) => {
                lift.prior(&lhs, &distribution);
            }
            Stmt::Ode { time, .. } => lift.error(time.span(), messages::ODE_IN_ROWS),
            other if of.is_none() => outside.push(other),
            other => lift.refuse(&other),
        }
    }
    let mut row = Model {
        attrs: Vec::new(),
        krate: model.krate,
        row: true,
        row_guide: of.is_some(),
        shared: shared.iter().map(|argument| argument.name.clone()).collect(),
        vis: model.vis,
        name: model.name,
        arguments: Vec::new(),
        body: Vec::new(),
    };
    let data: Vec<Argument> = shared.iter().cloned().chain(lift.partly_given(data)).collect();
    let globals = Globals::new(&row, outside, &data, &dims);
    if of.is_none() {
        lift.outside = globals.declared();
        lift.common.extend(globals.axes());
        lift.outside_axes.extend(globals.all_axes());
    }
    lift.common.extend(shared.iter().filter_map(|argument| match &argument.ty {
        ArgumentType::Array { dims, .. } => Some((argument.name.to_string(), dims.clone())),
        _ => None,
    }));
    for stmt in rows {
        if let Some(stmt) = lift.statement(stmt) {
            lift.lifted.push(stmt);
        }
    }
    lift.check_outside(&globals);
    row.name = format_ident!("{}Row", row.name);
    // What networks alone read is no part of the row.
    let inputs = inputs.into_iter().filter(|input| lift.read.contains(&input.name.to_string()));
    let drawn = lift.discretes.iter().map(Discrete::argument);
    row.arguments = inputs.chain(drawn).chain(shared).chain(dims.iter().map(size)).collect();
    row.body = lift.lifted;
    let Lift { calls, latents, discretes, priors, .. } = lift;
    let (arguments, tables) = (model.arguments, Vec::new());
    Some(Rows { row, plate, dims, arguments, calls, latents, discretes, priors, globals, auto, tables })
}

/// What a name over the plate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Input,
    Latent,
    Discrete,
    Quantity,
    Result,
}

pub(super) struct Lift<'d> {
    /// The bound name of the plate.
    pub(super) var: Ident,
    pub(super) plate: Ident,
    pub(super) networks: Vec<(Ident, NetworkSize, NetworkSize)>,
    /// The names over the plate with their axes, the plate left out.
    pub(super) arrays: BTreeMap<String, (Kind, Vec<Ident>)>,
    /// The names that are declared outside the plate.
    pub(super) outside: Vec<Ident>,
    /// What is the same for all rows and may go into networks, with its axes: data, and latents outside the plate.
    pub(super) common: BTreeMap<String, Vec<Ident>>,
    /// The axes of what is declared outside the plate.
    pub(super) outside_axes: BTreeMap<String, Vec<Ident>>,
    pub(super) is_guide: bool,
    /// The latents that are left to the automatic guide.
    pub(super) auto: BTreeSet<String>,
    /// The names over the plate in the statements of the row.
    pub(super) read: BTreeSet<String>,
    /// The loops within the plate, with their dimensions.
    pub(super) loops: Vec<(Ident, Option<Ident>)>,
    /// How many `sum` blocks are open.
    pub(super) sums: usize,
    pub(super) calls: Vec<Call>,
    pub(super) latents: Vec<(Ident, Vec<Ident>)>,
    pub(super) discretes: Vec<Discrete>,
    /// The data over the plate that are indices, with what they point into.
    pub(super) indices: Vec<(Ident, Ident)>,
    pub(super) priors: Vec<(usize, f64)>,
    /// The statements of the row so far.
    pub(super) lifted: Vec<Stmt>,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl Lift<'_> {
    pub(super) fn error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.diagnostics.push(span, message);
    }

    /// The inputs of a row, which are data without their first axis, and the data that are the same for all rows.
    fn arguments(&mut self, arguments: &[Argument]) -> (Vec<Argument>, Vec<Argument>) {
        let (mut inputs, mut shared) = (Vec::new(), Vec::new());
        for argument in arguments {
            let ArgumentType::Array { element, dims } = &argument.ty else { continue };
            let name = argument.name.clone();
            if dims.first().is_none_or(|dim| *dim != self.plate) {
                if dims.contains(&self.plate) {
                    self.error(name.span(), messages::not_over_plate(&name, &self.plate));
                } else if !matches!(element.kind, ElementKind::Option(_)) {
                    shared.push(Argument { attrs: Vec::new(), name, ty: argument.ty.clone() });
                }
                continue;
            }
            if matches!(element.kind, ElementKind::Option(_)) {
                self.error(element.span, messages::ROW_ELEMENT);
                continue;
            }
            let rest: Vec<Ident> = dims[1..].to_vec();
            self.arrays.insert(name.to_string(), (Kind::Input, rest.clone()));
            if let ElementKind::Index(points) = &element.kind {
                self.indices.push((name.clone(), points.clone()));
            }
            let ty = ArgumentType::Array { element: element.clone(), dims: rest };
            inputs.push(Argument { attrs: Vec::new(), name, ty });
        }
        (inputs, shared)
    }

    /// The arrays with missing values that are not over the rows: latents of their own.
    fn partly_given(&self, arguments: &[Argument]) -> Vec<Argument> {
        let missing = |argument: &&Argument| {
            matches!(&argument.ty, ArgumentType::Array { element, dims }
                if matches!(element.kind, ElementKind::Option(_)) && !dims.contains(&self.plate))
        };
        arguments.iter().filter(missing).cloned().collect()
    }

    /// All dimensions but the plate, in the order in which they are met.
    fn dimensions<'a>(&self, arguments: impl Iterator<Item = &'a Argument>) -> Vec<Ident> {
        let mut dims: Vec<Ident> = Vec::new();
        for argument in arguments {
            let own: Vec<&Ident> = match &argument.ty {
                ArgumentType::Size => vec![&argument.name],
                ArgumentType::Array { element, dims } => {
                    let points = if let ElementKind::Index(points) = &element.kind { Some(points) } else { None };
                    dims.iter().chain(points).collect()
                }
                ArgumentType::Network { inputs, outputs } => inputs.dims().chain(outputs.dims()).collect(),
            };
            for dim in own {
                if *dim != self.plate && !dims.contains(dim) {
                    dims.push(dim.clone());
                }
            }
        }
        dims
    }

    /// What a name over the plate is; none of one that is new.
    pub(super) fn kind(&self, name: &Ident) -> Option<Kind> {
        self.arrays.get(&name.to_string()).map(|(kind, _)| *kind)
    }

    /// The axes of an array, that of the plate left out.
    pub(super) fn axes_of(&self, name: &Ident) -> Option<Vec<Ident>> {
        let word = name.to_string();
        let outside = || self.common.get(&word).or_else(|| self.outside_axes.get(&word));
        self.arrays.get(&word).map(|(_, axes)| axes).or_else(outside).cloned()
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

    /// What stands outside the plate of a guide.
    fn refuse(&mut self, stmt: &Stmt) {
        let span = match stmt {
            Stmt::Sample { lhs, .. } | Stmt::Let { lhs, .. } | Stmt::Param { lhs, .. } => lhs.name.span(),
            Stmt::Split { call, .. } => call.span,
            Stmt::Auto { word, .. } => word.span(),
            Stmt::Factor { value } => value.span,
            Stmt::For { var, .. } | Stmt::Sum { var, .. } | Stmt::Chain { var, .. } | Stmt::Ode { time: var, .. } => var.span(),
            Stmt::Start { lhs, .. } | Stmt::Derivative { lhs, .. } => lhs.name.span(),
        };
        self.error(span, messages::OUTSIDE_PLATE);
    }

    /// That the statements outside the plate read nothing that is over it.
    fn check_outside(&mut self, outside: &Globals) {
        for (var, dim) in globals::loops(&outside.body) {
            if *dim == self.plate {
                self.error(var.span(), messages::SECOND_PLATE);
            }
        }
        let mut wrong = Vec::new();
        visit::each(&outside.body, &mut |stmt| {
            if let Stmt::Sample { lhs, distribution, .. } = stmt
                && outside.latents.contains(&lhs.name)
                && is_discrete(distribution)
            {
                wrong.push((lhs.name.span(), messages::DISCRETE_OUTSIDE.to_owned()));
            }
        });
        let bound = globals::bound(&outside.body);
        let over_rows = |name: &Ident| self.arrays.contains_key(&name.to_string()) && !bound.contains(&name);
        visit::expressions(&outside.body, &mut |expr| match &expr.kind {
            ExprKind::Call { .. } if self.network_of(expr).is_some() => {
                wrong.push((expr.span, messages::CALL_OUTSIDE.to_owned()));
            }
            ExprKind::Name(name) | ExprKind::Index { array: name, .. } if over_rows(name) => {
                wrong.push((name.span(), messages::outside_reads(name, &self.plate)));
            }
            ExprKind::Name(name) if *name == self.plate => wrong.push((name.span(), messages::plate_size(name))),
            _ => {}
        });
        for (span, message) in wrong {
            self.error(span, message);
        }
    }

    fn statement(&mut self, stmt: Stmt) -> Option<Stmt> {
        match stmt {
            Stmt::Sample { lhs, mut distribution, sampled } => {
                if let Some(word) = sampled {
                    self.error(word.span(), messages::SAMPLED_IN_ROWS);
                }
                let discrete = self.is_discrete(&lhs, &distribution);
                if discrete && self.sums > 0 {
                    self.error(lhs.name.span(), messages::DISCRETE_HERE);
                    return None;
                }
                let lhs = self.left(lhs, if discrete { Kind::Discrete } else { Kind::Latent })?;
                self.expression(&mut distribution);
                if discrete {
                    self.discrete(&lhs, &distribution)?;
                }
                Some(Stmt::Sample { lhs, distribution, sampled: None })
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
            Stmt::Auto { word, .. } => {
                self.error(word.span(), if self.is_guide { messages::AUTO_IN_LOOP } else { messages::AUTO_IN_MODEL });
                None
            }
            Stmt::For { var, mut range, body } => {
                let body = self.block(&var, &mut range, body);
                Some(Stmt::For { var, range, body })
            }
            Stmt::Chain { var, .. } => {
                self.error(var.span(), messages::CHAIN_IN_ROWS);
                None
            }
            Stmt::Ode { time: word, .. }
            | Stmt::Start { lhs: Lhs { name: word, .. }, .. }
            | Stmt::Derivative { lhs: Lhs { name: word, .. }, .. } => {
                self.error(word.span(), messages::ODE_IN_ROWS);
                None
            }
            Stmt::Sum { var, mut range, mut distribution, body } => {
                self.expression(&mut distribution);
                self.sums += 1;
                let body = self.block(&var, &mut range, body);
                self.sums -= 1;
                Some(Stmt::Sum { var, range, distribution, body })
            }
        }
    }

    /// The statements of a block that binds a name.
    fn block(&mut self, var: &Ident, range: &mut Range, body: Vec<Stmt>) -> Vec<Stmt> {
        let dim = match range {
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
        body
    }

    /// `z[n, Z]` without the `n`; a name that is not data is declared.
    fn left(&mut self, lhs: Lhs, kind: Kind) -> Option<Lhs> {
        let Lhs { name, mut index } = lhs;
        if self.outside.contains(&name) {
            let message = if self.is_guide { messages::guide_global(&name) } else { messages::declared_outside(&name) };
            self.error(name.span(), message);
            return None;
        }
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
            if matches!(kind, Kind::Latent | Kind::Discrete) {
                self.latents.push((name.clone(), axes));
            }
        }
        Some(Lhs { name, index })
    }

    /// Takes off the first index, which must be that of the plate.
    pub(super) fn take_plate(&mut self, name: &Ident, index: &mut Vec<Expr>) -> bool {
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
                } else if let Some(message) = self.unseen(word) {
                    self.error(span, message);
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
                if let Some(message) = self.unseen(array) {
                    self.error(span, message);
                    return;
                }
                let known = self.arrays.get(&array.to_string()).map(|(kind, _)| *kind);
                if known.is_some_and(|kind| kind != Kind::Result) && !self.take_plate(&array.clone(), index) {
                    return;
                }
                self.read.insert(array.to_string());
                if let Some(discrete) = self.discretes.iter_mut().find(|discrete| discrete.name == *array) {
                    discrete.is_read = true;
                }
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

    /// What a guide of a row does not see.
    fn unseen(&self, name: &Ident) -> Option<String> {
        if self.is_guide && self.outside.contains(name) {
            return Some(messages::guide_reads(name));
        }
        self.auto.contains(&name.to_string()).then(|| messages::guide_reads_auto(name))
    }
}
