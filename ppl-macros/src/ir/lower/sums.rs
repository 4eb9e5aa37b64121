//! `sum k in K ~ Categorical(w) { .. }`: a discrete variable that is summed out, with all that depends on it.

use proc_macro2::Ident;

use super::distributions::Lowered;
use super::{Entity, Lowering};
use crate::catalogue::Support;
use crate::ir::{
    Affine, Density, DimId, Distribution, Expr, ExprKind, Function, Operator, Reduce, Stmt, StmtKind, Sum, Term, VarId,
};
use crate::{messages, syntax};

impl Lowering<'_> {
    pub(super) fn sum(
        &mut self,
        var: &Ident,
        range: &syntax::Range,
        distribution: &syntax::Expr,
        body: &[syntax::Stmt],
        text: String,
    ) -> Option<Stmt> {
        if self.model.guide.is_some() {
            self.error(var.span(), messages::GUIDE_SUM);
            return None;
        }
        let (over, known) = (self.range(range), self.names.len());
        let dim = over.as_ref().and_then(|(_, _, dim)| dim.filter(|_| matches!(range, syntax::Range::Dim(_))));
        let prior = self.prior(var, dim, distribution);
        let free = self.free(var);
        if self.model.sums.iter().any(|sum| sum.name == *var) {
            self.error(var.span(), messages::sum_twice(var));
        }
        let factor = self.factor(text.split_whitespace().collect::<Vec<_>>().join(" "), None);
        let (from, to, dim) = over.clone().unwrap_or_default();
        let id = self.fresh_var(var.clone(), from, to, dim);
        self.model.vars[id].range = matches!(range, syntax::Range::Between { .. });
        if free {
            self.names.push((var.clone(), Entity::Var(id)));
        }
        self.loops.push(id);
        let (sum, within) = (self.model.sums.len(), self.summed.last().map(|(sum, _)| *sum));
        self.model.sums.push(Sum { name: var.clone(), factor, within, loops: self.loops.clone() });
        self.summed.push((sum, id));
        let body = self.statements(body);
        self.summed.pop();
        self.loops.pop();
        self.leave(known);
        over?;
        Some(Stmt { kind: StmtKind::Sum { sum, var: id, prior: prior?, body, factor }, text })
    }

    /// The factor that the statements of a sum are parts of.
    pub(super) fn sum_factor(&self) -> Option<usize> {
        self.summed.first().map(|(sum, _)| self.model.sums[*sum].factor)
    }

    /// The distribution of what is summed out: of counts, and over the values that are added up.
    fn prior(&mut self, var: &Ident, dim: Option<DimId>, distribution: &syntax::Expr) -> Option<Distribution> {
        let Lowered { distribution: mut prior, word, support, discrete, .. } = self.distribution(distribution, var, &[])?;
        if let Some(mask) = &prior.mask {
            self.error(mask.span, messages::SUM_MASK);
            return None;
        }
        let counts = matches!(support, Support::Binary | Support::Count | Support::CountUpTo);
        match &mut prior.density {
            Density::Univariate { .. } if discrete == Some(true) && counts => Some(prior),
            Density::Multivariate { entry, parameters, axis } if entry.name == "Categorical" => {
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
