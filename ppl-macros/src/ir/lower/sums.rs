//! `sum k in K ~ Categorical(w) { .. }`: a discrete variable that is summed out, with all that depends on it; and chains of such.

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::distributions::Lowered;
use super::{Entity, Lowering};
use crate::catalogue::Support;
use crate::ir::{
    Affine, Chain, Density, DimId, Distribution, Expr, ExprKind, Function, Operator, Reduce, Stmt, StmtKind, Sum, SumBlock, Term,
    ValueOf, VarId,
};
use crate::syntax::Range;
use crate::{messages, syntax};

impl Lowering<'_> {
    pub(super) fn sum(
        &mut self,
        var: &Ident,
        range: &Range,
        distribution: &syntax::Expr,
        body: &[syntax::Stmt],
        text: String,
    ) -> Option<Stmt> {
        self.may_sum(var)?;
        let (over, known) = (self.range(range), self.names.len());
        let prior = self.prior(var, whole(range, over.as_ref()), distribution);
        let free = self.free(var);
        let factor = self.factor(one_line(&text), None);
        let id = self.bound(var, range, over.clone());
        if free {
            self.names.push((var.clone(), Entity::Var(id)));
        }
        let (sum, body) = self.block(var, &[id], factor, body.iter());
        self.leave(known);
        over?;
        let block = SumBlock { sum, var: id, prior: prior?, chain: None, body, factor };
        Some(Stmt { kind: StmtKind::Sum(Box::new(block)), text })
    }

    pub(super) fn chained(
        &mut self,
        (var, range): (&Ident, &Range),
        (time, times): (&Ident, &Range),
        body: &[syntax::Stmt],
        text: String,
    ) -> Option<Stmt> {
        self.may_sum(var)?;
        let (over, steps, known) = (self.range(range), self.range(times), self.names.len());
        let dim = whole(range, over.as_ref());
        let free = [self.free(var), self.free(time)];
        let first = match times {
            Range::Dim(_) => "0".to_owned(),
            Range::Between { from, .. } => from.to_string(),
        };
        let (starts, later) = self.drawn(var, (time, &first), steps.as_ref().map(|(from, ..)| from), body);
        let prior = starts.and_then(|distribution| self.prior(var, dim, distribution));
        let factor = self.factor(one_line(&text), None);
        let id = self.bound(time, times, steps.clone());
        let values = [0, 1].map(|back| {
            let name = if back == 0 { var.clone() } else { format_ident!("__{}_before", var) };
            let value = self.bound(&name, range, over.clone());
            self.model.vars[value].value_of = Some(ValueOf::State { chain: var.clone(), time: id, back });
            value
        });
        if free[1] {
            self.names.push((time.clone(), Entity::Var(id)));
        }
        // The distribution of a step reads the value before it, all else its own.
        let state = |back: i64, value: VarId| (var.clone(), Entity::State { time: id, value, back });
        self.names.push(state(1, values[1]));
        self.loops.extend([id, values[1]]);
        let step = later.and_then(|distribution| self.prior(var, dim, distribution));
        self.loops.truncate(self.loops.len() - 2);
        self.names.pop();
        if free[0] {
            self.names.push(state(0, values[0]));
        }
        let observed = body.iter().filter(|stmt| !is_about(stmt, var));
        let (sum, body) = self.block(var, &[id, values[0]], factor, observed);
        self.leave(known);
        over?;
        steps?;
        let chain = Some(Chain { time: id, before: values[1], step: step? });
        let block = SumBlock { sum, var: values[0], prior: prior?, chain, body, factor };
        Some(Stmt { kind: StmtKind::Sum(Box::new(block)), text })
    }

    /// Whether something may be summed out here by this name; if not, says so.
    fn may_sum(&mut self, var: &Ident) -> Option<()> {
        if self.model.guide.is_some() {
            self.error(var.span(), messages::GUIDE_SUM);
            return None;
        }
        if self.model.sums.iter().any(|sum| sum.name == *var) {
            self.error(var.span(), messages::sum_twice(var));
        }
        Some(())
    }

    /// An index variable over a range, perhaps one that was not understood.
    fn bound(&mut self, name: &Ident, range: &Range, over: Option<(Affine, Affine, Option<DimId>)>) -> VarId {
        let (from, to, dim) = over.unwrap_or_default();
        let id = self.fresh_var(name.clone(), from, to, dim);
        self.model.vars[id].range = matches!(range, Range::Between { .. });
        id
    }

    /// The statements of a sum over the last of some loops.
    fn block<'s>(
        &mut self,
        var: &Ident,
        own: &[VarId],
        factor: usize,
        body: impl Iterator<Item = &'s syntax::Stmt>,
    ) -> (usize, Vec<Stmt>) {
        let around = self.loops.len();
        self.loops.extend(own);
        let (sum, within) = (self.model.sums.len(), self.summed.last().map(|(sum, _)| *sum));
        self.model.sums.push(Sum { name: var.clone(), factor, within, loops: self.loops.clone() });
        self.summed.extend(own.last().map(|last| (sum, *last)));
        let body = body.filter_map(|stmt| self.statement(stmt)).collect();
        self.summed.pop();
        self.loops.truncate(around);
        (sum, body)
    }

    /// The factor that the statements of a sum are parts of.
    pub(super) fn sum_factor(&self) -> Option<usize> {
        self.summed.first().map(|(sum, _)| self.model.sums[*sum].factor)
    }

    /// The distributions of the first and of every later step of a chain.
    fn drawn<'s>(
        &mut self,
        var: &Ident,
        (time, first): (&Ident, &str),
        from: Option<&Affine>,
        body: &'s [syntax::Stmt],
    ) -> (Option<&'s syntax::Expr>, Option<&'s syntax::Expr>) {
        let (mut start, mut step) = (None, None);
        for stmt in body {
            let syntax::Stmt::Sample { lhs, distribution, .. } = stmt else { continue };
            if lhs.name != *var {
                continue;
            }
            let place = match &lhs.index[..] {
                [syntax::Expr { kind: syntax::ExprKind::Name(name), .. }] if name == time => Some(&mut step),
                [index] if from.is_some() && self.affine(index).as_ref() == from => Some(&mut start),
                _ => None,
            };
            match place {
                Some(place @ None) => *place = Some(distribution),
                _ => self.error(lhs.name.span(), messages::chain_twice(var, first, time)),
            }
        }
        if start.is_none() {
            self.error(var.span(), messages::chain_start(var, first));
        }
        if step.is_none() {
            self.error(var.span(), messages::chain_step(var, time));
        }
        (start, step)
    }

    /// The value of a chain that is read: at one step alone.
    pub(super) fn state(
        &mut self,
        name: &Ident,
        index: &[syntax::Expr],
        (time, value, back): (VarId, VarId, i64),
        span: Span,
    ) -> Option<VarId> {
        let step = self.model.vars[time].name.clone();
        let [index] = index else {
            self.error(span, messages::chain_whole(name, &step));
            return None;
        };
        let read = self.affine(index)?;
        let own = Affine::term(Term::Var(time));
        let before = own.plus(&Affine::constant(1), -1);
        if read == own.plus(&Affine::constant(back), -1) {
            return Some(value);
        }
        let message = if read == own {
            messages::chain_now(name, &step)
        } else if read == before {
            messages::chain_before(name, &step)
        } else {
            messages::chain_skips(name, &step)
        };
        self.error(span, message);
        None
    }

    /// The distribution of what is summed out: of counts, and over the values that are added up.
    fn prior(&mut self, var: &Ident, dim: Option<DimId>, distribution: &syntax::Expr) -> Option<Distribution> {
        let Lowered { distribution: mut prior, word, support, discrete, .. } = self.distribution(distribution, var, &[])?;
        if !std::mem::take(&mut self.over).is_empty() {
            self.error(prior.span, messages::DISCRETE_IN_SUM);
            return None;
        }
        if let Some(mask) = &prior.mask {
            self.error(mask.span, messages::SUM_MASK);
            return None;
        }
        let counts = matches!(support, Support::Binary | Support::Count | Support::CountUpTo);
        match &mut prior.density {
            Density::Univariate { .. } if discrete == Some(true) && counts => Some(prior),
            Density::Multivariate { entry, parameters, axis, .. } if entry.name == "Categorical" => {
                let over = parameters.first().and_then(|weights| weights.last_dim(&self.model));
                if let Some(over) = over.filter(|over| dim != Some(*over)) {
                    self.error(var.span(), messages::sum_weights(var, &self.model.dim_name(over)));
                    return None;
                }
                if entry.rust == "CategoricalLogits" {
                    *axis = Some(self.axis_var(over?));
                }
                Some(prior)
            }
            _ => {
                self.error(prior.span, messages::sum_distribution(var, &word));
                None
            }
        }
    }
}

/// Whether a statement is about what a chain sums out.
fn is_about(stmt: &syntax::Stmt, var: &Ident) -> bool {
    matches!(stmt, syntax::Stmt::Sample { lhs, .. } if lhs.name == *var)
}

/// The dimension of a range that is a whole one.
fn whole(range: &Range, over: Option<&(Affine, Affine, Option<DimId>)>) -> Option<DimId> {
    over.and_then(|(_, _, dim)| dim.filter(|_| matches!(range, Range::Dim(_))))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The logarithm of the probability of a value that is summed out.
pub(crate) fn log_prior(prior: &Distribution, var: VarId) -> Expr {
    let of = |kind: ExprKind| Expr { kind, span: prior.span };
    let place = |var: VarId| Affine::term(Term::Var(var));
    match &prior.density {
        Density::Multivariate { parameters, axis, .. } => {
            let own = super::element(&parameters[0], place(var), prior.span);
            let Some(all) = *axis else { return of(ExprKind::Function(Function::Ln, vec![own])) };
            let body = Box::new(super::element(&parameters[0], place(all), prior.span));
            let normalizer = of(ExprKind::Reduce { kind: Reduce::LogSumExp, var: all, body, product: false });
            of(ExprKind::Binary(Operator::Sub, Box::new(own), Box::new(normalizer)))
        }
        density => {
            let (family, params) = density.families().next().unwrap_or_else(|| unreachable!("a distribution of one number"));
            of(ExprKind::LogProb(family.clone(), params.to_vec(), Box::new(of(ExprKind::Var(var)))))
        }
    }
}

/// The probability itself.
pub(crate) fn prior_prob(prior: &Distribution, var: VarId) -> Expr {
    match log_prior(prior, var) {
        Expr { kind: ExprKind::Function(Function::Ln, mut args), .. } => args.remove(0),
        log => Expr { span: log.span, kind: ExprKind::Function(Function::Exp, vec![log]) },
    }
}
