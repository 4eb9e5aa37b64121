//! Calls of networks in a row: what they give are parameters of the row, which the engine fills.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use super::lift::{Kind, Lift};
use super::{Call, Operand};
use crate::messages;
use crate::syntax::{Expr, ExprKind, Lhs, NetworkSize, SizeTerm, Stmt, Support};

impl Lift<'_> {
    /// The network that an expression calls.
    pub(super) fn network_of(&self, expr: &Expr) -> Option<usize> {
        let ExprKind::Call { callee, .. } = &expr.kind else { return None };
        let ExprKind::Name(word) = &callee.kind else { return None };
        self.networks.iter().position(|(name, ..)| name == word)
    }

    /// A call of a network: what it gives are parameters of the row with these names.
    pub(super) fn declare(&mut self, names: Vec<Ident>, call: &Expr) {
        let (Some(network), ExprKind::Call { args, .. }) = (self.network_of(call), &call.kind) else { return };
        if !self.loops.is_empty() {
            self.error(call.span, messages::CALL_IN_LOOP);
            return;
        }
        let (word, inputs, outputs) = self.networks[network].clone();
        let mut operands = Vec::new();
        let mut taken = Vec::new();
        for arg in args {
            let Some((value, one_hot)) = self.one_hot(&arg.value) else { return };
            let operand = match &value.kind {
                ExprKind::Index { array, index } if index.len() == 1 => {
                    let mut index = vec![Expr { kind: clone_name(&index[0].kind), span: index[0].span }];
                    if !self.take_plate(array, &mut index) {
                        return;
                    }
                    array
                }
                ExprKind::Name(name) => name,
                _ => {
                    self.error(value.span, messages::operand(&word, &self.var));
                    return;
                }
            };
            let name = operand.to_string();
            let known = self.arrays.get(&name).filter(|(kind, _)| *kind != Kind::Quantity).map(|(_, axes)| axes);
            let Some(axes) = known.or_else(|| self.common.get(&name)) else {
                self.error(operand.span(), messages::operand(&word, &self.var));
                return;
            };
            let mut axes = axes.clone();
            if one_hot {
                let Some(points) = self.points(operand) else { return };
                axes.push(points);
            }
            taken.push(axes);
            operands.push(Operand { name: operand.clone(), one_hot });
        }
        if count(taken.iter().map(Vec::as_slice)) != count(inputs.pieces().into_iter()) {
            self.error(call.span, messages::network_takes(&word, &inputs, &sum_of(taken)));
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
            self.arrays.insert(name.to_string(), (Kind::Result, piece.to_vec()));
            self.lifted.push(Stmt::Param {
                lhs: Lhs { name: name.clone(), index },
                support: Support { word: Ident::new("real", span), args: Vec::new() },
                start: Expr { kind: ExprKind::Number(0.0), span },
            });
        }
        self.calls.push(Call { network, operands, results: names });
    }

    /// The name of what a call within an expression gives: `decoder_of_z`.
    pub(super) fn result_name(&self, network: usize, call: &Expr) -> Ident {
        let ExprKind::Call { args, .. } = &call.kind else { return self.networks[network].0.clone() };
        let operands: Vec<String> = args
            .iter()
            .map(|arg| {
                let inner = match &arg.value.kind {
                    ExprKind::Call { args, .. } if args.len() == 1 => &args[0].value.kind,
                    kind => kind,
                };
                match inner {
                    ExprKind::Name(name) | ExprKind::Index { array: name, .. } => name.to_string(),
                    _ => "value".to_owned(),
                }
            })
            .collect();
        Ident::new(&format!("{}_of_{}", self.networks[network].0, operands.join("_")), call.span)
    }
}

/// A name again; anything else as a number, which no index of a plate is.
fn clone_name(kind: &ExprKind) -> ExprKind {
    if let ExprKind::Name(name) = kind { ExprKind::Name(name.clone()) } else { ExprKind::Number(0.0) }
}

/// How often each product of dimensions is among some pieces, in whatever order its dimensions are.
fn count<'a>(pieces: impl Iterator<Item = &'a [Ident]>) -> BTreeMap<Vec<String>, usize> {
    let mut counts = BTreeMap::new();
    for piece in pieces {
        let mut dims: Vec<String> = piece.iter().map(ToString::to_string).collect();
        dims.sort_unstable();
        *counts.entry(dims).or_default() += 1;
    }
    counts
}

/// Pieces as the size that they are together: equal ones that follow each other are counted.
fn sum_of(pieces: Vec<Vec<Ident>>) -> NetworkSize {
    let mut terms: Vec<SizeTerm> = Vec::new();
    for dims in pieces {
        match terms.iter_mut().find(|term| term.dims == dims) {
            Some(term) => term.factor += 1,
            None => terms.push(SizeTerm { factor: 1, dims }),
        }
    }
    NetworkSize { terms }
}
