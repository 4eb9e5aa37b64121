//! Expressions on the tape: each value at the loop level of its indices, what is of data alone as a column, products as matrix products.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{Column, ColumnValue, MatrixProduct, NodeId, Op, ScopeId, ScopeKind, Tape, Value, normalizer, vars_of};
use crate::expand::names;
use crate::ir::{ArgKind, Condition, Expr, ExprKind, Index, Operator, Reduce, SiteId, SiteKind, VarId};

impl Tape<'_> {
    /// A site at an index: data, a latent, or a quantity.
    pub(super) fn site(&mut self, site: SiteId, index: &[Index], columns: &mut Vec<Column>) -> NodeId {
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
        if known.values.is_some() {
            return self.node(Op::Input(row), scope, &name);
        }
        let gathered = index.iter().any(|index| matches!(index, Index::Gather(..)));
        self.node(Op::Load { row, gathered }, scope, &name)
    }

    pub(super) fn data(&mut self, arg: usize, index: &[Index], _columns: &mut Vec<Column>) -> NodeId {
        let model = self.model;
        let known = &model.args[arg];
        let name = names::element_name(model, &known.name, index);
        let field = names::field(&known.name);
        let at = names::flat(model, index, &known.dims);
        let element = if known.dims.is_empty() { quote!(self.#field) } else { quote!(self.#field[#at]) };
        let scope = self.scope_of_vars(&vars_of(index));
        let op = match known.kind {
            _ if model.is_input(known) => Op::Input(quote!(self.#field + #at)),
            ArgKind::Index(_) => Op::Count(quote!(#element as f64)),
            _ => Op::Data(element),
        };
        self.node(op, scope, &name)
    }

    /// A value of data alone that is computed when the model is bound.
    pub(super) fn column(&mut self, value: ColumnValue, name: &str, columns: &mut Vec<Column>) -> NodeId {
        let mut used = BTreeSet::new();
        let mut visit = |expr: &Expr| {
            crate::expand::scalar::vars(self.model, expr, &mut used);
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
    pub(super) fn expr(&mut self, expr: &Expr, columns: &mut Vec<Column>) -> NodeId {
        if self.is_column(expr) {
            return self.column(ColumnValue::Expr(expr.clone()), "column", columns);
        }
        if let Some(entry) = self.entry(expr, columns) {
            return entry;
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
            ExprKind::Component(component, index) => self.solution(*component, index),
            ExprKind::Local(local) if !self.model.locals[*local].over.is_empty() => {
                let value = self.model.locals[*local].value.clone();
                self.expr(&value, columns)
            }
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
            ExprKind::Indicator(condition) if !crate::expand::scalar::is_data(self.model, expr) => {
                self.indicator(condition, columns)
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
                self.node(Op::Reduce { kind: *kind, var: *var, body, choice: None }, self.current, word)
            }
            ExprKind::LogProb(family, params, value) => {
                let terms = self.density(family, params, &Value::Expr(value), false, columns);
                self.signed_total(terms)
            }
            ExprKind::Assert(_, inner) => self.expr(inner, columns),
        }
    }

    /// An expression in a scope of its own.
    pub(super) fn block(&mut self, kind: ScopeKind, body: &Expr, columns: &mut Vec<Column>) -> (ScopeId, NodeId) {
        let scope = self.open(kind);
        let value = self.expr(body, columns);
        self.close(scope);
        (scope, value)
    }

    pub(super) fn condition(&self, condition: &Condition) -> TokenStream {
        crate::expand::scalar::condition(self.model, condition, crate::expand::scalar::Source::Fields)
    }

    /// A condition on inputs of a row as a number of each lane: one or zero.
    fn indicator(&mut self, condition: &Condition, columns: &mut Vec<Column>) -> NodeId {
        let one = |tape: &mut Self| tape.node(Op::Constant(1.0), 0, "number");
        let (op, args) = match condition {
            Condition::Compare(comparison, left, right) => {
                let args = [self.expr(left, columns), self.expr(right, columns)];
                (Op::Compare(*comparison, args[0], args[1]), args)
            }
            Condition::And(left, right) => {
                let args = [self.indicator(left, columns), self.indicator(right, columns)];
                (Op::Binary(Operator::Mul, args[0], args[1]), args)
            }
            // Either holds where not both fail.
            Condition::Or(left, right) => {
                let neither = Condition::And(Box::new(Condition::Not(left.clone())), Box::new(Condition::Not(right.clone())));
                return self.indicator(&Condition::Not(Box::new(neither)), columns);
            }
            Condition::Not(inner) => {
                let args = [one(self), self.indicator(inner, columns)];
                (Op::Binary(Operator::Sub, args[0], args[1]), args)
            }
            Condition::Constant(value) => return self.node(Op::Constant(f64::from(u8::from(*value))), 0, "number"),
        };
        let scope = self.deepest(&args);
        self.node(op, scope, "indicator")
    }

    /// Whether an expression is worth a column: arithmetic on data alone, under plain loops.
    pub(super) fn is_column(&self, expr: &Expr) -> bool {
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
        if !arithmetic || !crate::expand::scalar::is_data(self.model, expr) {
            return false;
        }
        // Names bound by a sum around it would make the column as large as all its rows.
        !self.is_summed(expr)
    }

    /// `dot(x[n], w)` over the plate as a matrix product.
    pub(super) fn matrix_product(&mut self, var: VarId, body: &Expr) -> Option<NodeId> {
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
        let known = &self.model.args[arg];
        if matches!(known.kind, ArgKind::Index(_)) || self.model.is_input(known) || self.defines(site) {
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
    pub(super) fn defines(&self, site: SiteId) -> bool {
        self.stored.keys().any(|(stored, _)| *stored == site)
    }
}
