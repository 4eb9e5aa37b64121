//! What a `sum` block is on the tape: the logarithm of a sum, over the values, of the densities of all that depends on them.

use std::collections::BTreeSet;

use super::{Column, Item, Nest, NodeId, Op, ScopeId, ScopeKind, Tape, Value};
use crate::expand::graph::of_statement;
use crate::expand::{names, scalar};
use crate::ir::lower::{log_prior, prior_prob};
use crate::ir::{Chain, Density, Expr, ExprKind, Function, Operator, Reduce, Stmt, StmtKind, SumBlock, VarId};

/// What a value that cannot be contributes, instead of minus infinity: the least probability times it is nothing. `NaN` is not above it, and stays.
const FLOOR: f64 = -1e20;

impl Tape<'_> {
    /// `ln sum_k p(k) p(body | k)`; of a chain, the sum is over all its paths.
    pub(super) fn summed(&mut self, block: &SumBlock, columns: &mut Vec<Column>) -> NodeId {
        let SumBlock { sum, var, prior, chain, body, .. } = block;
        let (row, name) =
            (names::loop_row(self.model, &self.model.sums[*sum].loops), format!("over_{}", self.model.sums[*sum].name));
        let Some(Chain { time, before, step }) = chain else {
            let scope = self.open(ScopeKind::Reduce(*var));
            let prior = self.expr(&log_prior(prior, *var), columns);
            let terms = self.terms(body, columns);
            let total = self.total([prior].into_iter().chain(terms));
            self.close(scope);
            let (kind, choice) = (Reduce::LogSumExp, Some((*sum, row)));
            return self.node(Op::Reduce { kind, var: *var, body: (scope, total), choice }, self.current, &name);
        };
        let start = self.nest(&[*var], |tape| tape.expr(&prior_prob(prior, *var), columns));
        let probability = prior_prob(step, *var);
        let mut used = BTreeSet::new();
        scalar::vars(self.model, &probability, &mut used);
        // Transitions that are the same at all steps are computed once.
        let loops: &[VarId] = if used.contains(time) { &[*time, *before, *var] } else { &[*before, *var] };
        let step = self.nest(loops, |tape| tape.expr(&probability, columns));
        let emission = self.nest(&[*time, *var], |tape| {
            let terms = tape.terms(body, columns);
            tape.total(terms)
        });
        let chain = Op::Chain { sum: *sum, choice: row, time: *time, before: *before, value: *var, start, step, emission };
        self.fresh(chain, self.current, &name)
    }

    /// A value within loops.
    fn nest(&mut self, loops: &[VarId], value: impl FnOnce(&mut Self) -> NodeId) -> Nest {
        let scopes: Vec<ScopeId> = loops.iter().map(|&var| self.open(ScopeKind::Reduce(var))).collect();
        let value = value(self);
        scopes.iter().rev().for_each(|&scope| self.close(scope));
        Nest { scopes, value }
    }

    /// A statement as a factor: its expectation over the values of the discrete latents that it reads.
    pub(super) fn expectation(&mut self, over: &[VarId], stmt: &Stmt, columns: &mut Vec<Column>) {
        let own = match &stmt.kind {
            StmtKind::Discrete(block) => Some(block.var),
            _ => None,
        };
        let vars: Vec<VarId> = over.iter().copied().chain(own).collect();
        let (factor, node) = (of_statement(stmt), self.weighted(&vars, stmt, columns));
        let row = names::loop_row(self.model, &self.model.factors[factor].loops);
        self.push(Item::Factor { factor, row, terms: vec![(true, node)], mask: None });
    }

    /// `sum_k q(k) term(k)`
    fn weighted(&mut self, vars: &[VarId], stmt: &Stmt, columns: &mut Vec<Column>) -> NodeId {
        let Some((&var, inner)) = vars.split_first() else {
            let floor = self.node(Op::Constant(FLOOR), 0, "number");
            let Some(term) = self.term(stmt, columns) else { return floor };
            let scope = self.deepest(&[term]);
            return self.node(Op::Call(Function::Max, vec![floor, term]), scope, "term");
        };
        let scope = self.open(ScopeKind::Reduce(var));
        let probability = self.model.probability_of(var, self.model.vars[var].name.span());
        let probability = probability.unwrap_or_else(|| unreachable!("the values of a discrete latent have probabilities"));
        let args = [self.expr(&probability, columns), self.weighted(inner, stmt, columns)];
        let product_scope = self.deepest(&args);
        let product = self.node(Op::Binary(Operator::Mul, args[0], args[1]), product_scope, "term");
        self.close(scope);
        let name = format!("expected_over_{}", self.model.vars[var].name);
        self.node(Op::Reduce { kind: Reduce::Sum, var, body: (scope, product), choice: None }, self.current, &name)
    }

    /// What the statements of a block add to the log density.
    fn terms(&mut self, body: &[Stmt], columns: &mut Vec<Column>) -> Vec<NodeId> {
        body.iter().filter_map(|stmt| self.term(stmt, columns)).collect()
    }

    fn term(&mut self, stmt: &Stmt, columns: &mut Vec<Column>) -> Option<NodeId> {
        match &stmt.kind {
            StmtKind::Local { local, value } => {
                self.local(*local, value, columns);
                None
            }
            StmtKind::Factor { value, .. } => Some(self.expr(value, columns)),
            StmtKind::Sum(block) => Some(self.summed(block, columns)),
            StmtKind::For { var, body } => {
                let scope = self.open(ScopeKind::Reduce(*var));
                let terms = self.terms(body, columns);
                let total = self.total(terms);
                self.close(scope);
                let reduce = Op::Reduce { kind: Reduce::Sum, var: *var, body: (scope, total), choice: None };
                Some(self.node(reduce, self.current, "log_prob"))
            }
            StmtKind::Sample { distribution, .. } => {
                let Some(mask) = &distribution.mask else { return Some(self.log_density(stmt, columns)) };
                let ExprKind::Indicator(condition) = &mask.kind else { unreachable!("a mask is a condition") };
                if !scalar::is_data(self.model, mask) {
                    let args = [self.expr(mask, columns), self.log_density(stmt, columns)];
                    let scope = self.deepest(&args);
                    return Some(self.node(Op::Binary(Operator::Mul, args[0], args[1]), scope, "log_prob"));
                }
                let condition = self.condition(condition);
                let scope = self.open(ScopeKind::Branch);
                let density = self.log_density(stmt, columns);
                self.close(scope);
                let nothing = Expr { kind: ExprKind::Number(0.0), span: mask.span };
                let otherwise = self.block(ScopeKind::Branch, &nothing, columns);
                Some(self.node(Op::If { condition, then: (scope, density), otherwise }, self.current, "log_prob"))
            }
            StmtKind::Discrete(block) => {
                // With minus the logarithm of the probability: what is expected of that is the entropy.
                let span = block.prior.span;
                let probability = self.model.probability_of(block.var, span)?;
                let of = |kind: ExprKind| Box::new(Expr { kind, span });
                let information = of(ExprKind::Function(Function::Ln, vec![probability]));
                let prior = Box::new(log_prior(&block.prior, block.var));
                Some(self.expr(&of(ExprKind::Binary(Operator::Sub, prior, information)), columns))
            }
            // Refused within a sum.
            StmtKind::Ode(_)
            | StmtKind::Start { .. }
            | StmtKind::Derivative { .. }
            | StmtKind::Expected { .. }
            | StmtKind::Quantity { .. }
            | StmtKind::Operation { .. }
            | StmtKind::Param { .. } => None,
        }
    }

    /// The log density of a statement as one value.
    fn log_density(&mut self, stmt: &Stmt, columns: &mut Vec<Column>) -> NodeId {
        let StmtKind::Sample { site, index, distribution, .. } = &stmt.kind else { unreachable!("a density is of a statement") };
        let terms = match &distribution.density {
            Density::Univariate { family, params } => self.density(family, params, &Value::Site(*site, index), false, columns),
            Density::Ordered { family, params, axis } => self.ordered((*site, index), (family, params), *axis, columns),
            Density::Mixture { weights, var, family, params } => {
                vec![(true, self.mixture((*site, index), weights, *var, (family, params), columns))]
            }
            Density::Listed { weights, components, .. } => {
                vec![(true, self.listed((*site, index), weights, components, columns))]
            }
            Density::Multivariate { entry, parameters, .. } => {
                let (value, parameters) = self.operands((*site, index), entry, parameters, columns);
                vec![(true, self.fresh(Op::Joint { entry, value, parameters }, self.current, "log_prob"))]
            }
        };
        self.signed_total(terms)
    }

    fn total(&mut self, terms: impl IntoIterator<Item = NodeId>) -> NodeId {
        self.signed_total(terms.into_iter().map(|node| (true, node)))
    }

    /// Terms with their signs, added up.
    pub(super) fn signed_total(&mut self, terms: impl IntoIterator<Item = (bool, NodeId)>) -> NodeId {
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
}
