//! Supports: a parameter that cannot lie where it must is an error; one that surely does is free; any other is checked at run time.

use crate::catalogue::Support;
use crate::diagnostics::Diagnostics;
use crate::ir::{
    Density, Distribution, Expr, ExprKind, Family, Function, Model, Operator, SiteKind, Stmt, StmtKind, Vector, visit,
};

/// Where the values of an expression are known to lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Inferred {
    /// Exactly this number.
    Number(f64),
    /// Strictly between zero and one.
    Unit,
    /// Above zero.
    Positive,
    /// Zero or above.
    NonNegative,
    /// Any real number: known to leave every bounded set.
    Unbounded,
    /// Not known.
    Open,
}

/// What is known of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proven,
    Open,
    Refuted,
}

impl Inferred {
    fn is_positive(self) -> bool {
        matches!(self, Inferred::Unit | Inferred::Positive) || matches!(self, Inferred::Number(x) if x > 0.0)
    }

    fn is_non_negative(self) -> bool {
        self.is_positive() || self == Inferred::NonNegative || matches!(self, Inferred::Number(x) if x >= 0.0)
    }

    fn is_unit(self) -> bool {
        self == Inferred::Unit || matches!(self, Inferred::Number(x) if x > 0.0 && x < 1.0)
    }

    /// Whether the values lie in a support.
    pub(crate) fn within(self, support: Support) -> Verdict {
        let proven = match support {
            Support::Real => true,
            Support::Positive => self.is_positive(),
            Support::Unit => self.is_unit(),
            Support::Count => match self {
                Inferred::Number(x) => x >= 0.0 && x.fract() == 0.0,
                _ => return Verdict::Open,
            },
            _ => return Verdict::Open,
        };
        match self {
            _ if proven => Verdict::Proven,
            // Zero and one are let through as probabilities: they are legal, if degenerate.
            Inferred::Number(x) if support == Support::Unit && (x == 0.0 || x == 1.0) => Verdict::Proven,
            Inferred::Number(_) | Inferred::Unbounded => Verdict::Refuted,
            Inferred::Positive | Inferred::NonNegative if support == Support::Unit => Verdict::Refuted,
            _ => Verdict::Open,
        }
    }
}

/// Where the values of a support lie.
fn of_support(support: Support) -> Inferred {
    match support {
        Support::Real | Support::Ordered | Support::Integer => Inferred::Unbounded,
        Support::Positive | Support::PositiveOrdered => Inferred::Positive,
        Support::Count | Support::Binary | Support::CountUpTo => Inferred::NonNegative,
        Support::Unit | Support::Simplex => Inferred::Unit,
        Support::Interval
        | Support::CorrelationCholesky
        | Support::CovarianceCholesky
        | Support::Correlation
        | Support::PositiveDefinite => Inferred::Open,
    }
}

/// Where the values of an expression lie.
pub(crate) fn infer(model: &Model, expr: &Expr) -> Inferred {
    use Inferred::{NonNegative, Number, Open, Positive, Unbounded, Unit};
    match &expr.kind {
        ExprKind::Number(x) => Number(*x),
        // Of few values, what is made of them may lie anywhere.
        ExprKind::Var(var) if model.is_value(*var) => Open,
        ExprKind::Size(_) | ExprKind::Var(_) => NonNegative,
        ExprKind::Data(..) | ExprKind::Component(..) | ExprKind::User(..) | ExprKind::LogProb(..) => Open,
        ExprKind::Site(site, _) => {
            let site = &model.sites[*site];
            match site.kind {
                SiteKind::Latent | SiteKind::Parameter if site.support == Support::Interval => {
                    interval(model, site.bounds.as_ref())
                }
                SiteKind::Latent if site.own_support.is_some() => Open,
                SiteKind::Latent | SiteKind::Parameter => of_support(site.support),
                SiteKind::Quantity => quantity(model, expr),
                SiteKind::Observed(_) => Open,
            }
        }
        ExprKind::Local(local) => model.locals[*local].support,
        ExprKind::Neg(inner) => match infer(model, inner) {
            Number(x) => Number(-x),
            Unbounded => Unbounded,
            _ => Open,
        },
        ExprKind::Powi(inner, k) => match infer(model, inner) {
            Number(x) => Number(x.powi(*k)),
            Unit if *k > 0 => Unit,
            inner if inner.is_positive() => Positive,
            _ if k % 2 == 0 => NonNegative,
            Unbounded => Unbounded,
            _ => Open,
        },
        ExprKind::Binary(op, left, right) => binary(*op, infer(model, left), infer(model, right)),
        ExprKind::Function(function, args) => {
            let args: Vec<Inferred> = args.iter().map(|arg| infer(model, arg)).collect();
            call(*function, &args)
        }
        ExprKind::If(_, then, otherwise) => either(infer(model, then), infer(model, otherwise)),
        ExprKind::Indicator(_) => NonNegative,
        ExprKind::Reduce { kind: crate::ir::Reduce::Sum, body, .. } => match infer(model, body) {
            // An empty sum is zero.
            inner if inner.is_non_negative() => NonNegative,
            Unbounded => Unbounded,
            _ => Open,
        },
        ExprKind::Reduce { .. } => Open,
        ExprKind::Assert(support, _) => of_support(*support),
    }
}

fn quantity(model: &Model, expr: &Expr) -> Inferred {
    let ExprKind::Site(site, _) = &expr.kind else { return Inferred::Open };
    model.quantity_supports.get(site).copied().unwrap_or(Inferred::Open)
}

fn interval(model: &Model, bounds: Option<&crate::ir::Bounds>) -> Inferred {
    let Some(bounds) = bounds else { return Inferred::Open };
    let bound = |expr: &Option<Expr>| expr.as_ref().map(|expr| infer(model, expr));
    match (bound(&bounds.lower), bound(&bounds.upper)) {
        (Some(Inferred::Number(lower)), Some(Inferred::Number(upper))) if lower >= 0.0 && upper <= 1.0 => Inferred::Unit,
        (Some(lower), _) if lower.is_non_negative() => Inferred::Positive,
        _ => Inferred::Open,
    }
}

fn either(a: Inferred, b: Inferred) -> Inferred {
    if a.is_unit() && b.is_unit() {
        Inferred::Unit
    } else if a.is_positive() && b.is_positive() {
        Inferred::Positive
    } else if a.is_non_negative() && b.is_non_negative() {
        Inferred::NonNegative
    } else {
        Inferred::Open
    }
}

fn binary(op: Operator, left: Inferred, right: Inferred) -> Inferred {
    use Inferred::{NonNegative, Number, Open, Positive, Unbounded, Unit};
    if let (Number(a), Number(b)) = (left, right) {
        return Number(match op {
            Operator::Add => a + b,
            Operator::Sub => a - b,
            Operator::Mul => a * b,
            Operator::Div => a / b,
        });
    }
    let known = left != Open && right != Open;
    match op {
        Operator::Add | Operator::Sub if known && (left == Unbounded || right == Unbounded) => Unbounded,
        Operator::Add if left.is_non_negative() && right.is_non_negative() => {
            if left.is_positive() || right.is_positive() {
                Positive
            } else {
                NonNegative
            }
        }
        Operator::Sub if left == Number(1.0) && right == Unit => Unit,
        Operator::Mul if left.is_unit() && right.is_unit() => Unit,
        Operator::Mul | Operator::Div if left.is_positive() && right.is_positive() => Positive,
        Operator::Mul if left.is_non_negative() && right.is_non_negative() => NonNegative,
        Operator::Div if left.is_non_negative() && right.is_positive() => NonNegative,
        Operator::Mul if left == Number(0.0) || right == Number(0.0) => Number(0.0),
        Operator::Mul if known && (left == Unbounded || right == Unbounded) => Unbounded,
        Operator::Div if known && left == Unbounded => Unbounded,
        _ => Open,
    }
}

fn call(function: Function, args: &[Inferred]) -> Inferred {
    use Inferred::{NonNegative, Open, Positive, Unbounded, Unit};
    let first = args.first().copied().unwrap_or(Open);
    match function {
        Function::Exp | Function::Softplus => Positive,
        Function::Sigmoid | Function::NormalCdf => Unit,
        Function::Sqrt if first.is_positive() => Positive,
        Function::Sqrt => NonNegative,
        Function::Abs if first.is_positive() => Positive,
        Function::Abs => NonNegative,
        Function::Ln1p if first.is_positive() => Positive,
        Function::Ln | Function::Logit if first.is_positive() => {
            if function == Function::Logit || first == Positive {
                Unbounded
            } else {
                Open
            }
        }
        Function::Powf if first.is_unit() && args.get(1).is_some_and(|e| e.is_positive()) => Unit,
        Function::Powf if first.is_positive() => Positive,
        Function::Min => args.iter().copied().reduce(either).unwrap_or(Open),
        Function::Max if args.iter().any(|arg| arg.is_positive()) => Positive,
        Function::Max if args.iter().any(|arg| arg.is_non_negative()) => NonNegative,
        _ => Open,
    }
}

/// Reports parameters that cannot lie where they must.
pub(crate) fn check(model: &mut Model, diagnostics: &mut Diagnostics) {
    let mut errors = Vec::new();
    let body = std::mem::take(&mut model.body);
    // Where a recursion reads what is computed later, until nothing new is found of where quantities lie.
    for _ in 0..=2 * model.sites.len() {
        let known = model.quantity_supports.clone();
        errors.clear();
        check_statements(model, &body, &mut errors);
        if known == model.quantity_supports {
            break;
        }
    }
    model.body = body;
    for (span, message) in errors {
        diagnostics.push(span, message);
    }
}

fn check_statements(model: &mut Model, body: &[Stmt], errors: &mut Vec<(proc_macro2::Span, String)>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::For { body, .. } => check_statements(model, body, errors),
            StmtKind::Quantity { value, site, .. } => {
                check_log_probs(model, value, errors);
                let inferred = infer(model, value);
                let known = model.quantity_supports.get(site).copied();
                model.quantity_supports.insert(*site, known.map_or(inferred, |known| either(known, inferred)));
            }
            StmtKind::Operation { operands, site, operation, .. } => {
                visit::repeated(operands).for_each(|number| check_log_probs(model, number, errors));
                for (operand, (name, _)) in operands.iter().zip(operation.operands) {
                    if let (Vector::Repeat(value), "length_scale") = (operand, *name) {
                        report(infer(model, value), Support::Positive, name, operation.name, value.span, errors);
                    }
                }
                model.quantity_supports.insert(*site, Inferred::Open);
            }
            StmtKind::Local { local, value } => {
                check_log_probs(model, value, errors);
                model.locals[*local].support = infer(model, value);
            }
            StmtKind::Factor { value, .. } | StmtKind::Start { value, .. } | StmtKind::Derivative { value, .. } => {
                check_log_probs(model, value, errors);
            }
            StmtKind::Ode(block) => {
                for id in block.components.clone() {
                    model.quantity_supports.insert(model.components[id].site, Inferred::Open);
                }
                check_statements(model, &block.body, errors);
            }
            StmtKind::Param { bounds, start, .. } => {
                visit::of_parameter(bounds.as_deref(), start).for_each(|value| check_log_probs(model, value, errors));
            }
            StmtKind::Sample { distribution, .. } => check_distribution(model, distribution, errors),
            StmtKind::Discrete(block) => check_distribution(model, &block.prior, errors),
            StmtKind::Expected { body, .. } => check_statements(model, body, errors),
            StmtKind::Sum(block) => {
                block.priors().for_each(|(prior, _)| check_distribution(model, prior, errors));
                check_statements(model, &block.body, errors);
            }
        }
    }
}

fn check_distribution(model: &Model, distribution: &Distribution, errors: &mut Vec<(proc_macro2::Span, String)>) {
    for (family, params) in distribution.density.families() {
        check_family(model, family, params, errors);
    }
    match &distribution.density {
        Density::Multivariate { entry, parameters, .. } => {
            for ((name, support), parameter) in entry.parameters.iter().zip(parameters) {
                check_vector(model, (entry.name, name, *support), parameter, distribution.span, errors);
            }
        }
        Density::Mixture { weights, .. } | Density::Listed { weights, .. } => {
            check_vector(model, ("Mixture", "weights", Support::Simplex), weights, distribution.span, errors);
        }
        Density::Univariate { .. } | Density::Ordered { .. } => {}
    }
    for param in visit::of_distribution(distribution) {
        check_log_probs(model, param, errors);
    }
}

fn check_log_probs(model: &Model, expr: &Expr, errors: &mut Vec<(proc_macro2::Span, String)>) {
    visit::expressions(expr, &mut |e| {
        if let ExprKind::LogProb(family, params, _) = &e.kind {
            check_family(model, family, params, errors);
        }
    });
}

fn check_family(model: &Model, family: &Family, params: &[Expr], errors: &mut Vec<(proc_macro2::Span, String)>) {
    for (i, ((name, support), param)) in family.parameters().into_iter().zip(params).enumerate() {
        if support != Support::Real {
            report(infer(model, param), support, name, family.word_of(i), param.span, errors);
        }
    }
    // Of data it is known when a model is bound.
    for [lower, upper] in family.ends() {
        let (Some(first), Some(last)) = (params.get(lower), params.get(upper)) else { continue };
        let (Inferred::Number(a), Inferred::Number(b)) = (infer(model, first), infer(model, last)) else { continue };
        if b < a || (a == b && family.is_discrete() == Some(false)) {
            let word = family.word_of(upper);
            errors
                .push((last.span, format!("`upper` of `{word}` must be above `lower`, and this is {b}, which is not above {a}")));
        }
    }
}

fn check_vector(
    model: &Model,
    (word, name, support): (&str, &str, Support),
    parameter: &Vector,
    span: proc_macro2::Span,
    errors: &mut Vec<(proc_macro2::Span, String)>,
) {
    let element = crate::ir::lower::element(parameter, crate::ir::Affine::constant(0), span);
    let (inferred, span) = match parameter {
        Vector::Repeat(value) => (infer(model, value), value.span),
        Vector::Site(..) | Vector::Data(..) => (infer(model, &element), span),
    };
    // A vector of positive numbers is not known to sum to one: that is open, not refuted.
    let inferred = if support == Support::Simplex && inferred == Inferred::Positive { Inferred::Open } else { inferred };
    let support = if support == Support::Simplex { Support::Unit } else { support };
    report(inferred, support, name, word, span, errors);
}

fn report(
    inferred: Inferred,
    support: Support,
    name: &str,
    word: &str,
    span: proc_macro2::Span,
    errors: &mut Vec<(proc_macro2::Span, String)>,
) {
    if inferred.within(support) != Verdict::Refuted {
        return;
    }
    let (set, way_out) = match support {
        Support::Unit => {
            ("between 0 and 1", "write `sigmoid(..)` around it, give it a `Beta` prior, or use `logit = ..` where there is one")
        }
        Support::Count => ("a whole number from 0 on", ""),
        _ => ("positive", "write `exp(..)` around it, or give it a positive prior such as `HalfNormal(1)`"),
    };
    let found = match inferred {
        Inferred::Number(x) => format!("{x}"),
        Inferred::Unbounded => "any real number".to_owned(),
        _ => "any positive number".to_owned(),
    };
    let way_out = if matches!(inferred, Inferred::Number(_)) { String::new() } else { format!("; {way_out}") };
    errors.push((span, format!("`{name}` of `{word}` must be {set}, and this is {found}{way_out}")));
}
