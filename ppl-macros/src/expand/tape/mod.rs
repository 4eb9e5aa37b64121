//! The computation of a body as a tape: each value once, at the loop level of the indices that it uses.

mod equations;
mod expressions;
mod statements;
mod sums;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};

use super::centring::{Centred, Parameter};
use super::names;
use crate::catalogue::Shape;
use crate::check::order;
use crate::ir::{
    Comparison, Expr, FactorId, Family, Function, Index, LocalId, Model, Operator, Reduce, SiteId, Stmt, StmtKind, SumId, VarId,
    Wrapper,
};

pub(crate) type NodeId = usize;
pub(crate) type ScopeId = usize;

/// A value of one lane per sample.
#[derive(Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub scope: ScopeId,
    /// Whether it depends on latents, and so has an adjoint.
    pub active: bool,
    /// Whether it may be another number in another lane: it depends on latents, drawn ones among them, or on inputs of a row.
    pub varies: bool,
    /// A name for people.
    pub name: String,
    /// Whether the user gave it a name.
    pub named: bool,
}

#[derive(Debug)]
pub(crate) enum Op {
    Constant(f64),
    /// An element of real data.
    Data(TokenStream),
    /// An input of the model of a row, or a discrete latent that is drawn: its row of the workspace.
    Input(TokenStream),
    /// A whole number.
    Count(TokenStream),
    /// Precomputed from data: the column, and the row of it.
    Column(usize, TokenStream),
    /// A latent or a stored quantity; gathered, if an index array says which of its rows.
    Load {
        row: TokenStream,
        gathered: bool,
    },
    /// A component of a solution within its equations: the solver, and the place.
    Component {
        solver: Ident,
        place: TokenStream,
    },
    /// A matrix product: where it is (columns before it, its own), the row and the column.
    Product {
        place: TokenStream,
        row: TokenStream,
        column: TokenStream,
    },
    Binary(Operator, NodeId, NodeId),
    /// One where the comparison holds, else zero: of what has no gradient and differs from lane to lane.
    Compare(Comparison, NodeId, NodeId),
    Neg(NodeId),
    Powi(NodeId, i32),
    Call(Function, Vec<NodeId>),
    User(syn::Path, Vec<NodeId>),
    If {
        condition: TokenStream,
        then: (ScopeId, NodeId),
        otherwise: (ScopeId, NodeId),
    },
    Reduce {
        kind: Reduce,
        var: VarId,
        body: (ScopeId, NodeId),
        /// Of what a `sum` block sums out: which sum, and the row of a value among all of its.
        choice: Option<(SumId, TokenStream)>,
    },
    /// Values for each value of what a sum runs over, the same in all rows: computed once before these.
    Table {
        var: VarId,
        body: (ScopeId, NodeId),
    },
    /// One of them.
    Entry {
        table: NodeId,
        var: VarId,
    },
    /// The logarithm of the sum over all paths of a chain.
    Chain {
        sum: SumId,
        /// The row of a step and a value among all terms of the sum.
        choice: TokenStream,
        /// The loops over its steps, the value before, and the value.
        time: VarId,
        before: VarId,
        value: VarId,
        /// The probabilities of the first values.
        start: Nest,
        /// Those of the values after each, at each step or for all of them.
        step: Nest,
        /// The log density of what is observed at a step, for each value.
        emission: Nest,
    },
    /// A density of arrays within a sum.
    Joint {
        entry: &'static crate::catalogue::Entry,
        value: Operand,
        parameters: Vec<Operand>,
    },
    /// The kernel of a density: value, then parameters.
    Density(Family, Vec<NodeId>),
    /// The base of a density of a latent.
    Base(Family, NodeId),
    /// The normalizer of a density.
    Normalizer(Family, Vec<NodeId>),
}

/// A value within scopes of their own, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Nest {
    pub scopes: Vec<ScopeId>,
    pub value: NodeId,
}

impl Nest {
    /// The scope of the value.
    pub(crate) fn innermost(&self) -> ScopeId {
        self.scopes.last().copied().unwrap_or(0)
    }
}

#[derive(Debug)]
pub(crate) struct Scope {
    pub parent: Option<ScopeId>,
    pub depth: usize,
    pub kind: ScopeKind,
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Root,
    Loop(VarId),
    Reduce(VarId),
    Branch,
    /// Some statements, without a name that they bind.
    Block,
}

/// What happens in a scope, in the order of the model.
#[derive(Debug)]
pub(crate) enum Item {
    Node(NodeId),
    Loop(ScopeId),
    /// A quantity gets its value; without a site it is one that the engine pulls back.
    Store {
        site: Option<SiteId>,
        row: TokenStream,
        value: NodeId,
    },
    /// Terms of the log joint with their signs; `weight` counts rows of a factor.
    Factor {
        factor: FactorId,
        row: TokenStream,
        terms: Vec<(bool, NodeId)>,
        /// What the weight is multiplied by: one or zero.
        mask: Option<NodeId>,
    },
    /// A density of vectors.
    VectorFactor {
        factor: FactorId,
        row: TokenStream,
        entry: &'static crate::catalogue::Entry,
        value: Operand,
        parameters: Vec<Operand>,
        mask: Option<NodeId>,
    },
    /// An array is computed from arrays: its first row, and how many.
    Operation {
        operation: &'static crate::catalogue::Operation,
        row: TokenStream,
        length: TokenStream,
        operands: Vec<Operand>,
    },
    /// A differential equation is solved.
    Ode(Box<Solved>),
    /// A component of a solution starts from a value.
    Start {
        solver: Ident,
        place: TokenStream,
        value: NodeId,
    },
    /// A component of a solution has this derivative.
    Derivative {
        solver: Ident,
        place: TokenStream,
        value: NodeId,
    },
}

/// A differential equation on the tape.
#[derive(Debug)]
pub(crate) struct Solved {
    pub solver: Ident,
    /// How many numbers it is of.
    pub size: TokenStream,
    /// The time of the equations, and the loop over the times.
    pub time: Ident,
    pub at: VarId,
    /// The statements that take the state from one time to the next, and those that resume it there.
    pub advance: [TokenStream; 2],
    pub resume: TokenStream,
    /// The components: the first place, the first row of their values at a time, how many.
    pub components: Vec<[TokenStream; 3]>,
    /// What starts it, what is the same between two times, the equations.
    pub starts: ScopeId,
    pub interval: ScopeId,
    pub equations: ScopeId,
}

/// A vector operand.
#[derive(Debug)]
pub(crate) enum Operand {
    /// Rows of the workspace: the first, and how many.
    Rows(TokenStream, TokenStream),
    /// Data: the array, where it begins, how many.
    Data(TokenStream, TokenStream, TokenStream),
    /// One number, repeated.
    Repeated(NodeId, TokenStream),
}

/// A value that is precomputed from data when the model is bound.
#[derive(Debug)]
pub(crate) struct Column {
    pub loops: Vec<VarId>,
    pub value: ColumnValue,
}

#[derive(Debug)]
pub(crate) enum ColumnValue {
    Expr(Expr),
    /// The base of a density at data.
    Base(Family, Expr),
    /// The normalizer of a density with parameters of data.
    Normalizer(Family, Vec<Expr>),
}

/// A matrix product of a body.
#[derive(Debug)]
pub(crate) struct MatrixProduct {
    /// The data, and the site whose rows it multiplies.
    pub arg: usize,
    pub site: SiteId,
    /// The loop over the columns, if there is one.
    pub columns: Option<VarId>,
}

/// A body of the model: a plate, or statements outside loops.
#[derive(Debug)]
pub(crate) struct Body<'m> {
    pub stmts: Vec<&'m Stmt>,
    /// The outermost loop.
    pub plate: Option<VarId>,
}

/// Cuts a model into bodies.
pub(crate) fn bodies(model: &Model) -> Vec<Body<'_>> {
    let mut bodies: Vec<Body<'_>> = Vec::new();
    for stmt in model.body.iter().filter(|stmt| !is_param(stmt)) {
        match stmt.kind {
            StmtKind::For { var, .. } if !model.vars[var].implicit => bodies.push(Body { stmts: vec![stmt], plate: Some(var) }),
            _ => match bodies.last_mut() {
                Some(body) if body.plate.is_none() => body.stmts.push(stmt),
                _ => bodies.push(Body { stmts: vec![stmt], plate: None }),
            },
        }
    }
    bodies
}

/// Whether a statement declares parameters and nothing else, so that there is nothing to compute.
fn is_param(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Param { .. } => true,
        StmtKind::For { body, .. } => !body.is_empty() && body.iter().all(is_param),
        _ => false,
    }
}

/// The tape of one body.
#[derive(Debug)]
pub(crate) struct Tape<'m> {
    pub model: &'m Model,
    pub nodes: Vec<Node>,
    pub scopes: Vec<Scope>,
    pub products: Vec<MatrixProduct>,
    /// Quantities that are read from memory.
    pub reads: BTreeSet<SiteId>,
    /// The loops whose rows read earlier ones.
    pub recursive: BTreeSet<VarId>,
    plate: Option<VarId>,
    memo: BTreeMap<(ScopeId, String), NodeId>,
    locals: BTreeMap<LocalId, NodeId>,
    /// Values of quantities, where they can be used without memory.
    stored: BTreeMap<(SiteId, String), NodeId>,
    names: BTreeMap<String, usize>,
    /// The time of the differential equation around.
    solving: Option<VarId>,
    current: ScopeId,
}

impl<'m> Tape<'m> {
    /// Builds the tape of a body; what is of data alone goes to `columns`.
    pub(crate) fn new(model: &'m Model, body: &Body<'m>, columns: &mut Vec<Column>) -> Self {
        let root = Scope { parent: None, depth: 0, kind: ScopeKind::Root, items: Vec::new() };
        let mut tape = Tape {
            model,
            nodes: Vec::new(),
            scopes: vec![root],
            products: Vec::new(),
            reads: BTreeSet::new(),
            recursive: order::recursive(model),
            plate: body.plate,
            memo: BTreeMap::new(),
            locals: BTreeMap::new(),
            stored: BTreeMap::new(),
            names: BTreeMap::new(),
            solving: None,
            current: 0,
        };
        for stmt in &body.stmts {
            tape.statement(stmt, columns);
        }
        tape
    }

    /// Builds the tape that computes the location and the scale of a latent, or the parameters of what a guide draws it from.
    pub(crate) fn centring(model: &'m Model, centred: &Centred, columns: &mut Vec<Column>) -> Self {
        let mut tape = Tape::new(model, &centred.body(model), columns);
        let scopes: Vec<ScopeId> = centred.loops.iter().map(|&var| tape.open(ScopeKind::Loop(var))).collect();
        for (Parameter { word, value, axes }, row) in centred.parameters.iter().zip(centred.rows(model)) {
            let own: Vec<ScopeId> = axes.iter().map(|&(var, _)| tape.open(ScopeKind::Loop(var))).collect();
            let value = tape.expr(value, columns);
            tape.name(value, word);
            tape.push(Item::Store { site: None, row, value });
            for scope in own.into_iter().rev() {
                tape.close(scope);
                tape.push(Item::Loop(scope));
            }
        }
        for scope in scopes.into_iter().rev() {
            tape.close(scope);
            tape.push(Item::Loop(scope));
        }
        tape
    }

    /// The factors of the body, in the order of the model.
    pub(crate) fn factors(&self) -> BTreeSet<FactorId> {
        let items = self.scopes.iter().flat_map(|scope| &scope.items);
        items
            .filter_map(|item| match item {
                Item::Factor { factor, .. } | Item::VectorFactor { factor, .. } => Some(*factor),
                _ => None,
            })
            .collect()
    }

    /// The outermost loop.
    pub(crate) fn plate(&self) -> Option<VarId> {
        self.plate
    }

    fn open(&mut self, kind: ScopeKind) -> ScopeId {
        let scope = self.scopes.len();
        let depth = self.scopes[self.current].depth + 1;
        self.scopes.push(Scope { parent: Some(self.current), depth, kind, items: Vec::new() });
        self.current = scope;
        scope
    }

    fn close(&mut self, scope: ScopeId) {
        self.current = self.scopes[scope].parent.unwrap_or(0);
    }

    fn push(&mut self, item: Item) {
        self.scopes[self.current].items.push(item);
    }

    /// The scopes around the current one, innermost first.
    fn chain(&self) -> Vec<ScopeId> {
        let mut chain = vec![self.current];
        while let Some(parent) = self.scopes[chain[chain.len() - 1]].parent {
            chain.push(parent);
        }
        chain
    }

    /// The outermost scope in which all of some values are known; a branch keeps its own arithmetic.
    fn deepest(&self, args: &[NodeId]) -> ScopeId {
        let branch = self.chain().into_iter().find(|&s| self.scopes[s].kind == ScopeKind::Branch);
        args.iter().map(|&arg| self.nodes[arg].scope).chain(branch).max_by_key(|&s| self.scopes[s].depth).unwrap_or(0)
    }

    /// The outermost scope in which bound names are known.
    fn scope_of_vars(&self, vars: &[VarId]) -> ScopeId {
        self.chain()
            .into_iter()
            .find(|&s| match self.scopes[s].kind {
                ScopeKind::Loop(var) | ScopeKind::Reduce(var) => vars.contains(&var),
                ScopeKind::Root | ScopeKind::Branch | ScopeKind::Block => false,
            })
            .unwrap_or(0)
    }

    /// Whether an expression uses a name that a sum around it binds.
    fn is_summed(&self, expr: &Expr) -> bool {
        let mut used = BTreeSet::new();
        crate::expand::scalar::vars(self.model, expr, &mut used);
        self.chain().into_iter().any(|s| matches!(self.scopes[s].kind, ScopeKind::Reduce(var) if used.contains(&var)))
    }

    /// Whether no sum or branch is between some values and the root.
    fn loops_only(&self, args: &[NodeId]) -> bool {
        let mut scope = Some(self.deepest(args));
        while let Some(s) = scope {
            if !matches!(self.scopes[s].kind, ScopeKind::Root | ScopeKind::Loop(_) | ScopeKind::Block) {
                return false;
            }
            scope = self.scopes[s].parent;
        }
        true
    }

    fn node(&mut self, op: Op, scope: ScopeId, name: &str) -> NodeId {
        let key = format!("{op:?}");
        let mut at = Some(scope);
        while let Some(s) = at {
            if let Some(&node) = self.memo.get(&(s, key.clone())) {
                return node;
            }
            at = self.scopes[s].parent;
        }
        let node = self.fresh(op, scope, name);
        self.memo.insert((scope, key), node);
        node
    }

    fn fresh(&mut self, op: Op, scope: ScopeId, name: &str) -> NodeId {
        let depends = |on: fn(&Node) -> bool, origin: bool| self.depends(&op, on, origin);
        let active = depends(|node| node.active, false);
        let varies = depends(|node| node.varies, true);
        let node = self.nodes.len();
        let name = self.unique(name);
        self.nodes.push(Node { op, scope, active, varies, name, named: false });
        self.scopes[scope].items.push(Item::Node(node));
        node
    }

    fn unique(&mut self, name: &str) -> String {
        let taken = usize::from(names::is_reserved(&name.to_lowercase()));
        let count = self.names.entry(name.to_lowercase()).or_insert(taken);
        *count += 1;
        if *count == 1 { name.to_lowercase() } else { format!("{}_{count}", name.to_lowercase()) }
    }

    fn name(&mut self, node: NodeId, name: &str) {
        if !self.nodes[node].named
            && !matches!(self.nodes[node].op, Op::Load { .. } | Op::Data(_) | Op::Input(_) | Op::Count(_) | Op::Component { .. })
        {
            self.nodes[node].name = self.unique(name);
            self.nodes[node].named = true;
        }
    }

    /// Whether an operation depends on latents, or on operands that do something; `input` is what is said of an input of a row.
    fn depends(&self, op: &Op, on: fn(&Node) -> bool, input: bool) -> bool {
        let any = |args: &[NodeId]| args.iter().any(|&arg| on(&self.nodes[arg]));
        match op {
            Op::Constant(_) | Op::Data(_) | Op::Count(_) | Op::Column(..) => false,
            Op::Input(_) => input,
            Op::Load { .. } | Op::Product { .. } | Op::Component { .. } => true,
            Op::Binary(_, a, b) | Op::Compare(_, a, b) => any(&[*a, *b]),
            Op::Neg(a) | Op::Powi(a, _) | Op::Base(_, a) => any(&[*a]),
            Op::Call(_, args) | Op::User(_, args) | Op::Density(_, args) | Op::Normalizer(_, args) => any(args),
            Op::If { then, otherwise, .. } => any(&[then.1, otherwise.1]),
            Op::Reduce { body, .. } | Op::Table { body, .. } => any(&[body.1]),
            Op::Entry { table, .. } => any(&[*table]),
            Op::Chain { start, step, emission, .. } => any(&[start.value, step.value, emission.value]),
            Op::Joint { value, parameters, .. } => std::iter::once(value).chain(parameters).any(|operand| match operand {
                Operand::Rows(..) => true,
                Operand::Repeated(node, _) => on(&self.nodes[*node]),
                Operand::Data(..) => false,
            }),
        }
    }
}

enum Value<'e> {
    Site(SiteId, &'e [Index]),
    Expr(&'e Expr),
}

/// The bound names of an index.
pub(crate) fn vars_of(index: &[Index]) -> Vec<VarId> {
    let mut vars = Vec::new();
    for i in index {
        i.for_each_var(&mut |var| vars.push(var));
    }
    vars
}

/// Which parameters the normalizer of a family reads; none if it has no normalizer.
pub(crate) fn normalizer(family: &Family, params: usize) -> Option<Vec<usize>> {
    match family {
        Family::Catalogue(entry) if entry.normalizer.is_empty() => None,
        Family::Catalogue(entry) => Some(entry.normalizer.to_vec()),
        Family::User(..) | Family::Wrapped(Wrapper::Truncated, _) => Some((0..params).collect()),
        Family::Wrapped(Wrapper::Transformed(_), inner) => normalizer(inner, params),
        // Their parts cannot be told from each other.
        Family::Wrapped(Wrapper::Censored | Wrapper::ZeroInflated, _) => None,
    }
}

fn has_base(family: &Family) -> bool {
    match family {
        Family::Catalogue(entry) => entry.base,
        Family::Wrapped(Wrapper::Truncated, inner) => has_base(inner),
        Family::Wrapped(Wrapper::Censored | Wrapper::ZeroInflated, _) => false,
        Family::User(..) | Family::Wrapped(Wrapper::Transformed(_), _) => true,
    }
}

fn has_kernel(family: &Family) -> bool {
    match family {
        Family::Catalogue(entry) => entry.shape == Shape::Univariate,
        Family::User(..) | Family::Wrapped(..) => true,
    }
}
