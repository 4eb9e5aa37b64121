//! The computation of a body as a tape: each value once, at the loop level of the indices that it uses.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::names;
use crate::catalogue::Shape;
use crate::ir::{
    Affine, ArgKind, Condition, Density, Expr, ExprKind, FactorId, Family, Function, Index, LocalId, Model, Operator, Reduce,
    SiteId, SiteKind, Stmt, StmtKind, Term, VarId, Vector,
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
    /// A whole number.
    Count(TokenStream),
    /// Precomputed from data: the column, and the row of it.
    Column(usize, TokenStream),
    /// A latent or a stored quantity; gathered, if an index array says which of its rows.
    Load {
        row: TokenStream,
        gathered: bool,
    },
    /// A matrix product: where it is (columns before it, its own), the row and the column.
    Product {
        place: TokenStream,
        row: TokenStream,
        column: TokenStream,
    },
    Binary(Operator, NodeId, NodeId),
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
    },
    /// The kernel of a density: value, then parameters.
    Density(Family, Vec<NodeId>),
    /// The base of a density of a latent.
    Base(Family, NodeId),
    /// The normalizer of a density.
    Normalizer(Family, Vec<NodeId>),
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
}

/// What happens in a scope, in the order of the model.
#[derive(Debug)]
pub(crate) enum Item {
    Node(NodeId),
    Loop(ScopeId),
    /// A quantity gets its value.
    Store {
        site: SiteId,
        row: TokenStream,
        value: NodeId,
    },
    /// Terms of the log joint with their signs; `weight` counts rows of a factor.
    Factor {
        factor: FactorId,
        row: TokenStream,
        terms: Vec<(bool, NodeId)>,
    },
    /// A density of vectors.
    VectorFactor {
        factor: FactorId,
        row: TokenStream,
        entry: &'static crate::catalogue::Entry,
        value: Operand,
        parameter: Operand,
    },
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
    for stmt in &model.body {
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

/// The tape of one body.
#[derive(Debug)]
pub(crate) struct Tape<'m> {
    pub model: &'m Model,
    pub nodes: Vec<Node>,
    pub scopes: Vec<Scope>,
    pub products: Vec<MatrixProduct>,
    /// Quantities that are read from memory.
    pub reads: BTreeSet<SiteId>,
    plate: Option<VarId>,
    memo: BTreeMap<(ScopeId, String), NodeId>,
    locals: BTreeMap<LocalId, NodeId>,
    /// Values of quantities, where they can be used without memory.
    stored: BTreeMap<(SiteId, String), NodeId>,
    names: BTreeMap<String, usize>,
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
            plate: body.plate,
            memo: BTreeMap::new(),
            locals: BTreeMap::new(),
            stored: BTreeMap::new(),
            names: BTreeMap::new(),
            current: 0,
        };
        for stmt in &body.stmts {
            tape.statement(stmt, columns);
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

    fn statement(&mut self, stmt: &'m Stmt, columns: &mut Vec<Column>) {
        match &stmt.kind {
            StmtKind::For { var, body } => {
                let scope = self.open(ScopeKind::Loop(*var));
                for stmt in body {
                    self.statement(stmt, columns);
                }
                self.close(scope);
                self.push(Item::Loop(scope));
            }
            StmtKind::Local { local, value } => {
                let node = self.expr(value, columns);
                self.name(node, &self.model.locals[*local].name.to_string());
                self.locals.insert(*local, node);
            }
            StmtKind::Quantity { site, index, value } => {
                let node = self.expr(value, columns);
                let row = names::row(self.model, *site, index);
                self.name(node, &names::element_name(self.model, &self.model.sites[*site].name, index));
                self.stored.insert((*site, row.to_string()), node);
                self.push(Item::Store { site: *site, row, value: node });
            }
            StmtKind::Factor { factor, value } => {
                let node = self.expr(value, columns);
                let row = names::loop_row(self.model, &self.model.factors[*factor].loops);
                self.push(Item::Factor { factor: *factor, row, terms: vec![(true, node)] });
            }
            StmtKind::Sample { site, index, distribution, factor } => {
                let row = names::loop_row(self.model, &self.model.factors[*factor].loops);
                match &distribution.density {
                    Density::Univariate { family, params } => {
                        let terms = self.density(family, params, &Value::Site(*site, index), true, columns);
                        self.push(Item::Factor { factor: *factor, row, terms });
                    }
                    Density::Ordered { family, params, axis } => {
                        let terms = self.ordered((*site, index), (family, params), *axis, columns);
                        self.push(Item::Factor { factor: *factor, row, terms });
                    }
                    Density::Multivariate { entry, parameter } => {
                        let value = self.value_operand(*site, index, entry.event_rank, columns);
                        let parameter = self.parameter_operand(parameter, *site, columns);
                        self.push(Item::VectorFactor { factor: *factor, row, entry, value, parameter });
                    }
                }
            }
        }
    }

    /// Independent draws, sorted: `ln K!` and the sum over the last axis.
    fn ordered(
        &mut self,
        (site, index): (SiteId, &[Index]),
        (family, params): (&Family, &[Expr]),
        axis: VarId,
        columns: &mut Vec<Column>,
    ) -> Vec<(bool, NodeId)> {
        let span = self.model.sites[site].name.span();
        let element: Vec<Index> = index.iter().cloned().chain([Index::Affine(Affine::term(Term::Var(axis)))]).collect();
        let element = Expr { kind: ExprKind::Site(site, element), span };
        let body = Expr { kind: ExprKind::LogProb(family.clone(), params.to_vec(), Box::new(element)), span };
        let sum = ExprKind::Reduce { kind: Reduce::Sum, var: axis, body: Box::new(body), product: false };
        let sum = self.expr(&Expr { kind: sum, span }, columns);
        let size = names::length(self.model, axis);
        let permutations = self.node(Op::Count(quote!(_ppl::ln_factorial(#size))), 0, "ln_permutations");
        vec![(true, sum), (true, permutations)]
    }

    /// The terms of a log density: kernel, base, and minus the normalizer.
    fn density(
        &mut self,
        family: &Family,
        params: &[Expr],
        value: &Value<'_>,
        contribution: bool,
        columns: &mut Vec<Column>,
    ) -> Vec<(bool, NodeId)> {
        let mut args = vec![match value {
            Value::Site(site, index) => self.site(*site, index, columns),
            Value::Expr(expr) => self.expr(expr, columns),
        }];
        for param in params {
            let node = self.expr(param, columns);
            args.push(node);
        }
        let word = match value {
            Value::Site(site, _) => self.model.sites[*site].name.to_string(),
            Value::Expr(_) => "value".to_owned(),
        };
        let scope = self.deepest(&args);
        let mut terms = Vec::new();
        if has_kernel(family) {
            terms.push((true, self.node(Op::Density(family.clone(), args.clone()), scope, &word)));
        }
        if has_base(family) {
            let base = if self.nodes[args[0]].active {
                let scope = self.nodes[args[0]].scope;
                self.node(Op::Base(family.clone(), args[0]), scope, &format!("{word}_base"))
            } else {
                let expr = match value {
                    Value::Site(site, index) => self.observed_expr(*site, index),
                    Value::Expr(expr) => (*expr).clone(),
                };
                self.column(ColumnValue::Base(family.clone(), expr), &format!("{word}_base"), columns)
            };
            terms.push((true, base));
        }
        if let Some(reads) = normalizer(family, params.len()) {
            let read: Vec<NodeId> = reads.iter().map(|&i| args[i + 1]).collect();
            let active = read.iter().any(|&node| self.nodes[node].active);
            // A part of the log joint is summed at the loop level of its parameters; a number is needed where it stands.
            let node = if active || !self.loops_only(&read) {
                let scope = self.deepest(&read);
                let mut key = args[1..].to_vec();
                for (i, node) in key.iter_mut().enumerate() {
                    if !reads.contains(&i) {
                        *node = read.first().copied().unwrap_or(args[0]);
                    }
                }
                let name = format!("{word}_normalizer");
                if contribution {
                    self.fresh(Op::Normalizer(family.clone(), key), scope, &name)
                } else {
                    self.node(Op::Normalizer(family.clone(), key), scope, &name)
                }
            } else {
                self.column(ColumnValue::Normalizer(family.clone(), params.to_vec()), &format!("{word}_normalizer"), columns)
            };
            terms.push((false, node));
        }
        terms
    }

    fn observed_expr(&self, site: SiteId, index: &[Index]) -> Expr {
        let site = &self.model.sites[site];
        let kind = match site.kind {
            SiteKind::Observed(arg) => ExprKind::Data(arg, index.to_vec()),
            _ => ExprKind::Number(0.0),
        };
        Expr { kind, span: site.name.span() }
    }

    fn value_operand(&mut self, site: SiteId, index: &[Index], event_rank: usize, columns: &mut Vec<Column>) -> Operand {
        let known = &self.model.sites[site];
        if event_rank == 0 {
            let node = self.site(site, index, columns);
            return Operand::Repeated(node, quote!(1));
        }
        let size = names::size(self.model, *known.dims.last().unwrap_or(&0));
        match known.kind {
            SiteKind::Observed(arg) => self.data_operand(arg, index, size),
            _ => Operand::Rows(names::row(self.model, site, index), size),
        }
    }

    fn data_operand(&self, arg: usize, index: &[Index], size: TokenStream) -> Operand {
        let arg = &self.model.args[arg];
        let name = names::field(&arg.name);
        Operand::Data(quote!(self.#name), names::flat(self.model, index, &arg.dims), size)
    }

    fn parameter_operand(&mut self, parameter: &Vector, value: SiteId, columns: &mut Vec<Column>) -> Operand {
        match parameter {
            Vector::Site(site, index) => {
                if self.model.sites[*site].kind == SiteKind::Quantity {
                    self.reads.insert(*site);
                }
                let size = names::size(self.model, *self.model.sites[*site].dims.last().unwrap_or(&0));
                Operand::Rows(names::row(self.model, *site, index), size)
            }
            Vector::Data(arg, index) => {
                let size = names::size(self.model, *self.model.args[*arg].dims.last().unwrap_or(&0));
                self.data_operand(*arg, index, size)
            }
            Vector::Repeat(expr) => {
                let size = names::size(self.model, *self.model.sites[value].dims.last().unwrap_or(&0));
                Operand::Repeated(self.expr(expr, columns), size)
            }
        }
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
                ScopeKind::Root | ScopeKind::Branch => false,
            })
            .unwrap_or(0)
    }

    /// Whether no sum or branch is between some values and the root.
    fn loops_only(&self, args: &[NodeId]) -> bool {
        let mut scope = Some(self.deepest(args));
        while let Some(s) = scope {
            if !matches!(self.scopes[s].kind, ScopeKind::Root | ScopeKind::Loop(_)) {
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
        let active = self.is_active(&op);
        let node = self.nodes.len();
        let name = self.unique(name);
        self.nodes.push(Node { op, scope, active, name, named: false });
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
        if !self.nodes[node].named && !matches!(self.nodes[node].op, Op::Load { .. } | Op::Data(_) | Op::Count(_)) {
            self.nodes[node].name = self.unique(name);
            self.nodes[node].named = true;
        }
    }

    fn is_active(&self, op: &Op) -> bool {
        let any = |args: &[NodeId]| args.iter().any(|&arg| self.nodes[arg].active);
        match op {
            Op::Constant(_) | Op::Data(_) | Op::Count(_) | Op::Column(..) => false,
            Op::Load { .. } | Op::Product { .. } => true,
            Op::Binary(_, a, b) => any(&[*a, *b]),
            Op::Neg(a) | Op::Powi(a, _) | Op::Base(_, a) => any(&[*a]),
            Op::Call(_, args) | Op::User(_, args) | Op::Density(_, args) | Op::Normalizer(_, args) => any(args),
            Op::If { then, otherwise, .. } => any(&[then.1, otherwise.1]),
            Op::Reduce { body, .. } => any(&[body.1]),
        }
    }

    /// A site at an index: data, a latent, or a quantity.
    fn site(&mut self, site: SiteId, index: &[Index], columns: &mut Vec<Column>) -> NodeId {
        let known = &self.model.sites[site];
        let name = names::element_name(self.model, &known.name, index);
        if let SiteKind::Observed(arg) = known.kind {
            return self.data(arg, index, columns);
        }
        let row = names::row(self.model, site, index);
        if known.kind == SiteKind::Quantity {
            if let Some(&node) = self.stored.get(&(site, row.to_string()))
                && self.chain().contains(&self.nodes[node].scope)
            {
                return node;
            }
            self.reads.insert(site);
        }
        let scope = self.scope_of_vars(&vars_of(index));
        let gathered = index.iter().any(|index| matches!(index, Index::Gather(..)));
        self.node(Op::Load { row, gathered }, scope, &name)
    }

    fn data(&mut self, arg: usize, index: &[Index], _columns: &mut Vec<Column>) -> NodeId {
        let model = self.model;
        let known = &model.args[arg];
        let name = names::element_name(model, &known.name, index);
        let field = names::field(&known.name);
        let at = names::flat(model, index, &known.dims);
        let element = if known.dims.is_empty() { quote!(self.#field) } else { quote!(self.#field[#at]) };
        let scope = self.scope_of_vars(&vars_of(index));
        let op = if matches!(known.kind, ArgKind::Index(_)) { Op::Count(quote!(#element as f64)) } else { Op::Data(element) };
        self.node(op, scope, &name)
    }

    /// A value of data alone that is computed when the model is bound.
    fn column(&mut self, value: ColumnValue, name: &str, columns: &mut Vec<Column>) -> NodeId {
        let mut used = BTreeSet::new();
        let mut visit = |expr: &Expr| {
            super::scalar::vars(self.model, expr, &mut used);
        };
        match &value {
            ColumnValue::Expr(expr) | ColumnValue::Base(_, expr) => visit(expr),
            ColumnValue::Normalizer(family, params) => {
                let reads = normalizer(family, params.len()).unwrap_or_default();
                for i in reads {
                    visit(&params[i]);
                }
            }
        }
        let loops: Vec<VarId> = self
            .chain()
            .into_iter()
            .rev()
            .filter_map(|s| match self.scopes[s].kind {
                ScopeKind::Loop(var) if used.contains(&var) => Some(var),
                _ => None,
            })
            .collect();
        let scope = self.scope_of_vars(&loops);
        let row = names::loop_row(self.model, &loops);
        // The same value in the same place is one column.
        let key = format!("column {value:?} {row}");
        if let Some(&node) = self.memo.get(&(scope, key.clone())) {
            return node;
        }
        let node = self.fresh(Op::Column(columns.len(), row), scope, name);
        columns.push(Column { loops, value });
        self.memo.insert((scope, key), node);
        node
    }

    /// Lowers an expression onto the tape.
    fn expr(&mut self, expr: &Expr, columns: &mut Vec<Column>) -> NodeId {
        if self.is_column(expr) {
            return self.column(ColumnValue::Expr(expr.clone()), "column", columns);
        }
        match &expr.kind {
            ExprKind::Number(x) => self.node(Op::Constant(*x), 0, "number"),
            ExprKind::Size(dim) => {
                let size = names::size(self.model, *dim);
                self.node(Op::Count(quote!(#size as f64)), 0, &format!("size_{}", self.model.dim_name(*dim)))
            }
            ExprKind::Var(var) => {
                let name = names::var(self.model, *var);
                let scope = self.scope_of_vars(&[*var]);
                self.node(Op::Count(quote!(#name as f64)), scope, &format!("{name}_number"))
            }
            ExprKind::Data(arg, index) => self.data(*arg, index, columns),
            ExprKind::Site(site, index) => self.site(*site, index, columns),
            ExprKind::Local(local) => {
                self.locals.get(local).copied().unwrap_or_else(|| unreachable!("a local is lowered before its readers"))
            }
            ExprKind::Binary(op, left, right) => {
                let args = [self.expr(left, columns), self.expr(right, columns)];
                let scope = self.deepest(&args);
                self.node(Op::Binary(*op, args[0], args[1]), scope, "value")
            }
            ExprKind::Neg(inner) => {
                let inner = self.expr(inner, columns);
                let scope = self.deepest(&[inner]);
                self.node(Op::Neg(inner), scope, "value")
            }
            ExprKind::Powi(inner, k) => {
                let inner = self.expr(inner, columns);
                let scope = self.deepest(&[inner]);
                self.node(Op::Powi(inner, *k), scope, "power")
            }
            ExprKind::Function(function, args) => {
                let args: Vec<NodeId> = args.iter().map(|arg| self.expr(arg, columns)).collect();
                let scope = self.deepest(&args);
                self.node(Op::Call(*function, args), scope, function.word())
            }
            ExprKind::User(path, args) => {
                let args: Vec<NodeId> = args.iter().map(|arg| self.expr(arg, columns)).collect();
                let scope = self.deepest(&args);
                let word = path.segments.last().map_or_else(|| "user".to_owned(), |s| s.ident.to_string());
                self.node(Op::User(path.clone(), args), scope, &format!("{word}_value"))
            }
            ExprKind::If(condition, then, otherwise) => {
                let condition = self.condition(condition);
                let then = self.block(ScopeKind::Branch, then, columns);
                let otherwise = self.block(ScopeKind::Branch, otherwise, columns);
                self.node(Op::If { condition, then, otherwise }, self.current, "choice")
            }
            ExprKind::Indicator(condition) => {
                let condition = self.condition(condition);
                self.node(Op::Count(quote!(f64::from(u8::from(#condition)))), self.current, "indicator")
            }
            ExprKind::Reduce { kind, var, body, product } => {
                if *product && let Some(node) = self.matrix_product(*var, body) {
                    return node;
                }
                let word = if *kind == Reduce::Sum { "sum" } else { "log_sum_exp" };
                let body = self.block(ScopeKind::Reduce(*var), body, columns);
                self.node(Op::Reduce { kind: *kind, var: *var, body }, self.current, word)
            }
            ExprKind::LogProb(family, params, value) => {
                let terms = self.density(family, params, &Value::Expr(value), false, columns);
                let mut sum: Option<NodeId> = None;
                for (plus, node) in terms {
                    sum = Some(match (sum, plus) {
                        (None, true) => node,
                        (None, false) => {
                            let scope = self.deepest(&[node]);
                            self.node(Op::Neg(node), scope, "log_prob")
                        }
                        (Some(sum), plus) => {
                            let scope = self.deepest(&[sum, node]);
                            let op = if plus { Operator::Add } else { Operator::Sub };
                            self.node(Op::Binary(op, sum, node), scope, "log_prob")
                        }
                    });
                }
                sum.unwrap_or_else(|| self.node(Op::Constant(0.0), 0, "number"))
            }
            ExprKind::Assert(_, inner) => self.expr(inner, columns),
        }
    }

    /// An expression in a scope of its own.
    fn block(&mut self, kind: ScopeKind, body: &Expr, columns: &mut Vec<Column>) -> (ScopeId, NodeId) {
        let scope = self.open(kind);
        let value = self.expr(body, columns);
        self.close(scope);
        (scope, value)
    }

    fn condition(&self, condition: &Condition) -> TokenStream {
        super::scalar::condition(self.model, condition, super::scalar::Source::Fields)
    }

    /// Whether an expression is worth a column: arithmetic on data alone, under plain loops.
    fn is_column(&self, expr: &Expr) -> bool {
        let arithmetic = !matches!(
            expr.kind,
            ExprKind::Number(_)
                | ExprKind::Size(_)
                | ExprKind::Var(_)
                | ExprKind::Data(..)
                | ExprKind::Site(..)
                | ExprKind::Local(_)
                | ExprKind::Assert(..)
        );
        if !arithmetic || !super::scalar::is_data(self.model, expr) {
            return false;
        }
        // Names bound by a sum around it would make the column as large as all its rows.
        let mut used = BTreeSet::new();
        super::scalar::vars(self.model, expr, &mut used);
        self.chain().into_iter().all(|s| match self.scopes[s].kind {
            ScopeKind::Reduce(var) => !used.contains(&var),
            _ => true,
        })
    }

    /// `dot(x[n], w)` over the plate as a matrix product.
    fn matrix_product(&mut self, var: VarId, body: &Expr) -> Option<NodeId> {
        let ExprKind::Binary(Operator::Mul, a, b) = &body.kind else { return None };
        let (data, site) = match (&a.kind, &b.kind) {
            (ExprKind::Data(arg, x), ExprKind::Site(site, w)) | (ExprKind::Site(site, w), ExprKind::Data(arg, x)) => {
                ((*arg, x), (*site, w))
            }
            _ => return None,
        };
        let plate = self.plate?;
        let ((arg, x), (site, w)) = (data, site);
        let var_of = |index: &Index| match index {
            Index::Affine(affine) => affine.as_var(),
            Index::Gather(..) => None,
        };
        if x.len() != 2 || var_of(&x[0]) != Some(plate) || var_of(&x[1]) != Some(var) {
            return None;
        }
        if matches!(self.model.args[arg].kind, ArgKind::Index(_)) || self.defines(site) {
            return None;
        }
        let whole = |v: VarId, dim: usize| {
            let v = &self.model.vars[v];
            v.from.as_constant() == Some(0) && v.to.as_size() == Some(dim)
        };
        let columns = match w.as_slice() {
            [k] if var_of(k) == Some(var) => None,
            [c, k] if var_of(k) == Some(var) => {
                let column = var_of(c)?;
                let inner_loop = self.chain().into_iter().any(|s| self.scopes[s].kind == ScopeKind::Loop(column));
                if column == plate || !inner_loop || !whole(column, self.model.sites[site].dims[0]) {
                    return None;
                }
                Some(column)
            }
            _ => return None,
        };
        if self.model.sites[site].kind == SiteKind::Quantity {
            self.reads.insert(site);
        }
        let index = if let Some(index) = self.products.iter().position(|p| p.arg == arg && p.site == site && p.columns == columns)
        {
            index
        } else {
            self.products.push(MatrixProduct { arg, site, columns });
            self.products.len() - 1
        };
        let name = names::var(self.model, plate);
        let from = &self.model.vars[plate].from;
        let row = if let Some(0) = from.as_constant() {
            quote!(#name)
        } else {
            let from = names::affine(self.model, from);
            quote!(#name - (#from))
        };
        let columns_tokens = |p: &MatrixProduct| if let Some(v) = p.columns { names::length(self.model, v) } else { quote!(1) };
        let before: Vec<TokenStream> = self.products[..index].iter().map(columns_tokens).collect();
        let before = if before.is_empty() { quote!(0) } else { quote!(#(#before)+*) };
        let own = columns_tokens(&self.products[index]);
        let column = columns.map_or_else(|| quote!(0), |v| names::var(self.model, v).to_token_stream());
        let scope = self.scope_of_vars(&columns.into_iter().chain([plate]).collect::<Vec<_>>());
        let site_name = self.model.sites[site].name.to_string();
        Some(self.node(Op::Product { place: quote!(#before, #own), row, column }, scope, &format!("dot_{site_name}")))
    }

    /// Whether this body computes a quantity.
    fn defines(&self, site: SiteId) -> bool {
        self.stored.keys().any(|(stored, _)| *stored == site)
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
        Family::Truncated(_) | Family::User(..) => Some((0..params).collect()),
    }
}

fn has_base(family: &Family) -> bool {
    match family {
        Family::Catalogue(entry) | Family::Truncated(entry) => entry.base,
        Family::User(..) => true,
    }
}

fn has_kernel(family: &Family) -> bool {
    match family {
        Family::Catalogue(entry) => entry.shape == Shape::Univariate,
        Family::Truncated(_) | Family::User(..) => true,
    }
}
