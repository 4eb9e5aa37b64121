//! Who reads a value, and so how its adjoint is collected, whether it has a name, and what it needs.

use std::collections::BTreeSet;

use super::{Collect, Form, Reader, Use, Writer};
use crate::expand::tape::{Item, NodeId, Op, Operand, ScopeId, normalizer};
use crate::ir::Operator;

impl Writer<'_, '_> {
    pub(super) fn find_uses(&mut self) {
        for (id, node) in self.tape.nodes.iter().enumerate() {
            let mut add = |arg: NodeId, scope: ScopeId| self.uses[arg].push(Use { scope, reader: Reader::Node(id) });
            match &node.op {
                Op::Constant(_)
                | Op::Data(_)
                | Op::Input(_)
                | Op::Count(_)
                | Op::Column(..)
                | Op::Load { .. }
                | Op::Component { .. }
                | Op::Product { .. } => {}
                Op::Binary(_, a, b) | Op::Compare(_, a, b) => {
                    add(*a, node.scope);
                    add(*b, node.scope);
                }
                Op::Neg(a) | Op::Powi(a, _) | Op::Base(_, a) => add(*a, node.scope),
                Op::Call(_, args) | Op::User(_, args) | Op::Density(_, args) => args.iter().for_each(|&a| add(a, node.scope)),
                Op::Normalizer(family, args) => {
                    for i in normalizer(family, args.len()).unwrap_or_default() {
                        add(args[i], node.scope);
                    }
                }
                Op::If { then, otherwise, .. } => {
                    add(then.1, then.0);
                    add(otherwise.1, otherwise.0);
                }
                Op::Reduce { body, .. } | Op::Table { body, .. } => add(body.1, body.0),
                Op::Entry { table, .. } => add(*table, node.scope),
                Op::Chain { start, step, emission, .. } => {
                    [start, step, emission].into_iter().for_each(|nest| add(nest.value, nest.innermost()));
                }
                Op::Joint { value, parameters, .. } => {
                    nodes(parameters).chain(nodes(std::slice::from_ref(value))).for_each(|a| add(a, node.scope));
                }
            }
        }
        for (scope, known) in self.tape.scopes.iter().enumerate() {
            for item in &known.items {
                match item {
                    Item::Factor { terms, mask, .. } => {
                        if let Some(mask) = mask {
                            self.uses[*mask].push(Use { scope, reader: Reader::Other });
                        }
                        for &(sign, node) in terms {
                            self.uses[node].push(Use { scope, reader: Reader::Term(sign) });
                        }
                    }
                    Item::Store { value, site, .. } => {
                        if self.form == Form::Forward || site.is_none_or(|site| self.stored.contains(&site)) {
                            self.uses[*value].push(Use { scope, reader: Reader::Other });
                        }
                    }
                    Item::VectorFactor { value, parameters, mask, .. } => {
                        let nodes = nodes(parameters).chain(nodes(std::slice::from_ref(value))).chain(*mask);
                        nodes.for_each(|node| self.uses[node].push(Use { scope, reader: Reader::Other }));
                    }
                    Item::Operation { operands, .. } => {
                        nodes(operands).for_each(|node| self.uses[node].push(Use { scope, reader: Reader::Other }));
                    }
                    Item::Start { value, .. } | Item::Derivative { value, .. } => {
                        self.uses[*value].push(Use { scope, reader: Reader::Other });
                    }
                    Item::Ode(_) | Item::Node(_) | Item::Loop(_) => {}
                }
            }
        }
    }

    /// Whether a value is added to the log joint once for all rows, times the sum of their weights.
    pub(super) fn deferred(&self, node: NodeId) -> Option<bool> {
        if !matches!(self.tape.nodes[node].op, Op::Normalizer(..) | Op::Column(..) | Op::Count(_)) {
            return None;
        }
        let scope = self.tape.nodes[node].scope;
        let mut signs = self.uses[node].iter().map(|u| match u.reader {
            Reader::Term(sign) if u.scope != scope => Some(sign),
            _ => None,
        });
        let first = signs.next()??;
        signs.all(|sign| sign == Some(first)).then_some(first)
    }

    pub(super) fn how_collected(&self, node: NodeId) -> Collect {
        if self.deferred(node).is_some() {
            return Collect::OverRows;
        }
        let known = &self.tape.nodes[node];
        if !known.active {
            return Collect::Nothing;
        }
        let readers: Vec<&Use> = self.uses[node]
            .iter()
            .filter(|u| match u.reader {
                Reader::Node(reader) => self.tape.nodes[reader].active,
                Reader::Term(_) | Reader::Other => true,
            })
            .collect();
        if readers.iter().any(|u| u.scope != known.scope) {
            return Collect::OverRows;
        }
        match readers.len() {
            0 => Collect::Nothing,
            1 => Collect::Direct,
            _ => Collect::Several,
        }
    }

    /// Whether the derivative of some reader, or of the value itself, needs the value again.
    pub(super) fn needed_in_reverse(&self, node: NodeId) -> bool {
        self.uses[node].iter().any(|u| {
            let Reader::Node(reader) = u.reader else { return false };
            match &self.tape.nodes[reader].op {
                Op::Binary(Operator::Mul, a, b) => {
                    let other = if *a == node { *b } else { *a };
                    self.tape.nodes[other].active || a == b
                }
                Op::Binary(Operator::Div, ..) | Op::Powi(..) | Op::Call(..) | Op::User(..) | Op::Base(..) | Op::Joint { .. } => {
                    true
                }
                _ => false,
            }
        })
    }

    /// Whether a value is written where it is read rather than given a name.
    pub(super) fn inline(&self, node: NodeId) -> bool {
        let known = &self.tape.nodes[node];
        let once = self.uses[node].len() == 1 && self.uses[node][0].scope == known.scope;
        match known.op {
            Op::Constant(_) => true,
            Op::Data(_) | Op::Input(_) | Op::Count(_) | Op::Column(..) => once,
            Op::Binary(Operator::Div, ..) => once && !known.named && !known.active,
            Op::Binary(..) | Op::Neg(_) => once && !known.named && !self.needed_in_reverse(node),
            _ => false,
        }
    }

    pub(super) fn needed_by_stores(&self) -> BTreeSet<NodeId> {
        let mut needed = BTreeSet::new();
        for scope in &self.tape.scopes {
            for item in &scope.items {
                match item {
                    Item::Store { value, .. } | Item::Start { value, .. } | Item::Derivative { value, .. } => {
                        self.reach(*value, &mut needed);
                    }
                    Item::Operation { operands, .. } => nodes(operands).for_each(|node| self.reach(node, &mut needed)),
                    Item::Ode(_) | Item::Node(_) | Item::Loop(_) | Item::Factor { .. } | Item::VectorFactor { .. } => {}
                }
            }
        }
        needed
    }

    /// A node and all that it is computed from.
    pub(super) fn reach(&self, node: NodeId, reached: &mut BTreeSet<NodeId>) {
        if !reached.insert(node) {
            return;
        }
        match &self.tape.nodes[node].op {
            Op::Constant(_)
            | Op::Data(_)
            | Op::Input(_)
            | Op::Count(_)
            | Op::Column(..)
            | Op::Load { .. }
            | Op::Component { .. }
            | Op::Product { .. } => {}
            Op::Binary(_, a, b) | Op::Compare(_, a, b) => [*a, *b].into_iter().for_each(|a| self.reach(a, reached)),
            Op::Neg(a) | Op::Powi(a, _) | Op::Base(_, a) => self.reach(*a, reached),
            Op::Joint { value, parameters, .. } => {
                nodes(parameters).chain(nodes(std::slice::from_ref(value))).for_each(|a| self.reach(a, reached));
            }
            Op::Call(_, args) | Op::User(_, args) | Op::Density(_, args) => args.iter().for_each(|&a| self.reach(a, reached)),
            Op::Normalizer(family, args) => {
                for i in normalizer(family, args.len()).unwrap_or_default() {
                    self.reach(args[i], reached);
                }
            }
            Op::If { then, otherwise, .. } => [then.1, otherwise.1].into_iter().for_each(|a| self.reach(a, reached)),
            Op::Reduce { body, .. } | Op::Table { body, .. } => self.reach_within(&[body.0], body.1, reached),
            Op::Entry { table, .. } => self.reach(*table, reached),
            Op::Chain { start, step, emission, .. } => {
                for nest in [start, step, emission] {
                    self.reach_within(&nest.scopes, nest.value, reached);
                }
            }
        }
    }
}

impl Writer<'_, '_> {
    /// A value in scopes of their own, and all that is computed there.
    fn reach_within(&self, scopes: &[ScopeId], value: NodeId, reached: &mut BTreeSet<NodeId>) {
        self.reach(value, reached);
        for item in scopes.iter().flat_map(|&scope| &self.tape.scopes[scope].items) {
            if let Item::Node(inner) = item {
                self.reach(*inner, reached);
            }
        }
    }
}

/// The numbers among operands.
pub(super) fn nodes(operands: &[Operand]) -> impl Iterator<Item = NodeId> {
    operands.iter().filter_map(|operand| match operand {
        Operand::Repeated(node, _) => Some(*node),
        Operand::Rows(..) | Operand::Data(..) => None,
    })
}
