//! Statements on the tape: densities cut in three, stores, factors and loops.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Column, ColumnValue, Item, NodeId, Op, Operand, ScopeKind, Tape, Value, has_base, has_kernel, normalizer};
use crate::catalogue::{Entry, Shape};
use crate::expand::names;
use crate::ir::lower::element;
use crate::ir::{
    Affine, Density, Expr, ExprKind, Family, Function, Index, LocalId, Operator, Reduce, SiteId, SiteKind, Stmt, StmtKind, Term,
    VarId, Vector,
};

impl<'m> Tape<'m> {
    pub(super) fn statement(&mut self, stmt: &'m Stmt, columns: &mut Vec<Column>) {
        match &stmt.kind {
            StmtKind::For { var, body } => {
                let scope = self.open(ScopeKind::Loop(*var));
                for stmt in body {
                    self.statement(stmt, columns);
                }
                self.close(scope);
                self.push(Item::Loop(scope));
            }
            StmtKind::Discrete(_) => self.expectation(&[], stmt, columns),
            StmtKind::Expected { over, body } => body.iter().for_each(|stmt| self.expectation(over, stmt, columns)),
            StmtKind::Sum(block) => {
                let node = self.summed(block, columns);
                let row = names::loop_row(self.model, &self.model.factors[block.factor].loops);
                self.push(Item::Factor { factor: block.factor, row, terms: vec![(true, node)], mask: None });
            }
            // What reads discrete latents has a value for each of theirs.
            StmtKind::Local { local, .. } if !self.model.locals[*local].over.is_empty() => {}
            StmtKind::Local { local, value } => self.local(*local, value, columns),
            StmtKind::Quantity { site, index, value } => {
                let node = self.expr(value, columns);
                let row = names::row(self.model, *site, index);
                self.name(node, &names::element_name(self.model, &self.model.sites[*site].name, index));
                self.stored.insert((*site, row.to_string()), node);
                self.push(Item::Store { site: Some(*site), row, value: node });
            }
            StmtKind::Operation { site, index, operation, operands } => {
                let operands = operands.iter().map(|operand| self.operand(operand, &quote!(1), columns)).collect();
                let (row, length) = (
                    names::row(self.model, *site, index),
                    names::trailing(self.model, &self.model.sites[*site].dims, index.len()),
                );
                // The derivative is computed from what is stored.
                self.reads.insert(*site);
                self.push(Item::Operation { operation, row, length, operands });
            }
            StmtKind::Ode(block) => self.ode(block, columns),
            StmtKind::Start { component, index, value } => {
                let (solver, place, value) = self.equation(*component, index, value, columns);
                self.push(Item::Start { solver, place, value });
            }
            StmtKind::Derivative { component, index, value } => {
                let (solver, place, value) = self.equation(*component, index, value, columns);
                self.push(Item::Derivative { solver, place, value });
            }
            // Where it starts is known when the model is bound.
            StmtKind::Param { .. } => {}
            StmtKind::Factor { factor, value } => {
                let node = self.expr(value, columns);
                let row = names::loop_row(self.model, &self.model.factors[*factor].loops);
                self.push(Item::Factor { factor: *factor, row, terms: vec![(true, node)], mask: None });
            }
            StmtKind::Sample { site, index, distribution, factor } => {
                let row = names::loop_row(self.model, &self.model.factors[*factor].loops);
                let mask = distribution.mask.as_ref().map(|mask| self.expr(mask, columns));
                match &distribution.density {
                    Density::Univariate { family, params } => {
                        let terms = self.density(family, params, &Value::Site(*site, index), true, columns);
                        self.push(Item::Factor { factor: *factor, row, terms, mask });
                    }
                    Density::Ordered { family, params, axis } => {
                        let terms = self.ordered((*site, index), (family, params), *axis, columns);
                        self.push(Item::Factor { factor: *factor, row, terms, mask });
                    }
                    Density::Mixture { weights, var, family, params } => {
                        let node = self.mixture((*site, index), weights, *var, (family, params), columns);
                        self.push(Item::Factor { factor: *factor, row, terms: vec![(true, node)], mask });
                    }
                    Density::Listed { weights, components, .. } => {
                        let node = self.listed((*site, index), weights, components, columns);
                        self.push(Item::Factor { factor: *factor, row, terms: vec![(true, node)], mask });
                    }
                    Density::Multivariate { entry, parameters, .. } => {
                        let (value, parameters) = self.operands((*site, index), entry, parameters, columns);
                        self.push(Item::VectorFactor { factor: *factor, row, entry, value, parameters, mask });
                    }
                }
            }
        }
    }

    /// The value and the parameters of a density of arrays.
    pub(super) fn operands(
        &mut self,
        (site, index): (SiteId, &[Index]),
        entry: &Entry,
        parameters: &[Vector],
        columns: &mut Vec<Column>,
    ) -> (Operand, Vec<Operand>) {
        let value = self.value_operand(site, index, entry.event_rank, columns);
        // One number stands for as many as the value has, or for itself.
        let repeats = match (entry.shape, &value) {
            (Shape::Multiparameter, _) => quote!(1),
            (_, Operand::Rows(_, size) | Operand::Data(_, _, size) | Operand::Repeated(_, size)) => size.clone(),
        };
        let parameters = parameters.iter().map(|p| self.operand(p, &repeats, columns)).collect();
        (value, parameters)
    }

    pub(super) fn local(&mut self, local: LocalId, value: &Expr, columns: &mut Vec<Column>) {
        let node = self.expr(value, columns);
        self.name(node, &self.model.locals[local].name.to_string());
        self.locals.insert(local, node);
    }

    /// Independent draws, sorted: `ln K!` and the sum over the last axis.
    pub(super) fn ordered(
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

    /// `log_sum_exp` over the components of the logarithm of their weight and their log density.
    pub(super) fn mixture(
        &mut self,
        (site, index): (SiteId, &[Index]),
        weights: &Vector,
        var: VarId,
        (family, params): (&Family, &[Expr]),
        columns: &mut Vec<Column>,
    ) -> NodeId {
        let span = self.model.sites[site].name.span();
        let weight = element(weights, Affine::term(Term::Var(var)), span);
        let body = self.component((site, index), weight, (family, params));
        let kind = ExprKind::Reduce { kind: Reduce::LogSumExp, var, body: Box::new(body), product: false };
        self.expr(&Expr { kind, span }, columns)
    }

    /// The same of components that are listed.
    pub(super) fn listed(
        &mut self,
        (site, index): (SiteId, &[Index]),
        weights: &Vector,
        components: &[(Family, Vec<Expr>)],
        columns: &mut Vec<Column>,
    ) -> NodeId {
        let span = self.model.sites[site].name.span();
        let mut all = (0..).zip(components).map(|(k, (family, params))| {
            let weight = element(weights, Affine::constant(k), span);
            self.component((site, index), weight, (family, params))
        });
        let first = all.next().unwrap_or(Expr { kind: ExprKind::Number(f64::NEG_INFINITY), span });
        let join = |left, right| Expr { kind: ExprKind::Function(Function::LogSumExp, vec![left, right]), span };
        let sum = all.fold(first, join);
        self.expr(&sum, columns)
    }

    /// The logarithm of the weight of a component and its log density at the value of a site.
    fn component(&self, (site, index): (SiteId, &[Index]), weight: Expr, (family, params): (&Family, &[Expr])) -> Expr {
        let of = |kind: ExprKind| Expr { kind, span: self.model.sites[site].name.span() };
        let value = match self.model.sites[site].kind {
            SiteKind::Observed(_) => self.observed_expr(site, index),
            _ => of(ExprKind::Site(site, index.to_vec())),
        };
        let weight = of(ExprKind::Function(Function::Ln, vec![weight]));
        let density = of(ExprKind::LogProb(family.clone(), params.to_vec(), Box::new(value)));
        of(ExprKind::Binary(Operator::Add, Box::new(weight), Box::new(density)))
    }

    /// The terms of a log density: kernel, base, and minus the normalizer.
    pub(super) fn density(
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
            // What differs from lane to lane, or from term to term of a sum, is computed where it is read.
            let expr = match value {
                Value::Site(site, index) => self.observed_expr(*site, index),
                Value::Expr(expr) => (*expr).clone(),
            };
            let base = if self.nodes[args[0]].varies || self.is_summed(&expr) {
                let scope = self.nodes[args[0]].scope;
                self.node(Op::Base(family.clone(), args[0]), scope, &format!("{word}_base"))
            } else {
                self.column(ColumnValue::Base(family.clone(), expr), &format!("{word}_base"), columns)
            };
            terms.push((true, base));
        }
        if let Some(reads) = normalizer(family, params.len()) {
            let of_terms = self.of_terms(&reads.iter().map(|&i| &params[i]).collect::<Vec<_>>());
            if let (Some(var), false) = (of_terms, contribution) {
                let key = format!("normalizer {family:?} {params:?}");
                let node = self.tabled(&key, var, &format!("{word}_normalizer"), |tape| {
                    // What the normalizer does not read may differ between rows.
                    let zero = Expr { kind: ExprKind::Number(0.0), span: params[reads[0]].span };
                    let read = |(i, param)| if reads.contains(&i) { param } else { &zero };
                    let args: Vec<NodeId> = params.iter().enumerate().map(read).map(|param| tape.expr(param, columns)).collect();
                    let scope = tape.deepest(&args);
                    tape.fresh(Op::Normalizer(family.clone(), args), scope, &format!("{word}_normalizer"))
                });
                terms.push((false, node));
                return terms;
            }
            let read: Vec<NodeId> = reads.iter().map(|&i| args[i + 1]).collect();
            let varies = read.iter().any(|&node| self.nodes[node].varies);
            // A part of the log joint is summed at the loop level of its parameters; a number is needed where it stands.
            let node = if varies || !self.loops_only(&read) {
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

    pub(super) fn observed_expr(&self, site: SiteId, index: &[Index]) -> Expr {
        let site = &self.model.sites[site];
        let kind = match site.kind {
            SiteKind::Observed(arg) => ExprKind::Data(arg, index.to_vec()),
            _ => ExprKind::Number(0.0),
        };
        Expr { kind, span: site.name.span() }
    }

    pub(super) fn value_operand(
        &mut self,
        site: SiteId,
        index: &[Index],
        event_rank: usize,
        columns: &mut Vec<Column>,
    ) -> Operand {
        let known = &self.model.sites[site];
        if event_rank == 0 {
            let node = self.site(site, index, columns);
            return Operand::Repeated(node, quote!(1));
        }
        let size = names::trailing(self.model, &known.dims, index.len());
        match known.kind {
            SiteKind::Observed(arg) => self.data_operand(arg, index, size),
            _ => Operand::Rows(names::row(self.model, site, index), size),
        }
    }

    pub(super) fn data_operand(&self, arg: usize, index: &[Index], size: TokenStream) -> Operand {
        let arg = &self.model.args[arg];
        let name = names::field(&arg.name);
        if self.model.is_input(arg) {
            let at = names::flat(self.model, index, &arg.dims);
            return Operand::Rows(quote!(self.#name + #at), size);
        }
        Operand::Data(quote!(self.#name), names::flat(self.model, index, &arg.dims), size)
    }

    /// A parameter of a density of vectors, or an operand of an operation.
    fn operand(&mut self, operand: &Vector, repeats: &TokenStream, columns: &mut Vec<Column>) -> Operand {
        match operand {
            Vector::Site(site, index) => {
                let known = &self.model.sites[*site];
                if let SiteKind::Observed(arg) = known.kind {
                    return self.data_operand(arg, index, names::trailing(self.model, &known.dims, index.len()));
                }
                if known.kind == SiteKind::Quantity {
                    self.reads.insert(*site);
                }
                Operand::Rows(names::row(self.model, *site, index), names::trailing(self.model, &known.dims, index.len()))
            }
            Vector::Data(arg, index) => {
                self.data_operand(*arg, index, names::trailing(self.model, &self.model.args[*arg].dims, index.len()))
            }
            Vector::Repeat(expr) => Operand::Repeated(self.expr(expr, columns), repeats.clone()),
        }
    }
}
